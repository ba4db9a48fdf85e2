package pcapfile

import (
	"fmt"
	"math"
	"math/big"
	"testing"
	"time"

	"sockscope/capture"
)

// TestClockIsExact compares every resolution with exact arithmetic.
func TestClockIsExact(t *testing.T) {
	units := []uint64{0, 1, 999, 1 << 20, 1e9, 1700000000, 1700000000123456, 1700000000123456789, 1 << 62, 1 << 63, math.MaxUint64}
	offsets := []int64{0, 1, -1, 3600, -1700000000, 1 << 40, -1 << 40, math.MaxInt64, math.MinInt64}
	for resol := range 256 {
		for _, offset := range offsets {
			c := newClock(uint8(resol), offset)
			for _, u := range units {
				if got, want := c.time(u), exact(uint8(resol), offset, u); got != want {
					t.Fatalf("%d units of %v: %d, want %d", u, &c, got, want)
				}
			}
		}
	}
}

// exact is the time by big numbers, rounded down.
func exact(resol uint8, offset int64, units uint64) capture.Timestamp {
	exp, base := int64(resol&0x7f), int64(10)
	limit := int64(finestDecimal)
	if resol >= 128 {
		base, limit = 2, finestBinary
	}
	if exp > limit {
		return capture.Unknown
	}
	ns := new(big.Int).SetUint64(units)
	ns.Mul(ns, big.NewInt(1e9))
	ns.Div(ns, new(big.Int).Exp(big.NewInt(base), big.NewInt(exp), nil))
	sec := new(big.Int).Add(new(big.Int).Div(ns, big.NewInt(1e9)), big.NewInt(offset))
	ns.Add(ns, new(big.Int).Mul(big.NewInt(offset), big.NewInt(1e9)))
	fast := offset == 0 && resol <= 9
	if fast && ns.IsInt64() {
		return capture.Timestamp(ns.Int64())
	}
	if !sec.IsInt64() || sec.Int64() > lastSecond || sec.Int64() < -lastSecond {
		return capture.Unknown
	}
	return capture.Timestamp(ns.Int64())
}

func TestClockResolution(t *testing.T) {
	for resol, want := range map[uint8]time.Duration{0: time.Second, 3: time.Millisecond, 6: time.Microsecond, 9: 1, 12: 1, 127: 1,
		128: time.Second, 129: time.Second / 2, 157: 1, 158: 1, 255: 1} {
		t.Run(fmt.Sprint(resol), func(t *testing.T) {
			c := newClock(resol, 0)
			if got := c.resolution(); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}
