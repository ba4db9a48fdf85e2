package engine

import (
	"sync"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A looker knows the capture's clock, and gives Config.Look what was found when it is time.
type looker struct {
	every  time.Duration     // 0: never
	last   capture.Timestamp // the last time, or when the clock began
	clock  bool              // somebody asks for the time
	give   func(*Result)
	ending bool

	recorders []*flow.Recorder
	tables    []*flow.Table
}

func newLooker(cfg *Config, recorders []*flow.Recorder, tables []*flow.Table) *looker {
	l := &looker{last: capture.Unknown, ending: cfg.Flow.Ending != nil, recorders: recorders, tables: tables}
	if cfg.Look != nil && cfg.Every > 0 {
		l.every, l.give = cfg.Every, cfg.Look
	}
	l.clock = l.ending || l.every > 0
	return l
}

// latest is the time behind a block, or Unknown.
func (l *looker) latest(b *capture.Block) capture.Timestamp {
	latest := capture.Unknown
	if !l.clock {
		return latest
	}
	if b.Now != 0 {
		latest = b.Now
	}
	for i := range b.Frames {
		latest = max(latest, b.Frames[i].Time)
	}
	return latest
}

// due reports whether it is time to look. A clock that was set back begins anew.
func (l *looker) due(now capture.Timestamp) bool {
	if l.every == 0 || !now.Known() {
		return false
	}
	passed, ok := now.Sub(l.last)
	switch {
	case !ok || passed < 0:
		l.last = now
		return false
	case passed < l.every:
		return false
	}
	l.last = now
	return true
}

// look gives what was found so far. All blocks that were read are applied, and nobody else
// is at work.
func (l *looker) look() {
	r := &Result{Totals: flow.NewTotals(), tables: l.tables, ending: l.ending}
	for _, rec := range l.recorders {
		r.Totals.Add(&rec.Totals)
	}
	for _, t := range l.tables {
		t.AddTo(&r.Totals)
	}
	l.give(r)
}

// inTurns is e for tables of several goroutines.
func inTurns(e *flow.Ending) *flow.Ending {
	var mu sync.Mutex
	own := *e
	own.Tell = func(event flow.Event, c *flow.Connection) {
		mu.Lock()
		defer mu.Unlock()
		e.Tell(event, c)
	}
	return &own
}
