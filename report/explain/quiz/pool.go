package quiz

import (
	"cmp"
	"hash/fnv"
	"net/netip"
	"slices"

	"sockscope/decode/flow"
)

const (
	perSort     = 24      // connections of each sort that are kept: the earliest ones
	short       = 1 << 16 // packets: shorter ones are preferred, for the learner shall find the frames
	mostPackets = 1 << 18 // of all that are followed: what is kept of them takes memory
	maxServers  = 1 << 16 // of which connections are counted
)

// A Pool chooses the connections that questions can be about. It is given all that a capture
// has, in any order, and chooses the same ones. The zero value is ready to use.
type Pool struct {
	sorts   map[sort][]flow.Connection
	servers map[netip.AddrPort]served // nil again when there are too many
	tooMany bool
}

// A sort of connections has a course of its own to ask about.
type sort struct {
	protocol uint8
	outcome  flow.Outcome
	close    flow.Close
	by       flow.Side
	resent   bool
}

// served is what a server's port was used for, by TCP connections.
type served struct {
	complete uint64 // handshakes that were completed
	attempts uint64 // all of which the SYN is there
	unclear  uint64 // connections that need not have a socket of their own
}

// Add takes the next connection.
func (p *Pool) Add(c *flow.Connection) {
	p.count(c)
	if c.PartOf != 0 { // its beginning is in the record that it goes on from
		return
	}
	if p.sorts == nil {
		p.sorts = map[sort][]flow.Connection{}
	}
	s := sort{c.Protocol, c.Outcome, c.Close, c.ClosedBy, c.ToServer.Retransmissions+c.ToClient.Retransmissions > 0}
	kept := append(p.sorts[s], *c)
	if len(kept) > 2*perSort {
		kept = cut(kept)
	}
	p.sorts[s] = kept
}

func (p *Pool) count(c *flow.Connection) {
	if c.Protocol != protoTCP || p.tooMany {
		return
	}
	if p.servers == nil {
		p.servers = map[netip.AddrPort]served{}
	}
	s, known := p.servers[c.Server]
	if !known && len(p.servers) == maxServers {
		p.servers, p.tooMany = nil, true
		return
	}
	if c.SYNFrame != 0 {
		s.attempts++
	}
	const doubtful = flow.Simultaneous | flow.SYNACKMismatch | flow.SYNACKRetransmitted | flow.Reordered | flow.ReusedOpen
	switch {
	case c.Outcome == flow.Complete && c.Flags&doubtful == 0 && c.Close != flow.Evicted && len(c.Tunnels) == 0 && !c.HasVLAN:
		s.complete++
	case !c.Outcome.Failed() || len(c.Tunnels) > 0 || c.HasVLAN: // addresses may mean another host in another network
		s.unclear++
	}
	p.servers[c.Server] = s
}

// cut keeps the earliest connections.
func cut(kept []flow.Connection) []flow.Connection {
	slices.SortFunc(kept, func(a, b flow.Connection) int {
		return cmp.Or(cmp.Compare(long(&a), long(&b)), cmp.Compare(a.FirstFrame, b.FirstFrame))
	})
	return kept[:min(perSort, len(kept))]
}

// long is 1 for connections that are longer than a learner likes.
func long(c *flow.Connection) int {
	if c.ToServer.Packets+c.ToClient.Packets > short {
		return 1
	}
	return 0
}

// Connections are those that were chosen, short ones first, then by their first frames: not
// more than there is room for. It is never nil.
func (p *Pool) Connections() []flow.Connection {
	all := []flow.Connection{}
	for _, kept := range p.sorts {
		all = append(all, cut(kept)...)
	}
	slices.SortFunc(all, func(a, b flow.Connection) int {
		return cmp.Or(cmp.Compare(long(&a), long(&b)), cmp.Compare(a.FirstFrame, b.FirstFrame))
	})
	room, first := uint64(mostPackets), true
	return slices.DeleteFunc(all, func(c flow.Connection) bool {
		n := c.ToServer.Packets + c.ToClient.Packets
		if n > room && !first {
			return true
		}
		first, room = false, room-min(room, n)
		return false
	})
}

// Seed is a number that belongs to the capture: whoever asks about the same one gets the same
// questions. It is short enough to be written on a blackboard.
func (p *Pool) Seed() uint64 {
	h := fnv.New64a()
	for _, c := range p.Connections() {
		for _, n := range []uint64{c.FirstFrame, uint64(c.Protocol), c.ToServer.Packets, c.ToServer.Bytes, c.ToClient.Packets, c.ToClient.Bytes} {
			var b [8]byte
			for i := range b {
				b[i] = byte(n >> (8 * i))
			}
			h.Write(b[:])
		}
		for _, end := range []netip.AddrPort{c.Client, c.Server} {
			text, _ := end.MarshalBinary()
			h.Write(text)
		}
	}
	return h.Sum64() % 1_000_000
}
