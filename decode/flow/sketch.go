package flow

import (
	"math"
	"time"
)

// A sketch has samples in order. Up to maxRanks are kept as they are; of more,
// neighbours are joined, those first that are
// near and stand for few, so that quantiles are estimates then (after Ben-Haim and Tom-Tov,
// "A Streaming Parallel Decision Tree Algorithm", 2010; near is meant as a ratio, because
// a stall is a thousand times a round trip). A histogram would take ten times the memory.
type sketch struct {
	min, max time.Duration
	ranks    [maxRanks + 1]time.Duration // samples, or means of several, in order
	weights  [maxRanks + 1]uint32        // of how many samples; saturating
	numRanks int32
}

const maxRanks = 14

// sample adds one.
func (x *sketch) sample(d time.Duration) {
	if x.numRanks == 0 {
		x.min = d
	}
	x.min, x.max = min(x.min, d), max(x.max, d)
	i := x.numRanks
	for ; i > 0 && x.ranks[i-1] > d; i-- {
		x.ranks[i], x.weights[i] = x.ranks[i-1], x.weights[i-1]
	}
	x.ranks[i], x.weights[i] = d, 1
	x.numRanks++
	if x.numRanks > maxRanks {
		x.join(x.nearest())
	}
}

// nearest is the first of the two neighbours that lose least when they are joined.
//
// A logarithm is dear, and nearly all are much larger than the least. So a bound below
// says which need not be known: ln(b/a) is at least 2(b-a)/(b+a), and hardly more where they
// are near.
func (x *sketch) nearest() int {
	var bounds [maxRanks]float64
	best := 0
	for i := range bounds {
		a, b := float64(x.ranks[i]+1), float64(x.ranks[i+1]+1)
		if a == b && (i == 0 || bounds[best] > 0) {
			return i // nothing is lost, and by those before something is
		}
		const exact = 1 - 1e-6 // rounding makes losses a little less
		bounds[i] = (2*exact*(b-a)/(b+a) - 1e-15) * x.weight(i)
		if bounds[i] < bounds[best] {
			best = i
		}
	}
	least := x.loss(best)
	for i, bound := range bounds {
		if bound > least || i == best {
			continue
		}
		if loss := x.loss(i); loss < least || loss == least && i < best {
			best, least = i, loss
		}
	}
	return best
}

// loss is what is lost when rank i is joined with the next one.
func (x *sketch) loss(i int) float64 {
	ratio := float64(x.ranks[i+1]+1) / float64(x.ranks[i]+1) // a round trip may take 0 ns
	return math.Log(ratio) * x.weight(i)
}

// weight is of how many samples rank i and the next one are.
func (x *sketch) weight(i int) float64 { return float64(x.weights[i]) + float64(x.weights[i+1]) }

// join makes one of rank i and the next one.
func (x *sketch) join(i int) {
	a, b := x.weights[i], x.weights[i+1]
	share := float64(b) / (float64(a) + float64(b))
	x.ranks[i] += time.Duration(float64(x.ranks[i+1]-x.ranks[i]) * share)
	x.weights[i] = uint32(min(uint64(a)+uint64(b), math.MaxUint32))
	copy(x.ranks[i+1:], x.ranks[i+2:])
	copy(x.weights[i+1:], x.weights[i+2:])
	x.numRanks--
}

// summary is x in numbers. Quantiles are nearest ranks.
func (x *sketch) summary() RoundTrips {
	s := RoundTrips{Min: x.min, Max: x.max}
	for _, w := range x.weights[:x.numRanks] {
		s.Samples += uint64(w)
	}
	s.P50, s.P95 = x.quantile((s.Samples+1)/2), x.quantile(s.Samples-s.Samples/20)
	return s
}

// quantile is the sample of that rank, from 1.
func (x *sketch) quantile(rank uint64) time.Duration {
	var seen uint64
	for i, w := range x.weights[:x.numRanks] {
		if seen += uint64(w); seen >= rank {
			return x.ranks[i]
		}
	}
	return x.max
}
