package flow

import (
	"fmt"
	"testing"
	"time"

	"sockscope/capture"
)

// knocks are the records of one bare SYN each of connections i and after, i+n excluded.
func knocks(s *Seed, b *Batch, i, n int) {
	b.reset(b.block)
	b.block.First = uint64(i) + 1
	for j := range n {
		k, dir := narrow(endpoint(10<<24|uint32(i+j)>>4, uint16(1024+(i+j)&15)), endpoint(192<<24|168<<16|1, 443), protoTCP)
		*b.add() = record{key: k, dir: dir, hash: s.hash(k), time: capture.Timestamp(i + j), wire: 54, ip: 40, flags: syn, what: segment, window: 1024, ttl: 64, offset: 54}
	}
}

// newKnocks is a batch for them: all are of one frame, without options.
func newKnocks() *Batch {
	return &Batch{block: &capture.Block{Frames: []capture.Frame{{Data: make([]byte, 54)}}}}
}

// BenchmarkGrowth lets a table grow by one connection with each packet.
//
// ns/packet is that of the first four fifths, in stretches, as a run applies them. The
// others are applied one by one: longest is what the slowest of them took. What else the
// machine does counts, too.
func BenchmarkGrowth(b *testing.B) {
	for _, n := range []int{5_000, 500_000, 5_000_000} {
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			seed, batch := NewSeed(), newKnocks()
			rounds, many := max(1, 1_000_000/n), n/5*4
			var inStretches, longest time.Duration
			for b.Loop() {
				for range rounds {
					table := NewTable(Config{}, seed)
					for i := 0; i < many; i += stretch {
						knocks(seed, batch, i, min(stretch, many-i))
						start := time.Now()
						table.Apply(batch)
						inStretches += time.Since(start)
					}
					for i := many; i < n; i++ {
						knocks(seed, batch, i, 1)
						start := time.Now()
						table.Apply(batch)
						longest = max(longest, time.Since(start))
					}
					if table.Len() != n {
						b.Fatalf("%d connections, want %d", table.Len(), n)
					}
				}
			}
			b.ReportMetric(float64(inStretches.Nanoseconds())/float64(b.N*rounds*many), "ns/packet")
			b.ReportMetric(float64(longest.Nanoseconds())/1e3, "µs-longest")
		})
	}
}
