package report

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A Host is what this host's kernel said of its own sockets when a live capture had
// ended, held against the connections on the wire.
type Host struct {
	EphemeralLow, EphemeralHigh uint16 // of local ports that the kernel chooses; 0, 0 when not known

	AllInterfaces bool // the capture was of all of them

	Clients   uint64 // connections whose client is this host
	Ephemeral uint64 // of them, those whose client port lies in that range

	Listening uint64     // listening TCP sockets and bound UDP sockets without a peer, by address and port
	Unvisited []Listener // of them, those that nobody talked to, at most 1,000; empty when the capture was filtered
	LeftOut   uint64     // more of these

	// Since the capture began, of the whole network namespace.
	ListenOverflows uint64 // connections dropped because nobody accepted those before
	ListenDrops     uint64 // dropped by listeners for any reason, overflows included

	Incomplete []string // what the kernel did not tell and why, unescaped
}

// UnvisitedCount is "4 of 7 sockets", with what limits that.
func (h *Host) UnvisitedCount() string {
	text := humanCount(uint64(len(h.Unvisited))+h.LeftOut) + " of " + plural(h.Listening, "socket")
	if !h.AllInterfaces {
		text += ", as far as the captured interfaces show"
	}
	return text
}

// ClientPorts is "Of 12 connections from this host 11 have a client port in its own range,
// 32768–60999. ", or "" when that is not known.
func (h *Host) ClientPorts() string {
	if h == nil || h.EphemeralHigh == 0 || h.Clients == 0 {
		return ""
	}
	return fmt.Sprintf("Of %s from this host %s a client port in its own ephemeral range, %d–%d. ",
		plural(h.Clients, "connection"), has(h.Ephemeral), h.EphemeralLow, h.EphemeralHigh)
}

// has is "1 has", "2 have".
func has(n uint64) string {
	if n == 1 {
		return "1 has"
	}
	return humanCount(n) + " have"
}

// A kernel holds what the kernel says of this host's sockets against the connections
// added. What it says comes behind many of these, so they are remembered: the endpoints of
// this host, and the TCP connections added last. Its memory is bounded.
type kernel struct {
	filtered   bool
	everywhere bool // all interfaces were captured

	local     map[netip.Addr]bool
	low, high uint16 // its ephemeral range

	visits map[listenKey]bool // endpoints of this host that somebody talked to, or that talked
	recent []met              // TCP connections, before it is known which of them the kernel has; the oldest is next when it is full
	next   int
	forgot bool // not all visits or connections are remembered

	host      *capture.Host     // nil as long as it was not asked
	sockets   map[socketKey]int // of host.Sockets: TCP with a peer
	met       []meeting         // by socket
	listeners listeners

	clients, ephemeral uint64

	mostVisits, mostRecent int
}

// How much a kernel remembers, unless memory is short.
const (
	maxVisits = 1 << 17
	maxRecent = 1 << 16
)

// A socketKey is a TCP connection as its own host sees it.
type socketKey struct{ local, remote netip.AddrPort }

// A met is what the wire showed of what may be a socket.
type met struct {
	socketKey
	meeting
}

// newKernel makes a kernel; nil when there is no host to ask.
func newKernel(cfg *Config) *kernel {
	if cfg.Local == nil {
		return nil
	}
	k := &kernel{
		filtered:   cfg.Filtered,
		everywhere: cfg.AllInterfaces,
		local:      make(map[netip.Addr]bool),
		visits:     make(map[listenKey]bool),
		mostVisits: maxVisits, mostRecent: maxRecent,
	}
	k.learn(cfg.Local)
	return k
}

// learn notes which addresses are this host's.
func (k *kernel) learn(host *capture.Host) {
	k.low, k.high = host.EphemeralLow, host.EphemeralHigh
	for _, a := range host.Addresses {
		k.local[a.Unmap().WithZone("")] = true
	}
	for i := range host.Sockets {
		if a := onWire(host.Sockets[i].Local).Addr(); a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() {
			k.local[a] = true
		}
	}
}

// ask enters what the kernel says.
func (k *kernel) ask(host *capture.Host) {
	k.learn(host)
	k.host = host
	k.sockets = make(map[socketKey]int)
	k.met = make([]meeting, len(host.Sockets))
	k.listeners = listeners{}
	for i := range host.Sockets {
		s := &host.Sockets[i]
		local := onWire(s.Local)
		switch {
		case !local.IsValid():
		case s.Listens():
			k.listeners.add(s, local)
		case s.Protocol == protoTCP && s.Remote.IsValid():
			k.sockets[socketKey{local, onWire(s.Remote)}] = i
		}
	}
	for i := range host.Sockets {
		if s := &host.Sockets[i]; s.State == "SYN-RECEIVED" {
			if m := k.listeners.at(s.Protocol, onWire(s.Local)); m != nil {
				m.answers = true
			}
		}
	}
	for i := range k.recent {
		m := &k.recent[(k.next+i)%len(k.recent)]
		k.judge(m.socketKey, &m.meeting)
	}
	k.recent, k.next = nil, 0
}

// onWire is an endpoint of a socket as packets have it: a socket of IPv6 that speaks IPv4
// has mapped addresses (RFC 4291 §2.5.5.2), and a zone is only the host's.
func onWire(e netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(e.Addr().Unmap().WithZone(""), e.Port())
}

// isLocal reports whether a is an address of this host.
func (k *kernel) isLocal(a netip.Addr) bool { return a.IsLoopback() || k.local[a] }

// isEnd reports whether a is this host's end of a connection with b. What comes from
// outside may have a forged address, a loopback one too.
func (k *kernel) isEnd(a, b netip.Addr) bool {
	return k.isLocal(a) && (b.IsLoopback() || !a.IsLoopback())
}

// add looks at a connection, whose owners are those that the capture knows.
func (k *kernel) add(c *flow.Connection, g *serviceGroup, owners *[2]capture.Owner) {
	if !c.HasPorts {
		return
	}
	client, server := onWire(c.Client), onWire(c.Server)
	ownClient, ownServer := k.isEnd(client.Addr(), server.Addr()), k.isEnd(server.Addr(), client.Addr())
	if ownClient {
		k.clients++
		if k.low <= client.Port() && client.Port() <= k.high {
			k.ephemeral++
		}
		k.visit(listenKey{c.Protocol, client})
	}
	if ownServer || isGroup(server.Addr()) {
		k.visit(listenKey{c.Protocol, server})
	}
	if c.Protocol != protoTCP {
		return
	}
	if ownClient {
		k.meet(socketKey{client, server}, c, g, flow.ClientSide, owners)
	}
	if ownServer {
		k.meet(socketKey{server, client}, c, g, flow.ServerSide, owners)
	}
}

// visit notes that somebody talked to an endpoint of this host, or that it talked.
func (k *kernel) visit(key listenKey) {
	if len(k.visits) == k.mostVisits && !k.visits[key] {
		k.forgot = true
		return
	}
	k.visits[key] = true
}

// meet notes a TCP connection of which this host is one side. Before the kernel is asked
// it is only written down: a table of them took more time than all the rest of a report.
func (k *kernel) meet(key socketKey, c *flow.Connection, g *serviceGroup, side flow.Side, owners *[2]capture.Owner) {
	m := newMeeting(c, g, side, owners)
	switch {
	case k.host != nil:
		k.judge(key, &m)
	case len(k.recent) < k.mostRecent:
		k.recent = append(k.recent, met{key, m})
	default:
		k.recent[k.next] = met{key, m}
		k.next = (k.next + 1) % k.mostRecent
		k.forgot = true
	}
}

// judge holds a connection against the socket that the kernel has, when it has one: the
// latest of its addresses, which need not end last.
func (k *kernel) judge(key socketKey, m *meeting) {
	if i, ok := k.sockets[key]; ok && (k.met[i].side == flow.Neither || k.met[i].first <= m.first) {
		k.met[i] = *m
	}
}

// clone is a kernel that shares nothing with k that either changes.
func (k *kernel) clone(groups cloned) *kernel {
	if k == nil {
		return nil
	}
	c := *k
	c.local, c.visits = maps.Clone(k.local), maps.Clone(k.visits)
	c.recent, c.met = slices.Clone(k.recent), slices.Clone(k.met)
	for i := range c.recent {
		c.recent[i].group = groups.of(c.recent[i].group)
	}
	for i := range c.met {
		c.met[i].group = groups.of(c.met[i].group)
	}
	return &c
}

// holdsAll reports whether what is not remembered was not sent.
func (k *kernel) holdsAll() bool { return k.everywhere && !k.filtered && !k.forgot }

// asked is k, or nil when the kernel was not asked.
func (k *kernel) asked() *kernel {
	if k == nil || k.host == nil {
		return nil
	}
	return k
}

// summary is what the Summary tells of the host; nil when there is none.
func (k *kernel) summary() *Host {
	if k == nil {
		return nil
	}
	h := &Host{
		EphemeralLow:    k.low,
		EphemeralHigh:   k.high,
		AllInterfaces:   k.everywhere,
		Clients:         k.clients,
		Ephemeral:       k.ephemeral,
		Listening:       uint64(len(k.listeners.all)),
		ListenOverflows: k.host.ListenOverflows,
		ListenDrops:     k.host.ListenDrops,
		Incomplete:      k.host.Incomplete,
	}
	if !k.filtered && len(k.visits) < k.mostVisits {
		for v := range k.visits {
			k.listeners.visit(v.protocol, v.addr)
		}
		h.Unvisited, h.LeftOut = k.listeners.unvisited()
	}
	return h
}
