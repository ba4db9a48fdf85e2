package flow

import (
	"time"

	"sockscope/capture"
)

// Bounds of the search for the connection of later fragments, which carry no
// ports. The bound on the number is one on the distance in frames of the whole
// input, so that it does not depend on how the work is divided.
const (
	maxFragmentDistance = 1 << 16
	fragmentTimeout     = 60 * time.Second // RFC 8200 §4.5
)

// fragmentKey names a datagram: RFC 791 §3.2, RFC 8200 §4.5.
type fragmentKey struct {
	addresses key // without ports
	wide      network
	id        uint32
	dir       uint8
}

// fragmentEntry is what is known of a datagram under way.
type fragmentEntry struct {
	known      bool   // the first fragment was seen
	connection uint32 // valid when known, and while it began with
	began      uint64 // this frame: else its number is another's by now
	since      capture.Timestamp
	frame      uint64 // number of the first one seen
	waiting    volume // later fragments that came before the first
}

// fragments finds the connection that a later fragment belongs to, bounded in
// number and time.
type fragments struct {
	entries map[fragmentKey]*fragmentEntry
	order   []fragmentKey // by age
	oldest  int           // index into order: those before it are gone
}

func newFragments() fragments { return fragments{entries: map[fragmentKey]*fragmentEntry{}} }

// start notes that connection n sent the first fragment of a datagram, and gives it
// the fragments that came before.
func (f *fragments) start(t *Table, b *Batch, r *record, n uint32) {
	k := fragmentOf(b, r)
	e := f.entry(t, k, r.time, b.number(r))
	e.known, e.connection, e.began = true, n, t.meta(n).firstFrame
	t.attribute(n, r.dir, e.since, e.waiting)
	e.waiting = volume{}
}

// fragment takes a later fragment.
func (t *Table) fragment(b *Batch, r *record) {
	k := fragmentOf(b, r)
	e := t.fragments.entry(t, k, r.time, b.number(r))
	v := volume{packets: 1, bytes: uint64(r.wire), ip: uint64(r.ip)}
	switch {
	case t.isThere(e):
		t.attribute(e.connection, r.dir, r.time, v)
		return
	case e.known: // it has ended
		t.Totals.Fragments.add(Volume{v.packets, v.bytes})
		return
	}
	e.waiting.packets++
	e.waiting.bytes += v.bytes
	e.waiting.ip += v.ip
}

// isThere reports whether the connection of e is known and has not ended.
func (t *Table) isThere(e *fragmentEntry) bool {
	return e.known && e.connection != noConnection && t.meta(e.connection).firstFrame == e.began
}

// fragmentOf names the datagram that r is a fragment of.
func fragmentOf(b *Batch, r *record) fragmentKey {
	k := fragmentKey{addresses: r.key.withoutPorts(), id: b.packet(r).IPID}
	if r.wide != 0 {
		k.wide = b.wide[r.wide-1]
	}
	if r.key.version() == 6 {
		k.addresses.a &^= 0xff00 // a later fragment names the first header after its own, which may be an extension
	}
	// The side by addresses alone: with equal addresses the ports decided.
	if r.key.address(0) != r.key.address(1) {
		k.dir = r.dir
	}
	return k
}

// attribute counts fragments as packets of connection n.
func (t *Table) attribute(n uint32, dir uint8, when capture.Timestamp, v volume) {
	if v.packets == 0 {
		return
	}
	c := t.cells.at(n)
	t.carry(n, dir, v)
	t.span(n, c, when)
	total := &t.Totals.Connections
	switch {
	case hasPorts(c.key.protocol()):
	case isICMP(c.key.protocol()):
		total = &t.Totals.ICMP
	default:
		total = &t.Totals.OtherIP[c.key.protocol()]
	}
	total.add(Volume{v.packets, v.bytes})
}

// entry is the entry of k, made anew when there is none or it is too old.
func (f *fragments) entry(t *Table, k fragmentKey, now capture.Timestamp, frame uint64) *fragmentEntry {
	f.forget(t, frame)
	e, ok := f.entries[k]
	if ok {
		age, known := now.Sub(e.since)
		if !known || age <= fragmentTimeout {
			return e
		}
		t.unattributed(e)
		*e = fragmentEntry{since: now, frame: e.frame}
		return e
	}
	e = &fragmentEntry{since: now, frame: frame}
	f.entries[k] = e
	f.order = append(f.order, k)
	return e
}

// forget drops the datagrams that began too far behind frame.
func (f *fragments) forget(t *Table, frame uint64) {
	for f.oldest < len(f.order) && frame-f.entries[f.order[f.oldest]].frame > maxFragmentDistance {
		k := f.order[f.oldest]
		t.unattributed(f.entries[k])
		delete(f.entries, k)
		f.oldest++
	}
	if f.oldest > len(f.order)/2 { // moving what is left costs less than what was dropped
		f.order = append(f.order[:0], f.order[f.oldest:]...)
		f.oldest = 0
	}
}

// unattributed counts e's fragments as belonging to no connection.
func (t *Table) unattributed(e *fragmentEntry) {
	t.Totals.Fragments.add(Volume{e.waiting.packets, e.waiting.bytes})
	e.waiting = volume{}
}

// Finish counts what still waited for a first fragment. The Table takes no more
// batches after it.
func (t *Table) Finish() {
	for _, e := range t.fragments.entries {
		t.unattributed(e)
	}
	t.fragments = fragments{}
	if t.bySilence {
		t.sweepAll()
	}
	t.sumAllTunnels(&t.Totals.Tunnels)
	t.countAllTuples(t.Totals.Tuples)
	if t.ending != nil {
		t.Totals.ClockJumps = t.ending.jumps
	}
}
