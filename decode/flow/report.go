package flow

import (
	"net/netip"
)

// connection fills r with connection n, all but its ID. What r points to stays
// valid and belongs to the table.
func (t *Table) connection(n uint32, r *Connection) { t.fill(n, r, t.histories) }

// fill is connection with the histories of who asks.
//
// The fields are set one by one, in place: r is long, and a copy of what was just
// written in small pieces would wait for them.
func (t *Table) fill(n uint32, r *Connection, known *Histories) {
	*r = Connection{}
	if k := t.knockAt(n); k != nil {
		t.unopened(n, k, r)
		return
	}
	c, m := t.cells.at(n), t.meta(n)
	var h *handshake // of TCP and SCTP
	if c.key.hasStream() {
		h = t.handshake(n)
	}
	var ends [2]netip.AddrPort
	t.endpoints(n, &ends)
	client, basis := t.roleOf(c, m, h, &ends)
	r.Client, r.Server = ends[client], ends[client^1]
	r.FirstFrame = m.firstFrame
	if t.parts != nil {
		r.PartOf = t.parts[n]
	}
	r.Protocol, r.HasPorts, r.Role = c.key.protocol(), hasPorts(c.key.protocol()), basis
	r.VLAN, r.HasVLAN = m.vlan()
	r.Interface = t.interfaceOf(m)
	r.First, r.Last = t.times(m)
	r.Last = max(r.Last, c.latest)
	r.SYNRTT, r.ACKRTT, r.Setup = NoDuration, NoDuration, NoDuration
	if t.owners != nil {
		o := t.owners[n]
		r.Owners = [2]uint32{o[client], o[client^1]}
	}
	sent := t.volumes(n)
	r.ToServer.setVolume(&sent[client])
	r.ToClient.setVolume(&sent[client^1])
	if m.tunnels != 0 {
		r.Tunnels = t.chains.at(m.tunnels)
	}
	if m.evidence != 0 {
		r.Evidence = t.proofs.evidence(t.proofs.at(m.evidence - 1))
		if client == 1 {
			r.Evidence.FromClient, r.Evidence.FromServer = r.Evidence.FromServer, r.Evidence.FromClient
		}
	}
	if e := t.icmpOf(m); e != nil {
		r.HasICMP, r.ICMPType, r.ICMPCode, r.ICMPFrom = true, e.typ, e.code, e.addr()
	}
	switch c.key.protocol() {
	case protoTCP:
		t.tcpConnection(n, c, m, h, client, r, known)
	case protoSCTP:
		t.sctpConnection(m, h, client, r)
	default:
		t.datagrams(c, m, client, r)
	}
}

// endpoints sets ends to the two ends of connection n, in its key's order.
func (t *Table) endpoints(n uint32, ends *[2]netip.AddrPort) {
	k := t.cells.at(n).key
	if k.wide() {
		w := t.networks.at(n)
		ends[0] = netip.AddrPortFrom(w.a.Netip(k.version()), k.port(0))
		ends[1] = netip.AddrPortFrom(w.b.Netip(k.version()), k.port(1))
		return
	}
	ends[0] = netip.AddrPortFrom(addr4(k.address(0)), k.port(0))
	ends[1] = netip.AddrPortFrom(addr4(k.address(1)), k.port(1))
}

// addr4 is the IPv4 address with that number.
func addr4(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// setVolume is what a side sent, in a Connection's words.
func (d *Direction) setVolume(v *volume) {
	d.Packets, d.Bytes, d.IPBytes, d.Payload = v.packets, v.bytes, v.ip, v.payload
}

// tcpConnection fills in what only TCP has.
func (t *Table) tcpConnection(n uint32, c *cell, m *meta, h *handshake, client uint8, r *Connection, known *Histories) {
	server := client ^ 1
	r.Outcome = outcome(c, h)
	r.Close = closing(c, h, r.Outcome)
	r.History = t.history(h, client, known)
	if m.firstDir() != client && r.Role == RoleSYNACK {
		r.History = "^" + r.History // Zeek turns around what begins with a SYN-ACK
	}
	r.ConnState = connState(h.zeek.of(client), h.zeek.of(server), r.History, r.ToServer.Payload+r.ToClient.Payload > 0)
	r.Completeness = h.complete
	if r.ToServer.Packets+r.ToClient.Packets == 1 && !c.has(sawSYN.both()) {
		r.Completeness = 0 // Wireshark shows none of a single segment that is no SYN
	}
	t.evidenceOf(h, client, r)
	r.Flags = FlagSet(h.flags)
	r.markOneWay()
	t.tcpDirection(c, h, client, &r.ToServer)
	t.tcpDirection(c, h, server, &r.ToClient)
	r.ClientState, r.ServerState = h.state[client], h.state[server]
	if x := t.roundTripsOf(n); x != nil {
		r.ToServer.RoundTrips, r.ToClient.RoundTrips = t.summary(x, client), t.summary(x, server)
	}
}

// markOneWay notes that only one direction is in the capture, although both were there.
func (r *Connection) markOneWay() {
	switch r.Outcome {
	case Midstream, Implied, ReplyOnly:
		if r.ToServer.Packets == 0 || r.ToClient.Packets == 0 {
			r.Flags |= OneWay
		}
	}
}

// evidenceOf fills in which frames decided, and the times between them.
func (t *Table) evidenceOf(h *handshake, client uint8, r *Connection) {
	switch {
	case h.has(endsIt.of(client)):
		r.ClosedBy = ClientSide
	case h.has(endsIt.of(client ^ 1)):
		r.ClosedBy = ServerSide
	}
	w := t.course(h)
	r.SYNFrame, r.SYNACKFrame, r.ACKFrame = w.synFrame, w.synackFrame, w.ackFrame
	if r.Outcome != Complete || r.Close == Reset || r.Close == ResetAfterFin {
		r.VerdictFrame = w.verdictFrame
	}
	r.SYNCount, r.SYNACKCount = w.synCount, w.synackCount
	r.SYNWaits = t.waited(h)
	if w.synCount > 0 {
		if d, ok := w.synackTime.Sub(w.synBefore); ok && d >= 0 {
			r.SYNRTT = d
		}
		if d, ok := w.ackTime.Sub(w.firstSYN); ok && d >= 0 && r.Outcome == Complete {
			r.Setup = d
		}
	}
	if d, ok := w.ackTime.Sub(w.lastSYNACK); ok && d >= 0 {
		r.ACKRTT = d
	}
	r.Ambiguous = h.has(ambiguous) && (r.SYNRTT != NoDuration || r.ACKRTT != NoDuration)
}

// tcpDirection fills in what only a side of TCP has.
func (t *Table) tcpDirection(c *cell, h *handshake, side uint8, d *Direction) {
	if h.quality != 0 {
		q := t.amiss(h, side)
		d.ZeroWindowFrame = q.zeroFrame
		d.ZeroWindows, d.KeepAlives = uint64(q.zeroWindows), uint64(q.keepAlives)
		d.RetransmissionFrame = q.resentFrame
		d.Retransmissions, d.OutOfOrder = uint64(q.retransmissions), uint64(q.outOfOrder)
		d.DupACKs, d.Missing = uint64(q.dupACKs), q.missing
	}
	t.segments(h, side, d)
	h.offered[side].fill(&d.Options, h.isn[side])
}
