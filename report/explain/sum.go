package explain

import "strconv"

// A Sum says what a sequence number is made of, modulo 2^32 (RFC 9293 §3.4): where a
// segment began, and what it took: a byte of payload takes one, and so do SYN and FIN.
type Sum struct {
	Total   uint32
	Base    uint32 // sequence number of the segment
	Payload uint32
	SYN     bool
	FIN     bool
	Frame   uint64 // which segment that was

	ISN    uint32 // the first sequence number of the side that counts so
	HasISN bool   // it is known
}

// Holds reports whether the sum is right.
func (s *Sum) Holds() bool {
	total := s.Base + s.Payload
	if s.SYN {
		total++
	}
	if s.FIN {
		total++
	}
	return total == s.Total
}

// Absolute is the sum as an equation: "5011 = 5001 + 10". What SYN and FIN take is a 1 of
// its own.
func (s *Sum) Absolute() string { return s.equation(0) }

// Relative is the same, counted from the first sequence number: "11 = 1 + 10".
func (s *Sum) Relative() string { return s.equation(s.ISN) }

func (s *Sum) equation(from uint32) string {
	b := strconv.AppendUint(nil, uint64(s.Total-from), 10)
	b = append(b, " = "...)
	b = strconv.AppendUint(b, uint64(s.Base-from), 10)
	if s.Payload > 0 {
		b = append(b, " + "...)
		b = strconv.AppendUint(b, uint64(s.Payload), 10)
	}
	if s.SYN {
		b = append(b, " + 1"...)
	}
	if s.FIN {
		b = append(b, " + 1"...)
	}
	return string(b)
}
