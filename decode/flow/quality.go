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
	lower       uint32 // its last acknowledgment, when isLower: one behind its highest
	isLower     bool
	keepsAlive  bool              // its last segment was a keep-alive
	advanced    capture.Timestamp // of its last segment with new data, while it has holes
	acked       capture.Timestamp // of its last acknowledgment, while the other side has holes
	holes       [maxHoles]hole
	numHoles    uint8
}

// A hole is a range of sequence numbers that was skipped: [from, to).
type hole struct{ from, to uint32 }

// maxHoles is how many holes a side's data may have at a time. Of more, the
// oldest counts as filled: missing is then too low.
const maxHoles = 4

// calm reports whether a segment to come need not be looked at for what was before.
func (s *quality) calm() bool { return s.numHoles == 0 && !s.isLower && !s.keepsAlive }

// calm reports whether both sides are calm.
func (t *Table) calm(h *handshake) bool { return t.amiss(h, 0).calm() && t.amiss(h, 1).calm() }

// Thresholds of tshark's.
const (
	fastAfterACK    = 20 * time.Millisecond // a retransmission so soon after duplicate ACKs answers them
	reorderedWithin = 3 * time.Millisecond  // while the round trip is not known
)

// assess notes what r says about the connection's quality. It comes before r changes
// anything.
func (t *Table) assess(b *Batch, r *record, c *cell, h *handshake) {
	d := r.side()
	o := d ^ 1
	known := c.has(knownSeq.of(d))
	control := r.flags & (syn | fin | rst)
	keepAlive := false
	if !c.probes(r) {
		if r.window == 0 && control == 0 {
			t.zeroWindow(b, r, h)
		}
		if known && after(r.seq, c.next[d]) && r.flags&rst == 0 {
			t.amiss(h, d).skip(c.next[d], r.seq, c, o)
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
	lower := r.flags&ack != 0 && c.has(knownAck.of(d)) && after(c.acked[d], r.ack)
	if !keepAlive && (r.payload > 0 || r.flags&(syn|fin) != 0) {
		t.sentAgain(b, r, c, h)
	}
	if h.quality == 0 && !lower {
		return
	}
	s := t.amiss(h, d)
	s.keepsAlive = keepAlive
	s.isLower, s.lower = lower, r.ack
	if end := r.seq + r.payload; known && after(end, c.next[d]) {
		s.advanced = r.time
	}
	s.fill(r.seq, r.seq+r.payload)
	if r.flags&ack != 0 {
		s.acked = r.time
		t.acknowledged(r, h)
	}
}

// acknowledged notes what a side acknowledges of the other's data that were skipped: these
// are missing from the capture, not from the connection.
func (t *Table) acknowledged(r *record, h *handshake) {
	s := t.amiss(h, r.dir^1)
	before := s.missing
	s.acknowledged(r.ack)
	if s.missing != before {
		s.gaps++
		if powerOfTen(s.gaps) {
			t.letter(h, r.dir^1, 'g')
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

// sentAgain decides what a segment with payload, SYN or FIN is that begins before its
// sender's next sequence number.
func (t *Table) sentAgain(b *Batch, r *record, c *cell, h *handshake) {
	d := r.side()
	o := d ^ 1
	end := r.seq + r.payload
	needless := r.payload > 0 && c.has(knownAck.of(o)) && !after(end, c.acked[o]) // the other side has it all
	old := c.has(knownSeq.of(d)) && after(c.next[d], r.seq) && !(r.payload > 1 && r.seq == c.next[d]-1)
	switch {
	case !needless && !old:
	case !needless && t.overtaken(r, c, h, end):
		t.amiss(h, d).outOfOrder++
	default:
		s := t.amiss(h, d)
		if s.retransmissions == 0 {
			s.resentFrame = b.number(r)
		}
		s.retransmissions++
	}
}

// overtaken reports whether r, which begins before its sender's next sequence number, was
// overtaken by what was captured before it rather than sent again: it comes within a
// round trip and brings what was not seen yet.
func (t *Table) overtaken(r *record, c *cell, h *handshake, end uint32) bool {
	d := r.side()
	o := d ^ 1
	if h.quality == 0 || end == c.next[d] || !t.amiss(h, d).lacks(r.seq, end) {
		return false
	}
	if s := t.amiss(h, o); s.dups >= 2 && s.dupACK == r.seq && c.acked[o] == r.seq {
		if since, ok := r.time.Sub(s.acked); ok && 0 <= since && since < fastAfterACK {
			return false // a fast retransmission
		}
	}
	within := reorderedWithin
	if rtt, ok := h.ackTime.Sub(h.synBefore); ok && rtt > 0 {
		within = rtt
	}
	since, ok := r.time.Sub(t.amiss(h, d).advanced)
	return ok && 0 <= since && since < within
}

// skip notes that the data from from to to were not seen. What the other side, o, has
// acknowledged of them is missing.
func (s *quality) skip(from, to uint32, c *cell, o uint8) {
	if c.has(knownAck.of(o)) && after(c.acked[o], from) {
		known := min(c.acked[o]-from, to-from)
		s.missing += uint64(known)
		from += known
	}
	if from == to {
		return
	}
	if s.numHoles == maxHoles {
		copy(s.holes[:], s.holes[1:])
		s.numHoles--
	}
	s.holes[s.numHoles] = hole{from, to}
	s.numHoles++
}

// acknowledged takes out of the holes what the other side acknowledged.
func (s *quality) acknowledged(ack uint32) {
	kept := s.holes[:0]
	for _, h := range s.holes[:s.numHoles] {
		if after(ack, h.from) {
			n := min(ack-h.from, h.to-h.from)
			s.missing += uint64(n)
			h.from += n
		}
		if h.from != h.to {
			kept = append(kept, h)
		}
	}
	s.numHoles = uint8(len(kept))
}

// fill notes that the data from from to to were seen.
func (s *quality) fill(from, to uint32) {
	if s.numHoles == 0 || from == to {
		return
	}
	var kept [2 * maxHoles]hole // holes of bogus numbers may overlap, and each be cut in two
	n := 0
	for _, h := range s.holes[:s.numHoles] {
		if !after(to, h.from) || !after(h.to, from) {
			kept[n] = h
			n++
			continue
		}
		if after(from, h.from) {
			kept[n] = hole{h.from, from}
			n++
		}
		if after(h.to, to) {
			kept[n] = hole{to, h.to}
			n++
		}
	}
	n = min(n, maxHoles)
	copy(s.holes[:], kept[:n])
	s.numHoles = uint8(n)
}

// lacks reports whether something between from and to was not seen yet.
func (s *quality) lacks(from, to uint32) bool {
	for _, h := range s.holes[:s.numHoles] {
		if after(to, h.from) && after(h.to, from) {
			return true
		}
	}
	return false
}
