package flow

import (
	"time"
	"unsafe"
)

// What things take, in bytes. Maps and the lists of free numbers are counted with what they
// take when they have just grown.
const (
	indexBytes     = 32 // of a connection: its slot, in an index that has just grown
	freeBytes      = 4
	ownersBytes    = 48
	partBytes      = 48
	waitsBytes     = int64(unsafe.Sizeof([]time.Duration{})) + maxWaits*8
	spillBytes     = int64(unsafe.Sizeof([]uint8{})) + maxHistory
	textBytes      = int64(unsafe.Sizeof("")) + 8
	fragmentBytes  = int64(unsafe.Sizeof(fragmentEntry{})+2*unsafe.Sizeof(fragmentKey{})) * 2
	departureBytes = int64(unsafe.Sizeof(departure{})) + 16
	chainBytes     = 512
)

// weight is what a connection of a class takes at least.
func (k class) weight() int64 {
	w := int64(unsafe.Sizeof(cell{})) + indexBytes + freeBytes
	switch {
	case k&hasKnock != 0: // its cell is all
	case k&hasStream != 0:
		w += int64(unsafe.Sizeof(handshake{}))
	default:
		w += int64(unsafe.Sizeof(meta{}))
	}
	if k&hasNetwork != 0 {
		w += int64(unsafe.Sizeof(network{}))
	}
	return w
}

// Used is what t's connections, and what is remembered of others, take in bytes. It does
// not depend on how connections are spread over tables; what a table takes beside that is
// a small part (what its index found last, its Tuples), except for chunks that are not full:
// see compact.
func (t *Table) Used() int64 {
	var used int64
	for k := range t.numbering {
		used += int64(t.numbering[k].len()) * class(k).weight()
	}
	used += t.rares.used() + t.courses.used() + t.odds.used() + t.icmp.used() + t.big.used()
	used += t.quality.used() + t.holes.used() + t.roundTrips.used() + t.sketches.used() + t.proofs.used()
	used += int64(len(t.waits)-len(t.freeWaits))*waitsBytes + int64(len(t.spill)-len(t.freeSpill))*spillBytes
	used += t.proofs.texts.used()
	used += int64(len(t.owners))*ownersBytes + int64(len(t.parts))*partBytes
	used += int64(len(t.fragments.entries)) * fragmentBytes
	used += int64(t.chains.used) * chainBytes // as if each had one of its own: which do depends on the tables
	return used + int64(t.departed.next-t.departed.first)*departureBytes
}

// used is what a's values take.
func (a *arena[T]) used() int64 {
	var zero T
	return int64(a.n-len(a.free)) * int64(unsafe.Sizeof(zero)+freeBytes)
}

// room is what t's chunks and its index take, in use or not.
func (t *Table) room() int64 {
	room := t.index.bytes()
	for k, weight := range t.weights() {
		room += int64(len(t.numbering[k].chunks)) * chunkLen * (weight - indexBytes)
	}
	room += t.rares.room() + t.courses.room() + t.odds.room() + t.icmp.room() + t.big.room()
	return room + t.quality.room() + t.holes.room() + t.roundTrips.room() + t.sketches.room() + t.proofs.room()
}

// room is what a's chunks take.
func (a *arena[T]) room() int64 {
	var zero T
	return int64(len(a.chunks)) * chunkLen * int64(unsafe.Sizeof(zero)+freeBytes)
}
