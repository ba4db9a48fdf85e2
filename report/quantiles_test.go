package report

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/decode/flow"
)

func TestQuantiles(t *testing.T) {
	tests := []struct {
		name string
		in   []time.Duration
		want Quantiles
	}{
		{"no sample", nil, Quantiles{}},
		{"unknown durations are no samples", []time.Duration{flow.NoDuration, -1}, Quantiles{}},
		{"one sample is all of them", []time.Duration{7}, Quantiles{N: 1, P50: 7, P95: 7, P99: 7}},
		{"the nearest rank is a sample", []time.Duration{40, 10, 30, 20}, Quantiles{N: 4, P50: 20, P95: 40, P99: 40}},
		{"zero is a duration", []time.Duration{0, 0, 9}, Quantiles{N: 3, P50: 0, P95: 9, P99: 9}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s sampler
			for _, d := range tt.in {
				s.add(d)
			}
			if diff := cmp.Diff(tt.want, s.quantiles()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// samples are n durations over nine orders of magnitude.
func samples(n int) []time.Duration {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = time.Duration(r.Uint64N(1 << r.UintN(50)))
	}
	return all
}

func TestQuantilesOfManyAreWithinOnePercent(t *testing.T) {
	all := samples(100_000)
	var s sampler
	for _, d := range all {
		s.add(d)
	}
	q := s.quantiles()
	if !q.Approximate || q.N != 100_000 {
		t.Fatalf("%+v", q)
	}
	slices.Sort(all)
	for percent, got := range map[uint64]time.Duration{50: q.P50, 95: q.P95, 99: q.P99} {
		want := all[rank(q.N, percent)]
		if diff := max(got-want, want-got); float64(diff) > 0.01*float64(want) {
			t.Errorf("p%d = %v, want %v within 1 %%", percent, got, want)
		}
	}
}

func TestQuantilesDependOnTheMultisetOnly(t *testing.T) {
	for _, n := range []int{100, exactSamples, exactSamples + 1, 20_000} {
		all := samples(n)
		var inOrder, shuffled, left, right sampler
		for _, d := range all {
			inOrder.add(d)
		}
		rand.New(rand.NewPCG(2, 2)).Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
		for i, d := range all {
			shuffled.add(d)
			if i%3 == 0 {
				left.add(d)
			} else {
				right.add(d)
			}
		}
		left.merge(&right)
		want := inOrder.quantiles()
		if diff := cmp.Diff(want, shuffled.quantiles()); diff != "" {
			t.Errorf("%d shuffled: %s", n, diff)
		}
		if diff := cmp.Diff(want, left.quantiles()); diff != "" {
			t.Errorf("%d merged: %s", n, diff)
		}
	}
}

func TestBucketsHoldTheirMiddle(t *testing.T) {
	for _, d := range append(samples(10_000), 0, 127, 128, 129, 1<<62, 1<<63-1) {
		b := bucketOf(d)
		if m := middleOf(b); m < 0 || bucketOf(m) != b {
			t.Fatalf("%d is in bucket %d, whose middle %d is in %d", d, b, m, bucketOf(m))
		}
	}
}
