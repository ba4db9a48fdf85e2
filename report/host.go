package report

import (
	"fmt"
	"net/netip"

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
// added. Its memory is that of the sockets, however many connections there are.
type kernel struct {
	host       *capture.Host
	filtered   bool
	everywhere bool // all interfaces were captured

	local     map[netip.Addr]bool
	sockets   map[socketKey]int // of host.Sockets: TCP with a peer
	met       []meeting         // by socket
	listeners listeners

	clients, ephemeral uint64
}

// A socketKey is a TCP connection as its own host sees it.
type socketKey struct{ local, remote netip.AddrPort }

// newKernel makes a kernel; nil when there is no host to ask.
func newKernel(cfg *Config) *kernel {
	if cfg.Host == nil {
		return nil
	}
	k := &kernel{
		host:       cfg.Host,
		filtered:   cfg.Filtered,
		everywhere: cfg.AllInterfaces,
		local:      make(map[netip.Addr]bool),
		sockets:    make(map[socketKey]int),
		met:        make([]meeting, len(cfg.Host.Sockets)),
	}
	for _, a := range cfg.Host.Addresses {
		k.local[a.Unmap().WithZone("")] = true
	}
	for i := range cfg.Host.Sockets {
		s := &cfg.Host.Sockets[i]
		local := onWire(s.Local)
		if a := local.Addr(); a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() {
			k.local[a] = true
		}
		switch {
		case !local.IsValid():
		case s.Listens():
			k.listeners.add(s, local)
		case s.Protocol == protoTCP && s.Remote.IsValid():
			k.sockets[socketKey{local, onWire(s.Remote)}] = i
		}
	}
	return k
}

// onWire is an endpoint of a socket as packets have it: a socket of IPv6 that speaks IPv4
// has mapped addresses (RFC 4291 §2.5.5.2), and a zone is only the host's.
func onWire(e netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(e.Addr().Unmap().WithZone(""), e.Port())
}

// isLocal reports whether a is an address of this host.
func (k *kernel) isLocal(a netip.Addr) bool { return a.IsLoopback() || k.local[a] }

// add looks at a connection, whose owners are those that the capture knows.
func (k *kernel) add(c *flow.Connection, g *serviceGroup, owners *[2]capture.Owner) {
	if !c.HasPorts {
		return
	}
	client, server := onWire(c.Client), onWire(c.Server)
	ownClient, ownServer := k.isLocal(client.Addr()), k.isLocal(server.Addr())
	if ownClient {
		k.clients++
		if low, high := k.host.EphemeralLow, k.host.EphemeralHigh; low <= client.Port() && client.Port() <= high {
			k.ephemeral++
		}
		k.listeners.visit(c.Protocol, client)
	}
	if ownServer || isGroup(server.Addr()) {
		k.listeners.visit(c.Protocol, server)
	}
	if c.Protocol != protoTCP {
		return
	}
	if i, ok := k.sockets[socketKey{client, server}]; ok {
		k.met[i].meet(c, g, flow.ClientSide, owners)
	}
	if i, ok := k.sockets[socketKey{server, client}]; ok {
		k.met[i].meet(c, g, flow.ServerSide, owners)
	}
}

// holdsAll reports whether what the capture lacks was not sent.
func (k *kernel) holdsAll() bool { return k.everywhere && !k.filtered }

// summary is what the Summary tells of the host; nil when there is none.
func (k *kernel) summary() *Host {
	if k == nil {
		return nil
	}
	h := &Host{
		EphemeralLow:    k.host.EphemeralLow,
		EphemeralHigh:   k.host.EphemeralHigh,
		AllInterfaces:   k.everywhere,
		Clients:         k.clients,
		Ephemeral:       k.ephemeral,
		Listening:       uint64(len(k.listeners.all)),
		ListenOverflows: k.host.ListenOverflows,
		ListenDrops:     k.host.ListenDrops,
		Incomplete:      k.host.Incomplete,
	}
	if !k.filtered {
		h.Unvisited, h.LeftOut = k.listeners.unvisited()
	}
	return h
}
