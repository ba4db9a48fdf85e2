package flow

// An index finds a table's connections by key: open addressing over 8-byte slots, half
// of each the hash, so that a look-up rarely touches a wrong cell. In front of it
// stands a small copy of what was found last: the slots of a million connections lie in
// memory that no processor caches, but few of these are in use at a time.
type index struct {
	slots  []uint64 // hash<<32 | number+1; 0 is free
	live   int      // slots in use
	recent [recentLen]uint64
}

const recentLen = 1 << 14

func newIndex() index { return index{slots: make([]uint64, 1024)} }

// guess is 1 + the number of the connection that probably has a hash, or 0. What is
// found is the newest one of its key, until another one replaces it.
func (x *index) guess(hash uint32) uint32 {
	recent := &x.recent[hash%recentLen]
	if uint32(*recent>>32) != hash {
		*recent = x.slots[hash&uint32(len(x.slots)-1)]
	}
	return uint32(*recent)
}

// set puts a connection into a slot.
func (x *index) set(slot, hash, number uint32) {
	if x.slots[slot] == 0 {
		x.live++
	}
	entry := uint64(hash)<<32 | uint64(number+1)
	x.slots[slot], x.recent[hash%recentLen] = entry, entry
}

// find looks up the newest connection of r's key.
func (t *Table) find(b *Batch, r *record) (n uint32, found bool) {
	recent := &t.recent[r.hash%recentLen]
	if e := *recent; e != 0 && uint32(e>>32) == r.hash {
		if n := uint32(e) - 1; t.is(n, b, r) {
			return n, true
		}
	}
	slot, n := t.slot(b, r)
	e := t.slots[slot]
	if e == 0 {
		return 0, false
	}
	*recent = e
	return n, true
}

// is reports whether r is a packet of connection n's tuple.
func (t *Table) is(n uint32, b *Batch, r *record) bool {
	return t.cells.at(n).key == r.key && (r.wide == 0 || *t.networks.at(n) == b.wide[r.wide-1])
}

// slot is the place of r's key in the index, and the connection there when the
// slot is not free.
func (t *Table) slot(b *Batch, r *record) (slot, n uint32) {
	mask := uint32(len(t.slots) - 1)
	for i := r.hash & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			return i, 0
		}
		if uint32(s>>32) != r.hash {
			continue
		}
		if n := uint32(s) - 1; t.is(n, b, r) {
			return i, n
		}
	}
}

// grow doubles the index.
func (x *index) grow() {
	old := x.slots
	x.slots = make([]uint64, 2*len(old))
	mask := uint32(len(x.slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := uint32(s>>32) & mask
		for x.slots[i] != 0 {
			i = (i + 1) & mask
		}
		x.slots[i] = s
	}
}
