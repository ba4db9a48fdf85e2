package report

import (
	"iter"
	"slices"
	"sync"

	"sockscope/capture"
	"sockscope/decode/flow"
)

const (
	perBatch         = 16 * stretch // connections
	batchesPerWorker = 4            // under way
	mostBatches      = 32           // of all workers, for what they take
)

// A Crew is workers that add connections to a Builder. Each does whatever there is to do
// next: a batch that is filled goes through the next stage, else another one is filled.
type Crew struct {
	b       *Builder
	next    func(most int) iter.Seq[*flow.Connection]
	workers int
	others  []*sums // of all workers but the first

	mu      sync.Mutex
	changed sync.Cond
	ring    []*batch       // batch n is the one at n modulo its length
	filled  []bool         // of the ring: it is filled, and did not go through all stages
	begun   int            // batches that are filled, or being filled
	asking  bool           // what the next one is filled with is being asked for
	ended   bool           // there is nothing more
	entered [numStages]int // batches
	busy    [numStages]bool
	working int // workers that began
}

// Crew makes a Crew of so many workers, each a goroutine that calls Work. Each call of next
// gives the connections that come next, at most so many, or nil when there are no more. It is
// called by one worker at a time; what it gives is gone through by one worker, too, while
// others do the same with other connections. Until Done b belongs to the Crew; then it is as
// if Add had been called for each, whatever the number of workers. Owners and kernels are
// asked in order: where there are some, one worker does all.
func (b *Builder) Crew(workers int, next func(most int) iter.Seq[*flow.Connection]) *Crew {
	c := &Crew{b: b, next: next, workers: max(1, workers), ring: []*batch{b.batch}} // which may have connections already
	c.changed.L = &c.mu
	for workers > 1 && len(c.ring) < min(batchesPerWorker*workers, mostBatches) {
		c.ring = append(c.ring, newBatch(perBatch))
	}
	c.filled = make([]bool, len(c.ring))
	return c
}

// Work does what there is to do, until there is nothing more.
func (c *Crew) Work() {
	c.mu.Lock()
	defer c.mu.Unlock()
	number, s := c.working, &c.b.sums
	c.working++
	if c.b.ownersOf != nil || c.b.kernel != nil { // which must be asked in order
		if number == 0 {
			c.addInOrder()
		}
		return
	}
	if number > 0 {
		s = c.b.sums.another()
		c.others = append(c.others, s)
	}
	for {
		if next, ok := c.due(func(s stage) bool { return int(s)%c.workers == number }); ok {
			c.enter(next)
		} else if c.hasRoom() {
			c.fill(s)
		} else if next, ok := c.due(func(stage) bool { return true }); ok {
			c.enter(next)
		} else if c.ended && slices.Min(c.entered[:]) == c.begun {
			return
		} else {
			c.changed.Wait()
		}
	}
}

// addInOrder adds all connections one by one.
func (c *Crew) addInOrder() {
	for part := c.next(perBatch); part != nil; part = c.next(perBatch) {
		for connection := range part {
			c.b.Add(connection)
		}
	}
}

// Done gives the Builder back, when no worker works any more.
func (c *Crew) Done() {
	for _, s := range c.others {
		c.b.sums.merge(s)
	}
}

// due is the stage that is furthest behind of those that a batch can go through.
func (c *Crew) due(isMine func(stage) bool) (s stage, ok bool) {
	for next, n := range c.entered {
		next := stage(next)
		switch {
		case !isMine(next):
		case c.busy[next] || n == c.begun || !c.filled[n%len(c.ring)]:
		case next.afterServices() && n >= c.entered[intoServices]:
		case !ok || n < c.entered[s]:
			s, ok = next, true
		}
	}
	return s, ok
}

// enter has the next batch go through a stage.
func (c *Crew) enter(s stage) {
	n := c.entered[s]
	b := c.ring[n%len(c.ring)]
	c.busy[s] = true
	c.mu.Unlock()
	b.enter(s, c.b)
	c.mu.Lock()
	c.busy[s] = false
	c.entered[s]++
	if slices.Min(c.entered[:]) > n {
		b.empty()
		c.filled[n%len(c.ring)] = false
	}
	c.changed.Broadcast()
}

// hasRoom reports whether another batch can be filled.
func (c *Crew) hasRoom() bool {
	return !c.asking && !c.ended && c.begun-slices.Min(c.entered[:]) < len(c.ring)
}

// fill fills another batch.
func (c *Crew) fill(s *sums) {
	n := c.begun
	b := c.ring[n%len(c.ring)]
	c.asking = true
	c.mu.Unlock()
	part := c.next(b.room())
	c.mu.Lock()
	c.asking = false
	if part == nil {
		c.ended = true
	} else {
		c.begun++
	}
	c.changed.Broadcast()
	if part == nil {
		return
	}
	c.mu.Unlock()
	b.fill(part, s)
	c.mu.Lock()
	c.filled[n%len(c.ring)] = true
	c.changed.Broadcast()
}

// fill puts connections in, and adds what needs no order to s.
func (b *batch) fill(part iter.Seq[*flow.Connection], s *sums) {
	var nobody [2]capture.Owner
	for c := range part {
		s.add(c, b.add(c, &nobody), &nobody)
	}
}
