package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/explain"
	say "sockscope/report/words"
)

// What explain prints for the shapes that a connection can have, in both languages.
func TestExplainGolden(t *testing.T) {
	for _, name := range []string{"close-fin-by-server", "refused", "unanswered", "unreachable-host", "half-open", "aborted-by-client",
		"mismatched", "reply-only-synack", "midstream", "implied", "simultaneous", "fast-open", "fast-open-ignored", "syn-retransmitted",
		"retransmission-fast", "duplicate-acks", "out-of-order", "capture-loss", "zero-window-probe", "keep-alive", "close-reset-by-server",
		"close-reset-after-fin", "close-half", "reuse-in-time-wait", "wrapped-in-handshake", "complete-ipv6", "tunnel-vxlan", "vlan", "fragments",
		"udp-answered", "udp-unreachable", "icmp-echo", "sctp-complete", "sctp-refused"} {
		for _, format := range []string{"text --lang en", "text --lang ko", "markdown --lang en", "markdown --lang ko"} {
			words := strings.Fields(format)
			lang, ext := words[2], map[string]string{"text": "txt", "markdown": "md"}[words[0]]
			if ext == "md" && name != "close-fin-by-server" && name != "udp-unreachable" {
				continue
			}
			file := name + "." + lang + "." + ext
			t.Run(file, func(t *testing.T) {
				t.Setenv("COLUMNS", "80")
				got := explained(t, "-r", filepath.Join(testdata, "zoo", name+".pcap"), "--all", "--format", words[0], "--lang", lang)
				golden(t, filepath.Join(testdata, "golden", "explain", file), []byte(got))
			})
		}
	}
}

// explained is what the program prints for the flags of explain.
func explained(t *testing.T, args ...string) string {
	t.Helper()
	for name, value := range map[string]string{"LC_ALL": "C.UTF-8", "NO_COLOR": "", "TZ": "UTC"} {
		t.Setenv(name, value)
	}
	var stdout, stderr bytes.Buffer
	if status := run(context.Background(), append([]string{"explain"}, args...), strings.NewReader(""), &stdout, &stderr); status != exitDone {
		t.Fatalf("exit status %d: %s", status, &stderr)
	}
	return stdout.String()
}

// everyCapture is all that we have, the corpus included; with -short every fourth.
func everyCapture(t *testing.T) []string {
	t.Helper()
	names := captures(t)
	err := filepath.WalkDir(corpus, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !slices.Contains([]string{".tsv", ".md", ".py"}, filepath.Ext(name)) {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if !testing.Short() {
		return names
	}
	var some []string
	for i := 0; i < len(names); i += 4 {
		some = append(some, names[i])
	}
	return some
}

// shownEach is of how many connections of a capture the texts are checked.
const shownEach = 20

// Explaining any connection says what the reports say of it, what it says is true, and it
// fits the page, in both languages.
func TestExplainEveryCapture(t *testing.T) {
	equations := 0
	for _, path := range everyCapture(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			res, _ := analyse(t, path, flowConfig())
			var want []flow.Connection
			for c := range res.Connections() {
				want = append(want, *c)
			}
			folded := follow(t, path, explain.Config{Flow: flowConfig()}, nil)
			sameConnections(t, want, folded)
			full := follow(t, path, explain.Config{Flow: flowConfig(), Full: true}, want)
			sameConnections(t, want, full)
			for i := range full {
				checkSteps(t, &full[i])
				checkSteps(t, &folded[i])
			}
			for i := range folded[:min(shownEach, len(folded))] {
				equations += checkText(t, &folded[i])
			}
			for i := range full[:min(shownEach/10, len(full))] {
				equations += checkText(t, &full[i])
			}
		})
	}
	if equations < 1000 {
		t.Errorf("only %d equations were found in the texts", equations)
	}
}

// follow gives the conversations of a capture.
func follow(t *testing.T, path string, cfg explain.Config, chosen []flow.Connection) []explain.Conversation {
	t.Helper()
	src, err := pcapfile.Open(context.Background(), []string{path}, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	tracer := explain.NewTracer(cfg, chosen)
	var b capture.Block
	for {
		switch err := src.Next(&b); {
		case errors.Is(err, io.EOF):
			return tracer.Conversations()
		case err != nil:
			t.Fatal(err)
		}
		for i := range b.Frames {
			tracer.Frame(b.First+uint64(i), &b.Frames[i])
		}
		src.Release(&b)
	}
}

// sameConnections compares what was followed with what the engine found.
func sameConnections(t *testing.T, want []flow.Connection, got []explain.Conversation) {
	t.Helper()
	var connections []flow.Connection
	for i := range got {
		connections = append(connections, got[i].Connection)
	}
	same := []cmp.Option{cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
	if len(want) != len(connections) {
		t.Fatalf("%d conversations of %d connections", len(connections), len(want))
	}
	for i := range want {
		if diff := cmp.Diff(want[i], connections[i], same...); diff != "" {
			t.Fatalf("connection %d (-engine +explain):\n%s", want[i].ID, diff)
		}
	}
}

// checkSteps checks that the steps of a conversation are all that it has, that their sums are
// right, and that each begins in the states in which the one before ended.
func checkSteps(t *testing.T, c *explain.Conversation) {
	t.Helper()
	var client, server uint64
	ends := explain.Ends{Client: c.ClientStart, Server: c.ServerStart}
	for i := range c.Steps {
		s := &c.Steps[i]
		switch {
		case s.Run != nil:
			client += s.Run.ToServer.Segments
			server += s.Run.ToClient.Segments
		case s.Outer:
		case s.FromClient:
			client++
		default:
			server++
		}
		for _, sum := range []*explain.Sum{s.Continues, s.Acks} {
			if sum != nil && !sum.Holds() {
				t.Errorf("connection %d, frame %d: %s is not true", c.Connection.ID, s.Frame, sum.Absolute())
			}
		}
		if s.Before != ends {
			t.Errorf("connection %d, frame %d begins in %v, but the one before ended in %v", c.Connection.ID, s.Frame, s.Before, ends)
		}
		ends = s.After
	}
	if client+server+c.Left != c.Connection.ToServer.Packets+c.Connection.ToClient.Packets ||
		c.Left == 0 && c.Connection.Client != c.Connection.Server && client != c.Connection.ToServer.Packets {
		t.Errorf("connection %d: %d and %d steps, %d left, of %d and %d packets", c.Connection.ID, client, server, c.Left,
			c.Connection.ToServer.Packets, c.Connection.ToClient.Packets)
	}
	if len(c.Header) == 0 || len(c.Verdict) == 0 {
		t.Errorf("connection %d: nothing is said of it", c.Connection.ID)
	}
}

var (
	sumText     = regexp.MustCompile(`(\d+) = (\d+)((?: \+ \d+)+)`)
	productText = regexp.MustCompile(`(\d+) [×x] (\d+) = (\d+)`)
	escape      = regexp.MustCompile("\x1b\\[[0-9;]*m")
)

// checkText checks that a conversation fits the page, that it says all in the reader's
// language, and that each equation in it is true. It tells how many these are.
func checkText(t *testing.T, c *explain.Conversation) (equations int) {
	t.Helper()
	for _, lang := range []say.Language{say.English, say.Korean} {
		p := say.New(lang)
		var texts []string
		for _, o := range []explain.TextOptions{{Width: 80}, {Width: 120}, {Width: 80, Color: true}, {Width: 80, ASCII: true}} {
			o.Words = p
			var b strings.Builder
			if err := explain.WriteText(&b, c, o); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			for line := range strings.Lines(text) {
				line = escape.ReplaceAllString(strings.TrimSuffix(line, "\n"), "")
				if w := say.Width(line); w > o.Width {
					t.Errorf("connection %d, %v: %d columns, want at most %d: %s", c.Connection.ID, lang, w, o.Width, line)
				}
				if o.ASCII && lang == say.English && strings.ContainsFunc(line, func(r rune) bool { return r >= 0x80 }) {
					t.Errorf("connection %d: not ASCII: %s", c.Connection.ID, line)
				}
			}
			texts = append(texts, text)
		}
		var b strings.Builder
		if err := explain.WriteMarkdown(&b, c, p); err != nil {
			t.Fatal(err)
		}
		for i, text := range append(texts, b.String()) {
			if strings.Contains(text, "!explain") || strings.Contains(text, "%!") || strings.Contains(text, "!(") {
				t.Errorf("connection %d, %v: something has no words:\n%s", c.Connection.ID, lang, text)
			}
			if lang == say.English && i != 1 && i != 2 { // all have the same ones; × is an x where only ASCII is shown
				equations += checkEquations(t, text)
			}
		}
	}
	return equations
}

// checkEquations recomputes what stands in a text.
func checkEquations(t *testing.T, text string) (n int) {
	t.Helper()
	number := func(s string) uint32 {
		v, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			t.Errorf("%v", err)
		}
		return uint32(v)
	}
	for _, m := range sumText.FindAllStringSubmatch(text, -1) {
		n++
		total := number(m[2])
		for _, term := range strings.Split(m[3], " + ")[1:] {
			total += number(term)
		}
		if total != number(m[1]) {
			t.Errorf("%s is not true", m[0])
		}
	}
	for _, m := range productText.FindAllStringSubmatch(text, -1) {
		n++
		if number(m[1])*number(m[2]) != number(m[3]) {
			t.Errorf("%s is not true", m[0])
		}
	}
	return n
}

// A source that can be read only once is explained as a file is.
func TestExplainStandardInput(t *testing.T) {
	const name = testdata + "/handshakes.pcap"
	want := explained(t, "-r", name, "--all", "--lang", "en")
	var stdout, stderr bytes.Buffer
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if status := run(context.Background(), []string{"explain", "-r", "-", "--all", "--lang", "en"}, bytes.NewReader(file), &stdout, &stderr); status != exitDone {
		t.Fatalf("exit status %d: %s", status, &stderr)
	}
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("-file +standard input:\n%s", diff)
	}
}

// There is room for some frames of a source that can be read only once, and it is counted
// for how many there was none.
func TestKeptIsBounded(t *testing.T) {
	k := &kept{most: 2 * (keptOverhead + 10)}
	data := make([]byte, 10)
	for i := range 5 {
		k.keep(uint64(i+1), &capture.Frame{Data: data, Length: 10})
	}
	k.keep(6, &capture.Frame{}) // small, but there is a hole before it
	data[0] = 1                 // the frames are copies
	var numbers []uint64
	for n, f := range k.all() {
		numbers = append(numbers, n)
		if f.Data[0] != 0 {
			t.Errorf("frame %d is not the one that came", n)
		}
	}
	if diff := cmp.Diff([]uint64{1, 2}, numbers); diff != "" || k.left != 4 {
		t.Errorf("%d left, kept: %s", k.left, diff)
	}
}

// As JSON each connection is a document in a line, with what the text has.
func TestExplainJSON(t *testing.T) {
	got := explained(t, "-r", testdata+"/handshakes.pcap", "--all", "--lang", "en", "--format", "json")
	res, _ := analyse(t, testdata+"/handshakes.pcap", flowConfig())
	want := 0
	for range res.Connections() {
		want++
	}
	documents := 0
	for line := range strings.Lines(got) {
		var d struct {
			Steps []struct {
				Seq, Ack uint32
				Flags    []string
				SeqSum   *struct{ Total, Base, Payload uint32 } `json:"seq_sum"`
				Notes    []struct{ Text, RFC string }
			}
			Verdict []struct{ Text string }
		}
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		documents++
		if len(d.Steps) == 0 || len(d.Verdict) == 0 {
			t.Errorf("nothing in %s", line)
		}
		for _, s := range d.Steps {
			if s.SeqSum != nil && s.SeqSum.Total != s.Seq {
				t.Errorf("a sum of %d for sequence number %d", s.SeqSum.Total, s.Seq)
			}
			for _, n := range s.Notes {
				if n.Text == "" || strings.HasPrefix(n.Text, "!") {
					t.Errorf("a note without words: %s", line)
				}
			}
		}
	}
	if documents != want {
		t.Errorf("%d documents, want %d", documents, want)
	}
}

// The user chooses connections.
func TestExplainChooses(t *testing.T) {
	const name = testdata + "/handshakes.pcap"
	res, _ := analyse(t, name, flowConfig())
	var all []flow.Connection
	for c := range res.Connections() {
		all = append(all, *c)
	}
	fifth := &all[4]
	community, _ := report.CommunityID(fifth)
	title := "Connection 5: TCP " + fifth.Client.String()
	for _, test := range []struct {
		rule, args, want string
		titles           int
	}{
		{"by number", "--connection 5", title, 1},
		{"several numbers", "--connection 5 --connection 1", title, 2},
		{"by Community ID", "--community-id " + community, title, 1},
		{"the first ones", "--top 2", strconv.Itoa(len(all)-2) + " more connections are not shown", 2},
		{"ten unless told otherwise", "", strconv.Itoa(len(all)-10) + " more connections are not shown", 10},
		{"all", "--all", title, len(all)},
		{"by a capture filter", "udp port 53", "UDP", 0},
		{"none", "port 9", "There is no connection to explain.", 0},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := explained(t, append([]string{"-r", name, "--lang", "en"}, strings.Fields(test.args)...)...)
			if !strings.Contains(got, test.want) {
				t.Errorf("%q is missing in:\n%s", test.want, got)
			}
			if n := strings.Count("\n"+got, "\nConnection "); test.titles > 0 && n != test.titles {
				t.Errorf("%d connections, want %d", n, test.titles)
			}
		})
	}
	for args, want := range map[string]string{
		"--connection 4711":         "--connection 4711: there is none",
		"--connection 0":            "must be a number from 1 on",
		"--community-id 1:nobody":   "no connection has it",
		"--all --top 3":             "--all and --top contradict each other",
		"--all --connection 1":      "--connection and --community-id contradict --all and --top",
		"--lang de":                 "--lang de: ",
		"--format pdf --top 1":      "--format pdf: ",
		"--community-id \x1b[31mid": `\x1b[31mid`,
	} {
		var stdout, stderr bytes.Buffer
		status := run(context.Background(), append([]string{"explain", "-r", name}, strings.Fields(args)...), strings.NewReader(""), &stdout, &stderr)
		if status != exitUsage || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit status %d: %s, want %s", args, status, &stderr, want)
		}
	}
}

// An ICMP error is told with the connection that it is about: its own conversation says which
// that is, chosen alone or not, and says so of none that is not in the capture.
func TestExplainErrorsReferToTheirConnections(t *testing.T) {
	for _, test := range []struct{ rule, file, args, want string }{
		{"of UDP", "udp-unreachable", "--all", "packet of connection 1 "},
		{"chosen alone", "udp-unreachable", "--connection 2", "packet of connection 1 "},
		{"of TCP", "unreachable-host", "--all", "packet of connection 1 "},
		{"of IPv6", "udp-unreachable-ipv6", "--all", "packet of connection 1 "},
		{"about nothing that is there", "icmp-of-nothing", "--all", "what asked for it is not in the capture"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			t.Setenv("COLUMNS", "120")
			args := append([]string{"-r", filepath.Join(testdata, "zoo", test.file+".pcap"), "--lang", "en"}, strings.Fields(test.args)...)
			text := strings.Join(strings.Fields(explained(t, args...)), " ")
			if strings.Count(text, "reply-only: ") != 1 || !strings.Contains(text, test.want) {
				t.Errorf("%q is missing:\n%s", test.want, text)
			}
		})
	}
}
