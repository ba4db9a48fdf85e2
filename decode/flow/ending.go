package flow

import (
	"time"

	"sockscope/capture"
)

// An Ending makes a table's connections end while the run goes on, so that its memory
// follows those that are open.
type Ending struct {
	// Tell is told what becomes of connections, on the goroutine that the table belongs
	// to. The Connection is valid during the call; what it points to stays so. Its ID
	// is its FirstFrame: who comes first is not yet known of all.
	Tell func(Event, *Connection)

	// Steps asks for all events. Without it only the last one of each connection is told.
	Steps bool

	// MemoryOnly leaves connections alone however long they are silent: they end only when
	// they are too many (see Relief).
	MemoryOnly bool
}

// An Event is a step in the life of a connection.
type Event uint8

const (
	NoEvent       Event = iota
	Opened              // its first packet came
	HandshakeDone       // its outcome is Complete now
	Ended               // it is over, and the table has forgotten it
	NumEvents
)

// String is the word of the column event.
func (e Event) String() string { return [...]string{"", "open", "established", "ended"}[e] }

// After what silence connections end. That of connectionless traffic is Config.UDPIdle;
// an established TCP connection ends by no silence, since it may last for days
// (RFC 9293 §3.8.4).
const (
	// Both FINs were acknowledged, or one side reset or refused it: what comes yet was sent
	// again or overtaken.
	closedSilence = 2 * time.Second

	// An attempt: Linux sends a SYN again after 1, 2, 4, 8, 16 and 32 seconds and gives up
	// 64 seconds after the last one, so there is no longer gap in what is one attempt.
	attemptSilence = 65 * time.Second

	// One that may be over, for all that the capture tells: its beginning is not there, or
	// one side has closed it.
	idleSilence = time.Hour
)

const (
	sweepEvery = time.Second / 2
	sweepCells = 1 << 16 // looked at in one go: about a millisecond
	sweepEnds  = 1 << 14 // ended in one go, more or less; more than one block of frames can begin
)

// ending is what a table needs for its Ending.
type ending struct {
	Ending
	clock
	chunk int               // to be looked at next; 0: all were
	began capture.Timestamp // the last look at all
	swept int               // ended in the last go
	told  Connection
}

// Sweep ends what is over at a time, by Config.Ending, a part of the table at a time. It is
// called between batches, and does nothing without Config.Ending.
func (t *Table) Sweep(now capture.Timestamp) {
	s := t.ending
	if s == nil {
		return
	}
	s.advance(now)
	if s.swept = 0; s.MemoryOnly {
		return
	}
	if s.chunk == 0 {
		if passed, ok := s.now.Sub(s.began); ok && 0 <= passed && passed < sweepEvery {
			return
		}
		s.began, s.chunk = s.now, 1
	}
	for cells := 0; cells < sweepCells && s.swept < sweepEnds; cells += chunkLen {
		if s.chunk == len(t.cells) {
			s.chunk = 0
			return
		}
		s.swept += t.sweepChunk(uint32(s.chunk))
		s.chunk++
	}
}

// sweepAll ends all that is over.
func (t *Table) sweepAll() {
	for chunk := 1; chunk < len(t.cells); chunk++ {
		t.sweepChunk(uint32(chunk))
	}
}

// shortestSilence is the shortest one that ends a connection.
func shortestSilence(cfg *Config) time.Duration {
	if cfg.UDPIdle > 0 {
		return min(closedSilence, cfg.UDPIdle)
	}
	return closedSilence
}

// outlived reports whether connection n, which is c, was over before r: when it ends must
// not depend on when somebody looks at it. That the clock was set is no silence.
func (t *Table) outlived(n uint32, c *cell, r *record) bool {
	s := &t.ending.clock
	if r.kind() == fragment || !r.time.Known() || !c.latest.Known() {
		return false
	}
	if step, ok := r.time.Sub(s.now); s.now.Known() && (!ok || step > maxStep) {
		return false
	}
	limit := t.patience(n, c)
	silence, ok := r.time.Sub(max(t.last(n), s.since))
	return limit > 0 && ok && silence > limit
}

// sweepChunk ends what is over of a chunk, and counts that.
func (t *Table) sweepChunk(chunk uint32) (ends int) {
	shortest := time.Duration(t.shortest)
	cells := t.cells[chunk]
	if cells == nil {
		return 0 // given back
	}
	for i := range cells {
		c := &cells[i]
		silence := t.ending.silence(c.latest)
		if silence <= shortest || c.key == (key{}) || c.bits&(steady|replaced) == steady && silence <= idleSilence {
			continue
		}
		n := chunk<<chunkBits | uint32(i)
		limit := t.patience(n, c)
		if limit > 0 && silence > limit && t.ending.silence(t.last(n)) > limit {
			t.end(n, c)
			ends++
		}
	}
	return ends
}

// patience is the silence after which connection n, which is c, is over; 0 means that
// there is none.
func (t *Table) patience(n uint32, c *cell) time.Duration {
	switch {
	case c.bits&replaced != 0:
		return closedSilence // but for fragments on their way
	case !c.key.hasStream():
		return t.cfg.UDPIdle
	case t.isKnock(n):
		return attemptSilence
	case c.key.protocol() == protoSCTP:
		return t.patienceSCTP(n)
	}
	h := t.handshake(n)
	o := outcome(c, h)
	switch o {
	case Refused, Aborted:
		return closedSilence
	case Complete, Implied, Midstream:
		switch closing(c, h, o) {
		case Fin, Reset, ResetAfterFin:
			return closedSilence
		case Open:
			if o == Complete {
				return 0
			}
		}
		return idleSilence
	}
	return attemptSilence
}

// isOver reports whether connection n, which is c, has ended by what was said: nothing new
// will be sent.
func (t *Table) isOver(n uint32, c *cell) bool {
	return (c.bits&replaced != 0 || c.key.hasStream()) && t.patience(n, c) == closedSilence
}

// patienceSCTP is patience for an association.
func (t *Table) patienceSCTP(n uint32) time.Duration {
	h := t.handshake(n)
	switch both := h.chunks[0] | h.chunks[1]; {
	case both&(chunkAbort|chunkComplete) != 0:
		return closedSilence
	case both&(chunkInit|chunkCookieAck) == chunkInit|chunkCookieAck && both&chunkShutdown == 0:
		return 0
	case both&(chunkCookieAck|chunkSACK|chunkData|chunkShutdown) != 0 || both&(chunkInit|chunkInitAck) == 0:
		return idleSilence
	}
	return attemptSilence
}

// end hands connection n, which is c and was silent for too long, out and forgets it.
func (t *Table) end(n uint32, c *cell) {
	r := t.asTold(n)
	if r.Close == Open && c.bits&replaced == 0 {
		r.Close = Idle
	}
	t.depart(n, c, r, t.isOver(n, c), t.departed.newest())
	t.leave(n, c, r)
}

// evict does the same with one that memory is short for, and remembers it as a departure
// when it is to be remembered. What is known to have ended has no other end for that, and it
// reports whether there was none.
func (t *Table) evict(n uint32, order uint64, remembered bool) (early bool) {
	c := t.cells.at(n)
	r := t.asTold(n)
	silent := t.tier(n, c, t.isKnock(n)) == over
	ended := t.isOver(n, c)
	early = !silent && !ended
	switch {
	case early:
		r.Close, r.Silence = Evicted, t.ending.silence(r.Last)
		t.Totals.evict(1, t.ending.now, t.ending.now)
	case r.Close == Open && c.bits&replaced == 0:
		r.Close = Idle
	}
	if !early {
		t.Totals.Outlived++
	}
	if remembered {
		t.depart(n, c, r, ended, order)
	}
	t.leave(n, c, r)
	return early
}

// asTold is connection n as it is told.
func (t *Table) asTold(n uint32) *Connection {
	r := &t.ending.told
	t.connection(n, r)
	r.ID = r.FirstFrame
	return r
}

// leave hands connection n, which is c and told as r, out and forgets it.
func (t *Table) leave(n uint32, c *cell, r *Connection) {
	if t.looking != nil {
		t.looking.before(n)
	}
	t.sumTunnels(n, &t.Totals.Tunnels)
	t.countTuple(t.Totals.Tuples, n)
	t.remove(n, c)
	t.ending.Tell(Ended, r)
}

// remove takes connection n, which is c, out of the table. Its number, and those of what
// it has, will be another's.
func (t *Table) remove(n uint32, c *cell) {
	t.index.remove(t.seed.hash(c.key), n)
	delete(t.owners, n)
	delete(t.parts, n)
	if t.isKnock(n) {
		t.giveUp(c.key.class()|hasKnock, n)
		return
	}
	m := t.meta(n)
	t.dropRare(m)
	t.chains.drop(m.tunnels)
	t.proofs.drop(m.evidence)
	if s := t.streams.at(n); s != nil {
		t.dropQuality(s)
		t.dropRoundTrips(n)
		*s = handshake{}
	} else {
		*m = meta{}
	}
	t.giveUp(c.key.class(), n)
}

// steps applies records as record does, and tells what each packet made of its connection.
func (t *Table) steps(b *Batch, records []record) {
	for i := range records {
		r := &records[i]
		old, c := t.find(b, r)
		if c != nil && t.isKnock(old) {
			old, c = t.open(old, c)
		}
		wasDone := c != nil && t.isDone(old, c)
		g := t.guess(r)
		t.record(b, r, &g)
		if k := r.kind(); k == quote || k == fragment {
			continue
		}
		n, c := t.find(b, r)
		if t.firstFrame(n) == b.number(r) {
			t.tell(Opened, n)
			wasDone = false
		}
		if !wasDone && t.isDone(n, c) {
			t.tell(HandshakeDone, n)
		}
	}
}

// isDone reports whether connection n, which is c, has its handshake behind it.
func (t *Table) isDone(n uint32, c *cell) bool {
	if t.isKnock(n) {
		return false
	}
	switch c.key.protocol() {
	case protoTCP:
		return outcome(c, t.handshake(n)) == Complete
	case protoSCTP:
		h := t.handshake(n)
		both := h.chunks[0] | h.chunks[1]
		return both&(chunkInit|chunkCookieAck) == chunkInit|chunkCookieAck
	}
	return false
}

// tell tells of connection n as it stands.
func (t *Table) tell(e Event, n uint32) {
	t.ending.Tell(e, t.asTold(n))
}
