package flow

import (
	"encoding/binary"
	"net/netip"
)

// FirstFrame is the number of the frame that connection n began with. It grows
// with n.
func (t *Table) FirstFrame(n int) uint64 { return t.metas.at(uint32(n)).firstFrame }

// Connection fills r with connection n, all but its ID. What r points to stays
// valid and belongs to the table.
func (t *Table) Connection(n int, r *Connection) {
	c, m := t.cells.at(uint32(n)), t.metas.at(uint32(n))
	client, basis := t.role(c, m)
	*r = Connection{
		FirstFrame: m.firstFrame,
		Protocol:   c.key.proto, HasPorts: hasPorts(c.key.proto), Role: basis,
		VLAN: m.vlan, HasVLAN: m.hasVLAN, Interface: m.iface,
		First: c.first, Last: c.last,
		SYNRTT: NoDuration, ACKRTT: NoDuration, Setup: NoDuration,
		ToServer: direction(&c.sent[client]), ToClient: direction(&c.sent[client^1]),
	}
	ends := t.endpoints(c, m)
	r.Client, r.Server = ends[client], ends[client^1]
	if m.tunnels != 0 {
		r.Tunnels = t.tunnels[m.tunnels-1]
	}
	if m.evidence != 0 {
		r.Evidence = *t.evidence.at(m.evidence - 1)
		if client == 1 {
			r.Evidence.FromClient, r.Evidence.FromServer = r.Evidence.FromServer, r.Evidence.FromClient
		}
	}
	if m.icmp != 0 {
		e := &t.icmp[m.icmp-1]
		r.HasICMP, r.ICMPType, r.ICMPCode, r.ICMPFrom = true, e.typ, e.code, e.addr()
	}
	switch {
	case c.key.proto == protoTCP:
		t.tcpConnection(c, m, t.handshake(c), client, r)
	case c.key.proto == protoSCTP:
		t.sctpConnection(c, m, client, r)
	default:
		t.datagrams(c, m, client, r)
	}
}

// endpoints are the key's two ends.
func (t *Table) endpoints(c *cell, m *meta) (ends [2]netip.AddrPort) {
	if c.key.version == 4 {
		var a, b [4]byte
		binary.BigEndian.PutUint32(a[:], c.key.a)
		binary.BigEndian.PutUint32(b[:], c.key.b)
		ends[0] = netip.AddrPortFrom(netip.AddrFrom4(a), c.key.pa)
		ends[1] = netip.AddrPortFrom(netip.AddrFrom4(b), c.key.pb)
		return ends
	}
	pair := t.wide.at(m.wide - 1)
	ends[0] = netip.AddrPortFrom(netip.AddrFrom16(pair.a), c.key.pa)
	ends[1] = netip.AddrPortFrom(netip.AddrFrom16(pair.b), c.key.pb)
	return ends
}

// direction is v in a Connection's words.
func direction(v *volume) Direction {
	return Direction{Packets: v.packets, Bytes: v.bytes, IPBytes: v.ip, Payload: v.payload}
}

// tcpConnection fills in what only TCP has.
func (t *Table) tcpConnection(c *cell, m *meta, h *handshake, client uint8, r *Connection) {
	server := client ^ 1
	r.Outcome = outcome(c, h)
	r.Close = closing(c, h, r.Outcome)
	r.History = t.history(h, client)
	if m.firstDir != client && r.Role == RoleSYNACK {
		r.History = "^" + r.History // Zeek turns around what begins with a SYN-ACK
	}
	r.ConnState = connState(h.zeek[client], h.zeek[server], r.History, r.ToServer.Payload+r.ToClient.Payload > 0)
	r.Completeness = h.complete
	t.evidenceOf(h, client, r)
	r.Flags = FlagSet(h.flags)
	switch r.Outcome {
	case Midstream, Implied, ReplyOnly:
		if r.ToServer.Packets == 0 || r.ToClient.Packets == 0 {
			r.Flags |= OneWay
		}
	}
	t.tcpDirection(c, h, client, &r.ToServer)
	t.tcpDirection(c, h, server, &r.ToClient)
	r.ClientState, r.ServerState = h.state[client], h.state[server]
}

// evidenceOf fills in which frames decided, and the times between them.
func (t *Table) evidenceOf(h *handshake, client uint8, r *Connection) {
	if h.finFirst != 0 {
		r.ClosedBy = ServerSide
		if h.finFirst-1 == client {
			r.ClosedBy = ClientSide
		}
	}
	r.SYNFrame, r.SYNACKFrame, r.ACKFrame = h.synFrame, h.synackFrame, h.ackFrame
	if r.Outcome != Complete || r.Close == Reset || r.Close == ResetAfterFin {
		r.VerdictFrame = h.verdictFrame
	}
	r.SYNCount, r.SYNACKCount = h.synCount, h.synackCount
	r.SYNWaits = t.waited(h)
	if h.synCount > 0 {
		if d, ok := h.synackTime.Sub(h.synBefore); ok && d >= 0 {
			r.SYNRTT = d
		}
		if d, ok := h.ackTime.Sub(h.firstSYN); ok && d >= 0 && r.Outcome == Complete {
			r.Setup = d
		}
	}
	if d, ok := h.ackTime.Sub(h.lastSYNACK); ok && d >= 0 {
		r.ACKRTT = d
	}
	r.Ambiguous = h.ambiguous && (r.SYNRTT != NoDuration || r.ACKRTT != NoDuration)
}

// tcpDirection fills in what only a side of TCP has.
func (t *Table) tcpDirection(c *cell, h *handshake, side uint8, d *Direction) {
	if h.rare != 0 {
		x := t.rares.at(h.rare - 1)
		d.ZeroWindowFrame = x.zeroFrames[side]
		d.ZeroWindows, d.KeepAlives = uint64(x.zeroWindows[side]), uint64(x.keepAlives[side])
	}
	d.SYNs, d.SYNACKs = uint32(h.syns[side]), uint32(h.synacks[side])
	d.FINs, d.RSTs = uint32(h.fins[side]), uint32(h.rsts[side])
	d.Options = h.offered[side].options(h.isn[side])
}
