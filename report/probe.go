package report

import (
	"unsafe"

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
	time   capture.Timestamp
	frame  uint64
	result result
	tries  tries
}

// tries is how often an attempt was made.
type tries uint8

const (
	noTry tries = iota // there is no attempt
	oneTry
	moreTries // more than one SYN
)

// A result is what became of an attempt, the best one last.
type result uint8

const (
	silentResult result = iota // unanswered
	otherResult
	refusedResult
	openResult // the port answered and the source went away: a SYN scan's find
	numResults
)

// resultWords are the results as told.
var resultWords = [numResults]string{otherResult: "other", refusedResult: "refused", silentResult: "unanswered", openResult: "open"}

// set makes a what is kept of c.
func (a *attempt) set(c *flow.Connection) {
	a.time, a.frame, a.result, a.tries = c.First, verdictOf(c), otherResult, oneTry
	if sentBefore(c) {
		a.tries = moreTries
	}
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
}

// attempts are counted together.
type attempts struct {
	span
	frames  evidence
	results [numResults]uint64
	retried uint64
}

func (p *probe) add(a attempt) {
	if p.first.tries == noTry {
		p.first = a
		return
	}
	if p.many == nil {
		p.many = &attempts{span: noSpan}
		p.many.add(p.first)
	}
	p.many.add(a)
}

func (s *attempts) add(a attempt) {
	s.span.merge(span{a.time, a.time})
	s.frames.add(a.frame)
	s.results[a.result]++
	if a.tries == moreTries {
		s.retried++
	}
}

// best is the best result of all attempts.
func (p *probe) best() result {
	if p.many == nil {
		return p.first.result
	}
	for r := numResults - 1; r > 0; r-- {
		if p.many.results[r] > 0 {
			return r
		}
	}
	return 0
}

// merge adds a probe's attempts.
func (s *attempts) merge(p *probe) {
	if p.many == nil {
		if p.first.tries != noTry {
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

// bytes is what p takes beside itself.
func (p *probe) bytes() int64 {
	if p.many == nil {
		return 0
	}
	return int64(unsafe.Sizeof(*p.many)) + p.many.frames.bytes()
}
