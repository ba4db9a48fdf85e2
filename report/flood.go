package report

import (
	"fmt"
	"time"
)

// Above these a server port's unfinished handshakes are called a SYN flood. Real
// clients that meet a dead server send their SYN again; a flood sends each once.
const (
	floodAttempts = 50
	floodRate     = 20 // in the busiest second
	floodSingles  = 80 // percent of the attempts
)

// A flood is the unfinished handshakes of one server port.
type flood struct {
	span
	n       uint64
	atLeast bool
	singles uint64
	peak    uint64
	half    uint64 // half-open: the server did answer
	early   uint64 // beside these, evicted too early to tell
	clients distinct
	owners  processes
	frames  evidence
	label   string
}

// isFloodKind reports whether a group is what floods are made of.
func isFloodKind(k groupKey) bool {
	return k.protocol == protoTCP && (k.kind == halfOpen || k.kind == unanswered)
}

// floods finds the server ports that are flooded.
func (t *trouble) floods(d *doors) map[doorKey]*flood {
	all := make(map[doorKey]*flood)
	for s := range t.groups.all() {
		if isFloodKind(s.key) && 2*s.weight >= floodAttempts { // of two kinds, one has half of them
			key := s.key.door()
			all[key] = &flood{span: noSpan, label: d.label(key, s.value.service.label)}
		}
	}
	if len(all) == 0 {
		return all
	}
	for s := range t.groups.all() {
		if f := all[s.key.door()]; f != nil && isFloodKind(s.key) {
			f.merge(s, t.owners)
		}
	}
	for key, f := range all {
		if !f.is() {
			delete(all, key)
		}
	}
	for s := range t.groups.all() {
		if f := all[s.key.door()]; f != nil && s.key.kind == tooEarly {
			f.addEarly(s, t.owners)
		}
	}
	return all
}

// addEarly adds the attempts that were evicted too early to tell. They do not make a flood,
// but where there is one they are of it.
func (f *flood) addEarly(s *slot[groupKey, group], owners ownership[groupKey]) {
	g := &s.value
	f.early += s.weight
	f.span.merge(g.span)
	f.peak = max(f.peak, uint64(g.burst.peak))
	f.clients.merge(&g.clients)
	f.owners.merge(owners.of[s.key], maxTroubleOwners)
	f.frames.merge(&g.frames)
}

func (f *flood) merge(s *slot[groupKey, group], owners ownership[groupKey]) {
	g := &s.value
	f.span.merge(g.span)
	f.n += s.weight
	f.atLeast = f.atLeast || s.missed > 0
	f.singles += g.singles
	f.peak = max(f.peak, uint64(g.burst.peak))
	if s.key.kind == halfOpen {
		f.half += s.weight
	}
	f.clients.merge(&g.clients)
	f.owners.merge(owners.of[s.key], maxTroubleOwners)
	f.frames.merge(&g.frames)
}

func (f *flood) is() bool {
	return f.n >= floodAttempts && f.singles*100 >= f.n*floodSingles && f.peak >= floodRate
}

// line tells the flood.
func (f *flood) line(target doorKey) Trouble {
	text := "got " + share{n: f.n, atLeast: f.atLeast}.alone("SYN") + " whose handshake was never finished"
	if f.early > 0 {
		text += " and " + humanCount(f.early) + " evicted too early to tell"
	}
	if f.half > 0 && f.half < f.n {
		text += fmt.Sprintf(" (%s answered)", humanCount(f.half))
	}
	if f.clients.exact() && f.clients.count() == 1 {
		text += " from one address"
	} else {
		text += " from " + aboutOf(&f.clients, f.n+f.early) + " addresses"
	}
	owners := f.owners.sorted()
	text += byProcesses(owners)
	if d := f.lasts(); d > time.Second {
		text += " in " + wait(d) + ", up to " + humanCount(f.peak) + " in one second"
	} else {
		text += " within " + wait(d)
	}
	return Trouble{
		Kind:     "syn-flood",
		Severity: Problem,
		Subject:  endpointName(target.protocol, target.addr(), target.port, f.label),
		Text:     text + ": a SYN flood",
		Count:    f.n,
		AtLeast:  f.atLeast,
		Since:    f.since,
		Until:    f.until,
		Frames:   f.frames.list(),

		Processes: owners,
	}
}
