package quiz

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/explain"
)

// longOnes are conversations, of n steps after the handshake, that have much to look at and nothing
// to ask about.
var longOnes = []struct {
	rule string
	step func(i, n int) explain.Step
}{
	{"FINs that nobody answers", func(i, _ int) explain.Step {
		return explain.Step{FromClient: true, Flags: decode.FIN | decode.ACK, Seq: 1001 + uint32(i)}
	}},
	{"both ends' data, which nobody acknowledges", func(i, _ int) explain.Step {
		return explain.Step{FromClient: i%2 == 0, Flags: decode.ACK, Seq: 1001 + uint32(i), Payload: 1}
	}},
	{"data behind which a probe has been", func(i, _ int) explain.Step {
		s := explain.Step{FromClient: true, Flags: decode.ACK, Seq: 1001 + uint32(i), Payload: 1}
		if i == 0 {
			s.Payload = 1 << 30
		} else {
			s.Continues = &explain.Sum{Frame: uint64(i + 3)}
		}
		return s
	}},
	{"second copies that the capture may have made", func(i, n int) explain.Step {
		s := explain.Step{FromClient: true, Flags: decode.ACK, Seq: 1001 + uint32(i%(n/2)), Payload: 1}
		if i >= n/2 {
			s.Marks = explain.Retransmitted
		}
		return s
	}},
	{"data for a client that has no other socket", func(i, _ int) explain.Step {
		return explain.Step{Flags: decode.ACK, Seq: 5001 + uint32(i), Payload: 1, Marks: explain.Delivers}
	}},
}

// conversationOf is a conversation that begins with a handshake.
func conversationOf(n int, next func(i, n int) explain.Step) explain.Conversation {
	c := explain.Conversation{
		Connection: flow.Connection{
			Protocol: protoTCP, Role: flow.RoleSYN, Outcome: flow.Complete, FirstFrame: 1, SYNFrame: 1, SYNACKFrame: 2, ACKFrame: 3,
			Client: netip.MustParseAddrPort("192.0.2.1:40000"), Server: netip.MustParseAddrPort("198.51.100.1:80"),
		},
		Steps: []explain.Step{
			{Frame: 1, FromClient: true, Flags: decode.SYN, Seq: 1000},
			{Frame: 2, Flags: decode.SYN | decode.ACK, Seq: 5000, Ack: 1001},
			{Frame: 3, FromClient: true, Flags: decode.ACK, Seq: 1001, Ack: 5001, Marks: explain.Handshake},
		},
		Verdict: []explain.Note{{}},
		Header:  []explain.Note{{}},
	}
	for i := range n {
		s := next(i, n)
		s.Frame = uint64(i + 4)
		c.Steps = append(c.Steps, s)
	}
	return c
}

// looksAt is how many looks a quiz about a conversation takes; it does not wait for the end of
// ten for each step.
func looksAt(t *testing.T, c explain.Conversation) int {
	t.Helper()
	e := &examiner{ctx: &late{t.Context(), 10 * len(c.Steps) / pace}, pool: &Pool{}, conversations: []explain.Conversation{c}}
	e.about(&e.conversations[0])
	return e.looks
}

// However long a conversation is and whatever its steps are, each one is looked at a few
// times only.
func TestLooksGrowWithSteps(t *testing.T) {
	const steps, most = 50_000, 6 // acknowledgments, and the replies of two ends; sockets, states, data
	for _, test := range longOnes {
		n, twice := looksAt(t, conversationOf(steps, test.step)), looksAt(t, conversationOf(2*steps, test.step))
		if n < steps {
			t.Errorf("%s: %d looks at %d steps: some are not counted", test.rule, n, steps)
		}
		if n > most*(steps+3) || twice > 2*n {
			t.Errorf("%s: %d looks at %d steps and %d at %d, want at most %d for each", test.rule, n, steps, twice, 2*steps, most)
		}
	}
}

// Who gets enough questions about a topic is not looked at any further for it.
func TestLooksEndWithTopic(t *testing.T) {
	const steps = 1000
	c := conversationOf(steps, func(i, _ int) explain.Step { // data, acknowledgment, data …
		if i%2 == 1 {
			return explain.Step{Flags: decode.ACK, Seq: 5001, Ack: 1002 + uint32(i/2), Acks: &explain.Sum{Frame: uint64(i + 3)}}
		}
		return explain.Step{FromClient: true, Flags: decode.ACK, Seq: 1001 + uint32(i/2), Payload: 1}
	})
	e := &examiner{ctx: t.Context(), pool: &Pool{}, conversations: []explain.Conversation{c}}
	e.acknowledgments(&c)
	if len(e.found[Ack]) != perTopic || e.looks > 6*perTopic {
		t.Errorf("%d questions after %d looks at %d steps, want %d", len(e.found[Ack]), e.looks, steps, perTopic)
	}
}

// A late is a context that is done after it was asked some times.
type late struct {
	context.Context
	left int
}

func (l *late) Err() error {
	if l.left--; l.left < 0 {
		return context.Canceled
	}
	return nil
}

// A done context ends a quiz before it is made, whenever that happens: also within a
// conversation, and soon.
func TestNewEndsWithContext(t *testing.T) {
	conversations := []explain.Conversation{conversationOf(10_000, longOnes[0].step)}
	all := &late{t.Context(), 1 << 30}
	if q, err := New(all, Config{}, &Pool{}, conversations); err != nil || len(q.Questions) == 0 {
		t.Fatalf("without an end: %v, %v", q, err)
	}
	asked := 1<<30 - all.left
	if asked < 10_000/pace {
		t.Fatalf("the context is asked %d times", asked)
	}
	for left := range asked {
		ctx := &late{t.Context(), left}
		if q, err := New(ctx, Config{}, &Pool{}, conversations); q != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("done after %d times: %v, %v", left, q, err)
		}
		if ctx.left < -16 { // once for each topic's search, and by New
			t.Errorf("done after %d times: asked %d times more", left, -ctx.left)
		}
	}
}

// Data that ended behind a number is known where numbers can be compared, and taken for
// possible where they cannot.
func TestReach(t *testing.T) {
	for _, test := range []struct {
		rule string
		ends []uint32
		seq  uint32
		want bool
	}{
		{"the last end", []uint32{100, 200}, 200, false},
		{"an end before the last", []uint32{100, 200}, 100, true},
		{"the highest was not the last", []uint32{300, 200}, 200, true},
		{"around zero", []uint32{0xffff_ff00, 0x100}, 0x100, false},
		{"around zero, before", []uint32{0xffff_ff00, 0x100}, 0xffff_ff00, true},
		{"around zero, the first one is the highest", []uint32{0x100, 0xffff_ff00}, 0xffff_ff00, true},
		{"numbers that came around", []uint32{0, 0x6000_0000, 0xc000_0000, 0}, 0, true},
		{"too far for a comparison", []uint32{0, 0x7fff_ffff, 0xffff_ffff}, 0x7fff_ffff, true},
	} {
		var r reach
		for _, end := range test.ends {
			r.add(end)
		}
		if got := r.passed(test.seq); got != test.want {
			t.Errorf("%s: %v, want %v", test.rule, got, test.want)
		}
	}
}
