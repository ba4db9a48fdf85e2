package report

import (
	"net/netip"

	"sockscope/decode/flow"
)

// counts are what a Tally counts of one connection.
type counts struct {
	packets, bytes, payload, retransmissions uint64

	outcome flow.Outcome
	fate    fate
}

// set makes them those of c. They are set in place: a copy of what was just written in small
// pieces would wait for them.
func (n *counts) set(c *flow.Connection, fate fate) {
	n.packets, n.bytes = c.ToServer.Packets+c.ToClient.Packets, c.ToServer.Bytes+c.ToClient.Bytes
	n.payload, n.retransmissions = c.ToServer.Payload+c.ToClient.Payload, c.ToServer.Retransmissions+c.ToClient.Retransmissions
	n.outcome, n.fate = c.Outcome, fate
}

// add counts a connection.
func (t *Tally) add(c *counts) {
	t.Connections++
	if c.outcome < flow.NumOutcomes {
		t.Outcomes[c.outcome]++
	}
	switch {
	case c.fate == failed:
		t.Failed++
	case c.fate == undecided && c.outcome == flow.HalfOpen:
		t.UndecidedHalfOpen++
	case c.fate == undecided:
		t.UndecidedUnanswered++
	}
	t.Packets += c.packets
	t.Bytes += c.bytes
	t.Payload += c.payload
	t.Retransmissions += c.retransmissions
}

// undecided is how many of the attempts with an outcome were evicted too early to tell.
func (t *Tally) undecided(o flow.Outcome) uint64 {
	switch o {
	case flow.Unanswered:
		return t.UndecidedUnanswered
	case flow.HalfOpen:
		return t.UndecidedHalfOpen
	}
	return 0
}

// merge adds another group's counts.
func (t *Tally) merge(u *Tally) {
	t.Connections += u.Connections
	for i, n := range u.Outcomes {
		t.Outcomes[i] += n
	}
	t.Failed += u.Failed
	t.UndecidedUnanswered += u.UndecidedUnanswered
	t.UndecidedHalfOpen += u.UndecidedHalfOpen
	t.Packets += u.Packets
	t.Bytes += u.Bytes
	t.Payload += u.Payload
	t.Retransmissions += u.Retransmissions
}

// Failed reports whether the attempt came to nothing. It differs from the
// outcome's own word in two cases: datagrams without an answer have failed only if
// they asked for one. A syslog message or an announcement to a group did not. And nobody
// knows what became of an attempt that memory was short for before it could be answered.
func (r *Row) Failed() bool { return fateOf(&r.Connection) == failed }

// A fate is what became of a connection.
type fate uint8

const (
	fine      fate = iota // or all that can be told of it is that nothing failed
	failed                // see Row.Failed
	undecided             // see isUndecided
)

func fateOf(c *flow.Connection) fate {
	switch {
	case !c.Outcome.Failed() || !misses(c):
		return fine
	case isUndecided(c):
		return undecided
	}
	return failed
}

// misses reports whether a connection that the outcome calls failed missed something.
func misses(c *flow.Connection) bool {
	if c.Outcome != flow.Unanswered || c.Protocol == protoTCP || c.Protocol == protoSCTP {
		return true
	}
	if c.PartOf != 0 { // the answer may be in the record before, unless they asked on
		if d, _ := c.Last.Sub(c.First); d < answerTime {
			return false
		}
	}
	return !isGroup(c.Server.Addr()) && !answersElsewhere(c) && (asked(c) || speaksForReply(c))
}

// answersElsewhere reports whether the answer comes from another port by design: a
// TFTP server's does (RFC 1350 §4), and is a conversation of its own here.
func answersElsewhere(c *flow.Connection) bool {
	return c.Protocol == protoUDP && c.Server.Port() == 69
}

// asked reports whether the payload proves that the client wants an answer: an ICMP
// message does by its type.
func asked(c *flow.Connection) bool {
	return c.Evidence.FromClient || c.Role == flow.RolePayload && (c.Protocol == protoICMP || c.Protocol == protoICMPv6)
}

// speaksForReply reports whether clients of the service always expect an answer.
func speaksForReply(c *flow.Connection) bool {
	name, _ := serviceOf(c.Evidence.Service, c.Protocol, c.HasPorts, c.Server.Port())
	return asksForReply[name]
}

// asksForReply has the services over UDP whose clients always expect an answer.
var asksForReply = map[string]bool{
	"domain": true, "domain-s": true, "ntp": true, "snmp": true, "radius": true, "radius-acct": true,
	"kerberos": true, "kerberos-sec": true, "isakmp": true, "ipsec-nat-t": true, "stun": true,
	"stuns": true, "http": true, "https": true, "sunrpc": true, "nfs": true, "ldap": true, "sip": true,
	"sips": true, "coap": true, "coaps": true, "memcache": true, "quic": true, "openvpn": true, "time": true,
	"echo": true,
}

// isGroup reports whether an address names many hosts, so that silence of each is
// no failure. The last octet 255 counts as a broadcast: netmasks are not on the wire.
func isGroup(a netip.Addr) bool {
	if a.IsMulticast() {
		return true
	}
	return a.Is4() && a.As4()[3] == 255
}
