package report

import (
	"sockscope/capture"
	"sockscope/decode/flow"
)

// A probe counts failed attempts. Most probes have one, and are as small as that.
type probe struct {
	first attempt
	many  *attempts // all of them, from the second on
}

// An attempt is what a probe keeps of one connection.
type attempt struct {
	time    capture.Timestamp
	frame   uint64
	result  result
	retried bool // with more than one SYN
	made    bool // false: there is none
}

// A result is what became of an attempt.
type result uint8

const (
	otherResult result = iota
	refusedResult
	silentResult // unanswered
	openResult   // the port answered and the source went away: a SYN scan's find
	numResults
)

// resultWords are the results as told; "" is not told.
var resultWords = [numResults]string{refusedResult: "refused", silentResult: "unanswered", openResult: "open"}

func attemptOf(c *flow.Connection) attempt {
	a := attempt{time: c.First, frame: verdictOf(c), retried: c.SYNCount > 1, made: true}
	switch c.Outcome {
	case flow.Refused:
		a.result = refusedResult
	case flow.Unreachable:
		if isPortUnreachable(c) {
			a.result = refusedResult
		}
	case flow.Unanswered:
		a.result = silentResult
	case flow.Aborted, flow.HalfOpen:
		a.result = openResult
	}
	return a
}

// attempts are counted together.
type attempts struct {
	span
	frames  evidence
	results [numResults]uint64
	retried uint64
}

func (p *probe) add(c *flow.Connection) {
	if !p.first.made {
		p.first = attemptOf(c)
		return
	}
	if p.many == nil {
		p.many = &attempts{span: noSpan}
		p.many.add(p.first)
	}
	p.many.add(attemptOf(c))
}

func (s *attempts) add(a attempt) {
	s.span.merge(span{a.time, a.time})
	s.frames.add(a.frame)
	s.results[a.result]++
	if a.retried {
		s.retried++
	}
}

// merge adds a probe's attempts.
func (s *attempts) merge(p *probe) {
	if p.many == nil {
		if p.first.made {
			s.add(p.first)
		}
		return
	}
	s.span.merge(p.many.span)
	s.frames.merge(&p.many.frames)
	for i, n := range p.many.results {
		s.results[i] += n
	}
	s.retried += p.many.retried
}
