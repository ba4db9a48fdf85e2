package report

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

func TestTimelineDependsOnTheTimesOnly(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, spread := range []time.Duration{1, time.Microsecond, time.Second, 90 * time.Minute, 24 * 400 * time.Hour} {
		for _, start := range []capture.Timestamp{0, at(0), -5e9} {
			times := make([]capture.Timestamp, 500)
			for i := range times {
				times[i] = start + capture.Timestamp(r.Int64N(int64(spread)))
			}
			fold := func() Timeline {
				var k intervals
				for i, at := range times {
					k.add(at, i < 0)
				}
				return k.timeline(capture.Unknown, capture.Unknown)
			}
			want := fold()
			var n uint64
			for i, b := range want.Buckets {
				n += b.Connections
				from := want.Start + capture.Timestamp(want.Step)*capture.Timestamp(i)
				var in uint64
				for _, at := range times {
					if at >= from && at < from+capture.Timestamp(want.Step) {
						in++
					}
				}
				if in != b.Connections {
					t.Fatalf("spread %v: bucket %d has %d, want %d", spread, i, b.Connections, in)
				}
			}
			if n != 500 || len(want.Buckets) > maxBuckets {
				t.Fatalf("spread %v: %d connections in %d buckets", spread, n, len(want.Buckets))
			}
			r.Shuffle(len(times), func(i, j int) { times[i], times[j] = times[j], times[i] })
			if diff := cmp.Diff(want, fold()); diff != "" {
				t.Fatalf("spread %v, shuffled: %s", spread, diff)
			}
		}
	}
}

func TestTimelineSurvivesAnyTime(t *testing.T) {
	var k intervals
	for _, at := range []capture.Timestamp{0, math.MaxInt64, math.MinInt64 + 1, 5, capture.Unknown, -1, 1} {
		k.add(at, true)
	}
	got := k.timeline(capture.Unknown, capture.Unknown)
	var n uint64
	for _, b := range got.Buckets {
		n += b.Failed
	}
	if n != 6 || len(got.Buckets) > maxBuckets {
		t.Errorf("%d connections in %d buckets, want 6", n, len(got.Buckets))
	}
}

func TestTimelineCoversFramesWithoutConnections(t *testing.T) {
	var k intervals
	k.add(at(0), false)
	got := k.timeline(at(-int64(time.Second)), at(int64(10*time.Second)))
	if got.Start > at(-int64(time.Second)) || got.Start+capture.Timestamp(got.Step)*capture.Timestamp(len(got.Buckets)) <= at(int64(10*time.Second)) {
		t.Errorf("%v, %d buckets of %v", got.Start.Time(), len(got.Buckets), got.Step)
	}
	if none := new(intervals).timeline(capture.Unknown, capture.Unknown); none.Start != capture.Unknown || none.Buckets != nil {
		t.Errorf("nothing added: %+v", none)
	}
	if len(k.buckets) != 1 {
		t.Error("timeline changed what it was made from")
	}
}
