package flow

import "iter"

// Memory that connections gave up lies where these were. Others of their class use it
// again, but not those of another class: a flood of SYNs leaves no room for streams. So
// what is left moves together when a fifth of a class's chunks would do without it, and the
// rest goes back.

// isWaste reports whether of so many chunks too many are in use for n values.
func isWaste(chunks, n int) bool {
	need := (n + chunkLen - 1) / chunkLen
	return chunks-need > 1 && 5*(chunks-need) > chunks
}

// compact gives back what t's connections do not need. Numbers change: nobody may hold one.
func (t *Table) compact() {
	t.looking.finish()
	for k := range t.numbering {
		if s := &t.numbering[k]; isWaste(len(s.chunks), s.len()) {
			t.moveTogether(class(k))
		}
	}
	t.compactArenas()
	if t.index.bytes() > 4*indexBytes*int64(t.live) {
		t.index.shrink()
	}
	clear(t.recent[:])
}

// moveTogether moves the connections of a class into its first chunks, and drops the others.
func (t *Table) moveTogether(k class) {
	s := &t.numbering[k]
	need := (s.len() + chunkLen - 1) / chunkLen
	keep, drop := s.chunks[:need:need], s.chunks[need:]
	var free []uint32
	for _, chunk := range keep {
		for i := range t.cells[chunk] {
			if t.cells[chunk][i].key == (key{}) {
				free = append(free, chunk<<chunkBits|uint32(i))
			}
		}
	}
	moved := make(map[uint32]uint32)
	for _, chunk := range drop {
		for i := range t.cells[chunk] {
			if t.cells[chunk][i].key == (key{}) {
				continue
			}
			n, m := chunk<<chunkBits|uint32(i), free[len(free)-1]
			free = free[:len(free)-1]
			t.move(n, m)
			if len(t.fragments.entries) > 0 {
				moved[n] = m
			}
		}
	}
	for _, chunk := range drop {
		t.cells[chunk], t.streams[chunk], t.others[chunk], t.networks[chunk], t.trips[chunk] = nil, nil, nil, nil, nil
		t.vacant = append(t.vacant, chunk)
		if int(chunk) < len(t.tiers) {
			t.tiers[chunk] = nil
		}
	}
	for _, e := range t.fragments.entries {
		if e.known && t.cells[e.connection>>chunkBits] == nil {
			e.connection = moved[e.connection] // noConnection, when it has ended
		}
	}
	s.chunks, s.n, s.free, s.mixed = keep, need*chunkLen, free, true
}

// move makes connection n connection m, which is none yet.
func (t *Table) move(n, m uint32) {
	c := t.cells.at(n)
	*t.cells.at(m) = *c
	if s := t.streams.at(n); s != nil {
		*t.streams.at(m) = *s
	} else if o := t.others.at(n); o != nil {
		*t.others.at(m) = *o
	}
	if net := t.networks.at(n); net != nil {
		*t.networks.at(m) = *net
	}
	if i := t.trips.at(n); i != nil {
		*t.trips.at(m) = *i
	}
	if o, ok := t.owners[n]; ok {
		delete(t.owners, n)
		t.owners[m] = o
	}
	if id, ok := t.parts[n]; ok {
		delete(t.parts, n)
		t.parts[m] = id
	}
	t.index.replace(t.seed.hash(c.key), n, m)
}

// compactArenas does for what connections have beside them what moveTogether does for them.
func (t *Table) compactArenas() {
	rares, courses, odds := newMover(&t.rares), newMover(&t.courses), newMover(&t.odds)
	icmp, big, proofs := newMover(&t.icmp), newMover(&t.big), newMover(&t.proofs.arena)
	quality, holes := newMover(&t.quality), newMover(&t.holes)
	trips, sketches := newMover(&t.roundTrips), newMover(&t.sketches)
	if rares == nil && courses == nil && odds == nil && icmp == nil && big == nil && proofs == nil && quality == nil &&
		holes == nil && trips == nil && sketches == nil {
		return
	}
	for n := range t.withMeta() {
		m := t.meta(n)
		proofs.move(&m.evidence)
		if rares.move(&m.rare); m.rare != 0 {
			x := t.rares.at(m.rare - 1)
			courses.move(&x.course)
			odds.move(&x.odd)
			icmp.move(&x.icmp)
			big.move(&x.big)
		}
		if h := t.streams.at(n); h != nil {
			if quality.move(&h.quality); h.quality != 0 {
				both := t.quality.at(h.quality - 1)
				holes.move(&both[0].holes)
				holes.move(&both[1].holes)
			}
		}
		if i := t.trips.at(n); i != nil {
			if trips.move(i); *i != 0 {
				x := t.roundTrips.at(*i - 1)
				sketches.move(&x.timed[0].sketch)
				sketches.move(&x.timed[1].sketch)
			}
		}
	}
	for _, done := range []func(){
		rares.done, courses.done, odds.done, icmp.done, big.done, proofs.done, quality.done, holes.done, trips.done, sketches.done,
	} {
		done()
	}
}

// withMeta gives the numbers of all connections but knocks, which have nothing beside them.
func (t *Table) withMeta() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for k := range t.numbering {
			if class(k)&hasKnock != 0 {
				continue
			}
			for _, chunk := range t.numbering[k].chunks {
				for i := range t.cells[chunk] {
					if t.cells[chunk][i].key != (key{}) && !yield(chunk<<chunkBits|uint32(i)) {
						return
					}
				}
			}
		}
	}
}

// A mover moves the values of an arena together. nil does nothing.
type mover[T any] struct {
	arena *arena[T]
	live  uint32   // values, which get the numbers below
	free  []uint32 // of these, those that have none
}

// newMover is a mover when it is worth while.
func newMover[T any](a *arena[T]) *mover[T] {
	live := a.n - len(a.free)
	if !isWaste(len(a.chunks), live) {
		return nil
	}
	m := &mover[T]{arena: a, live: uint32(live)}
	for _, n := range a.free {
		if n < m.live {
			m.free = append(m.free, n)
		}
	}
	return m
}

// move moves the value with 1 + its number at i; 0 is none.
func (m *mover[T]) move(i *uint32) {
	if m == nil || *i <= m.live {
		return
	}
	last := len(m.free) - 1
	to := m.free[last]
	m.free = m.free[:last]
	*m.arena.at(to) = *m.arena.at(*i - 1)
	*i = to + 1
}

// done drops the chunks behind. What is in use of the last one is zero behind live.
func (m *mover[T]) done() {
	if m == nil {
		return
	}
	a := m.arena
	need := (int(m.live) + chunkLen - 1) / chunkLen
	clear(a.chunks[need:])
	a.chunks, a.n, a.free = a.chunks[:need], int(m.live), nil
	if rest := m.live % chunkLen; rest != 0 {
		clear(a.chunks[need-1][rest:])
	}
}
