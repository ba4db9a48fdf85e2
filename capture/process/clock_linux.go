package process

import (
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// A clock puts times since boot on the clock of captures.
type clock struct {
	now  capture.Timestamp
	boot time.Duration
}

// readClock reads both clocks at the same moment: again when the process was interrupted
// in between.
func readClock() clock {
	const good, tries = 2 * time.Microsecond, 10
	var best clock
	least := time.Duration(1 << 62)
	for range tries {
		before := sinceBoot()
		now := capture.Timestamp(time.Now().UnixNano())
		after := sinceBoot()
		if gap := after - before; gap < least {
			least, best = gap, clock{now, before + gap/2}
		}
		if least <= good {
			break
		}
	}
	return best
}

func sinceBoot() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t)
	return time.Duration(t.Nano())
}

func (c clock) zero() bool { return c.boot == 0 }

func (c clock) timestamp(boot time.Duration) capture.Timestamp {
	return c.now + capture.Timestamp(boot-c.boot)
}
