package report

import (
	"maps"
	"slices"
)

// Clone is a Builder of its own that has what b has: what is added to one is not in the
// other. A live view adds to it what is still open, and b goes on.
func (b *Builder) Clone() *Builder {
	b.enter()
	c := *b
	groups := newCloned()
	c.services = b.services.clone(groups)
	c.tables = &tables{doors: b.tables.doors.clone(groups), trouble: b.tables.trouble.clone(groups), watch: b.tables.watch}
	for _, s := range b.tables.sums {
		c.tables.sums = append(c.tables.sums, groups.sums(s))
	}
	c.batch = newBatch(addedAtOnce)
	c.times = b.times.clone()
	c.kernel = b.kernel.clone(groups)
	c.top = b.top.clone()
	for i := range c.ranges {
		c.ranges[i].synRTT = b.ranges[i].synRTT.clone()
	}
	return &c
}

// cloned has the copies of service groups and their sums, to which others point.
type cloned struct {
	groups map[*serviceGroup]*serviceGroup
	added  map[*serviceSums]*serviceSums
}

func newCloned() cloned {
	return cloned{groups: make(map[*serviceGroup]*serviceGroup), added: make(map[*serviceSums]*serviceSums)}
}

// of is the copy of g, made when there is none; nil of nil.
func (m cloned) of(g *serviceGroup) *serviceGroup {
	if g == nil || m.groups[g] != nil {
		return m.groups[g]
	}
	c := *g
	c.serviceSums = m.sums(g.serviceSums)
	m.groups[g] = &c
	return &c
}

// sums is the copy of s, made when there is none.
func (m cloned) sums(s *serviceSums) *serviceSums {
	if m.added[s] != nil {
		return m.added[s]
	}
	c := *s
	c.clients, c.servers, c.setup = s.clients.clone(), s.servers.clone(), s.setup.clone()
	c.ports = maps.Clone(s.ports)
	for i, p := range s.owners {
		c.owners[i] = p.clone()
	}
	m.added[s] = &c
	return &c
}

func (s *services) clone(groups cloned) services {
	c := *s
	c.tcp, c.udp = s.tcp.clone(groups), s.udp.clone(groups)
	c.names, c.groups = maps.Clone(s.names), maps.Clone(s.groups)
	for k, g := range c.names {
		c.names[k] = groups.of(g)
	}
	for k, g := range c.groups {
		c.groups[k] = groups.of(g)
	}
	for i := range c.recent {
		c.recent[i].group = groups.of(c.recent[i].group)
	}
	c.all = slices.Clone(s.all)
	for i, g := range c.all {
		c.all[i] = groups.of(g)
	}
	return c
}

func (p portGroups) clone(groups cloned) portGroups {
	for i, page := range p {
		if page != nil {
			p[i] = clonePointer(page)
			for j, g := range page {
				p[i][j] = groups.of(g)
			}
		}
	}
	return p
}

// clone copies h; own makes a copied value share nothing with its original.
func (h *heavy[K, V]) clone(own func(*V)) heavy[K, V] {
	c := *h
	c.index, c.slabs = slices.Clone(h.index), slices.Clone(h.slabs)
	for i := range c.slabs {
		c.slabs[i] = slices.Clone(h.slabs[i])
	}
	for s := range c.all() {
		own(&s.value)
	}
	return c
}

func (l *loners) clone() loners {
	c := *l
	c.heavy = l.heavy.clone(func(*loner) {})
	return c
}

func (d *doors) clone(groups cloned) doors {
	c := *d
	c.heavy = d.heavy.clone(func(v *door) { v.group = groups.of(v.group) })
	c.callers4, c.callers6 = slices.Clone(d.callers4), slices.Clone(d.callers6)
	c.clients = maps.Clone(d.clients)
	for k, set := range c.clients {
		c.clients[k] = set.clone()
	}
	c.portless.hosts = maps.Clone(d.portless.hosts)
	return c
}

// clone copies what was folded in.
func (t *trouble) clone(groups cloned) trouble {
	return trouble{
		owners: t.owners.clone(), watch: t.watch,
		groups: t.groups.clone(func(g *group) {
			g.service = groups.of(g.service)
			g.clients = g.clients.clone()
			g.frames = g.frames.clone()
			if g.retry = clonePointer(g.retry); g.retry != nil {
				g.retry.waits = slices.Clone(g.retry.waits)
			}
			if g.targets = clonePointer(g.targets); g.targets != nil {
				g.targets.servers = g.targets.servers.clone()
			}
		}),
		scans: scans{
			loners:    t.scans.loners.clone(),
			pathWatch: t.scans.pathWatch, sweepWatch: t.scans.sweepWatch,
			pathOwners: t.scans.pathOwners.clone(), sweepOwners: t.scans.sweepOwners.clone(),
			paths: t.scans.paths.clone(func(p *hostProbe) {
				p.probe = p.probe.clone()
				p.ports = p.ports.clone()
				if p.better = clonePointer(p.better); p.better != nil {
					for i := range p.better {
						p.better[i] = p.better[i].clone()
					}
				}
			}),
			sweeps: t.scans.sweeps.clone(func(p *portProbe) {
				p.probe = p.probe.clone()
				p.hosts = p.hosts.clone()
			}),
		},
	}
}

// clone shares the processes, which nobody changes.
func (p *processes) clone() *processes {
	c := clonePointer(p)
	if c != nil {
		c.list = slices.Clone(p.list)
	}
	return c
}

func (m ownership[K]) clone() ownership[K] {
	m.of = maps.Clone(m.of)
	for k, p := range m.of {
		m.of[k] = p.clone()
	}
	return m
}

func (p probe) clone() probe {
	if p.many = clonePointer(p.many); p.many != nil {
		p.many.frames = p.many.frames.clone()
	}
	return p
}

func (e evidence) clone() evidence {
	e.others = clonePointer(e.others)
	return e
}

func (s portSet) clone() portSet {
	if s.more = clonePointer(s.more); s.more != nil {
		s.more.few, s.more.bits = slices.Clone(s.more.few), clonePointer(s.more.bits)
	}
	return s
}

func (d distinct) clone() distinct {
	d.more = d.more.clone()
	return d
}

func (s *addrSet) clone() *addrSet {
	c := clonePointer(s)
	if c != nil {
		c.v4.places = slices.Clone(s.v4.places)
		if c.v6 = clonePointer(s.v6); c.v6 != nil {
			c.v6.places = slices.Clone(s.v6.places)
		}
		c.sketch = slices.Clone(s.sketch)
	}
	return c
}

func (s sampler) clone() sampler {
	s.exact, s.histogram = slices.Clone(s.exact), slices.Clone(s.histogram)
	return s
}

func (k intervals) clone() intervals {
	if k.buckets != nil {
		k.buckets = append(make([]Bucket, 0, maxBuckets), k.buckets...) // which grow counts on
	}
	k.latest, k.since, k.until = nil, 0, 0 // to be looked for anew
	return k
}

func (t *top) clone() top {
	c := *t
	c.heap, c.rows = slices.Clone(t.heap), slices.Clone(t.rows)
	for i := range c.rows {
		c.rows[i] = slices.Clone(t.rows[i])
		for j := range c.rows[i] {
			r := &c.rows[i][j]
			r.Tunnels, r.SYNWaits = slices.Clone(r.Tunnels), slices.Clone(r.SYNWaits)
		}
	}
	return c
}

// clonePointer is a copy of what p points to; nil of nil.
func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}
