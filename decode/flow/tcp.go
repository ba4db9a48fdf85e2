package flow

import (
	"sockscope/decode"
)

const (
	syn = decode.SYN
	ack = decode.ACK
	rst = decode.RST
	fin = decode.FIN
)

// asksForECN are the flags of a SYN that asks for ECN; of these a SYN-ACK that agrees has
// only ECE (RFC 3168 §6.1.1).
const asksForECN = decode.ECE | decode.CWR

// after reports whether sequence number a is later than b: by signed difference,
// modulo 2^32 (RFC 9293 §3.4).
func after(a, b uint32) bool { return int32(a-b) > 0 }

// side is the side that sent r. The mask tells the compiler that it is 0 or 1: that saves
// a check wherever it is an index.
func (r *record) side() uint8 { return r.dir & 1 }

// startsAnew reports whether a SYN without ACK and RST begins another connection of the
// same tuple: its ISN is not the running connection's (spec, section 3).
func (t *Table) startsAnew(n uint32, c *cell, r *record) bool {
	h := t.handshake(n)
	d := r.side()
	o := d ^ 1
	anew := true
	switch {
	case c.has(sawSYN.of(d)):
		anew = r.seq != h.isn[d]
	case c.has(sawSYN.of(o)):
		// Both ends open at once, unless the first attempt already had an answer.
		if !c.has(sawSYNACK.both() | sawRST.both()) {
			return false
		}
		anew = !(c.has(knownISN.of(d)) && r.seq == h.isn[d])
	case c.has(knownISN.of(d)) && h.has(guessed.of(d)):
		const overtaken = 1 << 16 // bytes that may have been captured before their SYN
		anew = h.isn[d]-r.seq > overtaken
	case c.has(knownISN.of(d)): // from what the other side acknowledged, data in the SYN included
		anew = r.seq != h.isn[d] && r.seq+r.payload != h.isn[d]
	default: // only the other side was captured so far
		anew = !c.has(knownAck.of(o)) || r.seq+1 != c.acked[o] && r.seq+1+r.payload != c.acked[o]
	}
	if anew && closing(c, h, outcome(c, h)) == Open {
		h.flags |= uint16(ReusedOpen)
	}
	return anew
}

// segment takes any segment.
func (t *Table) segment(b *Batch, r *record, n uint32, c *cell) {
	h := t.handshake(n)
	d := r.side()
	h.distance(r)
	if t.cfg.RoundTrips && c.bits&steady == 0 { // else record did it
		t.roundTrip(r, n, c)
	}
	if r.flags&(syn|rst) == 0 {
		t.noteSegment(r, c, h)
		t.assess(b, r, c, h)
		t.onSegment(b, r, c, h)
		c.window[d] = r.window
	} else {
		t.noteControl(r, c, h)
		t.assess(b, r, c, h)
		t.onControl(b, r, c, h)
	}
	if c.bits&steady == 0 || h.quality != 0 || r.flags&(syn|fin|rst) != 0 { // nothing else unsettles
		t.settle(c, h)
	}
}

// onControl takes a segment with SYN or RST.
func (t *Table) onControl(b *Batch, r *record, c *cell, h *handshake) {
	if r.flags&fin != 0 {
		t.increment(h, fins, r.side()) // odd, but sent
	}
	switch r.flags & (syn | ack | rst) {
	case syn:
		t.onSYN(b, r, c, h)
	case syn | ack:
		t.onSYNACK(b, r, c, h)
	default:
		t.onRST(b, r, c, h)
		return
	}
	c.window[r.side()] = r.window
}

// onSYN takes a SYN without ACK.
func (t *Table) onSYN(b *Batch, r *record, c *cell, h *handshake) {
	d := r.side()
	o := d ^ 1
	t.increment(h, syns, d)
	if c.has(sawSYN.of(d)) { // a retransmission: another ISN would have started anew
		if c.has(clientIs.of(d)) {
			t.sentAnew(h, r.time)
			h.flags |= uint16(SYNRetransmitted)
		}
		return
	}
	reordered := c.has(knownISN.of(d) | goesOn.of(o)) // something that comes after it was captured before it
	if reordered && c.has(sawSYNACK.of(o)) && r.payload > 0 && r.seq+r.payload == h.isn[d] {
		h.flags |= uint16(FastOpen)
	}
	c.bits |= sawSYN.of(d) | knownISN.of(d)
	h.isn[d] = r.seq
	h.marks &^= guessed.of(d)
	t.offer(b, r, h)
	c.advance(h, r)
	received := noEvent
	if c.has(sawSYN.of(o)) && !c.has(sawSYNACK.both()) {
		h.flags |= uint16(Simultaneous)
		received = recvSYN
	} else if !c.has(clientIs.both()) {
		c.bits |= clientIs.of(d)
	}
	h.step(d, sendSYN, received)
	if !c.has(clientIs.of(d)) {
		return
	}
	t.setSYN(h, b.number(r), r.time, r.payload)
	if r.flags&asksForECN == asksForECN {
		h.marks |= asksECN
	}
	if reordered {
		h.flags |= uint16(Reordered)
		h.marks &^= fits.of(o)
		if c.has(sawData.of(o)|sawFIN.of(o)) && c.has(knownAck.of(o)) && follows(r.seq, c.acked[o]) {
			h.marks |= fits.of(o)
		}
		if c.has(sawRST.of(o)) && !c.has(sawSYNACK.of(o)|goesOn.of(o)) {
			h.verdict = wasRefused // the RST that answers it was captured first
		}
	}
}

// onSYNACK takes a segment with SYN and ACK.
func (t *Table) onSYNACK(b *Batch, r *record, c *cell, h *handshake) {
	d := r.side()
	o := d ^ 1
	t.increment(h, synacks, d)
	client, known := c.client()
	if !known {
		c.bits |= clientIs.of(o)
		client = o
	}
	if d != client {
		t.countSYNACK(h)
	}
	if !t.acksSYN(r, c, h) {
		h.marks |= badSYNACK.of(d)
		h.flags |= uint16(SYNACKMismatch)
		t.odd(&h.meta).synackSeq[d] = r.seq
		if !t.hasVerdict(h) {
			t.setVerdict(h, b.number(r))
		}
		return
	}
	if c.has(sawSYNACK.of(d)) {
		if r.seq != h.isn[d] {
			h.flags |= uint16(SYNACKMismatch)
			x := t.odd(&h.meta)
			x.synackSeq[d] = r.seq
			if d != client && !t.hasACK(h) {
				x.other = otherSYNACK{r.seq, b.number(r), r.time}
			}
			return
		}
		h.flags |= uint16(SYNACKRetransmitted)
		if d != client && !t.hasACK(h) {
			t.unusual(h).lastSYNACK = r.time
		}
		return
	}
	if c.has(sawSYN.of(d)) && r.seq != h.isn[d] { // simultaneous open keeps its ISN
		h.flags |= uint16(SYNACKMismatch)
		return
	}
	if !c.has(knownISN.of(o)) {
		h.isn[o] = r.ack - 1
		c.bits |= knownISN.of(o)
	}
	c.bits |= sawSYNACK.of(d) | ackedSYN.of(d) | knownISN.of(d)
	h.isn[d] = r.seq
	h.recover(client)
	t.setVerdict(h, 0)
	t.offer(b, r, h)
	c.startAt(d, r.seq+1+r.payload, r.ack)
	if d != client {
		t.setSYNACK(h, b.number(r), r.time)
		h.marks &^= ambiguous
		if t.synCount(h) > 1 {
			h.marks |= ambiguous
		}
		h.answerOptions(r, o, t.synData(h))
		if t.wasEarly(r, h) {
			c.bits |= ackedSYN.of(o)
			h.flags |= uint16(Reordered)
		}
	} else if !t.hasACK(h) { // simultaneous open: the client's SYN-ACK is its ACK
		t.setACK(h, b.number(r), r.time)
		h.marks |= ambiguous // which SYN it answers is anyone's guess
	}
	h.answered(d, c)
}

// answered moves both ends by a side's first SYN-ACK. In a simultaneous open the other end
// has the side's SYN by then, which is under way before the SYN-ACK; and when that is the
// second of both, the side has the first one.
func (h *handshake) answered(side uint8, c *cell) {
	o := side ^ 1
	switch {
	case h.flags&uint16(Simultaneous) == 0:
		h.step(side, sendSYNACK, recvSYNACK)
	case h.state[o] == SYNSent:
		h.step(side, sendSYNACK, recvSYN)
	default:
		h.step(side, sendSYNACK, recvSYNACK)
		if c.has(sawSYNACK.of(o)) {
			h.step(o, noEvent, recvSYNACK)
		}
	}
}

// startAt sets a side's numbers by its accepted SYN-ACK. What was seen before it may
// be data that overtook it; or it belongs to an older connection, as a challenge ACK
// does, and its numbers are no measure for this one.
func (c *cell) startAt(side uint8, next, acked uint32) {
	const overtaken = 1 << 20
	if !c.has(knownSeq.of(side)) || c.next[side]-next > overtaken {
		c.next[side] = next
	}
	if !c.has(knownAck.of(side)) || c.acked[side]-acked > overtaken {
		c.acked[side] = acked
	}
	c.bits |= knownSeq.of(side) | knownAck.of(side)
}

// recover takes back what an RST or an ICMP error before the valid SYN-ACK seemed to
// mean: the attempt goes on.
func (h *handshake) recover(client uint8) {
	if h.state[client] == Closed {
		h.state[client] = SYNSent
	}
	if h.state[client^1] == Closed {
		h.state[client^1] = StateNone
	}
	h.verdict = noVerdict
	h.marks &^= endsIt.of(0) | endsIt.of(1)
}

// acksSYN reports whether a SYN-ACK acknowledges the other side's SYN, with or
// without the data in it. While the SYN is not in the capture any number will do.
func (t *Table) acksSYN(r *record, c *cell, h *handshake) bool {
	o := r.side() ^ 1
	if !c.has(knownISN.of(o)) {
		return true
	}
	var data uint32
	if c.has(clientIs.of(o)) {
		data = t.synData(h)
	}
	return r.ack-(h.isn[o]+1) <= data
}

// answerOptions notes what the server's SYN-ACK says to what the client's SYN, from
// side o and with so many bytes of data, asked for.
func (h *handshake) answerOptions(r *record, o uint8, synData uint32) {
	if synData > 0 {
		if r.ack != h.isn[o]+1 {
			h.flags |= uint16(FastOpen)
		} else {
			h.flags |= uint16(FastOpenIgnored)
		}
	}
	if h.has(asksECN) && r.flags&asksForECN == decode.ECE {
		h.flags |= uint16(ECN)
	}
}

// onSegment takes a segment without SYN and RST.
func (t *Table) onSegment(b *Batch, r *record, c *cell, h *handshake) {
	d := r.side()
	o := d ^ 1
	if !c.has(ackedSYN.of(d)) {
		t.onFirst(b, r, c, h)
	}
	if r.flags&ack != 0 {
		c.ackTo(r)
		if c.has(sawFIN.of(o)) && !c.has(ackedFIN.of(d)) && !after(h.finEnd[o], r.ack) {
			c.hasFIN(h, d)
		}
	}
	// A bare ACK that does not fit the SYN-ACK is no sign that things go on.
	if c.has(ackedSYN.of(d)) || r.payload > 0 || r.flags&fin != 0 || !c.has(sawSYNACK.of(o)) {
		c.bits |= goesOn.of(d)
	}
	if !c.has(sawSYNACK.both()) {
		h.step(d, sendSegment, recvSegment)
	}
	if !c.probes(r) { // else the byte will be sent again
		c.advance(h, r)
	}
	if r.flags&fin != 0 {
		t.increment(h, fins, d)
		if !c.has(sawFIN.of(d)) {
			c.onFIN(r, h)
		}
	}
}

// onFirst takes a segment of a side that has not acknowledged the other one's SYN.
func (t *Table) onFirst(b *Batch, r *record, c *cell, h *handshake) {
	d := r.side()
	o := d ^ 1
	if !c.has(knownISN.of(d)) {
		h.isn[d] = r.seq - 1
		h.marks |= guessed.of(d)
		c.bits |= knownISN.of(d)
	}
	if r.flags&ack == 0 {
		return
	}
	if x := t.oddOf(&h.meta); x != nil {
		t.choose(r, c, h, &x.other)
	}
	if !c.has(sawSYN.of(o) | sawSYNACK.of(o)) {
		if c.has(clientIs.of(d)) {
			t.noteEarly(b, r, h)
		}
		return
	}
	if r.ack-h.isn[o]-1 >= c.next[o]-h.isn[o] {
		if (r.payload > 0 || r.flags&fin != 0) && follows(h.isn[o], r.ack) {
			h.marks |= fits.of(d)
		}
		return
	}
	c.bits |= ackedSYN.of(d)
	if c.has(clientIs.of(d)) {
		t.setACK(h, b.number(r), r.time)
		// Not the first segment since the SYN-ACK: the ACK itself is not in the capture.
		late := c.has(goesOn.of(d))
		if late || h.flags&uint16(SYNACKRetransmitted) != 0 {
			h.marks |= ambiguous
		}
	}
	h.step(d, sendACK, recvACK)
}

// noteEarly keeps the client's first ACK, while there is no SYN-ACK: that may have been
// captured behind it.
func (t *Table) noteEarly(b *Batch, r *record, h *handshake) {
	if x := t.odd(&h.meta); x.early.frame == 0 {
		x.early = earlyACK{r.ack, b.number(r), r.time}
	}
}

// wasEarly reports whether the client's first ACK, captured before the SYN-ACK r, is of
// it, and makes it the ACK of the handshake.
func (t *Table) wasEarly(r *record, h *handshake) bool {
	x := t.oddOf(&h.meta)
	if x == nil || x.early.frame == 0 || x.early.ack != r.seq+1+r.payload {
		return false
	}
	t.setACK(h, x.early.frame, x.early.time)
	h.marks |= ambiguous
	return true
}

// choose lets the client's first ACK decide between two SYN-ACKs with different ISNs:
// the one it acknowledges is the one it took.
func (t *Table) choose(r *record, c *cell, h *handshake, other *otherSYNACK) {
	o := r.side() ^ 1
	if other.frame == 0 || r.ack != other.isn+1 || r.ack-h.isn[o]-1 < c.next[o]-h.isn[o] {
		return
	}
	w := t.unusual(h)
	w.synackFrame = other.frame
	w.synackTime, w.lastSYNACK = other.time, other.time
	h.isn[o] = other.isn
	c.next[o] = other.isn + 1
	*other = otherSYNACK{}
}

// onFIN takes a side's first FIN.
func (c *cell) onFIN(r *record, h *handshake) {
	d := r.side()
	o := d ^ 1
	c.bits |= sawFIN.of(d)
	h.finEnd[d] = r.seq + r.payload + 1
	h.ended(d)
	h.step(d, sendFIN, noEvent)
	if c.has(knownAck.of(o)) && !after(h.finEnd[d], c.acked[o]) { // captured before it
		c.hasFIN(h, o)
	}
}

// hasFIN notes that a side has acknowledged the other one's FIN. When both have, the
// connection is closed.
func (c *cell) hasFIN(h *handshake, side uint8) {
	c.bits |= ackedFIN.of(side)
	h.step(side, ackFIN, recvFINACK)
	if c.bits&ackedFIN.both() == ackedFIN.both() && !c.has(closed.both()) {
		c.bits |= closed.of(0)
	}
}

// advance moves the sender's next sequence number over r. SYN and FIN take one, too.
func (c *cell) advance(h *handshake, r *record) {
	d := r.side()
	end := r.seq + r.payload
	if r.flags&syn != 0 {
		end++
	}
	if r.flags&fin != 0 {
		end++
	}
	known := c.has(knownSeq.of(d))
	next := c.next[d]
	if known && !after(end, next) {
		return
	}
	c.bits |= knownSeq.of(d)
	if end < r.seq || known && end < next {
		h.flags |= uint16(Wrapped)
	}
	c.next[d] = end
}

// ackTo notes the sender's highest acknowledgment.
func (c *cell) ackTo(r *record) {
	d := r.side()
	if !c.has(knownAck.of(d)) || after(r.ack, c.acked[d]) {
		c.bits |= knownAck.of(d)
		c.acked[d] = r.ack
	}
}

// ended notes who sent the first FIN or RST.
func (h *handshake) ended(side uint8) {
	if !h.has(endsIt.of(0) | endsIt.of(1)) {
		h.marks |= endsIt.of(side)
	}
}
