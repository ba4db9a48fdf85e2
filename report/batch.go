package report

import (
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// stretch is the number of connections, or of what is wrong with them, that are entered
// into a table together. The tables are larger than the caches, and each step to an entry
// needs the one before; so a step is made for the whole stretch before the next one:
// reads that don't wait for each other are fetched from memory at the same time. The
// entries themselves are then made one by one, in order.
const stretch = 64

// addedAtOnce is how many connections that are added one by one are entered together.
const addedAtOnce = 4 * stretch

// tables are where connections are found by their addresses. They are large, and who
// enters a connection waits for memory; so all that they need of it is put into a batch,
// which may be entered later, and elsewhere.
type tables struct {
	doors   doors
	trouble trouble
	sums    []*serviceSums // whose clients and servers were entered
	watch   watch          // of these
}

// A batch is what connections, in their order, have for the services and tables of a Builder.
type batch struct {
	visits   []visit   // its capacity, stretches of it, is how many make the batch full
	servings []serving // of the same connections
	findings []finding
	attempts []attempted

	asides []*aside // of which the first n are in use
	n      int
}

func newBatch(size int) *batch {
	return &batch{visits: make([]visit, 0, size), servings: make([]serving, 0, size)}
}

// room is how many connections b has room for.
func (b *batch) room() int { return cap(b.visits) - len(b.visits) }

// isFull reports whether b must be entered before the next connection.
func (b *batch) isFull() bool { return b.room() == 0 }

// add puts in c, and gives what it counts for.
func (b *batch) add(c *flow.Connection, owners *[2]capture.Owner) *counts {
	fate := fateOf(c)
	b.servings = b.servings[:len(b.servings)+1]
	s := &b.servings[len(b.servings)-1]
	s.counts.set(c, fate)
	s.evidence, s.setup = c.Evidence.Service, c.Setup
	b.find(c, b.visit(c), fate, owners)
	return &s.counts
}

// A stage is what a batch goes through, beside others or behind them: see after. Of each
// stage one batch is entered at a time, in the order of the connections.
type stage uint8

const (
	intoServices stage = iota
	intoScans
	intoVisits
	intoFindings
	numStages
)

// afterServices reports whether a stage needs what services filled in.
func (s stage) afterServices() bool { return s == intoVisits || s == intoFindings }

// enter enters b into what belongs to one stage.
func (b *batch) enter(s stage, to *Builder) {
	switch s {
	case intoServices:
		to.services.enter(b)
	case intoScans:
		to.tables.trouble.scans.enter(b)
	case intoVisits:
		to.tables.enterVisits(b.visits)
	case intoFindings:
		to.tables.trouble.enterFindings(b)
	}
}

// empty empties b, which went through all stages.
func (b *batch) empty() {
	b.visits, b.servings, b.findings, b.attempts, b.n = b.visits[:0], b.servings[:0], b.findings[:0], b.attempts[:0], 0
}

// An aside is what few connections have to tell of beside their findings.
type aside struct {
	owners [2]capture.Owner
	syns   uint32 // where there were more than one
	waits  []time.Duration
	setup  time.Duration

	room [8]time.Duration // for waits
}

// aside is what c has to tell beside; nil when that is nothing.
func (b *batch) aside(c *flow.Connection, owners *[2]capture.Owner) *aside {
	if c.SYNCount <= 1 && !owners[clientEnd].Known() && !owners[serverEnd].Known() {
		return nil
	}
	if b.n == len(b.asides) {
		b.asides = append(b.asides, new(aside))
	}
	a := b.asides[b.n]
	b.n++
	a.owners, a.syns, a.setup = *owners, c.SYNCount, c.Setup
	a.waits = append(a.room[:0], c.SYNWaits...)
	return a
}
