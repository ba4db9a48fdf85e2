package report

import "testing"

type testKey uint64

func (k testKey) hash() uint64 { return mix(uint64(k)^addrSeed, 0xa0761d6478bd642f) }

func TestHeavyIsExactBelowItsBound(t *testing.T) {
	var h heavy[testKey, int]
	for round := range 3 {
		for key := range maxHeavy {
			s := h.at(testKey(key), testKey(key).hash(), noSlot)
			s.value += round
		}
	}
	for key := range maxHeavy {
		if s := h.find(testKey(key)); s == nil || s.weight != 3 || s.missed != 0 || s.value != 3 {
			t.Fatalf("key %d: %+v", key, s)
		}
	}
}

func TestHeavyKeepsHeavyKeysAndBoundsItsError(t *testing.T) {
	var h heavy[testKey, struct{}]
	truth := make(map[int]uint64)
	count := func(key int) {
		h.at(testKey(key), testKey(key).hash(), noSlot)
		truth[key]++
	}
	for i := range 10 * maxHeavy {
		count(1_000_000 + i) // each once
		count(i % 100)       // the heavy ones
		if i%7 == 0 {
			count(1000 + i%(3*maxHeavy)) // comes back after it was forgotten
		}
	}
	if h.n > maxHeavy {
		t.Fatalf("%d slots", h.n)
	}
	for key := range 100 {
		if s := h.find(testKey(key)); s == nil || s.weight != truth[key] || s.missed != 0 {
			t.Fatalf("heavy key %d: %+v, want weight %d", key, s, truth[key])
		}
	}
	for s := range h.all() {
		if n := truth[int(s.key)]; n < s.weight || n > s.weight+s.missed {
			t.Fatalf("key %d: weight %d, missed at most %d, but it came %d times", s.key, s.weight, s.missed, n)
		}
	}
}

// A guess is a hint: one that was right when it was made may be another key's slot, or
// nobody's, after the map has forgotten keys.
func TestHeavyDistrustsOldGuesses(t *testing.T) {
	var h heavy[testKey, int]
	old := make([]int32, maxHeavy)
	for key := range maxHeavy {
		h.at(testKey(key), testKey(key).hash(), noSlot)
		old[key] = h.guess(testKey(key).hash())
	}
	h.at(maxHeavy, testKey(maxHeavy).hash(), noSlot) // one too many: all others are forgotten
	for key, guess := range old {
		s := h.at(testKey(key), testKey(key).hash(), guess)
		if s.key != testKey(key) || s.weight != 1 || s.missed != 1 || h.find(testKey(key)) != s {
			t.Fatalf("key %d: %+v", key, s)
		}
		if key == maxHeavy-2 {
			break // the next one would make the map forget again
		}
	}
}
