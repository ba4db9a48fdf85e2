package engine

import (
	"sync"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A View is shown what a run has found at one moment, while the run goes on: the connections
// that are open then, in no order, and what was counted until then. A run that ends does
// not show the rest.
type View interface {
	Open(c *flow.Connection) // valid during the call, what it points to stays so; its ID is its FirstFrame
	Done(totals *flow.Totals)
}

// How many connections are shown between two blocks of frames: one for each µs that the
// capture's clock went on, which is a quarter of the time or so, within bounds.
const (
	timePerShown          = time.Microsecond
	leastShown, mostShown = 1 << 10, 1 << 16
)

// A looker knows the capture's clock, and shows Config.Look what was found when it is time.
type looker struct {
	every   time.Duration     // 0: never
	last    capture.Timestamp // the last time, or when the clock began
	before  capture.Timestamp // the time behind the block before
	ask     func() View
	silence bool    // connections end by silence
	keeper  *keeper // ends others

	recorders []*flow.Recorder
	tables    []*flow.Table

	view   View         // nil: nothing is shown
	looks  []*flow.Look // that are not over
	totals flow.Totals
}

func newLooker(cfg *Config, recorders []*flow.Recorder, tables []*flow.Table, k *keeper) *looker {
	l := &looker{last: capture.Unknown, before: capture.Unknown, keeper: k, recorders: recorders, tables: tables}
	l.silence = cfg.Flow.Ending != nil && !cfg.Flow.Ending.MemoryOnly
	if cfg.Look != nil && cfg.Every > 0 {
		l.every, l.ask = cfg.Every, cfg.Look
	}
	return l
}

// ending reports whether connections that ended are not there any more.
func (l *looker) ending() bool { return l.silence || l.keeper.began() }

// waited is the time until which a source has waited in vain, or Unknown.
func waited(b *capture.Block) capture.Timestamp {
	if b.Now != 0 {
		return b.Now
	}
	return capture.Unknown
}

// latest is the time behind a block, or Unknown. It is asked for before the block is decoded,
// when that is known, too.
func (l *looker) latest(b *capture.Block) capture.Timestamp {
	latest := waited(b)
	if l.every == 0 {
		return latest
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

// look begins to show what was found so far, unless nobody wants to see it. All blocks that
// were read are applied.
func (l *looker) look() {
	if l.view = l.ask(); l.view == nil {
		return
	}
	l.totals = flow.NewTotals()
	for _, rec := range l.recorders {
		l.totals.Add(&rec.Totals)
	}
	for _, t := range l.tables {
		l.looks = append(l.looks, t.Look(&l.totals, l.view.Open))
	}
}

// show shows what comes next, and reports whether there is more. Nobody else is at work.
func (l *looker) show(n int) bool {
	if l.view == nil {
		return false
	}
	for len(l.looks) > 0 && !l.looks[0].Show(n) {
		l.looks = l.looks[1:]
	}
	if len(l.looks) > 0 {
		return true
	}
	l.view.Done(&l.totals)
	l.view, l.totals = nil, flow.Totals{}
	return false
}

// between looks, or goes on with it, behind a block that ends at a time.
func (l *looker) between(now capture.Timestamp) {
	passed, _ := now.Sub(l.before)
	l.before = now
	if !l.show(min(max(int(passed/timePerShown), leastShown), mostShown)) && l.due(now) {
		l.look()
	}
}

// stop ends what is being shown.
func (l *looker) stop() {
	for _, k := range l.looks {
		k.Stop()
	}
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
