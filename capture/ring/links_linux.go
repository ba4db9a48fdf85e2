package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A link is one network interface as the kernel tells it.
type link struct {
	index    int
	name     string
	others   []string // its alternative names
	hardware uint16   // ARPHRD number
	up       bool     // the administrator's state
	mtu      uint32
	missed   uint64 // frames that the hardware had no room for, by its own count
}

// A change is what happened to a link: was is nil for a new one, is for one that is
// gone, which it also is when it was moved to another network namespace.
type change struct{ was, is *link }

// links is the list of interfaces, kept up to date by the kernel's messages. It
// belongs to the namespace it was opened in, whatever thread reads it.
type links struct {
	socket  int
	byIndex map[int]*link
	seen    map[int]bool // while a dump is under way: what it, or a message since its first part, has told
	again   bool         // the dump under way does not suffice
	dumps   int          // in a row that did not
	buffer  []byte
}

func watchLinks() (*links, error) {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("watch interfaces: %w", err)
	}
	l := &links{socket: socket, byIndex: make(map[int]*link), buffer: make([]byte, 64<<10)}
	// First the messages, then the list, so that no change falls between them.
	err = unix.Bind(socket, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (unix.RTNLGRP_LINK - 1)})
	if err == nil {
		err = l.dump()
	}
	for err == nil && l.seen != nil {
		var n int
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(socket), Events: unix.POLLIN}}, 1000)
		switch {
		case errors.Is(err, unix.EINTR):
			err = nil
		case err == nil && n == 0:
			err = errors.New("the kernel does not answer")
		case err == nil:
			err = l.read(func(change) {})
		}
	}
	if err != nil {
		l.close()
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	return l, nil
}

func (l *links) close() { _ = unix.Close(l.socket) }

// dump asks for the whole list. The answer comes among the messages.
func (l *links) dump() error {
	l.seen, l.again = make(map[int]bool), false
	return l.ask(0, unix.NLM_F_DUMP)
}

// ask asks for a link as it is now. The kernel has answered when ask returns: the answer
// is among the messages.
func (l *links) ask(index int, flags uint16) error {
	var request [unix.SizeofNlMsghdr + unix.SizeofIfInfomsg]byte
	ne := binary.NativeEndian
	ne.PutUint32(request[0:], uint32(len(request)))
	ne.PutUint16(request[4:], unix.RTM_GETLINK)
	ne.PutUint16(request[6:], unix.NLM_F_REQUEST|flags)
	ne.PutUint32(request[unix.SizeofNlMsghdr+4:], uint32(index))
	return unix.Sendto(l.socket, request[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// read reads what messages there are and calls changed for each change.
func (l *links) read(changed func(change)) error {
	for {
		n, from, err := unix.Recvfrom(l.socket, l.buffer, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOBUFS): // there were more messages than the socket holds
			if l.seen != nil {
				l.again = true
			} else if err := l.dump(); err != nil {
				return fmt.Errorf("list interfaces again: %w", err)
			}
			continue
		case err != nil:
			return fmt.Errorf("watch interfaces: %w", err)
		}
		if a, ok := from.(*unix.SockaddrNetlink); !ok || a.Pid != 0 {
			continue // only the kernel's word counts
		}
		messages, err := syscall.ParseNetlinkMessage(l.buffer[:n])
		if err != nil {
			return fmt.Errorf("watch interfaces: %w", err)
		}
		for i := range messages {
			if err := l.apply(&messages[i], changed); err != nil {
				return fmt.Errorf("watch interfaces: %w", err)
			}
		}
	}
}

func (l *links) apply(m *syscall.NetlinkMessage, changed func(change)) error {
	if m.Header.Flags&unix.NLM_F_DUMP_INTR != 0 {
		l.again = true
	}
	switch m.Header.Type {
	case unix.RTM_NEWLINK:
		if is := parseLink(m); is != nil {
			was := l.byIndex[is.index]
			l.byIndex[is.index] = is
			if l.seen != nil && (len(l.seen) > 0 || m.Header.Flags&unix.NLM_F_MULTI != 0) {
				l.seen[is.index] = true
			}
			changed(change{was, is})
		}
	case unix.RTM_DELLINK:
		if is := parseLink(m); is != nil {
			l.remove(is.index, changed)
		}
	case unix.NLMSG_DONE:
		if l.seen == nil {
			return nil
		}
		for index := range l.byIndex {
			if !l.seen[index] {
				l.remove(index, changed)
			}
		}
		l.seen = nil
		if l.again && l.dumps < attempts {
			l.dumps++
			return l.dump()
		}
		l.dumps = 0
	case unix.NLMSG_ERROR:
		if len(m.Data) >= 4 {
			n := int32(binary.NativeEndian.Uint32(m.Data))
			if errno := syscall.Errno(-n); n != 0 && errno != unix.ENODEV { // one that was asked for is gone: there is a message about that
				return errno
			}
		}
	}
	return nil
}

func (l *links) remove(index int, changed func(change)) {
	if was := l.byIndex[index]; was != nil {
		delete(l.byIndex, index)
		changed(change{was, nil})
	}
}

// parseLink is the link that a message tells of, or nil when it tells of something
// else: a bridge's port is no interface of its own, and when a port leaves, nothing
// is deleted.
func parseLink(m *syscall.NetlinkMessage) *link {
	if len(m.Data) < unix.SizeofIfInfomsg || m.Data[0] != unix.AF_UNSPEC {
		return nil
	}
	ne := binary.NativeEndian
	l := &link{
		hardware: ne.Uint16(m.Data[2:]),
		index:    int(int32(ne.Uint32(m.Data[4:]))),
		up:       ne.Uint32(m.Data[8:])&unix.IFF_UP != 0,
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return nil
	}
	for _, a := range attributes {
		switch a.Attr.Type &^ unix.NLA_F_NESTED {
		case unix.IFLA_IFNAME:
			l.name = text(a.Value)
		case unix.IFLA_MTU:
			if len(a.Value) >= 4 {
				l.mtu = ne.Uint32(a.Value)
			}
		case unix.IFLA_STATS64:
			// What libpcap takes for ps_ifdrop: rx_fifo_errors and rx_missed_errors.
			const fifo, missed = 14 * 8, 15 * 8
			if len(a.Value) >= missed+8 {
				l.missed = ne.Uint64(a.Value[fifo:]) + ne.Uint64(a.Value[missed:])
			}
		case unix.IFLA_PROP_LIST:
			l.others = otherNames(a.Value)
		}
	}
	return l
}

// otherNames reads the attributes of IFLA_PROP_LIST.
func otherNames(b []byte) []string {
	var names []string
	for len(b) >= unix.SizeofRtAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			break
		}
		if binary.NativeEndian.Uint16(b[2:]) == unix.IFLA_ALT_IFNAME {
			names = append(names, text(b[unix.SizeofRtAttr:n]))
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return names
}

// text is a string that ends with a zero byte.
func text(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

// find is the link with a name, or nil.
func (l *links) find(name string) *link {
	for _, i := range l.byIndex {
		if i.called(name) {
			return i
		}
	}
	return nil
}

func (l *link) called(name string) bool {
	return l.name == name || slices.Contains(l.others, name)
}

// names lists the interfaces by index, not more than fit a message.
func (l *links) names() string {
	const most = 20
	var names []string
	for _, i := range slices.Sorted(maps.Keys(l.byIndex)) {
		if len(names) == most {
			names = append(names, fmt.Sprintf("%d more", len(l.byIndex)-most))
			break
		}
		names = append(names, quote(l.byIndex[i].name))
	}
	return strings.Join(names, ", ")
}
