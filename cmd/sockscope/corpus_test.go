package main

import (
	"bufio"
	"flag"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/decode/flow"
)

// corpus is where the captures of other projects are; its truth.tsv has what
// tshark sees in them, differences.tsv where we differ from it, and why. Its tables.py
// makes such a folder of other captures.
var corpus string

func init() {
	flag.StringVar(&corpus, "corpus", filepath.Join(testdata, "corpus"), "where the captures of other projects are")
}

// The reasons for which our flows may differ from tshark's.
var differenceReasons = []string{
	"carrier",   // tshark counts a tunnel's outer flow as well: a frame counts once here, in the innermost
	"fragments", // tshark counts the frame that completes a datagram; here every fragment counts for the flow
	"limit",     // more headers than decode.MaxLayers or decode.MaxExtensions
	"split",     // another opinion about where a reused tuple begins again

	"completeness", // tshark leaves out what the first segment of some streams adds
	"arithmetic",   // the numbers do not fit: no ACK of the SYN-ACK here, whatever the flags; or 0 taken for "none" there

	"reordered", // the SYN was captured behind what came after it
	"no-syn",    // a SYN-ACK and the ACK of it are midstream here, not a reply alone

	"analysis", // another order of events, or numbers reused, in what tcp.analysis counts
	"icmp",     // the ICMP error decides here
	"length",   // more was captured than is said to have been sent, or more than tshark's 2^31-1 bytes
	"reader",   // tshark does not read so far
	"several",  // a frame holds several packets: netlink messages

	"cut", // Zeek takes payload that the snap length cut off for lost, and a cut header for none
}

// A flowLine is one line of truth.tsv without the file: protocol, endpoints, and
// packets, IP bytes and frame bytes of both directions, tab-separated.
type flowLine string

// truth is what truth.tsv says of one capture.
type truth struct {
	frames uint64
	flows  map[flowLine]int
}

// Our flows are those that tshark finds, but for the differences that are listed.
func TestCorpusAgrees(t *testing.T) {
	want := map[string]map[flowLine]int{}
	for name, truth := range readTruth(t) {
		want[name] = truth.flows
	}
	agree(t, want, "truth.tsv", "differences.tsv", func(c *flow.Connection) (flowLine, bool) {
		return newFlowLine(c), transport(c)
	})
}

// Our TCP connections are what tshark says of its streams, but for the differences that
// are listed.
func TestCorpusStreamsAgree(t *testing.T) {
	agree(t, readLines(t, "streams.tsv"), "streams.tsv", "stream-differences.tsv", func(c *flow.Connection) (flowLine, bool) {
		return newStreamLine(c), c.Protocol == 6
	})
}

// Our connections are what Zeek logs, but for the differences that are listed.
func TestCorpusZeekAgrees(t *testing.T) {
	agree(t, readLines(t, "zeek.tsv"), "zeek.tsv", "zeek-differences.tsv", func(c *flow.Connection) (flowLine, bool) {
		return newZeekLine(c), transport(c)
	})
}

// agree compares the lines of our connections with those that a table says there are, but for
// the differences listed in another.
func agree(t *testing.T, want map[string]map[flowLine]int, table, differences string, line func(*flow.Connection) (flowLine, bool)) {
	t.Helper()
	allowed := readDifferences(t, differences)
	var rewritten strings.Builder
	for _, name := range slices.Sorted(maps.Keys(want)) {
		t.Run(name, func(t *testing.T) {
			res, _ := analyse(t, filepath.Join(corpus, name), flow.Config{})
			got := map[flowLine]int{}
			for c := range res.Connections() {
				if line, ok := line(c); ok {
					got[line]++
				}
			}
			found := difference(want[name], got)
			for _, line := range found {
				reason, ok := allowed[name][line]
				if !ok {
					t.Errorf("%s", line)
					reason = "?"
				}
				fmt.Fprintf(&rewritten, "%s\t%s\t%s\n", name, reason, line)
			}
			for line := range allowed[name] {
				if !slices.Contains(found, line) {
					t.Errorf("listed in %s, but no longer there: %s", differences, line)
				}
			}
		})
	}
	if *update {
		head := "# Where we differ from " + table + ": - is what stands there, + is ours. The reasons are explained in README.md.\nfile\treason\tside\tline\n"
		golden(t, filepath.Join(corpus, differences), []byte(head+rewritten.String()))
	}
}

// Each frame of each capture is counted exactly once.
func TestCorpusLedger(t *testing.T) {
	for name, want := range readTruth(t) {
		t.Run(name, func(t *testing.T) {
			res, stats := analyse(t, filepath.Join(corpus, name), flow.Config{})
			// How many frames a damaged file has is for the reader's tests to say.
			frames := want.frames
			if len(stats.Inputs[0].Damage) > 0 {
				frames = stats.Inputs[0].Frames
			}
			checkLedger(t, res, stats, flow.Volume{Frames: frames, Bytes: stats.Inputs[0].Bytes})
		})
	}
}

// newFlowLine writes c as truth.tsv does: the lower endpoint first.
func newFlowLine(c *flow.Connection) flowLine {
	low, high, there, back := c.Client, c.Server, &c.ToServer, &c.ToClient
	if high.Compare(low) < 0 {
		low, high, there, back = high, low, back, there
	}
	return flowLine(fmt.Sprintf("%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d", protocolNames[c.Protocol], low, high,
		there.Packets, back.Packets, there.IPBytes, back.IPBytes, there.Bytes, back.Bytes))
}

// newStreamLine writes c as streams.tsv does.
func newStreamLine(c *flow.Connection) flowLine {
	low, high := c.Client, c.Server
	if high.Compare(low) < 0 {
		low, high = high, low
	}
	there, back := &c.ToServer, &c.ToClient
	roundTrip := "-"
	if c.Setup != flow.NoDuration && there.SYNs+back.SYNs == 1 {
		roundTrip = strconv.FormatInt(int64(c.Setup), 10)
	}
	return flowLine(fmt.Sprintf("%s\t%s\t%s\t%d\t%s\t%d\t%d\t%d\t%d\t%d", low, high, c.Outcome, c.Completeness, roundTrip,
		there.Retransmissions+back.Retransmissions, there.OutOfOrder+back.OutOfOrder, there.DupACKs+back.DupACKs,
		there.ZeroWindows+back.ZeroWindows, there.KeepAlives+back.KeepAlives))
}

// newZeekLine writes c as zeek.tsv does.
func newZeekLine(c *flow.Connection) flowLine {
	low, high := c.Client, c.Server
	if high.Compare(low) < 0 {
		low, high = high, low
	}
	return flowLine(fmt.Sprintf("%s\t%s\t%s\t%s\t%s", protocolNames[c.Protocol], low, high, c.ConnState, c.History))
}

var protocolNames = map[uint8]string{6: "tcp", 17: "udp", 132: "sctp", 136: "udplite"}

// difference lists what only one of two multisets has, "-" or "+" in front.
func difference(want, got map[flowLine]int) []string {
	var lines []string
	for _, line := range slices.Sorted(maps.Keys(want)) {
		for range want[line] - got[line] {
			lines = append(lines, "-\t"+string(line))
		}
	}
	for _, line := range slices.Sorted(maps.Keys(got)) {
		for range got[line] - want[line] {
			lines = append(lines, "+\t"+string(line))
		}
	}
	return lines
}

// readTable gives the names of the columns of a table in corpus, and its lines without
// comments.
func readTable(t *testing.T, name string) (columns, lines []string) {
	t.Helper()
	f, err := os.Open(filepath.Join(corpus, name))
	if os.IsNotExist(err) && *update {
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		switch line := s.Text(); {
		case strings.HasPrefix(line, "#"):
		case columns == nil:
			columns = strings.Split(line, "\t")
		default:
			lines = append(lines, line)
		}
	}
	return columns, lines
}

// readLines reads a table: by file, how often it has each line.
func readLines(t *testing.T, table string) map[string]map[flowLine]int {
	t.Helper()
	all := map[string]map[flowLine]int{}
	_, lines := readTable(t, table)
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, "\t")
		if all[name] == nil {
			all[name] = map[flowLine]int{}
		}
		all[name][flowLine(rest)]++
	}
	return all
}

// readTruth reads truth.tsv by file.
func readTruth(t *testing.T) map[string]*truth {
	t.Helper()
	all := map[string]*truth{}
	_, lines := readTable(t, "truth.tsv")
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, "\t")
		if all[name] == nil {
			all[name] = &truth{flows: map[flowLine]int{}}
		}
		if n, ok := strings.CutPrefix(rest, "frames\t"); ok {
			frames, err := strconv.ParseUint(n, 10, 64)
			if err != nil {
				t.Fatalf("truth.tsv: %v", err)
			}
			all[name].frames = frames
			continue
		}
		words := strings.Split(rest, "\t")
		if len(words) != 9 {
			t.Fatalf("truth.tsv: %q has %d columns", line, len(words))
		}
		for _, word := range words[1:3] {
			if _, err := netip.ParseAddrPort(word); err != nil {
				t.Fatalf("truth.tsv: %v", err)
			}
		}
		all[name].flows[flowLine(rest)]++
	}
	return all
}

// readDifferences reads the allowed differences: file, then line, then reason.
func readDifferences(t *testing.T, table string) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	_, lines := readTable(t, table)
	for _, line := range lines {
		words := strings.SplitN(line, "\t", 3)
		if len(words) != 3 {
			t.Fatalf("%s: %q", table, line)
		}
		if !slices.Contains(differenceReasons, words[1]) {
			t.Errorf("%s: %q: no such reason", table, line)
		}
		if all[words[0]] == nil {
			all[words[0]] = map[string]string{}
		}
		all[words[0]][words[2]] = words[1]
	}
	return all
}

// Measuring round trips changes nothing else.
func TestRoundTripsChangeNothing(t *testing.T) {
	var paths []string
	for name := range readTruth(t) {
		paths = append(paths, filepath.Join(corpus, name))
	}
	for _, name := range zooFiles() {
		paths = append(paths, filepath.Join(testdata, name))
	}
	for _, path := range paths {
		without, _ := analyse(t, path, flowConfig())
		cfg := flowConfig()
		cfg.RoundTrips = true
		with, _ := analyse(t, path, cfg)
		next, stop := iter.Pull(with.Connections())
		defer stop()
		for want := range without.Connections() {
			got, ok := next()
			if !ok {
				t.Fatalf("%s: only %d connections", path, want.ID-1)
			}
			got.ToServer.RoundTrips, got.ToClient.RoundTrips = flow.RoundTrips{}, flow.RoundTrips{}
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Fatalf("%s: connection %d, with round trips +:\n%s", path, want.ID, diff)
			}
		}
	}
}
