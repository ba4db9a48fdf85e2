package process

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// A census is the work of one Survey.
type census struct {
	proc       string
	own        uint32 // inode of our network namespace
	identity   identity
	interfaces map[int]string // by index; nil until one is asked for
	away       bool           // the tables being read are another namespace's, whose interfaces have no names here
	host       *capture.Host
}

func sockets(s Survey) (*capture.Host, error) {
	proc := cmp.Or(s.Proc, "/proc")
	c := &census{proc: proc, own: ownNetns(proc), host: &capture.Host{Netns: ownNetns(proc)}}
	c.identity = identity{proc: proc, links: func(pid int) ([]capture.Link, error) { return ReadLinks(proc, pid) }}
	if err := c.diag(s.Port); err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	if s.Port == 0 {
		found, _ := c.files(filepath.Join(proc, "thread-self/net"), ownTables)
		c.host.Sockets = append(c.host.Sockets, found...)
	}
	var err error
	if s.Port == 0 || len(c.host.Sockets) > 0 { // whose would they be?
		at := sinceBoot()
		var links []capture.Link
		if links, err = ReadLinks(proc, 0); err != nil {
			c.host.Hidden = lacking(err)
		}
		if s.Port == 0 {
			c.others(links)
		}
		c.owners(links, at, err)
	}
	if c.host.EphemeralLow, c.host.EphemeralHigh, err = EphemeralRange(proc); err != nil {
		c.host.Incomplete = append(c.host.Incomplete, err.Error())
	}
	slices.SortFunc(c.host.Sockets, func(a, b capture.Socket) int {
		return cmp.Or(
			cmp.Compare(a.Netns, b.Netns),
			cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.Protocol, b.Protocol),
			a.Local.Compare(b.Local),
			a.Remote.Compare(b.Remote),
			cmp.Compare(a.Inode, b.Inode),
			cmp.Compare(a.State, b.State),
		)
	})
	return c.host, nil
}

// diag asks for TCP and UDP sockets of our network namespace, those with a port at one of
// their ends unless that is 0.
func (c *census) diag(port uint16) error {
	d, err := openDiag()
	if err != nil {
		return err
	}
	defer d.close()
	chosen := choice{allStates, port}
	if port != 0 { // for sockets that are only bound the kernel goes through one more table
		chosen.states &^= 1 << stateBound
	}
	all, _, incomplete, err := d.readAll(fewTables, chosen)
	if err != nil {
		return err
	}
	c.host.Incomplete = incomplete
	for i := range all {
		s := all[i].socket()
		s.Interface = c.interfaceName(int(all[i].link))
		c.host.Sockets = append(c.host.Sockets, s)
	}
	return nil
}

// A socketTable is a file of /proc/PID/net.
type socketTable struct {
	name  string
	parse func(c *census, content []byte) []capture.Socket
}

// ownTables are the tables that sock_diag does not tell, or only with a module that asking
// for it would load into the kernel.
var ownTables = []socketTable{
	{"udplite", withPorts(unix.IPPROTO_UDPLITE)}, {"udplite6", withPorts(unix.IPPROTO_UDPLITE)},
	{"icmp", withPorts(unix.IPPROTO_ICMP)}, {"icmp6", withPorts(unix.IPPROTO_ICMPV6)},
	{"sctp/eps", (*census).sctpEndpoints}, {"sctp/assocs", (*census).sctpAssociations},
	{"raw", (*census).raw}, {"raw6", (*census).raw},
	{"packet", (*census).packet},
}

// otherTables are what can be read of another network namespace.
var otherTables = append([]socketTable{
	{"tcp", withPorts(unix.IPPROTO_TCP)}, {"tcp6", withPorts(unix.IPPROTO_TCP)},
	{"udp", withPorts(unix.IPPROTO_UDP)}, {"udp6", withPorts(unix.IPPROTO_UDP)},
}, ownTables...)

// files reads tables in a directory and gives how many sockets there were. A table that is
// not there is one that the kernel has no sockets for.
func (c *census) files(dir string, tables []socketTable) (found []capture.Socket, read int) {
	for _, t := range tables {
		content, err := os.ReadFile(filepath.Join(dir, t.name))
		switch {
		case err == nil:
			read++
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.EINVAL):
			c.host.Incomplete = append(c.host.Incomplete, reason(err))
			continue
		default:
			continue
		}
		found = append(found, t.parse(c, content)...)
	}
	return found, read
}

// withPorts reads a table of sockets that have ports, or of ICMP, whose echo identifier stands
// there for the port.
func withPorts(protocol uint8) func(*census, []byte) []capture.Socket {
	return func(_ *census, content []byte) []capture.Socket {
		var list []capture.Socket
		for _, p := range parseProcTable(content) {
			d := diagSocket{protocol: protocol, state: p.state, local: p.local, remote: p.remote, six: p.local.Addr().Is6(),
				uid: p.uid, inode: p.inode, receive: p.receive, send: p.send}
			list = append(list, d.socket())
		}
		return list
	}
}

func (c *census) raw(content []byte) []capture.Socket {
	var list []capture.Socket
	for _, p := range parseRawTable(content) {
		s := capture.Socket{Type: capture.RawSocket, Protocol: p.protocol, IPv6: p.local.Addr().Is6(), State: "RAW",
			Local: unmap(p.local), HasUID: true, UID: p.uid, Inode: p.inode, ReceiveQueue: p.receive, SendQueue: p.send}
		if p.remote.IsValid() {
			s.Remote = unmap(p.remote)
		}
		list = append(list, s)
	}
	return list
}

// packet reads lines like
//
//	ffff8880 3      3    0003   2     1 0      0      4711
//
// socket, references, type, EtherType, interface, running, memory, user, inode; and refuses
// the line of headings.
func (c *census) packet(content []byte) []capture.Socket {
	var list []capture.Socket
	for line := range bytes.Lines(content) {
		f := bytes.Fields(line)
		if len(f) < 9 {
			continue
		}
		kind, err := strconv.ParseUint(string(f[3]), 16, 16)
		if err != nil {
			continue
		}
		list = append(list, capture.Socket{Type: capture.Packet, EtherType: uint16(kind), Interface: c.interfaceName(int(uint32(number(f[4])))),
			HasUID: true, UID: uint32(number(f[7])), Inode: number(f[8]), ReceiveQueue: uint32(number(f[6]))})
	}
	return list
}

// owners fills in which processes hold the sockets, by links that were read after a time
// since boot, with an error when some could not be.
func (c *census) owners(links []capture.Link, at time.Duration, err error) {
	r := &reading{links: err, holders: make(map[uint64][]int, len(c.host.Sockets))}
	for i := range c.host.Sockets {
		r.holders[c.host.Sockets[i].Inode] = nil
	}
	r.hold(&c.identity, links, at)
	type member struct {
		pid   int
		netns uint32
	}
	known := make(map[member]*capture.Process)
	for i := range c.host.Sockets {
		s := &c.host.Sockets[i]
		for _, pid := range r.holders[s.Inode] {
			m := member{pid, cmp.Or(s.Netns, c.own)}
			if known[m] == nil {
				f := r.facts[pid]
				known[m] = c.identity.resolve(&image{pid: pid, user: true, uid: f.uid, name: f.name, main: true, inode: m.netns, first: at})
			}
			s.Owners = append(s.Owners, capture.Owner{Process: known[m], Basis: capture.BasisExact})
		}
		if len(s.Owners) == 0 {
			s.Unavailable = r.unavailable(s.Inode)
		}
	}
}

// interfaceName is the name of an interface of our network namespace; "" for the index 0.
func (c *census) interfaceName(index int) string {
	switch {
	case index == 0:
		return ""
	case c.away:
		return "#" + strconv.Itoa(index)
	}
	if c.interfaces == nil {
		c.interfaces = make(map[int]string)
		list, _ := net.Interfaces()
		for _, i := range list {
			c.interfaces[i.Index] = i.Name
		}
	}
	return cmp.Or(c.interfaces[index], "#"+strconv.Itoa(index))
}

// others reads the tables of the other network namespaces that processes with sockets are
// in, each by the first of them that is still there.
func (c *census) others(links []capture.Link) {
	namespaces := make(map[uint32][]int)
	for _, l := range links {
		if pids := namespaces[l.Netns]; l.Netns != 0 && l.Netns != c.own && (len(pids) == 0 || pids[len(pids)-1] != l.PID) {
			namespaces[l.Netns] = append(pids, l.PID)
		}
	}
	c.away = true
	for _, netns := range slices.Sorted(maps.Keys(namespaces)) {
		for _, pid := range namespaces[netns] {
			found, read := c.files(filepath.Join(c.proc, strconv.Itoa(pid), "net"), otherTables)
			if read == 0 {
				continue
			}
			for i := range found {
				found[i].Netns = netns
			}
			c.host.Sockets = append(c.host.Sockets, found...)
			break
		}
	}
}

// unavailable says why no process holds a socket, as far as ReadLinks told with err.
func unavailable(err error) string {
	var hidden *HiddenError
	switch {
	case errors.As(err, &hidden):
		return hidden.Error() + " (try as root)"
	case err != nil:
		return reason(err)
	}
	return "no visible process holds it (the kernel itself, or another container's)"
}
