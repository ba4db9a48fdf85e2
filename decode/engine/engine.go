// Package engine runs frames through decoding into connection tables, with any
// number of workers and always the same result.
package engine

import (
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// Config says how a run works; the zero value does.
type Config struct {
	Workers int // 0 means one for each core
	Flow    flow.Config

	// Filter tells which frames count; it is called by all workers at once. The others
	// are only counted as filtered. nil means that all count.
	Filter func(*capture.Frame) bool

	// Memory is what connections and what belongs to them may take, in bytes. When there is
	// too little, some end before their time, and Flow.Ending, without which there is no
	// bound, is told: see flow.Relief. 0: no bound.
	Memory int64

	// Beside is how much of Memory is left to who is told, but not more than three eighths;
	// 0 means 24 MiB.
	Beside int64

	// Look is asked every Every of the capture's clock whether somebody wants to see what the
	// run found so far, between two blocks of frames; nil when nobody does. A single worker
	// shows it a part at a time, between blocks that come meanwhile, and asks no more until it
	// is done; several workers, which wait for it, all at once. 0 or nil: never.
	Every time.Duration
	Look  func() View
}

// A Result is what a run found.
type Result struct {
	Totals flow.Totals

	tables []*flow.Table
	ending bool // connections that ended are not there any more
}

// Run reads src to its end, or until ctx is done, which is a normal end: the
// result then holds what was read so far. Run releases every block but does not
// close src. The error is the source's; the result is valid beside it.
//
// When cfg.Flow ends connections, these are told one at a time, whatever the number of
// workers, and the result has those that were open in the end.
func Run(ctx context.Context, src capture.Source, cfg Config) (*Result, error) {
	n := cfg.Workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	if n > 1 && cfg.Flow.Ending != nil {
		cfg.Flow.Ending = inTurns(cfg.Flow.Ending)
	}
	if cfg.bounded() {
		cfg.Flow.Tunnels = int(max(1<<10, min(1<<15, cfg.Memory/perTunnel)))
	}
	seed := flow.NewSeed()
	tables := make([]*flow.Table, n)
	recorders := make([]*flow.Recorder, n)
	for i := range n {
		tables[i] = flow.NewTable(cfg.Flow, seed)
		recorders[i] = flow.NewRecorder(seed)
		recorders[i].Filter = cfg.Filter
	}
	var err error
	k := newKeeper(&cfg, tables)
	l := newLooker(&cfg, recorders, tables, k)
	if n == 1 {
		err = alone(ctx, src, recorders[0], tables[0], l, k)
	} else {
		err = together(ctx, src, recorders, tables, l, k)
	}
	l.stop()
	result := &Result{Totals: recorders[0].Totals, tables: tables, ending: l.ending()}
	for _, r := range recorders[1:] {
		result.Totals.Add(&r.Totals)
	}
	for _, t := range tables {
		t.Finish()
		result.Totals.Add(&t.Totals)
	}
	return result, err
}

// stretch is how many frames one worker decodes before it applies them: what it
// decoded is then still in the processor's cache.
const stretch = 512

// alone does all the work on the caller's goroutine.
func alone(ctx context.Context, src capture.Source, r *flow.Recorder, t *flow.Table, l *looker, k *keeper) error {
	var block, part capture.Block
	parts := make([]flow.Batch, 1)
	for ctx.Err() == nil {
		if err := src.Next(&block); err != nil {
			return ended(err)
		}
		now := waited(&block)
		for i := 0; i < len(block.Frames); i += stretch {
			part.First = block.First + uint64(i)
			part.Frames = block.Frames[i:min(i+stretch, len(block.Frames))]
			now = max(now, r.Record(&part, parts))
			t.Apply(&parts[0])
		}
		relieve, last := k.due(&block), block.First+uint64(len(block.Frames))-1
		src.Release(&block)
		t.Sweep(now)
		if relieve {
			k.relief.Relieve(last)
		}
		l.between(now)
	}
	return nil
}

// ended is the error of a source that gave err: none at its end.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Workers is how many goroutines did the work.
func (r *Result) Workers() int { return len(r.tables) }

// Len is the number of connections that Connections gives.
func (r *Result) Len() int {
	n := 0
	for _, t := range r.tables {
		n += t.Len()
	}
	return n
}

// Forget forgets the connections, so that what they take is free.
func (r *Result) Forget() { r.tables = nil }

// Connections gives all connections in the order of their first packets, but for those
// that ended during the run. The value it yields is overwritten by the next one; what it
// points to is not.
func (r *Result) Connections() iter.Seq[*flow.Connection] {
	return func(yield func(*flow.Connection) bool) {
		queues := make([]queue, 0, len(r.tables))
		for _, s := range r.sequences() {
			q := queue{Sequence: s}
			q.look()
			queues = append(queues, q)
		}
		var c flow.Connection
		for id := uint64(1); len(queues) > 0; {
			first, until := nextQueue(queues)
			for q := &queues[first]; q.frame < until; id++ {
				q.Connection(q.next, &c)
				if c.ID = id; r.ending {
					c.ID = c.FirstFrame
				}
				if !yield(&c) {
					return
				}
				q.next++
				q.look()
			}
			if queues[first].frame == noFrame {
				queues = slices.Delete(queues, first, first+1)
			}
		}
	}
}

// nextQueue is the queue with the lowest frame, and the lowest of the others.
func nextQueue(queues []queue) (first int, until uint64) {
	until = noFrame
	for i := 1; i < len(queues); i++ {
		switch frame := queues[i].frame; {
		case frame < queues[first].frame:
			first, until = i, queues[first].frame
		case frame < until:
			until = frame
		}
	}
	return first, until
}

// sequences are all connections, in parts that are in order each. Every table is put in order
// on its own.
func (r *Result) sequences() []flow.Sequence {
	if len(r.tables) == 1 {
		return r.tables[0].Sequences()
	}
	parts := make([][]flow.Sequence, len(r.tables))
	var sorting sync.WaitGroup
	for i, t := range r.tables {
		sorting.Go(func() { parts[i] = t.Sequences() })
	}
	sorting.Wait()
	return slices.Concat(parts...)
}

// A queue is a sequence of connections, of which those before next were given.
type queue struct {
	flow.Sequence
	next    int
	frame   uint64        // the first of connection next, or noFrame
	frames  [ahead]uint64 // the first ones of those that were read together with it
	touched uint64        // what was read only to have it in the cache; it means nothing
}

// ahead is how many connections are read from memory together.
const ahead = 16

// noFrame is behind all frames: a queue that is empty has it.
const noFrame = math.MaxUint64

// look looks at connection next.
func (q *queue) look() {
	i := q.next % ahead
	if i == 0 {
		q.touched += q.Prepare(q.next, q.frames[:])
	}
	q.frame = q.frames[i]
	if q.next == q.Len() {
		q.frame = noFrame
	}
}
