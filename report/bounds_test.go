package report

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// Hostile input has every EtherType and a new tunnel in each frame: the lines are
// bounded, the sums are not.
func TestLinesAreBounded(t *testing.T) {
	totals := flow.Totals{First: capture.Unknown, Last: capture.Unknown,
		NonIP: map[uint16]flow.Volume{}}
	for i := range 65536 {
		n := uint64(1)
		if i == 0x0806 {
			n = 5
		}
		totals.NonIP[uint16(i)] = flow.Volume{Frames: n, Bytes: 60 * n}
		totals.Frames += n
		totals.Bytes += 60 * n
		totals.Tunnels.Add(flow.TunnelKey{Kind: decode.GRE, Version: 4, A: decode.Addr{byte(i >> 8), byte(i)}}, flow.Volume{Frames: 1, Bytes: 100})
	}
	s := NewBuilder(Config{}).Summary(capture.Stats{}, &totals)
	if !s.Ledger.Balanced || len(s.Ledger.Lines) > maxEtherTypes+1 {
		t.Errorf("%d lines, balanced %v", len(s.Ledger.Lines), s.Ledger.Balanced)
	}
	arp := false
	for _, line := range s.Ledger.Lines {
		arp = arp || line.Name == "ARP" && line.Frames == 5
	}
	if !arp {
		t.Error("the most frequent EtherType has no line")
	}
	var frames uint64
	for _, tunnel := range s.Tunnels {
		frames += tunnel.Frames
	}
	if frames != 65536 || len(s.Tunnels) > maxTunnels+1 {
		t.Errorf("%d tunnels with %d frames", len(s.Tunnels), frames)
	}
}

// Every encapsulation that is decoded has a word.
func TestTunnelWords(t *testing.T) {
	for k := decode.TunnelKind(1); k < decode.NumTunnelKinds; k++ {
		if k.String() == "" {
			t.Errorf("tunnel kind %d has no word", k)
		}
	}
}

// What is wrong with headers is counted under its name in every format.
func TestProblems(t *testing.T) {
	totals := flow.Totals{First: capture.Unknown, Last: capture.Unknown}
	totals.Problems[decode.TooManyTunnels] = 4
	totals.Problems[decode.TCPOption] = 1
	totals.Problems[decode.UnknownLinkType] = 9 // the ledger's
	s := NewBuilder(Config{}).Summary(capture.Stats{}, &totals)
	want := []capture.Count{{Name: decode.TCPOption.String(), N: 1}, {Name: decode.TooManyTunnels.String(), N: 4}}
	if diff := cmp.Diff(want, s.Problems); diff != "" {
		t.Fatal(diff)
	}
	for name, write := range map[string]func(io.Writer, *Summary) error{
		"text": func(w io.Writer, s *Summary) error { return WriteText(w, s, TextOptions{}) },
		"json": WriteJSON, "csv": WriteCSV, "markdown": WriteMarkdown,
	} {
		var b bytes.Buffer
		if err := write(&b, s); err != nil || !strings.Contains(b.String(), decode.TooManyTunnels.String()) {
			t.Errorf("%s: %v, no too-many-tunnels in\n%s", name, err, &b)
		}
	}
}
