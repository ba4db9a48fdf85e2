// Package engine runs frames through decoding into connection tables, with any
// number of workers and always the same result.
package engine

import (
	"context"
	"errors"
	"io"
	"runtime"
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

	// Ahead says that the source never waits for frames to come, so that workers may read
	// ahead of what they apply.
	Ahead bool

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
		err = together(ctx, src, cfg.Ahead, recorders, tables, l, k)
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
