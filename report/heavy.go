package report

import (
	"cmp"
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

	guests  int // keys of weight 1 that somebody else keeps until it forgets: they count as its own
	peak    int // keys, guests among them, that there were at once
	forgets int // how often it forgot keys

	settled bool // see settle
	bare    bool // a value of weight 1 points to nothing that should be given up with it

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
// the next call. The caller has the key's hash at hand, and a guess.
func (h *heavy[K, V]) at(key *K, hash uint64, guess guess) *slot[K, V] {
	return h.again(h.slotOf(key, hash, guess))
}

// again makes s, which at gave last, one heavier: for who has the same key again.
func (h *heavy[K, V]) again(s *slot[K, V]) *slot[K, V] {
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
func (h *heavy[K, V]) slotOf(key *K, hash uint64, guess guess) *slot[K, V] {
	if !h.settled {
		guess = h.home(hash)
	}
	p, found := h.place(key, hash, guess)
	if found {
		return h.slot(p.slot())
	}
	if h.isFull() {
		h.forget()
		p, _ = h.place(key, hash, h.home(hash))
	}
	s := h.begin(key, hash, p)
	h.light[0]++
	return s
}

// isFull reports whether another key is one too many.
func (h *heavy[K, V]) isFull() bool { return h.n+h.guests >= h.most }

// begin makes a slot for key, which belongs to a place of the index.
func (h *heavy[K, V]) begin(key *K, hash uint64, p *place) *slot[K, V] {
	if 4*h.n >= 3*len(h.index) {
		h.widen()
		p, _ = h.place(key, hash, h.home(hash))
	}
	if h.n == len(h.slabs)*slabSlots {
		h.slabs = append(h.slabs, make([]slot[K, V], slabSlots))
	}
	*p = placeOf(hash, h.n)
	h.n++
	h.peak = max(h.peak, h.n+h.guests)
	s := h.slot(h.n - 1)
	*s = slot[K, V]{}
	s.key, s.missed = *key, h.floor
	return s
}

// invite counts a new key of weight 1 that the caller keeps. It must not be full.
func (h *heavy[K, V]) invite() {
	h.guests++
	h.peak = max(h.peak, h.n+h.guests)
	h.light[1]++
}

// adopt is the slot, of weight 1, of a key that was a guest.
func (h *heavy[K, V]) adopt(key *K, hash uint64) *slot[K, V] {
	h.guests--
	p, _ := h.place(key, hash, h.home(hash))
	s := h.begin(key, hash, p)
	s.weight = 1
	return s
}

// A guess is where in the index a key is, or where it belongs if it is not there: what is
// before, from its home on, is certainly of others.
type guess uint32

// home is where a key with that hash is, unless others were there before.
func (h *heavy[K, V]) home(hash uint64) guess { return guess(hash & uint64(len(h.index)-1)) }

// settle makes guesses valid that are made from now on, until the index is made anew: then
// at does without.
func (h *heavy[K, V]) settle() {
	if h.index == nil {
		h.index = make([]place, 64)
		h.most = cmp.Or(h.most, maxHeavy)
	}
	h.settled = true
}

// touch reads the place that guess begins with, so that it is in the cache when it is
// needed. The number means nothing.
func (h *heavy[K, V]) touch(hash uint64) uint64 { return uint64(h.index[h.home(hash)]) }

// guess guesses where a key with that hash is: only the index is looked at, and no slot.
func (h *heavy[K, V]) guess(hash uint64) guess {
	mask := guess(len(h.index) - 1)
	for i := h.home(hash); ; i = (i + 1) & mask {
		if p := h.index[i]; p == 0 || p.mayBe(hash) {
			return i
		}
	}
}

// guessed is the slot that is guessed, so that it can be read ahead; nil when there is none.
func (h *heavy[K, V]) guessed(guess guess) *slot[K, V] {
	if p := h.index[guess]; p != 0 {
		return h.slot(p.slot())
	}
	return nil
}

// read reads a slot that was guessed, so that it is in the cache when it is needed. The
// number means nothing.
func (h *heavy[K, V]) read(guess guess) uint64 {
	if s := h.guessed(guess); s != nil {
		return s.weight
	}
	return 0
}

// find is the slot of key, or nil.
func (h *heavy[K, V]) find(key K) *slot[K, V] {
	if h.index == nil {
		return nil
	}
	hash := key.hash()
	if p, found := h.place(&key, hash, h.home(hash)); found {
		return h.slot(p.slot())
	}
	return nil
}

// place is where key is in the index, or the free place where it belongs, if it is not
// before a guess.
func (h *heavy[K, V]) place(key *K, hash uint64, from guess) (p *place, found bool) {
	mask := guess(len(h.index) - 1)
	for i := from & mask; ; i = (i + 1) & mask {
		p := &h.index[i]
		if *p == 0 {
			return p, false
		}
		if p.mayBe(hash) && h.slot(p.slot()).key == *key {
			return p, true
		}
	}
}

// widen doubles the index.
func (h *heavy[K, V]) widen() {
	h.index, h.settled = make([]place, 2*len(h.index)), false
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
	h.settled = false
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
	if !(all && median <= 1 && h.bare) { // else there is nothing that belongs to them
		for i := kept; i < h.n; { // the slabs stay: a flood fills them again at once
			end := min(h.n, (i/slabSlots+1)*slabSlots)
			clear(h.slabs[i/slabSlots][i%slabSlots : (end-1)%slabSlots+1])
			i = end
		}
	}
	h.n, h.guests = kept, 0
	h.floor += median
	h.forgets++
	clear(h.light[:min(median+1, uint64(len(h.light)))])
}

// median is the weight that half of the keys have at most, and whether it is known that all
// have. Where forgetting is frequent it is small, and found without a look at the slots.
func (h *heavy[K, V]) median() (weight uint64, all bool) {
	seen := 0
	for w, n := range h.light {
		seen += n
		if seen > (h.n+h.guests)/2 {
			return uint64(w), seen == h.n+h.guests
		}
	}
	weights := slices.Repeat([]uint64{1}, h.guests) // and those of the others
	for s := range h.all() {
		weights = append(weights, s.weight)
	}
	slices.Sort(weights)
	return weights[len(weights)/2], false
}

// room is what h takes, in bytes, but for what its values point to. Guests count as if they
// had slots: what they take elsewhere is less.
func (h *heavy[K, V]) room() int64 {
	slots, places := int64(0), int64(0)
	if h.peak > 0 {
		slots = int64(h.peak+slabSlots-1) / slabSlots * slabSlots
		for places = 64; 4*int64(h.peak-1) >= 3*places; {
			places *= 2
		}
	}
	return slots*int64(unsafe.Sizeof(slot[K, V]{})) + places*int64(unsafe.Sizeof(place(0)))
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
		for used > w.enough() && h.n+h.guests > 0 {
			h.forget()
			used = h.bytes(own)
		}
	}
	w.looked(used)
}
