package flow

import (
	"time"

	"sockscope/capture"
)

// A departure is what a table remembers of a connection that it has told and forgotten, so
// that the record of what comes yet of it says which one it goes on from.
type departure struct {
	key   key // of wide keys the hashes only: an error would be a wrong relation, once in 2^64
	id    uint64
	last  capture.Timestamp
	order uint64 // departures of a run are numbered in the order in which they were told
	isn   uint32 // of the client; SCTP: its tag
	traits
}

// traits are what else there is to know of a departure.
type traits uint8

const (
	startKnown    traits = 1 << iota // isn is
	fromSecondEnd                    // who sent it: the key's second endpoint
	isOver                           // nothing new will be sent: what comes was under way
)

// lateness is how long after its end segments of a connection may come: they live two
// minutes, and so do the answers to them (RFC 9293 §3.4.1).
const lateness = 4 * time.Minute

// A departed memory holds the departures that were last, in order. It is bounded.
type departed struct {
	seed  *Seed
	limit int

	ring    []departure // number i, first ≤ i < next, is ring[i%len(ring)]; those taken have no key
	first   int
	next    int
	slots   []entry // by hash, of 1 + places in ring
	numbers int     // in slots
}

// add remembers the departure of a connection whose key has a hash, in the place of the
// oldest one when there are too many. There is none with the same key: when that
// connection began, partOf took it.
func (d *departed) add(hash uint32, e departure) {
	if d.limit == 0 {
		return
	}
	if d.next-d.first == d.limit {
		d.drop()
	}
	if d.next-d.first == len(d.ring) {
		d.grow()
	}
	at := d.next % len(d.ring)
	d.ring[at] = e
	d.place(hash, at)
	d.next++
}

// take is the departure with a key, which is then forgotten; nil when there is none.
func (d *departed) take(hash uint32, k key) *departure {
	if d.numbers == 0 {
		return nil
	}
	mask := uint32(len(d.slots) - 1)
	for i := hash & mask; d.slots[i] != 0; i = (i + 1) & mask {
		if d.slots[i].hash() != hash {
			continue
		}
		if e := &d.ring[d.slots[i].number()-1]; e.key == k {
			d.vacate(i)
			was := *e
			e.key = key{}
			return &was
		}
	}
	return nil
}

// forget drops the departures up to one.
func (d *departed) forget(order uint64) {
	for d.first < d.next && d.ring[d.first%len(d.ring)].order <= order {
		d.drop()
	}
}

// newest is the order of the last departure; who departs now is as new.
func (d *departed) newest() uint64 {
	if d.next == d.first {
		return 0
	}
	return d.ring[(d.next-1)%len(d.ring)].order
}

// drop forgets the oldest departure.
func (d *departed) drop() {
	at := d.first % len(d.ring)
	d.first++
	if d.ring[at].key == (key{}) {
		return
	}
	hash := d.seed.hash(d.ring[at].key)
	mask, e := uint32(len(d.slots)-1), newEntry(hash, uint32(at)+1)
	i := hash & mask
	for d.slots[i] != e {
		i = (i + 1) & mask
	}
	d.vacate(i)
}

// place enters what is at a place of the ring into the slots.
func (d *departed) place(hash uint32, at int) {
	mask := uint32(len(d.slots) - 1)
	i := hash & mask
	for d.slots[i] != 0 {
		i = (i + 1) & mask
	}
	d.slots[i] = newEntry(hash, uint32(at)+1)
	d.numbers++
}

// vacate empties a slot. What stood behind it moves up, as in an index.
func (d *departed) vacate(i uint32) {
	mask := uint32(len(d.slots) - 1)
	for j := (i + 1) & mask; d.slots[j] != 0; j = (j + 1) & mask {
		if own := d.slots[j].hash() & mask; (j-own)&mask >= (j-i)&mask {
			d.slots[i] = d.slots[j]
			i = j
		}
	}
	d.slots[i] = 0
	d.numbers--
}

// grow makes room for more departures, twice as many.
func (d *departed) grow() {
	const least = 256
	old := d.ring
	d.ring = make([]departure, max(least, 2*len(old)))
	d.slots, d.numbers = make([]entry, 2*len(d.ring)), 0
	n := d.next - d.first
	for i := range n {
		d.ring[i] = old[(d.first+i)%len(old)]
		if d.ring[i].key != (key{}) {
			d.place(d.seed.hash(d.ring[i].key), i)
		}
	}
	d.first, d.next = 0, n
}

// depart remembers connection n, which is c and told as r.
func (t *Table) depart(n uint32, c *cell, r *Connection, over bool, order uint64) {
	if c.bits&replaced != 0 || r.Close != Evicted && !c.key.hasStream() {
		return // what comes is of the later one, or begins anew
	}
	e := departure{key: c.key, id: r.ID, last: t.last(n), order: order}
	if over {
		e.traits |= isOver
	}
	if k := t.knockAt(n); k != nil {
		e.isn = k.isn()
		e.traits |= startKnown | fromSecondEnd*traits(k.dir())
	} else if c.key.hasStream() && r.SYNCount > 0 {
		if client, known := c.client(); known {
			e.isn = t.handshake(n).isn[client]
			e.traits |= startKnown | fromSecondEnd*traits(client)
		}
	}
	t.departed.add(t.seed.hash(c.key), e)
}

// partOf is the ID of the connection that one with r as its first packet goes on from, or
// 0. What had r's key before is forgotten.
func (t *Table) partOf(r *record) uint64 {
	e := t.departed.take(r.hash, r.key)
	if e == nil {
		return 0
	}
	silence, ok := r.time.Sub(e.last)
	switch {
	case !r.key.hasStream():
		if t.cfg.UDPIdle > 0 && ok && silence > t.cfg.UDPIdle {
			return 0
		}
	case e.traits&isOver != 0 && ok && silence > lateness:
		return 0
	case r.begins() && (e.traits&startKnown == 0 || e.isn != r.seq || e.traits&fromSecondEnd != fromSecondEnd*traits(r.side())):
		return 0
	}
	return e.id
}

// begins reports whether r can be the first packet of a connection with a handshake. Its seq
// tells whether it is that of another one, too.
func (r *record) begins() bool {
	switch r.kind() {
	case segment:
		return r.what&cut == 0 && r.flags&(syn|ack|rst) == syn
	case sctp:
		return r.flags&chunkInit != 0
	}
	return false
}

// defaultRemember is how many departures a table remembers unless it is told otherwise.
const defaultRemember = 1 << 16

// goesOnFrom notes that connection n goes on from the record with an ID.
func (t *Table) goesOnFrom(n uint32, id uint64) {
	if t.parts == nil {
		t.parts = make(map[uint32]uint64)
	}
	t.parts[n] = id
}
