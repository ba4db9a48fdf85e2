package report

import (
	"iter"
	"math"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// address6 is the nth of many.
func address6(n int) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 11: 1, 12: byte(n >> 24), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)})
}

// floods are connections without end, of which each has what makes tables large.
var floods = map[string]func(c *flow.Connection, n int){
	"errors from everywhere": func(c *flow.Connection, n int) {
		c.Outcome, c.HasICMP, c.ICMPType = flow.Unreachable, true, 1
		c.Client, c.Server = netip.AddrPortFrom(address6(n), 1000), netip.AddrPortFrom(address6(n*7919), uint16(n*31))
		c.ICMPFrom = address6(n * 104729)
	},
	"many clients of many servers that refuse": func(c *flow.Connection, n int) {
		c.Outcome, c.ClosedBy = flow.Refused, flow.ServerSide
		c.Client, c.Server = netip.AddrPortFrom(address6(n), 1000), netip.AddrPortFrom(address6(n%3001), 80)
	},
	"few sources that scan all ports of many hosts": func(c *flow.Connection, n int) {
		c.Outcome = []flow.Outcome{flow.Refused, flow.Unanswered, flow.HalfOpen}[n/7%3]
		c.Client, c.Server = netip.AddrPortFrom(address6(n%5), 1000), netip.AddrPortFrom(address6(n/5%900), uint16(n/4500*17))
	},
	"all ports of many clients, with setup times": func(c *flow.Connection, n int) {
		c.Outcome, c.Setup = flow.Complete, time.Duration(n*n)
		c.Client, c.Server = netip.AddrPortFrom(address6(n), 1000), netip.AddrPortFrom(address6(n*7919), uint16(n))
	},
	"many clients of many doors that work": func(c *flow.Connection, n int) {
		c.Outcome = flow.Complete
		c.Client, c.Server = netip.AddrPortFrom(address6(n), 1000), netip.AddrPortFrom(address6(n%2500), 443)
	},
	"proven services on all ports": func(c *flow.Connection, n int) {
		c.Outcome, c.Evidence = flow.Complete, flow.Evidence{Service: []string{"http", "tls", "ssh", "smtp", "ftp", "imap", "pop3", "mysql"}[n%8]}
		c.Client, c.Server = netip.AddrPortFrom(address6(n), 1000), netip.AddrPortFrom(address6(n*7919), uint16(n/8))
	},
	"SYNs that come again": func(c *flow.Connection, n int) {
		c.Outcome, c.SYNCount, c.Flags = flow.Unanswered, 4, flow.SYNRetransmitted
		c.SYNWaits = []time.Duration{1e9, 2e9, 4e9}
		c.Client, c.Server = netip.AddrPortFrom(address(n), 1000), netip.AddrPortFrom(address(n/3), uint16(n%3))
	},
}

// A flooded is a Builder with a flood's connections, and what must come of them.
func flooded(b *Builder, flood func(*flow.Connection, int), n int, between func(added int)) *scene {
	for i := range n {
		for c := range flooding(flood, i, i+1) {
			b.Add(c)
		}
		between(i + 1)
	}
	return newScene()
}

// flooding are the connections of a flood from one number to before another one.
func flooding(flood func(*flow.Connection, int), from, end int) iter.Seq[*flow.Connection] {
	return func(yield func(*flow.Connection) bool) {
		c := newScene().tcp("10.0.0.1:1000", "192.0.2.1:443", flow.Refused, 0)
		for i := from; i < end; i++ {
			flood(c, i)
			c.ID, c.FirstFrame, c.VerdictFrame = uint64(i+1), uint64(i+1), uint64(i+1)
			c.First = at(0) + capture.Timestamp(i*1000)
			c.Last = c.First
			if !yield(c) {
				return
			}
		}
	}
}

// Whatever comes, the tables take what they may, a clone takes as much again, and nothing is
// left out of the sums.
func TestBuilderKeepsWithinItsMemory(t *testing.T) {
	const memory = 6 << 20
	connections := 400_000
	if testing.Short() {
		connections = 150_000
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for name, flood := range floods {
		before := heap()
		b := NewBuilder(Config{Memory: memory})
		most, both := int64(0), int64(0)
		s := flooded(b, flood, connections, func(added int) {
			if added%25_000 == 0 {
				most = max(most, heap()-before)
			}
			if added == connections/2 {
				c := b.Clone()
				both = heap() - before
				runtime.KeepAlive(c)
			}
		})
		t.Logf("%s: at most %d KiB, %d with a clone", name, most>>10, both>>10)
		if most > memory || both > 2*memory {
			t.Errorf("%s: %d KiB of heap, %d with a clone, want %d each at most", name, most>>10, both>>10, memory>>10)
		}
		got := b.Summary(s.stats(), s.totals())
		var services uint64
		for _, line := range got.Services {
			services += line.Tally.Connections
		}
		if n := uint64(connections); got.Total.Connections != n || services != n {
			t.Errorf("%s: %d connections, %d by service, of %d", name, got.Total.Connections, services, connections)
		}
	}
}

// When memory is short, too, a report does not depend on who adds how many at once.
func TestShortMemoryIsTheSameForAllBatches(t *testing.T) {
	connections := 150_000
	if testing.Short() {
		connections = 50_000
	}
	for name, flood := range floods {
		var want *Summary
		for _, workers := range []int{0, 1, 3} {
			b := NewBuilder(Config{Memory: 4 << 20})
			early := connections
			if workers > 0 {
				early = 1001
			}
			s := flooded(b, flood, early, func(int) {})
			if workers > 0 {
				added := early
				addAll(b, workers, func(most int) iter.Seq[*flow.Connection] {
					from := added
					if added = min(added+most, connections); added == from {
						return nil
					}
					return flooding(flood, from, added)
				})
			}
			got := b.Summary(s.stats(), s.totals())
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got, compareNetip); diff != "" {
				t.Errorf("%s: %.2000s", name, diff)
			}
		}
	}
}

// With much memory, or when nothing is said of it, the bounds are the widest; with less they
// shrink, but something is always kept.
func TestBounds(t *testing.T) {
	widest := boundsOf(0)
	if widest.heavy != maxHeavy || widest.callers != maxCallers || widest.connections != maxRecent {
		t.Errorf("%+v", widest)
	}
	before := widest
	for memory := int64(1 << 40); memory > 0; memory /= 2 {
		b := boundsOf(memory)
		if memory >= wholeRoom && b != widest {
			t.Errorf("%d: %+v, want the widest", memory, b)
		}
		if b.heavy > before.heavy || b.callers > before.callers || b.heavy < slabSlots || b.heavy&(b.heavy-1) != 0 || b.owned < 64 {
			t.Errorf("%d: %+v, with twice as much %+v", memory, b, before)
		}
		before = b
	}
}

// A sketch that was folded is the one that would have been there with fewer registers.
func TestFoldedSketch(t *testing.T) {
	large := make(sketch, 1<<sketchBits)
	for n := range 100_000 {
		large.mark(endOf(address(n)).ip, ip4)
		if n%33_333 != 10 {
			continue
		}
		for registers := 1 << sketchBits; registers >= leastRegisters; registers /= 2 {
			small := make(sketch, registers)
			for i := range n + 1 {
				small.mark(endOf(address(i)).ip, ip4)
			}
			if diff := cmp.Diff(small, large.fold(registers)); diff != "" {
				t.Fatalf("%d addresses, %d registers: %.500s", n+1, registers, diff)
			}
			if off := float64(small.estimate())/float64(n+1) - 1; math.Abs(off) > 4*1.04/math.Sqrt(float64(registers)) {
				t.Errorf("%d addresses, %d registers: estimated %d", n+1, registers, small.estimate())
			}
		}
	}
}

// Sketches of different sizes are merged into the smaller one.
func TestMergedSketches(t *testing.T) {
	for _, registers := range [][2]int{{4096, 512}, {512, 4096}} {
		var a, b, all distinct
		for n := range 20_000 {
			a.add(endOf(address(n)), exactOfOne)
			b.add(endOf(address(n+10_000)), exactOfOne)
			all.add(endOf(address(n)), exactOfOne)
			all.add(endOf(address(n+10_000)), exactOfOne)
		}
		a.more.lessen(registers[0])
		b.more.lessen(registers[1])
		a.merge(&b)
		if diff := cmp.Diff(all.more.sketch.fold(512), a.more.sketch); diff != "" {
			t.Errorf("%v: %.500s", registers, diff)
		}
	}
}

// A histogram that got coarser is the one that would have been there, and its quantiles are
// off by no more than an eighth.
func TestCoarseSamples(t *testing.T) {
	for coarse := uint8(1); coarse <= maxCoarse; coarse++ {
		var early, late, merged sampler
		early.lessen(coarse)
		early.coarsen(coarse)
		for n := range 10_000 {
			d := time.Duration(n*n) * 10
			early.add(d)
			late.add(d)
		}
		late.lessen(coarse)
		merged.merge(&late)
		for name, s := range map[string]*sampler{"late": &late, "merged": &merged} {
			if diff := cmp.Diff(early.histogram, s.histogram); diff != "" || s.coarse != coarse {
				t.Fatalf("%s, %d: %.500s", name, coarse, diff)
			}
			q := s.quantiles()
			for got, want := range map[time.Duration]float64{q.P50: 5000 * 5000 * 10, q.P95: 9500 * 9500 * 10, q.P99: 9900 * 9900 * 10} {
				if off := float64(got)/want - 1; math.Abs(off) > 0.125 {
					t.Errorf("%s, %d: %v, want %v", name, coarse, got, time.Duration(want))
				}
			}
			if q.N != 10_000 || !q.Approximate {
				t.Errorf("%s, %d: %+v", name, coarse, q)
			}
		}
	}
}
