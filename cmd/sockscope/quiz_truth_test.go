package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/explain/quiz"
	say "sockscope/report/words"
)

// quizSeeds is with how many seeds each capture is asked about.
const quizSeeds = 12

// Of each question about any capture, one choice and no other one is true by the frames
// alone, and it is the one that counts as right; numbers are recomputed. All fits the page,
// in both languages.
func TestQuizEveryCapture(t *testing.T) {
	topics := map[quiz.Topic]int{}
	for _, path := range everyCapture(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			pool, conversations := quizMaterial(t, path)
			truth := truthOf(t, path)
			made := newQuiz(t, quiz.Config{Questions: 1000}, pool, conversations) // nearly all that there are
			for i := range made.Questions {
				topics[made.Questions[i].Topic]++
				truth.check(t, &made.Questions[i])
			}
			for seed := range uint64(quizSeeds) {
				made := newQuiz(t, quiz.Config{Questions: 20, Seed: seed}, pool, conversations)
				for i := range made.Questions {
					truth.check(t, &made.Questions[i])
				}
				if seed < 2 {
					checkQuizText(t, made)
				}
			}
		})
	}
	fewest := 20
	if testing.Short() { // not every capture
		fewest = 1
	}
	for topic := quiz.Client; topic <= quiz.Unreliable; topic++ {
		if topics[topic] < fewest && topic != quiz.Process { // captures name no processes
			t.Errorf("only %d questions about %v", topics[topic], topic)
		}
	}
	t.Log(topics)
}

// checkQuizText checks that a quiz fits the page and that all of it is said.
func checkQuizText(t *testing.T, made *quiz.Quiz) {
	t.Helper()
	for _, lang := range []say.Language{say.English, say.Korean} {
		for _, o := range []quiz.TextOptions{{Width: 80}, {Width: 60, Color: true}, {Width: 80, ASCII: lang == say.English}} {
			o.Words = say.New(lang)
			text := quiz.NewText(made, o)
			all := text.Sheet() + text.Opening(true)
			for i := range made.Questions {
				all += text.Judgment(i, quiz.Right) + text.Judgment(i, quiz.Wrong) + text.Judgment(i, quiz.Skipped) + text.Unclear(i)
			}
			for line := range strings.Lines(all + text.Score(quiz.Score{})) {
				line = escape.ReplaceAllString(strings.TrimSuffix(line, "\n"), "")
				if w := say.Width(line); w > o.Width {
					t.Errorf("%v: %d columns, want at most %d: %s", lang, w, o.Width, line)
				}
				if o.ASCII && strings.ContainsFunc(line, func(r rune) bool { return r >= 0x80 }) {
					t.Errorf("not ASCII: %s", line)
				}
			}
			var b strings.Builder
			if err := quiz.WriteMarkdown(&b, made, o.Words); err != nil {
				t.Fatal(err)
			}
			for _, s := range []string{all, b.String()} {
				if strings.Contains(s, "!quiz") || strings.Contains(s, "!explain") || strings.Contains(s, "%!") || strings.Contains(s, "\ue000") {
					t.Fatalf("%v: something has no words:\n%s", lang, s)
				}
			}
			if lang == say.English && !o.ASCII {
				checkEquations(t, b.String())
			}
		}
	}
}

// A packetTruth is what one frame's headers say.
type packetTruth struct {
	frame    uint64
	class    decode.Class
	src, dst netip.AddrPort
	flags    uint16
	seq, ack uint32
	payload  uint32
	quoted   [2]netip.AddrPort // of an ICMP error, of what could not be delivered
	number   uint32            // its sequence number
	typ      uint8
	code     uint8
}

func (p *packetTruth) has(flags uint16) bool { return p.class == decode.TCP && p.flags&flags == flags }

// end is the sequence number behind the packet.
func (p *packetTruth) end() uint32 {
	end := p.seq + p.payload
	if p.has(decode.SYN) {
		end++
	}
	if p.has(decode.FIN) {
		end++
	}
	return end
}

// A captureTruth is what the frames of a capture say, without any connection table.
type captureTruth struct {
	packets []packetTruth
	between map[uint64][]packetTruth // of connections, by their first frames
}

func truthOf(t *testing.T, path string) *captureTruth {
	t.Helper()
	src, err := pcapfile.Open(context.Background(), []string{path}, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	truth := &captureTruth{between: map[uint64][]packetTruth{}}
	var b capture.Block
	var p decode.Packet
	for {
		switch err := src.Next(&b); {
		case errors.Is(err, io.EOF):
			return truth
		case err != nil:
			t.Fatal(err)
		}
		for i := range b.Frames {
			f := &b.Frames[i]
			p.Decode(f.Data, f.Length, f.Link)
			if p.Version == 0 {
				continue
			}
			one := packetTruth{
				frame: b.First + uint64(i), class: p.Class, flags: p.Flags, seq: p.Seq, ack: p.Ack, payload: uint32(p.PayloadLength), typ: p.ICMPType, code: p.ICMPCode,
				src: netip.AddrPortFrom(p.Src.Netip(p.Version), p.SrcPort), dst: netip.AddrPortFrom(p.Dst.Netip(p.Version), p.DstPort),
			}
			if p.Class == decode.ICMP && p.Quoted.Valid {
				q := &p.Quoted
				one.quoted = [2]netip.AddrPort{netip.AddrPortFrom(q.Src.Netip(q.Version), q.SrcPort), netip.AddrPortFrom(q.Dst.Netip(q.Version), q.DstPort)}
				one.number = q.Seq
			}
			truth.packets = append(truth.packets, one)
		}
		src.Release(&b)
	}
}

// of are the packets between the two ends of a connection, from its first to its last frame.
func (c *captureTruth) of(conversation *explain.Conversation) []packetTruth {
	r := &conversation.Connection
	last := r.FirstFrame
	for i := range conversation.Steps {
		last = max(last, conversation.Steps[i].Frame)
		if run := conversation.Steps[i].Run; run != nil {
			last = max(last, run.LastFrame)
		}
	}
	own, known := c.between[r.FirstFrame]
	if known {
		return own
	}
	for _, p := range c.packets {
		if p.frame < r.FirstFrame || p.frame > last {
			continue
		}
		if p.quoted[0] == r.Client && r.SYNFrame != 0 && p.number-own[0].seq > 1<<30 {
			continue // it is about an earlier connection
		}
		if p.src == r.Client && p.dst == r.Server || p.src == r.Server && p.dst == r.Client ||
			p.quoted == [2]netip.AddrPort{r.Client, r.Server} || p.quoted == [2]netip.AddrPort{r.Server, r.Client} {
			own = append(own, p)
		}
	}
	c.between[r.FirstFrame] = own
	return own
}

func (c *captureTruth) frame(n uint64) *packetTruth {
	i, ok := slices.BinarySearchFunc(c.packets, n, func(p packetTruth, n uint64) int { return int(int64(p.frame) - int64(n)) })
	if !ok {
		return &packetTruth{}
	}
	return &c.packets[i]
}

// check checks that exactly the right choice of a question is true.
func (c *captureTruth) check(t *testing.T, q *quiz.Question) {
	t.Helper()
	own := c.of(q.Conversation)
	where := fmt.Sprintf("%v about connection %d", q.Topic, q.Conversation.Connection.ID)
	if q.Conversation.Connection.Role == flow.RoleFirst {
		t.Errorf("%s: who is the client is a guess", where)
	}
	if len(q.Why) == 0 {
		t.Errorf("%s: no explanation", where)
	}
	if q.Topic == quiz.Ack {
		c.checkNumbers(t, where, q, own)
		return
	}
	if len(q.Choices) < 3 || len(q.Choices) > 4 {
		t.Errorf("%s: %d choices", where, len(q.Choices))
	}
	p := say.New(say.English)
	said := map[string]bool{}
	for i := range q.Choices {
		choice := &q.Choices[i]
		if text := choice.Say(p); said[text] {
			t.Errorf("%s: two choices say %q", where, text)
		} else {
			said[text] = true
		}
		if true_ := c.holds(t, q, choice, own); true_ != (i == q.Right) {
			t.Errorf("%s: %q is %v, but counts as %v", where, choice.Say(p), true_, i == q.Right)
		}
	}
}

// checkNumbers recomputes the number that a question asks for.
func (c *captureTruth) checkNumbers(t *testing.T, where string, q *quiz.Question, own []packetTruth) {
	t.Helper()
	s := c.frame(q.Shown[0].Frame)
	if len(q.Numbers) == 0 || q.Numbers[0] != s.end() {
		t.Errorf("%s: %v, want %d behind frame %d", where, q.Numbers, s.end(), s.frame)
		return
	}
	if !slices.ContainsFunc(own, func(a packetTruth) bool {
		return a.frame > s.frame && a.src == s.dst && a.has(decode.ACK) && a.ack == s.end()
	}) {
		t.Errorf("%s: no segment acknowledges %d", where, s.end())
	}
	if len(q.Numbers) > 1 {
		i := slices.IndexFunc(own, func(o packetTruth) bool { return o.src == s.src && o.has(decode.SYN) })
		if i < 0 || q.Numbers[1] != s.end()-own[i].seq {
			t.Errorf("%s: relative %d, but no SYN says so", where, q.Numbers[1])
		}
	}
	if q.Check(strconv.FormatUint(uint64(s.end()), 10)) != quiz.Right || q.Check(strconv.FormatUint(uint64(s.end()+4711), 10)) != quiz.Wrong {
		t.Errorf("%s: the right number is not taken, or a wrong one is", where)
	}
}

// holds reports whether a choice is true by the frames.
func (c *captureTruth) holds(t *testing.T, q *quiz.Question, choice *explain.Note, own []packetTruth) bool {
	t.Helper()
	r := &q.Conversation.Connection
	frame := func(i int) *packetTruth { return c.frame(uint64(choice.Args[i].(explain.Number))) }
	count := func(has func(p *packetTruth) bool) (n int) {
		for i := range own {
			if has(&own[i]) {
				n++
			}
		}
		return n
	}
	fromServer := func(p *packetTruth) bool { return p.src == r.Server && p.class != decode.ICMP }
	switch choice.Key {
	case "quiz.client-syn": // and nobody else did before
		s := frame(1)
		return s.has(decode.SYN) && !s.has(decode.ACK) && s.src.String() == choice.Args[0] && own[0].frame == s.frame &&
			count(func(p *packetTruth) bool { return p.src == s.dst && p.has(decode.SYN) && !p.has(decode.ACK) }) == 0
	case "quiz.client-both":
		return count(func(p *packetTruth) bool { return p.src == r.Server && p.has(decode.SYN) && !p.has(decode.ACK) }) > 0
	case "quiz.client-accepts", "quiz.client-syn-ack", "quiz.client-door": // these show who is the server
		return choice.Args[0] == own[0].src.String()
	case "quiz.handshake-segment":
		s := frame(0)
		for _, p := range own { // the first ACK of the SYN-ACK
			if p.has(decode.SYN | decode.ACK) {
				for _, a := range own {
					if a.frame > p.frame && a.src == p.dst && a.has(decode.ACK) && a.ack == p.seq+1 {
						return a.frame == s.frame
					}
				}
			}
		}
		return false
	case "quiz.state":
		state, ok := c.state(own, r, q.Ask.Args[0].(flow.Side), uint64(q.Ask.Args[2].(explain.Number)))
		return !ok || state == choice.Args[0]
	case "quiz.failed-refused":
		return count(func(p *packetTruth) bool {
			return fromServer(p) && p.has(decode.RST) && p.ack == own[0].seq+own[0].payload+1
		}) > 0
	case "quiz.failed-unanswered":
		return count(fromServer) == 0 && count(func(p *packetTruth) bool { return p.class == decode.ICMP }) == 0
	case "quiz.failed-unreachable":
		return count(fromServer) == 0 && count(func(p *packetTruth) bool { return p.class == decode.ICMP && p.quoted[0] == r.Client }) > 0
	case "quiz.failed-half-open":
		return count(func(p *packetTruth) bool { return fromServer(p) && p.has(decode.SYN|decode.ACK) }) > 0 &&
			count(func(p *packetTruth) bool { return p.src == r.Client && (p.has(decode.ACK) || p.has(decode.RST)) }) == 0
	case "quiz.socket":
		s := c.frame(q.Shown[0].Frame)
		return choice.Args[0] == s.dst.String() && choice.Args[1] == s.src.String()
	case "quiz.socket-listens": // it has no connection
		return false
	case "quiz.lent-one":
		return own[0].has(decode.SYN) && fmt.Sprint(choice.Args[0]) == fmt.Sprint(own[0].src.Port()) && choice.Args[1] == own[0].src.Addr().String()
	case "quiz.range-well-known", "quiz.range-registered", "quiz.range-dynamic":
		port := q.Ask.Args[1].(explain.Number)
		return port < 1024 == (choice.Key == "quiz.range-well-known") && port >= 49152 == (choice.Key == "quiz.range-dynamic")
	case "quiz.count-each", "quiz.count-one", "quiz.count-none", "quiz.count-twice", "quiz.count-attempts":
		n := map[string]int{"quiz.count-one": 1}[choice.Key]
		if len(choice.Args) > 0 {
			n = choice.Args[0].(int)
		}
		return n == c.completed(r.Server)
	case "quiz.again-yes", "quiz.again-no":
		s, o := c.frame(q.Shown[len(q.Shown)-1].Frame), frame(0)
		if choice.Key == "quiz.again-no" {
			return o.src == s.src && o.frame < s.frame && o.end() == s.seq && count(func(p *packetTruth) bool {
				return p.class == decode.TCP && p.src == s.src && p.frame < s.frame && p.payload > 0 && int32(p.end()-s.seq) > 0 && int32(p.seq-s.end()) < 0
			}) == 0
		}
		return o.src == s.src && o.frame < s.frame && o.seq == s.seq && o.payload == s.payload
	case "quiz.again-no-keep-alive", "quiz.again-no-other", "quiz.again-same-ack":
		return false // true or not, that does not tell
	case "quiz.closed-by", "quiz.reset-by":
		for _, p := range own {
			if p.has(decode.FIN) || p.has(decode.RST) {
				return choice.Args[1] == p.src.String()
			}
		}
	case "quiz.closed-nobody":
		return count(func(p *packetTruth) bool { return p.has(decode.FIN) || p.has(decode.RST) }) == 0
	case "quiz.closed-both":
		return c.crossed(own)
	case "quiz.udp-nothing":
		return count(fromServer) == 0 && count(func(p *packetTruth) bool { return p.class == decode.ICMP }) == 0
	case "quiz.udp-refused":
		return count(func(p *packetTruth) bool {
			return p.class == decode.ICMP && p.quoted[0] == r.Client && (p.typ == 3 && p.code == 3 || p.typ == 1 && p.code == 4)
		}) > 0
	case "quiz.udp-instead-nobody": // RFC 768
		return true
	case "quiz.lent-both", "quiz.lent-none", "quiz.udp-timeout", "quiz.udp-repeats", "quiz.udp-never",
		"quiz.udp-instead-kernel", "quiz.udp-instead-error", "quiz.udp-instead-receiver":
		return false
	}
	t.Errorf("nothing is known of %s", choice.Key)
	return false
}

// completed is how many handshakes with a server the capture has, from SYN to ACK.
func (c *captureTruth) completed(server netip.AddrPort) (n int) {
	type attempt struct {
		client netip.AddrPort
		isn    uint32
	}
	accepted := map[attempt]uint32{} // by client and the SYN's number: the SYN-ACK's
	for _, p := range c.packets {
		switch {
		case p.src == server && p.has(decode.SYN|decode.ACK):
			accepted[attempt{p.dst, p.ack - 1}] = p.seq
		case p.dst == server && p.has(decode.ACK) && !p.has(decode.SYN) && !p.has(decode.RST):
			for a, isn := range accepted {
				if a.client == p.src && p.ack == isn+1 {
					n++
					delete(accepted, a)
				}
			}
		}
	}
	return n
}

// crossed reports whether both ends ended the connection by themselves: neither had
// acknowledged the other one's FIN when it sent its own.
func (c *captureTruth) crossed(own []packetTruth) bool {
	var first *packetTruth
	acked := false
	for i := range own {
		p := &own[i]
		if first != nil && p.src == first.dst && p.has(decode.ACK) && p.ack == first.end() {
			acked = true
		}
		switch {
		case !p.has(decode.FIN) && !p.has(decode.RST):
		case first == nil:
			first = p
		case p.src == first.dst:
			return !acked
		}
	}
	return false
}

// state is in which state a side is behind a frame (RFC 9293 §3.3.2), for a connection
// without losses; false when its course is another one.
func (c *captureTruth) state(own []packetTruth, r *flow.Connection, side flow.Side, frame uint64) (flow.State, bool) {
	me, states := r.Client, [2]flow.State{flow.Closed, flow.Listen}
	if side == flow.ServerSide {
		me = r.Server
	}
	var isn, fin [2]uint32
	var closed [2]bool
	for i := range own {
		p := &own[i]
		if p.frame > frame {
			break
		}
		if p.class != decode.TCP {
			continue
		}
		s := 0
		if p.src == r.Server {
			s = 1
		}
		o := 1 - s
		if p.has(decode.RST) {
			states = [2]flow.State{flow.Closed, flow.Closed}
			continue
		}
		if p.has(decode.SYN) {
			isn[s] = p.seq
			states[s] = flow.SYNSent
			if p.has(decode.ACK) {
				states[s] = flow.SYNReceived
			}
			continue
		}
		if states[s] == flow.SYNSent && p.ack == isn[o]+1 {
			states[s], states[o] = flow.Established, flow.Established
		}
		if closed[o] && p.ack == fin[o] { // the FIN has arrived
			switch states[s] {
			case flow.Established:
				states[s] = flow.CloseWait
			case flow.FINWait1:
				states[s] = flow.Closing
			case flow.FINWait2:
				states[s] = flow.TimeWait
			}
			switch states[o] {
			case flow.FINWait1:
				states[o] = flow.FINWait2
			case flow.Closing:
				states[o] = flow.TimeWait
			case flow.LastACK:
				states[o] = flow.Closed
			}
		}
		if p.has(decode.FIN) {
			fin[s], closed[s] = p.end(), true
			switch states[s] {
			case flow.Established:
				states[s] = flow.FINWait1
			case flow.CloseWait:
				states[s] = flow.LastACK
			}
		}
	}
	if me == r.Server {
		return states[1], true
	}
	return states[0], true
}
