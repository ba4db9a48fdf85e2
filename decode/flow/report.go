package flow

import (
	"encoding/binary"
	"net/netip"
)

// FirstFrame is the number of the frame that connection n began with. It grows
// with n.
func (t *Table) FirstFrame(n int) uint64 { return t.meta(uint32(n)).firstFrame }

// Connection fills r with connection n, all but its ID. What r points to stays
// valid and belongs to the table.
func (t *Table) Connection(n int, r *Connection) {
	id := uint32(n)
	c, m := t.cells.at(id), t.meta(id)
	client, basis := t.role(id)
	sent := t.volumes(id)
	*r = Connection{
		FirstFrame: m.firstFrame,
		Protocol:   c.key.protocol(), HasPorts: hasPorts(c.key.protocol()), Role: basis,
		VLAN: m.vlan, HasVLAN: m.hasVLAN, Interface: m.iface,
		First: m.first, Last: c.last,
		SYNRTT: NoDuration, ACKRTT: NoDuration, Setup: NoDuration,
		ToServer: direction(&sent[client]), ToClient: direction(&sent[client^1]),
	}
	ends := t.endpoints(id)
	r.Client, r.Server = ends[client], ends[client^1]
	if m.tunnels != 0 {
		r.Tunnels = t.tunnels[m.tunnels-1]
	}
	if m.evidence != 0 {
		r.Evidence = t.proofs.evidence(t.proofs.at(m.evidence - 1))
		if client == 1 {
			r.Evidence.FromClient, r.Evidence.FromServer = r.Evidence.FromServer, r.Evidence.FromClient
		}
	}
	if m.icmp != 0 {
		e := &t.icmp[m.icmp-1]
		r.HasICMP, r.ICMPType, r.ICMPCode, r.ICMPFrom = true, e.typ, e.code, e.addr()
	}
	switch {
	case c.key.protocol() == protoTCP:
		t.tcpConnection(c, m, t.handshake(id), client, r)
	case c.key.protocol() == protoSCTP:
		t.sctpConnection(m, t.handshake(id), client, r)
	default:
		t.datagrams(c, m, client, r)
	}
}

// endpoints are the two ends of connection id, in its key's order.
func (t *Table) endpoints(id uint32) (ends [2]netip.AddrPort) {
	c := t.cells.at(id)
	var n network
	if wide := t.refs.at(id).wide; wide != 0 {
		n = *t.wide.at(wide - 1)
	} else {
		binary.BigEndian.PutUint32(n.a[:], c.key.address(0))
		binary.BigEndian.PutUint32(n.b[:], c.key.address(1))
	}
	version := c.key.version()
	ends[0] = netip.AddrPortFrom(n.a.Netip(version), c.key.port(0))
	ends[1] = netip.AddrPortFrom(n.b.Netip(version), c.key.port(1))
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
