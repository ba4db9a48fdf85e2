package report

import (
	"cmp"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"sockscope/decode/flow"
)

// compareTrouble orders the worst first.
func compareTrouble(a, b Trouble) int {
	if n := cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Count, a.Count)); n != 0 {
		return n
	}
	return cmp.Or(
		strings.Compare(a.Subject, b.Subject),
		strings.Compare(a.Kind, b.Kind),
		strings.Compare(a.Text, b.Text),
	)
}

// lines tell the trouble found, in no particular order. Floods and scans stand for
// the many attempts they are made of.
func (t *trouble) lines(b *background) []Trouble {
	found := t.scans.find()
	flooded := t.floods(b.doors)
	lines := found.lines()
	for target, f := range flooded {
		lines = append(lines, f.line(target))
	}
	var groups []*slot[groupKey, group]
	for s := range t.groups.all() {
		if s.key.kind == tooEarly || flooded[s.key.door()] != nil && isFloodKind(s.key) {
			continue
		}
		if !found.explain(s) {
			groups = append(groups, s)
		}
	}
	folded, groups := b.scattered(groups)
	for key, s := range folded {
		lines = append(lines, s.line(key, b))
	}
	for _, s := range groups {
		lines = append(lines, b.describe(s))
	}
	return lines
}

// describe tells one group.
func (b *background) describe(s *slot[groupKey, group]) Trouble {
	k, g, d := s.key, &s.value, b.doors
	t := Trouble{
		Count:   s.weight,
		AtLeast: s.missed > 0,
		Since:   g.since,
		Until:   g.until,
		Frames:  g.frames.list(),
		Subject: endpointName(k.protocol, k.addr(), k.port, d.label(k.door(), g.service.label)),

		Processes: b.owners.of[k].sorted(),
	}
	all, exact := d.connections(k.door())
	n := share{n: s.weight, all: all, exact: exact, atLeast: t.AtLeast}
	switch k.kind {
	case unanswered:
		t.tellSilence(k, g, n, b.silence(s), b.cause(k))
	case refused, halfOpen, aborted, mismatched, portUnreachable:
		t.tellAttempts(k, g, n, b.kernel.refusedCause(k))
	case unreachable, tooBig, replyOnly, oneWay, resetUnsure:
		t.tellCapture(k, g, n)
	default:
		t.tellConnections(k, g, n)
	}
	return t
}

// tellAttempts tells why connections to an endpoint were not made; refusal is what it
// means when it refuses them.
func (t *Trouble) tellAttempts(k groupKey, g *group, n share, refusal string) {
	switch k.kind {
	case refused:
		t.Kind, t.Severity = "refused", worseIf(n.whole())
		t.Text = "refused " + n.of("connection") + t.from(g) + ": " + refusal
	case halfOpen:
		t.Kind, t.Severity = "half-open", Warning
		t.Text = "answered " + n.of("SYN") + t.from(g) + ", but the client's ACK never came"
	case aborted:
		t.Kind, t.Severity = "aborted", Warning
		t.Text = t.culprit(g, k.side) + " reset " + n.of("connection") + " in the middle of the handshake"
		if k.side == flow.ClientSide {
			t.Severity = Note
		}
	case mismatched:
		t.Kind, t.Severity = "mismatched", Warning
		t.Text = "acknowledged something else than the client's SYN in " + n.of("connection") + t.from(g) +
			": leftovers of an old connection, or another device answers"
	case portUnreachable:
		t.Kind, t.Severity = "unreachable", worseIf(n.whole())
		t.Text = "answered " + n.of("attempt") + t.from(g) + " with " +
			icmpWords(k.version == ip6, uint8(k.icmp>>8), uint8(k.icmp)) + ": " + refusal
	}
}

// tellSilence tells that an endpoint did not answer: short is why that may mean
// nothing, cause what it means otherwise.
func (t *Trouble) tellSilence(k groupKey, g *group, n share, short, cause string) {
	t.Kind, t.Severity = "unanswered", worseIf(n.whole())
	if k.protocol == protoTCP || k.protocol == protoSCTP {
		t.Text = "left " + n.of("connection") + t.from(g) + " unanswered" + g.retries(n)
	} else {
		cause = ""
		switch {
		case g.extra <= n.n:
			t.Text = "left " + n.of("request") + t.from(g) + " unanswered"
		case n.n == 1:
			t.Text = strings.TrimPrefix(g.from(), " from ") + inBrackets(t.Processes) + " asked " + plural(g.extra, "time") + " without an answer"
			if n.exact && n.all > 1 {
				t.Text += " in " + n.of("conversation")
			}
		default:
			t.Text = "left " + n.of("conversation") + t.from(g) + " unanswered (" + plural(g.extra, "packet") + ")"
		}
	}
	if short != "" {
		t.Severity, cause = Note, short
	}
	if cause != "" {
		t.Text += ": " + cause
	}
}

// tellConnections tells what happened to connections that an endpoint did have.
func (t *Trouble) tellConnections(k groupKey, g *group, n share) {
	switch k.kind {
	case resetBy:
		t.Kind, t.Severity = "reset", Warning
		t.Text = t.culprit(g, k.side) + " reset " + n.of("connection") + " after the handshake"
		if k.side == flow.ClientSide {
			t.Severity = Note
		} else if g.extra > 0 {
			t.Text += ", " + humanCount(g.extra) + " before it sent any data"
		}
	case injectedReset:
		t.Kind, t.Severity = "injected-reset", Warning
		t.Text = "an RST does not fit its sender's other packets (hop limit or timing) in " + n.of("connection") +
			t.from(g) + ": perhaps injected on the way"
	case zeroWindow:
		t.Kind, t.Severity = "zero-window", Warning
		t.Text = t.culprit(g, k.side) + " announced a full receive buffer (zero window) " + plural(g.extra, "time") +
			" in " + n.of("connection") + ": its application reads too slowly"
	case lossy:
		t.Kind, t.Severity = "loss", Warning
		t.Text = t.culprit(g, k.side) + " sent " + plural(g.extra, "segment") + " again in " + n.of("connection") +
			": packets get lost on the way, or the capture holds them twice"
	case reusedOpen:
		t.Kind, t.Severity = "reused-open", Note
		t.Text = n.of("connection") + t.from(g) + " began anew while the earlier one on the same ports was still open"
	case retriedSYN:
		t.Kind, t.Severity = "syn-retransmitted", Warning
		t.Text = "needed more than one SYN for " + n.of("connection") + t.from(g) + g.retries(n)
		if g.retry != nil && g.retry.setup >= 0 {
			t.Text += ", setup took " + n.upTo() + wait(g.retry.setup)
		}
	}
}

// tellCapture tells what is not about one server: what routers say, and what the
// capture lacks.
func (t *Trouble) tellCapture(k groupKey, g *group, n share) {
	switch k.kind {
	case unreachable:
		t.Kind, t.Severity = "unreachable", Problem
		t.Subject = k.addr().String()
		t.Text = "says " + icmpWords(k.version == ip6, uint8(k.icmp>>8), uint8(k.icmp)) + " about " +
			n.alone("connection") + t.from(g) + g.to()
	case tooBig:
		t.Kind, t.Severity = "packet-too-big", Warning
		t.Subject = k.addr().String()
		t.Text = "says " + icmpWords(k.version == ip6, uint8(k.icmp>>8), uint8(k.icmp)) + " about " +
			n.alone("connection") + t.from(g) + g.to() + ": a sender that does not hear it hangs on large transfers"
	case replyOnly:
		t.Kind, t.Severity = "reply-only", Note
		t.Subject = protocolName(k.protocol)
		t.Text = n.alone("connection") + " of " + g.servers() + " with answers only, never a request: " +
			"one direction is not captured, or others use the clients' addresses (backscatter)"
	case resetUnsure:
		t.Kind, t.Severity = "reset", Note
		t.Subject = protocolName(k.protocol)
		t.Text = n.alone("connection") + " reset by one end: which end is the server is not known, for the capture lacks the beginning"
	case oneWay:
		t.Kind, t.Severity = "one-way", Note
		t.Subject = protocolName(k.protocol)
		t.Text = n.alone("connection") + " seen in one direction only: the capture misses the other one"
	}
}

// worseIf is a Problem when all of an endpoint's connections are concerned.
func worseIf(all bool) Severity {
	if all {
		return Problem
	}
	return Warning
}

// A share is a number of connections out of all that an endpoint had.
type share struct {
	n, all  uint64
	exact   bool // all is known
	atLeast bool // n is a lower bound
}

// whole reports whether all connections are concerned, as far as is known.
func (s share) whole() bool { return s.exact && s.all == s.n && !s.atLeast }

// of is "all 5 connections", "5 of 20 connections", "the only connection".
func (s share) of(one string) string {
	switch {
	case s.atLeast || !s.exact || s.all < s.n:
		return s.alone(one)
	case s.all == 1:
		return "the only " + one
	case s.n == s.all && s.n == 2:
		return "both " + one + "s"
	case s.n == s.all:
		return "all " + plural(s.n, one)
	}
	return humanCount(s.n) + " of " + plural(s.all, one)
}

// alone is "5 connections", or "at least 5 connections".
func (s share) alone(one string) string {
	if s.atLeast {
		return "at least " + plural(s.n, one)
	}
	return plural(s.n, one)
}

// endpointName is "tcp 192.0.2.1:443 (~https)".
func endpointName(protocol uint8, addr netip.Addr, port uint16, label string) string {
	name := protocolName(protocol) + " "
	switch {
	case addr.IsValid() && !hasPorts[protocolName(protocol)]:
		return name + addr.String()
	case addr.IsValid():
		name += netip.AddrPortFrom(addr, port).String()
	default:
		name += "port " + strconv.Itoa(int(port))
	}
	if label != "" {
		name += " (" + label + ")"
	}
	return name
}

// from is g's " from 10.0.0.5" or " from 3 clients", and by which processes.
func (t *Trouble) from(g *group) string { return g.from() + byProcesses(t.Processes) }

// byProcesses is " by curl[123], worker[77] +3".
func byProcesses(p Processes) string {
	if !p.known() {
		return ""
	}
	return " by " + p.words()
}

// inBrackets is " (curl[123], worker[77] +3)".
func inBrackets(p Processes) string {
	if !p.known() {
		return ""
	}
	return " (" + p.words() + ")"
}

// from is " from 10.0.0.5" or " from 3 clients".
func (g *group) from() string {
	if g.clients.exact() && g.clients.count() == 1 {
		for a := range g.clients.all {
			return " from " + a.String()
		}
	}
	return " from " + about(&g.clients) + " clients"
}

// to is " to tcp 192.0.2.9:443 (~https)" or " to 12 servers, first …".
func (g *group) to() string {
	if g.targets == nil {
		return ""
	}
	first := endpointName(g.targets.protocol, g.targets.first.Addr(), g.targets.first.Port(), g.service.label)
	if g.targets.servers.count() <= 1 {
		return " to " + first
	}
	return " to " + g.servers() + ", first " + first
}

func (g *group) servers() string {
	if g.targets != nil && g.targets.servers.count() != 1 {
		return about(&g.targets.servers) + " servers"
	}
	return "1 server"
}

// culprit is who did it, as the beginning of a sentence about an endpoint.
func (t *Trouble) culprit(g *group, side flow.Side) string {
	switch {
	case side == flow.ServerSide:
		return "the server" + inBrackets(t.Processes)
	case side != flow.ClientSide:
		return "one side"
	case g.clients.exact() && g.clients.count() == 1:
		return "the client" + strings.TrimPrefix(g.from(), " from") + inBrackets(t.Processes)
	case t.Processes.known():
		return "clients (" + about(&g.clients) + " addresses, " + t.Processes.words() + ")"
	}
	return "clients (" + about(&g.clients) + " addresses)"
}

// upTo is "up to " before the most of several connections.
func (s share) upTo() string {
	if s.n == 1 && !s.atLeast {
		return ""
	}
	return "up to "
}

// retries is " (up to 5 SYNs, waits 1 s, 2 s, 4 s)": the back-off seen.
func (g *group) retries(n share) string {
	if g.retry == nil {
		return ""
	}
	text := " (" + n.upTo() + plural(uint64(g.retry.syns), "SYN")
	if len(g.retry.waits) > 0 {
		waits := make([]string, len(g.retry.waits))
		for i, w := range g.retry.waits {
			waits[i] = wait(w)
		}
		text += ", waits " + strings.Join(waits, ", ")
	}
	return text + ")"
}

// about is the size of a set, "≈" before an estimate.
func about(d *distinct) string { return aboutOf(d, math.MaxUint64) }

// aboutOf is about of a set that has at most so many, which an estimate does not know.
func aboutOf(d *distinct, most uint64) string {
	if d.exact() {
		return humanCount(d.count())
	}
	return "≈" + humanCount(min(d.count(), most))
}
