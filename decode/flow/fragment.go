package flow

import (
	"time"

	"sockscope/capture"
)

// Bounds of the search for the connection of later fragments, which carry no ports.
const (
	maxFragments    = 8192             // datagrams under way in one partition
	fragmentTimeout = 60 * time.Second // RFC 8200 §4.5
)

// fragmentKey names a datagram: RFC 791 §3.2, RFC 8200 §4.5.
type fragmentKey struct {
	addresses key // without ports
	wide      addressPair
	id        uint32
	dir       uint8
}

// fragmentEntry is what is known of a datagram under way.
type fragmentEntry struct {
	known      bool   // the first fragment was seen
	connection uint32 // valid when known
	since      capture.Timestamp
	waiting    volume // later fragments that came before the first
}

// fragments finds the connection that a later fragment belongs to, bounded in
// number and time.
type fragments struct {
	entries map[fragmentKey]*fragmentEntry
	order   []fragmentKey // oldest first
}

func newFragments() fragments { return fragments{entries: map[fragmentKey]*fragmentEntry{}} }

// start notes that connection n sent the first fragment of a datagram, and gives it
// the fragments that came before.
func (f *fragments) start(t *Table, r *record, x *extra, n uint32) {
	k := t.fragmentKey(r, x)
	if m := t.metas.at(n); m.wide != 0 {
		k.wide = *t.wide.at(m.wide - 1)
	}
	e := f.entry(t, k, r.time)
	e.known, e.connection = true, n
	t.attribute(n, r.dir, r.time, e.waiting)
	e.waiting = volume{}
}

// fragment takes a later fragment.
func (t *Table) fragment(b *Batch, r *record) {
	k := t.fragmentKey(r, &b.extras[r.extra-1])
	if r.wide != 0 {
		k.wide = b.wide[r.wide-1]
	}
	e := t.fragments.entry(t, k, r.time)
	v := volume{packets: 1, bytes: uint64(r.wire), ip: uint64(r.ip)}
	if e.known {
		t.attribute(e.connection, r.dir, r.time, v)
		return
	}
	e.waiting.packets++
	e.waiting.bytes += v.bytes
	e.waiting.ip += v.ip
}

func (t *Table) fragmentKey(r *record, x *extra) fragmentKey {
	k := fragmentKey{addresses: r.key, id: x.id}
	k.addresses.pa, k.addresses.pb = 0, 0
	if r.key.version == 6 {
		k.addresses.proto = 0 // a later fragment names the first header after its own, which may be an extension
	}
	// The side by addresses alone: with equal addresses the ports decided.
	if k.addresses.a != k.addresses.b {
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
	s := &c.sent[dir]
	s.packets += v.packets
	s.bytes += v.bytes
	s.ip += v.ip
	if when > c.last {
		c.last = when
	}
	total := &t.Totals.Connections
	switch {
	case hasPorts(c.key.proto):
	case c.key.proto == protoICMP || c.key.proto == protoICMPv6:
		total = &t.Totals.ICMP
	default:
		total = &t.Totals.OtherIP[c.key.proto]
	}
	total.add(Volume{v.packets, v.bytes})
}

// entry is the entry of k, made when there is none or it is too old. The oldest
// ones make room.
func (f *fragments) entry(t *Table, k fragmentKey, now capture.Timestamp) *fragmentEntry {
	e, ok := f.entries[k]
	if ok {
		age, known := now.Sub(e.since)
		if !known || age <= fragmentTimeout {
			return e
		}
		t.unattributed(e)
		*e = fragmentEntry{since: now}
		return e
	}
	if len(f.order) >= maxFragments {
		half := len(f.order) / 2
		for _, old := range f.order[:half] {
			t.unattributed(f.entries[old])
			delete(f.entries, old)
		}
		f.order = append(f.order[:0], f.order[half:]...)
	}
	e = &fragmentEntry{since: now}
	f.entries[k] = e
	f.order = append(f.order, k)
	return e
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
}
