package engine

import (
	"context"
	"sync"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// blocksPerWorker bounds the blocks under way: enough that a worker rarely waits
// for the one that is behind. Where memory is short there are half as many.
const blocksPerWorker = 4

// A job is one block under way, with its records by partition.
type job struct {
	block   capture.Block
	now     capture.Timestamp // the capture's clock behind it
	parts   []flow.Batch
	decoded bool
	applied int // partitions done
}

// A crew is the workers of one run. Each takes blocks from the source, decodes
// them into records by partition, and applies the records of its own partition in
// the order of the blocks. Everything below mu is for who holds it; who reads
// (there is at most one) owns the source, who decodes or applies a job may touch
// it without.
type crew struct {
	src    capture.Source
	ahead  bool // as Config.Ahead
	looker *looker
	keeper *keeper

	mu      sync.Mutex
	changed sync.Cond // something below did
	ring    []job     // block n is ring[n%len(ring)]
	taken   uint64    // blocks read so far
	freed   uint64    // blocks applied by all partitions: their places are free again
	reading bool
	held    bool    // nothing is read until what was read is applied
	look    bool    // and looked at
	relieve bool    // and made less, if it is too much
	last    uint64  // number of the last frame read
	used    []int64 // what each table takes
	flying  uint64  // frames of blocks under way
	ended   bool    // nothing more will be read
	err     error
}

// together runs one worker for each recorder and table, and waits for them.
func together(ctx context.Context, src capture.Source, ahead bool, recorders []*flow.Recorder, tables []*flow.Table, l *looker, k *keeper) error {
	c := &crew{src: src, ahead: ahead, looker: l, keeper: k, used: make([]int64, len(tables)), ring: make([]job, k.blocks()*len(tables))}
	c.changed.L = &c.mu
	for i := range c.ring {
		c.ring[i].parts = make([]flow.Batch, len(tables))
	}
	var workers sync.WaitGroup
	for i := range tables {
		workers.Go(func() { c.work(ctx, i, recorders[i], tables[i]) })
	}
	workers.Wait()
	return c.err
}

// work is the life of worker i. It reads ahead of what it applies where the source allows it:
// only one can read at a time, and who waits for that must have something else to do. From other
// sources it reads when all is applied: what comes is not to wait for what comes next.
func (c *crew) work(ctx context.Context, i int, r *flow.Recorder, t *flow.Table) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for next := uint64(0); ; {
		j := c.place(next)
		switch {
		case c.mayRead() && (c.ahead && c.taken-next < blocksPerWorker || next == c.taken || !j.decoded):
			j := c.read(ctx)
			if j == nil {
				continue
			}
			c.mu.Unlock()
			j.now = max(j.now, r.Record(&j.block, j.parts))
			c.mu.Lock()
			j.decoded = true
			c.changed.Broadcast()
		case next < c.taken && j.decoded:
			c.mu.Unlock()
			t.Apply(&j.parts[i])
			t.Sweep(j.now)
			used := t.Used()
			c.mu.Lock()
			c.used[i] = used
			c.apply(j)
			next++
		case c.ended && next == c.taken:
			return
		default:
			c.changed.Wait()
		}
	}
}

// mayRead reports whether a block can be read now.
func (c *crew) mayRead() bool {
	return !c.ended && !c.reading && !c.held && c.taken-c.freed < uint64(len(c.ring))
}

// place is where block n lies.
func (c *crew) place(n uint64) *job { return &c.ring[n%uint64(len(c.ring))] }

// read reads the next block, with mu released meanwhile. It returns nil at the
// end, which it notes.
func (c *crew) read(ctx context.Context) *job {
	j := c.place(c.taken)
	j.decoded, j.applied = false, 0
	c.reading = true
	c.mu.Unlock()
	var err error
	done := ctx.Err() != nil
	if !done {
		if err = c.src.Next(&j.block); err == nil {
			j.now = c.looker.latest(&j.block)
		}
	}
	c.mu.Lock()
	c.reading = false
	c.changed.Broadcast()
	if done || err != nil {
		c.ended, c.err = true, ended(err)
		return nil
	}
	c.taken++
	c.flying += uint64(len(j.block.Frames))
	c.last = j.block.First + uint64(len(j.block.Frames)) - 1
	c.look = c.looker.due(j.now)
	c.relieve = c.keeper.due(&j.block) && (c.near() || c.keeper.relief.Pending())
	c.held = c.look || c.relieve
	return j
}

// near reports whether what is used may be too much when all blocks under way are applied.
func (c *crew) near() bool {
	var used int64
	for _, n := range c.used {
		used += n
	}
	return c.keeper.near(used, c.flying)
}

// apply notes that one more partition is done with j. Partitions take blocks in
// order, so blocks are finished in order, too.
func (c *crew) apply(j *job) {
	j.applied++
	if j.applied == len(j.parts) {
		c.flying -= uint64(len(j.block.Frames))
		c.src.Release(&j.block)
		c.freed++
		if c.held && c.freed == c.taken { // all others wait for mu
			if c.relieve {
				c.keeper.relief.Relieve(c.last)
			}
			if c.look {
				c.looker.look()
				for c.looker.show(mostShown) {
				}
			}
			c.held = false
		}
		c.changed.Broadcast()
	}
}
