package page

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/report"
)

func TestCount(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", math.MaxUint64: "18,446,744,073,709,551,615"} {
		if got := count(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestByteSize(t *testing.T) {
	for n, want := range map[uint64]quantity{
		0: {"0 B", "0 bytes"}, 1: {"1 B", "1 byte"}, 999: {"999 B", "999 bytes"}, 1000: {"1.00 kB", "1,000 bytes"},
		9_994: {"9.99 kB", "9,994 bytes"}, 9_996: {"10.0 kB", "9,996 bytes"}, 999_499: {"999 kB", "999,499 bytes"},
		999_500: {"1.00 MB", "999,500 bytes"}, math.MaxUint64: {"18.4 EB", "18,446,744,073,709,551,615 bytes"},
	} {
		if diff := cmp.Diff(want, byteSize(n)); diff != "" {
			t.Errorf("%d (-want +got):\n%s", n, diff)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]quantity{
		math.MinInt64: {}, -1: {}, 0: {"0 s", "0 s"}, 999: {"999 ns", "0.000000999 s"}, 1000: {"1.00 µs", "0.000001 s"},
		999_499: {"999 µs", "0.000999499 s"}, 999_999: {"1.00 ms", "0.000999999 s"},
		12_345_678:                {"12.3 ms", "0.012345678 s"},
		59_400 * time.Millisecond: {"59.4 s", "59.4 s"}, 59_999 * time.Millisecond: {"1 min", "59.999 s"},
		83_120 * time.Millisecond: {"1 min 23 s", "83.12 s"}, 3600 * time.Second: {"1 h", "3600 s"},
		2*time.Hour + 59*time.Minute + 59*time.Second: {"2 h 59 min", "10799 s"},
		50 * time.Hour: {"2 d 2 h", "180000 s"}, math.MaxInt64: {"106,751 d 23 h", "9223372036.854775807 s"},
	} {
		if diff := cmp.Diff(want, duration(d)); diff != "" {
			t.Errorf("%d ns (-want +got):\n%s", d, diff)
		}
	}
}

func TestShare(t *testing.T) {
	for f, want := range map[float64]string{0: "0 %", 0.0001: "< 0.1 %", 0.001: "0.1 %", 0.5: "50.0 %", 0.9999: "> 99.9 %", 1: "100.0 %"} {
		if got := share(f); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
	if got := percent(1, 0); got != "" {
		t.Errorf("share of nothing: %s", got)
	}
}

func TestTicksAreRoundAndFew(t *testing.T) {
	for top, want := range map[uint64][]uint64{
		1: {0, 1}, 4: {0, 1, 2, 3, 4}, 5: {0, 2, 4}, 17: {0, 5, 10, 15}, 812: {0, 200, 400, 600, 800}, 1000: {0, 500, 1000},
	} {
		if diff := cmp.Diff(want, ticks(top, 4)); diff != "" {
			t.Errorf("%d (-want +got):\n%s", top, diff)
		}
	}
	for _, top := range []uint64{0, math.MaxUint64, math.MaxUint64 - 1, 1 << 63} {
		if got := ticks(top, 4); len(got) > 5 {
			t.Errorf("%d: %d ticks", top, len(got))
		}
	}
}

func TestTimeTicksAreFewWithinAndEven(t *testing.T) {
	for _, step := range []time.Duration{1, 3, time.Microsecond, 250 * time.Millisecond, time.Second, time.Minute, time.Hour, 24 * time.Hour, math.MaxInt64 / 130} {
		for _, n := range []int{1, 2, 7, 60, 120} {
			got := timeTicks(n, step)
			if len(got) == 0 || len(got) > 5 || got[0] != 0 || got[len(got)-1] > float64(n)*1.0001 {
				t.Errorf("%d × %v: %v", n, step, got)
			}
		}
	}
}

func TestTimelineMergesWhatAScreenCannotShow(t *testing.T) {
	in := &report.Timeline{Step: time.Second}
	for range 1000 {
		in.Buckets = append(in.Buckets, report.Bucket{Connections: 2, Failed: 1})
	}
	got := newTimeline(in)
	if len(got.Columns) != 112 {
		t.Errorf("%d columns", len(got.Columns))
	}
	want := column{Title: "after 0 s: 18 connections, 9 failed", X: "0.089%", W: "0.714%", Y: "14", H: "75", FailedY: "89", Failed: "75", HasFailed: true}
	if diff := cmp.Diff(want, got.Columns[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, in := range map[string]*report.Timeline{
		"no intervals": {Step: 1}, "no length": {Buckets: make([]report.Bucket, 3)}, "no connections": {Step: 1, Buckets: make([]report.Bucket, 3)},
	} {
		if newTimeline(in) != nil {
			t.Errorf("%s: a chart of nothing", name)
		}
	}
}
