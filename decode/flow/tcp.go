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

// after reports whether sequence number a is later than b: by signed difference,
// modulo 2^32 (RFC 9293 §3.4).
func after(a, b uint32) bool { return int32(a-b) > 0 }

// inOrder takes the next in-order segment of a connection in its steady state and
// reports whether that is all there is to do. Anything else (a gap, a
// retransmission, a probe, a closed window, the first of its kind) is left to
// others and has changed nothing.
func (c *cell) inOrder(r *record) bool {
	d := r.dir & 1
	need := sawAck
	if r.payload > 0 {
		need = sawData
	}
	if c.bits&(need<<d) == 0 || !c.isNext(r) {
		return false
	}
	c.move(r)
	return true
}

// isNext reports whether r is the next in-order segment, with nothing special about it.
func (c *cell) isNext(r *record) bool {
	d := r.dir & 1
	return r.flags&(syn|fin|rst|ack) == ack && r.seq == c.next[d] && r.seq+r.payload >= r.seq &&
		r.window != 0 && c.window[d^1] != 0
}

// move moves the sender's numbers over the next in-order segment.
func (c *cell) move(r *record) {
	d := r.dir & 1
	acked := c.acked[d]
	if after(r.ack, acked) {
		acked = r.ack
	}
	c.next[d], c.acked[d], c.window[d] = r.seq+r.payload, acked, r.window
}

// firstInOrder takes the next in-order segment of a connection in its steady state that
// is its side's first with payload or first without: it adds to the histories, but
// changes nothing else. It reports whether r is one.
func (t *Table) firstInOrder(r *record, n uint32, c *cell) bool {
	d := r.dir
	if !c.isNext(r) || !c.has(ackedSYN.of(d)) || !c.has(sawSYNACK.both()) {
		return false
	}
	h := t.handshake(n)
	h.distance(r)
	t.note(r, c, h)
	c.bits |= goesOn.of(d)
	c.move(r)
	return true
}

// startsAnew reports whether a segment begins another connection of the same
// tuple: a bare SYN whose ISN is not the running connection's (spec, section 3).
func (t *Table) startsAnew(n uint32, c *cell, r *record) bool {
	if r.flags&(syn|ack|rst) != syn {
		return false
	}
	h := t.handshake(n)
	d := r.dir
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
	case c.has(knownISN.of(d)) && h.guessed[d]:
		const overtaken = 1 << 16 // bytes that may have been captured before their SYN
		anew = h.isn[d]-r.seq > overtaken
	case c.has(knownISN.of(d)): // from what the other side acknowledged, data in the SYN included
		anew = r.seq != h.isn[d] && r.seq+r.payload != h.isn[d]
	}
	if anew && closing(c, h, outcome(c, h)) == Open {
		h.flags |= uint16(ReusedOpen)
	}
	return anew
}

// segment takes any segment.
func (t *Table) segment(b *Batch, r *record, n uint32, c *cell) {
	h := t.handshake(n)
	d := r.dir
	h.distance(r)
	t.note(r, c, h)
	switch {
	case r.flags&rst != 0:
		t.onRST(b, r, c, h)
	case r.flags&(syn|ack) == syn:
		t.onSYN(b, r, c, h)
	case r.flags&syn != 0:
		t.onSYNACK(b, r, c, h)
	default:
		t.onSegment(b, r, c, h)
	}
	if r.flags&rst == 0 {
		c.window[d] = r.window
	}
	c.bits &^= steady
	if !c.has(sawFIN.both()|sawRST.both()) && c.has(knownSeq.of(0)) && c.has(knownSeq.of(1)) {
		switch outcome(c, h) {
		case Implied:
			if c.has(sawSYNACK.both()) { // an ACK that completes the handshake may yet come
				break
			}
			fallthrough
		case Complete, Midstream:
			c.bits |= steady
		}
	}
}

// onSYN takes a SYN without ACK.
func (t *Table) onSYN(b *Batch, r *record, c *cell, h *handshake) {
	d := r.dir
	o := d ^ 1
	increment(&h.syns[d])
	if c.has(sawSYN.of(d)) { // a retransmission: another ISN would have started anew
		if side, _ := c.client(); side == d {
			t.wait(h, r)
			h.synCount++
			h.flags |= uint16(SYNRetransmitted)
			h.lastSYN = r.time
		}
		return
	}
	reordered := c.has(knownISN.of(d)) // something that comes after it was captured before it
	if reordered && c.has(sawSYNACK.of(o)) && r.payload > 0 && r.seq+r.payload == h.isn[d] {
		h.flags |= uint16(FastOpen)
	}
	c.bits |= sawSYN.of(d) | knownISN.of(d)
	h.isn[d], h.guessed[d] = r.seq, false
	t.offer(b, r, h)
	c.advance(h, r)
	if c.has(sawSYN.of(o)) && !c.has(sawSYNACK.both()) {
		h.flags |= uint16(Simultaneous)
	} else if _, known := c.client(); !known {
		c.bits |= clientIs.of(d)
	}
	if side, _ := c.client(); side == d {
		h.synFrame, h.synCount = b.number(r), 1
		h.firstSYN, h.lastSYN = r.time, r.time
		h.synData, h.synFlags = r.payload, r.flags
	}
	h.step(d, sendSYN, recvSYN)
	if side, _ := c.client(); side == d && reordered {
		h.flags |= uint16(Reordered)
		if c.has(sawRST.of(o)) && !c.has(sawSYNACK.of(o)|goesOn.of(o)) {
			h.verdict = wasRefused // the RST that answers it was captured first
		}
	}
}

// onSYNACK takes a segment with SYN and ACK.
func (t *Table) onSYNACK(b *Batch, r *record, c *cell, h *handshake) {
	d := r.dir
	o := d ^ 1
	increment(&h.synacks[d])
	client, known := c.client()
	if !known {
		c.bits |= clientIs.of(o)
		client = o
	}
	if d != client {
		h.synackCount++
	}
	if !t.acksSYN(r, c, h) {
		c.bits |= badSYNACK.of(d)
		h.flags |= uint16(SYNACKMismatch)
		t.rare(h).synackSeq[d] = r.seq
		if h.verdictFrame == 0 {
			h.verdictFrame = b.number(r)
		}
		return
	}
	if c.has(sawSYNACK.of(d)) {
		if r.seq != h.isn[d] {
			h.flags |= uint16(SYNACKMismatch)
			x := t.rare(h)
			x.synackSeq[d] = r.seq
			if d != client && h.ackFrame == 0 {
				x.other = otherSYNACK{r.seq, b.number(r), r.time}
			}
			return
		}
		h.flags |= uint16(SYNACKRetransmitted)
		if d != client && h.ackFrame == 0 {
			h.lastSYNACK = r.time
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
	t.offer(b, r, h)
	c.startAt(d, r.seq+1+r.payload, r.ack)
	if d != client {
		h.synackFrame = b.number(r)
		h.synackTime, h.lastSYNACK = r.time, r.time
		h.synBefore = h.lastSYN
		h.ambiguous = h.synCount > 1
		h.answerOptions(r, c, o)
	} else if h.ackFrame == 0 { // simultaneous open: the client's SYN-ACK is its ACK
		h.ackFrame, h.ackTime = b.number(r), r.time
		h.ambiguous = true // which SYN it answers is anyone's guess
	}
	h.step(d, sendSYNACK, recvSYNACK)
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
	h.verdict, h.verdictFrame, h.finFirst = noVerdict, 0, 0
}

// acksSYN reports whether a SYN-ACK acknowledges the other side's SYN, with or
// without the data in it. While the SYN is not in the capture any number will do.
func (t *Table) acksSYN(r *record, c *cell, h *handshake) bool {
	o := r.dir ^ 1
	if !c.has(knownISN.of(o)) {
		return true
	}
	var data uint32
	if client, _ := c.client(); client == o {
		data = h.synData
	}
	return r.ack-(h.isn[o]+1) <= data
}

// answerOptions notes what the server's SYN-ACK says to what the client's SYN, from
// side o, asked for.
func (h *handshake) answerOptions(r *record, c *cell, o uint8) {
	if h.synData > 0 {
		if r.ack != h.isn[o]+1 {
			h.flags |= uint16(FastOpen)
		} else {
			h.flags |= uint16(FastOpenIgnored)
		}
	}
	const asks, agrees = decode.ECE | decode.CWR, decode.ECE
	if h.synFlags&asks == asks && r.flags&asks == agrees { // RFC 3168 §6.1.1
		h.flags |= uint16(ECN)
	}
}

// onSegment takes a segment without SYN and RST.
func (t *Table) onSegment(b *Batch, r *record, c *cell, h *handshake) {
	d := r.dir
	o := d ^ 1
	if r.flags&fin != 0 {
		increment(&h.fins[d])
	}
	if r.window == 0 && r.flags&fin == 0 {
		x := t.rare(h)
		if x.zeroWindows[d] == 0 {
			x.zeroFrames[d] = b.number(r)
		}
		x.zeroWindows[d]++
		h.flags |= uint16(ZeroWindow)
	}
	probe := r.payload == 1 && c.window[o] == 0 && c.has(knownAck.of(o)) && c.has(knownSeq.of(d)) && r.seq == c.next[d]
	if r.payload <= 1 && r.flags&fin == 0 && c.has(knownSeq.of(d)) && r.seq == c.next[d]-1 {
		t.rare(h).keepAlives[d]++
		h.flags |= uint16(KeepAlive)
	}
	if !c.has(knownISN.of(d)) {
		h.isn[d], h.guessed[d] = r.seq-1, true
		c.bits |= knownISN.of(d)
	}
	if r.flags&ack != 0 {
		t.choose(r, c, h)
		if c.has(sawSYN.of(o)|sawSYNACK.of(o)) && !c.has(ackedSYN.of(d)) &&
			r.ack-h.isn[o]-1 < c.next[o]-h.isn[o] {
			c.bits |= ackedSYN.of(d)
			if client, known := c.client(); known && client == d {
				h.ackFrame, h.ackTime = b.number(r), r.time
				// Not the first segment since the SYN-ACK: the ACK itself is not in the capture.
				late := c.has(goesOn.of(d))
				h.ambiguous = h.ambiguous || late || h.flags&uint16(SYNACKRetransmitted) != 0
			}
			h.step(d, sendACK, recvACK)
		}
		c.ackTo(r)
		if c.has(sawFIN.of(o)) && !c.has(ackedFIN.of(d)) && !after(h.finEnd[o], r.ack) {
			c.bits |= ackedFIN.of(d)
			h.step(d, ackFIN, recvFINACK)
		}
	}
	// A bare ACK that does not fit the SYN-ACK is no sign that things go on.
	if r.payload > 0 || r.flags&fin != 0 || c.has(ackedSYN.of(d)) || !c.has(sawSYNACK.of(o)) {
		c.bits |= goesOn.of(d)
	}
	if !c.has(sawSYNACK.both()) {
		h.step(d, sendSegment, recvSegment)
	}
	if !probe { // the receiver has no room for a probe's byte: it will be sent again
		c.advance(h, r)
	}
	if r.flags&fin != 0 && !c.has(sawFIN.of(d)) {
		c.bits |= sawFIN.of(d)
		h.finEnd[d] = r.seq + r.payload + 1
		h.ended(d)
		h.step(d, sendFIN, noEvent)
		if c.has(knownAck.of(o)) && !after(h.finEnd[d], c.acked[o]) { // captured before it
			c.bits |= ackedFIN.of(o)
			h.step(o, ackFIN, recvFINACK)
		}
	}
	if c.has(ackedFIN.of(0)) && c.has(ackedFIN.of(1)) && !c.has(closed.both()) {
		c.bits |= closed.of(0)
	}
}

// choose lets the client's ACK decide between two SYN-ACKs with different ISNs: the
// one it acknowledges is the one it took.
func (t *Table) choose(r *record, c *cell, h *handshake) {
	d := r.dir
	o := d ^ 1
	if h.rare == 0 || c.has(ackedSYN.of(d)) {
		return
	}
	x := t.rare(h)
	if x.other.frame == 0 || r.ack != x.other.isn+1 || r.ack-h.isn[o]-1 < c.next[o]-h.isn[o] {
		return
	}
	h.isn[o], h.synackFrame = x.other.isn, x.other.frame
	h.synackTime, h.lastSYNACK = x.other.time, x.other.time
	c.next[o] = x.other.isn + 1
	x.other = otherSYNACK{}
}

// advance moves the sender's next sequence number over r.
func (c *cell) advance(h *handshake, r *record) {
	d := r.dir
	end := r.seq + r.payload
	if r.flags&syn != 0 {
		end++
	}
	if r.flags&fin != 0 {
		end++
	}
	known := c.has(knownSeq.of(d))
	if known && !after(end, c.next[d]) {
		return
	}
	c.bits |= knownSeq.of(d)
	if end < r.seq || known && end < c.next[d] {
		h.flags |= uint16(Wrapped)
	}
	c.next[d] = end
}

// ackTo notes the sender's highest acknowledgment.
func (c *cell) ackTo(r *record) {
	d := r.dir
	if !c.has(knownAck.of(d)) || after(r.ack, c.acked[d]) {
		c.bits |= knownAck.of(d)
		c.acked[d] = r.ack
	}
}

// ended notes who sent the first FIN or RST.
func (h *handshake) ended(side uint8) {
	if h.finFirst == 0 {
		h.finFirst = side + 1
	}
}

// increment counts up to the largest uint16.
func increment(n *uint16) {
	if *n != 1<<16-1 {
		*n++
	}
}
