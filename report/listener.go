package report

import (
	"cmp"
	"net/netip"
	"slices"

	"sockscope/capture"
)

// maxListeners is the number of listeners that a Summary holds.
const maxListeners = 1000

// A Listener is a socket of this host that waits for peers. Sockets that share address
// and port are one.
type Listener struct {
	Protocol     string         // "tcp" or "udp"
	Address      netip.AddrPort // 0.0.0.0 is every IPv4 address, :: every address
	Service      string         // "~" before a name that only the port suggests; "" unknown
	LoopbackOnly bool           // only this host itself can talk to it
	Owners       []capture.Owner
	Unavailable  string // why Owners is empty, unescaped
}

// listeners are this host's, by protocol, address and port.
type listeners struct {
	all   []listener
	index map[listenKey]int // of all
	ports map[listenKey]int // likewise, the first of each port: the key has no address
}

type listenKey struct {
	protocol uint8
	addr     netip.AddrPort
}

func portOf(protocol uint8, port uint16) listenKey {
	return listenKey{protocol, netip.AddrPortFrom(netip.Addr{}, port)}
}

// A listener is the sockets that share address and port.
type listener struct {
	protocol    uint8
	addr        netip.AddrPort
	owners      []capture.Owner
	unavailable string
	visited     bool
	answers     bool // the kernel has a connection to it in SYN-RECEIVED

	waiting, room uint32 // of the fullest accept queue: connections that wait, and how many may
}

// add enters a socket that listens.
func (l *listeners) add(s *capture.Socket, addr netip.AddrPort) {
	key := listenKey{s.Protocol, addr}
	i, ok := l.index[key]
	if !ok {
		if l.index == nil {
			l.index, l.ports = make(map[listenKey]int), make(map[listenKey]int)
		}
		i = len(l.all)
		l.all = append(l.all, listener{protocol: s.Protocol, addr: addr, unavailable: s.Unavailable})
		l.index[key] = i
		if port := portOf(s.Protocol, addr.Port()); !l.has(port) {
			l.ports[port] = i
		}
	}
	m := &l.all[i]
	for _, o := range s.Owners {
		if o.Known() && !slices.ContainsFunc(m.owners, func(p capture.Owner) bool { return sameProcess(o.Process, p.Process) }) {
			m.owners = append(m.owners, o)
		}
	}
	if s.Protocol == protoTCP && s.ReceiveQueue >= m.waiting {
		m.waiting, m.room = s.ReceiveQueue, s.SendQueue
	}
}

func (l *listeners) has(port listenKey) bool { _, ok := l.ports[port]; return ok }

// at is the listener that gets what comes to an endpoint, or nil: the one of its very
// address, else that of every address of its IP version. One of :: gets IPv4, too, where
// no other does.
func (l *listeners) at(protocol uint8, end netip.AddrPort) *listener {
	every := netip.IPv6Unspecified()
	if end.Addr().Is4() {
		every = netip.IPv4Unspecified()
	}
	for _, a := range [...]netip.Addr{end.Addr(), every, netip.IPv6Unspecified()} {
		if i, ok := l.index[listenKey{protocol, netip.AddrPortFrom(a, end.Port())}]; ok {
			return &l.all[i]
		}
	}
	return nil
}

// elsewhere is a listener of the port at whatever address, or nil.
func (l *listeners) elsewhere(protocol uint8, port uint16) *listener {
	if i, ok := l.ports[portOf(protocol, port)]; ok {
		return &l.all[i]
	}
	return nil
}

// visit notes that somebody talked to an endpoint, or that it talked.
func (l *listeners) visit(protocol uint8, end netip.AddrPort) {
	if m := l.at(protocol, end); m != nil {
		m.visited = true
	}
}

// isFull reports whether a listener takes no more connections: Linux drops what comes
// once there are more than may wait, one more than listen(2) was told.
func (m *listener) isFull() bool { return m.waiting > m.room }

// anyFull reports whether one of them takes no more connections.
func (l *listeners) anyFull() bool {
	return slices.ContainsFunc(l.all, func(m listener) bool { return m.isFull() })
}

// name is "nginx[80]", or what else is known of who listens.
func (m *listener) name() string {
	return cmp.Or(ownerNames(m.owners), "a socket")
}

// unvisited are the listeners that nobody talked to, TCP first, then by port, and how
// many there are beyond maxListeners.
func (l *listeners) unvisited() (lines []Listener, leftOut uint64) {
	var all []*listener
	for i := range l.all {
		if !l.all[i].visited {
			all = append(all, &l.all[i])
		}
	}
	slices.SortFunc(all, func(a, b *listener) int {
		return cmp.Or(
			cmp.Compare(a.protocol, b.protocol),
			cmp.Compare(a.addr.Port(), b.addr.Port()),
			a.addr.Addr().Compare(b.addr.Addr()),
		)
	})
	shown := all[:min(len(all), maxListeners)]
	for _, m := range shown {
		lines = append(lines, m.line())
	}
	return lines, uint64(len(all) - len(shown))
}

func (m *listener) line() Listener {
	name, basis := serviceOf("", m.protocol, true, m.addr.Port())
	if basis == "port" {
		name = "~" + name
	}
	return Listener{
		Protocol:     protocolName(m.protocol),
		Address:      m.addr,
		Service:      name,
		LoopbackOnly: m.addr.Addr().IsLoopback(),
		Owners:       m.owners,
		Unavailable:  m.unavailable,
	}
}

// Processes names who listens: "nginx[80]", "nginx ×4"; "(no permission)" is why nobody
// is known.
func (l *Listener) Processes() string {
	if len(l.Owners) == 0 && l.Unavailable != "" {
		return "(" + l.Unavailable + ")"
	}
	return ownerNames(l.Owners)
}

// scope is "loopback only" where no other host can talk to it.
func (l *Listener) scope() string {
	if l.LoopbackOnly {
		return "loopback only"
	}
	return ""
}

func ownerNames(owners []capture.Owner) string {
	var p Processes
	for _, o := range owners {
		p.List = append(p.List, ProcessUse{Owner: o})
	}
	return p.names()
}
