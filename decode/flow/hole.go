package flow

// A hole is a range of one side's sequence numbers that was skipped: [from, to). The other
// side has acknowledged it up to acked: so far it is missing from the capture.
type hole struct{ from, acked, to uint32 }

// maxHoles is how many holes a side's data may have at a time. Of more, the
// oldest counts as filled: missing is then too low.
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
func (s *holes) acknowledge(ack uint32) (missing uint64) {
	for i := range s.list[:s.n] {
		h := &s.list[i]
		if after(ack, h.acked) {
			n := min(ack-h.acked, h.to-h.acked)
			h.acked += n
			missing += uint64(n)
		}
	}
	return missing
}

// fill notes that the data [from, to) were seen, and gives how many of them had been
// missing.
func (s *holes) fill(from, to uint32) (found uint64) {
	if s.n == 0 || from == to {
		return 0
	}
	var kept [2 * maxHoles]hole // holes of bogus numbers may overlap, and each be cut in two
	n := 0
	for _, h := range s.list[:s.n] {
		if !after(to, h.from) || !after(h.to, from) {
			kept[n] = h
			n++
			continue
		}
		before := h.acked - h.from
		if after(from, h.from) {
			left := hole{h.from, earlier(h.acked, from), from}
			kept[n] = left
			n++
			before -= left.acked - left.from
		}
		if after(h.to, to) {
			right := hole{to, later(h.acked, to), h.to}
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
