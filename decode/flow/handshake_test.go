package flow

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// What a connection takes: a cell is a cache line, a handshake two, of which the first
// ends where no later segment looks.
func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		what      string
		got, want uintptr
	}{
		{"cell", unsafe.Sizeof(cell{}), 64},
		{"handshake", unsafe.Sizeof(handshake{}), 128},
		{"its second line", unsafe.Offsetof(handshake{}.letters), 64},
		{"meta", unsafe.Sizeof(meta{}), 32},
		{"rare", unsafe.Sizeof(rare{}), 32},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d bytes, want %d", tt.what, tt.got, tt.want)
		}
	}
}

// A usual course says what one of its own says, whatever is noted in it, and just so far
// as distances fit.
func TestUsualCourse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const most = 1<<32 - 2 // the longest distance that fits
	distances := []uint64{0, 1, 1000, most - 1, most, most + 1, most + 2, 1 << 33, 1 << 63}
	usuals, own := 0, 0
	table := NewTable(Config{}, NewSeed())
	for range 20000 {
		began := []capture.Timestamp{scriptEpoch, capture.Unknown, capture.Unknown + 1, 1<<63 - 1}[r.IntN(4)]
		frame := func() uint64 { return 5 + distances[r.IntN(len(distances))] }
		when := func() capture.Timestamp {
			if r.IntN(4) == 0 {
				return capture.Unknown
			}
			d := capture.Timestamp(distances[r.IntN(len(distances))])
			if r.IntN(4) == 0 {
				d = -d
			}
			return began + d
		}
		usual := &handshake{meta: meta{firstFrame: 5, began: began}}
		other := &handshake{meta: meta{firstFrame: 5, began: began}}
		table.unusual(other)
		for range 1 + r.IntN(6) {
			var note func(h *handshake)
			switch f, d := frame(), when(); r.IntN(8) {
			case 0, 1:
				if r.IntN(2) == 0 {
					f, d = 5, began
				}
				data := uint32(r.IntN(8) / 7)
				note = func(h *handshake) { table.setSYN(h, f, d, data) }
			case 2:
				note = func(h *handshake) { table.setSYNACK(h, f, d) }
			case 3:
				note = func(h *handshake) { table.setACK(h, f, d) }
			case 4:
				note = func(h *handshake) { table.setVerdict(h, f) }
			case 5:
				note = func(h *handshake) { table.setVerdict(h, 0) }
			case 6:
				n := []int{1, 126, 127, 128}[r.IntN(4)]
				note = func(h *handshake) {
					for range n {
						table.countSYNACK(h)
					}
				}
			case 7:
				note = func(h *handshake) { table.sentAnew(h, d) }
				if r.IntN(8) > 0 {
					continue
				}
			}
			note(usual)
			note(other)
			a, b := table.course(usual), table.course(other)
			if a != b {
				t.Fatalf("%+v, with a course of its own %+v", a, b)
			}
			if table.hasACK(usual) != (b.ackFrame != 0) || table.hasVerdict(usual) != (b.verdictFrame != 0) ||
				table.synCount(usual) != b.synCount || table.synData(usual) != b.synData {
				t.Fatalf("%+v: not what is asked of it", b)
			}
		}
		if table.ownCourse(usual) == nil {
			usuals++
		} else {
			own++
		}
	}
	if usuals < 1000 || own < 1000 {
		t.Errorf("%d usual courses and %d others: one of them is not tested", usuals, own)
	}
}

// A tally counts as far as 65535.
func TestTally(t *testing.T) {
	table := NewTable(Config{}, NewSeed())
	var h handshake
	want := [2]Direction{}
	check := func() {
		for side := range uint8(2) {
			var got Direction
			table.segments(&h, side, &got)
			if got != want[side] {
				t.Fatalf("%+v, want %+v", got, want[side])
			}
		}
	}
	for n := range uint32(70000) {
		for _, k := range []struct {
			kind int
			of   *uint32
			side uint8
			each uint32
		}{
			{syns, &want[0].SYNs, 0, 1}, {syns, &want[1].SYNs, 1, 2}, {synacks, &want[0].SYNACKs, 0, 3}, {synacks, &want[1].SYNACKs, 1, 5},
			{fins, &want[0].FINs, 0, 7}, {fins, &want[1].FINs, 1, 1}, {rsts, &want[0].RSTs, 0, 2}, {rsts, &want[1].RSTs, 1, 1},
		} {
			if n%k.each == 0 {
				table.increment(&h, k.kind, k.side)
				*k.of = min(*k.of+1, 65535)
				if !h.tally.any(k.kind, k.side) {
					t.Fatalf("kind %d of side %d: none", k.kind, k.side)
				}
			}
		}
		if n < 100 || n%1000 == 0 || n > 65500 {
			check()
		}
	}
}

// theWideWay applies a batch to connections that keep all that they can in the wide forms.
func theWideWay(t *Table, b *Batch) {
	for i := range b.records() {
		r := &b.records()[i]
		if n, c := t.find(b, r); c != nil && !t.isKnock(n) && c.key.hasStream() {
			h := t.handshake(n)
			t.unusual(h)
			o := t.odd(&h.meta)
			for kind := range o.segments {
				if n := h.tally.of(kind, 0); n > 1 { // one stays, as it does in increment
					h.tally -= tally(n-1) << (tallyBits * kind)
					o.segments[kind] += n - 1
				}
			}
		}
		t.record(b, r, &guess{cell: t.cells.at(noConnection)})
	}
}

// What does not fit a handshake is told as what does.
func TestTheWideWaySaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	words := strings.Fields("S S= s H h h= h* h! A A- a a! D d D> D= D< F F= f R r R* S* s* h~ 4294967294ns 4294967295ns 4294967296ns 5s -5s -1ns A0 a0 Ak")
	for range rounds(800) {
		script := strings.ReplaceAll([]string{"", "S", "S,h", "S,4294967294ns,h,A", "S,4294967295ns,h,A", "S,4294967296ns,h,A", "S+,h~,A", "h,A"}[r.IntN(8)], ",", " ")
		for range 1 + r.IntN(30) {
			script += " " + words[r.IntN(len(words))]
		}
		frames := play(t, script)
		for range r.IntN(4) {
			if len(frames) > 0 {
				spoil(r, frames)
			}
		}
		usual, _ := run(frames, 1, Config{})
		wide, _ := runWith(theWideWay, frames, 1, Config{})
		if diff := cmp.Diff(wide, usual, cmp.Comparer(sameConnection)); diff != "" {
			t.Fatalf("%s: the usual way +:\n%s", script, diff)
		}
	}
}

// A history goes on where its connection has no more room for it.
func TestLongHistory(t *testing.T) {
	resets := strings.Repeat(" R* r*", 200)
	cs, _ := run(play(t, "S h A D d a"+resets), 1, Config{})
	var got string
	for i := range cs {
		got += cs[i].History
	}
	want := "ShADda" + strings.Repeat("Rr", 132)
	if got != want {
		t.Errorf("history %s of %d letters, want %d: %s", got, len(got), len(want), want)
	}
}

// Interfaces have 32-bit numbers, though nearly all are small.
func TestInterfaceNumber(t *testing.T) {
	for _, n := range []uint32{0, 7, otherInterface - 1, otherInterface, otherInterface + 1, 1<<32 - 1} {
		for _, frames := range [][]capture.Frame{
			play(t, "S"), play(t, "S h A"), play(t, "D"), raws(ipv4(protoUDP, hostA, hostB, 1, 0, false, udp(1000, 53, nil))),
		} {
			for i := range frames {
				frames[i].Interface = n
			}
			if cs, _ := run(frames, 1, Config{}); cs[0].Interface != n {
				t.Errorf("%d: interface %d, want %d", cs[0].Protocol, cs[0].Interface, n)
			}
		}
	}
}
