package flow

// An index finds a table's connections by key: open addressing over 8-byte slots, half
// of each the hash, so that a look-up rarely touches a wrong cell. In front of it
// stands a small copy of what was found last: the slots of a million connections lie in
// memory that no processor caches, but few of these are in use at a time.
type index struct {
	slots  []entry // 0, that is noConnection's, is free
	live   int     // slots in use
	recent [recentLen]entry
}

const recentLen = 1 << 14

// An entry is what an index knows of a connection: the hash of its key, and its number.
type entry uint64

func newEntry(hash, number uint32) entry { return entry(hash)<<32 | entry(number) }

func (e entry) hash() uint32   { return uint32(e >> 32) }
func (e entry) number() uint32 { return uint32(e) }

func newIndex() index { return index{slots: make([]entry, 1024)} }

// look is the entry of the connection that probably has a hash, or of noConnection, and
// remembers it as found last. What is found is the newest one of its key, until another
// one replaces it.
func (x *index) look(hash uint32) entry {
	e := x.slots[hash&uint32(len(x.slots)-1)]
	x.recent[hash%recentLen] = e
	return e
}

// set puts a connection into a slot.
func (x *index) set(slot, hash, number uint32) {
	if x.slots[slot] == 0 {
		x.live++
	}
	e := newEntry(hash, number)
	x.slots[slot], x.recent[hash%recentLen] = e, e
}

// find looks up the newest connection of r's key: its number and cell, or nil.
func (t *Table) find(b *Batch, r *record) (uint32, *cell) {
	recent := &t.recent[r.hash%recentLen]
	if e := *recent; e != 0 && e.hash() == r.hash {
		n := e.number()
		if c := t.cells.at(n); t.is(n, c, b, r) {
			return n, c
		}
	}
	slot, n, c := t.slot(b, r)
	if c != nil {
		*recent = t.slots[slot]
	}
	return n, c
}

// is reports whether r is a packet of the tuple of connection n, which is c.
func (t *Table) is(n uint32, c *cell, b *Batch, r *record) bool {
	return c.key == r.key && (r.wide == 0 || t.inNetwork(n, b, r))
}

// inNetwork reports whether connection n has the network that r's key stands for.
func (t *Table) inNetwork(n uint32, b *Batch, r *record) bool {
	return t.networks.at(n).is(&b.wide[r.wide-1])
}

// slot is the place of r's key in the index, and the connection there, or nil when the
// slot is free.
func (t *Table) slot(b *Batch, r *record) (slot, n uint32, c *cell) {
	mask := uint32(len(t.slots) - 1)
	for i := r.hash & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			return i, 0, nil
		}
		if s.hash() != r.hash {
			continue
		}
		n := s.number()
		if c := t.cells.at(n); t.is(n, c, b, r) {
			return i, n, c
		}
	}
}

// replace gives a connection that is in the index another number.
func (x *index) replace(hash, number, by uint32) {
	mask, e := uint32(len(x.slots)-1), newEntry(hash, number)
	for i := hash & mask; x.slots[i] != 0; i = (i + 1) & mask {
		if x.slots[i] == e {
			x.set(i, hash, by)
			return
		}
	}
}

// remove takes a connection out, unless another one has taken its place.
func (x *index) remove(hash, number uint32) {
	mask, e := uint32(len(x.slots)-1), newEntry(hash, number)
	i := hash & mask
	for x.slots[i] != e {
		if x.slots[i] == 0 {
			return
		}
		i = (i + 1) & mask
	}
	// What was put behind it because its own slot was taken moves up: no search may end
	// at the gap before it has come to where it would find something.
	for j := (i + 1) & mask; x.slots[j] != 0; j = (j + 1) & mask {
		if own := x.slots[j].hash() & mask; (j-own)&mask >= (j-i)&mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = 0
	x.live--
}

// grow doubles the index.
func (x *index) grow() {
	old := x.slots
	x.slots = make([]entry, 2*len(old))
	mask := uint32(len(x.slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := s.hash() & mask
		for x.slots[i] != 0 {
			i = (i + 1) & mask
		}
		x.slots[i] = s
	}
}
