package flow

import (
	"encoding/binary"
	"testing"
	"time"

	"sockscope/capture"
)

// crowd is a table of n open connections, made by as many scripts with other addresses.
func crowd(tb testing.TB, n int, script string) *Table {
	table := NewTable(Config{UDPIdle: 2 * time.Minute, Ending: &Ending{Tell: func(Event, *Connection) {}}}, NewSeed())
	r := NewRecorder(table.seed)
	batches := make([]Batch, 1)
	frames := play(tb, script)
	table.Sweep(scriptEpoch) // the clock begins
	for i := range n {
		for _, f := range frames {
			for at := 12; at <= 16; at += 4 {
				if host := f.Data[at : at+4]; host[0] != scriptHosts[1][0] { // the client
					binary.BigEndian.PutUint32(host, 10<<24|uint32(i))
				}
			}
		}
		r.Record(&capture.Block{First: uint64(i*len(frames)) + 1, Frames: frames}, batches)
		table.Apply(&batches[0])
	}
	if table.Len() != n {
		tb.Fatalf("%d connections, want %d", table.Len(), n)
	}
	return table
}

// BenchmarkSweep looks at all of a million connections once, of which none is over.
func BenchmarkSweep(b *testing.B) {
	for _, bm := range []struct{ name, script string }{{"established", "S h A D d"}, {"half-open", "S h"}, {"midstream", "D d D d"}} {
		table := crowd(b, 1_000_000, bm.script)
		now := scriptEpoch + capture.Timestamp(10*time.Second)
		longest := time.Duration(0)
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				table.ending.began = capture.Unknown
				for round := true; round; round = table.ending.chunk != 0 {
					start := time.Now()
					table.Sweep(now)
					longest = max(longest, time.Since(start))
				}
			}
			b.ReportMetric(float64(longest.Microseconds()), "µs-longest")
		})
	}
}
