package report

import "testing"

func TestHeavyIsExactBelowItsBound(t *testing.T) {
	var h heavy[int, int]
	for round := range 3 {
		for key := range maxHeavy {
			s := h.at(key)
			s.weight++
			s.value += round
		}
	}
	for key := range maxHeavy {
		if s := h.find(key); s == nil || s.weight != 3 || s.missed != 0 || s.value != 3 {
			t.Fatalf("key %d: %+v", key, s)
		}
	}
}

func TestHeavyKeepsHeavyKeysAndBoundsItsError(t *testing.T) {
	var h heavy[int, struct{}]
	truth := make(map[int]uint64)
	count := func(key int) {
		h.at(key).weight++
		truth[key]++
	}
	for i := range 10 * maxHeavy {
		count(1_000_000 + i) // each once
		count(i % 100)       // the heavy ones
		if i%7 == 0 {
			count(1000 + i%(3*maxHeavy)) // comes back after it was forgotten
		}
	}
	if len(h.slots) > maxHeavy {
		t.Fatalf("%d slots", len(h.slots))
	}
	for key := range 100 {
		if s := h.find(key); s == nil || s.weight != truth[key] || s.missed != 0 {
			t.Fatalf("heavy key %d: %+v, want weight %d", key, s, truth[key])
		}
	}
	for i := range h.slots {
		if s := &h.slots[i]; truth[s.key] < s.weight || truth[s.key] > s.weight+s.missed {
			t.Fatalf("key %d: weight %d, missed at most %d, but it came %d times", s.key, s.weight, s.missed, truth[s.key])
		}
	}
}
