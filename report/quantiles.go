package report

import (
	"math/bits"
	"slices"
	"time"
)

// exactSamples is the number of durations a sampler keeps as they are.
const exactSamples = 4096

// subBuckets is the number of histogram buckets between two powers of two. A
// bucket is at most 1/64 of its values wide, so its middle is off by less than 0.8 %.
const subBuckets = 64

// A sampler collects durations for Quantiles: all of them while there are few,
// then a log-linear histogram. Either way the result depends only on which
// durations were added, never on their order. The zero value works.
type sampler struct {
	n         uint64
	exact     []time.Duration // until there are more than exactSamples
	histogram []uint64        // nil, or it replaces them
	coarse    uint8           // 1<<coarse buckets are one: see lessen
}

// add takes one duration; negative ones (flow.NoDuration among them) are unknown.
func (s *sampler) add(d time.Duration) {
	if d < 0 {
		return
	}
	s.n++
	if s.histogram == nil {
		if len(s.exact) < exactSamples {
			s.exact = append(s.exact, d)
			return
		}
		s.spill()
	}
	s.histogram[bucketOf(d)>>(s.coarse&63)]++
}

// spill turns the samples into a histogram.
func (s *sampler) spill() {
	s.histogram = make([]uint64, 64*subBuckets>>s.coarse)
	for _, d := range s.exact {
		s.histogram[bucketOf(d)>>(s.coarse&63)]++
	}
	s.exact = nil
}

// merge adds another sampler's durations.
func (s *sampler) merge(o *sampler) {
	if o.histogram == nil {
		for _, d := range o.exact {
			s.add(d)
		}
		return
	}
	if s.histogram == nil {
		s.spill()
	}
	s.coarsen(o.coarse)
	for i, n := range o.histogram {
		s.histogram[i>>(s.coarse-o.coarse)] += n
	}
	s.n += o.n
}

// quantiles are the nearest ranks: the smallest value that at least that share of
// all samples does not exceed.
func (s *sampler) quantiles() Quantiles {
	if s.n == 0 {
		return Quantiles{}
	}
	q := Quantiles{N: s.n, Approximate: s.histogram != nil}
	if s.histogram == nil {
		sorted := slices.Clone(s.exact)
		slices.Sort(sorted)
		q.P50, q.P95, q.P99 = sorted[rank(s.n, 50)], sorted[rank(s.n, 95)], sorted[rank(s.n, 99)]
		return q
	}
	q.P50, q.P95, q.P99 = s.value(rank(s.n, 50)), s.value(rank(s.n, 95)), s.value(rank(s.n, 99))
	return q
}

// rank is the index of a percentile among n sorted samples: ⌈n·percent/100⌉ − 1.
func rank(n, percent uint64) uint64 {
	hi, lo := bits.Mul64(n, percent)
	q, r := bits.Div64(hi, lo, 100)
	if r > 0 {
		q++
	}
	return q - 1
}

// value is the middle of the bucket that holds the sample of that rank.
func (s *sampler) value(rank uint64) time.Duration {
	var seen uint64
	for i, n := range s.histogram {
		seen += n
		if seen > rank {
			return s.middle(i)
		}
	}
	return 0
}

// bucketOf is the histogram bucket of d: below 2·subBuckets each value has its
// own, above that the leading seven bits choose it.
func bucketOf(d time.Duration) int {
	v := uint64(d)
	if v < 2*subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - bits.Len64(2*subBuckets-1)
	return shift*subBuckets + int(v>>shift)
}

// middleOf is the middle of a bucket.
func middleOf(bucket int) time.Duration {
	if bucket < 2*subBuckets {
		return time.Duration(bucket)
	}
	shift := bucket/subBuckets - 1
	low := uint64(bucket-shift*subBuckets) << shift
	return time.Duration(low + uint64(1)<<shift/2)
}

// middle is the middle of the ith bucket of s.
func (s *sampler) middle(i int) time.Duration {
	if s.coarse == 0 {
		return middleOf(i)
	}
	first, last := i<<s.coarse, (i+1)<<s.coarse-1
	return middleOf(first) + (middleOf(last)-middleOf(first))/2
}

// maxCoarse makes a bucket at most a quarter of its values wide.
const maxCoarse = 4

// coarsen makes one bucket of each 1<<coarse, unless there are as few already.
func (s *sampler) coarsen(coarse uint8) {
	if coarse <= s.coarse {
		return
	}
	if s.histogram != nil {
		fewer := make([]uint64, 64*subBuckets>>coarse)
		for i, n := range s.histogram {
			fewer[i>>(coarse-s.coarse)] += n
		}
		s.histogram = fewer
	}
	s.coarse = coarse
}

// bytes is what s takes beside itself.
func (s *sampler) bytes() int64 { return 8 * int64(cap(s.exact)+len(s.histogram)) }

// lessen makes s take no more than a histogram that is so coarse.
func (s *sampler) lessen(coarse uint8) {
	if s.bytes() <= 8*64*subBuckets>>coarse {
		return
	}
	s.coarsen(coarse)
	if s.histogram == nil {
		s.spill()
	}
}
