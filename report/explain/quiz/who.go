package quiz

import (
	"strings"

	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/service"
)

// whoIsClient asks for the client where the SYN tells it.
func (e *examiner) whoIsClient(c *explain.Conversation) {
	if !certain(c) {
		return
	}
	r := &c.Connection
	client, server := r.Client.String(), r.Server.String()
	q := Question{
		Topic: Client, Conversation: c, Ask: note("quiz.client-ask", ""), Shown: show(true, first(c, 3)...),
		Choices: []explain.Note{
			note("quiz.client-syn", "", client, explain.Number(r.SYNFrame)),
			note("quiz.client-both", ""),
			note("quiz.client-accepts", "", server, explain.Number(r.SYNFrame)),
		},
		Why: append(c.Header[:1:1], meaning(&c.Steps[0])...),
	}
	if r.SYNACKFrame != 0 {
		q.Choices = append(q.Choices, note("quiz.client-syn-ack", "", server, explain.Number(r.SYNACKFrame)))
	}
	if name, ok := service.Lookup(r.Protocol, r.Server.Port()); ok {
		q.Choices = append(q.Choices, note("quiz.client-door", "", server, name))
	}
	e.add(q)
}

// whoCloses asks who ended the connection, where the two ends' closing did not cross.
func (e *examiner) whoCloses(c *explain.Conversation) {
	r := &c.Connection
	if !opened(c) || !causal(c) || r.ClosedBy == flow.Neither || c.Left > 0 || r.ToServer.Missing+r.ToClient.Missing > 0 {
		return
	}
	var began *explain.Step
	var steps []*explain.Step
	seen := false   // by the other end
	follows := true // whatever that end does to close, it does after it has seen it
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Kind != explain.Segment {
			continue
		}
		answers := began != nil && s.FromClient != began.FromClient
		seen = seen || answers && s.HasFlags(decode.ACK) && s.Ack == behind(began)
		if s.Flags&(decode.FIN|decode.RST) == 0 || s.Has(explain.Retransmitted) {
			continue
		}
		steps = append(steps, s)
		switch {
		case began == nil:
			began = s
		case answers && (began.HasFlags(decode.RST) || !seen):
			follows = false // both may have done it by themselves
		}
	}
	if began == nil || began.Sender() != r.ClosedBy || began.Has(special) || !follows {
		return
	}
	ask, key := "quiz.closed-ask", "quiz.closed-by"
	switch r.Close {
	case flow.Fin, flow.HalfClose, flow.ResetAfterFin:
		if !began.HasFlags(decode.FIN) || began.HasFlags(decode.RST) {
			return
		}
	case flow.Reset:
		if ask, key = "quiz.reset-ask", "quiz.reset-by"; !began.HasFlags(decode.RST) {
			return
		}
	default:
		return
	}
	end := func(side flow.Side) explain.Note { return note(key, "", side, c.Endpoint(side)) }
	q := Question{
		Topic: ClosedBy, Conversation: c, Ask: note(ask, ""), Shown: show(false, steps[:min(len(steps), 4)]...),
		Choices: []explain.Note{end(began.Sender()), end(began.Receiver()), note("quiz.closed-both", ""), note("quiz.closed-nobody", "")},
		Why:     meaning(began),
	}
	for _, n := range c.Verdict {
		if strings.HasPrefix(n.Key, "explain.close-") || n.Key == "explain.time-wait" {
			q.Why = append(q.Why, n)
		}
	}
	e.add(q)
}

// behind is the sequence number behind a segment (RFC 9293 §3.4).
func behind(s *explain.Step) uint32 {
	end := s.Seq + s.Payload
	if s.HasFlags(decode.SYN) {
		end++
	}
	if s.HasFlags(decode.FIN) {
		end++
	}
	return end
}
