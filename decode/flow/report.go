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
		Protocol: c.key.proto, HasPorts: hasPorts(c.key.proto), Role: basis,
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
		r.Evidence = t.evidence[m.evidence-1]
		if client == 1 {
			r.Evidence.FromClient, r.Evidence.FromServer = r.Evidence.FromServer, r.Evidence.FromClient
		}
	}
	if m.icmp != 0 {
		e := &t.icmp[m.icmp-1]
		r.HasICMP, r.ICMPType, r.ICMPCode, r.ICMPFrom = true, e.typ, e.code, e.addr()
	}
	switch {
	case c.tcp != 0:
		t.tcpConnection(c, t.handshakes.at(c.tcp-1), client, r)
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
	pair := &t.wide[m.wide-1]
	ends[0] = netip.AddrPortFrom(netip.AddrFrom16(pair.a), c.key.pa)
	ends[1] = netip.AddrPortFrom(netip.AddrFrom16(pair.b), c.key.pb)
	return ends
}

// direction is v in a Connection's words.
func direction(v *volume) Direction {
	return Direction{Packets: v.packets, Bytes: v.bytes, IPBytes: v.ip, Payload: v.payload}
}

// tcpConnection fills in what only TCP has.
func (t *Table) tcpConnection(c *cell, h *handshake, client uint8, r *Connection) {
	server := client ^ 1
	r.Outcome = outcome(c, h)
	r.Close = closing(c, r.Outcome)
	if h.finFirst != 0 {
		r.ClosedBy = ServerSide
		if h.finFirst-1 == client {
			r.ClosedBy = ClientSide
		}
	}
	r.History = t.history(h, client)
	r.ConnState = connState(h.zeek[client], h.zeek[server], r.History, r.ToServer.Payload+r.ToClient.Payload > 0)
	r.Completeness = h.complete
	r.SYNFrame, r.SYNACKFrame, r.ACKFrame = h.synFrame, h.synackFrame, h.ackFrame
	if r.Outcome != Complete || r.Close == Reset || r.Close == ResetAfterFin {
		r.VerdictFrame = h.verdictFrame
	}
	r.SYNCount, r.SYNACKCount = h.synCount, h.synackCount
	r.SYNWaits = t.waited(h)
	r.Flags = FlagSet(h.flags)
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

// tcpDirection fills in what only a side of TCP has.
func (t *Table) tcpDirection(c *cell, h *handshake, side uint8, d *Direction) {
	if h.rare != 0 {
		x := t.rares.at(h.rare - 1)
		d.ZeroWindows, d.KeepAlives = uint64(x.zeroWindows[side]), uint64(x.keepAlives[side])
	}
	d.SYNs, d.SYNACKs = uint32(h.syns[side]), uint32(h.synacks[side])
	d.FINs, d.RSTs = uint32(h.fins[side]), uint32(h.rsts[side])
	d.Options = h.offered[side].options(h.isn[side])
}

// datagrams fills in what connectionless traffic has.
func (t *Table) datagrams(c *cell, m *meta, client uint8, r *Connection) {
	r.ConnState, r.History = datagramState(c.sent, client, m.firstDir == client)
	r.Outcome = t.answered(m, r)
}

// answered is the outcome of traffic without a handshake.
func (t *Table) answered(m *meta, r *Connection) Outcome {
	if r.ToServer.Packets > 0 && r.ToClient.Packets > 0 {
		return Answered
	}
	if m.icmp != 0 {
		r.VerdictFrame = t.icmp[m.icmp-1].frame
		return Unreachable
	}
	return Unanswered
}

// SCTP chunk types (RFC 9260 §3.2), as bits.
const (
	chunkInit       = 1 << 1
	chunkInitAck    = 1 << 2
	chunkAbort      = 1 << 6
	chunkShutdown   = 1 << 7
	chunkCookieEcho = 1 << 10
	chunkCookieAck  = 1 << 11
	chunkComplete   = 1 << 14
)

// sctpConnection maps an association's chunks onto the words for TCP.
func (t *Table) sctpConnection(c *cell, m *meta, client uint8, r *Connection) {
	r.ConnState, r.History = datagramState(c.sent, client, m.firstDir == client)
	from, to := m.chunks[client], m.chunks[client^1]
	both := from | to
	switch {
	case both&(chunkInit|chunkInitAck|chunkCookieEcho|chunkCookieAck) == 0:
		r.Outcome = Midstream
		if both&^chunkAbort == 0 {
			r.Outcome = ReplyOnly
		}
	case both&chunkCookieAck != 0:
		r.Outcome = Complete
		if both&chunkInit == 0 {
			r.Outcome = Midstream
		}
	case to&chunkAbort != 0 && to&chunkInitAck == 0:
		r.Outcome = Refused
	case both&chunkAbort != 0 && to&chunkInitAck != 0:
		r.Outcome = Aborted
	case to&chunkInitAck != 0:
		r.Outcome = HalfOpen
		if from&chunkInit == 0 {
			r.Outcome = ReplyOnly
		}
	default:
		r.Outcome = Unanswered
		if m.icmp != 0 {
			r.Outcome, r.VerdictFrame = Unreachable, t.icmp[m.icmp-1].frame
		}
	}
	switch {
	case r.Outcome != Complete && r.Outcome != Midstream:
		r.Close = Never
	case both&chunkComplete != 0:
		r.Close = Fin
	case both&chunkAbort != 0:
		r.Close = Reset
	case both&chunkShutdown != 0:
		r.Close = HalfClose
	default:
		r.Close = Open
	}
}
