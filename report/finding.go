package report

import (
	"slices"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A finding is one kind of trouble with one connection: what its group is told.
type finding struct {
	key    groupKey
	visit  int32  // index of the connection's
	single bool   // an attempt with one SYN or packet
	id     uint64 // of the connection
	span          // it begins with the connection
	frame  uint64 // that shows it best, or 0
	extra  uint64 // see group
	waited time.Duration
	aside  *aside // nil: nothing
}

// An attempted is a failed attempt, which may be one of a scan.
type attempted struct {
	attempt
	visit int32
	aside *aside
}

// find looks for trouble in c, whose visit is v, the last one.
func (b *batch) find(c *flow.Connection, v *visit, fate fate, owners *[2]capture.Owner) {
	const others = flow.RSTInjected | flow.ZeroWindow | flow.ReusedOpen | flow.SYNRetransmitted | flow.OneWay
	if !c.Outcome.Failed() && c.Outcome != flow.ReplyOnly && c.Close != flow.Reset && !c.HasICMP && c.Flags&others == 0 &&
		!loses(&c.ToServer) && !loses(&c.ToClient) {
		return
	}
	beside := b.aside(c, owners)
	if k, ok := v.outcome(c, fate); ok {
		b.note(c, k, beside)
	}
	if c.Outcome.Failed() && c.HasPorts && !isGroup(c.Server.Addr()) && !isUndecided(c) {
		b.attempt(c, beside)
	}
	switch {
	case c.Close != flow.Reset:
	case c.Role == flow.RoleFirst:
		b.note(c, groupKey{trait: trait{kind: resetUnsure, protocol: c.Protocol}}, beside)
	default:
		f := b.note(c, v.trouble(resetBy, c.ClosedBy), beside)
		if c.ToClient.Payload == 0 && c.PartOf == 0 {
			f.extra++
		}
	}
	if c.HasICMP && c.Outcome != flow.Unreachable && isTooBig(c) {
		b.note(c, icmpKey(c, tooBig), beside)
	}
	b.findFlags(c, v, beside)
}

func (b *batch) findFlags(c *flow.Connection, v *visit, beside *aside) {
	if c.Flags&flow.RSTInjected != 0 {
		b.note(c, v.trouble(injectedReset, flow.Neither), beside)
	}
	if c.Flags&flow.ZeroWindow != 0 {
		if n := c.ToClient.ZeroWindows; n > 0 {
			b.note(c, v.trouble(zeroWindow, flow.ServerSide), beside).extra += n
		}
		if n := c.ToServer.ZeroWindows; n > 0 {
			b.note(c, v.trouble(zeroWindow, flow.ClientSide), beside).extra += n
		}
	}
	if !c.Outcome.Failed() && loses(&c.ToClient) {
		b.note(c, v.trouble(lossy, flow.ServerSide), beside).extra += c.ToClient.Retransmissions
	}
	if !c.Outcome.Failed() && loses(&c.ToServer) {
		b.note(c, v.trouble(lossy, flow.ClientSide), beside).extra += c.ToServer.Retransmissions
	}
	if c.Flags&flow.ReusedOpen != 0 {
		b.note(c, v.trouble(reusedOpen, flow.Neither), beside)
	}
	if c.Flags&flow.SYNRetransmitted != 0 && (c.Outcome == flow.Complete || c.Outcome == flow.Implied) {
		b.note(c, v.trouble(retriedSYN, flow.Neither), beside)
	}
	if c.Flags&flow.OneWay != 0 && c.Protocol == protoTCP && !isCut(c) && !c.Outcome.Failed() && c.Outcome != flow.ReplyOnly {
		b.note(c, groupKey{trait: trait{kind: oneWay, protocol: c.Protocol}}, beside)
	}
}

// loses reports whether so many of a side's segments had to be sent again that a user
// notices: TCP's throughput falls with the root of the loss (RFC 5348 §3.1), to a
// seventh from 0.04 % to 2 %. A few are how TCP finds its pace.
func loses(d *flow.Direction) bool {
	const few, share = 5, 50 // at least 5, at least 1 of 50
	return d.Retransmissions >= few && d.Retransmissions*share >= d.Packets
}

// last is the index of the last visit.
func (b *batch) last() int32 { return int32(len(b.visits) - 1) }

// attempt adds the last visit, whose connection c is a failed attempt.
func (b *batch) attempt(c *flow.Connection, beside *aside) {
	if len(b.attempts) == cap(b.attempts) {
		b.attempts = slices.Grow(b.attempts, stretch)
	}
	b.attempts = b.attempts[:len(b.attempts)+1]
	a := &b.attempts[len(b.attempts)-1] // set in place, as is a finding
	a.attempt.set(c)
	a.visit, a.aside = b.last(), beside
}

// note adds a finding of the last visit, whose connection is c.
func (b *batch) note(c *flow.Connection, k groupKey, beside *aside) *finding {
	if len(b.findings) == cap(b.findings) {
		b.findings = slices.Grow(b.findings, stretch)
	}
	b.findings = b.findings[:len(b.findings)+1]
	f := &b.findings[len(b.findings)-1] // it is long, so it is set in place
	f.key, f.visit, f.id, f.single, f.aside = k, b.last(), c.ID, !sentBefore(c), beside
	f.span, f.frame = spanOf(c, k.kind), frameOf(c, k.kind, k.side)
	f.extra, f.waited = 0, 0
	if k.kind == unanswered {
		f.addSilence(c)
	}
	return f
}

// outcome is the trouble that the outcome of c, whose visit is v, is. What is cut is
// no trouble for having one side only.
func (v *visit) outcome(c *flow.Connection, fate fate) (groupKey, bool) {
	if fate == undecided {
		return v.trouble(tooEarly, flow.Neither), c.Protocol == protoTCP
	}
	switch c.Outcome {
	case flow.Refused:
		return v.trouble(refused, flow.Neither), true
	case flow.Unanswered:
		return v.trouble(unanswered, flow.Neither), fate == failed
	case flow.HalfOpen:
		return v.trouble(halfOpen, flow.Neither), true
	case flow.Aborted:
		return v.trouble(aborted, c.ClosedBy), true
	case flow.Mismatched:
		return v.trouble(mismatched, flow.Neither), true
	case flow.ReplyOnly:
		return groupKey{trait: trait{kind: replyOnly, protocol: c.Protocol}}, !isCut(c) && (c.Protocol == protoTCP || c.Protocol == protoSCTP)
	case flow.Unreachable:
		if isPortUnreachable(c) {
			k := v.trouble(portUnreachable, flow.Neither)
			k.icmp = icmpCode(c)
			return k, true
		}
		return icmpKey(c, unreachable), true
	}
	return groupKey{}, false
}

// trouble is the group of a kind of trouble at the server.
func (v *visit) trouble(k kind, side flow.Side) groupKey {
	return groupKey{ip: v.server, port: v.port, trait: trait{v.protocol, k, side, v.serverVersion}}
}

// icmpKey is the group of a kind of trouble that a router, or the server, tells of.
func icmpKey(c *flow.Connection, k kind) groupKey {
	from, version := ipOf(c.ICMPFrom)
	return groupKey{ip: from, icmp: icmpCode(c), trait: trait{kind: k, version: version}}
}
