package flow

import "time"

// inTurn takes a packet of connectionless traffic that goes on, and reports whether that is
// all there is to do: no silence came before it, and it is not the first of its side with
// payload. ICMP has more to tell.
func (c *cell) inTurn(r *record, idle time.Duration) bool {
	d := r.side()
	if r.payload != 0 && !c.has(sawData.of(d)) || isICMP(c.key.protocol()) {
		return false
	}
	silence, ok := r.time.Sub(c.latest)
	if !ok || silence < 0 || silence > idle && idle > 0 {
		return false
	}
	one, fits := countsOf(r)
	sum := c.sent[d] + one
	if !fits || sum&guards != 0 {
		return false
	}
	c.latest = r.time
	c.bits = c.bits&^lastSecond | facts(d)<<31
	c.sent[d] = sum
	return true
}

// datagrams fills in what connectionless traffic has.
func (t *Table) datagrams(c *cell, m *meta, client uint8, r *Connection) {
	r.ConnState, r.History = datagramState(r, m.firstDir() == client)
	r.Outcome = t.answered(m, r)
	if isICMP(c.key.protocol()) {
		r.IsICMP, r.Type, r.Code = true, uint8(c.next[0]), uint8(c.next[1])
	}
}

// answered is the outcome of traffic without a handshake. A reply whose request is
// not there belongs to another conversation, or to what the capture does not have.
func (t *Table) answered(m *meta, r *Connection) Outcome {
	switch {
	case r.ToServer.Packets > 0 && r.ToClient.Packets > 0:
		return Answered
	case r.ToServer.Packets == 0:
		return ReplyOnly
	}
	if e := t.icmpOf(m); e != nil {
		r.VerdictFrame = e.frame
		return Unreachable
	}
	return Unanswered
}

// asked and told are facts about ICMP conversations, which have none of TCP's: a
// side sent a query, or a reply or an error that only something before can
// have caused.
const (
	asked = sawSYN
	told  = sawSYNACK
)

// message notes what an ICMP message means for its conversation, and its type and
// code: of the first query, or of the first message while there is none. They take
// the place of sequence numbers, which ICMP has not.
func (c *cell) message(r *record) {
	what := purpose(r.key.version(), uint8(r.flags))
	if !c.has(knownSeq.of(0)) || what == query && !c.has(asked.both()) {
		c.next = [2]uint32{uint32(r.flags), uint32(r.window)}
		c.bits |= knownSeq.of(0)
	}
	switch what {
	case query:
		c.bits |= asked.of(r.dir)
	case response:
		c.bits |= told.of(r.dir)
	}
}

// isICMP reports whether a protocol is ICMP or ICMPv6.
func isICMP(protocol uint8) bool { return protocol == protoICMP || protocol == protoICMPv6 }

// What an ICMP message is for.
const (
	notice = iota // sent unasked
	query
	response // a reply, or an error about a packet
)

// purpose is what an ICMP type is for.
func purpose(version, typ uint8) int {
	if version == 4 { // RFC 792, RFC 950, RFC 1256
		switch typ {
		case 8, 10, 13, 15, 17:
			return query
		case 0, 3, 4, 5, 11, 12, 14, 16, 18:
			return response
		}
		return notice
	}
	switch { // RFC 4443, RFC 4861
	case typ < 128 || typ == 129 || typ == 137:
		return response
	case typ == 128 || typ == 133 || typ == 135 || typ == 139:
		return query
	}
	return notice
}
