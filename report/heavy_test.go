package report

import "testing"

type testKey uint64

func (k testKey) hash() uint64 { return mix(uint64(k)^addrSeed, 0xa0761d6478bd642f) }

// once is the slot of a key that is met once more.
func once[K heavyKey, V any](h *heavy[K, V], key K) *slot[K, V] {
	h.settle()
	return h.at(&key, key.hash(), h.guess(key.hash()))
}

func TestHeavyIsExactBelowItsBound(t *testing.T) {
	var h heavy[testKey, int]
	for round := range 3 {
		for key := range maxHeavy {
			s := once(&h, testKey(key))
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
		once(&h, testKey(key))
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

// A guess is a hint: one that was right when it was made may lead to another key's slot, or
// to nobody's, after the map was widened or has forgotten keys.
func TestHeavyDistrustsOldGuesses(t *testing.T) {
	var h heavy[testKey, int]
	enter := func(missed uint64, keys ...testKey) {
		t.Helper()
		h.settle()
		guesses := make([]guess, len(keys))
		for i, k := range keys {
			guesses[i] = h.guess(k.hash())
		}
		for i, k := range keys {
			if s := h.at(&k, k.hash(), guesses[i]); s.key != k || s.weight != 1 || s.missed != missed || h.find(k) != s {
				t.Fatalf("key %d: %+v", k, s)
			}
		}
	}
	var keys []testKey
	for k := range testKey(maxHeavy) {
		keys = append(keys, k)
	}
	enter(0, keys...)                                        // it is widened again and again
	enter(1, append([]testKey{maxHeavy}, keys[:1000]...)...) // one too many: all others are forgotten
}
