package report

import (
	"math"
	"strconv"
	"testing"
)

// Numbers around every power of ten and of two, both signs.
func TestDigitsAreStrconvs(t *testing.T) {
	check := func(n uint64) {
		if got, want := string(appendUint([]byte("x"), n)), "x"+strconv.FormatUint(n, 10); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got, want := string(appendInt([]byte("x"), int64(n))), "x"+strconv.FormatInt(int64(n), 10); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for n := range uint64(100_000) {
		check(n)
	}
	around := func(n uint64) {
		for d := range uint64(21) {
			check(n + d - 10)
			check(-(n + d - 10))
		}
	}
	for n := uint64(1); ; n *= 10 {
		for digit := range uint64(10) {
			around(n * digit)
		}
		if n > math.MaxUint64/10 {
			break
		}
	}
	for bit := range 64 {
		around(1 << bit)
	}
	for n := uint64(1); n < 1<<63; n += n>>7 + 1 {
		check(n)
	}
}
