package page

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// render is the page of s.
func render(t testing.TB, s *report.Summary) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// empty is the Summary of a capture without frames.
func empty() *report.Summary {
	return &report.Summary{
		Inputs: []capture.Input{{Name: "empty.pcap", Format: "pcap", Notes: []string{"no packets"}}},
		First:  capture.Unknown, Last: capture.Unknown,
		Timeline: report.Timeline{Start: capture.Unknown},
		Ledger:   report.Ledger{Balanced: true},
	}
}

func TestGolden(t *testing.T) {
	for name, s := range map[string]*report.Summary{"sample": sample(40), "live": live(40), "empty": empty()} {
		t.Run(name, func(t *testing.T) {
			got := render(t, s)
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

func TestSameSummarySameBytes(t *testing.T) {
	want := render(t, sample(300))
	for range 5 {
		if got := render(t, sample(300)); got != want {
			t.Fatal("two pages of the same Summary differ")
		}
	}
}

func TestEveryElementIsClosed(t *testing.T) {
	void := map[string]bool{"meta": true, "input": true, "br": true, "wbr": true}
	for name, s := range map[string]*report.Summary{"sample": sample(40), "live": live(40), "empty": empty()} {
		var open []string
		for _, tag := range tags(render(t, s)) {
			word := regexp.MustCompile(`[a-zA-Z0-9]+`).FindString(tag)
			switch {
			case strings.HasPrefix(tag, "<!"), strings.HasSuffix(tag, "/>"), void[word]:
			case strings.HasPrefix(tag, "</"):
				if len(open) == 0 || open[len(open)-1] != word {
					t.Fatalf("%s: %s closes %v", name, tag, open)
				}
				open = open[:len(open)-1]
			default:
				open = append(open, word)
			}
		}
		if len(open) != 0 {
			t.Errorf("%s: %v left open", name, open)
		}
	}
}

func TestRowsHaveAsManyCellsAsTheirHead(t *testing.T) {
	page := render(t, sample(40))
	for _, table := range regexp.MustCompile(`(?s)<table>(.*?)</table>`).FindAllStringSubmatch(page, -1) {
		var want int
		for i, row := range regexp.MustCompile(`(?s)<tr>(.*?)</tr>`).FindAllStringSubmatch(table[1], -1) {
			n := len(regexp.MustCompile(`<t[hd][ >]`).FindAllString(row[1], -1))
			if i == 0 {
				want = n
			}
			if n != want {
				t.Errorf("row %d has %d cells, the head %d: %s", i, n, want, row[1])
			}
		}
	}
}

func TestIdentifiersAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(render(t, sample(3)), -1) {
		if seen[m[1]] {
			t.Errorf("id %q twice", m[1])
		}
		seen[m[1]] = true
	}
	for _, m := range regexp.MustCompile(` aria-labelledby="([^"]*)"`).FindAllStringSubmatch(render(t, sample(3)), -1) {
		if !seen[m[1]] {
			t.Errorf("label %q is nowhere", m[1])
		}
	}
}

func TestScriptIsSmall(t *testing.T) {
	if len(script) > 8<<10 {
		t.Errorf("page.js has %d bytes", len(script))
	}
	if strings.Contains(script, "</") || strings.Contains(styleSheet, "</") {
		t.Error("an asset holds </ and may end its element")
	}
}

func TestEveryOutcomeHasItsGroup(t *testing.T) {
	for _, o := range outcomeCounts(&report.Tally{}) {
		known := map[string]bool{"complete": true, "answered": true, "implied": true}[o.Name]
		if _, ok := outcomeGroups[o.Name]; ok == known {
			t.Errorf("%s is in no group, or in two", o.Name)
		}
		if !strings.Contains(o.Group.Means(), o.Name) {
			t.Errorf("the legend of %q does not name %s", o.Group.Name(), o.Name)
		}
	}
	for o := range flow.NumOutcomes {
		if got := outcomeGroups[o.String()].Failed(); got != o.Failed() {
			t.Errorf("%s: failed %t, flow says %t", o, got, o.Failed())
		}
	}
}

func TestTitleNamesTheFirstInput(t *testing.T) {
	for names, want := range map[string]string{
		"": "no input", "-": "standard input", "a.pcap": "a.pcap", "dir/sub/a.pcap": "a.pcap", `C:\dir\a.pcap`: "a.pcap", "dir/": "dir/",
		"dir/a.pcap b.pcap c.pcap": "a.pcap and 2 more", "a\x1b\u202e": `a\x1b\u{202e}`,
	} {
		s := &report.Summary{}
		for _, name := range strings.Fields(names) {
			s.Inputs = append(s.Inputs, capture.Input{Name: name})
		}
		if got := title(s); got != want {
			t.Errorf("%q: %s, want %s", names, got, want)
		}
	}
}

func TestTroubleLine(t *testing.T) {
	s := sample(0)
	for _, c := range []struct {
		name string
		in   report.Trouble
		want trouble
	}{
		{"a moment", report.Trouble{Kind: "refused", Severity: report.Problem, Subject: "s\x1b", Text: "t", Count: 1, Since: began, Until: began, Frames: []uint64{1000}},
			trouble{Class: "problem", Severity: "Problem", Subject: `s\x1b`, Text: "t", Facts: "refused, 1 connection, 09:30:00 UTC (0 s after the first frame)",
				Frames: "frame 1,000", Filter: "frame.number in {1000}"}},
		{"a while, counted in part", report.Trouble{Kind: "reset", Count: 7, AtLeast: true, Since: began, Until: after(time.Minute), Frames: []uint64{1, 2}},
			trouble{Class: "note", Severity: "Note", Facts: "reset, at least 7 connections, 09:30:00–09:31:00 UTC (0 s to 1 min after the first frame)",
				Frames: "frames 1 · 2 · …", Filter: "frame.number in {1, 2}"}},
		{"over midnight", report.Trouble{Kind: "reset", Count: 2, Since: after(14 * time.Hour), Until: after(15 * time.Hour), Frames: []uint64{1, 2}},
			trouble{Class: "note", Severity: "Note", Facts: "reset, 2 connections, 23:30:00–2026-02-14 00:30:00 UTC (14 h to 15 h after the first frame)",
				Frames: "frames 1 · 2", Filter: "frame.number in {1, 2}"}},
		{"the end is not known", report.Trouble{Kind: "reset", Count: 1, Since: after(time.Second), Until: capture.Unknown},
			trouble{Class: "note", Severity: "Note", Facts: "reset, 1 connection, 09:30:01 UTC (1.00 s after the first frame)"}},
		{"frames are no connections", report.Trouble{Kind: "drops", Severity: report.Warning, Count: 2, Since: capture.Unknown, Until: capture.Unknown},
			trouble{Class: "warning", Severity: "Warning", Facts: "drops, 2 frames"}},
		{"damage counts nothing", report.Trouble{Kind: "damage", Count: 1, Since: capture.Unknown, Until: capture.Unknown},
			trouble{Class: "note", Severity: "Note", Facts: "damage"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, newTrouble(s, &c.in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLongListsAreCutAndSaySo(t *testing.T) {
	s := sample(2)
	for len(s.Trouble) < 450 {
		s.Trouble = append(s.Trouble, s.Trouble[3])
	}
	for len(s.Services) < 1200 {
		s.Services = append(s.Services, s.Services[6])
	}
	for len(s.Tunnels) < 600 {
		s.Tunnels = append(s.Tunnels, s.Tunnels[0])
	}
	v := newView(s)
	got := []any{len(v.Trouble), len(v.MoreTrouble), v.TroubleCut, len(v.Services), v.ServicesCut, len(v.Tunnels), v.TunnelsCut, v.Connections.Caption}
	want := []any{12, 188, "The first 200 of 453 findings, the worst; the json format has more.",
		1000, "The first 1,000 of 1,200 services; the json format has all.", 500, "The first 500 of 600 tunnels; the json format has all.",
		"The first 2 of 1,204 connections, in the order of bytes"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVerdict(t *testing.T) {
	with := func(outcomes map[flow.Outcome]uint64, trouble ...report.Severity) *report.Summary {
		s := &report.Summary{Frames: 9, Total: tally(outcomes), Ledger: report.Ledger{Balanced: true}}
		for _, sev := range trouble {
			s.Trouble = append(s.Trouble, report.Trouble{Severity: sev})
		}
		return s
	}
	damaged := with(nil)
	damaged.Inputs = []capture.Input{{Damage: []capture.Damage{{}}}}
	damaged.Drops = 1
	damaged.Ledger.Balanced = false
	for _, c := range []struct {
		name string
		in   *report.Summary
		want verdict
	}{
		{"no frames", empty(), verdict{Class: "note", Text: "There are no packets in this input."}},
		{"no connections", with(nil), verdict{Class: "note", Text: "There are no connections in 9 frames."}},
		{"one", with(map[flow.Outcome]uint64{flow.Complete: 1}),
			verdict{Class: "fine", Text: "The one connection worked.", Trouble: "Nothing wrong was found."}},
		{"all worked", with(map[flow.Outcome]uint64{flow.Complete: 1000, flow.Answered: 234}),
			verdict{Class: "fine", Text: "All 1,234 connections worked.", Trouble: "Nothing wrong was found."}},
		{"mixed, the worst severity names the class",
			with(map[flow.Outcome]uint64{flow.Complete: 3, flow.Refused: 2, flow.Unanswered: 1, flow.HalfOpen: 2, flow.Midstream: 4}, report.Problem, report.Note, report.Note),
			verdict{Class: "problem", Text: "5 of 12 connections failed: 2 refused, 1 unanswered, 2 half-open.",
				Trouble: "1 problem, 2 notes; the worst comes first below."}},
		{"some are not known to have worked", with(map[flow.Outcome]uint64{flow.Complete: 3, flow.Midstream: 1}),
			verdict{Class: "fine", Text: "No connection is known to have failed: 4 connections, 3 complete, 1 midstream.", Trouble: "Nothing wrong was found."}},
		{"caveats raise the class", damaged, verdict{Class: "problem", Text: "There are no connections in 9 frames.", Caveats: []string{
			"1 input could not be read in full: the numbers are of what was read.",
			"The capturing side lost 1 frame: missing answers may be missing frames.",
			"The ledger does not balance: an error of this program. Do not rely on the numbers."}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, newVerdict(c.in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLessonTakesTheBusiestSocket(t *testing.T) {
	s := sample(4)
	want := &lesson{Doors: "23 address:port pairs", Entered: "17", Socket: "192.0.2.10:443", Service: "tls", Connections: "551 connections",
		Clients: "9 clients", Client: "10.1.0.10:40000"}
	if diff := cmp.Diff(want, newLesson(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.Doors = report.Doors{Endpoints: 1, Entered: 1, Approximate: true, Busiest: netip.MustParseAddrPort("[2001:db8::53]:53"), Protocol: "udp",
		Service: "~domain", Connections: 1, Clients: 1, ClientsApproximate: true}
	want = &lesson{Doors: "at least 1 address:port pair", Entered: "at least 1", Socket: "[2001:db8::53]:53", Service: "~domain", Connections: "1 connection", Clients: "about 1 client"}
	if diff := cmp.Diff(want, newLesson(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.Doors = report.Doors{Endpoints: 3}
	if newLesson(s) != nil {
		t.Error("a lesson without an example")
	}
}

func TestDatagramsThatAskForNoAnswerDidNotFail(t *testing.T) {
	tally := report.Tally{Connections: 9, Failed: 3}
	tally.Outcomes[flow.Unanswered], tally.Outcomes[flow.Refused], tally.Outcomes[flow.Answered] = 6, 1, 2
	want := []outcomeCount{{"refused", rejected, 1}, {"unanswered", silent, 2}, {"answered", worked, 2}, {"unanswered", other, 4}}
	if diff := cmp.Diff(want, splitOutcomes(&tally)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	tally.Outcomes[flow.HalfOpen], tally.UndecidedHalfOpen, tally.Connections = 7, 5, 16
	tally.Failed += 2
	want = []outcomeCount{{"refused", rejected, 1}, {"unanswered", silent, 2}, {"half-open", unfinished, 2}, {"answered", worked, 2},
		{"half-open", other, 5}, {"unanswered", other, 4}}
	if diff := cmp.Diff(want, splitOutcomes(&tally)); diff != "" {
		t.Errorf("of half-open ones evicted too early (-want +got):\n%s", diff)
	}
	row := sampleRow(6)
	if got := rowGroup(&row); got != silent {
		t.Errorf("a SYN without an answer is in %q", got.Name())
	}
	row.Protocol, row.Service, row.Server = 17, "syslog", netip.MustParseAddrPort("192.0.2.5:514")
	if got := rowGroup(&row); got != other {
		t.Errorf("a syslog message without an answer is in %q", got.Name())
	}
}

func TestFilterTellsOfConnectionsThatAreNotListed(t *testing.T) {
	s := sample(5)
	s.Total = tally(map[flow.Outcome]uint64{flow.Complete: 3, flow.Answered: 1, flow.Refused: 22, flow.HalfOpen: 1200})
	got := newConnections(s)
	want := []choice{
		{"failed", "all that failed (1 of 1,222 here)", true}, {"complete", "complete (3)", true},
		{"refused", "refused (1 of 22 here)", true}, {"half-open", "half-open (0 of 1,200 here)", false},
		{"answered", "answered (1)", true},
	}
	if diff := cmp.Diff(want, got.Choices); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := "5 of 1,226 connections are in this file (the first by bytes); --all puts all in"; got.Cut != want {
		t.Errorf("%s, want %s", got.Cut, want)
	}
	s.Total.Connections = 5
	if got := newConnections(s); got.Cut != "" {
		t.Errorf("all are listed, but %q", got.Cut)
	}
}

func TestServiceNamesItsBusiestPorts(t *testing.T) {
	for _, c := range []struct {
		others []uint16
		ports  uint64
		want   string
	}{
		{nil, 1, "https tcp/8443"},
		{[]uint16{443}, 2, "https tcp/8443, 443"},
		{[]uint16{443, 9443}, 3, "https tcp/8443, 443, 9443"},
		{[]uint16{443, 9443}, 1003, "https tcp/8443, 443, 9443 and 1,000 more"},
	} {
		v := report.Service{Name: "https", Proven: true, Protocol: "tcp", Port: 8443, HasPort: true, Others: c.others, Ports: c.ports}
		if got := serviceLabel(&v); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestUnknownTimesLeaveCellsEmpty(t *testing.T) {
	s := sample(1)
	s.First, s.Last = capture.Unknown, capture.Unknown
	r := &s.Connections[0]
	r.First, r.Last = capture.Unknown, capture.Unknown
	r.Setup, r.SYNRTT = flow.NoDuration, flow.NoDuration
	c := newConnection(s, r)
	if diff := cmp.Diff([]quantity{{}, {}, {}}, []quantity{c.Start, c.Duration, c.Setup}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	render(t, s)
}

func TestConnectionLine(t *testing.T) {
	s := sample(1)
	r := report.Row{Service: "http", ServiceBasis: "port", Connection: flow.Connection{
		ID: 7, Protocol: 132, HasPorts: true, Role: flow.RoleSYN, Outcome: flow.Unreachable, Close: flow.Never,
		Client: netip.MustParseAddrPort("[2001:db8::1]:49152"), Server: netip.MustParseAddrPort("[2001:db8::2]:80"),
		First: after(1500 * time.Microsecond), Last: after(2500 * time.Microsecond), Setup: flow.NoDuration, SYNRTT: flow.NoDuration,
		SYNFrame: 1000, VerdictFrame: 1001, HasICMP: true, ICMPType: 1, ICMPCode: 4, ICMPFrom: netip.MustParseAddr("2001:db8::2"),
		HasVLAN: true, VLAN: 9,
		ToServer: flow.Direction{Packets: 1, Bytes: 1_234}, Flags: flow.ECN | flow.OneWay, Evidence: flow.Evidence{ALPN: "h2"},
	}}
	want := connection{
		ID: "7", Start: quantity{"0.001500", "2026-02-13 09:30:00.251500 UTC"}, Protocol: "sctp",
		Client: end{"[2001:db8::1]", ":49152"}, Server: end{"[2001:db8::2]", ":80"}, About: "well-known port; known as the server by: syn", Service: "~http", Suggested: true, Name: "(h2)",
		Outcome: "unreachable", Class: "rejected", Reason: "ICMP type 1 code 4 from 2001:db8::2", Close: "never", Flags: "ecn, one-way, vlan 9",
		Frames: quantity{"1,000 · 1,001", "SYN 1,000, verdict 1,001"}, Duration: quantity{"1.00 ms", "0.001 s"},
		Packets: quantity{"1", "1 from the client, 0 from the server"}, BytesToServer: quantity{"1.23 kB", "1,234 bytes"}, BytesToClient: quantity{"0 B", "0 bytes"},
	}
	if diff := cmp.Diff(want, newConnection(s, &r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
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
	for _, n := range []int{0, 70_000} {
		if err := Write(&failing{n}, sample(400)); !errors.Is(err, errDisk) {
			t.Errorf("after %d bytes: error %v, want %v", n, err, errDisk)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	s := sample(2000)
	b.SetBytes(int64(len(render(b, s))))
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, s); err != nil {
			b.Fatal(err)
		}
	}
}

// The ledger tells when memory was short, and of about how many tuples connections were.
func TestMemoryShort(t *testing.T) {
	s := sample(1)
	if page := render(t, s); strings.Contains(page, "Memory was short") {
		t.Error("memory was not short")
	}
	l := &s.Ledger
	l.Evicted, l.Shortages, l.DistinctTuples = 1234, 3, 1_230_000
	l.EvictedSince, l.EvictedUntil = s.First+1e9, s.First+19e9
	const want = "<p>Memory was short 3 times, 09:30:01–09:30:19 UTC (1.00 s to 19.0 s after the first frame): 1,234 connections evicted, " +
		"0 over and told early; about 1,230,000 distinct tuples in all (± 0.8 %).</p>"
	if page := render(t, s); !strings.Contains(page, want) {
		_, got, _ := strings.Cut(page, "Memory was short")
		t.Errorf("no %q: %.200q", want, got)
	}
}
