package report

import (
	"testing"
	"time"
)

// Attempts that took long come behind some that began later: they do not make the busiest
// second look calmer.
func TestBurstTakesSecondsThatComeLate(t *testing.T) {
	const second = int64(time.Second)
	var b burst
	for _, s := range []int64{10, 10, 10, 11, 11, 3, 4, 11, 11, 10, 5, 11, 12, 11} {
		b.add(at(s * second))
	}
	if b.peak != 6 {
		t.Errorf("peak %d", b.peak)
	}
	b = burst{}
	for _, s := range []int64{-9, -8, -8, -20, -20, -20, -8, -20} {
		b.add(at(s * second))
	}
	if b.peak != 4 {
		t.Errorf("peak %d", b.peak)
	}
}
