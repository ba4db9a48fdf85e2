package engine

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A deluge is a Source of SYNs, each of its own tuple, with established connections between
// that send a segment to and fro after their gap, again and again.
type deluge struct {
	syns        int
	established int
	perSecond   int // SYNs
	gaps        []time.Duration

	block uint64
	frame uint64
	sent  int
	due   [][]talk // by tenth of a second, those that are to talk
}

type talk struct{ id, step uint32 }

const delugeFrame = 40

func (d *deluge) now() capture.Timestamp {
	return 1_700_000_000e9 + capture.Timestamp(float64(d.sent)/float64(d.perSecond)*1e9)
}

func (d *deluge) tenth() int { return d.sent * 10 / d.perSecond }

func (d *deluge) Next(b *capture.Block) error {
	const size = 1000
	if d.block == 0 {
		d.due = make([][]talk, d.syns*10/d.perSecond+2)
		for id := range d.established {
			d.due[0] = append(d.due[0], talk{uint32(id), 0})
		}
	}
	if d.sent == d.syns {
		return io.EOF
	}
	b.Number, b.First, b.Frames = d.block, d.frame+1, b.Frames[:0]
	d.block++
	b.Memory = b.Memory[:0]
	if cap(b.Memory) < (size+3)*delugeFrame {
		b.Memory = make([]byte, 0, (size+3)*delugeFrame)
	}
	for len(b.Frames) < size && d.sent < d.syns {
		if now := d.tenth(); len(d.due[now]) > 0 {
			t := d.due[now][0]
			d.due[now] = d.due[now][1:]
			d.talk(b, t)
			gap := d.gaps[int(t.id)%len(d.gaps)]
			if next := now + int(gap/(100*time.Millisecond)); next < len(d.due) {
				d.due[next] = append(d.due[next], talk{t.id, t.step + 1})
			}
			continue
		}
		d.add(b, 0x0b000000+uint32(d.sent), 0xc0000202, 1024, 80, uint32(d.sent), 0, 2)
		d.sent++
	}
	d.frame += uint64(len(b.Frames))
	return nil
}

// talk is a handshake first, then a segment of each side.
func (d *deluge) talk(b *capture.Block, t talk) {
	client, server := 0x0a000000+t.id, uint32(0xc0000201)
	if t.step == 0 {
		d.add(b, client, server, 40000, 443, 100, 0, 2)
		d.add(b, server, client, 443, 40000, 500, 101, 0x12)
		d.add(b, client, server, 40000, 443, 101, 501, 0x10)
		return
	}
	d.add(b, client, server, 40000, 443, 101, 500+t.step, 0x10)
	d.add(b, server, client, 443, 40000, 501, 101, 0x10)
}

func (d *deluge) add(b *capture.Block, src, dst uint32, sport, dport uint16, seq, ack uint32, flags byte) {
	n := len(b.Memory)
	b.Memory = b.Memory[:n+delugeFrame]
	f := b.Memory[n:]
	clear(f)
	f[0], f[3], f[8], f[9], f[32], f[33], f[34] = 0x45, delugeFrame, 64, 6, 5<<4, flags, 1
	binary.BigEndian.PutUint32(f[12:], src)
	binary.BigEndian.PutUint32(f[16:], dst)
	binary.BigEndian.PutUint16(f[20:], sport)
	binary.BigEndian.PutUint16(f[22:], dport)
	binary.BigEndian.PutUint32(f[24:], seq)
	binary.BigEndian.PutUint32(f[28:], ack)
	b.Frames = append(b.Frames, capture.Frame{Data: f, Length: delugeFrame, Link: capture.LinkRaw, Time: d.now()})
}

func (d *deluge) Release(*capture.Block) {}
func (d *deluge) Stats() capture.Stats   { return capture.Stats{} }
func (d *deluge) Close() error           { return nil }

// A flood of SYNs evicts SYNs: no connection that is established, however long its pauses.
// Sums are exact, and what is evicted does not depend on the workers. With SOCKSCOPE_FULL set
// there are 10 M SYNs.
func TestFloodSparesTheEstablished(t *testing.T) {
	syns, established, memory := 2_500_000, 10_000, int64(64<<20)
	workers := []int{1, 2}
	switch {
	case testing.Short():
		syns, established, memory, workers = 300_000, 1000, 16<<20, []int{1, 5}
	case os.Getenv("SOCKSCOPE_FULL") != "":
		syns = 10_000_000
	}
	var want string
	for _, n := range workers {
		src := &deluge{syns: syns, established: established, perSecond: syns / 80, gaps: []time.Duration{time.Second, 10 * time.Second, 60 * time.Second}}
		var told, evicted, packets uint64
		order := uint64(0) // a sum that depends on the order
		spared := 0
		see := func(c *flow.Connection) {
			packets += c.ToServer.Packets + c.ToClient.Packets
			order = order*31 + c.ID
			if c.Server.Port() == 443 {
				if c.Outcome != flow.Complete || c.Close != flow.Open || c.PartOf != 0 {
					t.Errorf("%d workers: connection %d: %v %v, part of %d", n, c.ID, c.Outcome, c.Close, c.PartOf)
				}
				spared++
			}
		}
		cfg := Config{Workers: n, Memory: memory}
		cfg.Flow.Ending = &flow.Ending{MemoryOnly: true, Tell: func(_ flow.Event, c *flow.Connection) {
			told++
			if c.Close == flow.Evicted {
				evicted++
			}
			see(c)
		}}
		r, err := Run(t.Context(), src, cfg)
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for c := range r.Connections() {
			left++
			see(c)
		}
		if spared != established || int(told)+left != syns+established || packets != r.Totals.Frames || packets != src.frame {
			t.Errorf("%d workers: %d established, %d + %d connections, %d packets of %d", n, spared, told, left, packets, src.frame)
		}
		if r.Totals.Evicted != evicted || r.Totals.Outlived != told-evicted || evicted < uint64(syns)/3 || !r.Totals.EvictedSince.Known() {
			t.Errorf("%d workers: %d evicted, %d told of, %d of these evicted", n, r.Totals.Evicted, told, evicted)
		}
		tuples := r.Totals.Tuples.Estimate()
		if off := float64(tuples)/float64(syns+established) - 1; math.Abs(off) > 0.02 {
			t.Errorf("%d workers: about %d tuples, there are %d", n, tuples, syns+established)
		}
		got := fmt.Sprint(told, evicted, order, r.Totals.EvictedSince, r.Totals.EvictedUntil, r.Totals.Shortages, tuples)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d workers: %s, want %s", n, got, want)
		}
	}
}

// A watched source has a function that is called before each block.
type watched struct {
	capture.Source
	before func()
}

func (w *watched) Next(b *capture.Block) error {
	w.before()
	return w.Source.Next(b)
}

// Where connections are told as they end, few are finished behind each block: there is a
// reader who is given all of them. They become fewer all the same.
func TestReliefOfAStreamIsPaced(t *testing.T) {
	const syns, established = 200_000, 100
	for _, workers := range []int{1, 2} {
		src := &deluge{syns: syns, established: established, perSecond: 20_000, gaps: []time.Duration{time.Second, 10 * time.Second}}
		seen := make(map[uint64]bool)
		told, most, open, full := 0, 0, 0, 0
		cfg := Config{Workers: workers, Memory: 16 << 20}
		cfg.Flow.Ending = &flow.Ending{Tell: func(_ flow.Event, c *flow.Connection) {
			if told++; seen[c.ID] || c.Server.Port() == 443 {
				t.Errorf("%d workers: connection %d: %v", workers, c.ID, c.Close)
			}
			seen[c.ID] = true
		}}
		before := func() {
			most = max(most, told)
			if told = 0; full == 0 && len(seen) > 0 {
				full = src.sent
			}
			open = max(open, src.sent-len(seen))
		}
		r, err := Run(t.Context(), &watched{src, before}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for c := range r.Connections() {
			if left++; seen[c.ID] {
				t.Errorf("%d workers: connection %d was told before", workers, c.ID)
			}
		}
		if left+len(seen) != syns+established || r.Totals.Evicted < syns/2 {
			t.Errorf("%d workers: %d told, %d left, %d evicted", workers, len(seen), left, r.Totals.Evicted)
		}
		t.Logf("%d workers: at most %d told of in one go, at most %d open, %d when it began", workers, most, open, full)
		if most == 0 || most > 2*1000 || full == 0 || open > full/10*11 {
			t.Errorf("%d workers: at most %d told of in one go, at most %d open, %d when it began", workers, most, open, full)
		}
	}
}
