package flow

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// theLongWay applies a batch without any short cut: neither for connections in their
// steady state, nor for those that begin with a bare SYN.
func theLongWay(t *Table, b *Batch) {
	for i := range b.records() {
		r := &b.records()[i]
		r.what |= surrounded // by nothing, as will be seen; no knock is kept of such
		if r.kind() > datagram {
			t.record(b, r, &guess{cell: t.cells.at(noConnection)})
			continue
		}
		n, c := t.find(b, r)
		if c != nil {
			c.bits &^= steady
		}
		t.packet(b, r, n, c)
	}
}

// The short ways of segments say what the long one says, whatever happens on a connection.
func TestTheShortWaySaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	words := strings.Fields("D D D D d d d d A A a a D> d> D< d< D= d= A= Ak ak a0 A0 P p a< 50ms -50ms Dw d^ F f R r S h s")
	begins := strings.Fields("S,h,A S,h,A,D,d S,h D,d A,d S,S=,h,A,D,a,d,A S,A,D")
	for range 1500 {
		script := strings.ReplaceAll(begins[r.IntN(len(begins))], ",", " ")
		script += " D a d A" // so that each has been sent once
		for range 3 + r.IntN(40) {
			// Mostly what happens on a good connection, so that it is in its steady state.
			script += " " + words[min(r.IntN(len(words)), r.IntN(len(words)), r.IntN(len(words)))]
		}
		frames := play(t, script)
		for range r.IntN(4) {
			spoil(r, frames)
		}
		short, _ := run(frames, 1, Config{})
		long, _ := runWith(theLongWay, frames, 1, Config{})
		if diff := cmp.Diff(long, short, cmp.Comparer(sameConnection)); diff != "" {
			t.Fatalf("%s: the short way +:\n%s", script, diff)
		}
	}
}

// What needs the long way gets it, though all that came before was in order.
func TestTheLongWayIsTaken(t *testing.T) {
	t.Run("a SYN captured late may yet be acknowledged", func(t *testing.T) {
		frames := play(t, "S s A D d D d A")
		late := frames[1]
		frames = append(append(append([]capture.Frame{}, frames[0]), frames[2:6]...), late, frames[6], frames[7])
		if cs, _ := run(frames, 1, Config{}); len(cs) != 1 || cs[0].ACKFrame == 0 {
			t.Errorf("%s, want the ACK of the server's SYN", allWords(cs))
		}
	})
	t.Run("ports alone are no data", func(t *testing.T) {
		const data = 8 // in Wireshark's completeness
		frames := play(t, "S h A D D= a")
		frames[3].Data = frames[3].Data[:24]
		cs, _ := run(frames[:4], 1, Config{})
		if cs[0].Completeness&data != 0 {
			t.Errorf("completeness %d before any data was seen", cs[0].Completeness)
		}
		if cs, _ = run(frames, 1, Config{}); cs[0].Completeness&data == 0 {
			t.Errorf("completeness %d after data", cs[0].Completeness)
		}
	})
	t.Run("the first time that is known is the first", func(t *testing.T) {
		frames := play(t, "S h A D d D d D d")
		for i := range frames[:6] {
			frames[i].Time = capture.Unknown
		}
		cs, _ := run(frames, 1, Config{})
		if c := &cs[0]; c.First != frames[6].Time || c.Last != frames[8].Time {
			t.Errorf("from %d to %d, want %d to %d", c.First, c.Last, frames[6].Time, frames[8].Time)
		}
	})
	t.Run("data that was acknowledged before it came was sent again", func(t *testing.T) {
		for _, begin := range []string{"S h A D a d A ", "D a d A "} { // with the handshake and without
			frames := play(t, begin+"D a D a")
			n := len(frames)
			frames[n-1].Data, frames[n-2].Data = frames[n-2].Data, frames[n-1].Data
			cs, _ := run(frames, 1, Config{})
			if got := cs[0].ToServer.Retransmissions; got != 1 {
				t.Errorf("%s: %d segments sent again, want 1 as tshark has it", begin, got)
			}
		}
	})
}

// spoil does to some frame what captures do.
func spoil(r *rand.Rand, frames []capture.Frame) {
	i := r.IntN(len(frames))
	f := &frames[i]
	switch r.IntN(5) {
	case 0, 1: // captured before the one before it
		if i > 0 {
			before := &frames[i-1]
			*f, *before = *before, *f
			f.Time, before.Time = before.Time, f.Time
		}
	case 2: // only the ports are left
		f.Data = f.Data[:min(len(f.Data), 24)]
	case 3: // more behind the packet than counts can hold
		f.Length += 1 << linkBits
	case 4:
		f.Time = capture.Unknown
	}
}

func sameConnection(a, b Connection) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }
