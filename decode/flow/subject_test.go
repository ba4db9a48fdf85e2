package flow

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// A frame is about the connection that it belongs to, as that is then, and about the one that
// it quotes.
func TestSubjects(t *testing.T) {
	for _, test := range []struct {
		rule, words string
		want        []string // by frame: the connection's first frame, who sent it, how it came out so far
	}{
		{"a handshake", "S h A", []string{"1 client unanswered", "1 server half-open", "1 client complete"}},
		{"a reply comes first", "h", []string{"1 server reply-only"}},
		{"the tuple again", "S h A S* h", []string{"1 client unanswered", "1 server half-open", "1 client complete",
			"4 client unanswered", "4 server half-open"}},
		{"the role turns around", "d S", []string{"1 server midstream", "2 client unanswered"}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			frames := play(t, test.words)
			if diff := cmp.Diff(test.want, subjects(frames)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// subjects tells what each frame is about.
func subjects(frames []capture.Frame) []string {
	seed := NewSeed()
	recorder, table, batches := NewRecorder(seed), NewTable(Config{}, seed), make([]Batch, 1)
	var got []string
	for i := range frames {
		block := capture.Block{Number: uint64(i), First: uint64(i) + 1, Frames: frames[i : i+1]}
		recorder.Record(&block, batches)
		table.Apply(&batches[0])
		for s := range table.Subjects(&batches[0]) {
			var c Connection
			side := s.Connection(&c)
			text := fmt.Sprintf("%d %v %v", s.FirstFrame(), side, c.Outcome)
			if s.Quoted {
				text += " quoted"
			}
			if s.FirstFrame() != c.FirstFrame {
				text += fmt.Sprintf(", but it began with %d", c.FirstFrame)
			}
			got = append(got, text)
		}
	}
	return got
}

// An ICMP error is about the connection whose packet it quotes and about a conversation of its
// own; a later fragment is about the datagram whose first fragment was seen.
func TestSubjectsOfQuotesAndFragments(t *testing.T) {
	asks := ipv4(17, hostA, hostB, 1, 0, false, udp(5000, 53, make([]byte, 8)))
	for _, test := range []struct {
		rule   string
		frames []capture.Frame
		want   []string
	}{
		{"a quote", raws(asks, ipv4(1, hostB, hostA, 2, 0, false, icmp(3, 3, asks))),
			[]string{"1 client unanswered", "1 client unreachable quoted", "2 server reply-only"}},
		{"a quote of nothing that was seen", raws(ipv4(1, hostB, hostA, 2, 0, false, icmp(3, 3, asks))), []string{"1 server reply-only"}},
		{"fragments", raws(
			ipv4(17, hostA, hostB, 9, 0, true, udp(5000, 53, make([]byte, 16))),
			ipv4(17, hostA, hostB, 9, 24, false, make([]byte, 8)),
			ipv4(17, hostA, hostB, 8, 24, false, make([]byte, 8))), // of nothing that was seen
			[]string{"1 client unanswered", "1 client unanswered"}},
		{"a virtual network of its own", raws(
			ipv4(17, hostA, hostB, 1, 0, false, udp(4789, 4789, vxlan(1, asks))),
			ipv4(17, hostA, hostB, 1, 0, false, udp(4789, 4789, vxlan(2, asks)))),
			[]string{"1 client unanswered", "2 client unanswered"}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if diff := cmp.Diff(test.want, subjects(test.frames)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
