package flow

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode"
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
		t.packet(b, r, n, c, nil)
	}
}

// The short ways of segments say what the long one says, whatever happens on a connection.
func TestTheShortWaySaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	words := strings.Fields("D D D D d d d d A A a a D> d> D< d< D= d= A= Ak ak a0 A0 P p a< 50ms -50ms Dw d^ F f R r S h s")
	begins := strings.Fields("S,h,A S,h,A,D,d S,h D,d A,d S,S=,h,A,D,a,d,A S,A,D")
	for range rounds(1500) {
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

// A knock says of a bare SYN what the long way says, alone and when packets follow.
func TestKnockSaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	options := [][]byte{nil, {2, 4, 5, 0xb4}, {3, 3, 14, 1}, {3, 3, 99, 4, 2, 0, 0, 0}, {30, 4, 0, 0}, {34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1}, {2, 9, 1, 1}}
	for range rounds(600) {
		isn := []uint32{1000, 1000, 0, 1<<32 - 1, r.Uint32()}[r.IntN(5)]
		h := segmentWords{
			side: r.IntN(2), seq: isn, window: uint16(r.Uint32()) * uint16(r.IntN(2)), ttl: uint8(r.IntN(3) * 64),
			flags: syn | uint16(r.Uint32())&(decode.ECE|decode.CWR|decode.PSH|decode.URG),
		}
		b := h.frame()
		extra := options[r.IntN(len(options))]
		b = append(b, extra...)
		b[32] += byte(len(extra) / 4 << 4)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		frame := capture.Frame{
			Data: b, Length: uint32(len(b)), Link: capture.LinkRaw, Interface: uint32(r.IntN(2)),
			Time: []capture.Timestamp{scriptEpoch, capture.Unknown, scriptEpoch + 1e9}[r.IntN(3)],
		}
		if r.IntN(8) == 0 {
			frame.Length += 1 << linkBits
		}
		frames := []capture.Frame{frame}
		more := play(t, "R A^ h A D d a F f A R s S*")
		for from := r.IntN(len(more)); from < len(more) && r.IntN(4) > 0; from++ {
			f := more[from]
			f.Data[33] |= uint8(r.IntN(2)) * uint8(decode.ECE)
			frames = append(frames, f)
		}
		if r.IntN(8) == 0 { // from and to one endpoint
			for _, f := range frames {
				copy(f.Data[16:20], f.Data[12:16])
				copy(f.Data[22:24], f.Data[20:22])
			}
		}
		long, _ := runWith(theLongWay, frames, 1, Config{})
		short, _ := run(frames, 1, Config{})
		if diff := cmp.Diff(long, short, cmp.Comparer(sameConnection)); diff != "" {
			t.Fatalf("% x, then %d frames: the knock +:\n%s", b, len(frames)-1, diff)
		}
	}
}

// The short way of datagrams says what the long one says, whatever their times are and
// whatever they carry.
func TestTheShortWayOfDatagramsSaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range rounds(400) {
		var frames []capture.Frame
		now := scriptEpoch
		for range 1 + r.IntN(20) {
			from, to := hostA, hostB
			ports := [2]uint16{1000, 53}
			if r.IntN(2) == 0 {
				from, to, ports = to, from, [2]uint16{53, 1000}
			}
			payload := []byte("question")[:[]int{0, 3, 8}[r.IntN(3)]]
			protocol, data := uint8(protoUDP), udp(ports[0], ports[1], payload)
			if r.IntN(8) == 0 {
				protocol, data = protoICMP, icmp(uint8(r.IntN(2)*8), 0, payload)
			}
			f := raws(ipv4(protocol, from, to, 1, 0, r.IntN(10) == 0, data))[0]
			if r.IntN(10) == 0 {
				f.Length += 1 << linkBits
			}
			now += []capture.Timestamp{0, 1, 9e6, 10e6, 10e6 + 1, 20e6, -1, -15e6}[r.IntN(8)]
			if f.Time = now; r.IntN(10) == 0 {
				f.Time = capture.Unknown
			}
			frames = append(frames, f)
		}
		for _, idle := range []time.Duration{0, 10 * time.Millisecond} {
			var told [2][]string
			cfg := func(i int) Config {
				return Config{UDPIdle: idle, Classify: func(_ uint8, payload []byte, _ *Finding) {
					told[i] = append(told[i], string(payload))
				}}
			}
			short, _ := run(frames, 1, cfg(0))
			long, _ := runWith(theLongWay, frames, 1, cfg(1))
			if diff := cmp.Diff(long, short, cmp.Comparer(sameConnection)) + cmp.Diff(told[1], told[0]); diff != "" {
				t.Fatalf("idle %v, % v: the short way +:\n%s", idle, frames, diff)
			}
		}
	}
}
