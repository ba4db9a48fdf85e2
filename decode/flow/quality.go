package flow

import (
	"time"

	"sockscope/capture"
)

// quality is what an observer notes of one side's segments when a TCP connection does
// not run as it should, by the rules of tshark's tcp.analysis (spec, section 7): the
// numbers that an analyst compares with. Segments that take the short way have none
// of it.
type quality struct {
	retransmissions, outOfOrder, dupACKs, zeroWindows, keepAlives uint32
	missing                                                       uint64 // bytes that the other side acknowledged and the capture lacks
	gaps                                                          uint32 // how often such were found, for the history

	zeroFrame   uint64 // of its first zero window
	resentFrame uint64 // of its first retransmission
	dupACK      uint32 // the acknowledgment that its last duplicate ACKs repeat
	dups        uint32 // how many there were of it
	lower       uint32 // its last acknowledgment, when isLower: not its highest
	isLower     bool
	keepsAlive  bool              // its last segment was a keep-alive
	next        uint32            // behind its last segment with new data
	advanced    capture.Timestamp // of that segment, or 0: not known
	acked       capture.Timestamp // of its last acknowledgment that was assessed
	assessed    capture.Timestamp // of the last segment of either side that was assessed; side 0's
	holes       uint32            // 1 + index of what was skipped
}

// calm reports whether a segment to come need not be looked at for what was before.
func (t *Table) isCalm(s *quality) bool {
	return !s.isLower && !s.keepsAlive && (s.holes == 0 || !t.holes.at(s.holes-1).open())
}

// calm reports whether both sides are calm.
func (t *Table) calm(h *handshake) bool { return t.isCalm(t.amiss(h, 0)) && t.isCalm(t.amiss(h, 1)) }

// Thresholds of tshark's.
const (
	fastAfterACK    = 20 * time.Millisecond // a retransmission so soon after duplicate ACKs answers them
	reorderedWithin = 3 * time.Millisecond  // while the round trip is not known
)

// assess notes what r says about the connection's quality. It comes before r changes
// anything.
func (t *Table) assess(b *Batch, r *record, c *cell, h *handshake) {
	if h.quality == 0 && c.isUsual(r) {
		return
	}
	d := r.side()
	known := c.has(knownSeq.of(d))
	control := r.flags & (syn | fin | rst)
	keepAlive := false
	fresh := h.quality == 0
	if !fresh {
		t.catchUp(c, h)
	}
	if !c.probes(r) {
		if r.window == 0 && control == 0 {
			t.zeroWindow(b, r, h)
		}
		if known && after(r.seq, c.next[d]) && r.flags&(syn|rst) == 0 {
			t.skip(r, c, h)
		}
		if known && r.payload <= 1 && r.seq == c.next[d]-1 && control == 0 {
			keepAlive = true
			t.amiss(h, d).keepAlives++
			h.flags |= uint16(KeepAlive)
		}
		if known && r.payload == 0 && r.seq == c.next[d] && control == 0 && r.window == c.window[d] && r.window != 0 {
			t.sameACK(r, c, h)
		}
	}
	// A SYN without ACK counts with what stands in the place of its acknowledgment, mostly 0.
	lower := c.has(knownAck.of(d)) && (r.flags&ack != 0 && after(c.acked[d], r.ack) || r.flags&(syn|ack) == syn && r.ack != c.acked[d])
	if !keepAlive && (r.payload > 0 || r.flags&(syn|fin) != 0) {
		t.sentAgain(b, r, c, h)
	}
	if h.quality == 0 && !lower {
		return
	}
	if fresh {
		t.amiss(h, d)
		t.catchUp(c, h)
	}
	s := t.amiss(h, d)
	s.keepsAlive = keepAlive
	s.isLower, s.lower = lower, r.ack
	if !known || after(r.end(), c.next[d]) {
		s.advanced, s.next = r.time, r.end()
	}
	t.amiss(h, 0).assessed = r.time
	if s.holes != 0 {
		s.missing -= min(s.missing, t.holes.at(s.holes-1).fill(r.seq, r.end(), r.time))
	}
	if r.flags&ack != 0 {
		s.acked = r.time
		t.acknowledged(r, h)
	}
}

// isUsual reports whether r is a segment without SYN and RST that there is nothing to note
// about: in order, not acknowledged before it was sent, no duplicate ACK, and with room on
// both sides. Most segments that take the long way are.
func (c *cell) isUsual(r *record) bool {
	d := r.side()
	o := d ^ 1
	if r.flags&(syn|rst|ack) != ack || !c.has(knownSeq.of(d)) || r.seq != c.next[d] || r.window == 0 || c.window[o] == 0 ||
		r.payload > 0 && !after(r.seq+r.payload, c.acked[o]) {
		return false
	}
	news := int32(r.ack - c.acked[d])
	return news > 0 || news == 0 && (r.payload > 0 || r.flags&fin != 0) || !c.has(knownAck.of(d))
}

// acknowledged notes what a side acknowledges of the other's data that were skipped: these
// are missing from the capture, not from the connection.
func (t *Table) acknowledged(r *record, h *handshake) {
	s := t.amiss(h, r.dir^1)
	if s.holes == 0 {
		return
	}
	if missing := t.holes.at(s.holes-1).acknowledge(r.ack, r.time); missing > 0 {
		s.missing += missing
		s.gaps++
		if powerOfTen(s.gaps) {
			t.letter(h, r.dir^1, letterGap)
		}
	}
}

// amiss is what is noted of the segments of one side, made when it is not there.
func (t *Table) amiss(h *handshake, side uint8) *quality {
	if h.quality == 0 {
		i, _ := t.quality.add()
		h.quality = i + 1
	}
	return &t.quality.at(h.quality - 1)[side&1]
}

// dropQuality gives up what is noted of h's segments.
func (t *Table) dropQuality(h *handshake) {
	if h.quality != 0 {
		both := t.quality.at(h.quality - 1)
		t.holes.drop(both[0].holes)
		t.holes.drop(both[1].holes)
		t.quality.drop(h.quality)
	}
}

// probes reports whether r is a zero-window probe: a byte that there is no room for.
func (c *cell) probes(r *record) bool {
	d := r.side()
	o := d ^ 1
	return c.window[o] == 0 && r.payload == 1 && c.has(knownAck.of(o)) && c.has(knownSeq.of(d)) && r.seq == c.next[d]
}

// zeroWindow notes that a side has no room.
func (t *Table) zeroWindow(b *Batch, r *record, h *handshake) {
	s := t.amiss(h, r.dir)
	if s.zeroWindows == 0 {
		s.zeroFrame = b.number(r)
	}
	s.zeroWindows++
	h.flags |= uint16(ZeroWindow)
}

// sameACK takes a segment without payload that changes nothing but perhaps the
// acknowledgment: it is a duplicate when it repeats the last one, unless that answers a
// keep-alive.
func (t *Table) sameACK(r *record, c *cell, h *handshake) {
	d := r.side()
	if !c.has(knownAck.of(d)) {
		return
	}
	last := c.acked[d]
	if h.quality != 0 {
		if s := t.amiss(h, d); s.isLower {
			last = s.lower
		}
		if t.amiss(h, d^1).keepsAlive {
			return
		}
	}
	if r.ack != last {
		return
	}
	s := t.amiss(h, d)
	s.dupACKs++
	if s.dupACK != r.ack {
		s.dupACK, s.dups = r.ack, 0
	}
	s.dups++
}

// catchUp makes up for segments that took the short way since the last one that was
// assessed. Of these only the last one's time is known, and its sender: that it had the
// last of that side's new data, if there were any, is a guess.
func (t *Table) catchUp(c *cell, h *handshake) {
	both := t.quality.at(h.quality - 1)
	if both[0].assessed == c.latest {
		return
	}
	if d := c.lastSender(); both[d].next != c.next[d] {
		both[d].advanced = c.latest
	}
	both[0].next, both[1].next = c.next[0], c.next[1]
}

// end is the sequence number behind r. SYN and FIN take one, too.
func (r *record) end() uint32 {
	end := r.seq + r.payload
	if r.flags&(syn|fin) != 0 {
		end++
	}
	return end
}

// sentAgain decides what a segment with payload, SYN or FIN is that begins before its
// sender's next sequence number.
func (t *Table) sentAgain(b *Batch, r *record, c *cell, h *handshake) {
	d := r.side()
	needless := r.payload > 0 && t.acknowledges(c, h, d^1, r.seq+r.payload) // the other side has it all
	old := c.has(knownSeq.of(d)) && after(c.next[d], r.seq) && !(r.payload > 1 && r.seq == c.next[d]-1)
	switch {
	case !needless && !old:
	case !needless && t.overtaken(r, c, h):
		t.amiss(h, d).outOfOrder++
	default:
		s := t.amiss(h, d)
		if s.retransmissions == 0 {
			s.resentFrame = b.number(r)
		}
		s.retransmissions++
	}
}

// acknowledges reports whether the last acknowledgment of a side covers all before end. A
// 0 is none, as for tshark.
func (t *Table) acknowledges(c *cell, h *handshake, side uint8, end uint32) bool {
	if !c.has(knownAck.of(side)) {
		return false
	}
	last := c.acked[side]
	if h.quality != 0 {
		if s := t.amiss(h, side); s.isLower {
			last = s.lower
		}
	}
	return last != 0 && !after(end, last)
}

// overtaken reports whether r, which begins before its sender's next sequence number, was
// overtaken by what was captured before it rather than sent again: it comes within a
// round trip of that, and does not answer duplicate ACKs. tshark does not ask whether its
// data were seen before.
func (t *Table) overtaken(r *record, c *cell, h *handshake) bool {
	d := r.side()
	o := d ^ 1
	if r.end() == c.next[d] {
		return false
	}
	if h.quality == 0 {
		t.amiss(h, d)
		t.catchUp(c, h)
	}
	if s := t.amiss(h, o); s.dups >= 2 && s.dupACK == r.seq && c.acked[o] == r.seq {
		if since, ok := r.time.Sub(s.acked); ok && 0 <= since && since < fastAfterACK {
			return false // a fast retransmission
		}
	}
	within := reorderedWithin
	w := t.course(h)
	if rtt, ok := w.ackTime.Sub(w.lastSYN); ok && rtt > 0 {
		within = rtt
	} else if rtt, ok := w.ackTime.Sub(w.synBefore); ok && rtt > 0 { // the last SYN is a late copy
		within = rtt
	}
	advanced := t.amiss(h, d).advanced
	if advanced == 0 {
		advanced = w.firstSYN // no earlier, at least
	}
	since, ok := r.time.Sub(advanced)
	return ok && 0 <= since && since < within
}

// skip notes that the data up to r's were not seen. What the other side has acknowledged of
// them is missing.
func (t *Table) skip(r *record, c *cell, h *handshake) {
	d := r.side()
	o := d ^ 1
	s := t.amiss(h, d)
	from := c.next[d]
	skipped := hole{from: from, acked: from, to: r.seq, time: r.time}
	if c.has(knownAck.of(o)) && after(c.acked[o], from) {
		skipped.acked = from + min(c.acked[o]-from, r.seq-from)
		s.missing += uint64(skipped.acked - from)
	}
	if s.holes == 0 {
		i, _ := t.holes.add()
		s.holes = i + 1
	}
	t.holes.at(s.holes - 1).add(skipped)
}
