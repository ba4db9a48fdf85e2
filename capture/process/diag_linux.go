package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// A table is one of the kernel's socket tables.
type table struct {
	name     string
	protocol uint8
	family   uint8
}

var tables = []table{
	{"TCP over IPv4", unix.IPPROTO_TCP, unix.AF_INET},
	{"TCP over IPv6", unix.IPPROTO_TCP, unix.AF_INET6},
	{"UDP over IPv4", unix.IPPROTO_UDP, unix.AF_INET},
	{"UDP over IPv6", unix.IPPROTO_UDP, unix.AF_INET6},
}

// fewTables are the same sockets in one table less.
var fewTables = []table{{"TCP", unix.IPPROTO_TCP, unix.AF_UNSPEC}, tables[2], tables[3]}

// attempts bounds how often an interrupted dump is read again.
const attempts = 5

// A diagSocket is a socket as sock_diag tells it.
type diagSocket struct {
	protocol      uint8
	state         uint8
	timer         uint8
	retransmits   uint8
	local, remote netip.AddrPort
	cookie        uint64
	inode         uint64
	uid           uint32
	receive, send uint32 // queues
	cgroup        uint64 // 0 when not told
	six           bool   // of the family AF_INET6
	only6         bool   // one of these that takes no IPv4
	link          uint32 // index of the interface that it is bound to; 0: none
}

// The kernel's numbers for a socket's state; UDP uses TCP's (net/tcp_states.h).
const (
	stateTimeWait = 6
	stateClosed   = 7 // a UDP socket that is not connected
	stateListen   = 10
	stateBound    = 13 // asks for TCP sockets that are only bound, since Linux 6.8; they are told as closed
)

var stateNames = [...]string{"", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2",
	"TIME-WAIT", "CLOSED", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "SYN-RECEIVED"}

func stateName(state uint8) string {
	if int(state) < len(stateNames) {
		return stateNames[state]
	}
	return ""
}

// A diag asks the kernel for sockets. It belongs to the network namespace in which it
// was opened.
type diag struct{ handle *nl.SocketHandle }

func openDiag() (*diag, error) {
	socket, err := nl.Subscribe(unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, err
	}
	_ = socket.SetReceiveTimeout(&unix.Timeval{Sec: 10})
	return &diag{&nl.SocketHandle{Socket: socket}}, nil
}

func (d *diag) close() { d.handle.Close() }

// Sizes and offsets of linux/inet_diag.h.
const (
	diagRequestSize = 56
	diagMessageSize = 72
	diagOnly6       = 11 // INET_DIAG_SKV6ONLY
	diagCgroup      = 21 // INET_DIAG_CGROUP_ID
)

// A diagRequest is struct inet_diag_req_v2, or the older inet_diag_req.
type diagRequest []byte

func (r diagRequest) Len() int          { return len(r) }
func (r diagRequest) Serialize() []byte { return r }

// request asks for the sockets of t in some states.
func (t table) request(states uint32) (kind int, r diagRequest) {
	if t.family != unix.AF_UNSPEC {
		r = make(diagRequest, diagRequestSize)
		r[0], r[1] = t.family, t.protocol
		binary.NativeEndian.PutUint32(r[4:], states)
		return nl.SOCK_DIAG_BY_FAMILY, r
	}
	// The older request is for TCP of both families: the kernel goes through its table of
	// all connections, which is large also when it is empty, once and not twice.
	const olderSize, older = 60, 18 // TCPDIAG_GETSOCK
	r = make(diagRequest, olderSize)
	r[0] = unix.AF_INET
	binary.NativeEndian.PutUint32(r[52:], states)
	return older, r
}

// portFilter is a program for the kernel (struct inet_diag_bc_op: code, bytes to go on by
// when that holds, and when not): the local port or the remote one is port.
func portFilter(port uint16) []byte {
	const jump, localLeast, localMost, remoteLeast, remoteMost = 1, 2, 3, 4, 5
	var b []byte
	compare := func(code, no byte) {
		b = append(b, code, 8, 0, 0, 0, 0, 0, 0)
		binary.NativeEndian.PutUint16(b[len(b)-6:], uint16(no))
		binary.NativeEndian.PutUint16(b[len(b)-2:], port)
	}
	compare(localLeast, 20)
	compare(localMost, 12)
	b = append(b, jump, 4, 0, 0) // to the end: it passes
	binary.NativeEndian.PutUint16(b[len(b)-2:], 20)
	compare(remoteLeast, 20) // beyond the end: it does not
	compare(remoteMost, 12)
	return b
}

// A choice is which sockets of a table the kernel tells.
type choice struct {
	states uint32 // a bit for each
	port   uint16 // at one of the ends; 0: any
}

// read dumps a table, and again when the kernel says that it changed meanwhile. Then it
// returns what it has together with netlink.ErrDumpInterrupted.
func (d *diag) read(t table, c choice) (sockets []diagSocket, err error) {
	kind, request := t.request(c.states)
	for range attempts {
		message := nl.NewNetlinkRequest(kind, unix.NLM_F_DUMP)
		message.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_INET_DIAG: d.handle}
		message.AddData(request)
		if c.port != 0 {
			const bytecode = 1 // INET_DIAG_REQ_BYTECODE
			message.AddData(nl.NewRtAttr(bytecode, portFilter(c.port)))
		}
		sockets = sockets[:0]
		err = message.ExecuteIter(unix.NETLINK_INET_DIAG, uint16(kind), func(b []byte) bool {
			var s diagSocket
			if s.decode(b) {
				s.protocol = t.protocol
				sockets = append(sockets, s)
			}
			return true
		})
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return sockets, err
}

// decode reads a struct inet_diag_msg and its attributes.
func (s *diagSocket) decode(b []byte) bool {
	if len(b) < diagMessageSize {
		return false
	}
	ne := binary.NativeEndian
	four := b[0] == unix.AF_INET
	*s = diagSocket{
		state:       b[1],
		timer:       b[2],
		retransmits: b[3],
		six:         !four,
		local:       addrPort(b[8:24], four, binary.BigEndian.Uint16(b[4:])),
		remote:      addrPort(b[24:40], four, binary.BigEndian.Uint16(b[6:])),
		link:        ne.Uint32(b[40:]),
		cookie:      uint64(ne.Uint32(b[44:])) | uint64(ne.Uint32(b[48:]))<<32,
		receive:     ne.Uint32(b[56:]),
		send:        ne.Uint32(b[60:]),
		uid:         ne.Uint32(b[64:]),
		inode:       uint64(ne.Uint32(b[68:])),
	}
	for b = b[diagMessageSize:]; len(b) >= unix.SizeofNlAttr; {
		n := int(ne.Uint16(b))
		if n < unix.SizeofNlAttr || n > len(b) {
			break
		}
		switch value := b[unix.SizeofNlAttr:n]; ne.Uint16(b[2:]) {
		case diagOnly6:
			s.only6 = len(value) > 0 && value[0] != 0
		case diagCgroup:
			if len(value) >= 8 {
				s.cgroup = ne.Uint64(value)
			}
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return true
}

// connected reports whether s has a peer.
func (s *diagSocket) connected() bool { return s.remote.Port() != 0 }

// key is what s is found by.
func (s *diagSocket) key() key {
	if s.connected() {
		return keyOf(s.protocol, s.local, s.remote)
	}
	return keyOf(s.protocol, s.local, netip.AddrPort{}).alone()
}

// readAll reads several tables. A kernel may lack one of them (no IPv6, no udp_diag): that
// is an error only when none can be read. interrupted has the protocols of which some
// sockets may be missing.
func (d *diag) readAll(tables []table, c choice) (sockets []diagSocket, interrupted map[uint8]bool, incomplete []string, err error) {
	interrupted = make(map[uint8]bool)
	failed := 0
	for _, t := range tables {
		some, readErr := d.read(t, c)
		switch {
		case errors.Is(readErr, netlink.ErrDumpInterrupted):
			interrupted[t.protocol] = true
			incomplete = append(incomplete, t.name+": the sockets kept changing while they were read")
		case readErr != nil:
			failed++
			if err == nil {
				err = fmt.Errorf("read the sockets of %s: %w", t.name, readErr)
			}
			incomplete = append(incomplete, t.name+": "+readErr.Error())
			continue
		}
		sockets = append(sockets, some...)
	}
	if failed < len(tables) {
		err = nil
	}
	return sockets, interrupted, incomplete, err
}

// netnsCookie is the kernel's number for the network namespace of d; 0 when the kernel
// gives none.
func (d *diag) netnsCookie() uint64 {
	cookie, _ := unix.GetsockoptUint64(d.handle.Socket.GetFd(), unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	return cookie
}

// socket is s for the reader of a Host.
func (s *diagSocket) socket() capture.Socket {
	socket := capture.Socket{
		Type: typeOf(s.protocol), Protocol: s.protocol, IPv6: s.six, Only6: s.only6,
		Local: unmap(s.local), State: stateName(s.state), HasUID: true, UID: s.uid, Inode: s.inode,
		ReceiveQueue: s.receive, SendQueue: s.send,
	}
	if s.connected() {
		socket.Remote = unmap(s.remote)
	}
	const retransmitting = 1
	if s.protocol == unix.IPPROTO_TCP && s.timer == retransmitting {
		socket.Retransmits = s.retransmits
	}
	return socket
}

// typeOf is the type of the sockets of a protocol with ports.
func typeOf(protocol uint8) capture.SocketType {
	if protocol == unix.IPPROTO_TCP || protocol == unix.IPPROTO_SCTP {
		return capture.Stream
	}
	return capture.Datagram
}

// unmap is a without the IPv6 around an IPv4 address.
func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
