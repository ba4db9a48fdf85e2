package report

import (
	"math"
	"net/netip"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// answerTime is how long a server must have had to answer before its silence is
// called trouble: the first retransmission of a SYN comes after as long (RFC 6298 §2).
const answerTime = time.Second

// addSilence tells of an attempt that nobody answered. Of TCP, extra counts those that
// the client itself broke off; of other protocols, the packets sent. waited is the
// longest time that the server had as far as the connections tell; those that wait
// until the end of the capture have had it since the group's first one.
func (f *finding) addSilence(c *flow.Connection) {
	again := sentBefore(c)
	if c.Protocol != protoTCP && c.Protocol != protoSCTP {
		f.extra = max(1, c.ToServer.Packets)
		again = c.ToServer.Packets > 1
	}
	switch {
	case again || !c.First.Known():
		f.waited = math.MaxInt64
	case brokenOff(c):
		f.extra++
		f.waited, _ = c.Last.Sub(c.First)
	}
}

// isCut reports whether a record lacks what came before it, or may lack what came right behind
// it, because memory was short.
func isCut(c *flow.Connection) bool {
	return c.PartOf != 0 || c.Close == flow.Evicted && c.Silence < answerTime
}

// sentBefore reports whether an attempt's SYN was sent before: that may be in the record
// that this one goes on from.
func sentBefore(c *flow.Connection) bool { return c.SYNCount > 1 || c.PartOf != 0 }

// brokenOff reports whether the client did not wait for the answer to its SYN.
func brokenOff(c *flow.Connection) bool {
	ended := c.Close == flow.Never || c.Close == flow.Evicted
	return c.Protocol == protoTCP && (ended && c.ClosedBy == flow.ClientSide || c.ToServer.RSTs > 0)
}

// isUndecided reports whether memory was short for an attempt before it had the time to be
// answered, or for the handshake to be finished: what became of it is not known. The answer,
// if one came, is in a record of its own.
func isUndecided(c *flow.Connection) bool {
	if c.Close != flow.Evicted || c.Silence >= answerTime || brokenOff(c) {
		return false
	}
	switch c.Outcome {
	case flow.HalfOpen: // since the server's packet
		return true
	case flow.Unanswered: // since the first packet
		asked, _ := c.Last.Sub(c.First)
		return asked < answerTime-c.Silence
	}
	return false
}

// A background is what is known beside the groups of trouble.
type background struct {
	doors  *doors
	owners ownership[groupKey]
	kernel *kernel           // nil for files
	end    capture.Timestamp // of the capture
	up     *addrSet          // servers that answered anything; nil until asked for
}

// isUp reports whether a server is known to have answered anything.
func (b *background) isUp(server netip.Addr) bool {
	if b.up == nil {
		b.up = new(addrSet)
		for s := range b.doors.heavy.all() {
			if s.value.answered {
				b.up.add(s.key.ip.end(s.key.version), maxHeavy)
			}
		}
	}
	return b.up.has(endOf(server)) || b.doors.portless.hosts[server]
}

// shortest is how long an endpoint that is silent had to answer, when that is too short for
// its silence to mean anything: because the clients gave up, or else because the capture
// ends. short is false when it had the time, or may have had.
func (b *background) shortest(s *slot[groupKey, group]) (d time.Duration, gaveUp, short bool) {
	g := &s.value
	if s.key.kind != unanswered || s.missed > 0 || g.waited >= answerTime {
		return 0, false, false
	}
	if s.key.protocol == protoTCP && g.extra == s.weight {
		return g.waited, true, true
	}
	d, known := b.end.Sub(g.since)
	return max(0, d), false, known && d < answerTime
}

// silence tells why an endpoint's silence may mean nothing: nobody gave it the time
// to answer. It is "" when it had the time, or may have had.
func (b *background) silence(s *slot[groupKey, group]) string {
	d, gaveUp, short := b.shortest(s)
	switch {
	case !short:
		return ""
	case gaveUp && s.weight == 1:
		return "the client gave up after " + wait(d)
	case gaveUp:
		return "the clients gave up within " + wait(d)
	}
	what := "request"
	if s.key.protocol == protoTCP || s.key.protocol == protoSCTP {
		what = "SYN"
	}
	if s.weight > 1 {
		what = "first " + what
	}
	return "the capture ends " + wait(d) + " after the " + what
}

// cause is what a server's silence means when it had the time to answer, "" when
// that is not known.
func (b *background) cause(k groupKey) string {
	server := k.addr()
	if cause := b.kernel.silenceCause(k); cause != "" {
		return cause
	}
	switch {
	case b.isUp(server):
		return "filtered, or the port drops it"
	case b.doors.heavy.floor > 0 || b.doors.portless.overflow: // it may have answered elsewhere
		return ""
	}
	return "host down or filtered"
}
