package report

import (
	"strings"

	"sockscope/decode/flow"
)

// Many server ports with a failure or two each tell less than one line about them
// all: what scans from ever other addresses look like, and background radiation.
const (
	scatterLines = 20 // more lines of a kind than that are folded …
	scatterSlow  = 5  // … or than that, where the connections worked in the end …
	scatterEach  = 3  // … and each is about so few connections
)

// A scatterKey is what folded groups have in common.
type scatterKey struct {
	kind     kind
	protocol uint8
	side     flow.Side
	short    bool // nobody had the time to answer
}

func (b *background) scatterKeyOf(g *slot[groupKey, group]) scatterKey {
	_, _, short := b.shortest(g)
	return scatterKey{g.key.kind, g.key.protocol, g.key.side, short}
}

// scatter is groups that are told together.
type scatter struct {
	span
	ports   uint64
	n       uint64
	atLeast bool
	clients distinct
	owners  processes
	frames  evidence
	first   *slot[groupKey, group] // the one with the lowest frame
}

func (s *scatter) add(g *slot[groupKey, group], b *background) {
	s.span.merge(g.value.span)
	s.ports++
	s.n += g.weight
	s.atLeast = s.atLeast || g.missed > 0
	s.clients.merge(&g.value.clients)
	s.owners.merge(b.owners.of[g.key], maxTroubleOwners)
	s.frames.merge(&g.value.frames)
	if s.first == nil || g.value.firstID < s.first.value.firstID {
		s.first = g
	}
}

// isScattered reports whether a group may be told together with others.
func isScattered(g *slot[groupKey, group]) bool {
	switch g.key.kind {
	case refused, unanswered, halfOpen, aborted, mismatched, portUnreachable, retriedSYN, resetBy:
		return g.weight <= scatterEach
	}
	return false
}

// few is how many lines of a kind are told one by one.
func (k scatterKey) few() int {
	if k.kind == retriedSYN || k.kind == resetBy {
		return scatterSlow
	}
	return scatterLines
}

// scattered folds the groups of each kind and protocol that are many and small, and
// gives what is left to be told one by one.
func (b *background) scattered(groups []*slot[groupKey, group]) (folded map[scatterKey]*scatter, rest []*slot[groupKey, group]) {
	counts := make(map[scatterKey]int)
	for _, g := range groups {
		if isScattered(g) {
			counts[b.scatterKeyOf(g)]++
		}
	}
	folded = make(map[scatterKey]*scatter)
	for _, g := range groups {
		key := b.scatterKeyOf(g)
		if !isScattered(g) || counts[key] <= key.few() {
			rest = append(rest, g)
			continue
		}
		if folded[key] == nil {
			folded[key] = &scatter{span: noSpan}
		}
		folded[key].add(g, b)
	}
	return folded, rest
}

// scatterWords end "20 connections from 3 clients".
var scatterWords = map[kind]string{
	refused:         "refused by",
	unanswered:      "left unanswered by",
	halfOpen:        "left half-open at",
	aborted:         "reset in the middle of the handshake at",
	mismatched:      "answered wrongly by",
	portUnreachable: "found no listener at",
	retriedSYN:      "needed more than one SYN at",
	resetBy:         "reset after the handshake at",
}

// line tells the groups in one sentence, with the first as the example.
func (s *scatter) line(key scatterKey, b *background) Trouble {
	example := b.describe(s.first)
	n := share{n: s.n, atLeast: s.atLeast}
	clients := " from " + about(&s.clients) + " clients"
	if s.clients.exact() && s.clients.count() == 1 {
		clients = " from one client"
	}
	owners := s.owners.sorted()
	clients += byProcesses(owners)
	words := scatterWords[key.kind]
	if side := key.side.String(); side != "" {
		words = "reset by the " + side + strings.TrimPrefix(words, "reset")
	}
	short := ""
	if key.short {
		short = ": the clients gave up, or the capture ends, in less than " + wait(answerTime)
	}
	return Trouble{
		Kind:     example.Kind,
		Severity: min(Warning, example.Severity),
		Subject:  protocolName(key.protocol),
		Text: n.alone("connection") + clients + " " + words + " " +
			plural(s.ports, "server port") + " in all, a few each, first " + example.Subject + short,
		Count:   s.n,
		AtLeast: s.atLeast,
		Since:   s.since,
		Until:   s.until,
		Frames:  s.frames.list(),

		Processes: owners,
	}
}
