package report

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"sockscope/decode/flow"
)

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

func textOf(t testing.TB, s *Summary, o TextOptions) string {
	t.Helper()
	if o.Location == nil {
		o.Location = time.UTC
	}
	var b strings.Builder
	if err := WriteText(&b, s, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// summaries are what the tests of the text format write.
func summaries() map[string]*Summary {
	return map[string]*Summary{
		"office":  officeScene().summary(Config{}),
		"hostile": hostileSummary(),
		"attacks": attackScene().summary(Config{Top: 3, Sort: "start"}),
		"empty":   newScene().summary(Config{}),
		"live":    liveScene().summary(Config{}),
	}
}

func TestTextGolden(t *testing.T) {
	for name, s := range summaries() {
		for _, width := range []int{40, 80, 120, 200} {
			golden(t, fmt.Sprintf("report-%s-%d.golden", name, width), []byte(textOf(t, s, TextOptions{Width: width})))
		}
		golden(t, "report-"+name+"-ascii.golden", []byte(textOf(t, s, TextOptions{Width: 100, ASCII: true})))
		golden(t, "report-"+name+"-color.golden", []byte(textOf(t, s, TextOptions{Width: 100, Color: true})))
	}
}

func TestTextFitsAnyWidthAndIsSafe(t *testing.T) {
	for name, s := range summaries() {
		for width := 40; width <= 200; width++ {
			for _, ascii := range []bool{false, true} {
				text := textOf(t, s, TextOptions{Width: width, ASCII: ascii})
				for line := range strings.Lines(text) {
					line = strings.TrimSuffix(line, "\n")
					if n := textWidth(line); n > width {
						t.Fatalf("%s, width %d: line of %d cells: %q", name, width, n, line)
					}
					if strings.TrimRight(line, " ") != line {
						t.Fatalf("%s, width %d: blanks at the end: %q", name, width, line)
					}
					for _, r := range line {
						if !unicode.IsPrint(r) || ascii && r > 0x7e {
							t.Fatalf("%s, width %d: %U in %q", name, width, r, line)
						}
					}
				}
			}
		}
	}
}

func TestColourChangesOnlyColour(t *testing.T) {
	for name, s := range summaries() {
		want := textOf(t, s, TextOptions{})
		got := sgr.ReplaceAllString(textOf(t, s, TextOptions{Color: true}), "")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTimelineFitsWhateverItsStep(t *testing.T) {
	for _, span := range []time.Duration{time.Microsecond, time.Second, time.Hour, 100 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		s := newScene()
		for range 100 {
			s.tcp("10.0.0.1:1000", "192.0.2.1:443", flow.Complete, span/100)
		}
		for _, width := range []int{40, 41, 80, 200} {
			for line := range strings.Lines(textOf(t, s.summary(Config{}), TextOptions{Width: width})) {
				if n := textWidth(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("span %v, width %d: %d cells: %q", span, width, n, line)
				}
			}
		}
	}
}
