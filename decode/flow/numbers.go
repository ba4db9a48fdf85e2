package flow

import (
	"cmp"
	"iter"
	"slices"
)

// A class tells what a connection has beside its cell.
type class uint8

const (
	hasStream  class = 1 << iota // a stream, else a meta
	hasNetwork                   // a network
	classes
)

// noConnection is the number of no connection. There is a cell for it, so that nobody has
// to ask; no packet has its key.
const noConnection = 0

// class is the class of k's connections.
func (k key) class() class {
	var c class
	if k.hasStream() {
		c = hasStream
	}
	if k.wide() {
		c |= hasNetwork
	}
	return c
}

// A numbering gives connections their numbers. What a connection has has its number,
// too, so that nothing must be asked where it is. All numbers of a chunk are of one
// class: chunks of what that class does not have are not there.
type numbering [classes]numbersOf

// numbersOf are those of one class.
type numbersOf struct {
	chunks []uint32 // in the order in which they were begun
	n      int      // numbers given
	free   []uint32 // of them, those that were given up
}

// len is how many connections there are.
func (s *numbersOf) len() int { return s.n - len(s.free) }

// number is the number of a new connection. All that it has is zero.
func (t *Table) number(k class) uint32 {
	s := &t.numbering[k]
	if last := len(s.free) - 1; last >= 0 {
		n := s.free[last]
		s.free = s.free[:last]
		return n
	}
	i := uint32(s.n) % chunkLen
	if i == 0 {
		s.chunks = append(s.chunks, uint32(len(t.cells)))
		t.newChunk(k)
	}
	s.n++
	return s.chunks[len(s.chunks)-1]<<chunkBits | i
}

// newChunk makes room for more connections of a class.
func (t *Table) newChunk(k class) {
	t.cells.more(true)
	t.streams.more(k&hasStream != 0)
	t.others.more(k&hasStream == 0)
	t.networks.more(k&hasNetwork != 0)
}

// noChunk makes the cell of noConnection, which has nothing else. Chunk 0 is its own.
func (t *Table) noChunk() {
	t.cells = chunks[cell]{make([]cell, 1)}
	t.streams, t.others, t.networks = chunks[stream]{nil}, chunks[meta]{nil}, chunks[network]{nil}
}

// Len is the number of connections that t has.
func (t *Table) Len() int {
	n := 0
	for k := range t.numbering {
		n += t.numbering[k].len()
	}
	return n
}

// open are the numbers of a class's connections in the order of their first packets.
func (t *Table) open(k class) []uint32 {
	all := make([]uint32, 0, t.numbering[k].len())
	for _, chunk := range t.numbering[k].chunks {
		for i, c := range t.cells[chunk] {
			if c.key != (key{}) {
				all = append(all, chunk<<chunkBits|uint32(i))
			}
		}
	}
	slices.SortFunc(all, func(a, b uint32) int { return cmp.Compare(t.meta(a).firstFrame, t.meta(b).firstFrame) })
	return all
}

// numbers gives the numbers of all connections, class by class.
func (t *Table) numbers() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, s := range t.Sequences() {
			for i := range s.Len() {
				if !yield(s.number(i)) {
					return
				}
			}
		}
	}
}

// A Sequence is a part of a table's connections in the order of their first packets.
type Sequence struct {
	table *Table
	class class
	order []uint32 // their numbers, when these are used again; else nil
}

// Sequences are all connections of t. Those that are empty are left out.
func (t *Table) Sequences() []Sequence {
	var all []Sequence
	for k := range class(classes) {
		if t.numbering[k].len() == 0 {
			continue
		}
		s := Sequence{table: t, class: k}
		if t.cfg.Ending != nil {
			s.order = t.open(k)
		}
		all = append(all, s)
	}
	return all
}

// Len is the number of connections of s.
func (s Sequence) Len() int { return s.table.numbering[s.class].len() }

func (s Sequence) number(i int) uint32 {
	if s.order != nil {
		return s.order[i]
	}
	return s.table.numbering[s.class].chunks[i>>chunkBits]<<chunkBits | uint32(i)%chunkLen
}

// FirstFrame is the number of the frame that connection i of s began with. It grows with i.
func (s Sequence) FirstFrame(i int) uint64 { return s.table.meta(s.number(i)).firstFrame }

// Connection fills r with connection i of s, all but its ID. What r points to stays valid
// and belongs to the table.
func (s Sequence) Connection(i int, r *Connection) { s.table.connection(s.number(i), r) }

// Prepare reads what connections i to i+n are made of, one behind the other, so that
// Connection need not wait for it. Its result means nothing.
func (s Sequence) Prepare(i, n int) (touched uint64) {
	t, end := s.table, min(i+n, s.Len())
	for i := i; i < end; i++ {
		touched += uint64(t.cells.at(s.number(i)).bits)
	}
	if s.class&hasNetwork != 0 {
		for i := i; i < end; i++ {
			touched += uint64(t.networks.at(s.number(i)).id)
		}
	}
	if s.class&hasStream == 0 {
		for ; i < end; i++ {
			touched += t.others.at(s.number(i)).firstFrame
		}
		return touched
	}
	for ; i < end; i++ {
		h := t.handshake(s.number(i)) // four cache lines, with meta
		touched += uint64(h.isn[0]) + uint64(h.synCount) + h.synFrame + uint64(h.ackTime)
	}
	return touched
}
