package quiz

import (
	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/explain"
)

// acknowledgments asks for the number that acknowledges a segment, where the capture has the
// segment that does so.
func (e *examiner) acknowledgments(c *explain.Conversation) {
	const doubtful = flow.Simultaneous | flow.Reordered | flow.SYNACKMismatch | flow.FastOpen | flow.FastOpenIgnored
	r := &c.Connection
	if r.Protocol != protoTCP || r.Role == flow.RoleFirst || r.Flags&doubtful != 0 || r.Client == r.Server {
		return
	}
	replies := replies{e: e, steps: c.Steps}
	for i := range c.Steps {
		if !e.look() || e.full(Ack) {
			return
		}
		s := &c.Steps[i]
		if s.Kind != explain.Segment || s.Has(special) || s.HasFlags(decode.RST) || s.More || behind(s) == s.Seq {
			continue
		}
		answer := replies.to(i)
		if answer == nil || !acknowledges(answer, s) {
			continue
		}
		numbers := []uint32{behind(s)}
		equation := answer.Acks.Absolute()
		if counts(c, s.Sender()) && answer.HasRelAck && answer.Acks.HasISN {
			numbers = append(numbers, answer.RelAck)
			equation = answer.Acks.Relative() + " (" + equation + ")"
		}
		q := Question{
			Topic: Ack, Conversation: c, Ask: note("quiz.ack-ask", "", s.Receiver(), explain.Number(s.Frame)),
			Shown: show(false, s), Numbers: numbers,
			Why: []explain.Note{note("quiz.ack-why", "RFC 9293 §3.4", equation, explain.Number(answer.Frame))},
		}
		switch {
		case s.HasFlags(decode.SYN):
			q.Ask.Key = "quiz.ack-ask-syn"
			q.Why = append(q.Why, note("quiz.ack-syn", "RFC 9293 §3.4"))
		case s.HasFlags(decode.FIN):
			q.Ask.Key = "quiz.ack-ask-fin"
			q.Why = append(q.Why, note("quiz.ack-fin", "RFC 9293 §3.4"))
		default:
			q.Why = append(q.Why, note("quiz.ack-bytes", "RFC 9293 §3.4", explain.Size(s.Payload)))
		}
		e.add(q)
	}
}

// acknowledges reports whether the reply a acknowledges exactly s, and nothing behind it.
func acknowledges(a, s *explain.Step) bool {
	return a.Flags&(decode.RST|decode.ACK) == decode.ACK && !a.Has(explain.Mismatch) && a.Acks != nil && a.Acks.Frame == s.Frame && a.Ack == behind(s)
}

// replies finds what an end sends next after a step of the other one. It is asked about the
// steps in their order, and goes over them once for each end, for there may be many steps
// that nobody answers.
type replies struct {
	e     *examiner
	steps []explain.Step
	next  [2]int // the client's, the server's: no step before it is one
}

// to is the first segment of the other end after step i; nil where there is none, or it may
// be among those that are folded.
func (r *replies) to(i int) *explain.Step {
	client := r.steps[i].FromClient
	next := &r.next[0]
	if client {
		next = &r.next[1]
	}
	for *next = max(*next, i+1); *next < len(r.steps) && r.e.look(); *next++ {
		switch s := &r.steps[*next]; {
		case s.Kind == explain.Folded:
			return nil
		case s.Kind == explain.Segment && s.FromClient != client:
			return s
		}
	}
	return nil
}

// handshake asks which segment completes the handshake.
func (e *examiner) handshake(c *explain.Conversation) {
	if !opened(c) {
		return
	}
	syn, synack, ack := &c.Steps[0], &c.Steps[1], &c.Steps[2]
	q := Question{
		Topic: Handshake, Conversation: c, Ask: note("quiz.handshake-ask", ""),
		Choices: []explain.Note{chosen(ack), chosen(synack), chosen(syn)},
		Why:     append(c.Verdict[:1:1], meaning(ack)...),
	}
	shown := []*explain.Step{syn, synack, ack}
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Frame > ack.Frame && s.Kind == explain.Segment && s.Payload > 0 {
			q.Choices = append(q.Choices, chosen(s))
			shown = append(shown, s)
			break
		}
	}
	q.Shown = show(false, shown...)
	e.add(q)
}

// chosen is a segment as a choice.
func chosen(s *explain.Step) explain.Note {
	return note("quiz.handshake-segment", "", explain.Number(s.Frame), s.Sender())
}

// confusable are the states that are taken for another one.
var confusable = [flow.NumStates][]flow.State{
	flow.SYNSent:     {flow.Listen, flow.SYNReceived, flow.Established},
	flow.SYNReceived: {flow.SYNSent, flow.Listen, flow.Established},
	flow.Established: {flow.SYNReceived, flow.SYNSent, flow.Listen},
	flow.FINWait1:    {flow.FINWait2, flow.CloseWait, flow.LastACK, flow.TimeWait},
	flow.FINWait2:    {flow.FINWait1, flow.CloseWait, flow.TimeWait, flow.Closed},
	flow.CloseWait:   {flow.FINWait1, flow.LastACK, flow.TimeWait},
	flow.LastACK:     {flow.CloseWait, flow.FINWait1, flow.TimeWait},
	flow.TimeWait:    {flow.FINWait2, flow.LastACK, flow.Closed},
	flow.Closed:      {flow.TimeWait, flow.LastACK, flow.FINWait2},
}

// states asks for an end's state after a segment that changes it, where nothing is lost and
// everything stands in its order.
func (e *examiner) states(c *explain.Conversation) {
	r := &c.Connection
	if !opened(c) {
		return
	}
	for _, d := range []*flow.Direction{&r.ToServer, &r.ToClient} {
		if d.Missing+d.OutOfOrder+d.Retransmissions > 0 {
			return
		}
	}
	if !inOrder(c) || !causal(c) {
		return
	}
	for i := range c.Steps {
		if !e.look() || e.full(State) {
			return
		}
		s := &c.Steps[i]
		if s.Kind != explain.Segment || s.Has(special) {
			continue
		}
		for _, end := range []struct {
			side          flow.Side
			before, after flow.State
		}{{flow.ClientSide, s.Before.Client, s.After.Client}, {flow.ServerSide, s.Before.Server, s.After.Server}} {
			if end.before == end.after || end.before == flow.StateNone || len(confusable[end.after]) == 0 {
				continue
			}
			q := Question{
				Topic: State, Conversation: c, Ask: note("quiz.state-ask-sent", "", end.side, end.before, explain.Number(s.Frame)),
				Shown: show(false, s), Choices: []explain.Note{state(end.after), state(end.before)},
				Why: append(meaning(s), note("quiz.state-why", "RFC 9293 §3.3.2", end.side, end.before, end.after)),
			}
			if s.Sender() != end.side {
				q.Ask.Key = "quiz.state-ask-received"
			}
			for _, other := range confusable[end.after] {
				q.Choices = append(q.Choices, state(other))
			}
			e.add(q)
		}
	}
}

// inOrder reports whether each segment begins where the sender's last one ended.
func inOrder(c *explain.Conversation) bool {
	var next [2]uint32
	var known [2]bool
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Kind == explain.Folded {
			known = [2]bool{}
			continue
		}
		end := 0
		if !s.FromClient {
			end = 1
		}
		if s.Kind != explain.Segment || s.HasFlags(decode.RST) || s.Has(explain.KeepAlive|explain.Probe) {
			continue
		}
		if known[end] && s.Seq != next[end] {
			return false
		}
		next[end], known[end] = behind(s), true
	}
	return true
}

// causal reports whether no segment acknowledges what was captured only later, or never.
func causal(c *explain.Conversation) bool {
	var next [2]uint32 // by sender: the client's, the server's
	var known [2]bool
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Kind == explain.Folded {
			known = [2]bool{}
			continue
		}
		me, peer := 0, 1
		if !s.FromClient {
			me, peer = 1, 0
		}
		if s.Kind != explain.Segment || s.HasFlags(decode.RST) {
			continue
		}
		if s.HasFlags(decode.ACK) && known[peer] && int32(s.Ack-next[peer]) > 0 {
			return false
		}
		if !known[me] || int32(behind(s)-next[me]) > 0 {
			next[me], known[me] = behind(s), true
		}
	}
	return true
}

func state(s flow.State) explain.Note { return note("quiz.state", "", s) }
