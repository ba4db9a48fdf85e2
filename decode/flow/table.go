package flow

import (
	"net/netip"
	"time"

	"sockscope/capture"
	"sockscope/decode"
)

// A Table holds the connections of one partition. It belongs to one goroutine.
//
// Connections stay until the end of the run, unless Config.Ending ends them. Cells and what belongs to them lie in
// chunks that the garbage collector does not look into and that never move; see numbers.go.
type Table struct {
	cfg  Config
	seed *Seed

	index
	numbering
	cells    chunks[cell]
	classes  []class           // by chunk
	streams  chunks[handshake] // of connections with a stream: TCP and SCTP
	others   chunks[meta]      // of those without
	networks chunks[network]   // of wide keys
	trips    chunks[uint32]    // of connections with a stream, when they are measured: 1 + index of its round trips, once it has some

	rares      arena[rare]
	courses    arena[course]
	odds       arena[odd]
	quality    arena[[2]quality]
	holes      arena[holes]
	roundTrips arena[roundTrips]
	sketches   arena[sketch]
	big        arena[[2]volume] // what counts do not hold

	chains chains
	proofs proofs
	icmp   arena[icmpError]
	waits  [][]time.Duration
	spill  [][]letter
	owners map[uint32][2]uint32 // of a connection, by its key's sides; as Frame.Owner. nil until one is known

	histories *Histories

	fragments fragments
	guesses   [stretch]guess
	touched   uint32 // keeps the early loads of Apply alive
	few       int    // fewer connections than that need none
	Totals    Totals // fragments and what else only the table can tell

	looking   *Look    // nil: nobody looks
	ending    *ending  // nil: connections stay
	bySilence bool     // they end when they are silent
	shortest  uint64   // then: the shortest silence that ends one, in nanoseconds
	vacant    []uint32 // chunks that are not there any more
	freeWaits []uint32 // of waits, by 1 + index
	freeSpill []uint32 // likewise
	departed  departed
	parts     map[uint32]uint64 // of connections that go on from another one: its ID. nil until there is one
	tiers     [][]tier          // by chunk, of a Relief at work
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
	t := &Table{
		cfg: cfg, seed: seed, index: newIndex(),
		chains: newChains(), proofs: newProofs(), histories: new(Histories),
		fragments: newFragments(), Totals: NewTotals(), few: fewConnections,
	}
	t.Totals.Tunnels.most = cfg.Tunnels
	if cfg.Ending != nil {
		t.ending = &ending{Ending: *cfg.Ending, clock: newClock()}
		t.proofs.texts.apart = !cfg.Ending.MemoryOnly
		t.bySilence = !cfg.Ending.MemoryOnly
		t.shortest = uint64(shortestSilence(&cfg))
		t.departed = departed{seed: seed, limit: defaultRemember}
	}
	none := t.noChunk()
	t.cells[none] = new([chunkLen]cell) // with that of noConnection; it is not counted
	return t
}

// Apply applies a batch's records, in order. Batches of a table come in the
// order of their blocks.
//
// Nearly all the time of a large table goes into waiting for memory. So what a stretch
// of records needs is touched first, each without waiting for the one before, and
// used afterwards. All that few connections have is in the processor's cache anyway.
func (t *Table) Apply(b *Batch) {
	for records := b.records(); len(records) > 0; {
		n := min(len(records), stretch)
		few := t.live < t.few
		if !few {
			t.touch(records[:n])
		}
		if t.looking != nil {
			t.looking.beforeRecords(b, records[:n])
		}
		if t.ending != nil && t.ending.Steps {
			t.steps(b, records[:n])
		} else {
			for i := range records[:n] {
				if few {
					t.guesses[i%stretch] = t.guess(&records[i])
				}
				t.record(b, &records[i], &t.guesses[i%stretch])
			}
		}
		records = records[n:]
	}
}

// A guess is the connection that a record probably belongs to, or noConnection. One of an
// earlier record of the stretch may have replaced it since.
type guess struct {
	entry entry
	cell  *cell
}

// guess is a guess for r at once, without look-up in memory.
func (t *Table) guess(r *record) guess {
	e := t.recent[r.hash%recentLen]
	return guess{e, t.cells.at(e.number())}
}

// record applies r, which is probably of the connection g.
func (t *Table) record(b *Batch, r *record, g *guess) {
	n, c := g.entry.number(), g.cell
	var free *entry
	if c.bits&replaced != 0 || c.key != r.key || r.wide != 0 && !t.inNetwork(n, b, r) {
		n, c, free = t.search(b, r)
	}
	if t.bySilence && c != nil && uint64(r.time-c.latest) > t.shortest && t.outlived(n, c, r) {
		t.end(n, c)
		c = nil
	}
	if c != nil {
		switch {
		case c.bits&steady != 0:
			if t.steadySegment(b, r, n, c) {
				return
			}
		case r.what&^surrounded == datagram:
			if c.inTurn(r, t.cfg.UDPIdle) {
				return
			}
		case t.isKnock(n):
			n, c = t.open(n, c)
		}
	}
	switch r.kind() {
	case quote:
		t.quote(b, r, n, c)
	case fragment:
		t.fragment(b, r)
	default:
		t.packet(b, r, n, c, free)
	}
}

// stretch is how many records are applied after their memory was touched.
const stretch = 128

// fewConnections are so few that the 192 bytes of each lie in the second cache of most
// processors.
const fewConnections = 2048

// touch loads what the records, at most a stretch, are going to need.
//
// A processor has about ten loads under way at a time, if it finds so many among its next
// 200 instructions, and if it need not wait for one of them to know where to go on. So each
// loop that loads does little else, and what only some records need is listed first.
func (t *Table) touch(records []record) {
	guesses := t.guesses[:len(records)]
	records = records[:len(guesses)]
	var list [stretch]uint8 // of indexes of records
	n := uint(0)
	for i := range guesses {
		hash := records[i].hash
		e := t.recent[hash%recentLen] // in the processor's cache
		guesses[i].entry = e
		list[n%stretch] = uint8(i) // to be overwritten when it does not belong there
		if e.hash() != hash {
			n++
		}
	}
	for _, i := range list[:n] {
		e := t.look(records[i].hash)
		guesses[i].entry, t.recent[records[i].hash%recentLen] = e, e
	}
	for i := range guesses {
		guesses[i].cell = t.cells.at(guesses[i].entry.number())
	}
	var touched uint32
	for i := range guesses {
		touched += uint32(guesses[i].cell.bits)
	}

	var wide [stretch]uint8
	w := uint(0)
	n = 0
	for i := range guesses {
		r := &records[i]
		wide[w%stretch] = uint8(i)
		if r.wide != 0 {
			w++
		}
		// All but the data of established connections needs more.
		list[n%stretch] = uint8(i)
		if guesses[i].cell.surprise(r) != 0 {
			n++
		}
	}
	for _, i := range wide[:w] {
		if net := t.networks.at(guesses[i].entry.number()); net != nil { // the guess may be wrong
			touched += uint32(net.a[0]) + net.id
		}
	}
	for _, i := range list[:n] {
		if s := t.streams.at(guesses[i].entry.number()); s != nil {
			touched += s.rare + uint32(s.letters)
		}
	}
	if t.cfg.RoundTrips {
		touched += t.touchRoundTrips(records, guesses)
	}
	t.touched = touched
}

// packet applies a packet of connection n, which is c, unless there is none or the packet
// begins another one. free is where search found that there is none, or nil.
func (t *Table) packet(b *Batch, r *record, n uint32, c *cell, free *entry) {
	found := c != nil
	if found {
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
		n, c = t.create(b, r, free)
		if t.isKnock(n) {
			b.knock(r, c)
			return
		}
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
	if r.payload > 0 && r.what&cut == 0 && !c.has(sawData.of(r.side())) {
		t.firstPayload(b, r, n, c)
	}
	t.count(n, c, r)
	if r.what&owned != 0 {
		t.own(b, r, n)
	}
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
	f := &t.proofs.finding
	if t.cfg.Classify(r.key.protocol(), payload, f); f.Service != "" {
		t.prove(r, n, f)
	}
	*f = Finding{Room: f.Room} // the payload is not there for long
}

// prove notes what r's payload proves of connection n.
func (t *Table) prove(r *record, n uint32, f *Finding) {
	// What is known of a sender is turned into what is known of the key's sides:
	// side 0 is the client when FromClient, the server when FromServer.
	if r.dir == 1 {
		f.FromClient, f.FromServer = f.FromServer, f.FromClient
	}
	m := t.meta(n)
	if m.evidence == 0 {
		i, _ := t.proofs.add()
		m.evidence = i + 1
	}
	t.proofs.note(t.proofs.at(m.evidence-1), f)
}

// create starts a connection with r as its first packet, and gives its number and cell.
// An older one with the same key can no longer be found. slot is the free one of its key, or
// nil when that is not known.
func (t *Table) create(b *Batch, r *record, slot *entry) (uint32, *cell) {
	if slot == nil {
		var old *cell
		if slot, old = t.slot(b, r); old != nil {
			old.bits |= replaced
		}
	}
	if *slot == 0 && t.full(r.hash) {
		t.split(r.hash)
		slot, _ = t.slot(b, r)
	}
	part := t.partOf(r)
	class := r.key.class()
	if part == 0 && b.isKnock(r) {
		class = class&^hasStream | hasKnock
	}
	n := t.number(class)
	if part != 0 {
		t.goesOnFrom(n, part)
	}
	t.set(slot, r.hash, n)
	c := t.cells.at(n)
	c.begin(r.key, r.time)
	one := c.key.a>>16 == c.key.b>>16 // endpoint
	if r.wide != 0 {
		net := t.networks.at(n)
		*net = b.wide[r.wide-1]
		one = one && net.a == net.b
	}
	if one {
		c.bits |= isSelf
	}
	if t.cfg.Appeared != nil && hasPorts(c.key.protocol()) {
		var ends [2]netip.AddrPort
		t.endpoints(n, &ends)
		t.cfg.Appeared(c.key.protocol(), ends[0], ends[1])
	}
	if class&hasKnock != 0 {
		return n, c
	}
	t.first(n, b.number(r), r.time, r.dir, b.block.Frames[r.frame].Interface)
	if r.what&surrounded != 0 {
		m, p := t.meta(n), b.packet(r)
		if id, ok := outerVLAN(p); ok {
			m.start |= start(id)&vlanID | hasVLAN
		}
		if p.NumTunnels > 0 {
			m.tunnels = t.chains.use(p.Tunnels[:p.NumTunnels])
		}
	}
	return n, c
}

// begin begins the cell, whose memory is zero, of a connection with key k, at a time.
func (c *cell) begin(k key, when capture.Timestamp) { c.key, c.latest = k, when }

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
func (t *Table) handshake(n uint32) *handshake { return t.streams.at(n) }
