package report

import (
	"math"
	"strconv"
	"testing"
	"time"

	"sockscope/decode/flow"
)

func TestAppendScaled(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0", 999999: "999999", 1e6: "1.0M", 1234567: "1.2M", 1_250_000: "1.3M", 999_949_999: "999.9M", 999_999_999: "1.0G", 1e9: "1.0G",
		1e12: "1.0T", 1e15: "1.0P", math.MaxUint64: "18.4E",
	} {
		if got := string(appendScaled(nil, n)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestAppendSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 1: "1 ns", 999: "999 ns", 1000: "1.00 µs", 12345: "12.3 µs", 231 * time.Microsecond: "231 µs", 9_995: "10.0 µs", 99_950: "100 µs",
		1234567: "1.23 ms", 999_999_999: "1.00 s", time.Second: "1.00 s", 59_999_999_999: "60.0 s", 304 * time.Second: "5m 04s",
		3*time.Hour + 12*time.Minute: "3h 12m", 103 * time.Hour: "4d 07h", math.MaxInt64: "106751d 23h", -1: "",
		flow.NoDuration: "",
	} {
		if got := string(appendSpan(nil, d, false)); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
	if got := string(appendSpan(nil, 1000, true)); got != "1.00 us" {
		t.Errorf("ASCII: %s", got)
	}
}

func TestAppendUintIsStrconv(t *testing.T) {
	for shift := range 65 {
		for _, n := range []uint64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			if got := string(appendUint(nil, n)); got != strconv.FormatUint(n, 10) {
				t.Errorf("%d: %s", n, got)
			}
			if got := string(appendInt(nil, int64(n))); got != strconv.FormatInt(int64(n), 10) {
				t.Errorf("%d: %s", int64(n), got)
			}
		}
	}
	for n := uint64(1); n < 1e19; n *= 10 {
		if got := string(appendUint(nil, n)); got != strconv.FormatUint(n, 10) {
			t.Errorf("%d: %s", n, got)
		}
	}
}
