package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"sockscope/capture"
)

// A fakeAttributor knows owners by local port, and keeps what it was asked.
type fakeAttributor struct {
	ports map[uint16]capture.Owner
	said  []string
}

func (w *fakeAttributor) Owner(protocol uint8, local, remote netip.AddrPort, first, last capture.Timestamp) capture.Owner {
	w.said = append(w.said, fmt.Sprintf("owner %d %v %v %d-%d", protocol, local, remote, first, last))
	return w.ports[local.Port()]
}

func (w *fakeAttributor) Appeared(protocol uint8, a, b netip.AddrPort) {
	w.said = append(w.said, fmt.Sprintf("appeared %d %v %v", protocol, a, b))
}

// A oneBlock is a source of one block.
type oneBlock struct {
	frames []capture.Frame
	given  bool
}

func (s *oneBlock) Next(b *capture.Block) error {
	if s.given {
		return io.EOF
	}
	s.given = true
	b.Frames = append(b.Frames[:0], s.frames...)
	return nil
}
func (s *oneBlock) Release(*capture.Block) {}
func (s *oneBlock) Close() error           { return nil }
func (s *oneBlock) Stats() capture.Stats {
	return capture.Stats{Inputs: []capture.Input{{Name: "eth0", Format: "live"}}, Interfaces: []capture.Interface{{Name: "eth0", Link: 1, Resolution: 1}}}
}

// segmentFrame is a TCP segment between 192.0.2.1 and 198.51.100.1 over raw IP.
func segmentFrame(time capture.Timestamp, d capture.Direction, sport, dport uint16, flags byte) capture.Frame {
	a, b := byte(1), byte(2)
	if d == capture.Inbound {
		a, b = b, a
	}
	data := []byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, a, 192, 0, 2, b,
		byte(sport >> 8), byte(sport), byte(dport >> 8), byte(dport), 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0}
	return capture.Frame{Data: data, Time: time, Length: 40, Link: capture.LinkRaw, Direction: d}
}

// datagramFrame is a UDP datagram likewise.
func datagramFrame(time capture.Timestamp, d capture.Direction, sport, dport uint16) capture.Frame {
	f := segmentFrame(time, d, sport, dport, 0)
	f.Data[9], f.Data[25] = 17, 20 // the protocol, and the length
	return f
}

func TestFramesGetOwners(t *testing.T) {
	const syn, ack = 2, 16
	const in, out, none = capture.Inbound, capture.Outbound, capture.NoDirection
	client := capture.Owner{Basis: capture.BasisExact, Process: &capture.Process{PID: 5, Name: "client"}}
	server := capture.Owner{Basis: capture.BasisListener, Process: &capture.Process{PID: 6, Name: "server"}}
	who := func() *fakeAttributor {
		return &fakeAttributor{ports: map[uint16]capture.Owner{4000: client, 80: server}}
	}
	for _, test := range []struct {
		name   string
		frames []capture.Frame
		want   string // pids
		said   string
	}{
		{"both directions are the local end's", []capture.Frame{segmentFrame(1, out, 4000, 9, syn), segmentFrame(2, in, 9, 4000, syn|ack)},
			"5 5", "appeared 6 192.0.2.1:4000 192.0.2.2:9; owner 6 192.0.2.1:4000 192.0.2.2:9 1-1"},
		{"without a direction each end has its sender", []capture.Frame{segmentFrame(1, none, 4000, 80, syn), segmentFrame(2, none, 80, 4000, syn|ack)},
			"5 6", ""},
		{"a SYN begins another connection", []capture.Frame{segmentFrame(1, out, 4000, 9, ack), segmentFrame(7, out, 4000, 9, syn)},
			"5 5", "appeared 6 192.0.2.1:4000 192.0.2.2:9; owner 6 192.0.2.1:4000 192.0.2.2:9 1-1; " +
				"appeared 6 192.0.2.1:4000 192.0.2.2:9; owner 6 192.0.2.1:4000 192.0.2.2:9 7-7"},
		{"each datagram has the owner of its own moment", []capture.Frame{datagramFrame(1, out, 4000, 9), datagramFrame(5, in, 9, 4000)},
			"5 5", "appeared 17 192.0.2.1:4000 192.0.2.2:9; owner 17 192.0.2.1:4000 192.0.2.2:9 1-1; owner 17 192.0.2.1:4000 192.0.2.2:9 5-5"},
		{"who is not known is asked for less and less often", []capture.Frame{segmentFrame(1, out, 9, 9, ack), segmentFrame(2, out, 9, 9, ack),
			segmentFrame(3, out, 9, 9, ack), segmentFrame(4, out, 9, 9, ack), segmentFrame(5, out, 9, 9, ack)},
			"0 0 0 0 0", "appeared 6 192.0.2.1:9 192.0.2.2:9; owner 6 192.0.2.1:9 192.0.2.2:9 1-1; " +
				"owner 6 192.0.2.1:9 192.0.2.2:9 1-2; owner 6 192.0.2.1:9 192.0.2.2:9 1-4"},
		{"no IP, no owner", []capture.Frame{{Data: []byte{0x00, 1}, Length: 2, Link: capture.LinkRaw, Owner: 9}}, "0", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := who()
			src := attribute(&oneBlock{frames: test.frames}, w, nil)
			var b capture.Block
			if err := src.Next(&b); err != nil {
				t.Fatal(err)
			}
			owners := src.Stats().Owners
			var pids []string
			for _, f := range b.Frames {
				pid := 0
				if f.Owner != 0 {
					pid = owners[f.Owner-1].PID
				}
				pids = append(pids, fmt.Sprint(pid))
			}
			if got := strings.Join(pids, " "); got != test.want {
				t.Errorf("owners %s, want %s", got, test.want)
			}
			if got := strings.Join(w.said, "; "); test.said != "" && got != test.said {
				t.Errorf("asked\n%s, want\n%s", got, test.said)
			}
		})
	}
}

// Nobody is asked about frames that are not wanted.
func TestOnlyFramesThatPassGetOwners(t *testing.T) {
	filter, err := newProgram(nil, io.Discard, io.Discard).newFrameFilter([]string{"port 4000"}, "")
	if err != nil {
		t.Fatal(err)
	}
	w := &fakeAttributor{ports: map[uint16]capture.Owner{
		4000: {Basis: capture.BasisExact, Process: &capture.Process{PID: 5}}, 80: {Basis: capture.BasisExact, Process: &capture.Process{PID: 6}}}}
	src := attribute(&oneBlock{frames: []capture.Frame{segmentFrame(1, capture.Outbound, 80, 9, 2), segmentFrame(2, capture.Outbound, 4000, 9, 2)}}, w, filter)
	var b capture.Block
	if err := src.Next(&b); err != nil || b.Frames[0].Owner != 0 || b.Frames[1].Owner != 1 || len(w.said) != 2 {
		t.Errorf("owners %d and %d, asked %q, %v", b.Frames[0].Owner, b.Frames[1].Owner, w.said, err)
	}
}

// However many conversations there are, few are remembered.
func TestConversationsAreBounded(t *testing.T) {
	frames := make([]capture.Frame, maxConversations+1000)
	for i := range frames {
		frames[i] = segmentFrame(1, capture.Outbound, uint16(i), uint16(i>>16), 16)
	}
	src := attribute(&oneBlock{frames: frames}, &fakeAttributor{}, nil)
	var b capture.Block
	if err := src.Next(&b); err != nil {
		t.Fatal(err)
	}
	if n := len(src.(*attributed).known); n != 1000 {
		t.Errorf("%d conversations are remembered, want 1000", n)
	}
}

// What is remembered of processes is bounded, and frames without their owner are counted.
func TestOwnersAreBounded(t *testing.T) {
	long := strings.Repeat("x", maxOwnerText/2+1)
	who := &fakeAttributor{ports: map[uint16]capture.Owner{}}
	for port := range uint16(3) {
		who.ports[port+1] = capture.Owner{Basis: capture.BasisExact, Process: &capture.Process{PID: int(port + 1), Command: long[:len(long)*int(2-port)/2]}}
	}
	const syn, out = 2, capture.Outbound
	src := attribute(&oneBlock{frames: []capture.Frame{segmentFrame(1, out, 1, 9, syn), segmentFrame(2, out, 2, 9, syn),
		segmentFrame(3, out, 3, 9, syn), segmentFrame(4, out, 1, 9, syn)}}, who, nil)
	var b capture.Block
	if err := src.Next(&b); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range b.Frames {
		if f.Owner == 0 {
			pids = append(pids, 0)
			continue
		}
		pids = append(pids, src.Stats().Owners[f.Owner-1].PID)
	}
	if left := src.(*attributed).left; fmt.Sprint(pids) != "[1 2 3 1]" || left != 0 {
		t.Errorf("%v, %d left", pids, left)
	}
	who.ports[4] = capture.Owner{Basis: capture.BasisExact, Process: &capture.Process{PID: 4, Command: long}}
	src.(*attributed).Source = &oneBlock{frames: []capture.Frame{segmentFrame(5, out, 4, 9, syn), segmentFrame(6, out, 4, 9, 16), segmentFrame(7, out, 1, 9, 16)}}
	if err := src.Next(&b); err != nil {
		t.Fatal(err)
	}
	if left := src.(*attributed).left; b.Frames[0].Owner != 0 || b.Frames[1].Owner != 0 || b.Frames[2].Owner == 0 || left != 2 {
		t.Errorf("owners %d, %d, %d; %d left", b.Frames[0].Owner, b.Frames[1].Owner, b.Frames[2].Owner, left)
	}
}
