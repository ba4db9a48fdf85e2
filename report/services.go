package report

import (
	"cmp"
	"slices"
	"strings"

	"sockscope/capture"
	"sockscope/decode/flow"
)

const (
	maxServices     = 1000    // lines in a Summary
	maxUnknownPorts = 4096    // ports without a service that are kept apart
	maxServicePorts = 4096    // ports of one service that are counted apart
	maxServiceNames = 1 << 14 // questions whose answers are remembered
	maxSums         = 1 << 30 // services with sums of their own: as many as there are, unless memory is short
)

// services groups connections by service.
type services struct {
	// What was found is remembered, so that the registry is asked once: by port where
	// the payload proves nothing (scans ask for all of them), else by question.
	tcp, udp portGroups
	names    map[serviceQuestion]*serviceGroup

	recent [64]struct { // the other questions asked last: nearly all of them
		serviceQuestion
		group *serviceGroup
	}
	all    []*serviceGroup
	groups map[serviceKey]*serviceGroup // all but those that tcp and udp alone lead to

	unknownPorts int // groups without a name that have a port of their own

	sums, ports, questions int // at most; 0 means maxSums, maxUnknownPorts, maxServiceNames
	watch                  watch
}

// portGroups are groups by port.
type portGroups [256]*[256]*serviceGroup

func (p *portGroups) at(port uint16) **serviceGroup {
	page := &p[port>>8]
	if *page == nil {
		*page = new([256]*serviceGroup)
	}
	return &(*page)[port&0xff]
}

// A serviceQuestion is all that a connection's service depends on.
type serviceQuestion struct {
	evidence string
	port     uint16 // where there is no evidence
	protocol uint8
	hasPorts bool
}

// A serviceKey names a group. Connections without a service are grouped by port.
type serviceKey struct {
	name     string
	proven   bool
	protocol uint8
	port     uint16 // of groups without a name
	hasPort  bool   // likewise; false: all that were too many to keep apart
}

// A serviceGroup is the connections of one service.
type serviceGroup struct {
	key    serviceKey
	label  string // name, "~" before it when only the port suggests it
	folded bool   // its sums are those of all that are too many to keep apart
	*serviceSums
}

// serviceSums are what the connections of one service, or of several, add up to.
type serviceSums struct {
	clients distinct // these two are entered with batches, maybe elsewhere: so they lie in
	servers distinct // other cache lines than what is counted below
	entered bool     // they are among those that a tables watches
	_       [64]byte

	tally  Tally
	ranges [numRanges]uint64 // connections by range of the server's port
	setup  sampler

	port  uint16            // the first server port
	onOne uint64            // connections to it
	ports map[uint16]uint64 // to others; nil as long as there is one
	most  int               // of these; 0 means maxServicePorts

	owners [2]*processes // of clients and servers; nil where none is known
}

// enter counts the connections of b by service, which it finds out, but for their addresses.
func (s *services) enter(b *batch) {
	for servings, visits := b.servings, b.visits; len(servings) > 0; {
		n := min(stretch, len(servings))
		for i := range servings[:n] {
			g := s.of(servings[i].question(&visits[i]))
			visits[i].group = g
			g.add(&servings[i], &visits[i])
		}
		if n == stretch && s.watch.due(stretch) {
			s.relieve()
		}
		servings, visits = servings[n:], visits[n:]
	}
}

// of is the group that a question leads to.
func (s *services) of(q serviceQuestion) *serviceGroup {
	if q.evidence == "" && q.hasPorts {
		switch q.protocol {
		case protoTCP:
			return s.ofPort(&s.tcp, q)
		case protoUDP:
			return s.ofPort(&s.udp, q)
		}
	}
	r := &s.recent[(q.port^uint16(q.protocol)^uint16(len(q.evidence))<<3)%uint16(len(s.recent))]
	if r.group == nil || r.serviceQuestion != q {
		r.serviceQuestion, r.group = q, s.ask(q)
	}
	return r.group
}

// ofPort is the group of a connection whose payload proves nothing.
func (s *services) ofPort(groups *portGroups, q serviceQuestion) *serviceGroup {
	g := groups.at(q.port)
	if *g == nil {
		*g = s.answer(q)
	}
	return *g
}

func questionOf(c *flow.Connection) serviceQuestion {
	q := serviceQuestion{evidence: c.Evidence.Service, protocol: c.Protocol, hasPorts: c.HasPorts}
	if c.HasPorts && q.evidence == "" {
		q.port = c.Server.Port()
	}
	return q
}

// ask finds the group for a question that may have been asked before.
func (s *services) ask(q serviceQuestion) *serviceGroup {
	if g, ok := s.names[q]; ok {
		return g
	}
	g := s.answer(q)
	if s.names == nil || len(s.names) >= cmp.Or(s.questions, maxServiceNames) {
		s.names = make(map[serviceQuestion]*serviceGroup)
	}
	s.names[q] = g
	return g
}

// answer finds the group for a question not asked before, or forgotten since.
func (s *services) answer(q serviceQuestion) *serviceGroup {
	name, basis := serviceOf(q.evidence, q.protocol, q.hasPorts, q.port)
	key := serviceKey{name: name, proven: basis == "payload", protocol: q.protocol}
	if key.name == "" && q.hasPorts {
		return s.unknown(key, q.port)
	}
	if !key.proven && q.port > rangeBounds[wellKnown][1] && len(s.all) >= cmp.Or(s.sums, maxSums) {
		return s.fold(key)
	}
	return s.group(key)
}

// fold is the group of a service that only its port suggests, where there are too many of
// these: unless it has one already, it has its name, and its sums are those of the ports
// without a service that are too many.
func (s *services) fold(key serviceKey) *serviceGroup {
	if g := s.groups[key]; g != nil {
		return g
	}
	others := s.group(serviceKey{protocol: key.protocol})
	return &serviceGroup{key: key, label: key.labelled(), folded: true, serviceSums: others.serviceSums}
}

// unknown finds the group of a port without a service: one of its own, or the one of all
// that are too many.
func (s *services) unknown(key serviceKey, port uint16) *serviceGroup {
	own := key
	own.port, own.hasPort = port, true
	byPort := key.protocol == protoTCP || key.protocol == protoUDP // asks for each port once
	if !byPort && s.groups[own] != nil {
		return s.groups[own]
	}
	if s.unknownPorts == cmp.Or(s.ports, maxUnknownPorts) {
		return s.group(key)
	}
	s.unknownPorts++
	if byPort {
		return s.begin(own)
	}
	return s.group(own)
}

// group is the group with a key.
func (s *services) group(key serviceKey) *serviceGroup {
	g := s.groups[key]
	if g == nil {
		g = s.begin(key)
		if s.groups == nil {
			s.groups = make(map[serviceKey]*serviceGroup)
		}
		s.groups[key] = g
	}
	return g
}

// begin makes a new group.
func (s *services) begin(key serviceKey) *serviceGroup {
	g := newGroup(key)
	g.most = s.ports
	s.all = append(s.all, g)
	return g
}

// newGroup makes a group with sums of its own.
func newGroup(key serviceKey) *serviceGroup {
	var both struct {
		serviceGroup
		own serviceSums
	}
	g := &both.serviceGroup
	g.key, g.label, g.serviceSums = key, key.labelled(), &both.own
	return g
}

// labelled is the name, "~" before it when only the port suggests it.
func (k *serviceKey) labelled() string {
	if k.name != "" && !k.proven {
		return "~" + k.name
	}
	return k.name
}

// relieve makes what is known of setup times less exact when it takes too much.
func (s *services) relieve() {
	used := s.bytes()
	if used > s.watch.most {
		for coarse := uint8(0); coarse <= maxCoarse && used > s.watch.enough(); coarse++ {
			for _, g := range s.all {
				g.setup.lessen(coarse)
			}
			used = s.bytes()
		}
	}
	s.watch.looked(used)
}

// bytes is what samples and ports take.
func (s *services) bytes() int64 {
	const entry = 32 // of a map, at most
	var used int64
	for _, g := range s.all {
		used += g.setup.bytes() + entry*int64(len(g.ports))
	}
	return used
}

// add counts a connection, but for its addresses.
func (g *serviceGroup) add(c *serving, v *visit) {
	s, withPorts := g.serviceSums, v.has(withPorts)
	s.tally.add(&c.counts)
	s.ranges[rangeOf(withPorts, v.port)]++
	s.setup.add(c.setup)
	if withPorts && g.showsPorts() {
		s.countPort(v.port, 1)
	}
}

// addOwners counts the processes of a connection.
func (g *serviceGroup) addOwners(owners *[2]capture.Owner) {
	for i, o := range owners {
		if !o.Known() {
			continue
		}
		if g.owners[i] == nil {
			g.owners[i] = new(processes)
		}
		g.owners[i].add(o, 1, maxProcesses)
	}
}

// showsPorts is false for the group of all that were too many to keep apart.
func (g *serviceGroup) showsPorts() bool { return !g.folded && (g.key.name != "" || g.key.hasPort) }

func (s *serviceSums) countPort(port uint16, n uint64) {
	switch {
	case s.onOne == 0 || port == s.port:
		s.port = port
		s.onOne += n
	case s.ports == nil:
		s.ports = map[uint16]uint64{port: n}
	default:
		if _, ok := s.ports[port]; ok || len(s.ports) < cmp.Or(s.most, maxServicePorts) {
			s.ports[port] += n
		}
	}
}

// merge adds another group's connections.
func (g *serviceGroup) merge(o *serviceGroup) {
	g.tally.merge(&o.tally)
	for i, n := range o.ranges {
		g.ranges[i] += n
	}
	g.clients.merge(&o.clients)
	g.servers.merge(&o.servers)
	g.setup.merge(&o.setup)
	for i, p := range o.owners {
		if p == nil {
			continue
		}
		if g.owners[i] == nil {
			g.owners[i] = new(processes)
		}
		g.owners[i].merge(p, maxProcesses)
	}
}

// sorted are the groups, most connections first.
func (s *services) sorted() []*serviceGroup {
	groups := slices.Clone(s.all)
	slices.SortFunc(groups, func(a, b *serviceGroup) int {
		switch m, n := a.tally.Connections, b.tally.Connections; {
		case m > n:
			return -1
		case m < n:
			return 1
		}
		return a.key.compare(&b.key)
	})
	return groups
}

func (k *serviceKey) compare(o *serviceKey) int {
	if k.name == "" && o.name == "" && k.proven == o.proven && k.protocol == o.protocol && k.hasPort == o.hasPort {
		return int(k.port) - int(o.port) // as those of the thousands of ports without a service
	}
	return cmp.Or(
		compareBool(k.name == "", o.name == ""),
		compareBool(o.proven, k.proven),
		cmp.Compare(k.protocol, o.protocol),
		strings.Compare(k.name, o.name),
		compareBool(o.hasPort, k.hasPort),
		cmp.Compare(k.port, o.port),
	)
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// serviceLines are the services of a Summary: the biggest ones, and one line
// without a name for each protocol that has more.
func serviceLines(groups []*serviceGroup) []Service {
	if len(groups) > maxServices {
		groups = foldServices(groups)
	}
	lines := make([]Service, len(groups))
	for i, g := range groups {
		lines[i] = g.line()
	}
	return lines
}

// foldServices keeps the first maxServices groups and folds the rest together.
func foldServices(groups []*serviceGroup) []*serviceGroup {
	var rest [256]*serviceGroup
	kept := slices.Clone(groups[:maxServices])
	for _, g := range groups[maxServices:] {
		if rest[g.key.protocol] == nil {
			rest[g.key.protocol] = newGroup(serviceKey{protocol: g.key.protocol})
		}
		rest[g.key.protocol].merge(g)
	}
	for _, g := range rest {
		if g != nil {
			kept = append(kept, g)
		}
	}
	return kept
}

func (g *serviceGroup) line() Service {
	l := Service{
		Name:               g.key.name,
		Proven:             g.key.proven,
		Protocol:           protocolName(g.key.protocol),
		Clients:            g.clients.count(),
		Servers:            g.servers.count(),
		ClientsApproximate: !g.clients.exact(),
		ServersApproximate: !g.servers.exact(),
		Tally:              g.tally,
		Setup:              g.setup.quantiles(),
		ClientProcesses:    g.owners[clientEnd].sorted(),
		ServerProcesses:    g.owners[serverEnd].sorted(),
	}
	if g.onOne > 0 && g.showsPorts() {
		l.HasPort = true
		busiest := g.busiestPorts(3)
		l.Port, l.Others, l.Ports = busiest[0], busiest[1:], uint64(1+len(g.ports))
	}
	return l
}

// busiestPorts are at most limit of the server ports, most connections first.
func (g *serviceGroup) busiestPorts(limit int) []uint16 {
	type usage struct {
		port uint16
		n    uint64
	}
	best := []usage{{g.port, g.onOne}}
	for port, n := range g.ports {
		u := usage{port, n}
		i, _ := slices.BinarySearchFunc(best, u, func(a, b usage) int {
			return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.port, b.port))
		})
		best = slices.Insert(best, i, u)
		best = best[:min(limit, len(best))]
	}
	ports := make([]uint16, len(best))
	for i, u := range best {
		ports[i] = u.port
	}
	return ports
}
