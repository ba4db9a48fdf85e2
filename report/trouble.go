package report

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A kind says what went wrong with connections of one group.
type kind uint8

const (
	refused kind = iota
	unanswered
	halfOpen
	aborted
	mismatched
	portUnreachable // the server itself says that nobody listens
	unreachable     // a router, or the server for another reason
	resetBy
	injectedReset
	zeroWindow
	reusedOpen
	retriedSYN
	tooBig
	replyOnly
	oneWay
)

// A groupKey says what trouble is about: mostly a server's endpoint; for
// unreachable and tooBig whoever sent the ICMP error.
type groupKey struct {
	addr     netip.Addr
	port     uint16
	icmp     uint16 // type and code, where the kind has them
	protocol uint8
	kind     kind
	side     flow.Side // who did it, where the kind has that
	icmpv6   bool
}

// A group is the connections that share one kind of trouble; its slot's weight is
// their number.
type group struct {
	span
	label    string // of the service
	clients  distinct
	frames   evidence
	singles  uint64          // attempts with one SYN or packet
	waits    []time.Duration // of the attempt with the most SYNs
	syns     uint32          // of that attempt
	synsID   uint64          // its connection
	setup    time.Duration   // the longest
	silent   uint64          // resets before the server's first byte
	windows  uint64          // zero windows announced
	burst    burst
	target   netip.AddrPort // unreachable: the first one
	targetID uint64         // its connection
	protocol uint8          // of target
	targets  *distinct      // kinds that are not about one server: the servers
}

// trouble collects what is wrong. Only connections with trouble touch it.
type trouble struct {
	groups heavy[groupKey, group]
	scans  scans
}

// add looks for trouble in c.
func (t *trouble) add(c *flow.Connection, g *serviceGroup, failed bool) {
	if k, ok := kindOf(c, failed); ok {
		t.note(c, g, k)
	}
	if c.Outcome.Failed() {
		t.scans.add(c)
	}
	if c.Close == flow.Reset {
		t.note(c, g, serverKey(c, resetBy, c.ClosedBy))
	}
	if c.HasICMP && c.Outcome != flow.Unreachable && isTooBig(c) {
		t.note(c, g, icmpKey(c, tooBig))
	}
	const others = flow.RSTInjected | flow.ZeroWindow | flow.ReusedOpen | flow.SYNRetransmitted | flow.OneWay
	if c.Flags&others != 0 {
		t.addFlags(c, g)
	}
}

func (t *trouble) addFlags(c *flow.Connection, g *serviceGroup) {
	if c.Flags&flow.RSTInjected != 0 {
		t.note(c, g, serverKey(c, injectedReset, flow.Neither))
	}
	if c.Flags&flow.ZeroWindow != 0 {
		if n := c.ToClient.ZeroWindows; n > 0 {
			t.note(c, g, serverKey(c, zeroWindow, flow.ServerSide)).windows += n
		}
		if n := c.ToServer.ZeroWindows; n > 0 {
			t.note(c, g, serverKey(c, zeroWindow, flow.ClientSide)).windows += n
		}
	}
	if c.Flags&flow.ReusedOpen != 0 {
		t.note(c, g, serverKey(c, reusedOpen, flow.Neither))
	}
	worked := c.Outcome == flow.Complete || c.Outcome == flow.Implied
	if c.Flags&flow.SYNRetransmitted != 0 && worked {
		t.note(c, g, serverKey(c, retriedSYN, flow.Neither))
	}
	if c.Flags&flow.OneWay != 0 && c.Protocol == protoTCP && !c.Outcome.Failed() && c.Outcome != flow.ReplyOnly {
		t.note(c, g, groupKey{kind: oneWay, protocol: c.Protocol})
	}
}

// kindOf is the trouble that c's outcome is.
func kindOf(c *flow.Connection, failed bool) (groupKey, bool) {
	switch c.Outcome {
	case flow.Refused:
		return serverKey(c, refused, flow.Neither), true
	case flow.Unanswered:
		return serverKey(c, unanswered, flow.Neither), failed
	case flow.HalfOpen:
		return serverKey(c, halfOpen, flow.Neither), true
	case flow.Aborted:
		return serverKey(c, aborted, c.ClosedBy), true
	case flow.Mismatched:
		return serverKey(c, mismatched, flow.Neither), true
	case flow.ReplyOnly:
		return groupKey{kind: replyOnly, protocol: c.Protocol}, c.Protocol == protoTCP || c.Protocol == protoSCTP
	case flow.Unreachable:
		if isPortUnreachable(c) {
			k := serverKey(c, portUnreachable, flow.Neither)
			k.icmp, k.icmpv6 = icmpCode(c), c.ICMPFrom.Is6()
			return k, true
		}
		return icmpKey(c, unreachable), true
	}
	return groupKey{}, false
}

func serverKey(c *flow.Connection, k kind, side flow.Side) groupKey {
	return groupKey{kind: k, addr: c.Server.Addr(), port: c.Server.Port(), protocol: c.Protocol, side: side}
}

func icmpKey(c *flow.Connection, k kind) groupKey {
	return groupKey{kind: k, addr: c.ICMPFrom, icmp: icmpCode(c), icmpv6: c.ICMPFrom.Is6()}
}

// icmpCode is type and code in one number.
func icmpCode(c *flow.Connection) uint16 { return uint16(c.ICMPType)<<8 | uint16(c.ICMPCode) }

// note enters c into a group and gives it, for what only some kinds count.
func (t *trouble) note(c *flow.Connection, g *serviceGroup, k groupKey) *group {
	s := t.groups.at(k)
	s.weight++
	v := &s.value
	if s.weight == 1 {
		v.span = noSpan
		v.setup = flow.NoDuration
		if k.kind == unreachable || k.kind == tooBig || k.kind == replyOnly {
			v.targets = new(distinct)
		}
	}
	if v.targetID == 0 || c.ID < v.targetID {
		v.target, v.targetID, v.protocol, v.label = c.Server, c.ID, c.Protocol, g.label
	}
	v.include(c)
	v.clients.add(c.Client.Addr())
	v.frames.add(frameOf(c, k.kind))
	v.burst.add(c.First)
	if v.targets != nil {
		v.targets.add(c.Server.Addr())
	}
	if c.SYNCount <= 1 {
		v.singles++
	}
	if c.SYNCount > v.syns || c.SYNCount == v.syns && c.ID < v.synsID {
		v.syns, v.synsID = c.SYNCount, c.ID
		v.waits = append(v.waits[:0], c.SYNWaits...)
	}
	v.setup = max(v.setup, c.Setup)
	if c.ToClient.Payload == 0 {
		v.silent++
	}
	return v
}

// frameOf is the frame that shows the trouble best, or 0.
func frameOf(c *flow.Connection, k kind) uint64 {
	if k == retriedSYN || k == oneWay || k == reusedOpen {
		return c.SYNFrame
	}
	return cmp.Or(c.VerdictFrame, c.SYNACKFrame, c.SYNFrame, c.ACKFrame)
}

// isPortUnreachable reports whether the server's own host says that its port is
// closed (RFC 792, RFC 4443 §3.1).
func isPortUnreachable(c *flow.Connection) bool {
	if c.ICMPFrom != c.Server.Addr() {
		return false
	}
	if c.ICMPFrom.Is4() {
		return c.ICMPType == 3 && c.ICMPCode == 3
	}
	return c.ICMPType == 1 && c.ICMPCode == 4
}

// isTooBig reports whether a router asks for smaller packets (RFC 1191, RFC 8201).
func isTooBig(c *flow.Connection) bool {
	if c.ICMPFrom.Is4() {
		return c.ICMPType == 3 && c.ICMPCode == 4
	}
	return c.ICMPType == 2
}

// A span is the time from the first to the last connection of a group.
type span struct{ since, until capture.Timestamp }

var noSpan = span{capture.Unknown, capture.Unknown}

func (s *span) include(c *flow.Connection) { s.merge(span{c.First, c.First}) }

func (s *span) merge(o span) {
	if o.since.Known() && (!s.since.Known() || o.since < s.since) {
		s.since = o.since
	}
	if o.until.Known() && (!s.until.Known() || o.until > s.until) {
		s.until = o.until
	}
}

// lasts is the length of the span, 0 when it is not known.
func (s *span) lasts() time.Duration {
	d, _ := s.until.Sub(s.since)
	return d
}

// evidence keeps the five lowest frame numbers, in order.
type evidence struct {
	frames [5]uint64
	n      int
}

func (e *evidence) add(frame uint64) {
	if frame == 0 || e.n == len(e.frames) && frame >= e.frames[e.n-1] {
		return
	}
	i, found := slices.BinarySearch(e.frames[:e.n], frame)
	if found {
		return
	}
	if e.n < len(e.frames) {
		e.n++
	}
	copy(e.frames[i+1:e.n], e.frames[i:])
	e.frames[i] = frame
}

func (e *evidence) merge(o *evidence) {
	for _, f := range o.frames[:o.n] {
		e.add(f)
	}
}

func (e *evidence) list() []uint64 { return slices.Clone(e.frames[:e.n]) }

// A burst finds the busiest second of a group whose connections come in the order
// of time.
type burst struct {
	second int64
	n      uint64 // in that second
	peak   uint64
}

func (b *burst) add(t capture.Timestamp) {
	if !t.Known() {
		return
	}
	if second := floorDiv(int64(t), int64(time.Second)); second != b.second {
		b.second, b.n = second, 0
	}
	b.n++
	b.peak = max(b.peak, b.n)
}
