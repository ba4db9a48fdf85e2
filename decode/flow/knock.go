package flow

import (
	"net/netip"

	"sockscope/decode"
)

// A knock is the cell of a connection while nothing but one bare SYN of it was captured: of
// all that a stream has, it keeps what a SYN decides, in the places of what the cell does not
// yet have. A flood or a scan has millions of them, and nearly all other connections are one
// for a moment only.
//
// The next packet makes a stream of it. Who only asks what the connection is need not wait
// for that: see unopened.
type knock cell

// What a knock keeps beside key, latest and bits: in sent the number of the first frame, and
// interface, flags and options; in next the sequence number, and the four bytes below; in acked
// the lengths of the frame and of the IP packet; in window the window and the MSS.
const (
	knockFlags  = 32 // in sent[1], above the interface
	knockHas    = 48
	knockScale  = 0 // in next[1]
	knockCookie = 8
	knockTTL    = 16
	knockDir    = 24
)

func (k *knock) firstFrame() uint64    { return uint64(k.sent[0]) }
func (k *knock) iface() uint32         { return uint32(k.sent[1]) }
func (k *knock) flags() uint16         { return uint16(k.sent[1] >> knockFlags) }
func (k *knock) has() decode.OptionSet { return decode.OptionSet(k.sent[1] >> knockHas) }
func (k *knock) isn() uint32           { return k.next[0] }
func (k *knock) scale() uint8          { return uint8(k.next[1] >> knockScale) }
func (k *knock) cookie() uint8         { return uint8(k.next[1] >> knockCookie) }
func (k *knock) ttl() uint8            { return uint8(k.next[1] >> knockTTL) }
func (k *knock) dir() uint8            { return uint8(k.next[1]>>knockDir) & 1 }
func (k *knock) wire() uint32          { return k.acked[0] } // bytes
func (k *knock) ip() uint32            { return k.acked[1] } // bytes
func (k *knock) announced() uint16     { return k.window[0] }
func (k *knock) mss() uint16           { return k.window[1] }

// offer is what the SYN offered.
func (k *knock) offer() offer {
	return offer{has: k.has() | offerSeen, mss: k.mss(), scale: k.scale(), cookie: k.cookie()}
}

// knockAt is connection n while there is only a knock of it, else nil.
func (t *Table) knockAt(n uint32) *knock {
	if t.isKnock(n) {
		return (*knock)(t.cells.at(n))
	}
	return nil
}

// isKnock reports whether there is only a knock of connection n.
func (t *Table) isKnock(n uint32) bool { return t.classes[n>>chunkBits]&hasKnock != 0 }

// isKnock reports whether the first packet of a connection is a bare SYN of which a knock
// keeps all.
func (b *Batch) isKnock(r *record) bool {
	return r.what == segment && r.flags&(syn|ack|rst|fin) == syn && r.payload == 0
}

// knock makes the new connection c one of which r is all that is known.
func (b *Batch) knock(r *record, c *cell) {
	o := b.options(r)
	c.latest = r.time
	c.sent[0] = counts(b.number(r))
	c.sent[1] = counts(b.block.Frames[r.frame].Interface) | counts(r.flags)<<knockFlags | counts(o.Has)<<knockHas
	c.next[0] = r.seq
	c.next[1] = uint32(o.WindowScale)<<knockScale | uint32(o.CookieLen)<<knockCookie | uint32(r.ttl)<<knockTTL | uint32(r.dir&1)<<knockDir
	c.acked = [2]uint32{r.wire, r.ip}
	c.window = [2]uint16{r.window, o.MSS}
}

// open makes a stream of connection n, which is c and of which there is only a knock, and
// gives its new number and its cell. Who had the old number must look the new one up.
func (t *Table) open(n uint32, c *cell) (uint32, *cell) {
	class := c.key.class()
	m := t.number(class)
	t.numbering[class].mixed = true
	if class&hasNetwork != 0 {
		*t.networks.at(m) = *t.networks.at(n)
	}
	d := t.cells.at(m)
	t.knocked((*knock)(c), m, d)
	t.index.replace(t.seed.hash(c.key), n, m)
	t.giveUp(class|hasKnock, n)
	return m, d
}

// knocked makes connection m, which is d and new, what the SYN of k made of it: what segment
// makes of a bare SYN that is a connection's first packet.
func (t *Table) knocked(k *knock, m uint32, d *cell) {
	side, isn := k.dir(), k.isn()
	d.begin(k.key, k.latest)
	d.bits |= k.bits&(isSelf|replaced) | (sawSYN | knownISN | knownSeq | clientIs).of(side)
	d.next[side], d.window[side] = isn+1, k.announced()
	t.first(m, k.firstFrame(), k.latest, side, k.iface())
	h := t.handshake(m)
	h.isn[side], h.ttl[side], h.state[side] = isn, k.ttl(), SYNSent
	h.marks = spoken.of(side)
	if k.flags()&asksForECN == asksForECN {
		h.marks |= asksECN
	}
	if isn+1 == 0 {
		h.flags |= uint16(Wrapped)
	}
	h.offer(side, k.has(), k.mss(), k.scale(), k.cookie())
	h.complete, h.zeek = completes[syn], zeekStates(zeekSYNSent<<(4*side))
	h.letters.add(letterSYN | letter(side)*fromSecond)
	t.increment(h, syns, side)
	h.counts = oneSYN
	t.count(m, d, &record{time: k.latest, wire: k.wire(), ip: k.ip(), dir: side})
}

// unopened fills r, which is zero, with connection n, of which k is all there is: with what
// would be told of it if it were open.
func (t *Table) unopened(n uint32, k *knock, r *Connection) {
	t.anotherUnopened(n, k, r)
	r.SYNCount = 1
	r.Protocol, r.HasPorts, r.Role = protoTCP, true, RoleSYN
	r.SYNRTT, r.ACKRTT, r.Setup = NoDuration, NoDuration, NoDuration
	r.Outcome, r.Close = Unanswered, Never
	r.ConnState, r.History, r.Completeness = "S0", "S", 1
	r.ToServer.Packets, r.ToServer.SYNs = 1, 1
	r.ClientState = SYNSent
}

// anotherUnopened does the same where r has another connection of which there is only a
// knock: it sets what is not the same of all. Who reports a flood does little else.
func (t *Table) anotherUnopened(n uint32, k *knock, r *Connection) {
	var ends [2]netip.AddrPort
	t.endpoints(n, &ends)
	r.Client, r.Server = ends[k.dir()], ends[k.dir()^1]
	r.FirstFrame, r.SYNFrame = k.firstFrame(), k.firstFrame()
	r.Interface = k.iface()
	r.First, r.Last = k.latest, k.latest
	r.Flags = 0
	if k.has()&decode.OptMPTCP != 0 {
		r.Flags |= MPTCP
	}
	if k.isn()+1 == 0 {
		r.Flags |= Wrapped
	}
	r.ToServer.Bytes, r.ToServer.IPBytes = uint64(k.wire()), uint64(k.ip())
	o := k.offer()
	o.fill(&r.ToServer.Options, k.isn())
}
