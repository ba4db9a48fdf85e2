package explain

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report/words"
)

// What each segment is taken for: the sentences that are said of it, and the calls behind it.
func TestWhatSegmentsAre(t *testing.T) {
	for _, test := range []struct{ rule, words, want string }{
		{"a handshake, data, and the client closes first", "S h A D a F f A",
			`> syn [client connect()] | < synack | > ack-open [client connect() = 0, server accept() =] |
			> data [client send(), server recv() = 10] | < ack | > fin [client close() or shutdown(), server recv() = 0] |
			< fin-second ack-fin [server close() or shutdown()] | > ack-fin-wait`},
		{"the server answers", "S h A D d A", `> syn [client connect()] | < synack | > ack-open [client connect() = 0, server accept() =] |
			> data [client send(), server recv() = 10] | < data-back [server send(), client recv() = 10] | > ack`},
		{"nobody listens", "S r", "> syn [client connect()] | < rst-refuses [client connect() = ECONNREFUSED]"},
		{"a reset that acknowledges something else proves nothing", "S r^", "> syn [client connect()] | < rst-refuses-bare"},
		{"a reset without an acknowledgment is none for a client that waits", "S r> r>", "> syn [client connect()] | < rst-ignored | < rst-ignored-more"},
		{"a reset behind the SYN-ACK: nobody sees what the client knew", "S h r", "> syn [client connect()] | < synack | < rst"},
		{"nobody answers", "S 1s S= 2s S=", "> syn [client connect()] | > syn-again | > syn-again-more"},
		{"both open at once", "S s H h", `> syn [client connect()] | < syn-simultaneous [server connect()] | > synack-simultaneous |
			< synack-simultaneous [client connect() = 0, server connect() = 0]`},
		{"both open at once, and a SYN-ACK gets lost", "S s H h 1s h=", `> syn [client connect()] | < syn-simultaneous [server connect()] |
			> synack-simultaneous | < synack-simultaneous [client connect() = 0, server connect() = 0] | < synack-again`},
		{"the client resets the attempt", "S h R", "> syn [client connect()] | < synack | > rst-aborts"},
		{"the SYN-ACK does not fit", "S h^", "> syn [client connect()] | < synack-mismatch"},
		{"a reset", "S h A D a r", `> syn [client connect()] | < synack | > ack-open [client connect() = 0, server accept() =] |
			> data [client send(), server recv() = 10] | < ack | < rst [client recv() = ECONNRESET]`},
		{"a retransmission", "S h A D 1s D= a", `> syn [client connect()] | < synack | > ack-open [client connect() = 0, server accept() =] |
			> data [client send(), server recv() = 10] | > again | < ack`},
		{"a gap: what is behind it cannot be read yet", "S h A D> a", `> syn [client connect()] | < synack |
			> ack-open [client connect() = 0, server accept() =] | > data gap [client send()] | < ack`},
		{"no room, and a question for it", "S h A D a0 1s P a0 1s a", `> syn [client connect()] | < synack |
			> ack-open [client connect() = 0, server accept() =] | > data [client send()] | < zero-window |
			> probe | < zero-window-more | < window-opens [server recv()]`},
		{"more room than before, and nothing else", "S h A D a a/2000 D a/2000 a/1000 a/2000", `> syn [client connect()] | < synack |
			> ack-open [client connect() = 0, server accept() =] | > data [client send(), server recv() = 10] | < ack |
			< window-update [server recv()] | > data-more [server recv() = 10] | < ack-more | < ack-more | < window-update-more [server recv()]`},
		{"more room right after a SYN, by rounding, and before any data", "S s H/500 a h/900 A a/2000", `> syn [client connect()] | < syn-simultaneous [server connect()] |
			> synack-simultaneous | < ack [client connect() = 0, server connect() = 0] | < synack-simultaneous | > ack-more | < ack-more`},
		{"the room shrinks by all that came: nobody has read it", "S h/30 A D a/20 D a/10 a/30 D a/25", `> syn [client connect()] | < synack |
			> ack-open [client connect() = 0, server accept() =] | > data [client send()] | < ack | > data-more | < ack-more |
			< window-update [server recv()] | > data-more [server recv() = 10] | < ack-more`},
		{"of two segments that are acknowledged together neither was read", "S h/30 A D D a/10", `> syn [client connect()] | < synack |
			> ack-open [client connect() = 0, server accept() =] | > data [client send()] | > data-more | < ack`},
		{"midstream a window is in nobody knows which unit, but no room is no room", "D a/30 D a/20 D a0",
			"> data [client send(), server recv() = 10] | < ack | > data-more [server recv() = 10] | < ack-more | > data-more | < zero-window"},
		{"what one side sends until the other one answers may be of one call", "S h A D D a D d D", `> syn [client connect()] | < synack |
			> ack-open [client connect() = 0, server accept() =] | > data [client send(), server recv() = 10] | > data-more [server recv() = 10] |
			< ack | > data-more [server recv() = 10] | < data-back [server send(), client recv() = 10] | > data-more [client send(), server recv() = 10]`},
		{"who gets data after its FIN and acknowledges them has used shutdown()", "S h A F a d A f A", `> syn [client connect()] | < synack |
			> ack-open [client connect() = 0, server accept() =] | > fin [client shutdown(), server recv() = 0] | < ack-fin |
			< data [server send(), client recv() = 10] | > ack | < fin-second [server close() or shutdown(), client recv() = 0] | > ack-fin-wait`},
		{"who gets data after its FIN and answers with a reset has closed", "S h A F a d R", `> syn [client connect()] | < synack |
			> ack-open [client connect() = 0, server accept() =] | > fin [client close(), server recv() = 0] | < ack-fin |
			< data [server send()] | > rst-late`},
		{"data from before the FIN tell nothing", "S h A d F f A", `> syn [client connect()] | < synack |
			> ack-open [client connect() = 0, server accept() =] | < data [server send(), client recv() = 10] |
			> fin [client close() or shutdown(), server recv() = 0] | < fin-second ack-fin [server close() or shutdown()] | > ack-fin-wait`},
		{"a keep-alive", "S h A D a 1m Ak a", `> syn [client connect()] | < synack | > ack-open [client connect() = 0, server accept() =] |
			> data [client send(), server recv() = 10] | < ack | > keep-alive | < keep-alive-ack`},
		{"midstream", "D a", "> data [client send(), server recv() = 10] | < ack"},
		{"a SYN-ACK without its SYN", "h", "< synack"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			c := followOne(t, test.words, Config{Full: true})
			var steps []string
			for i := range c.Steps {
				steps = append(steps, stepWords(&c.Steps[i]))
			}
			want := strings.Join(strings.Fields(test.want), " ")
			if diff := cmp.Diff(strings.Split(want, " | "), steps); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.words, diff)
			}
		})
	}
}

// stepWords is a step in the words of the table above.
func stepWords(s *Step) string {
	text := "<"
	if s.FromClient {
		text = ">"
	}
	for i := range s.Notes {
		text += " " + strings.TrimPrefix(s.Notes[i].Key, "explain.")
	}
	var calls []string
	for i := range s.Calls {
		c := &s.Calls[i]
		call := c.Side.String() + " " + c.Text
		if c.At == Returns {
			call = strings.TrimRight(call+" = "+c.Result, " ")
		}
		calls = append(calls, call)
	}
	if len(calls) > 0 {
		text += " [" + strings.Join(calls, ", ") + "]"
	}
	return text
}

// What the verdict says of segments that were sent again: the SYN-ACKs of a simultaneous open
// are none, for they are prescribed.
func TestWhatWasSentAgain(t *testing.T) {
	for _, test := range []struct{ rule, words, want string }{
		{"nothing", "S h A D a", ""},
		{"data", "S h A D 1s D= a", "1 of the client, first in 5"},
		{"the SYN-ACKs of a simultaneous open", "S s H h D a", ""},
		{"one of them for lack of an answer", "S s H h 1s h= A", "1 of the server, first in 5"},
		{"data after a simultaneous open", "S s H h D 1s D= a", "1 of the client, first in 6"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			var got []string
			for _, n := range followOne(t, test.words, Config{}).Verdict {
				if n.Key == "explain.resent" {
					got = append(got, fmt.Sprintf("%d of the %v, first in %d", n.Args...))
				}
			}
			if got := strings.Join(got, "; "); got != test.want {
				t.Errorf("%s: %s, want %s", test.words, got, test.want)
			}
		})
	}
}

// What the verdict says of the end: who was first, and who has to wait.
func TestHowItWasClosed(t *testing.T) {
	for _, test := range []struct {
		rule, words string
		crossing    int // the frame that had not heard of the FIN before it; 0: none
		want        string
	}{
		{"the client first", "S h A F f A", 0, "close-fin client server, time-wait client"},
		{"the server first", "S h A f F a", 0, "close-fin server client, time-wait server"},
		{"both at once", "S h A F f A a", 5, "close-fin-both, time-wait-both"},
		{"both at once, and the answers in the other order", "S h A F f a A", 5, "close-fin-both, time-wait-both"},
		{"data were sent again", "S h A D 1s D= a F f A", 0, "close-fin-in-the-end client server, time-wait client"},
		{"the first SYN got lost", "S 1s S= h A F f A", 0, "close-fin-in-the-end client server, time-wait client"},
		{"data are not in the capture", "S h A D> a F f A", 0, "close-fin-in-the-end client server, time-wait client"},
		{"both at once, and a FIN was sent again", "S h A F f 1s F= A a", 5, "close-fin-both-in-the-end, time-wait-both"},
		{"the other end does not close", "S h A F a", 0, "close-half-close client server"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			frames := play(t, test.words)
			if test.crossing > 0 {
				frames[test.crossing-1].Data[31]--
			}
			var got []string
			for _, n := range follow(frames, Config{})[0].Verdict {
				key := strings.TrimPrefix(n.Key, "explain.")
				if strings.HasPrefix(key, "close-") || strings.HasPrefix(key, "time-wait") {
					got = append(got, strings.TrimSuffix(fmt.Sprintln(append([]any{key}, n.Args...)...), "\n"))
				}
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("%s: %s, want %s", test.words, got, test.want)
			}
		})
	}
}

// The call that returns is the one that began: with Fast Open sendto() sends the SYN.
func TestFastOpenReturns(t *testing.T) {
	for _, test := range []struct{ rule, words, want string }{
		{"the connection is open", "S h A", `> syn syn-data [client sendto(MSG_FASTOPEN)] | < synack-early early-taken [server accept() =, server recv() =] |
			> ack-open [client sendto(MSG_FASTOPEN) =]`},
		{"nobody listens", "S r", "> syn syn-data [client sendto(MSG_FASTOPEN)] | < rst-refuses [client sendto(MSG_FASTOPEN) = ECONNREFUSED]"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			frames := play(t, test.words)
			for i := range frames { // 4 bytes ride along with the SYN
				f := &frames[i]
				switch {
				case i == 0:
					f.Data = append(f.Data, "ping"...)
					f.Data[3], f.Length = f.Data[3]+4, f.Length+4
				case f.Data[12] == 192:
					f.Data[27] += 4
				default:
					f.Data[31] += 4
				}
			}
			var steps []string
			for _, s := range follow(frames, Config{})[0].Steps {
				steps = append(steps, stepWords(&s))
			}
			if diff := cmp.Diff(strings.Split(strings.Join(strings.Fields(test.want), " "), " | "), steps); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.words, diff)
			}
		})
	}
}

// Nothing came back, or something that is no answer: the verdict tells these apart.
func TestUnanswered(t *testing.T) {
	for script, want := range map[string]string{
		"S":          "unanswered: one SYN and nothing back.",
		"S s":        "unanswered: one SYN, and nothing that acknowledges it.",
		"S 1s S=":    "unanswered: 2 SYNs and nothing back.",
		"S r>":       "unanswered: one SYN, and nothing that acknowledges it.",
		"S r> 1s S=": "unanswered: 2 SYNs, and nothing that acknowledges them.",
	} {
		if got := followOne(t, script, Config{}).Verdict[0].Say(words.New(words.English)); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", script, got)
		}
	}
}

// Sums say what a number is made of, relative and absolute, past 2^32 as well.
func TestSums(t *testing.T) {
	c := followOne(t, "S h A d D F", Config{})
	var got []string
	for i := range c.Steps {
		s := &c.Steps[i]
		got = append(got, strings.Join(s.Details(words.New(words.English))[:2], ", "))
		for _, sum := range []*Sum{s.Continues, s.Acks} {
			if sum != nil && !sum.Holds() {
				t.Errorf("frame %d: %s is not true", s.Frame, sum.Absolute())
			}
		}
	}
	want := []string{
		"seq 0 (1000), win 1000",
		"seq 0 (4294967291), ack 1 = 0 + 1 (1001 = 1000 + 1)",
		"seq 1 = 0 + 1 (1001 = 1000 + 1), ack 1 = 0 + 1 (4294967292 = 4294967291 + 1)",
		"seq 1 = 0 + 1 (4294967292 = 4294967291 + 1), ack 1 = 0 + 1 (1001 = 1000 + 1)",
		"seq 1 = 0 + 1 (1001 = 1000 + 1), ack 11 = 1 + 10 (6 = 4294967292 + 10)",
		"seq 11 = 1 + 10 (1011 = 1001 + 10), ack 11 = 1 + 10 (6 = 4294967292 + 10)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wrong := Sum{Total: 12, Base: 1, Payload: 10}
	if wrong.Holds() {
		t.Errorf("%s holds", wrong.Absolute())
	}
}

// Long phases are folded, but nothing in them that is special.
func TestFolding(t *testing.T) {
	data := strings.Repeat(" D a", 20)
	for _, test := range []struct {
		rule, words string
		cfg         Config
		want        string
	}{
		{"a short phase", "S h A D a D a", Config{}, "7"},
		{"a long phase: its first and its last segments are shown", "S h A" + data + " F", Config{}, "7 …35 2"},
		{"unless it is to be unfolded", "S h A" + data + " F", Config{Full: true}, "44"},
		{"a retransmission", "S h A" + data + " 1s D=" + data, Config{}, "7 …35 6 …35 1"},
		{"a zero window", "S h A" + data + " a0" + data, Config{}, "7 …35 8 …33 1"},
		{"a few segments more are not worth a line", "S h A D a D a D a D a F", Config{}, "12"},
		{"there is no room for more", "S h A" + data + " F", Config{MaxSteps: 5}, "5 and 39 left"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			c := followOne(t, test.words, test.cfg)
			var parts []string
			n := 0
			flush := func() {
				if n > 0 {
					parts = append(parts, fmt.Sprint(n))
				}
				n = 0
			}
			for i := range c.Steps {
				if r := c.Steps[i].Run; r != nil {
					flush()
					parts = append(parts, fmt.Sprintf("…%d", r.Segments()))
					continue
				}
				n++
			}
			flush()
			if c.Left > 0 {
				parts = append(parts, fmt.Sprintf("and %d left", c.Left))
			}
			if got := strings.Join(parts, " "); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// Who is the client may turn out late: then the steps before change sides, too.
func TestTheClientTurnsOutLate(t *testing.T) {
	frames := play(t, "d A D a")
	asks := func(_ uint8, payload []byte, f *flow.Finding) { f.Service, f.FromClient = "x", true }
	frames[0].Data = frames[0].Data[:40] // its payload was not captured, so it proves nothing
	c := follow(frames, Config{Full: true, Flow: flow.Config{Classify: asks}})
	if len(c) != 1 || c[0].Connection.Client.Port() != 40000 || c[0].Connection.Role != flow.RolePayload {
		t.Fatalf("%+v", c)
	}
	var got []bool
	for _, s := range c[0].Steps {
		got = append(got, s.FromClient)
	}
	if diff := cmp.Diff([]bool{false, true, true, false}, got); diff != "" {
		t.Error(diff)
	}
}

// A tuple that is used again is another conversation, and only the chosen ones are followed.
func TestChosenAmongReused(t *testing.T) {
	frames := append(play(t, "S h A F f A"), play(t, "S r")...)
	frames[6].Data[27]++ // another first number
	frames[7].Data[31]++
	all := follow(frames, Config{})
	if len(all) != 2 {
		t.Fatalf("%d conversations, want 2", len(all))
	}
	for i := range all {
		tracer := NewTracer(Config{}, []flow.Connection{all[i].Connection})
		for j := range frames {
			tracer.Frame(uint64(j+1), &frames[j])
		}
		got := tracer.Conversations()
		if len(got) != 1 || got[0].Connection.ID != uint64(i+1) || len(got[0].Steps) != len(all[i].Steps) {
			t.Errorf("connection %d: %d conversations, %+v", i+1, len(got), got)
		}
	}
}

// Calls that were seen stand where they happened, and no others are said.
func TestRealCalls(t *testing.T) {
	c := followOne(t, "S r", Config{})
	began := c.Began()
	c.Calls = []Call{
		{Side: flow.ClientSide, Text: "socket(AF_INET, SOCK_STREAM) = 3", Time: began - 1000},
		{Side: flow.ClientSide, Text: "connect(3, 198.51.100.1:80\x1b[31m)", Time: began - 500},
		{Side: flow.ClientSide, Text: "connect(3, 198.51.100.1:80) = ECONNREFUSED", Time: began + capture.Timestamp(11*time.Millisecond), At: Returns},
	}
	for _, write := range []func(b *strings.Builder) error{
		func(b *strings.Builder) error {
			return WriteText(b, c, TextOptions{Words: words.New(words.English), Width: 80})
		},
		func(b *strings.Builder) error { return WriteMarkdown(b, c, words.New(words.English)) },
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		at := -1
		for _, part := range []string{"socket(AF", `connect(3, 198.51.100.1:80\x1b[31m)`, "SYN", "RST ACK", "80) = ECONNREFUSED"} {
			next := strings.Index(strings.ReplaceAll(text, `\_`, "_")[at+1:], part)
			if next < 0 {
				t.Fatalf("%q is missing, or not in its place:\n%s", part, text)
			}
			at += 1 + next
		}
		if strings.Contains(text, "fails with") || strings.Contains(text, "inferred") || strings.Contains(text, "\x1b") {
			t.Errorf("inferred calls beside real ones, or raw bytes:\n%s", text)
		}
	}
}

// Frames without a time are shown without one.
func TestUnknownTimes(t *testing.T) {
	frames := play(t, "S h A")
	for i := range frames {
		frames[i].Time = capture.Unknown
	}
	c := follow(frames, Config{})
	var b strings.Builder
	if err := WriteText(&b, &c[0], TextOptions{Words: words.New(words.English), Width: 80}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "0.0") {
		t.Errorf("a time out of nowhere:\n%s", b.String())
	}
}

var (
	quoted = regexp.MustCompile(`"(explain\.[a-z-]*)"`)
	onces  = regexp.MustCompile(`k\.once\(s, "(explain\.[a-z-]+)"`)
	keyed  = regexp.MustCompile(`(?m)^(explain\.[a-z-]+):`)
)

// Each key in the program is in the catalogue, with a shorter one where it is said again, and
// each key in the catalogue is in the program, as a whole or by its beginning.
func TestEveryKeyHasWords(t *testing.T) {
	catalogue, err := os.ReadFile("../words/en/explain.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range keyed.FindAllStringSubmatch(string(catalogue), -1) {
		known[m[1]] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../../cmd/sockscope/explain.go")
	used, beginnings, again := map[string]bool{}, []string{}, []string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllStringSubmatch(string(source), -1) {
			if strings.HasSuffix(m[1], "-") {
				beginnings = append(beginnings, m[1])
				continue
			}
			used[m[1]] = true
			if !known[m[1]] && !known[m[1]+"service"] {
				t.Errorf("%s: %s has no words", name, m[1])
			}
		}
		for _, m := range onces.FindAllStringSubmatch(string(source), -1) {
			again = append(again, m[1])
		}
	}
	for _, k := range chunkKeys {
		again = append(again, k.key)
	}
	for _, m := range messages {
		again = append(again, m.key)
	}
	for _, reasons := range []map[[2]uint8]reason{reasons4, reasons6} {
		for _, r := range reasons {
			again = append(again, r.key)
		}
	}
	for _, key := range again {
		if !known[key+"-more"] {
			t.Errorf("%s has no words for when it is said again", key)
		}
	}
	for key := range known {
		whole := used[key] || used[strings.TrimSuffix(key, "-more")]
		for _, b := range beginnings {
			whole = whole || strings.HasPrefix(key, b)
		}
		if !whole {
			t.Errorf("%s is said nowhere", key)
		}
	}
}

// Numbers of bytes are short.
func TestSaySize(t *testing.T) {
	p := words.New(words.English)
	for n, want := range map[uint64]string{
		1: "1 byte", 9999: "9,999 bytes", 10_000: "10 kB", 64_256: "64 kB", 999_400: "999 kB", 999_600: "1.0 MB", 1_600_000: "1.6 MB", 1 << 40: "1.1 TB",
	} {
		if got := SaySize(p, n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// Whatever a frame says, following it neither fails nor breaks a line.
func TestBrokenFrames(t *testing.T) {
	rounds := 600
	if testing.Short() {
		rounds = 100
	}
	random := rand.New(rand.NewPCG(1, 2))
	scripts := []string{"S h A D d A F f A", "S r", "S s H h D a", "S h A D a0 P a0 a", "D a D> a D= a R", "h A D f"}
	languages := []*words.Printer{words.New(words.English), words.New(words.Korean)}
	for i := range rounds {
		frames := play(t, scripts[i%len(scripts)])
		for range 1 + random.IntN(6) {
			f := &frames[random.IntN(len(frames))]
			switch random.IntN(5) {
			case 0:
				f.Data = f.Data[:random.IntN(len(f.Data)+1)]
			case 1:
				f.Time = capture.Unknown
			case 2:
				f.Time -= capture.Timestamp(random.Int64N(int64(time.Hour)))
			default:
				if len(f.Data) > 0 {
					f.Data[random.IntN(len(f.Data))] = byte(random.Uint32())
				}
			}
		}
		conversations := follow(frames, Config{Full: i%2 == 0})
		for j := range conversations {
			c := &conversations[j]
			for k := range c.Steps {
				for _, sum := range []*Sum{c.Steps[k].Continues, c.Steps[k].Acks} {
					if sum != nil && !sum.Holds() {
						t.Fatalf("round %d: %s is not true", i, sum.Absolute())
					}
				}
			}
			const width = 80
			var b strings.Builder
			if err := WriteText(&b, c, TextOptions{Words: languages[i%2], Width: width}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				if w := words.Width(strings.TrimSuffix(line, "\n")); w > width {
					t.Fatalf("round %d: %d columns: %s", i, w, line)
				}
			}
		}
	}
}

// Which ICMP errors a call of a datagram client fails with: those that will not pass, and only
// for a socket that is connected (udp(7) of Linux).
func TestErrorsThatAClientIsTold(t *testing.T) {
	for _, test := range []struct {
		rule  string
		step  Step
		calls string
	}{
		{"nobody has the port", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 3}}, "socket() connect(); send(); recv() ECONNREFUSED"},
		{"the same of IPv6", Step{Kind: ICMPError, ICMP: &Message{Version: 6, Type: 1, Code: 4}}, "socket() connect(); send(); recv() ECONNREFUSED"},
		{"a firewall forbids it", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 13}}, "socket() connect(); send(); recv() EHOSTUNREACH"},
		{"the protocol is not spoken", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 2}}, "socket() connect(); send(); recv() ENOPROTOOPT"},
		{"there is no such network", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 6}}, "socket() connect(); send(); recv() ENETUNREACH"},
		{"there is no such host", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 7}}, "socket() connect(); send(); recv() EHOSTDOWN"},
		{"the network is closed", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 9}}, "socket() connect(); send(); recv() ENETUNREACH"},
		{"the host is closed", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 10}}, "socket() connect(); send(); recv() EHOSTUNREACH"},
		{"no route, which may pass", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 0}}, "socket(); sendto(); "},
		{"no host, which may pass", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 1}}, "socket(); sendto(); "},
		{"no host for this kind of service", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 3, Code: 12}}, "socket(); sendto(); "},
		{"too many routers, as traceroute asks for", Step{Kind: ICMPError, ICMP: &Message{Version: 4, Type: 11, Code: 0}}, "socket(); sendto(); "},
		{"the server's datagram did not arrive", Step{Kind: ICMPError, FromClient: true, ICMP: &Message{Version: 4, Type: 3, Code: 3}}, "socket(); sendto(); "},
	} {
		t.Run(test.rule, func(t *testing.T) {
			c := Conversation{Steps: []Step{{Kind: Datagram, FromClient: true}, test.step}}
			c.Connection.Protocol, c.Connection.HasPorts = protoUDP, true
			c.begin()
			c.comment()
			words := func(calls []Call) string {
				var all []string
				for _, c := range calls {
					all = append(all, strings.TrimSpace(c.Text+" "+c.Result))
				}
				return strings.Join(all, " ")
			}
			got := strings.Join([]string{words(c.Before), words(c.Steps[0].Calls), words(c.Steps[1].Calls)}, "; ")
			if got != test.calls {
				t.Errorf("got %s, want %s", got, test.calls)
			}
		})
	}
}

// A conversation of ICMP errors refers to what they are about, whatever they say themselves.
func TestRefer(t *testing.T) {
	for count, want := range map[int]string{
		1: "reply-only: nobody asks for an ICMP error. It quotes a packet of connection 4711 and is about that one: see there. RFC 4443 §3",
		3: "reply-only: nobody asks for an ICMP error. These quote packets of 3 connections and are about those: see there, the first is connection 4711. RFC 4443 §3",
	} {
		c := Conversation{Steps: []Step{{Kind: ICMP, ICMP: &Message{Version: 6, Type: 1, Code: 4}}}}
		c.Connection = flow.Connection{Protocol: protoICMPv6, IsICMP: true, Type: 1, Code: 4, Outcome: flow.ReplyOnly}
		c.comment()
		if !IsError(&c.Connection) {
			t.Error("it is no error")
		}
		c.Refer(4711, count)
		if got := c.Verdict[0].Say(words.New(words.English)) + " " + c.Verdict[0].RFC; got != want {
			t.Errorf("%d: %s", count, got)
		}
	}
	for _, other := range []flow.Connection{
		{Protocol: protoICMP, IsICMP: true, Type: 8, Outcome: flow.Unanswered},
		{Protocol: protoICMP, IsICMP: true, Type: 0, Outcome: flow.ReplyOnly},
		{Protocol: protoICMPv6, IsICMP: true, Type: 129, Outcome: flow.ReplyOnly},
		{Protocol: protoUDP, Outcome: flow.ReplyOnly},
	} {
		if IsError(&other) {
			t.Errorf("%+v is taken for an error", other)
		}
	}
}
