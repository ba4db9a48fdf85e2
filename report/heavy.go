package report

import (
	"hash/maphash"
	"slices"
)

// maxHeavy is the number of keys that a heavy map keeps apart.
const maxHeavy = 1 << 16

// A heavy map keeps a value for each key, exactly as long as there are at most
// maxHeavy keys. Beyond that the lighter half is forgotten, again and again, so that
// the heavy keys stay (a variant of Misra and Gries' frequent items). A key that
// comes back starts anew and knows how much it may have missed.
//
// What is forgotten depends on the keys' order of arrival only.
type heavy[K comparable, V any] struct {
	seed  maphash.Seed // keys are from the wire: their hashes must not be foreseen
	index []place      // open addressing, at most half full; its length is a power of two
	slots []slot[K, V] // in the order of arrival
	floor uint64       // the weight that a forgotten key had at most
}

// A place of the index leads to a slot. It is small, so that the index stays in
// the cache when the slots do not.
type place struct {
	hash uint32
	slot int32 // 1 is slots[0]; 0 means that the place is free
}

// A slot is what a heavy map keeps for a key.
type slot[K comparable, V any] struct {
	key    K
	hash   uint32
	weight uint64 // the owner counts it up
	missed uint64 // that the key had before it was forgotten, at most
	value  V
}

// at is the slot of key, made if need be. It is valid until the next call.
func (h *heavy[K, V]) at(key K) *slot[K, V] {
	if h.index == nil {
		h.seed = maphash.MakeSeed()
		h.index = make([]place, 64)
	}
	hash := h.hash(key)
	p, found := h.place(key, hash)
	if found {
		return &h.slots[p.slot-1]
	}
	if len(h.slots) >= maxHeavy {
		h.forget()
		p, _ = h.place(key, hash)
	} else if 2*len(h.slots) >= len(h.index) {
		h.enter(2 * len(h.index))
		p, _ = h.place(key, hash)
	}
	h.slots = append(h.slots, slot[K, V]{key: key, hash: hash, missed: h.floor})
	*p = place{hash, int32(len(h.slots))}
	return &h.slots[len(h.slots)-1]
}

// find is the slot of key, or nil.
func (h *heavy[K, V]) find(key K) *slot[K, V] {
	if h.index == nil {
		return nil
	}
	if p, found := h.place(key, h.hash(key)); found {
		return &h.slots[p.slot-1]
	}
	return nil
}

func (h *heavy[K, V]) hash(key K) uint32 { return uint32(maphash.Comparable(h.seed, key)) }

// place is where key is in the index, or the free place where it belongs.
func (h *heavy[K, V]) place(key K, hash uint32) (p *place, found bool) {
	mask := uint32(len(h.index) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		p := &h.index[i]
		if p.slot == 0 {
			return p, false
		}
		if p.hash == hash && h.slots[p.slot-1].key == key {
			return p, true
		}
	}
}

// enter makes the index anew, with n places.
func (h *heavy[K, V]) enter(n int) {
	if n == len(h.index) {
		clear(h.index)
	} else {
		h.index = make([]place, n)
	}
	mask := uint32(n - 1)
	for s := range h.slots {
		i := h.slots[s].hash & mask
		for h.index[i].slot != 0 {
			i = (i + 1) & mask
		}
		h.index[i] = place{h.slots[s].hash, int32(s + 1)}
	}
}

// forget drops the keys up to the median weight, at least half of them.
func (h *heavy[K, V]) forget() {
	weights := make([]uint64, len(h.slots))
	for i := range h.slots {
		weights[i] = h.slots[i].weight
	}
	slices.Sort(weights)
	median := weights[len(weights)/2]
	kept := 0
	for i := range h.slots {
		if h.slots[i].weight > median {
			h.slots[kept] = h.slots[i]
			kept++
		}
	}
	clear(h.slots[kept:])
	h.slots = h.slots[:kept]
	h.enter(len(h.index))
	h.floor += median
}
