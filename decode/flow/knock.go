package flow

import (
	"net/netip"

	"sockscope/decode"
)

// A knock is what is kept of a connection while nothing but one bare SYN of it was
// captured: of all that a stream has, this is what a SYN decides. A flood or a scan has
// millions of them, and nearly all other connections are one for a moment only.
//
// The next packet makes a stream of it. Who only asks what the connection is need not wait
// for that: see unopened.
// The rest of the SYN stands in the cell, in the places of what it does not yet have:
// its number in next, its window, and its lengths on the wire and as an IP packet in acked.
type knock struct {
	firstFrame uint64
	iface      uint32
	flags      uint16
	has        decode.OptionSet
	mss        uint16
	scale      uint8
	cookie     uint8
	ttl        uint8
	dir        uint8
}

// isKnock reports whether the first packet of a connection is a bare SYN of which a knock
// keeps all.
func (b *Batch) isKnock(r *record) bool {
	return r.what == segment && r.flags&(syn|ack|rst|fin) == syn && r.payload == 0
}

// knock makes the new connection n, which is c, one of which r is all that is known.
func (t *Table) knock(b *Batch, r *record, n uint32, c *cell) {
	o := b.options(r)
	*t.knocks.at(n) = knock{
		firstFrame: b.number(r), iface: b.block.Frames[r.frame].Interface, flags: r.flags,
		has: o.Has, mss: o.MSS, scale: o.WindowScale, cookie: o.CookieLen, ttl: r.ttl, dir: r.dir,
	}
	c.latest = r.time
	c.next[0], c.acked[0], c.acked[1], c.window[0] = r.seq, r.wire, r.ip, r.window
}

// open makes a stream of connection n, which is c and of which there is only a knock, and
// gives its new number and its cell. Who had the old number must look the new one up.
func (t *Table) open(n uint32, c *cell) (uint32, *cell) {
	k := t.knocks.at(n)
	class := c.key.class()
	m := t.number(class)
	t.numbering[class].mixed = true
	if class&hasNetwork != 0 {
		*t.networks.at(m) = *t.networks.at(n)
	}
	d := t.cells.at(m)
	t.knocked(k, c, m, d)
	t.index.replace(t.seed.hash(c.key), n, m)
	t.giveUp(class|hasKnock, n)
	return m, d
}

// knocked makes connection m, which is d and new, what the SYN of k and its cell c made of
// it: what segment makes of a bare SYN that is a connection's first packet.
func (t *Table) knocked(k *knock, c *cell, m uint32, d *cell) {
	side := k.dir & 1
	isn := c.next[0]
	d.begin(c.key, c.latest)
	d.bits |= c.bits&(isSelf|replaced) | (sawSYN | knownISN | knownSeq | clientIs).of(side)
	d.next[side], d.window[side] = isn+1, c.window[0]
	t.first(m, k.firstFrame, c.latest, side, k.iface)
	h := t.handshake(m)
	h.isn[side], h.ttl[side], h.state[side] = isn, k.ttl, SYNSent
	h.marks = spoken.of(side)
	if k.flags&asksForECN == asksForECN {
		h.marks |= asksECN
	}
	if isn+1 == 0 {
		h.flags |= uint16(Wrapped)
	}
	h.offer(side, k.has, k.mss, k.scale, k.cookie)
	h.complete, h.zeek = completes[syn], zeekStates(zeekSYNSent<<(4*side))
	h.letters.add(letterSYN | letter(side)*fromSecond)
	t.increment(h, syns, side)
	h.counts = oneSYN
	t.count(m, d, &record{time: c.latest, wire: c.acked[0], ip: c.acked[1], dir: side})
}

// unopened fills r, which is zero, with connection n, of which k is all there is: with what
// would be told of it if it were open.
func (t *Table) unopened(n uint32, k *knock, r *Connection) {
	c := t.cells.at(n)
	var ends [2]netip.AddrPort
	t.endpoints(n, &ends)
	r.Client, r.Server = ends[k.dir&1], ends[k.dir&1^1]
	r.FirstFrame, r.SYNFrame, r.SYNCount = k.firstFrame, k.firstFrame, 1
	r.Protocol, r.HasPorts, r.Role = protoTCP, true, RoleSYN
	r.Interface = k.iface
	r.First, r.Last = c.latest, c.latest
	r.SYNRTT, r.ACKRTT, r.Setup = NoDuration, NoDuration, NoDuration
	r.Outcome, r.Close = Unanswered, Never
	r.ConnState, r.History, r.Completeness = "S0", "S", 1
	if k.has&decode.OptMPTCP != 0 {
		r.Flags |= MPTCP
	}
	isn := c.next[0]
	if isn+1 == 0 {
		r.Flags |= Wrapped
	}
	d := &r.ToServer
	d.Packets, d.Bytes, d.IPBytes, d.SYNs = 1, uint64(c.acked[0]), uint64(c.acked[1]), 1
	o := offer{has: k.has | offerSeen, mss: k.mss, scale: k.scale, cookie: k.cookie}
	o.fill(&d.Options, isn)
	r.ClientState = SYNSent
}
