package report

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// found is the scans among all paths and sweeps, by their source.
type found struct {
	scans   *scans
	paths   map[pathKey]bool
	sweeps  map[sweepKey]bool
	sources map[sourceKey]*source
}

type sourceKey struct {
	addr     netip.Addr
	protocol uint8
}

// A source is who scans.
type source struct {
	paths  []*slot[pathKey, hostProbe]
	sweeps []*slot[sweepKey, portProbe]
}

// find picks the scans out.
func (s *scans) find() *found {
	f := &found{
		scans:   s,
		paths:   make(map[pathKey]bool),
		sweeps:  make(map[sweepKey]bool),
		sources: make(map[sourceKey]*source),
	}
	for p := range s.paths.all() {
		if p.key.isPortScan(&p.value) {
			f.paths[p.key] = true
			src := f.source(p.key.source.addr(p.key.version), p.key.protocol)
			src.paths = append(src.paths, p)
		}
	}
	for p := range s.sweeps.all() {
		if p.key.isHostScan(&p.value) {
			f.sweeps[p.key] = true
			src := f.source(p.key.source.addr(p.key.version), p.key.protocol)
			src.sweeps = append(src.sweeps, p)
		}
	}
	return f
}

func (f *found) source(addr netip.Addr, protocol uint8) *source {
	key := sourceKey{addr, protocol}
	s := f.sources[key]
	if s == nil {
		s = new(source)
		f.sources[key] = s
	}
	return s
}

// explain reports whether a group of failed attempts is part of scans altogether,
// so that it needs no line of its own.
func (f *found) explain(s *slot[groupKey, group]) bool {
	k, g := s.key, &s.value
	if len(f.sources) == 0 || !g.clients.exact() {
		return false
	}
	switch k.kind {
	case refused, unanswered, halfOpen, aborted, mismatched, portUnreachable:
		for client := range g.clients.all {
			from := endOf(client)
			if !f.paths[pathOf(from, k.ip.end(k.version), k.protocol)] && !f.sweeps[sweepOf(from, k.port, k.protocol)] {
				return false
			}
		}
		return true
	case unreachable:
		for client := range g.clients.all {
			if f.sources[sourceKey{client, g.targets.protocol}] == nil {
				return false
			}
		}
		return true
	}
	return false
}

// lines tell the scans, one line for each source and protocol.
func (f *found) lines() []Trouble {
	var lines []Trouble
	for key, s := range f.sources {
		lines = append(lines, f.line(key, s))
	}
	return lines
}

func (f *found) line(key sourceKey, s *source) Trouble {
	t := Trouble{Kind: "port-scan", Severity: Warning, Subject: key.addr.String()}
	protocol := protocolName(key.protocol)
	sum := attempts{span: noSpan}
	var owners processes
	if len(s.paths) == 0 {
		slices.SortFunc(s.sweeps, compareSweeps)
		for _, p := range s.sweeps {
			sum.merge(&p.value.probe)
			owners.merge(f.scans.sweepOwners.of[p.key], maxTroubleOwners)
			t.Count += p.weight
			t.AtLeast = t.AtLeast || p.missed > 0
		}
		t.Processes = owners.sorted()
		s.tellSweeps(&t, protocol, &sum)
	} else {
		slices.SortFunc(s.paths, comparePaths)
		for _, p := range s.paths {
			sum.merge(&p.value.probe)
			owners.merge(f.scans.pathOwners.of[p.key], maxTroubleOwners)
			t.Count += p.weight
			t.AtLeast = t.AtLeast || p.missed > 0
		}
		t.Processes = owners.sorted()
		s.tellPaths(&t, protocol, &sum)
	}
	t.Since, t.Until, t.Frames = sum.since, sum.until, sum.frames.list()
	return t
}

// tellPaths tells a source that tried many ports of a host.
func (s *source) tellPaths(t *Trouble, protocol string, sum *attempts) {
	first, by := s.paths[0], byProcesses(t.Processes)
	if len(s.paths) == 1 && protocol != "tcp" && first.value.ports.within(tracerouteLow, tracerouteHigh) {
		t.Kind, t.Severity = "traceroute", Note
		t.Text = "sent " + plural(t.Count, "probe") + " to rising " + protocol + " ports of " +
			first.key.host.addr(first.key.version).String() + by + ": a traceroute"
		return
	}
	var results [numResults]uint64
	for _, p := range s.paths {
		p.value.addResults(&results)
	}
	ports := share{atLeast: t.AtLeast}
	for _, n := range results {
		ports.n += n
	}
	t.Text = "tried " + ports.alone(protocol+" port") + " of "
	if len(s.paths) == 1 {
		t.Text += first.key.host.addr(first.key.version).String()
	} else {
		t.Text += plural(uint64(len(s.paths)), "host") + ", up to " + humanCount(uint64(first.value.ports.count())) +
			" of each, first " + first.key.host.addr(first.key.version).String()
	}
	t.Text += resultList(&results) + sum.within(share{n: t.Count, atLeast: t.AtLeast}, ports.n) + by + ": a port scan"
}

// tellSweeps tells a source that tried one port, or a few, on many hosts.
func (s *source) tellSweeps(t *Trouble, protocol string, sum *attempts) {
	first := s.sweeps[0]
	hosts := about(&first.value.hosts) + " hosts"
	var ports []string
	for _, p := range s.sweeps[:min(5, len(s.sweeps))] {
		ports = append(ports, strconv.Itoa(int(p.key.port)))
	}
	more := ""
	if n := len(s.sweeps) - len(ports); n > 0 {
		more = " and " + humanCount(uint64(n)) + " more"
	}
	where := protocol + " port " + strings.Join(ports, ", ") + more
	tries := t.Count // where several ports were tried, hosts are not summed
	if len(s.sweeps) == 1 && first.value.hosts.exact() {
		tries = first.value.hosts.count()
	}
	outcomes := sum.within(share{n: t.Count, atLeast: t.AtLeast}, tries) + resultList(&sum.results) + byProcesses(t.Processes)
	if 2*sum.retried >= t.Count && sum.results[refusedResult] == 0 {
		t.Kind, t.Severity = "cut-off", Problem
		t.Text = "got no connection to " + hosts + " at " + where + outcomes +
			", and sent its SYNs again and again: its way out is broken or filtered"
		return
	}
	t.Kind = "host-scan"
	t.Text = "tried " + where + " on " + hosts + outcomes + ": a host scan"
}

// within is " in 1.2 s", or " in 60 attempts within 1.2 s" where those are not as many
// as the things tried; "" when nothing is known.
func (s *attempts) within(n share, things uint64) string {
	text, word := "", " in "
	if n.n != things {
		text, word = " in "+n.alone("attempt"), " within "
	}
	if d := s.lasts(); d > 0 {
		text += word + wait(d)
	}
	return text
}

// resultList is " (990 unanswered, 8 refused)".
func resultList(results *[numResults]uint64) string {
	var parts []string
	for r, n := range results {
		if n > 0 {
			parts = append(parts, humanCount(n)+" "+resultWords[r])
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// comparePaths puts the path with the most ports first.
func comparePaths(a, b *slot[pathKey, hostProbe]) int {
	return cmp.Or(cmp.Compare(b.value.ports.count(), a.value.ports.count()), a.key.host.compare(b.key.host))
}

// compareSweeps puts the sweep with the most hosts first.
func compareSweeps(a, b *slot[sweepKey, portProbe]) int {
	return cmp.Or(cmp.Compare(b.value.hosts.count(), a.value.hosts.count()), cmp.Compare(a.key.port, b.key.port))
}
