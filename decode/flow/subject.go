package flow

import (
	"iter"
	"net/netip"
)

// A Subject is a connection that a frame is about, for those who follow connections frame by
// frame. It is valid until more is applied to its table.
type Subject struct {
	Quoted bool // the frame is an ICMP error that quotes one of the connection's packets, and counts elsewhere

	table  *Table
	number uint32
	dir    uint8
}

// Subjects gives the connections that the frames of b are about, which t has just applied:
// one for each frame that belongs to a connection, and another one for an ICMP error that
// quotes a packet.
func (t *Table) Subjects(b *Batch) iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		records := b.records()
		for i := range records {
			r := &records[i]
			s := Subject{Quoted: r.kind() == quote, table: t, dir: r.side()}
			if r.kind() == fragment {
				e := t.fragments.entries[fragmentOf(b, r)]
				if e == nil || !t.isThere(e) {
					continue
				}
				s.number = e.connection
			} else {
				var c *cell
				if s.number, c = t.find(b, r); c == nil {
					continue
				}
			}
			if !yield(s) {
				return
			}
		}
	}
}

// FirstFrame is the connection's first frame, which no other one has.
func (s *Subject) FirstFrame() uint64 {
	if k := s.table.knockAt(s.number); k != nil {
		return k.firstFrame()
	}
	return s.table.meta(s.number).firstFrame
}

// Connection fills c with the connection as it is now, all but its ID, and tells which side
// sent the frame or, when that is Quoted, the packet in it.
func (s *Subject) Connection(c *Connection) Side {
	s.table.connection(s.number, c)
	if s.dir == s.table.clientOf(s.number) {
		return ClientSide
	}
	return ServerSide
}

// clientOf is which of its key's sides connection n has as its client.
func (t *Table) clientOf(n uint32) uint8 {
	if k := t.knockAt(n); k != nil {
		return k.dir()
	}
	c, m := t.cells.at(n), t.meta(n)
	var h *handshake
	if c.key.hasStream() {
		h = t.handshake(n)
	}
	var ends [2]netip.AddrPort
	t.endpoints(n, &ends)
	client, _ := t.roleOf(c, m, h, &ends)
	return client
}
