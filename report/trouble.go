package report

import (
	"cmp"
	"net/netip"
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
	lossy
	reusedOpen
	retriedSYN
	tooBig
	replyOnly
	oneWay
)

// A groupKey says what trouble is about: mostly a server's endpoint; for
// unreachable and tooBig whoever sent the ICMP error.
type groupKey struct {
	ip
	port uint16
	icmp uint16 // type and code, where the kind has them
	trait
}

// A trait is what, beside numbers, groups of trouble differ in.
type trait struct {
	protocol uint8
	kind     kind
	side     flow.Side // who did it, where the kind has that
	version  uint8     // of the address
}

func (k groupKey) addr() netip.Addr { return k.ip.addr(k.version) }

func (k groupKey) hash() uint64 {
	rest := uint64(k.port)<<48 | uint64(k.icmp)<<32 | uint64(k.protocol)<<24 | uint64(k.kind)<<16 | uint64(k.side)<<8
	return k.ip.end(k.version).with(rest)
}

// endpoint is the address and port that a group is about.
func (k groupKey) endpoint() netip.AddrPort { return netip.AddrPortFrom(k.addr(), k.port) }

// door is the endpoint that a group is about.
func (k groupKey) door() doorKey { return doorKey{k.ip, k.port, k.protocol, k.version} }

// A group is the connections that share one kind of trouble; its slot's weight is
// their number. There are many, most of them with one connection: what few have is
// kept aside.
type group struct {
	span
	firstID uint64        // of the connections
	service *serviceGroup // of the first
	clients distinct
	frames  evidence
	singles uint64 // attempts with one SYN or packet
	burst   burst
	extra   uint64        // of resets: those before the server's first byte; of zero windows: how many were announced; of unanswered: see addSilence
	waited  time.Duration // of unanswered: see addSilence
	retry   *retries      // of kinds that are about attempts with more than one SYN
	targets *targets      // of kinds that are not about one server
}

// retries tells of the attempt with the most SYNs.
type retries struct {
	syns  uint32
	id    uint64 // of the connection
	waits []time.Duration
	setup time.Duration // the longest of all attempts
}

// targets are the servers of a group that is not about one server.
type targets struct {
	first    netip.AddrPort
	protocol uint8 // of the first
	servers  distinct
}

// trouble collects what is wrong. Only connections with trouble touch it.
type trouble struct {
	groups heavy[groupKey, group]
	scans  scans
	owners ownership[groupKey] // whose process did it, or suffers from it: see ownerEnd

	cases []*troubleCase // not yet in groups and scans; those beyond n are to be reused
	n     int
}

// A troubleCase is a connection that has trouble or may have it, copied until it is
// folded in with others.
type troubleCase struct {
	flow.Connection
	client, server end
	service        *serviceGroup
	owners         [2]capture.Owner

	main        groupKey // the first group that it belongs to, mostly the only one
	outcome     bool     // main is what the outcome is
	hash        uint64   // of main
	path, sweep uint64   // hashes, of failed attempts

	guess      *slot[groupKey, group] // of main
	pathGuess  *slot[pathKey, hostProbe]
	sweepGuess *slot[sweepKey, portProbe]

	syns [8]time.Duration // what SYNWaits points to
}

// add takes c, whose visit is v, if there may be trouble in it, and reports whether it is time to fold.
func (t *trouble) add(c *flow.Connection, v *visit, failed bool, owners *[2]capture.Owner) (full bool) {
	const others = flow.RSTInjected | flow.ZeroWindow | flow.ReusedOpen | flow.SYNRetransmitted | flow.OneWay
	if !c.Outcome.Failed() && c.Outcome != flow.ReplyOnly && c.Close != flow.Reset && !c.HasICMP && c.Flags&others == 0 &&
		!loses(&c.ToServer) && !loses(&c.ToClient) {
		return false
	}
	if t.n == len(t.cases) {
		t.cases = append(t.cases, new(troubleCase))
	}
	k := t.cases[t.n]
	t.n++
	k.Connection = *c
	k.SYNWaits = append(k.syns[:0], c.SYNWaits...)
	k.client, k.server, k.service, k.owners = v.client, v.server, v.group, *owners
	k.main, k.outcome = kindOf(c, v.server, failed)
	if !k.outcome {
		k.main = serverKey(c, v.server, resetBy, c.ClosedBy)
	}
	k.hash = k.main.hash()
	if c.Outcome.Failed() {
		k.path = pathHash(v.client, v.server, c.Protocol)
		k.sweep = sweepOf(v.client, c.Server.Port(), c.Protocol).hashAt(v.client)
	}
	return t.n == batchLen
}

// fold enters the cases: see batchLen. Its result keeps the reads that only fetch
// something from being optimized away.
func (t *trouble) fold() (touched uint64) {
	cases := t.cases[:t.n]
	t.n = 0
	for _, k := range cases {
		touched += t.groups.touch(k.hash) + t.scans.paths.touch(k.path) + t.scans.sweeps.touch(k.sweep)
	}
	for _, k := range cases {
		k.guess = t.groups.guess(k.hash)
		k.pathGuess = t.scans.paths.guess(k.path)
		k.sweepGuess = t.scans.sweeps.guess(k.sweep)
	}
	for _, k := range cases {
		if s := k.guess; s != nil {
			touched += uint64(s.key.port) + s.weight + s.value.extra
		}
		if s := k.pathGuess; s != nil {
			touched += uint64(s.key.protocol) + s.weight
		}
		if s := k.sweepGuess; s != nil {
			touched += uint64(s.key.port) + s.weight
		}
	}
	for _, k := range cases {
		t.enter(k)
	}
	return touched
}

// enter looks for trouble in a case.
func (t *trouble) enter(k *troubleCase) {
	c := &k.Connection
	if k.outcome {
		t.note(k, k.main)
	}
	if c.Outcome.Failed() {
		t.scans.add(k)
	}
	if c.Close == flow.Reset {
		v := t.note(k, serverKey(c, k.server, resetBy, c.ClosedBy))
		if c.ToClient.Payload == 0 {
			v.extra++
		}
	}
	if c.HasICMP && c.Outcome != flow.Unreachable && isTooBig(c) {
		t.note(k, icmpKey(c, tooBig))
	}
	t.addFlags(k)
}

func (t *trouble) addFlags(k *troubleCase) {
	c := &k.Connection
	if c.Flags&flow.RSTInjected != 0 {
		t.note(k, serverKey(c, k.server, injectedReset, flow.Neither))
	}
	if c.Flags&flow.ZeroWindow != 0 {
		if n := c.ToClient.ZeroWindows; n > 0 {
			t.note(k, serverKey(c, k.server, zeroWindow, flow.ServerSide)).extra += n
		}
		if n := c.ToServer.ZeroWindows; n > 0 {
			t.note(k, serverKey(c, k.server, zeroWindow, flow.ClientSide)).extra += n
		}
	}
	if !c.Outcome.Failed() && loses(&c.ToClient) {
		t.note(k, serverKey(c, k.server, lossy, flow.ServerSide)).extra += c.ToClient.Retransmissions
	}
	if !c.Outcome.Failed() && loses(&c.ToServer) {
		t.note(k, serverKey(c, k.server, lossy, flow.ClientSide)).extra += c.ToServer.Retransmissions
	}
	if c.Flags&flow.ReusedOpen != 0 {
		t.note(k, serverKey(c, k.server, reusedOpen, flow.Neither))
	}
	worked := c.Outcome == flow.Complete || c.Outcome == flow.Implied
	if c.Flags&flow.SYNRetransmitted != 0 && worked {
		t.note(k, serverKey(c, k.server, retriedSYN, flow.Neither))
	}
	if c.Flags&flow.OneWay != 0 && c.Protocol == protoTCP && !c.Outcome.Failed() && c.Outcome != flow.ReplyOnly {
		t.note(k, groupKey{trait: trait{kind: oneWay, protocol: c.Protocol}})
	}
}

// loses reports whether so many of a side's segments had to be sent again that a user
// notices: TCP's throughput falls with the root of the loss (RFC 5348 §3.1), to a
// seventh from 0.04 % to 2 %. A few are how TCP finds its pace.
func loses(d *flow.Direction) bool {
	const few, share = 5, 50 // at least 5, at least 1 of 50
	return d.Retransmissions >= few && d.Retransmissions*share >= d.Packets
}

// kindOf is the trouble that c's outcome is.
func kindOf(c *flow.Connection, server end, failed bool) (groupKey, bool) {
	switch c.Outcome {
	case flow.Refused:
		return serverKey(c, server, refused, flow.Neither), true
	case flow.Unanswered:
		return serverKey(c, server, unanswered, flow.Neither), failed
	case flow.HalfOpen:
		return serverKey(c, server, halfOpen, flow.Neither), true
	case flow.Aborted:
		return serverKey(c, server, aborted, c.ClosedBy), true
	case flow.Mismatched:
		return serverKey(c, server, mismatched, flow.Neither), true
	case flow.ReplyOnly:
		return groupKey{trait: trait{kind: replyOnly, protocol: c.Protocol}}, c.Protocol == protoTCP || c.Protocol == protoSCTP
	case flow.Unreachable:
		if isPortUnreachable(c) {
			k := serverKey(c, server, portUnreachable, flow.Neither)
			k.icmp = icmpCode(c)
			return k, true
		}
		return icmpKey(c, unreachable), true
	}
	return groupKey{}, false
}

func serverKey(c *flow.Connection, server end, k kind, side flow.Side) groupKey {
	return groupKey{ip: server.ip, port: c.Server.Port(), trait: trait{c.Protocol, k, side, server.version}}
}

func icmpKey(c *flow.Connection, k kind) groupKey {
	from := endOf(c.ICMPFrom)
	return groupKey{ip: from.ip, icmp: icmpCode(c), trait: trait{kind: k, version: from.version}}
}

// icmpCode is type and code in one number.
func icmpCode(c *flow.Connection) uint16 { return uint16(c.ICMPType)<<8 | uint16(c.ICMPCode) }

// note enters a case into a group and gives it, for what only some kinds count.
func (t *trouble) note(x *troubleCase, k groupKey) *group {
	c := &x.Connection
	hash, guess := x.hash, x.guess
	if k != x.main {
		hash, guess = k.hash(), nil
	}
	s := t.groups.at(k, hash, guess)
	v := &s.value
	if s.weight == 1 {
		v.span = noSpan
		if k.kind == unreachable || k.kind == tooBig || k.kind == replyOnly {
			v.targets = new(targets)
		}
	}
	if v.firstID == 0 || c.ID < v.firstID {
		v.firstID, v.service = c.ID, x.service
		if v.targets != nil {
			v.targets.first, v.targets.protocol = c.Server, c.Protocol
		}
	}
	v.span.merge(spanOf(c, k.kind))
	v.clients.add(x.client, exactOfOne)
	v.frames.add(frameOf(c, k.kind, k.side))
	v.burst.add(c.First)
	if o := x.owners[ownerEnd(k.side)]; o.Known() {
		t.owners.add(k, o)
	}
	if v.targets != nil {
		v.targets.servers.add(x.server, exactOfOne)
	}
	if k.kind == unanswered {
		v.addSilence(c)
	}
	switch {
	case c.SYNCount <= 1:
		v.singles++
	case k.kind == unanswered || k.kind == retriedSYN:
		v.addRetries(c)
	}
	return v
}

func (g *group) addRetries(c *flow.Connection) {
	if g.retry == nil {
		g.retry = &retries{setup: flow.NoDuration}
	}
	r := g.retry
	if c.SYNCount > r.syns || c.SYNCount == r.syns && c.ID < r.id {
		r.syns, r.id = c.SYNCount, c.ID
		r.waits = append(r.waits[:0], c.SYNWaits...)
	}
	r.setup = max(r.setup, c.Setup)
}

// frameOf is the frame that shows the trouble best, or 0.
func frameOf(c *flow.Connection, k kind, side flow.Side) uint64 {
	switch k {
	case retriedSYN, oneWay, reusedOpen:
		return cmp.Or(c.SYNFrame, c.FirstFrame)
	case zeroWindow:
		if side == flow.ClientSide {
			return cmp.Or(c.ToServer.ZeroWindowFrame, verdictOf(c))
		}
		return cmp.Or(c.ToClient.ZeroWindowFrame, verdictOf(c))
	case lossy:
		if side == flow.ClientSide {
			return cmp.Or(c.ToServer.RetransmissionFrame, verdictOf(c))
		}
		return cmp.Or(c.ToClient.RetransmissionFrame, verdictOf(c))
	}
	return verdictOf(c)
}

// verdictOf is the frame that shows the outcome best; where none decided it, as of
// a datagram that nobody answered, the first one.
func verdictOf(c *flow.Connection) uint64 {
	return cmp.Or(c.VerdictFrame, c.SYNACKFrame, c.SYNFrame, c.ACKFrame, c.FirstFrame)
}

// evidenceFrame is the frame to look at first: where a connection that worked
// begins, or what shows that it did not.
func (r *Row) evidenceFrame() uint64 {
	if r.Outcome.Failed() {
		return verdictOf(&r.Connection)
	}
	return cmp.Or(r.FirstFrame, r.SYNFrame, verdictOf(&r.Connection))
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

// A span is the time from the beginning of a group's first connection to what is
// last known of it.
type span struct{ since, until capture.Timestamp }

var noSpan = span{capture.Unknown, capture.Unknown}

// spanOf is the time of a connection's trouble: up to the end of the connection
// where that, or something on the way there, is the verdict, else only its beginning.
func spanOf(c *flow.Connection, k kind) span {
	switch k {
	case refused, aborted, mismatched, portUnreachable, unreachable, resetBy, injectedReset, zeroWindow, lossy, tooBig:
		if c.Last.Known() {
			return span{c.First, c.Last}
		}
	}
	return span{c.First, c.First}
}

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
	lowest uint64     // 0: there is none
	others *[4]uint64 // 0 after the last one
}

func (e *evidence) add(frame uint64) {
	switch {
	case frame == 0 || frame == e.lowest:
		return
	case e.lowest == 0:
		e.lowest = frame
		return
	case frame < e.lowest:
		e.lowest, frame = frame, e.lowest
	}
	if e.others == nil {
		e.others = &[4]uint64{frame}
		return
	}
	for i, f := range e.others {
		if f == frame {
			return
		}
		if f == 0 || frame < f {
			copy(e.others[i+1:], e.others[i:])
			e.others[i] = frame
			return
		}
	}
}

func (e *evidence) merge(o *evidence) {
	for _, f := range o.list() {
		e.add(f)
	}
}

func (e *evidence) list() []uint64 {
	if e.lowest == 0 {
		return nil
	}
	frames := append(make([]uint64, 0, 5), e.lowest)
	if e.others != nil {
		for _, f := range e.others {
			if f != 0 {
				frames = append(frames, f)
			}
		}
	}
	return frames
}

// A burst finds the busiest second of a group whose connections come in the order
// of time.
type burst struct {
	second int64
	n      uint32 // in that second
	peak   uint32
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
