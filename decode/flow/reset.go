package flow

import "sockscope/decode"

// onRST takes a segment with RST.
func (t *Table) onRST(b *Batch, r *record, c *cell, h *handshake) {
	d := r.side()
	o := d ^ 1
	t.increment(h, rsts, d)
	switch r.flags & (syn | ack) { // odd, too
	case syn:
		t.increment(h, syns, d)
	case syn | ack:
		t.increment(h, synacks, d)
	}
	if t.tooFast(r, c, h) {
		h.flags |= uint16(RSTInjected)
	}
	client, known := c.client()
	switch {
	case known && c.has(sawSYN.of(client)) && !c.has(goesOn.of(client)) && !established(outcome(c, h)):
		t.resetAttempt(b, r, c, h, client)
	case !c.has(goesOn.both() | sawSYNACK.both()):
		// A reset of something that is not in the capture.
		if !t.hasVerdict(h) {
			t.setVerdict(h, b.number(r))
		}
		h.ended(d)
	case t.inWindow(r, c, h) && !c.has(closed.both()):
		c.bits |= closed.of(1)
		if c.has(sawFIN.both()) {
			h.marks |= afterFIN
		}
		t.setVerdict(h, b.number(r))
		h.ended(d)
		h.step(d, sendRST, recvRST)
	default:
		c.bits |= sawRST.of(d)
		return
	}
	c.bits |= sawRST.of(d)
	if r.flags&ack != 0 && !c.has(knownISN.of(o)) && !c.has(knownSeq.of(o)) {
		h.isn[o] = r.ack - 1 // the SYN it answers may still come, in a reordered capture
		c.bits |= knownISN.of(o)
	}
}

// resetAttempt takes an RST before the handshake was complete.
func (t *Table) resetAttempt(b *Batch, r *record, c *cell, h *handshake, client uint8) {
	d := r.side()
	server := client ^ 1
	switch {
	case c.has(sawSYNACK.of(server)):
		// A side that resets the attempt does so at its own next number; an old RST
		// has another.
		const window = 1 << 16
		if h.verdict != noVerdict || c.has(knownSeq.of(d)) && r.seq-h.isn[d] > window {
			return
		}
		h.verdict = wasAborted
		t.setVerdict(h, b.number(r))
	case d == server:
		// RFC 9293 §3.10.7.1: an RST for a SYN acknowledges it, and its own number is 0.
		answers := r.flags&ack != 0 && r.ack-(h.isn[client]+1) <= t.synData(h) || r.seq == 0
		if !answers || h.verdict != noVerdict {
			return
		}
		h.verdict = wasRefused
		t.setVerdict(h, b.number(r))
	case r.seq-h.isn[client] > t.synData(h)+1:
		return // answers a SYN-ACK that it did not ask for: the attempt goes on (RFC 9293 §3.5.1)
	default: // the client gives its own attempt up
	}
	h.ended(d)
	h.step(d, sendRST, recvRST)
}

// inWindow reports whether an RST is one that its receiver accepts, as far as an
// observer knows the receiver's window (RFC 9293 §3.10.7.4): within what the
// receiver last announced, or at the sender's own next sequence number.
func (t *Table) inWindow(r *record, c *cell, h *handshake) bool {
	d := r.side()
	o := d ^ 1
	if c.has(knownSeq.of(d)) && r.seq == c.next[d] || !c.has(knownAck.of(o)) {
		return true
	}
	window := uint32(c.window[o]) << h.shift(o)
	return r.seq-c.acked[o] <= window
}

// shift is by how much a side's window is scaled (RFC 7323 §2): when both sides offer that.
// What is not known may be the most.
func (h *handshake) shift(side uint8) uint8 {
	const most = 14
	its, others := &h.offered[side], &h.offered[side^1]
	switch {
	case its.has&offerSeen == 0, its.has&(decode.OptWindowScale|decode.OptCut) == decode.OptCut:
		return most
	case its.has&decode.OptWindowScale == 0:
		return 0
	case others.has&(decode.OptWindowScale|decode.OptCut) != 0:
		return min(its.scale, most)
	}
	return 0
}

// tooFast reports whether an RST acknowledges the last data of the other side
// sooner than a third of the round trip that the handshake took.
func (t *Table) tooFast(r *record, c *cell, h *handshake) bool {
	client, known := c.client()
	if !known || r.dir == client {
		return false
	}
	w := t.course(h)
	if w.synCount != 1 || w.synackCount != 1 {
		return false
	}
	rtt, ok := w.synackTime.Sub(w.firstSYN)
	wait, ok2 := r.time.Sub(c.latest)
	fromClient := c.bits&lastSecond != 0 == (client == 1) // the packet before this one
	last := fromClient && r.flags&ack != 0 && c.has(sawData.of(client)) && r.ack == c.next[client] && after(r.ack, c.acked[r.dir])
	return ok && ok2 && last && rtt > 0 && wait >= 0 && wait < rtt/3
}

// distance compares r's TTL with that of its direction's other packets. Mostly they are
// the same.
func (h *handshake) distance(r *record) {
	if r.ttl != h.ttl[r.dir&1] || !h.has(spoken.of(r.dir&1)) {
		h.otherDistance(r)
	}
}

// otherDistance takes a TTL that may be new: an RST that comes from another distance
// than its direction's other packets was somebody else's.
func (h *handshake) otherDistance(r *record) {
	d := r.side()
	if h.ttl[d] != 0 && differ(r.ttl, h.ttl[d]) > 3 {
		switch onlyRST := h.tally.any(rsts, d) && !h.has(spoken.of(d)); {
		case r.flags&rst != 0 && !onlyRST:
			h.flags |= uint16(RSTInjected)
			return
		case r.flags&rst == 0 && onlyRST:
			h.flags |= uint16(RSTInjected)
			h.ttl[d] = r.ttl
		}
	}
	if h.ttl[d] == 0 {
		h.ttl[d] = r.ttl
	}
	if r.flags&rst == 0 {
		h.marks |= spoken.of(d)
	}
}

// differ is the distance of a and b.
func differ(a, b uint8) int {
	if a > b {
		return int(a - b)
	}
	return int(b - a)
}
