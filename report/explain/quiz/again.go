package quiz

import (
	"time"

	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/explain"
)

// copied is within what time a second copy of a segment may be the capture's doing, which saw
// it twice, rather than the sender's.
const copied = time.Millisecond

// retransmissions asks of segments with data whether they were sent before.
func (e *examiner) retransmissions(c *explain.Conversation) {
	if c.Connection.Protocol != protoTCP || c.Connection.Client == c.Connection.Server || c.Connection.Role == flow.RoleFirst ||
		c.Connection.Flags&(flow.Reordered|flow.Simultaneous) != 0 {
		return
	}
	var sent past
	for i := range c.Steps {
		if !e.look() || e.full(Again) && e.full(Unreliable) {
			return
		}
		s := &c.Steps[i]
		if s.Kind == explain.Segment && s.Payload > 0 && !s.More && s.Flags&(decode.SYN|decode.RST) == 0 {
			if s.Has(explain.Retransmitted) {
				e.again(c, i, &sent)
			} else if !s.Has(special) && s.Continues != nil {
				e.newBytes(c, s, &sent)
			}
		}
		sent.add(s)
	}
}

// again asks about a segment that was sent before.
func (e *examiner) again(c *explain.Conversation, i int, sent *past) {
	s := &c.Steps[i]
	before := sent.first[bytesOf(s)]
	if before == nil || s.Has(explain.KeepAlive|explain.Probe|explain.Gap) {
		return
	}
	if later, ok := s.Time.Sub(before.Time); !ok || later < copied {
		return
	}
	last := e.lastOf(c, i) // few times: each one is followed by a question
	q := Question{
		Topic: Again, Conversation: c, Ask: note("quiz.again-ask", "", explain.Number(s.Frame)), Shown: show(false, before, s),
		Choices: []explain.Note{
			note("quiz.again-yes", "", explain.Number(before.Frame)),
			note("quiz.again-no-keep-alive", ""),
		},
		Why: append([]explain.Note{note("quiz.again-why", "RFC 9293 §3.8.1", seq(c, s), explain.Size(s.Payload), explain.Number(before.Frame))}, meaning(s)...),
	}
	if last != nil && behind(last) != s.Seq {
		if last != before {
			q.Shown = show(false, before, last, s)
		}
		q.Choices = append(q.Choices, note("quiz.again-no", "", explain.Number(last.Frame)))
	}
	if s.FromClient { // sequence numbers of the other direction say nothing
		q.Choices = append(q.Choices, note("quiz.again-no-other", "", flow.ServerSide))
	} else {
		q.Choices = append(q.Choices, note("quiz.again-no-other", "", flow.ClientSide))
	}
	e.add(q)

	e.add(Question{
		Topic: Unreliable, Conversation: c, Ask: note("quiz.udp-instead-ask", "", explain.Number(s.Frame), s.Sender()), Shown: show(false, before, s),
		Choices: []explain.Note{
			note("quiz.udp-instead-nobody", ""), note("quiz.udp-instead-kernel", ""), note("quiz.udp-instead-error", ""), note("quiz.udp-instead-receiver", ""),
		},
		Why: append([]explain.Note{note("quiz.udp-instead-why", "RFC 768")}, meaning(s)...),
	})
}

// newBytes asks about a segment that goes on where the one before ended.
func (e *examiner) newBytes(c *explain.Conversation, s *explain.Step, sent *past) {
	before := sent.frames[s.Continues.Frame]
	if e.full(Again) || before == nil || behind(before) != s.Seq || before.Payload == 0 || sent.reach(s).passed(s.Seq) {
		return
	}
	e.add(Question{
		Topic: Again, Conversation: c, Ask: note("quiz.again-ask", "", explain.Number(s.Frame)), Shown: show(false, before, s),
		Choices: []explain.Note{
			note("quiz.again-no", "", explain.Number(before.Frame)),
			note("quiz.again-yes", "", explain.Number(before.Frame)),
			note("quiz.again-no-keep-alive", ""),
			note("quiz.again-same-ack", ""),
		},
		Why: append([]explain.Note{note("quiz.again-new", "RFC 9293 §3.4", explain.Number(before.Frame), equation(c, s))}, meaning(s)...),
	})
}

// lastOf is the last segment of the same sender before step i that takes numbers.
func (e *examiner) lastOf(c *explain.Conversation, i int) *explain.Step {
	for j := i - 1; j >= 0 && e.look(); j-- {
		s := &c.Steps[j]
		switch {
		case s.Kind == explain.Folded:
			return nil
		case s.Kind == explain.Segment && s.FromClient == c.Steps[i].FromClient && behind(s) != s.Seq && s.Flags&decode.RST == 0:
			return s
		}
	}
	return nil
}

// seq is a step's sequence number in words.
func seq(c *explain.Conversation, s *explain.Step) string {
	return number("seq", s.Seq, s.RelSeq, counts(c, s.Sender()))
}

// equation is what a step's sequence number is made of.
func equation(c *explain.Conversation, s *explain.Step) string {
	if counts(c, s.Sender()) && s.Continues.HasISN {
		return s.Continues.Relative() + " (" + s.Continues.Absolute() + ")"
	}
	return s.Continues.Absolute()
}

// datagrams asks what a program gets to know of what it sent by UDP.
func (e *examiner) datagrams(c *explain.Conversation) {
	r := &c.Connection
	if r.Protocol != protoUDP || r.Role == flow.RoleFirst || len(c.Steps) == 0 || c.Steps[0].Kind != explain.Datagram || !c.Steps[0].FromClient ||
		r.ToClient.Packets > 0 || r.Server.Addr().IsMulticast() {
		return
	}
	q := Question{Topic: Unreliable, Conversation: c, Ask: note("quiz.udp-ask", ""), Shown: show(false, first(c, 4)...)}
	switch {
	case r.Outcome == flow.Unanswered && !r.HasICMP:
		q.Choices = []explain.Note{note("quiz.udp-nothing", ""), note("quiz.udp-refused", ""), note("quiz.udp-timeout", ""), note("quiz.udp-repeats", "")}
		q.Why = append(meaning(&c.Steps[0]), c.Verdict[:1]...)
	case r.Outcome == flow.Unreachable && (r.Client.Addr().Is4() && r.ICMPType == 3 && r.ICMPCode == 3 || r.Client.Addr().Is6() && r.ICMPType == 1 && r.ICMPCode == 4):
		q.Choices = []explain.Note{note("quiz.udp-refused", ""), note("quiz.udp-never", ""), note("quiz.udp-timeout", ""), note("quiz.udp-repeats", "")}
		for i := range c.Steps {
			if s := &c.Steps[i]; s.Kind == explain.ICMPError {
				q.Why = meaning(s)
				break
			}
		}
	default:
		return
	}
	e.add(q)
}
