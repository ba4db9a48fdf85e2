package report

import (
	"iter"
	"slices"
	"unsafe"
)

const (
	maxHeavy  = 1 << 16 // keys that a heavy map keeps apart, unless memory is short
	slabSlots = 1 << 9  // slots that are allocated together: whole pages of memory
)

// A heavyKey is a key with a hash that nobody outside can foresee: keys are from
// the wire.
type heavyKey interface {
	comparable
	hash() uint64
}

// A heavy map keeps a value for each key, exactly as long as there are at most as many
// keys as it may keep. Beyond that the lighter half is forgotten, again and again, so that
// the heavy keys stay (a variant of Misra and Gries' frequent items). A key that
// comes back starts anew and knows how much it may have missed. Values that became large
// may make it forget earlier: see relieve.
//
// What is forgotten depends on the keys' order of arrival only.
type heavy[K heavyKey, V any] struct {
	most  int            // keys; 0 means maxHeavy
	index []place        // open addressing, at most three quarters full; its length is a power of two
	slabs [][]slot[K, V] // in the order of arrival, each slabSlots long: they grow without being copied
	n     int            // slots in use
	floor uint64         // the weight that a forgotten key had at most

	light [64]int // how many slots have each of the small weights
}

// A place of the index leads to a slot: the lower bits are its number, from 1, the others
// are of its key's hash; 0 is a free place. It is small, so that the index stays in the
// cache when the slots do not.
type place uint32

// placeBits are enough for the number of a slot.
const placeBits = 17 // bits.Len(maxHeavy)

// placeOf is the place of a key with that hash, of which the index itself uses the lower
// bits, and that slot, from 0.
func placeOf(hash uint64, slot int) place { return place(hash>>32)&^(1<<placeBits-1) | place(slot+1) }

// slot is the number of the slot, from 0.
func (p place) slot() int { return int(p&(1<<placeBits-1)) - 1 }

// mayBe reports whether a key with that hash may be there.
func (p place) mayBe(hash uint64) bool { return (p^place(hash>>32))>>placeBits == 0 }

// A slot is what a heavy map keeps for a key.
type slot[K heavyKey, V any] struct {
	key    K
	weight uint64 // how often at gave the slot
	missed uint64 // that the key had before it was forgotten, at most
	value  V
}

// slot is the ith slot, from 0.
func (h *heavy[K, V]) slot(i int) *slot[K, V] { return &h.slabs[i/slabSlots][i%slabSlots] }

// all yields the slots in the order of arrival.
func (h *heavy[K, V]) all() iter.Seq[*slot[K, V]] {
	return func(yield func(*slot[K, V]) bool) {
		for i := range h.n {
			if !yield(h.slot(i)) {
				return
			}
		}
	}
}

// at is the slot of key, made if need be, one heavier than before. It is valid until
// the next call. The caller has the key's hash at hand, and may have a guess.
func (h *heavy[K, V]) at(key K, hash uint64, guess int32) *slot[K, V] {
	var s *slot[K, V]
	if guess >= 0 && int(guess) < h.n && h.slot(int(guess)).key == key {
		s = h.slot(int(guess))
	} else {
		s = h.slotOf(key, hash)
	}
	if s.weight < uint64(len(h.light)) {
		h.light[s.weight]--
	}
	s.weight++
	if s.weight < uint64(len(h.light)) {
		h.light[s.weight]++
	}
	return s
}

// slotOf is the slot of key, made with no weight if need be.
func (h *heavy[K, V]) slotOf(key K, hash uint64) *slot[K, V] {
	if h.index == nil {
		h.index = make([]place, 64)
		if h.most == 0 {
			h.most = maxHeavy
		}
	}
	p, found := h.place(key, hash)
	if found {
		return h.slot(p.slot())
	}
	if h.n >= h.most {
		h.forget()
		p, _ = h.place(key, hash)
	} else if 4*h.n >= 3*len(h.index) {
		h.widen()
		p, _ = h.place(key, hash)
	}
	if h.n == len(h.slabs)*slabSlots {
		h.slabs = append(h.slabs, make([]slot[K, V], slabSlots))
	}
	*p = placeOf(hash, h.n)
	h.n++
	h.light[0]++
	s := h.slot(h.n - 1) // it is zero: see forget
	s.key, s.missed = key, h.floor
	return s
}

// touch reads the place that guess looks at, so that it is in the cache when it is
// needed. The number means nothing.
func (h *heavy[K, V]) touch(hash uint64) uint64 {
	if len(h.index) == 0 {
		return 0
	}
	return uint64(h.index[hash&uint64(len(h.index)-1)])
}

// noSlot is a guess that says nothing.
const noSlot = -1

// guess is the number of the slot where a key with that hash may well be, or noSlot: only
// the index is looked at, and no slot. For at, which finds out whether it is right.
func (h *heavy[K, V]) guess(hash uint64) int32 {
	if h.index == nil {
		return noSlot
	}
	mask := uint64(len(h.index) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch p := h.index[i]; {
		case p == 0:
			return noSlot
		case p.mayBe(hash):
			return int32(p.slot())
		}
	}
}

// read reads a slot that was guessed, so that it is in the cache when it is needed. The
// number means nothing.
func (h *heavy[K, V]) read(guess int32) uint64 {
	if guess < 0 {
		return 0
	}
	return h.slot(int(guess)).weight
}

// find is the slot of key, or nil.
func (h *heavy[K, V]) find(key K) *slot[K, V] {
	if h.index == nil {
		return nil
	}
	if p, found := h.place(key, key.hash()); found {
		return h.slot(p.slot())
	}
	return nil
}

// place is where key is in the index, or the free place where it belongs.
func (h *heavy[K, V]) place(key K, hash uint64) (p *place, found bool) {
	mask := uint64(len(h.index) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		p := &h.index[i]
		if *p == 0 {
			return p, false
		}
		if p.mayBe(hash) && h.slot(p.slot()).key == key {
			return p, true
		}
	}
}

// widen doubles the index.
func (h *heavy[K, V]) widen() {
	h.index = make([]place, 2*len(h.index))
	for i := range h.n {
		h.enter(i)
	}
}

// enter puts a slot that is not there yet into the index.
func (h *heavy[K, V]) enter(slot int) {
	hash := h.slot(slot).key.hash()
	mask := uint64(len(h.index) - 1)
	i := hash & mask
	for h.index[i] != 0 {
		i = (i + 1) & mask
	}
	h.index[i] = placeOf(hash, slot)
}

// forget drops the keys up to the median weight, at least half of them.
func (h *heavy[K, V]) forget() {
	median, all := h.median()
	clear(h.index)
	kept := 0
	if !all {
		for i := range h.n {
			s := h.slot(i)
			if s.weight > median {
				if kept < i {
					*h.slot(kept) = *s
				}
				h.enter(kept)
				kept++
			}
		}
	}
	for i := kept; i < h.n; { // the slabs stay: a flood fills them again at once
		end := min(h.n, (i/slabSlots+1)*slabSlots)
		clear(h.slabs[i/slabSlots][i%slabSlots : (end-1)%slabSlots+1]) // with what belongs to them
		i = end
	}
	h.n = kept
	h.floor += median
	clear(h.light[:min(median+1, uint64(len(h.light)))])
}

// median is the weight that half of the keys have at most, and whether it is known that all
// have. Where forgetting is frequent it is small, and found without a look at the slots.
func (h *heavy[K, V]) median() (weight uint64, all bool) {
	seen := 0
	for w, n := range h.light {
		seen += n
		if seen > h.n/2 {
			return uint64(w), seen == h.n
		}
	}
	weights := make([]uint64, 0, h.n)
	for s := range h.all() {
		weights = append(weights, s.weight)
	}
	slices.Sort(weights)
	return weights[len(weights)/2], false
}

// room is what h takes, in bytes, but for what its values point to.
func (h *heavy[K, V]) room() int64 {
	return int64(len(h.slabs))*slabSlots*int64(unsafe.Sizeof(slot[K, V]{})) + int64(len(h.index))*int64(unsafe.Sizeof(place(0)))
}

// bytes is what h takes, with what its values point to, which own tells of one.
func (h *heavy[K, V]) bytes(own func(*V) int64) int64 {
	used := h.room()
	for s := range h.all() {
		used += own(&s.value)
	}
	return used
}

// relieve forgets keys when h takes too much.
func (h *heavy[K, V]) relieve(w *watch, own func(*V) int64) {
	used := h.bytes(own)
	if used > w.most {
		for used > w.enough() && h.n > 0 {
			h.forget()
			used = h.bytes(own)
		}
	}
	w.looked(used)
}
