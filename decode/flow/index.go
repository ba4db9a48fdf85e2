package flow

// An index finds a table's connections by key: open addressing over 8-byte slots, half
// of each the hash, so that a look-up rarely touches a wrong cell. In front of it
// stands a small copy of what was found last: the slots of a million connections lie in
// memory that no processor caches, but few of these are in use at a time.
//
// The slots lie in buckets of a fixed size, by the highest bits of the hash. One that is
// half full is split in two, in the processor's cache and in the time of a few packets: no
// packet waits until all connections have moved, and no memory is left behind (extendible
// hashing).
type index struct {
	buckets []bucket // by the highest bits of the hash; one stands in several places while it needs fewer
	shift   uint8    // what is left of a hash are its highest bits
	live    int      // slots in use
	recent  [recentLen]entry
	moving  []entry // room for those of a bucket that is split
}

// A bucket is one in its place in an index.
type bucket struct {
	slots *[bucketLen]entry // 0, that is noConnection's, is free
	live  uint32            // slots in use; counts in the first place only
	spare uint8             // it stands in 1<<spare places
}

const (
	bucketBits = 13
	bucketLen  = 1 << bucketBits
	recentLen  = 1 << 14
)

// An entry is what an index knows of a connection: the hash of its key, and its number.
type entry uint64

func newEntry(hash, number uint32) entry { return entry(hash)<<32 | entry(number) }

func (e entry) hash() uint32   { return uint32(e >> 32) }
func (e entry) number() uint32 { return uint32(e) }

func newIndex() index {
	one := bucket{slots: newSlots(false), spare: 1}
	return index{buckets: []bucket{one, one}, shift: 31}
}

// newSlots makes those of a bucket, which are free. full: all of their memory is going to be
// used, which it soon is, in no order.
func newSlots(full bool) *[bucketLen]entry {
	slots := new([bucketLen]entry)
	if full {
		populate(slots)
	}
	return slots
}

// in gives the slots of the bucket that has a hash. An entry is in the one that the lowest
// bits of its hash tell, or behind it, around the end.
func (x *index) in(hash uint32) *[bucketLen]entry { return x.buckets[hash>>(x.shift%32)].slots }

// first is the bucket that has a hash, in its first place.
func (x *index) first(hash uint32) *bucket {
	i := hash >> (x.shift % 32)
	return &x.buckets[i>>x.buckets[i].spare<<x.buckets[i].spare]
}

// look is the entry of the connection that has a hash, or of noConnection when it is not
// where it should be. What is found is the newest one of its key.
//
// It does not look far, and without a branch, so that the processor goes on to the next
// look while this one's slot comes from memory.
func (x *index) look(hash uint32) entry {
	s := x.in(hash)
	e, next := s[hash%bucketLen], s[(hash+1)%bucketLen]
	if e.hash() != hash {
		e = next
	}
	if e.hash() != hash {
		e = 0
	}
	return e
}

// set puts a connection into a slot.
func (x *index) set(slot *entry, hash, number uint32) {
	if *slot == 0 {
		x.live++
		x.first(hash).live++
	}
	e := newEntry(hash, number)
	*slot, x.recent[hash%recentLen] = e, e
}

// find looks up the newest connection of r's key: its number and cell, or nil.
func (t *Table) find(b *Batch, r *record) (uint32, *cell) {
	n, c, _ := t.search(b, r)
	return n, c
}

// search is find, which also gives the free slot where the search ended when there is no
// such connection.
func (t *Table) search(b *Batch, r *record) (n uint32, c *cell, free *entry) {
	recent := &t.recent[r.hash%recentLen]
	if e := *recent; e != 0 && e.hash() == r.hash {
		n := e.number()
		if c := t.cells.at(n); t.is(n, c, b, r) {
			return n, c, nil
		}
	}
	slot, c := t.slot(b, r)
	if c == nil {
		return 0, nil, slot
	}
	*recent = *slot
	return slot.number(), c, nil
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
func (t *Table) slot(b *Batch, r *record) (*entry, *cell) {
	slots := t.in(r.hash)
	for i := r.hash; ; i++ {
		s := &slots[i%bucketLen]
		if *s == 0 {
			return s, nil
		}
		if s.hash() != r.hash {
			continue
		}
		n := s.number()
		if c := t.cells.at(n); t.is(n, c, b, r) {
			return s, c
		}
	}
}

// put puts a connection that is not there yet where a search for its hash ends.
func (x *index) put(hash, number uint32) {
	if x.full(hash) {
		x.split(hash)
	}
	i, slots := hash, x.in(hash)
	for slots[i%bucketLen] != 0 {
		i++
	}
	x.set(&slots[i%bucketLen], hash, number)
}

// place is the slot of a connection, or nil when another one has taken its place.
func (x *index) place(hash, number uint32) *entry {
	slots, e := x.in(hash), newEntry(hash, number)
	for i := hash; slots[i%bucketLen] != 0; i++ {
		if s := &slots[i%bucketLen]; *s == e {
			return s
		}
	}
	return nil
}

// replace gives a connection that is in the index another number.
func (x *index) replace(hash, number, by uint32) {
	if slot := x.place(hash, number); slot != nil {
		x.set(slot, hash, by)
	}
}

// remove takes a connection out, unless another one has taken its place.
func (x *index) remove(hash, number uint32) {
	slots, e := x.in(hash), newEntry(hash, number)
	i := hash % bucketLen
	for slots[i] != e {
		if slots[i] == 0 {
			return
		}
		i = (i + 1) % bucketLen
	}
	// What was put behind it because its own slot was taken moves up: no search may end
	// at the gap before it has come to where it would find something.
	for j := (i + 1) % bucketLen; slots[j] != 0; j = (j + 1) % bucketLen {
		if own := slots[j].hash(); (j-own)%bucketLen >= (j-i)%bucketLen {
			slots[i] = slots[j]
			i = j
		}
	}
	slots[i] = 0
	x.first(hash).live--
	x.live--
}

// full reports whether the bucket that has a hash must be split before more is put into it.
func (x *index) full(hash uint32) bool {
	return x.first(hash).live >= bucketLen/2 && x.shift > bucketBits
}

// split makes two of the bucket that has a hash.
func (x *index) split(hash uint32) {
	if x.first(hash).spare == 0 {
		x.double()
	}
	b := x.first(hash)
	lower, upper := bucket{b.slots, 0, b.spare - 1}, bucket{newSlots(x.live >= populated), 0, b.spare - 1}
	half := 1 << upper.spare
	bit := (x.shift + upper.spare) % 32 // of the hashes, set in the upper half
	// Neither which slots are free nor who moves can be guessed, so no branch asks.
	if x.moving == nil {
		x.moving = make([]entry, bucketLen)
	}
	n := uint32(0)
	for _, e := range lower.slots {
		x.moving[n%bucketLen] = e
		if e != 0 {
			n++
		}
	}
	*lower.slots = [bucketLen]entry{}
	into := [2]*[bucketLen]entry{lower.slots, upper.slots}
	for _, e := range x.moving[:n] {
		which := e.hash() >> bit & 1
		upper.live += which
		s, i := into[which], e.hash()
		for s[i%bucketLen] != 0 {
			i++
		}
		s[i%bucketLen] = e
	}
	lower.live = n - upper.live
	i := int(hash>>x.shift) &^ (2*half - 1)
	for j := range half {
		x.buckets[i+j], x.buckets[i+half+j] = lower, upper
	}
}

// double doubles the places, so that each bucket stands in twice as many.
func (x *index) double() {
	old := x.buckets
	x.buckets = make([]bucket, 2*len(old))
	for i, b := range old {
		b.spare++
		x.buckets[2*i], x.buckets[2*i+1] = b, b
	}
	x.shift--
}

// bytes is what x takes, all but what it always does.
func (x *index) bytes() int64 {
	const each = bucketLen * 8
	n := int64(0)
	for i := 0; i < len(x.buckets); i += 1 << x.buckets[i].spare {
		n += each
	}
	if x.moving != nil {
		n += each
	}
	return n
}

// shrink makes x as small as what it holds allows.
func (x *index) shrink() {
	old := *x
	*x = newIndex()
	for i := 0; i < len(old.buckets); i += 1 << old.buckets[i].spare {
		for _, e := range old.buckets[i].slots {
			if e != 0 {
				x.put(e.hash(), e.number())
			}
		}
	}
}
