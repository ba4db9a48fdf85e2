package flow

import (
	"time"

	"sockscope/capture"
	"sockscope/decode"
)

// A Table holds the connections of one partition. It belongs to one goroutine.
//
// Connections are numbered in the order of their first packets and stay until the
// end of the run. Cells lie in chunks that the garbage collector does not look
// into and that never move; the index is open addressing over 8-byte slots, half
// of it the hash, so that a look-up rarely touches a wrong cell.
type Table struct {
	cfg  Config
	seed *Seed

	slots []uint64 // hash<<32 | number+1; 0 is free
	live  int      // slots in use

	cells      arena[cell]
	metas      arena[meta]
	handshakes arena[handshake]
	rares      arena[rare]

	wide     arena[addressPair]
	tunnels  [][]decode.Tunnel
	chains   map[chain]uint32 // tunnel chains by content: 1 + index into tunnels
	evidence arena[Evidence]
	icmp     []icmpError
	waits    [][]time.Duration
	spill    [][]uint8

	fragments fragments
	touched   uint32 // keeps the early loads of Apply alive
	Totals    Totals // fragments and what else only the table can tell
}

// icmpError is the first ICMP error that quoted a connection.
type icmpError struct {
	from       decode.Addr
	version    uint8
	typ, code  uint8
	quotedSide uint8 // who had sent the quoted packet
	decided    bool  // nothing had come from the other side before
	frame      uint64
}

// NewTable makes an empty table. All tables and recorders of a run share seed.
func NewTable(cfg Config, seed *Seed) *Table {
	return &Table{
		cfg: cfg, seed: seed, slots: make([]uint64, 1024),
		chains: map[chain]uint32{}, fragments: newFragments(), Totals: newTotals(),
	}
}

// Len is the number of connections so far.
func (t *Table) Len() int { return t.cells.n }

// Apply applies a batch's records, in order. Batches of a table come in the
// order of their blocks.
//
// Nearly all the time of a large table goes into waiting for memory. So the
// slots and cells of a stretch of records are touched first, each without
// waiting for the one before, and used afterwards.
func (t *Table) Apply(b *Batch) {
	const stretch = 64
	var number [stretch]uint32
	records := b.records
	for len(records) > 0 {
		n := min(len(records), stretch)
		mask := uint32(len(t.slots) - 1)
		for i := range n {
			number[i] = uint32(t.slots[records[i].hash&mask])
		}
		var touched uint32
		for _, k := range number[:n] {
			if k != 0 {
				c := t.cells.at(k - 1)
				touched += c.acked[0] + uint32(c.sent[0].packets)
			}
		}
		for i, k := range number[:n] {
			if k != 0 && records[i].flags&(syn|fin|rst) != 0 {
				if h := t.cells.at(k - 1).handshake; h != 0 {
					touched += t.handshakes.at(h - 1).synCount
				}
			}
		}
		t.touched = touched
		for i := range n {
			t.apply(b, &records[i])
		}
		records = records[n:]
	}
}

// apply applies one record.
func (t *Table) apply(b *Batch, r *record) {
	switch r.kind {
	case quote:
		t.quote(b, r)
		return
	case fragment:
		t.fragment(b, r)
		return
	}
	n, found := t.find(b, r)
	if found {
		c := t.cells.at(n)
		if r.kind == segment {
			if c.bits&steady != 0 && !r.cut && c.inOrder(r) {
				c.update(r)
				t.firstFragment(b, r, n)
				return
			}
			found = !t.startsAnew(c, r)
		} else if r.kind == sctp {
			found = !t.associatesAnew(c, r)
		} else if t.cfg.UDPIdle > 0 {
			silence, ok := r.time.Sub(c.last)
			found = !ok || silence <= t.cfg.UDPIdle
		}
	}
	if !found {
		n = t.create(b, r)
	}
	c := t.cells.at(n)
	switch r.kind {
	case segment:
		if r.cut {
			c.bits |= goesOn.of(r.dir) // that there was something is all we know
		} else {
			t.segment(b, r, c)
		}
	case sctp:
		t.association(b, r, c)
	case datagram:
		if isICMP(r.key.proto) {
			c.message(r)
		}
	}
	if r.payload > 0 && !c.has(sawData.of(r.dir)) {
		t.firstPayload(b, r, n, c)
	}
	c.update(r)
	t.firstFragment(b, r, n)
}

// firstFragment notes that connection n sent the first of several fragments, if it
// is one.
func (t *Table) firstFragment(b *Batch, r *record, n uint32) {
	if r.extra != 0 {
		if x := &b.extras[r.extra-1]; x.first {
			t.fragments.start(t, b, r, x, n)
		}
	}
}

// firstPayload notes what the first payload of a side proves.
func (t *Table) firstPayload(b *Batch, r *record, n uint32, c *cell) {
	if r.kind != segment || r.flags&syn == 0 { // what a SYN carries is not yet the data phase
		c.bits |= sawData.of(r.dir)
	}
	m := t.metas.at(n)
	if t.cfg.Classify == nil || r.captured == 0 {
		return
	}
	e := t.cfg.Classify(r.key.proto, b.payload(r))
	if e == (Evidence{}) {
		return
	}
	// What is known of a sender is turned into what is known of the key's sides:
	// side 0 is the client when FromClient, the server when FromServer.
	if r.dir == 1 {
		e.FromClient, e.FromServer = e.FromServer, e.FromClient
	}
	if m.evidence == 0 {
		i, place := t.evidence.add()
		*place, m.evidence = e, i+1
		return
	}
	old := t.evidence.at(m.evidence - 1)
	if old.Service == "" {
		old.Service = e.Service
	}
	if old.ServerName == "" {
		old.ServerName = e.ServerName
	}
	if old.ALPN == "" {
		old.ALPN = e.ALPN
	}
	if !old.FromClient && !old.FromServer {
		old.FromClient, old.FromServer = e.FromClient, e.FromServer
	}
}

// find looks up the newest connection of r's key.
func (t *Table) find(b *Batch, r *record) (n uint32, found bool) {
	slot, n := t.slot(b, r)
	return n, t.slots[slot] != 0
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
		n := uint32(s) - 1
		if t.cells.at(n).key == r.key && (r.wide == 0 || *t.wide.at(t.metas.at(n).wide - 1) == b.wide[r.wide-1]) {
			return i, n
		}
	}
}

// create starts a connection with r as its first packet. An older one with the
// same key can no longer be found.
func (t *Table) create(b *Batch, r *record) uint32 {
	if 2*t.live >= len(t.slots) {
		t.grow()
	}
	n, c := t.cells.add()
	_, m := t.metas.add()
	c.key, c.first, c.last = r.key, r.time, r.time
	m.firstFrame, m.firstDir = b.number(r), r.dir
	m.vlan, m.hasVLAN = r.vlan, r.hasVLAN
	m.iface = b.block.Frames[r.frame].Interface
	slot, old := t.slot(b, r)
	if t.slots[slot] == 0 {
		t.live++
		if r.wide != 0 {
			i, place := t.wide.add()
			*place, m.wide = b.wide[r.wide-1], i+1
		}
	} else {
		m.wide = t.metas.at(old).wide
	}
	t.slots[slot] = uint64(r.hash)<<32 | uint64(n+1)
	if r.kind == segment || r.kind == sctp {
		i, h := t.handshakes.add()
		c.handshake = i + 1
		h.firstSYN, h.lastSYN, h.synBefore = capture.Unknown, capture.Unknown, capture.Unknown
		h.synackTime, h.lastSYNACK, h.ackTime = capture.Unknown, capture.Unknown, capture.Unknown
	}
	if r.extra != 0 {
		x := &b.extras[r.extra-1]
		if x.nTunnels > 0 {
			m.tunnels = t.chain(x)
		}
	}
	return n
}

// handshake is what c has beside it; c is TCP or SCTP.
func (t *Table) handshake(c *cell) *handshake { return t.handshakes.at(c.handshake - 1) }

// rare is what h needs beside it, made when it is not there.
func (t *Table) rare(h *handshake) *rare {
	if h.rare == 0 {
		i, _ := t.rares.add()
		h.rare = i + 1
	}
	return t.rares.at(h.rare - 1)
}

// grow doubles the index.
func (t *Table) grow() {
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	mask := uint32(len(t.slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := uint32(s>>32) & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// An arena holds values by number in chunks that never move.
type arena[T any] struct {
	chunks []*[chunkLen]T
	n      int
}

const (
	chunkBits = 11
	chunkLen  = 1 << chunkBits
)

// add appends a zero value.
func (a *arena[T]) add() (uint32, *T) {
	if a.n>>chunkBits == len(a.chunks) {
		a.chunks = append(a.chunks, new([chunkLen]T))
	}
	n := uint32(a.n)
	a.n++
	return n, a.at(n)
}

// at is the value with number n.
func (a *arena[T]) at(n uint32) *T { return &a.chunks[n>>chunkBits][n&(chunkLen-1)] }
