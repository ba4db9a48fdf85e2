package ladder

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/report/explain"
	"sockscope/report/words"
)

// render is the page of conversations.
func render(t testing.TB, list []explain.Conversation, language words.Language, title string) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, list, words.New(language), title); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func renderSVG(t testing.TB, c *explain.Conversation, language words.Language) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSVG(&b, c, words.New(language)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// all are conversations of all kinds, in one list.
func all(t testing.TB) (list []explain.Conversation) {
	t.Helper()
	for _, name := range []string{"complete", "refused", "half-open", "retransmission-fast", "zero-window-probe", "udp-unreachable", "unreachable-ttl", "sctp-complete", "icmp-echo"} {
		list = append(list, traced(t, filepath.Join(captures, "zoo", name+".pcap"))...)
	}
	for _, c := range made() {
		list = append(list, *c)
	}
	return list
}

func TestPicturesAreXML(t *testing.T) {
	n := 0
	everyConversation(t, func(t *testing.T, c *explain.Conversation) {
		n++
		for _, language := range languages[n%2 : n%2+1] { // both would take long
			d := xml.NewDecoder(strings.NewReader(renderSVG(t, c, language)))
			elements := map[string]int{}
			for {
				token, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if start, ok := token.(xml.StartElement); ok {
					if start.Name.Space != "http://www.w3.org/2000/svg" {
						t.Errorf("element %s is of %q", start.Name.Local, start.Name.Space)
					}
					elements[start.Name.Local]++
				}
			}
			if elements["svg"] != 1 || elements["script"] != 0 || elements["a"] != 0 || elements["style"] != 1 {
				t.Errorf("elements %v", elements)
			}
			arrows := 0
			for i := range c.Steps {
				if c.Steps[i].Kind != explain.Folded {
					arrows++
				}
			}
			if elements["polygon"] != arrows {
				t.Errorf("%d heads of arrows for %d steps", elements["polygon"], arrows)
			}
		}
	})
}

// tags are the start and end tags of a page, without their attributes' values.
func tags(page string) []string {
	found := regexp.MustCompile(`</?[a-zA-Z!][^>]*>`).FindAllString(strings.NewReplacer(styleSheet(), "", drawingStyle, "", script, "").Replace(page), -1)
	value := regexp.MustCompile(`"[^"]*"`)
	for i, tag := range found {
		found[i] = value.ReplaceAllString(tag, `""`)
	}
	return found
}

func TestEveryElementIsClosed(t *testing.T) {
	for _, language := range languages {
		var open []string
		for _, tag := range tags(render(t, all(t), language, "x.pcap")) {
			word := regexp.MustCompile(`[a-zA-Z0-9]+`).FindString(tag)
			switch {
			case strings.HasPrefix(tag, "<!"), strings.HasSuffix(tag, "/>"), word == "meta":
			case strings.HasPrefix(tag, "</"):
				if len(open) == 0 || open[len(open)-1] != word {
					t.Fatalf("%s closes %v", tag, open)
				}
				open = open[:len(open)-1]
			default:
				open = append(open, word)
			}
		}
		if len(open) != 0 {
			t.Errorf("%v left open", open)
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	list := all(t)
	page := render(t, list, words.English, "x.pcap")
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if seen[m[1]] {
			t.Errorf("id %q twice", m[1])
		}
		seen[m[1]] = true
	}
	links := map[string]int{}
	for _, m := range regexp.MustCompile(` href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "#") || !seen[m[1][1:]] {
			t.Errorf("link to %q, which is no place in the page", m[1])
		}
		links[m[1]]++
	}
	for i := range list {
		for j := range list[i].Steps {
			if id := "#" + stepID(conversationID(i), j); links[id] != 2 {
				t.Errorf("%d links to %s, want one of each drawing", links[id], id)
			}
		}
	}
}

// Every message of the page is in the catalogue.
func TestNothingIsUnsaid(t *testing.T) {
	for _, language := range languages {
		for name, text := range map[string]string{"page": render(t, all(t), language, "x.pcap"), "picture": renderSVG(t, everything(), language)} {
			if at := regexp.MustCompile(`!(explain|ladder)\.|%!|!\(`).FindStringIndex(text); at != nil {
				t.Errorf("%s, %s: …%s…", language, name, text[max(0, at[0]-60):min(len(text), at[1]+60)])
			}
			if !strings.Contains(text, ` lang="`+language.String()+`"`) {
				t.Errorf("%s: the %s does not say its language", language, name)
			}
		}
	}
}

func TestSameConversationsSameBytes(t *testing.T) {
	list := traced(t, captures+"zoo/complete.pcap")
	want := render(t, list, words.Korean, "x")
	for range 3 {
		if render(t, list, words.Korean, "x") != want {
			t.Fatal("two pages of the same conversations differ")
		}
	}
}

// The list has all that the ladder has, and what it is for.
func TestListTellsTheSteps(t *testing.T) {
	c := &traced(t, captures+"zoo/refused.pcap")[0]
	v := newView(0, c, words.New(words.English))
	if len(v.Steps) != len(c.Steps) {
		t.Fatalf("%d steps in the list, %d in the conversation", len(v.Steps), len(c.Steps))
	}
	s := v.Steps[1]
	if s.Time != "0.020000" || s.Frame != "frame 2" || s.From != "server" || s.To != "client" || s.Look != "reset" || len(s.Notes) == 0 || s.Notes[0].RFC == "" {
		t.Errorf("%+v", s)
	}
	for _, want := range []string{"client: SYN-SENT → CLOSED", "client: connect() fails with ECONNREFUSED"} {
		if !strings.Contains(strings.Join(append(s.States, s.Calls...), "\n"), want) {
			t.Errorf("%q is missing in %v %v", want, s.States, s.Calls)
		}
	}
}

// Calls that were seen stand between the steps, in the drawing as in the list.
func TestCallsAreInOrder(t *testing.T) {
	c := callsSeen()
	want := []string{"listen(3, 128) = 0", "accept4(3, …)", "connect(4, 192.0.2.2:80)", "SYN", "SYN ACK", "ACK", "connect(4, 192.0.2.2:80) = 0", "accept4(3, 192.0.2.1:40000) = 5"}
	var listed, drawn []string
	for _, s := range newView(0, c, words.New(words.English)).Steps {
		listed = append(listed, s.Label)
	}
	for _, r := range lay(c, words.New(words.English), narrow, maxSteps).Rows {
		switch r.Kind {
		case rowStep:
			drawn = append(drawn, c.Steps[r.Step].Label(words.New(words.English)))
		case rowCall:
			drawn = append(drawn, r.Texts[0].Text)
		}
	}
	if diff := cmp.Diff([][]string{want, want}, [][]string{listed, drawn}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScriptIsSmall(t *testing.T) {
	if len(script) > 4<<10 {
		t.Errorf("page.js has %d bytes", len(script))
	}
	if strings.Contains(script, "</") || strings.Contains(styleSheet(), "</") {
		t.Error("an asset holds </ and may end its element")
	}
	if strings.ContainsAny(drawingStyle, "<&") {
		t.Error("the drawing's style sheet is no character data of XML")
	}
}

// failing fails after n bytes.
type failing struct{ n int }

func (f *failing) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

var errDisk = errors.New("no space left on device")

func TestWriteErrorIsReported(t *testing.T) {
	list := all(t)
	for _, n := range []int{0, 70_000} {
		if err := Write(&failing{n}, list, words.New(words.English), "x"); !errors.Is(err, errDisk) {
			t.Errorf("page, after %d bytes: error %v, want %v", n, err, errDisk)
		}
	}
	if err := WriteSVG(&failing{}, &list[0], words.New(words.English)); !errors.Is(err, errDisk) {
		t.Errorf("picture: error %v, want %v", err, errDisk)
	}
}
