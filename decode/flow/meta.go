package flow

import (
	"math"

	"sockscope/capture"
)

// meta is what a connection needs when it starts, when something unusual happens,
// and when it is reported: half a cache line.
type meta struct {
	firstFrame uint64
	began      capture.Timestamp // of the first packet; see Table.times
	evidence   uint32            // 1 + index of what payloads proved
	rare       uint32            // 1 + index of what few connections need
	tunnels    uint32            // 1 + index of its tunnel chain
	iface      uint16            // of the first packet, or otherInterface
	start      start
}

// otherInterface stands for an interface whose number the odd of a connection has.
const otherInterface = math.MaxUint16

// A start is what else is known of a first packet.
type start uint16

const (
	vlanID      start = 1<<12 - 1
	hasVLAN     start = 1 << 14
	firstSecond start = 1 << 15 // the key's second endpoint sent it
)

// firstDir is the side that sent the first packet.
func (m *meta) firstDir() uint8 { return uint8(m.start >> 15) }

// vlan is the VLAN of the first packet.
func (m *meta) vlan() (id uint16, ok bool) { return uint16(m.start & vlanID), m.start&hasVLAN != 0 }

// first notes the first packet of connection n: the number of its frame, its time, who
// sent it, and the interface where it was captured.
func (t *Table) first(n uint32, frame uint64, when capture.Timestamp, dir uint8, iface uint32) {
	m := t.meta(n)
	m.firstFrame, m.began = frame, when
	m.start = start(dir) << 15
	if m.iface = uint16(iface); iface >= otherInterface {
		t.odd(m).iface, m.iface = iface, otherInterface
	}
}

// interfaceOf is the interface where m's first packet was captured.
func (t *Table) interfaceOf(m *meta) uint32 {
	if m.iface == otherInterface {
		return t.odd(m).iface
	}
	return uint32(m.iface)
}

// meta is what connection n has beside its cell.
func (t *Table) meta(n uint32) *meta {
	if s := t.streams.at(n); s != nil {
		return &s.meta
	}
	return t.others.at(n)
}

// times are the earliest time of m's connection, and the latest one: unless that is
// cell.latest, which is later as long as times do not run backwards.
func (t *Table) times(m *meta) (first, last capture.Timestamp) {
	if o := t.oddOf(m); o != nil {
		return o.first, o.last
	}
	return m.began, m.began
}

// span widens the times of cell n, which is c, by when. Times may run backwards.
func (t *Table) span(n uint32, c *cell, when capture.Timestamp) {
	m := t.meta(n)
	first, last := t.times(m)
	if when.Known() && (when < first || !first.Known()) {
		first = when
	}
	last = max(last, when, c.latest) // Unknown is below all times
	if m.began == first && m.began == last {
		return // as for the first packet
	}
	o := t.odd(m)
	o.first, o.last = first, last
}

// last is the latest time of cell n's packets.
func (t *Table) last(n uint32) capture.Timestamp {
	latest := t.cells.at(n).latest
	if t.isKnock(n) {
		return latest
	}
	_, last := t.times(t.meta(n))
	return max(last, latest)
}
