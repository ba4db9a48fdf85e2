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

// tables are where connections are found by their addresses. They are large, and who
// enters a connection waits for memory; so all that they need of it is put into a Batch,
// which may be entered later, and elsewhere.
type tables struct {
	doors   doors
	trouble trouble
	sums    []*serviceSums // whose clients and servers were entered
	watch   watch          // of these
	touched uint64         // what was read only to have it in the cache; it means nothing
}

// A Batch is what connections, in their order, have for the tables of a Builder.
type Batch struct {
	to       *tables
	visits   []visit // its capacity, stretches of it, is how many make the batch full
	findings []finding
	attempts []attempted

	asides []*aside // of which the first n are in use
	n      int
}

func newBatch(to *tables, size int) *Batch { return &Batch{to: to, visits: make([]visit, 0, size)} }

// NewBatch makes an empty Batch for b, of a size that is worth being handed over.
func (b *Builder) NewBatch() *Batch { return newBatch(b.tables, 16*stretch) }

// HandOver makes Add give each batch that is full to hand, and go on with the empty one
// that hand returns, so that others can call Enter meanwhile. It ends with a nil hand:
// when all batches handed over are entered, b is again as if Add had entered them.
func (b *Builder) HandOver(hand func(full *Batch) (empty *Batch)) { b.hand = hand }

// isFull reports whether b must be entered before the next visit.
func (b *Batch) isFull() bool { return len(b.visits) == cap(b.visits) }

// Enter enters b into the tables, and empties it. One batch is entered at a time, in the
// order in which they were filled.
func (b *Batch) Enter() {
	t := b.to
	t.touched += t.enterVisits(b.visits) + t.trouble.enterFindings(b) + t.trouble.scans.enter(b)
	b.visits, b.findings, b.attempts, b.n = b.visits[:0], b.findings[:0], b.attempts[:0], 0
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
func (b *Batch) aside(c *flow.Connection, owners *[2]capture.Owner) *aside {
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
