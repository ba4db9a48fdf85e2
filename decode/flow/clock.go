package flow

import (
	"time"

	"sockscope/capture"
)

// A clock is the time by which silence is measured: that of the frames, which may be
// wrong. It does not run backwards, unless it was set back.
type clock struct {
	now   capture.Timestamp
	since capture.Timestamp // when now was set: there was no silence before
	jumps uint64            // how often it was set forward
}

const (
	maxStep     = time.Hour   // further ahead the clock did not go on but was set
	maxDisorder = time.Second // further back, likewise; frames of two interfaces overtake each other by less
)

func newClock() clock { return clock{now: capture.Unknown, since: capture.Unknown} }

// advance moves the clock to when. One that was set says nothing about silence: what
// is then new begins there, so that a single wrong time does not end everything.
func (c *clock) advance(when capture.Timestamp) {
	if !when.Known() {
		return
	}
	step, ok := when.Sub(c.now)
	switch {
	case !c.now.Known():
	case !ok && when > c.now, ok && step > maxStep:
		c.jumps++
	case ok && step >= 0:
		c.now = when
		return
	case ok && step >= -maxDisorder:
		return
	}
	c.now, c.since = when, when
}

// silence is how long nothing came of what came last at a time. Times beyond the clock are
// of another setting of it, as are those before it was set.
func (c *clock) silence(latest capture.Timestamp) time.Duration {
	if latest < c.since || latest > c.now {
		latest = c.since
	}
	d, _ := c.now.Sub(latest)
	return d
}
