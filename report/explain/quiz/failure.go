package quiz

import (
	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/explain"
)

// meanings are what a failed attempt can mean.
var meanings = []string{"refused", "unanswered", "unreachable", "half-open"}

// failure asks why an attempt failed, or what it means that nobody answered.
func (e *examiner) failure(c *explain.Conversation) {
	r := &c.Connection
	if !certain(c) || c.Left > 0 || !isPlain(c) {
		return
	}
	q := Question{
		Topic: Failed, Conversation: c, Ask: note("quiz.failed-ask", "", c.Endpoint(flow.ServerSide)), Shown: show(false, first(c, 5)...),
		Choices: []explain.Note{failed(r.Outcome.String(), r)},
		Why:     append(c.Verdict[:1:1], decisive(c)...),
	}
	for _, other := range meanings {
		q.Choices = append(q.Choices, failed(other, r))
	}
	e.add(q)
}

func failed(what string, r *flow.Connection) explain.Note {
	return note("quiz.failed-"+what, "", explain.Number(r.Server.Port()))
}

// isPlain reports whether a failure has one meaning only: all its segments are of one kind.
func isPlain(c *explain.Conversation) bool {
	r := &c.Connection
	syns := uint64(r.SYNCount)
	switch r.Outcome {
	case flow.Refused:
		s := step(c, r.VerdictFrame)
		return s != nil && s.Has(explain.Refuses) && r.ToServer.Packets == syns && r.SYNACKCount == 0 && !r.HasICMP && s.Ack == behind(&c.Steps[0])
	case flow.Unanswered:
		return r.ToServer.Packets == syns && r.ToClient.Packets == 0 && !r.HasICMP
	case flow.HalfOpen:
		return r.ToServer.Packets == syns && r.ToClient.Packets == uint64(r.SYNACKCount) && !r.HasICMP
	case flow.Unreachable: // "port unreachable" is how some firewalls refuse
		port := r.ICMPType == 3 && r.ICMPCode == 3
		if r.Client.Addr().Is6() {
			port = r.ICMPType == 1 && r.ICMPCode == 4
		}
		return r.ToServer.Packets == syns && r.ToClient.Packets == 0 && r.HasICMP && !port
	}
	return false
}

// decisive are the sentences of the step that decides.
func decisive(c *explain.Conversation) []explain.Note {
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Has(explain.Refuses|explain.Decides) || s.Kind == explain.Segment && s.Flags&(decode.SYN|decode.ACK) == decode.SYN|decode.ACK {
			return meaning(s)
		}
	}
	return nil
}
