package quiz

import (
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/words"
)

// What people type for an answer.
func TestCheck(t *testing.T) {
	choice := &Question{Choices: make([]explain.Note, 3), Right: 1}
	number := &Question{Numbers: []uint32{4294967295, 11}}
	for _, test := range []struct {
		rule   string
		q      *Question
		answer string
		want   Result
	}{
		{"a letter", choice, "b", Right},
		{"a capital, with blanks", choice, "  B ", Right},
		{"as it is printed", choice, "b)", Right},
		{"the number of a choice", choice, "2", Right},
		{"another letter", choice, "c", Wrong},
		{"another number", choice, "1", Wrong},
		{"behind the last choice", choice, "d", Unclear},
		{"number behind the last choice", choice, "4", Unclear},
		{"zero", choice, "0", Unclear},
		{"a word", choice, "bb", Unclear},
		{"not ASCII", choice, "나", Unclear},
		{"nothing", choice, "", Skipped},
		{"blanks", choice, " \t", Skipped},
		{"the absolute number", number, "4294967295", Right},
		{"with separators", number, "4,294,967,295", Right},
		{"the relative number", number, "11", Right},
		{"another one", number, "12", Wrong},
		{"too large", number, "4294967296", Unclear},
		{"negative", number, "-1", Unclear},
		{"no number", number, "b", Unclear},
		{"no answer", number, "", Skipped},
	} {
		if got := test.q.Check(test.answer); got != test.want {
			t.Errorf("%s: %q is %d, want %d", test.rule, test.answer, got, test.want)
		}
	}
}

// The pool chooses the same connections in whatever order they come, a few of each sort, and
// its seed depends on what they are.
func TestPoolOrder(t *testing.T) {
	var all []flow.Connection
	for i := range 500 {
		c := flow.Connection{
			Protocol: protoTCP, FirstFrame: uint64(i + 1), Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(40000+i)),
			Server: netip.MustParseAddrPort("198.51.100.1:80"), Outcome: flow.Outcome(i % 3), Close: flow.Close(i % 2),
		}
		if i%7 == 0 {
			c.ToClient.Packets = short + 1
		}
		all = append(all, c)
	}
	pooled := func() ([]uint64, uint64) {
		var p Pool
		for i := range all {
			p.Add(&all[i])
		}
		var frames []uint64
		for _, c := range p.Connections() {
			frames = append(frames, c.FirstFrame)
		}
		return frames, p.Seed()
	}
	want, seed := pooled()
	if len(want) != 6*perSort {
		t.Errorf("%d connections of 6 sorts, want %d", len(want), 6*perSort)
	}
	for _, f := range want {
		if (f-1)%7 == 0 {
			t.Errorf("frame %d: a long connection where there are short ones", f)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		got, again := pooled()
		if diff := cmp.Diff(want, got); diff != "" || again != seed {
			t.Fatalf("seed %d, want %d: %s", again, seed, diff)
		}
	}
	for i := range all {
		all[i].ToServer.Bytes++
	}
	if _, other := pooled(); other == seed {
		t.Error("another capture has the same seed")
	}
}

// There is room for so many packets: what is too long is left out, but one connection is
// always there.
func TestPoolRoom(t *testing.T) {
	var p Pool
	add := func(frame, packets uint64) {
		c := flow.Connection{Protocol: protoUDP, FirstFrame: frame, Outcome: flow.Outcome(frame % 5)}
		c.ToServer.Packets = packets
		p.Add(&c)
	}
	frames := func() (frames []uint64) {
		for _, c := range p.Connections() {
			frames = append(frames, c.FirstFrame)
		}
		return frames
	}
	add(9, 10*mostPackets)
	if diff := cmp.Diff([]uint64{9}, frames()); diff != "" {
		t.Error(diff)
	}
	for frame := range uint64(5) {
		add(frame+1, short)
	}
	add(7, 1)
	if diff := cmp.Diff([]uint64{1, 2, 3, 4}, frames()); diff != "" {
		t.Error(diff)
	}
	add(8, 0)
	if diff := cmp.Diff([]uint64{1, 2, 3, 4, 8}, frames()); diff != "" {
		t.Error(diff)
	}
}

// Servers are counted, until there are more than there is room for.
func TestPoolCountsServers(t *testing.T) {
	var p Pool
	add := func(server uint32, outcome flow.Outcome, flags flow.FlagSet) {
		ip := netip.AddrFrom4([4]byte{10, byte(server >> 16), byte(server >> 8), byte(server)})
		p.Add(&flow.Connection{Protocol: protoTCP, SYNFrame: 1, Server: netip.AddrPortFrom(ip, 80), Outcome: outcome, Flags: flags})
	}
	add(1, flow.Complete, 0)
	add(1, flow.Complete, 0)
	add(1, flow.Refused, 0)
	add(2, flow.Complete, flow.ReusedOpen)
	add(2, flow.Implied, 0)
	want := map[netip.AddrPort]served{
		netip.MustParseAddrPort("10.0.0.1:80"): {complete: 2, attempts: 3},
		netip.MustParseAddrPort("10.0.0.2:80"): {attempts: 2, unclear: 2},
	}
	if diff := cmp.Diff(want, p.servers, cmp.AllowUnexported(served{}), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for i := range uint32(maxServers + 1) {
		add(i, flow.Refused, 0)
	}
	add(1, flow.Complete, 0)
	if p.servers != nil {
		t.Errorf("%d servers are remembered", len(p.servers))
	}
}

// Each key in the program is in the catalogue, and each one in the catalogue is in the
// program, as a whole or by its beginning.
func TestEveryKeyHasWords(t *testing.T) {
	catalogue, err := os.ReadFile("../../words/en/quiz.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(quiz\.[a-z-]+):`).FindAllStringSubmatch(string(catalogue), -1) {
		known[m[1]] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	p := words.New(words.English)
	used, beginnings := map[string]bool{}, []string{}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`"(quiz\.[a-z-]*)"`).FindAllStringSubmatch(string(source), -1) {
			used[m[1]] = true
			if strings.HasSuffix(m[1], "-") {
				beginnings = append(beginnings, m[1])
			} else if !p.Has(m[1]) {
				t.Errorf("%s: %s has no words", name, m[1])
			}
		}
	}
	for key := range known {
		said := used[key]
		for _, b := range beginnings {
			said = said || strings.HasPrefix(key, b)
		}
		if !said {
			t.Errorf("%s is said nowhere", key)
		}
	}
}
