package main

import (
	"encoding/binary"
	"io"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/decode/engine"
	"sockscope/decode/flow"
	"sockscope/report"
)

// openers is a Source of n TCP handshakes, each of its own client, and then of blocks that
// only tell the time.
type openers struct {
	n, sent int
	now     capture.Timestamp
	ticks   int

	left           time.Time // the last block that only told the time
	longest, total time.Duration
}

func (o *openers) Next(b *capture.Block) error {
	b.First, b.Frames = uint64(3*o.sent)+1, b.Frames[:0]
	if o.sent < o.n {
		o.left = time.Time{}
	}
	if o.sent == o.n {
		if o.ticks == 0 {
			return io.EOF
		}
		if !o.left.IsZero() {
			took := time.Since(o.left)
			o.longest, o.total = max(o.longest, took), o.total+took
		}
		o.ticks--
		o.now += capture.Timestamp(10 * time.Millisecond)
		b.Now, o.left = o.now, time.Now()
		return nil
	}
	for ; o.sent < o.n && len(b.Frames) < 3000; o.sent++ {
		for i, flags := range []byte{2, 18, 16} {
			d := make([]byte, 40)
			d[0], d[3], d[8], d[9], d[32], d[33], d[34] = 0x45, 40, 64, 6, 5<<4, flags, 1
			from, to := 12, 16
			if i == 1 {
				from, to = to, from
			}
			binary.BigEndian.PutUint32(d[from:], 10<<24|uint32(o.sent/30))
			binary.BigEndian.PutUint32(d[to:], 192<<24|uint32(o.sent%100))
			binary.BigEndian.PutUint16(d[20+(from-12)/2:], uint16(32768+o.sent%28000))
			binary.BigEndian.PutUint16(d[20+(to-12)/2:], []uint16{443, 80, 22, 5432}[o.sent%4])
			if i > 0 {
				d[31] = 1
			}
			if i == 2 {
				d[27] = 1
			}
			b.Frames = append(b.Frames, capture.Frame{Data: d, Length: 40, Link: capture.LinkRaw, Time: o.now})
		}
	}
	return nil
}

func (o *openers) Release(*capture.Block) {}
func (o *openers) Stats() capture.Stats   { return capture.Stats{} }
func (o *openers) Close() error           { return nil }

// BenchmarkInterval is what reports of a capture with 100,000 open connections cost, and how
// long the ring waits for them at a time.
func BenchmarkInterval(b *testing.B) {
	builder := report.NewBuilder(report.Config{})
	src := &openers{}
	n := 0
	cfg := engine.Config{Workers: 1, Every: time.Second, Look: func() engine.View {
		n++
		return &sofar{builder: builder.Clone(), complete: make(chan struct{})}
	}}
	cfg.Flow.Ending = &flow.Ending{Tell: func(_ flow.Event, c *flow.Connection) { builder.Add(c) }}
	for b.Loop() {
		src.n, src.sent, src.now, src.ticks = 100_000, 0, 1_700_000_000e9, 2000
		r, err := engine.Run(b.Context(), src, cfg)
		if err != nil || r.Len() != 100_000 {
			b.Fatal(err, r.Len())
		}
	}
	b.ReportMetric(float64(src.total.Microseconds())/1000/float64(n), "ms/look")
	b.ReportMetric(float64(src.longest.Microseconds())/1000, "ms-longest")
}
