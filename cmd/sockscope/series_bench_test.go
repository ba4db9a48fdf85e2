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
}

func (o *openers) Next(b *capture.Block) error {
	b.First, b.Frames = uint64(3*o.sent)+1, b.Frames[:0]
	if o.sent == o.n {
		if o.ticks == 0 {
			return io.EOF
		}
		o.ticks--
		o.now += capture.Timestamp(time.Second)
		b.Now = o.now
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

// BenchmarkInterval is what the ring waits for at each report of a capture with 100,000 open
// connections.
func BenchmarkInterval(b *testing.B) {
	builder := report.NewBuilder(report.Config{})
	var longest, total time.Duration
	n := 0
	cfg := engine.Config{Workers: 1, Every: time.Second, Look: func(r *engine.Result) {
		begun := time.Now()
		withOpen(builder.Clone(), r)
		took := time.Since(begun)
		longest, total, n = max(longest, took), total+took, n+1
	}}
	cfg.Flow.Ending = &flow.Ending{Tell: func(_ flow.Event, c *flow.Connection) { builder.Add(c) }}
	for b.Loop() {
		r, err := engine.Run(b.Context(), &openers{n: 100_000, now: 1_700_000_000e9, ticks: 20}, cfg)
		if err != nil || r.Len() != 100_000 {
			b.Fatal(err, r.Len())
		}
	}
	b.ReportMetric(float64(total.Milliseconds())/float64(n), "ms/look")
	b.ReportMetric(float64(longest.Milliseconds()), "ms-longest")
}
