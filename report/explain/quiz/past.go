package quiz

import (
	"math"

	"sockscope/decode"
	"sockscope/report/explain"
)

// A past is what was sent before a step, so that nobody has to look at all of it for each
// step. The zero value is a conversation's beginning.
type past struct {
	frames  map[uint64]*explain.Step // by their numbers
	first   map[span]*explain.Step   // segments with data, each the first one of those bytes
	reaches [2]reach                 // the client's, the server's
}

// A span is the bytes of a segment.
type span struct {
	fromClient bool
	seq, size  uint32
}

func bytesOf(s *explain.Step) span { return span{s.FromClient, s.Seq, s.Payload} }

// add takes the next step.
func (p *past) add(s *explain.Step) {
	if s.Kind == explain.Folded {
		return
	}
	if p.frames == nil {
		p.frames, p.first = map[uint64]*explain.Step{}, map[span]*explain.Step{}
	}
	if p.frames[s.Frame] == nil {
		p.frames[s.Frame] = s
	}
	if s.Kind != explain.Segment || s.Payload == 0 {
		return
	}
	p.reach(s).add(behind(s)) // a probe's byte was sent, too
	if s.Flags&(decode.SYN|decode.RST) == 0 && p.first[bytesOf(s)] == nil {
		p.first[bytesOf(s)] = s
	}
}

// reach is the one of a step's sender.
func (p *past) reach(s *explain.Step) *reach {
	if s.FromClient {
		return &p.reaches[0]
	}
	return &p.reaches[1]
}

// A reach is how far an end's data went: sequence numbers behind segments, counted from that
// of the first one.
type reach struct {
	known     bool
	base      uint32
	low, high int64
}

func (r *reach) add(end uint32) {
	if !r.known {
		r.known, r.base = true, end
	}
	at := r.from(end)
	r.low, r.high = min(r.low, at), max(r.high, at)
}

func (r *reach) from(seq uint32) int64 { return int64(int32(seq - r.base)) }

// passed reports whether data went on behind seq, where a segment ended, or may have done so:
// what is before and what behind can be told only within 2³¹ numbers (RFC 9293 §3.4).
func (r *reach) passed(seq uint32) bool {
	return r.high-r.low > math.MaxInt32 || r.high > r.from(seq)
}
