package ladder

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/words"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// traced are the conversations of a capture.
func traced(t testing.TB, name string) []explain.Conversation {
	t.Helper()
	source, err := pcapfile.Open(context.Background(), []string{name}, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	tracer := explain.NewTracer(explain.Config{MaxSteps: 200}, nil)
	var b capture.Block
	for {
		err := source.Next(&b)
		for i := range b.Frames {
			tracer.Frame(b.First+uint64(i), &b.Frames[i])
		}
		source.Release(&b)
		if errors.Is(err, io.EOF) {
			return tracer.Conversations()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

const captures = "../../../testdata/"

var (
	languages = []words.Language{words.English, words.Korean}
	forms     = map[string]form{"wide": wide, "narrow": narrow}
)

// dump is a drawing in words, a line for each shape.
func dump(d *drawing) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d × %d, 100 = %s\n", d.Width, d.Height, d.Scale)
	for i := range d.Rows {
		r := &d.Rows[i]
		kind := [...]string{"heads", "before", "step", "call", "silence", "after", "legend"}[r.Kind]
		fmt.Fprintf(&b, "%d–%d %s", r.Top, r.Bottom, kind)
		if r.Kind == rowStep {
			fmt.Fprintf(&b, " %d", r.Step)
		}
		if r.timed() {
			fmt.Fprintf(&b, " at %d, %s", r.Y, r.Spacing)
		}
		b.WriteByte('\n')
		for _, t := range r.Texts {
			fmt.Fprintf(&b, "  %4d,%-4d %-6s %s: %s\n", t.X, t.Y, t.Anchor, t.Class, t.Text)
		}
		if a := r.Arrow; a != nil {
			fmt.Fprintf(&b, "  %4d,%-4d → %d,%d %s router=%t cross=%t\n", a.X1, a.Y1, a.X2, a.Y2, a.Class, a.Router, a.Cross)
		}
		if r.Band != nil {
			fmt.Fprintf(&b, "  band %v\n", *r.Band)
		}
		for _, l := range r.Lines {
			fmt.Fprintf(&b, "  %4d,%-4d – %d,%d %s\n", l.X1, l.Y1, l.X2, l.Y2, l.Class)
		}
		for _, s := range r.Bars {
			fmt.Fprintf(&b, "  %4d %d–%d %s %s\n", s.X, s.Top, s.Bottom, s.Class, s.State)
		}
	}
	return b.String()
}

func TestGoldenLayouts(t *testing.T) {
	for name, file := range map[string]string{
		"handshake": "complete", "refused": "refused", "half-open": "half-open", "retransmission": "retransmission",
		"zero-window": "zero-window-probe", "udp": "udp-answered", "unreachable": "unreachable-ttl",
	} {
		c := &traced(t, captures+"zoo/"+file+".pcap")[0]
		for _, language := range languages {
			for form, f := range forms {
				golden := filepath.Join("testdata", name+"-"+form+"."+language.String())
				t.Run(filepath.Base(golden), func(t *testing.T) {
					got := dump(lay(c, words.New(language), f, maxSteps))
					if *update {
						if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
							t.Fatal(err)
						}
					}
					want, err := os.ReadFile(golden)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

// everyConversation calls f for conversations of all kinds: of our captures, and of what
// captures do not have.
func everyConversation(t *testing.T, f func(t *testing.T, c *explain.Conversation)) {
	t.Helper()
	for _, pattern := range []string{"zoo/*.pcap*", "corpus/*.pcap*", "handshakes.pcap"} {
		files, err := filepath.Glob(captures + pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, error %v", pattern, len(files), err)
		}
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				list := traced(t, file)
				for i := range list[:min(len(list), 12)] {
					f(t, &list[i])
				}
			})
		}
	}
	for name, c := range made() {
		t.Run(name, func(t *testing.T) { f(t, c) })
	}
}

// eachDrawing lays a conversation out in all languages and forms.
func eachDrawing(c *explain.Conversation, f func(name string, d *drawing)) {
	for _, language := range languages {
		for name, form := range forms {
			f(fmt.Sprintf("connection %d, %s, %s", c.Connection.ID, language, name), lay(c, words.New(language), form, maxSteps))
		}
	}
}

// Text stands in its row and on the paper, and no two texts, no text and arrow, and no text
// and lifeline, are on top of each other.
func TestNothingOverlaps(t *testing.T) {
	everyConversation(t, func(t *testing.T, c *explain.Conversation) {
		eachDrawing(c, func(name string, d *drawing) {
			for i := range d.Rows {
				r := &d.Rows[i]
				for j := range r.Texts {
					text := &r.Texts[j]
					box := text.Box()
					if box.Left < 0 || box.Right > d.Width || box.Top < r.Top || box.Bottom > r.Bottom {
						t.Errorf("%s, row %d: %q at %v leaves the row %d–%d", name, i, text.Text, box, r.Top, r.Bottom)
					}
					for k := range r.Texts[:j] {
						if other := &r.Texts[k]; box.Overlaps(other.Box()) {
							t.Errorf("%s, row %d: %q at %v is upon %q at %v", name, i, text.Text, box, other.Text, other.Box())
						}
					}
					for _, b := range r.Bars {
						if box.Overlaps(rectangle{b.Left(), b.Top, b.Left() + barWidth, b.Bottom}) {
							t.Errorf("%s, row %d: %q at %v is upon the lifeline at %d", name, i, text.Text, box, b.X)
						}
					}
					if r.Arrow != nil && crosses(r.Arrow, box) {
						t.Errorf("%s, row %d: %q at %v is upon its arrow %+v", name, i, text.Text, box, *r.Arrow)
					}
					for _, l := range r.Lines {
						if box.Overlaps(rectangle{min(l.X1, l.X2), min(l.Y1, l.Y2), max(l.X1, l.X2) + 1, max(l.Y1, l.Y2) + 1}) {
							t.Errorf("%s, row %d: %q at %v is upon the line %+v", name, i, text.Text, box, l)
						}
					}
				}
			}
		})
	})
}

// crosses reports whether an arrow, its head or its router lies upon a box.
func crosses(a *arrow, box rectangle) bool {
	const steps = 400
	for i := range steps + 1 {
		x, y := a.X1+(a.X2-a.X1)*i/steps, a.Y1+(a.Y2-a.Y1)*i/steps
		if box.Overlaps(rectangle{x, y, x + 1, y + 1}) {
			return true
		}
	}
	head := rectangle{a.X2, a.Y2, a.X2, a.Y2}
	for _, p := range a.Head() {
		head = rectangle{min(head.Left, p[0]), min(head.Top, p[1]), max(head.Right, p[0]), max(head.Bottom, p[1])}
	}
	return box.Overlaps(head) || a.Router && box.Overlaps(rectangle{a.X1 - 5, a.Y1 - 5, a.X1 + 5, a.Y1 + 5})
}

// Time runs down; where the axis says that it is to scale it is, and where it says that it is
// not, it is not.
func TestTimeRunsDownToScale(t *testing.T) {
	everyConversation(t, func(t *testing.T, c *explain.Conversation) {
		eachDrawing(c, func(name string, d *drawing) {
			when, at, first := capture.Unknown, 0, true
			calls, silence := 0, false
			for i := range d.Rows {
				r := &d.Rows[i]
				if r.Kind == rowSilence {
					silence = true
				}
				if !r.timed() {
					continue
				}
				now, until := capture.Unknown, capture.Unknown
				if r.Kind == rowStep {
					now = c.Steps[r.Step].Time
					if until = now; c.Steps[r.Step].Run != nil {
						until = c.Steps[r.Step].Run.LastTime
					}
				} else {
					now = c.Calls[calls].Time
					until = now
					calls++
				}
				if !first {
					took, known := now.Sub(when)
					want := d.Scale.units(took)
					switch {
					case r.Y <= at:
						t.Errorf("%s, row %d: at %d, the one before at %d", name, i, r.Y, at)
					case known == (r.Spacing == untimed):
						t.Errorf("%s, row %d: is %s, known %t", name, i, r.Spacing, known)
					case r.Spacing == toScale && r.Y-at != want:
						t.Errorf("%s, row %d: %s takes %d, at a scale of %s it should take %d", name, i, took, r.Y-at, d.Scale, want)
					case r.Spacing == spread && d.Scale != 0 && want >= r.Y-at && took > 0:
						t.Errorf("%s, row %d: is called spread, but %s would take %d of %d", name, i, took, want, r.Y-at)
					case r.Spacing == broken && want <= maxStretch:
						t.Errorf("%s, row %d: %s is left out, for it would take %d", name, i, took, want)
					case silence != (r.Spacing == broken):
						t.Errorf("%s, row %d: is %s, silence %t", name, i, r.Spacing, silence)
					}
				}
				when, at, first, silence = until, r.Y, false, false
				if r.Band != nil {
					at = r.Band.Bottom
				}
			}
		})
	})
}

// The lifelines have no holes but the silences, and no state changes between two rows.
func TestLifelinesGoOn(t *testing.T) {
	everyConversation(t, func(t *testing.T, c *explain.Conversation) {
		eachDrawing(c, func(name string, d *drawing) {
			for _, x := range d.Lifelines {
				var last *stretch
				for i := range d.Rows {
					r := &d.Rows[i]
					for j := range r.Bars {
						b := &r.Bars[j]
						if b.X != x {
							continue
						}
						if last != nil {
							if hole := b.Top - last.Bottom; hole != 0 && !(r.Kind == rowSilence && hole == 12) {
								t.Errorf("%s, row %d: a hole of %d", name, i, hole)
							}
							if b.Top == r.Top && b.State != last.State {
								t.Errorf("%s, row %d: %q before it, %q in it", name, i, last.State, b.State)
							}
						}
						if b.Bottom < b.Top {
							t.Errorf("%s, row %d: %+v", name, i, *b)
						}
						last = b
					}
				}
				if last == nil {
					t.Errorf("%s: no lifeline at %d", name, x)
				}
			}
			for i := range d.Rows[1:] {
				if d.Rows[i].Bottom != d.Rows[i+1].Top {
					t.Errorf("%s: row %d ends at %d, the next one begins at %d", name, i, d.Rows[i].Bottom, d.Rows[i+1].Top)
				}
			}
			if end := d.Rows[len(d.Rows)-1].Bottom; end != d.Height {
				t.Errorf("%s: ends at %d, height %d", name, end, d.Height)
			}
		})
	})
}

func TestScale(t *testing.T) {
	const ms = time.Millisecond
	of := func(room int, took ...time.Duration) (list []distance) {
		for _, d := range took {
			list = append(list, distance{d, d >= 0, room})
		}
		return list
	}
	for _, test := range []struct {
		name string
		list []distance
		want scale
	}{
		{"nothing", nil, 0},
		{"no time is known", of(40, -1, -1), 0},
		{"all at once", of(40, 0, 0), 0},
		{"one distance takes the least paper", of(40, 20*ms), scale(50 * ms)},
		{"what is most often decides", of(40, 20*ms, 21*ms, 22*ms, time.Minute), scale(50 * ms)},
		{"a silence speaks against a scale", of(40, ms, 100*ms), scale(200 * ms)},
		{"all of a back-off", of(40, time.Second, 2*time.Second, 4*time.Second), scale(2 * time.Second)},
		{"nanoseconds", of(40, 30), scale(50)},
		{"days", of(40, 100*time.Hour), scale(500_000 * time.Second)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := scaleOf(test.list); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		7: "7 ns", 1500: "1.5 µs", 20 * time.Millisecond: "20 ms", 1024 * time.Millisecond: "1.024 s", time.Hour: "3600 s",
	} {
		if got := span(d); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A step that is special in several ways looks like the one that matters most.
func TestLook(t *testing.T) {
	for _, test := range []struct {
		want string
		step explain.Step
	}{
		{"opens", explain.Step{Flags: decode.SYN}},
		{"opens", explain.Step{Flags: decode.ACK, Marks: explain.Handshake}},
		{"again", explain.Step{Flags: decode.SYN, Marks: explain.Retransmitted}},
		{"reset", explain.Step{Flags: decode.RST | decode.ACK, Marks: explain.Retransmitted}},
		{"full", explain.Step{Flags: decode.ACK, Marks: explain.ZeroWindow | explain.DuplicateACK}},
		{"full", explain.Step{Flags: decode.ACK, Payload: 1, Marks: explain.Probe}},
		{"odd", explain.Step{Flags: decode.ACK, Marks: explain.DuplicateACK}},
		{"closes", explain.Step{Flags: decode.FIN | decode.ACK}},
		{"closes", explain.Step{Flags: decode.ACK, Marks: explain.AcksFIN}},
		{"data", explain.Step{Flags: decode.ACK, Payload: 9}},
		{"data", explain.Step{Kind: explain.Datagram}},
		{"plain", explain.Step{Flags: decode.ACK}},
		{"error", explain.Step{Kind: explain.ICMPError, Flags: decode.SYN}},
	} {
		if got := look(&test.step); got != test.want {
			t.Errorf("%+v looks %s, want %s", test.step, got, test.want)
		}
	}
}

// What is drawn is cut, and what is cut is said.
func TestLongConversationsAreCut(t *testing.T) {
	c := made()["calls"]
	for len(c.Steps) < maxSteps+5 {
		c.Steps = append(c.Steps, c.Steps[len(c.Steps)-1])
	}
	n := 0
	for _, r := range lay(c, words.New(words.English), wide, maxSteps).Rows {
		if r.Kind == rowStep {
			n++
		}
	}
	if n != maxSteps {
		t.Errorf("%d steps are drawn", n)
	}
	if got := left(c, words.New(words.English)); got != "5 more steps are not drawn: the text format has them." {
		t.Error(got)
	}
}

// A state's class is that of a colour.
func TestEveryStateHasAColour(t *testing.T) {
	for s := range flow.NumStates {
		class := stateClass(s)
		if class == "" || s != flow.Closed && !strings.Contains(drawingStyle, ".bar."+class+" ") {
			t.Errorf("%s has the class %q", s, class)
		}
	}
}
