package flow

import "net/netip"

// roleOf decides who is the client, and on what basis (spec, section 2): handshake,
// payload, who listens, registry, range, or who sent first. It is asked when the connection is
// reported, so the strongest fact counts whenever it came.
//
// h is nil for protocols without a handshake; ends are in the key's order.
func (t *Table) roleOf(c *cell, m *meta, h *handshake, ends *[2]netip.AddrPort) (client uint8, basis RoleBasis) {
	if side, known := c.client(); known {
		if c.has(sawSYN.of(side)) || c.key.protocol() == protoSCTP && h.chunks[side]&chunkInit != 0 {
			return side, RoleSYN
		}
		return side, RoleSYNACK
	}
	if isICMP(c.key.protocol()) {
		a, b := c.has(asked.of(0)), c.has(asked.of(1))
		switch {
		case a && b:
			return m.firstDir(), RoleFirst
		case a:
			return 0, RolePayload
		case b:
			return 1, RolePayload
		case c.has(told.of(m.firstDir())): // a reply or an error goes to whom had sent something
			return m.firstDir() ^ 1, RolePayload
		}
	}
	if m.evidence != 0 {
		switch by := t.proofs.at(m.evidence - 1).bySides; {
		case by&1 != 0:
			return 0, RolePayload
		case by&2 != 0:
			return 1, RolePayload
		}
	}
	if hasPorts(c.key.protocol()) {
		if isToGroup(m, ends) {
			return m.firstDir(), RoleFirst // a group of hosts sends nothing
		}
		if server, ok := t.listener(c, ends); ok {
			return server ^ 1, RoleListener
		}
		if server, ok := t.registered(c); ok {
			return server ^ 1, RoleRegistry
		}
		if client, ok := above(c, firstDynamic); ok {
			return client, RoleRange
		}
		if client, ok := above(c, firstLent); ok && c.key.protocol() == protoTCP { // in the middle of it anybody sends first
			return client, RoleRange
		}
	}
	return m.firstDir(), RoleFirst
}

// isToGroup reports whether the first packet went to a multicast address or to the
// broadcast address of the local network.
func isToGroup(m *meta, ends *[2]netip.AddrPort) bool {
	to := ends[m.firstDir()^1].Addr()
	return to.IsMulticast() || to == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// listener is the side that alone is known to wait for others.
func (t *Table) listener(c *cell, ends *[2]netip.AddrPort) (server uint8, ok bool) {
	if t.cfg.Listens == nil || c.key.protocol() != protoTCP {
		return 0, false
	}
	switch t.cfg.Listens(ends[0], ends[1], c.latest) {
	case [2]bool{true, false}:
		return 0, true
	case [2]bool{false, true}:
		return 1, true
	}
	return 0, false
}

// firstDynamic is where the range of dynamic ports begins, firstRegistered that of
// registered ones (RFC 6335 §6). Linux lends clients ports from firstLent on
// (net.ipv4.ip_local_port_range), where names are registered, too.
const (
	firstRegistered = 1024
	firstLent       = 32768
	firstDynamic    = 49152
)

// above is the side whose port alone is not below lowest.
func above(c *cell, lowest uint16) (side uint8, ok bool) {
	a, b := c.key.port(0) >= lowest, c.key.port(1) >= lowest
	if a {
		return 0, !b
	}
	return 1, b
}

// registered is the side whose port alone is in the registry of services or, when
// both or neither are, alone below 1024.
func (t *Table) registered(c *cell) (server uint8, ok bool) {
	if t.cfg.Registered != nil {
		a, b := t.cfg.Registered(c.key.protocol(), c.key.port(0)), t.cfg.Registered(c.key.protocol(), c.key.port(1))
		switch {
		case a && !b:
			return 0, true
		case b && !a:
			return 1, true
		}
	}
	a, b := c.key.port(0) < firstRegistered, c.key.port(1) < firstRegistered
	switch {
	case a && !b:
		return 0, true
	case b && !a:
		return 1, true
	}
	return 0, false
}
