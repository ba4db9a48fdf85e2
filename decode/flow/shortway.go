package flow

// steadySegment takes the next in-order segment of a connection in its steady state and
// reports whether that is all there is to do. Anything else (a gap, a retransmission, a
// probe, a closed window) is left to others, and has changed nothing but round trips.
func (t *Table) steadySegment(b *Batch, r *record, n uint32, c *cell) bool {
	if r.what&(kinds|cut) != segment {
		return false
	}
	if t.cfg.RoundTrips {
		t.roundTrip(r, n, c)
	}
	if r.what&(firstOfMany|owned) != 0 || !c.isNext(r) {
		return false
	}
	if need := r.steadyFacts(); c.bits&need != need && !t.firstOfKind(b, r, n, c) {
		return false
	}
	c.move(r)
	d := r.dir & 1
	one, fits := countsOf(r)
	sum := c.sent[d] + one
	if r.time < c.latest || !c.latest.Known() || !fits || sum&guards != 0 {
		t.count(n, c, r)
		return true
	}
	c.latest = r.time
	c.bits = c.bits&^lastSecond | facts(d)<<31
	c.sent[d] = sum
	return true
}

// firstOfKind takes the next in-order segment that is its side's first with payload, or
// first without, and reports whether that is all that is new.
func (t *Table) firstOfKind(b *Batch, r *record, n uint32, c *cell) bool {
	d := r.dir & 1
	if !c.has(ackedSYN.of(d)) || !c.has(sawSYNACK.both()) {
		return false
	}
	h := t.handshake(n)
	h.distance(r)
	t.noteSegment(r, c, h)
	c.bits |= goesOn.of(d)
	if r.payload > 0 {
		t.firstPayload(b, r, n, c)
	}
	return true
}

// steadyFacts are the facts of a connection that r changes nothing about: it is in its
// steady state, and r is not the first of its kind.
//
// Whether a segment has payload is anyone's guess, the processor's, too: so this is
// arithmetic, not a branch.
func (r *record) steadyFacts() facts {
	empty := (r.payload - 1) &^ r.payload >> 31 // 1 without payload: only then is the highest bit set
	return steady | sawData<<(2*empty+uint32(r.dir&1))
}

// surprise is 0 when r probably needs no stream beside the cell: it is no TCP segment, or
// one that is expected.
func (c *cell) surprise(r *record) uint32 {
	need := r.steadyFacts()
	s := uint32(c.bits&need^need) | uint32(r.flags&(syn|fin|rst))
	if r.what&kinds != segment {
		s = 0
	}
	return s
}

// isNext reports whether r is the next in-order segment, with nothing special about it.
// That the other side acknowledged it before is special.
func (c *cell) isNext(r *record) bool {
	d := r.dir & 1
	o := d ^ 1
	news := r.ack - c.acked[d] // what it acknowledges beyond what its side did before
	return r.flags&(syn|fin|rst|ack) == ack && r.seq == c.next[d] && r.seq+r.payload >= r.seq &&
		int32(news) >= 0 && news|r.payload != 0 && int32(r.seq-c.acked[o]) >= 0 && r.window != 0 && c.window[o] != 0
}

// move moves the sender's numbers over the next in-order segment.
func (c *cell) move(r *record) {
	d := r.dir & 1
	c.next[d], c.acked[d], c.window[d] = r.seq+r.payload, r.ack, r.window
}

// settle finds out whether the connection is in its steady state: from its handshake,
// as far as that is in the capture, to its first FIN or RST, and while nothing is amiss.
func (t *Table) settle(c *cell, h *handshake) {
	c.bits &^= steady
	if c.bits&(knownSeq.both()|sawFIN.both()|sawRST.both()) != knownSeq.both() || h.quality != 0 && !t.calm(h) {
		return
	}
	switch outcome(c, h) {
	case Complete:
		c.bits |= steady
	case Midstream:
		// An ACK of the SYN-ACK may yet come, for the evidence.
		if client, known := c.client(); !known || !c.has(sawSYNACK.of(client^1)) || c.has(ackedSYN.of(client)) {
			c.bits |= steady
		}
	case Implied:
		// With a SYN-ACK, or SYNs of both sides, an ACK that completes the handshake may yet come.
		if !c.has(sawSYNACK.both()) && c.bits&sawSYN.both() != sawSYN.both() {
			c.bits |= steady
		}
	}
}
