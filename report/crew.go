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
)

// AddAll adds connections with so many workers. Each call of next gives those that come
// next, at most so many, or nil when there are no more. It is called by one worker at a
// time; what it gives is gone through by one worker, too, while others do the same with
// other connections. The report does not depend on the number of workers.
func (b *Builder) AddAll(workers int, next func(most int) iter.Seq[*flow.Connection]) {
	if b.ownersOf != nil || b.kernel != nil { // which must be asked in order
		for part := next(perBatch); part != nil; part = next(perBatch) {
			for c := range part {
				b.Add(c)
			}
		}
		return
	}
	c := newCrew(b, workers, next)
	others := make([]sums, max(1, workers)-1)
	var working sync.WaitGroup
	for i := range others {
		others[i] = b.sums.another()
		working.Go(func() { c.work(i+1, &others[i]) })
	}
	c.work(0, &b.sums)
	working.Wait()
	for i := range others {
		b.sums.merge(&others[i])
	}
}

// A crew is workers that add connections to a Builder. Each does whatever there is to do
// next: a batch that is filled goes through the next stage, else another one is filled.
type crew struct {
	b       *Builder
	next    func(most int) iter.Seq[*flow.Connection]
	workers int

	mu      sync.Mutex
	changed sync.Cond
	ring    []*batch       // batch n is the one at n modulo its length
	filled  []bool         // of the ring: it is filled, and did not go through all stages
	begun   int            // batches that are filled, or being filled
	asking  bool           // what the next one is filled with is being asked for
	ended   bool           // there is nothing more
	entered [numStages]int // batches
	busy    [numStages]bool
}

func newCrew(b *Builder, workers int, next func(most int) iter.Seq[*flow.Connection]) *crew {
	c := &crew{b: b, next: next, workers: max(1, workers), ring: []*batch{b.batch}} // which may have connections already
	c.changed.L = &c.mu
	for workers > 1 && len(c.ring) < batchesPerWorker*workers {
		c.ring = append(c.ring, newBatch(perBatch))
	}
	c.filled = make([]bool, len(c.ring))
	return c
}

// work does what there is to do, until there is nothing more. What needs no order is added
// to s.
func (c *crew) work(number int, s *sums) {
	c.mu.Lock()
	defer c.mu.Unlock()
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

// due is the stage that is furthest behind of those that a batch can go through.
func (c *crew) due(isMine func(stage) bool) (s stage, ok bool) {
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
func (c *crew) enter(s stage) {
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
func (c *crew) hasRoom() bool {
	return !c.asking && !c.ended && c.begun-slices.Min(c.entered[:]) < len(c.ring)
}

// fill fills another batch.
func (c *crew) fill(s *sums) {
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
