package flow

import (
	"time"

	"sockscope/capture"
)

// A hole is a range of one side's sequence numbers that was skipped: [from, to). The other
// side has acknowledged it up to acked: so far it is missing from the capture.
type hole struct {
	from, acked, to uint32
	time            capture.Timestamp // of the last acknowledgment of it
}

// maxHoles is how many holes a side's data may have at a time. Of more, one is forgotten:
// what is missing is then too low when it was open, too high when its data come late.
const maxHoles = 4

// holes are those of one side, the oldest first. A hole stays when all of it was
// acknowledged: what was captured late is then missing no longer.
type holes struct {
	list [maxHoles]hole
	n    uint8
}

// open reports whether there is a hole that was not acknowledged: the data may yet come.
func (s *holes) open() bool {
	for _, h := range s.list[:s.n] {
		if h.acked != h.to {
			return true
		}
	}
	return false
}

// add adds a hole. When there are too many, one that was acknowledged makes room, or
// else the oldest.
func (s *holes) add(h hole) {
	if s.n == maxHoles {
		victim := 0
		for i, h := range s.list {
			if h.acked == h.to {
				victim = i
				break
			}
		}
		copy(s.list[victim:], s.list[victim+1:])
		s.n--
	}
	s.list[s.n] = h
	s.n++
}

// acknowledge notes an acknowledgment of the other side, and gives how many bytes are
// missing by it.
func (s *holes) acknowledge(ack uint32, now capture.Timestamp) (missing uint64) {
	for i := range s.list[:s.n] {
		h := &s.list[i]
		if h.acked != h.to && after(ack, h.acked) {
			n := min(ack-h.acked, h.to-h.acked)
			h.acked, h.time = h.acked+n, now
			missing += uint64(n)
		}
	}
	return missing
}

// isPast reports whether all of h was acknowledged too long ago for its data to be on their
// way into the capture: then its numbers are used again, which takes a fast connection
// seconds.
func (h *hole) isPast(now capture.Timestamp) bool {
	since, ok := now.Sub(h.time)
	return h.acked == h.to && (!ok || since > time.Second)
}

// fill notes that the data [from, to) were seen, and gives how many of them had been
// missing.
func (s *holes) fill(from, to uint32, now capture.Timestamp) (found uint64) {
	if s.n == 0 || !after(to, from) { // a length that lies goes round the numbers
		return 0
	}
	var kept [2 * maxHoles]hole // holes of bogus numbers may overlap, and each be cut in two
	n := 0
	for _, h := range s.list[:s.n] {
		if !after(to, h.from) || !after(h.to, from) || h.isPast(now) {
			kept[n] = h
			n++
			continue
		}
		before := h.acked - h.from
		if after(from, h.from) {
			left := hole{h.from, earlier(h.acked, from), from, h.time}
			kept[n] = left
			n++
			before -= left.acked - left.from
		}
		if after(h.to, to) {
			right := hole{to, later(h.acked, to), h.to, h.time}
			kept[n] = right
			n++
			before -= right.acked - right.from
		}
		found += uint64(before)
	}
	n = min(n, maxHoles)
	copy(s.list[:], kept[:n])
	s.n = uint8(n)
	return found
}

// earlier is the one of two sequence numbers that comes first.
func earlier(a, b uint32) uint32 {
	if after(a, b) {
		return b
	}
	return a
}

// later is the one that comes last.
func later(a, b uint32) uint32 {
	if after(a, b) {
		return a
	}
	return b
}
