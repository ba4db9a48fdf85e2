package report

import (
	"slices"
	"unsafe"
)

// A portSet is a set of ports. It is small while there is only one in it.
type portSet struct {
	one  uint16
	some bool // one is valid
	more *morePorts
}

// morePorts is a set of two ports or more: a sorted list while it is small, then a bitmap.
type morePorts struct {
	n    int
	few  []uint16
	bits *[1 << 16 / 64]uint64
}

const fewPorts = 256

func (s *portSet) add(port uint16) {
	switch {
	case !s.some:
		s.one, s.some = port, true
	case port == s.one:
	case s.more == nil:
		s.more = new(morePorts)
		s.more.add(s.one)
		s.more.add(port)
	default:
		s.more.add(port)
	}
}

func (s *morePorts) add(port uint16) {
	if s.bits != nil {
		if word, bit := &s.bits[port/64], uint64(1)<<(port%64); *word&bit == 0 {
			*word |= bit
			s.n++
		}
		return
	}
	i, found := slices.BinarySearch(s.few, port)
	if found {
		return
	}
	if s.n < fewPorts {
		s.few = slices.Insert(s.few, i, port)
		s.n++
		return
	}
	s.bits, s.n = new([1 << 16 / 64]uint64), 0
	for _, p := range s.few {
		s.add(p)
	}
	s.few = nil
	s.add(port)
}

// count is the number of ports.
func (s *portSet) count() int {
	switch {
	case s.more != nil:
		return s.more.n
	case s.some:
		return 1
	}
	return 0
}

// within reports whether all ports lie in low to high.
func (s *portSet) within(low, high uint16) bool {
	if s.more == nil {
		return s.some && s.one >= low && s.one <= high
	}
	if s.more.bits != nil {
		return false // more than traceroute ever uses
	}
	return s.more.few[0] >= low && s.more.few[s.more.n-1] <= high
}

// bytes is what s takes beside itself.
func (s *portSet) bytes() int64 {
	if s.more == nil {
		return 0
	}
	n := int64(unsafe.Sizeof(*s.more)) + 2*int64(cap(s.more.few))
	if s.more.bits != nil {
		n += int64(unsafe.Sizeof(*s.more.bits))
	}
	return n
}
