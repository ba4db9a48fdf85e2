package flow

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Which neighbours lose least is what all their losses say, whatever the bounds leave out.
func TestSketchJoinsTheNearest(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	spread := []func(i int, last time.Duration) time.Duration{
		func(_ int, last time.Duration) time.Duration { return last + time.Duration(random.IntN(3)) },
		func(_ int, last time.Duration) time.Duration { return last + time.Duration(random.IntN(1e6)) },
		func(_ int, last time.Duration) time.Duration { return last + last/10 + 1 },
		func(_ int, last time.Duration) time.Duration { return last + time.Duration(random.Int64N(1<<57)) },
		func(i int, last time.Duration) time.Duration {
			return max(last, 1<<62) + time.Duration(i*random.IntN(600))
		},
		func(_ int, _ time.Duration) time.Duration { return 7 },
	}
	for round := range 20_000 {
		var x sketch
		var last time.Duration
		for i := range x.ranks {
			last = spread[round%len(spread)](i, last)
			x.ranks[i], x.weights[i] = last, 1
			switch random.IntN(4) {
			case 0:
				x.weights[i] += uint32(random.IntN(5))
			case 1:
				x.weights[i] = math.MaxUint32 >> random.IntN(32)
			}
		}
		want := 0
		for i := range maxRanks {
			if x.loss(i) < x.loss(want) {
				want = i
			}
		}
		if got := x.nearest(); got != want {
			t.Fatalf("%+v\nneighbours %d lose %v, want %d, which lose %v", x, got, x.loss(got), want, x.loss(want))
		}
	}
}

// Samples that are kept as they are say what a sketch of them does, and which of
// both has them makes no difference.
func TestFewRoundTripsAreASketch(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for round := range 5000 {
		var table Table
		n, x := table.roundTrips.add()
		table.trips = chunks[uint32]{{n + 1}}
		var want [2]sketch
		for range random.IntN(2 * (maxRanks + 3)) {
			side := uint8(random.IntN(2))
			trip := time.Duration(random.Int64N(1 << (1 + random.IntN(33+round%2))))
			table.sample(x, side, trip)
			want[side].sample(trip)
		}
		for side := range uint8(2) {
			if got, want := table.summary(x, side), want[side].summary(); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
		if table.dropRoundTrips(0); table.roundTrips.len() != 0 || table.sketches.len() != 0 {
			t.Errorf("%d round trips and %d sketches are left", table.roundTrips.len(), table.sketches.len())
		}
	}
}

func BenchmarkSketch(b *testing.B) {
	for _, tt := range []struct {
		name   string
		sample func(i uint64) time.Duration
	}{
		{"varied", func(i uint64) time.Duration { return time.Duration(1e6 + i*0x9e3779b97f4a7c15>>44) }},
		{"the same", func(uint64) time.Duration { return 1e6 }},
	} {
		b.Run(tt.name, func(b *testing.B) {
			var x sketch
			b.ReportAllocs()
			for i := uint64(0); b.Loop(); i++ {
				x.sample(tt.sample(i))
			}
		})
	}
}
