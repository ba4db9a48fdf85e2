package report

import (
	"cmp"
	"net/netip"
	"time"
	"unsafe"

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
	resetUnsure // by one end, but which one is the server is a guess
	injectedReset
	zeroWindow
	lossy
	reusedOpen
	retriedSYN
	tooBig
	replyOnly
	oneWay
	tooEarly // none by itself: undecided attempts, which floods are told with
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
	waited  time.Duration // of unanswered, the longest: see addSilence
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
	watch  watch

	touched uint64 // what was read only to have it in the cache; it means nothing
}

// enterFindings enters the findings of b into their groups.
func (t *trouble) enterFindings(b *batch) {
	var touched uint64
	var hashes [stretch]uint64
	var guesses [stretch]guess
	var again [stretch]bool // it belongs to the group of the one before
	for all := b.findings; len(all) > 0; {
		findings := all[:min(stretch, len(all))]
		all = all[len(findings):]
		t.groups.settle()
		for i := range findings {
			if again[i] = i > 0 && findings[i].key == findings[i-1].key; !again[i] {
				hashes[i] = findings[i].key.hash()
				touched += t.groups.touch(hashes[i])
			}
		}
		for i := range findings {
			if again[i] {
				hashes[i], guesses[i] = hashes[i-1], guesses[i-1]
				continue
			}
			guesses[i] = t.groups.guess(hashes[i])
			if s := t.groups.guessed(guesses[i]); s != nil { // it has three cache lines
				touched += uint64(s.key.port) + s.weight + s.value.extra
			}
		}
		var s *slot[groupKey, group]
		for i := range findings {
			f := &findings[i]
			if again[i] && t.groups.settled {
				t.groups.again(s)
			} else {
				s = t.groups.at(&f.key, hashes[i], guesses[i])
			}
			t.note(f, &b.visits[f.visit], s)
			if t.watch.due(1) {
				t.groups.relieve(&t.watch, (*group).bytes)
			}
		}
	}
	t.touched += touched
}

// note enters a finding, whose visit is x, into its group's slot.
func (t *trouble) note(f *finding, x *visit, s *slot[groupKey, group]) {
	v, k := &s.value, f.key.kind
	if s.weight == 1 {
		v.span = noSpan
		if k == unreachable || k == tooBig || k == replyOnly {
			v.targets = new(targets)
		}
	}
	if v.firstID == 0 || f.id < v.firstID {
		v.firstID, v.service = f.id, x.group
		if v.targets != nil {
			v.targets.first = netip.AddrPortFrom(x.server.addr(x.serverVersion), x.port)
			v.targets.protocol = x.protocol
		}
	}
	v.span.merge(f.span)
	v.clients.add(x.client.end(x.clientVersion), exactOfOne)
	v.frames.add(f.frame)
	v.burst.add(f.since)
	if v.targets != nil {
		v.targets.servers.add(x.server.end(x.serverVersion), exactOfOne)
	}
	v.extra += f.extra
	v.waited = max(v.waited, f.waited)
	if f.single {
		v.singles++
	}
	if f.aside != nil {
		t.noteAside(f, v)
	}
}

// noteAside enters what few findings have into their group.
func (t *trouble) noteAside(f *finding, v *group) {
	if o := f.aside.owners[ownerEnd(f.key.side)]; o.Known() {
		t.owners.add(f.key, o)
	}
	if f.aside.syns > 1 && (f.key.kind == unanswered || f.key.kind == retriedSYN) {
		v.addRetries(f)
	}
}

// bytes is what g takes beside itself.
func (g *group) bytes() int64 {
	n := g.clients.bytes() + g.frames.bytes()
	if g.retry != nil {
		n += int64(unsafe.Sizeof(*g.retry)) + 8*int64(cap(g.retry.waits))
	}
	if g.targets != nil {
		n += int64(unsafe.Sizeof(*g.targets)) + g.targets.servers.bytes()
	}
	return n
}

// icmpCode is type and code in one number.
func icmpCode(c *flow.Connection) uint16 { return uint16(c.ICMPType)<<8 | uint16(c.ICMPCode) }

// addRetries enters an attempt with more than one SYN.
func (g *group) addRetries(f *finding) {
	if g.retry == nil {
		g.retry = &retries{setup: flow.NoDuration}
	}
	r, a := g.retry, f.aside
	if a.syns > r.syns || a.syns == r.syns && f.id < r.id {
		r.syns, r.id = a.syns, f.id
		r.waits = append(r.waits[:0], a.waits...)
	}
	r.setup = max(r.setup, a.setup)
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
	case refused, aborted, mismatched, portUnreachable, unreachable, resetBy, resetUnsure, injectedReset, zeroWindow, lossy, tooBig:
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
	case e.others != nil && e.others[3] != 0 && frame > e.others[3]: // nearly always: frames come in order
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

// bytes is what e takes beside itself.
func (e *evidence) bytes() int64 {
	if e.others == nil {
		return 0
	}
	return int64(unsafe.Sizeof(*e.others))
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

// A burst finds the busiest second of a group whose connections come nearly in the order of
// time: when memory is short, attempts that took long come behind some that began later.
type burst struct {
	second  int64  // the latest one
	earlier int64  // the last one of the others
	n, m    uint32 // in these two
	peak    uint32
}

func (b *burst) add(t capture.Timestamp) {
	if !t.Known() {
		return
	}
	switch second := floorDiv(int64(t), int64(time.Second)); {
	case second > b.second || b.peak == 0:
		b.earlier, b.m = b.second, b.n
		b.second, b.n = second, 1
	case second == b.second:
		b.n++
	case second == b.earlier:
		b.m++
	default:
		b.earlier, b.m = second, 1
	}
	b.peak = max(b.peak, b.n, b.m)
}
