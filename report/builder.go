package report

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// Config says what a Builder keeps; the zero value works.
type Config struct {
	Sort string // column that orders Summary.Connections, one of Sorts; "" means "bytes"
	Top  int    // how many connections the Summary lists; 0 means 10
	All  bool   // list all connections: memory then grows with their number

	// Owners looks up the processes of a connection's client and server; nil: none is
	// known. It is asked once for each connection added.
	Owners func(c *flow.Connection) [2]capture.Owner

	// Local is what this host's kernel said of its sockets when a live capture began, and
	// makes Ask necessary before Summary; nil for files.
	Local *capture.Host
	// Memory is what the tables of a Builder may take, in bytes; 0: as much as they need. With
	// less than 96 MiB they keep less apart. A clone takes as much again.
	Memory int64

	Filtered      bool // frames were left out on purpose, so that a socket's silence means nothing
	AllInterfaces bool // the capture was of all the host's interfaces
}

// A Builder folds connections into a Summary. Its memory does not grow with the
// number of connections, unless Config.All asks for all of them; where that makes
// a figure an estimate or a lower bound, the Summary says so.
//
// It belongs to one goroutine.
type Builder struct {
	sums
	services services
	tables   *tables
	batch    *batch // of what is in the sums, but not yet in services and tables

	ownersOf func(c *flow.Connection) [2]capture.Owner // nil: nobody knows them
	owners   [2]capture.Owner                          // of the connection being added
	kernel   *kernel                                   // nil for files
}

// NewBuilder makes a Builder. An unknown cfg.Sort means "bytes".
func NewBuilder(cfg Config) *Builder {
	b := &Builder{
		sums:     sums{top: top{key: sortKeyOf(cfg.Sort), limit: cfg.Top}},
		ownersOf: cfg.Owners, kernel: newKernel(&cfg), tables: new(tables), batch: newBatch(addedAtOnce),
	}
	b.keepWithin(cfg.Memory)
	if cfg.Top <= 0 {
		b.top.limit = 10
	}
	if cfg.All {
		b.top.limit = 0
	}
	return b
}

// Ask gives what this host's kernel says of its sockets, after the last frame of a live
// capture or of the part that is told so far. It must not change while the Builder is in
// use. Connections added before are held against it as far as they are remembered, those
// added later all.
func (b *Builder) Ask(host *capture.Host) {
	if b.kernel != nil {
		b.kernel.ask(host)
	}
}

// AskForOwners makes the connections to come have the owners that another function than
// Config.Owners gives; nil: nobody knows them.
func (b *Builder) AskForOwners(of func(c *flow.Connection) [2]capture.Owner) {
	b.ownersOf, b.owners = of, [2]capture.Owner{}
}

// Add folds one connection in. It keeps nothing of c, which the caller may
// overwrite. For the same report, add connections in the same order.
func (b *Builder) Add(c *flow.Connection) {
	if b.ownersOf != nil || b.kernel != nil {
		b.meet(c)
	}
	b.sums.add(c, b.batch.add(c, &b.owners), &b.owners)
	if b.batch.isFull() {
		b.enter()
	}
}

// meet counts the processes of c, and holds it against what the kernel says.
func (b *Builder) meet(c *flow.Connection) {
	if b.ownersOf != nil {
		b.owners = b.ownersOf(c)
	}
	if b.kernel == nil && !b.owners[clientEnd].Known() && !b.owners[serverEnd].Known() {
		return
	}
	group := b.services.of(questionOf(c))
	group.addOwners(&b.owners)
	if b.kernel != nil {
		b.kernel.add(c, group, &b.owners)
	}
}

// enter has the batch entered.
func (b *Builder) enter() {
	for s := range numStages {
		b.batch.enter(s, b)
	}
	b.batch.empty()
}

// Summary is what was added so far, with what the source and the engine say of the
// frames. It shares nothing with the Builder, which may go on.
func (b *Builder) Summary(stats capture.Stats, totals *flow.Totals) *Summary {
	b.enter()
	groups := b.services.sorted()
	var total Tally
	for i := range b.ranges {
		total.merge(&b.ranges[i].tally)
	}
	kernel := b.kernel.asked()
	s := &Summary{
		Inputs: stats.Inputs,

		Interfaces: stats.Interfaces,

		Links:    linkLines(totals.Links),
		First:    totals.First,
		Last:     totals.Last,
		Frames:   totals.Frames,
		Bytes:    totals.Bytes,
		Captured: totals.Captured,

		Total:    total,
		Ranges:   rangeLines(&b.ranges, groups, total.Bytes),
		Clients:  clientLines(&b.clients),
		Host:     kernel.summary(),
		Roles:    roleLines(&b.roles),
		Services: serviceLines(groups),
		Doors:    b.tables.doors.summary(),
		Tunnels:  tunnelLines(&totals.Tunnels),
		Timeline: b.times.timeline(totals.First, totals.Last),

		Connections: b.top.sorted(),
		Sort:        b.top.key.name,
		Top:         b.top.limit,

		Ledger:   ledger(totals, &total, &b.volumes),
		Problems: problems(totals),
	}
	for _, i := range stats.Interfaces {
		s.Drops += min(i.Drops, math.MaxUint64-s.Drops) // files can say anything
	}
	trouble := &b.tables.trouble
	lines := trouble.lines(&background{doors: &b.tables.doors, owners: trouble.owners, kernel: kernel, end: totals.Last})
	lines = append(lines, kernel.lines(&coverage{totals.First, totals.Last, s.Drops == 0})...)
	lines = append(lines, inputTrouble(&stats, totals, &s.Total, s.Drops)...)
	slices.SortFunc(lines, compareTrouble)
	s.Worse = uint64(max(0, len(lines)-MaxTrouble))
	s.Trouble = slices.Clip(lines[:min(len(lines), MaxTrouble)])
	return s
}

// linkLines counts frames by link type, most first.
func linkLines(links map[capture.LinkType]uint64) []LinkCount {
	lines := make([]LinkCount, 0, len(links))
	for link, n := range links {
		lines = append(lines, LinkCount{Link: link, Frames: n})
	}
	slices.SortFunc(lines, func(a, b LinkCount) int {
		return cmp.Or(cmp.Compare(b.Frames, a.Frames), cmp.Compare(a.Link, b.Link))
	})
	return lines
}

// tunnelLines sums frames by tunnel, most first.
func tunnelLines(tunnels *flow.TunnelSums) []TunnelCount {
	var lines []TunnelCount
	for k, v := range tunnels.All() {
		t := TunnelCount{Kind: k.Kind.String(), HasID: k.HasID, ID: k.ID, Frames: v.Frames, Bytes: v.Bytes}
		if k.Version != 0 {
			t.A, t.B = k.A.Netip(k.Version), k.B.Netip(k.Version)
		}
		lines = append(lines, t)
	}
	slices.SortFunc(lines, func(a, b TunnelCount) int {
		return cmp.Or(
			cmp.Compare(b.Frames, a.Frames),
			cmp.Compare(a.Kind, b.Kind),
			a.A.Compare(b.A), a.B.Compare(b.B),
			compareBool(a.HasID, b.HasID), cmp.Compare(a.ID, b.ID),
		)
	})
	return foldTunnels(lines)
}

// maxTunnels bounds the tunnels that have a line of their own.
const maxTunnels = 1000

// foldTunnels sums the lines beyond maxTunnels, and those that have only a kind, by kind.
func foldTunnels(lines []TunnelCount) []TunnelCount {
	if len(lines) <= maxTunnels {
		return lines
	}
	rest := map[string]TunnelCount{}
	shown := lines[:0]
	for _, t := range lines {
		if len(shown) < maxTunnels && (t.A.IsValid() || t.HasID) {
			shown = append(shown, t)
			continue
		}
		r := rest[t.Kind]
		r.Kind, r.Frames, r.Bytes = t.Kind, r.Frames+t.Frames, r.Bytes+t.Bytes
		rest[t.Kind] = r
	}
	for _, kind := range slices.Sorted(maps.Keys(rest)) {
		shown = append(shown, rest[kind])
	}
	return shown
}
