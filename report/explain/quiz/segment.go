package quiz

import (
	"fmt"
	"strconv"
	"strings"

	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/words"
)

// IP protocol numbers.
const (
	protoTCP = 6
	protoUDP = 17
)

// A Segment is a step that a question shows.
type Segment struct {
	*explain.Step
	ByAddress bool // its ends are named by their addresses, for who is the client is the question
}

// say is the segment in a line: "frame 4: client → server, PSH ACK  10 bytes, seq 1 (1001), ack 1 (5001)".
func (s *Segment) say(p *words.Printer, c *explain.Conversation) string {
	from, to := explain.SayName(p, s.Sender()), explain.SayName(p, s.Receiver())
	if s.ByAddress || c.Connection.Protocol != protoTCP {
		from, to = c.Endpoint(s.Sender()), c.Endpoint(s.Receiver())
	}
	if s.Kind == explain.ICMPError {
		from = s.ICMP.From
	}
	parts := []string{strings.ReplaceAll(s.Label(p), "  ", ", ")}
	if s.Kind == explain.Segment {
		parts = append(parts, number("seq", s.Seq, s.RelSeq, counts(c, s.Sender())))
		if s.Flags&decode.ACK != 0 {
			parts = append(parts, number("ack", s.Ack, s.RelAck, counts(c, s.Receiver())))
		}
	}
	return p.Say("quiz.segment", strconv.FormatUint(s.Frame, 10), from, to, strings.Join(parts, ", "))
}

// number is a sequence number as Wireshark shows it, and as it is, in one piece.
func number(name string, absolute, relative uint32, isRelative bool) string {
	if isRelative {
		return fmt.Sprintf("%s%s%d%s(%d)", name, unbroken, relative, unbroken, absolute)
	}
	return fmt.Sprintf("%s%s%d", name, unbroken, absolute)
}

// counts reports whether it is known from which number a side counts: its SYN is there.
func counts(c *explain.Conversation, side flow.Side) bool {
	if side == flow.ClientSide {
		return c.Connection.ToServer.Options.Known
	}
	return c.Connection.ToClient.Options.Known
}

// certain reports whether nothing is a guess in who opens the TCP connection, and how.
func certain(c *explain.Conversation) bool {
	r := &c.Connection
	const doubtful = flow.Simultaneous | flow.Reordered | flow.SYNACKMismatch | flow.FastOpen | flow.FastOpenIgnored |
		flow.ReusedOpen | flow.OneWay | flow.RSTInjected
	if r.Protocol != protoTCP || r.Role != flow.RoleSYN || r.Flags&doubtful != 0 || r.Client == r.Server || len(c.Steps) == 0 {
		return false
	}
	first := &c.Steps[0]
	return first.Frame == r.SYNFrame && first.Kind == explain.Segment && first.FromClient && first.Flags&(decode.SYN|decode.ACK|decode.FIN|decode.RST) == decode.SYN
}

// opened reports whether the handshake is complete and can be read in one way only: it is
// three segments, and nothing comes between them.
func opened(c *explain.Conversation) bool {
	r := &c.Connection
	if !certain(c) || r.Outcome != flow.Complete || r.Ambiguous || len(c.Steps) < 3 {
		return false
	}
	syn, synack, ack := &c.Steps[0], &c.Steps[1], &c.Steps[2]
	const control = decode.SYN | decode.ACK | decode.RST
	return synack.Frame == r.SYNACKFrame && synack.Flags&(control|decode.FIN) == decode.SYN|decode.ACK && synack.Ack == behind(syn) &&
		ack.Frame == r.ACKFrame && ack.Has(explain.Handshake) && ack.Flags&control == decode.ACK && ack.Ack == behind(synack)
}

// special are marks of segments that say more, or less, than their numbers.
const special = explain.Retransmitted | explain.OutOfOrder | explain.KeepAlive | explain.Probe | explain.Gap | explain.Simultaneous |
	explain.EarlyData | explain.EarlyDataTaken | explain.EarlyDataLeft | explain.Mismatch

// step is the step with a frame, or nil.
func step(c *explain.Conversation, frame uint64) *explain.Step {
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Frame == frame && s.Kind != explain.Folded {
			return s
		}
	}
	return nil
}

// show is what a question shows of steps; nil ones are left out.
func show(byAddress bool, steps ...*explain.Step) []Segment {
	var shown []Segment
	for _, s := range steps {
		if s != nil {
			shown = append(shown, Segment{s, byAddress})
		}
	}
	return shown
}

// first are the first steps of a conversation.
func first(c *explain.Conversation, n int) []*explain.Step {
	var steps []*explain.Step
	for i := range c.Steps[:min(n, len(c.Steps))] {
		if c.Steps[i].Kind != explain.Folded {
			steps = append(steps, &c.Steps[i])
		}
	}
	return steps
}

// note makes one.
func note(key, rfc string, args ...any) explain.Note {
	return explain.Note{Key: key, Args: args, RFC: rfc}
}

// meaning are a step's own sentences, with its frame.
func meaning(steps ...*explain.Step) []explain.Note {
	var notes []explain.Note
	for _, s := range steps {
		if s == nil {
			continue
		}
		for _, n := range s.Notes {
			notes = append(notes, note("quiz.frame", n.RFC, explain.Number(s.Frame), explain.Note{Key: n.Key, Args: n.Args}))
		}
	}
	return notes
}
