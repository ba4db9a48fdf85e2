package ring

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"sockscope/capture"
)

func TestNothingReceivedBeforeTheStopIsLost(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	runs := 200
	if testing.Short() {
		runs = 20
	}
	var longest time.Duration
	for run := range runs {
		p := newTap(t, Config{Interfaces: []string{"in"}})
		want := 1 + rand.IntN(500)
		for n := range want {
			s.send(numbered(uint64(n), 60+rand.IntN(1400)))
		}
		begin := time.Now()
		p.end()
		longest = max(longest, time.Since(begin))
		if len(p.frames) != want {
			t.Fatalf("run %d: %d of %d frames", run, len(p.frames), want)
		}
		for i := range p.frames {
			if n := number(&p.frames[i]); n != uint64(i) {
				t.Fatalf("run %d: frame %d in place of %d", run, n, i)
			}
		}
		in := p.source.Stats().Inputs[0]
		if in.Frames != uint64(want) || in.Bytes != in.Captured || in.Format != "live" || in.Name != "in" {
			t.Fatalf("run %d: %+v", run, in)
		}
		p.source.Close()
	}
	t.Logf("the longest end took %v", longest)
	if longest > time.Second {
		t.Errorf("an end took %v", longest)
	}
}

func TestEveryFrameIsGivenOrCounted(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	p := newTap(t, Config{Interfaces: []string{"in"}, RingSize: 2 << 20})
	const want = 200_000
	go func() {
		for n := range uint64(want) {
			s.send(numbered(n, 60))
		}
		p.stop()
	}()
	var given, last uint64
	var err error
	for err == nil {
		if err = p.source.Next(&p.block); err != nil {
			break
		}
		for i := range p.block.Frames {
			n := number(&p.block.Frames[i])
			if given > 0 && n <= last {
				t.Fatalf("frame %d after %d", n, last)
			}
			last = n
			given++
		}
		if p.block.First+uint64(len(p.block.Frames)) != given+1 {
			t.Fatalf("block %d: first is frame %d, with %d frames; %d were given", p.block.Number, p.block.First, len(p.block.Frames), given)
		}
		if given > want/10 && given < want/5 {
			time.Sleep(100 * time.Millisecond)
		}
		p.source.Release(&p.block)
	}
	stats := p.source.Stats()
	drops := stats.Interfaces[0].Drops
	t.Logf("sent %d = given %d + dropped %d", want, given, drops)
	if given+drops != want || drops == 0 || stats.Inputs[0].Frames != given {
		t.Errorf("sent %d, given %d, dropped %d, counted %d", want, given, drops, stats.Inputs[0].Frames)
	}
}

func TestBlocksAreReleasedInAnyOrderByAnother(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	p := newTap(t, Config{Interfaces: []string{"in"}, RingSize: 8 << 20})
	const want = 200_000
	go func() {
		for n := range uint64(want) {
			s.send(numbered(n, 60))
		}
		p.stop()
	}()
	blocks := make(chan *capture.Block, 16)
	given := make(chan uint64)
	go func() {
		var held []*capture.Block
		n := uint64(0)
		release := func() {
			i := rand.IntN(len(held))
			b := held[i]
			held[i] = held[len(held)-1]
			held = held[:len(held)-1]
			for i := range b.Frames { // they were not overwritten
				if number(&b.Frames[i]) < number(&b.Frames[0])+uint64(i) {
					t.Errorf("block %d: frame %d is number %d, the first is %d", b.Number, i, number(&b.Frames[i]), number(&b.Frames[0]))
				}
			}
			n += uint64(len(b.Frames))
			p.source.Release(b)
			p.source.Release(b) // a second time is harmless
		}
		for b := range blocks {
			held = append(held, b)
			if len(held) > 4 {
				release()
			}
		}
		for len(held) > 0 {
			release()
		}
		given <- n
	}()
	for {
		b := new(capture.Block)
		if err := p.source.Next(b); err != nil {
			break
		}
		blocks <- b
	}
	close(blocks)
	n, drops := <-given, p.source.Stats().Interfaces[0].Drops
	t.Logf("sent %d = given %d + dropped %d", want, n, drops)
	if n+drops != want {
		t.Errorf("sent %d, given %d, dropped %d", want, n, drops)
	}
}

func TestAllBlocksHeld(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	p := newTap(t, Config{Interfaces: []string{"in"}, RingSize: 2 << 20, Immediate: true})
	var held [2]capture.Block
	for i := range held {
		s.send(numbered(uint64(i), 60))
		for len(held[i].Frames) == 0 {
			if err := p.source.Next(&held[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.send(numbered(2, 60))
	begin := time.Now()
	for range 5 { // with no block free, Next waits and gives none twice
		if err := p.source.Next(&p.block); err != nil || len(p.block.Frames) > 0 {
			t.Fatalf("%d frames, error %v", len(p.block.Frames), err)
		}
	}
	if waited := time.Since(begin); waited < 200*time.Millisecond {
		t.Errorf("five calls of Next took %v: it spins", waited)
	}
	for i := range held {
		if number(&held[i].Frames[0]) != uint64(i) {
			t.Errorf("block %d was overwritten", i)
		}
		p.source.Release(&held[i])
	}
	s.send(numbered(3, 60))
	p.got(3)
	p.end()
	if n, drops := len(p.frames)+2, p.source.Stats().Interfaces[0].Drops; n != 3 || drops != 1 {
		t.Errorf("%d frames given and %d dropped of 4", n, drops)
	}
}

func TestMemoryOutlivesClose(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	p := newTap(t, Config{Interfaces: []string{"in"}})
	s.send(numbered(7, 60))
	for len(p.block.Frames) == 0 {
		if err := p.source.Next(&p.block); err != nil {
			t.Fatal(err)
		}
	}
	p.source.Close()
	p.source.Close()
	if number(&p.block.Frames[0]) != 7 {
		t.Error("the block has changed")
	}
	p.source.Release(&p.block)
	if err := p.source.Next(&p.block); err == nil {
		t.Error("Next works after Close")
	}
	if n := p.source.Stats().Inputs[0].Frames; n != 1 {
		t.Errorf("%d frames", n)
	}
}

// tagged is numbered with tags behind the addresses.
func tagged(n uint64, tags ...uint32) []byte {
	b := numbered(n, 60)
	var between []byte
	for _, t := range tags {
		between = binary.BigEndian.AppendUint32(between, t)
	}
	return append(append(append([]byte(nil), b[:12]...), between...), b[12:]...)
}

func TestTagsArePutBack(t *testing.T) {
	tests := []struct {
		name string
		tags []uint32
	}{
		{"none", nil},
		{"a VLAN", []uint32{0x81000005}},
		{"priority and drop bits", []uint32{0x8100ffff}},
		{"a priority tag of zeros", []uint32{0x81000000}},
		{"802.1ad", []uint32{0x88a80007}},
		{"two tags", []uint32{0x88a80007, 0x81000009}},
		{"three tags", []uint32{0x88a80007, 0x81000009, 0x81000000}},
	}
	for _, side := range []string{"in", "out", "any"} {
		for _, tt := range tests {
			t.Run(side+"/"+tt.name, func(t *testing.T) {
				newPair(t)
				s := newSender(t, "out")
				p := newTap(t, Config{Interfaces: []string{side}})
				want := tagged(1, tt.tags...)
				s.send(want)
				p.end()
				frames := 1
				if side == "any" {
					frames = 2
				}
				if len(p.frames) != frames {
					t.Fatalf("%d frames", len(p.frames))
				}
				for _, f := range p.frames {
					if !bytes.Equal(f.Data, want) || f.Length != uint32(len(want)) || f.Link != capture.LinkEthernet {
						t.Errorf("have %d of %d bytes, link type %v:\n% x, want\n% x", len(f.Data), f.Length, f.Link, f.Data, want)
					}
				}
			})
		}
	}
}

func TestSnapLength(t *testing.T) {
	tests := []struct {
		name     string
		snap     int
		tags     []uint32
		captured int
	}{
		{"shorter than the frame", 40, nil, 40},
		{"longer than the frame", 100, nil, 60},
		{"a tag counts", 40, []uint32{0x81000005}, 40},
		{"shorter than the addresses", 10, []uint32{0x81000005}, 10},
		{"no limit", 0, nil, 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			newPair(t)
			s := newSender(t, "out")
			p := newTap(t, Config{Interfaces: []string{"in"}, SnapLength: tt.snap})
			want := tagged(1, tt.tags...)
			s.send(want)
			p.end()
			if len(p.frames) != 1 {
				t.Fatalf("%d frames", len(p.frames))
			}
			f := p.frames[0]
			if !bytes.Equal(f.Data, want[:tt.captured]) || f.Length != uint32(len(want)) {
				t.Errorf("have %d of %d bytes: % x", len(f.Data), f.Length, f.Data)
			}
			in := p.source.Stats().Inputs[0]
			if in.Bytes != uint64(len(want)) || in.Captured != uint64(tt.captured) {
				t.Errorf("%+v", in)
			}
		})
	}
}

func TestDirection(t *testing.T) {
	tests := []struct {
		name      string
		direction Direction
		want      []uint64
	}{
		{"both", InOut, []uint64{1, 2}},
		{"in", In, []uint64{2}},
		{"out", Out, []uint64{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			newPair(t)
			p := newTap(t, Config{Interfaces: []string{"out"}, Direction: tt.direction})
			newSender(t, "out").send(numbered(1, 60))
			newSender(t, "in").send(numbered(2, 60))
			p.end()
			wantNumbers(t, p, tt.want...)
			for i := range p.frames {
				f := &p.frames[i]
				want := capture.Outbound
				if number(f) == 2 {
					want = capture.Inbound
				}
				if f.Direction != want {
					t.Errorf("frame %d: direction %d, want %d", number(f), f.Direction, want)
				}
			}
		})
	}
}

func wantNumbers(t *testing.T, p *tap, want ...uint64) {
	t.Helper()
	ok := len(p.frames) == len(want)
	for i := range p.frames {
		ok = ok && number(&p.frames[i]) == want[i]
	}
	if !ok {
		var have []uint64
		for i := range p.frames {
			have = append(have, number(&p.frames[i]))
		}
		t.Errorf("frames %v, want %v", have, want)
	}
}

func TestLoopbackIsSeenOnce(t *testing.T) {
	for _, name := range []string{"lo", "any", "lo and another"} {
		for direction, word := range map[Direction]string{InOut: "both", In: "in", Out: "out"} {
			t.Run(name+"/"+word, func(t *testing.T) {
				newPair(t)
				names := []string{name}
				if name == "lo and another" {
					names = []string{"lo", "in"}
				}
				p := newTap(t, Config{Interfaces: names, Direction: direction})
				s := newSender(t, "lo")
				for n := range uint64(5) {
					s.send(numbered(n, 60))
				}
				p.end()
				wantNumbers(t, p, 0, 1, 2, 3, 4)
				for i := range p.frames {
					if d := p.frames[i].Direction; d != capture.NoDirection {
						t.Errorf("direction %d", d)
					}
				}
			})
		}
	}
}

func TestLongFrames(t *testing.T) {
	newNetwork(t)
	ip(t, "link set lo mtu 200000")
	p := newTap(t, Config{Interfaces: []string{"lo"}})
	s := newSender(t, "lo")
	if err := unix.SetsockoptInt(s.socket, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 4<<20); err != nil {
		t.Fatal(err)
	}
	lengths := []int{65_549, 65_550, 131_022, 200_014}
	for i, n := range lengths {
		s.send(numbered(uint64(i), n))
	}
	p.end()
	wantNumbers(t, p, 0, 1, 2, 3)
	for i, f := range p.frames {
		if len(f.Data) != lengths[i] || f.Length != uint32(lengths[i]) {
			t.Errorf("%d of %d bytes, want %d", len(f.Data), f.Length, lengths[i])
		}
	}
	if drops := p.source.Stats().Interfaces[0].Drops; drops != 0 {
		t.Errorf("%d drops", drops)
	}
}

func TestTimesAreTheKernelsInNanoseconds(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	p := newTap(t, Config{Interfaces: []string{"in"}})
	begin := time.Now().UnixNano()
	for n := range uint64(100) {
		s.send(numbered(n, 60))
	}
	end := time.Now().UnixNano()
	p.end()
	fine, last := 0, int64(0)
	for _, f := range p.frames {
		at := int64(f.Time)
		if at < begin || at > end || at < last {
			t.Errorf("time %d is not between %d and %d", at, max(begin, last), end)
		}
		last = at
		if at%1000 != 0 {
			fine++
		}
	}
	if len(p.frames) != 100 || fine < 50 {
		t.Errorf("%d of %d times are finer than a microsecond", fine, len(p.frames))
	}
}

func TestFilterIsSetBeforeTheFirstFrame(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	stop, done := make(chan bool), make(chan bool)
	go func() { // a frame passes at any moment
		defer close(done)
		for n := uint64(0); ; n++ {
			select {
			case <-stop:
				return
			default:
				s.send(numbered(n, 60))
			}
		}
	}()
	odd, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 21, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 1, SkipTrue: 1},
		bpf.RetConstant{},
		bpf.RetConstant{Val: 30},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, direction := range []Direction{InOut, In} {
		for range 5 {
			p := newTap(t, Config{Interfaces: []string{"in"}, Filter: odd, Direction: direction, Immediate: true})
			p.until("frames", func() bool { return len(p.frames) > 500 })
			p.end()
			for _, f := range p.frames {
				if number(&f)%2 == 0 || len(f.Data) != 30 {
					t.Fatalf("frame %d with %d bytes", number(&f), len(f.Data))
				}
			}
			if in := p.source.Stats(); in.Interfaces[0].Drops != 0 {
				t.Logf("%d drops", in.Interfaces[0].Drops)
			}
			p.source.Close()
		}
	}
	close(stop)
	<-done
}

func TestImmediate(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	p := newTap(t, Config{Interfaces: []string{"in"}, Immediate: true})
	var shortest = time.Second
	for n := range uint64(20) {
		begin := time.Now()
		s.send(numbered(n, 60))
		p.got(n)
		shortest = min(shortest, time.Since(begin))
	}
	if shortest > 20*time.Millisecond {
		t.Errorf("the quickest frame took %v", shortest)
	}
	t.Logf("the quickest frame took %v", shortest)
}
