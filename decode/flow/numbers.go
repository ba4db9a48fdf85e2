package flow

import (
	"iter"
	"slices"
)

// A class tells what a connection has beside its cell.
type class uint8

const (
	hasStream  class = 1 << iota // a stream, else a meta
	hasNetwork                   // a network
	hasKnock                     // neither stream nor meta yet: a knock
	classes
)

// noConnection is the number of no connection. There is a cell for it, so that nobody
// has to ask; no packet has its key.
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
	mixed  bool     // numbers were given up, or are not in the order of the first packets
}

// len is how many connections there are.
func (s *numbersOf) len() int { return s.n - len(s.free) }

// number is the number of a new connection. All that it has is zero.
func (t *Table) number(k class) uint32 {
	s := &t.numbering[k]
	if last := len(s.free) - 1; last >= 0 {
		n := s.free[last]
		s.free = s.free[:last]
		t.looking.isNew(n)
		return n
	}
	i := uint32(s.n) % chunkLen
	if i == 0 {
		s.chunks = append(s.chunks, t.newChunk(k))
	}
	s.n++
	n := s.chunks[len(s.chunks)-1]<<chunkBits | i
	t.looking.isNew(n)
	return n
}

// giveUp makes the number of a connection of a class one to be given again.
func (t *Table) giveUp(k class, n uint32) {
	if k&hasKnock != 0 {
		k &^= hasStream // not yet
	}
	*t.cells.at(n) = cell{}
	s := &t.numbering[k]
	s.free = append(s.free, n)
	s.mixed = true
}

// newChunk makes room for more connections of a class, and gives its number.
func (t *Table) newChunk(k class) uint32 {
	if len(t.vacant) == 0 {
		t.vacant = append(t.vacant, t.noChunk())
	}
	last := len(t.vacant) - 1
	chunk := t.vacant[last]
	t.vacant = t.vacant[:last]
	full := t.numbering[k].n >= populated
	t.cells[chunk], t.classes[chunk] = newChunk[cell](full), k
	switch {
	case k&hasKnock != 0: // its cell is all
	case k&hasStream == 0:
		t.others[chunk] = newChunk[meta](full)
	default:
		t.streams[chunk] = newChunk[handshake](full)
		if t.cfg.RoundTrips {
			t.trips[chunk] = newChunk[uint32](full)
		}
	}
	if k&hasNetwork != 0 {
		t.networks[chunk] = newChunk[network](full)
	}
	return chunk
}

// noChunk makes a place for a chunk, and gives its number.
func (t *Table) noChunk() uint32 {
	t.cells.more(false)
	t.classes = append(t.classes, 0)
	t.streams.more(false)
	t.others.more(false)
	t.networks.more(false)
	t.trips.more(false)
	return uint32(len(t.cells) - 1)
}

// Len is the number of connections that t has.
func (t *Table) Len() int {
	n := 0
	for k := range t.numbering {
		n += t.numbering[k].len()
	}
	return n
}

// inOrder are a class's connections in the order of their first packets.
func (t *Table) inOrder(k class) []beginning {
	all := make([]beginning, 0, t.numbering[k].len())
	for _, chunk := range t.numbering[k].chunks {
		for i := range t.cells[chunk] {
			if t.cells[chunk][i].key != (key{}) {
				n := chunk<<chunkBits | uint32(i)
				all = append(all, beginning{t.firstFrame(n), n, 0})
			}
		}
	}
	all, _ = sortBeginnings(all, nil)
	return all
}

// A beginning is the first frame of a connection.
type beginning struct {
	frame  uint64
	number uint32
	table  uint32 // which, where there are several
}

// sortBeginnings sorts by frame, digit by digit from the lowest: a hundred thousand
// connections in a millisecond, where comparing them takes ten. It uses room, grown when it
// is too small, and gives it back, or the list's own in its place.
func sortBeginnings(all, room []beginning) (sorted, rest []beginning) {
	const bits = 11
	var last uint64
	for i := range all {
		last = max(last, all[i].frame)
	}
	to := slices.Grow(room[:0], len(all))[:len(all)]
	for shift := 0; last>>shift > 0; shift += bits {
		var place [1 << bits]int
		for i := range all {
			place[all[i].frame>>shift%uint64(len(place))]++
		}
		next := 0
		for digit, n := range place {
			place[digit], next = next, next+n
		}
		for _, b := range all {
			p := &place[b.frame>>shift%uint64(len(place))]
			to[*p] = b
			*p++
		}
		all, to = to, all
	}
	return all, to
}

// firstFrame is the number of the frame that connection n began with.
func (t *Table) firstFrame(n uint32) uint64 {
	if k := t.knockAt(n); k != nil {
		return k.firstFrame()
	}
	return t.meta(n).firstFrame
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
	order []beginning // when their numbers are mixed; else nil
}

// Sequences are all connections of t. Those that are empty are left out.
func (t *Table) Sequences() []Sequence {
	var all []Sequence
	for k := range class(classes) {
		if t.numbering[k].len() == 0 {
			continue
		}
		s := Sequence{table: t, class: k}
		if t.numbering[k].mixed {
			s.order = t.inOrder(k)
		}
		all = append(all, s)
	}
	return all
}

// Len is the number of connections of s.
func (s *Sequence) Len() int { return s.table.numbering[s.class].len() }

func (s *Sequence) number(i int) uint32 {
	if s.order != nil {
		return s.order[i].number
	}
	return s.table.numbering[s.class].chunks[i>>chunkBits]<<chunkBits | uint32(i)%chunkLen
}

// Connection fills r with connection i of s, all but its ID. What r points to stays valid
// and belongs to the table.
func (s *Sequence) Connection(i int, r *Connection) { s.table.connection(s.number(i), r) }

// Another does the same where r has a connection of last, which nobody changed; nil: it has
// none. Several goroutines may ask at a time, each with known of its own.
func (s *Sequence) Another(i int, r *Connection, last *Sequence, known *Histories) {
	n := s.number(i)
	if s.class&hasKnock != 0 && last != nil && last.class&hasKnock != 0 {
		s.table.anotherUnopened(n, s.table.knockAt(n), r)
		return
	}
	s.table.fill(n, r, known)
}

// Touch reads what the connections from i to before end are made of, one behind the other,
// so that Connection need not wait for it. Its result means nothing.
func (s *Sequence) Touch(i, end int) (touched uint64) {
	t := s.table
	for j := i; j < end; j++ {
		touched += uint64(t.cells.at(s.number(j)).bits)
	}
	if s.class&hasNetwork != 0 {
		for j := i; j < end; j++ {
			touched += uint64(t.networks.at(s.number(j)).id)
		}
	}
	switch {
	case s.class&hasKnock != 0: // their cells are all
	case s.class&hasStream == 0:
		for j := i; j < end; j++ {
			touched += t.others.at(s.number(j)).firstFrame
		}
	default:
		for j := i; j < end; j++ {
			h := t.streams.at(s.number(j)) // two cache lines
			touched += uint64(h.letters) + h.firstFrame
		}
	}
	return touched
}

// Frames sets frames to the numbers of the frames that the connections from i on began
// with, which grow.
func (s *Sequence) Frames(i int, frames []uint64) {
	t := s.table
	frames = frames[:min(len(frames), s.Len()-i)]
	switch {
	case s.order != nil:
		for j := range frames {
			frames[j] = s.order[i+j].frame
		}
	case s.class&hasKnock != 0:
		for j := range frames {
			frames[j] = t.knockAt(s.number(i + j)).firstFrame()
		}
	case s.class&hasStream == 0:
		for j := range frames {
			frames[j] = t.others.at(s.number(i + j)).firstFrame
		}
	default:
		for j := range frames {
			frames[j] = t.streams.at(s.number(i + j)).firstFrame
		}
	}
}
