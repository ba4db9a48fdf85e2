package flow

import (
	"time"

	"sockscope/capture"
	"sockscope/decode"
)

// A Table holds the connections of one partition. It belongs to one goroutine.
//
// Connections stay until the end of the run. Cells and what belongs to them lie in
// chunks that the garbage collector does not look into and that never move; see numbers.go.
type Table struct {
	cfg  Config
	seed *Seed

	index
	numbering
	cells    chunks[cell]
	streams  chunks[stream]  // of connections with a stream
	others   chunks[meta]    // of those without
	networks chunks[network] // of wide keys

	rares      arena[rare]
	quality    arena[[2]quality]
	roundTrips arena[roundTrips]
	big        arena[[2]volume] // what counts do not hold

	tunnels [][]decode.Tunnel
	chains  map[chain]uint32 // tunnel chains by content: 1 + index into tunnels
	proofs  proofs
	icmp    []icmpError
	waits   [][]time.Duration
	spill   [][]uint8

	histories *histories

	fragments fragments
	guesses   [stretch]uint32
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
		cfg: cfg, seed: seed, index: newIndex(),
		chains: map[chain]uint32{}, proofs: newProofs(), histories: new(histories),
		fragments: newFragments(), Totals: newTotals(),
	}
}

// Apply applies a batch's records, in order. Batches of a table come in the
// order of their blocks.
//
// Nearly all the time of a large table goes into waiting for memory. So what a stretch
// of records needs is touched first, each without waiting for the one before, and
// used afterwards.
func (t *Table) Apply(b *Batch) {
	for records := b.records; len(records) > 0; {
		n := min(len(records), stretch)
		t.touch(records[:n])
		for i := range n {
			t.record(b, &records[i], t.guesses[i%stretch])
		}
		records = records[n:]
	}
}

// record applies r, which is probably of the connection with number guess-1.
func (t *Table) record(b *Batch, r *record, guess uint32) {
	if r.kind() == fragment {
		t.fragment(b, r)
		return
	}
	n := guess - 1
	found := guess != 0 && t.cells.at(n).bits&replaced == 0 && t.is(n, b, r)
	if !found {
		n, found = t.find(b, r)
	}
	if found && r.what&(kinds|cut) == segment {
		if c := t.cells.at(n); c.bits&steady != 0 {
			if t.cfg.RoundTrips {
				t.roundTrip(r, c, t.handshake(n))
			}
			if r.what&firstOfMany == 0 && c.inOrder(r) {
				t.count(n, c, r)
				return
			}
		}
	}
	if r.kind() == quote {
		t.quote(b, r, n, found)
		return
	}
	t.packet(b, r, n, found)
}

// stretch is how many records are applied after their memory was touched.
const stretch = 64

// touch loads what the records, at most a stretch, are going to need.
func (t *Table) touch(records []record) {
	numbers := &t.guesses
	for i := range records {
		numbers[i%stretch] = t.guess(records[i].hash)
	}
	var touched uint32
	for i := range records {
		n := numbers[i%stretch]
		if n == 0 {
			continue
		}
		touched += uint32(t.cells.at(n - 1).bits)
		if records[i].wide == 0 {
			continue
		}
		if w := t.networks.of(n - 1); w != nil { // what the guess found may be another one
			touched += uint32(w.a[0]) + w.id
		}
	}
	// All but the data of established connections needs more.
	for i := range records {
		n := numbers[i%stretch]
		r := &records[i]
		if n == 0 || r.flags&(syn|fin|rst) == 0 && t.cells.at(n-1).bits&steady != 0 {
			continue
		}
		if s := t.streams.of(n - 1); s != nil {
			touched += s.handshake.isn[0]
		}
	}
	if t.cfg.RoundTrips {
		touched += t.touchRoundTrips(records)
	}
	t.touched = touched
}

// packet applies a packet of connection n, if it is found and the packet does not
// begin another one.
func (t *Table) packet(b *Batch, r *record, n uint32, found bool) {
	var c *cell
	if found {
		c = t.cells.at(n)
		switch {
		case r.kind() == segment:
			found = r.flags&(syn|ack|rst) != syn || !t.startsAnew(n, c, r)
		case r.kind() == sctp:
			found = !t.associatesAnew(n, c, r)
		case t.cfg.UDPIdle > 0:
			silence, ok := r.time.Sub(c.latest)
			if !ok || silence > t.cfg.UDPIdle { // unless times ran backwards, or the last one was not known
				silence, ok = r.time.Sub(t.last(n))
			}
			found = !ok || silence <= t.cfg.UDPIdle
		}
	}
	if !found {
		n, c = t.create(b, r)
	}
	switch r.kind() {
	case segment:
		if r.what&cut != 0 {
			c.bits |= goesOn.of(r.dir) // that there was something is all we know
		} else {
			t.segment(b, r, n, c)
		}
	case sctp:
		t.association(b, r, n, c)
	case datagram:
		if isICMP(r.key.protocol()) {
			c.message(r)
		}
	}
	if r.payload > 0 && !c.has(sawData.of(r.side())) {
		t.firstPayload(b, r, n, c)
	}
	t.count(n, c, r)
	if r.what&firstOfMany != 0 {
		t.fragments.start(t, b, r, n)
	}
}

// firstPayload notes what the first payload of a side proves.
func (t *Table) firstPayload(b *Batch, r *record, n uint32, c *cell) {
	if r.kind() != segment || r.flags&syn == 0 { // what a SYN carries is not yet the data phase
		c.bits |= sawData.of(r.dir)
	}
	if t.cfg.Classify == nil {
		return
	}
	payload := b.payload(r)
	if len(payload) == 0 {
		return
	}
	e := t.cfg.Classify(r.key.protocol(), payload)
	if e == (Evidence{}) {
		return
	}
	// What is known of a sender is turned into what is known of the key's sides:
	// side 0 is the client when FromClient, the server when FromServer.
	if r.dir == 1 {
		e.FromClient, e.FromServer = e.FromServer, e.FromClient
	}
	m := t.meta(n)
	if m.evidence == 0 {
		i, _ := t.proofs.add()
		m.evidence = i + 1
	}
	t.proofs.note(t.proofs.at(m.evidence-1), &e)
}

// create starts a connection with r as its first packet, and gives its number and cell.
// An older one with the same key can no longer be found.
func (t *Table) create(b *Batch, r *record) (uint32, *cell) {
	if 2*t.live >= len(t.slots) {
		t.grow()
	}
	slot, old := t.slot(b, r)
	if t.slots[slot] != 0 {
		t.cells.at(old).bits |= replaced
	}
	n := t.number(r.key.class())
	t.set(slot, r.hash, n)
	c := t.cells.at(n)
	c.key = r.key
	c.latest = capture.Unknown
	if r.wide != 0 {
		*t.networks.at(n) = b.wide[r.wide-1]
	}
	if r.key.hasStream() {
		t.handshake(n).begin()
	}
	m := t.meta(n)
	m.firstFrame, m.firstDir = b.number(r), r.dir
	m.first, m.last = r.time, r.time
	m.iface = b.block.Frames[r.frame].Interface
	if r.what&surrounded != 0 {
		p := b.packet(r)
		m.vlan, m.hasVLAN = outerVLAN(p)
		if p.NumTunnels > 0 {
			m.tunnels = t.chain(p.Tunnels[:p.NumTunnels])
		}
	}
	return n, c
}

// outerVLAN is the outermost VLAN of p. Id 0 is a priority tag, no network (IEEE 802.1Q).
func outerVLAN(p *decode.Packet) (id uint16, ok bool) {
	for _, id := range p.VLANs[:min(int(p.NumVLANs), len(p.VLANs))] {
		if id != 0 {
			return id, true
		}
	}
	return 0, false
}

// handshake is the handshake of connection n, which is TCP or SCTP.
func (t *Table) handshake(n uint32) *handshake { return &t.streams.at(n).handshake }

// meta is what connection n has beside its cell.
func (t *Table) meta(n uint32) *meta {
	if s := t.streams.of(n); s != nil {
		return &s.meta
	}
	return t.others.at(n)
}

// rare is what h needs beside it, made when it is not there.
func (t *Table) rare(h *handshake) *rare {
	if h.rare == 0 {
		i, _ := t.rares.add()
		h.rare = i + 1
	}
	return t.rares.at(h.rare - 1)
}
