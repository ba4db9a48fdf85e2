package process

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink"
)

// The kernel's numbers for a socket's state; UDP uses TCP's (net/tcp_states.h).
const (
	stateClosed = 7 // a UDP socket that is not connected
	stateListen = 10
)

// attempts bounds how often an interrupted dump is read again.
const attempts = 5

// A table is one of the kernel's socket tables.
type table struct {
	name     string
	protocol uint8
	family   uint8
	state    uint8
	dump     func(family uint8) ([]*netlink.Socket, error)
}

var tables = []table{
	{"TCP over IPv4", syscall.IPPROTO_TCP, syscall.AF_INET, stateListen, netlink.SocketDiagTCP},
	{"TCP over IPv6", syscall.IPPROTO_TCP, syscall.AF_INET6, stateListen, netlink.SocketDiagTCP},
	{"UDP over IPv4", syscall.IPPROTO_UDP, syscall.AF_INET, stateClosed, netlink.SocketDiagUDP},
	{"UDP over IPv6", syscall.IPPROTO_UDP, syscall.AF_INET6, stateClosed, netlink.SocketDiagUDP},
}

func listeners(cfg Config) (*Snapshot, error) { return scan(cfg, tables) }

// scan reads the tables. A kernel may lack one of them (no IPv6, no udp_diag): it
// fails only when none can be read.
func scan(cfg Config, tables []table) (*Snapshot, error) {
	snapshot := &Snapshot{}
	var first error
	failed := 0
	for _, t := range tables {
		sockets, err := t.read()
		if errors.Is(err, netlink.ErrDumpInterrupted) {
			snapshot.Incomplete = append(snapshot.Incomplete,
				t.name+": the sockets kept changing while they were read")
		} else if err != nil {
			failed++
			first = cmp.Or(first, fmt.Errorf("process: read the sockets of %s: %w", t.name, err))
			snapshot.Incomplete = append(snapshot.Incomplete, t.name+": "+err.Error())
			continue
		}
		for _, s := range sockets {
			if l, ok := t.listener(s); ok && (cfg.Port == 0 || cfg.Port == l.Address.Port()) {
				snapshot.Listeners = append(snapshot.Listeners, l)
			}
		}
	}
	if failed == len(tables) {
		return nil, first
	}
	sortListeners(snapshot.Listeners)
	findOwners(cmp.Or(cfg.Proc, "/proc"), snapshot.Listeners)
	return snapshot, nil
}

// read dumps the table, and again when the kernel says that it changed meanwhile:
// netlink then returns what it has got together with ErrDumpInterrupted.
func (t table) read() (sockets []*netlink.Socket, err error) {
	for range attempts {
		sockets, err = t.dump(t.family)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return sockets, err
}

// listener is s as a Listener; false when s waits for nobody.
func (t table) listener(s *netlink.Socket) (Listener, bool) {
	if s.State != t.state || s.ID.DestinationPort != 0 {
		return Listener{}, false
	}
	addr, ok := netip.AddrFromSlice(s.ID.Source)
	if !ok {
		return Listener{}, false
	}
	if t.family == syscall.AF_INET {
		addr = addr.Unmap() // netlink widens IPv4 addresses
	}
	return Listener{
		Protocol: t.protocol,
		Address:  netip.AddrPortFrom(addr, s.ID.SourcePort),
		UID:      s.UID,
		Inode:    s.INode,
	}, true
}

// sortListeners gives a total order.
func sortListeners(list []Listener) {
	slices.SortFunc(list, func(a, b Listener) int {
		return cmp.Or(
			cmp.Compare(a.Address.Port(), b.Address.Port()),
			cmp.Compare(a.Protocol, b.Protocol),
			a.Address.Addr().Compare(b.Address.Addr()),
			cmp.Compare(a.Inode, b.Inode),
		)
	})
}
