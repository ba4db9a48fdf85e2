package main

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/decode/flow"
)

const (
	leastMemory = 16 << 20
	perWorker   = 16 << 20 // of memory, for there to be one more: each has blocks, chunks and registers of its own
)

// A memory is a flag value: how much memory connections may take, in bytes. 0 is half of what
// the machine has, or the group of processes may use.
type memory struct{ size }

func memoryFlag(fs *pflag.FlagSet, help string) *memory {
	m := &memory{}
	fs.Var(m, "memory", help)
	return m
}

// String is empty unless it was set: what the machine has is no part of the help.
func (m *memory) String() string {
	if m.value == 0 {
		return ""
	}
	return m.size.String()
}

func (m *memory) Set(text string) error {
	if err := m.size.Set(text); err != nil {
		return err
	}
	if m.value < leastMemory {
		return errors.New("must be at least 16M")
	}
	return nil
}

// bytes is how much connections may take; 0: there is no bound.
func (m *memory) bytes() int64 {
	if m.value == 0 {
		return machineMemory() / 2
	}
	return m.value
}

// reportMemory is how much of that the tables of each of n reports may take.
func reportMemory(memory, n int64) int64 {
	const most = 96 << 20 // they keep no more apart with more
	return max(min(memory/8*3, n*most), memory/16) / n
}

// workersWithin is how many workers there may be, of so many, 0 being one for each core.
func workersWithin(memory int64, workers, cores int) int {
	if workers == 0 {
		workers = cores
	}
	return int(min(int64(workers), max(1, memory/perWorker)))
}

// runtimeMemory is how much the Go runtime may take in all, so that what is no longer used
// is found in time: without that it waits until there is as much again.
func runtimeMemory(memory int64) int64 {
	const beside = 10 << 20 // blocks, the report, the runtime itself
	return min(memory, math.MaxInt64-beside) + beside
}

// limitRuntime bounds what the Go runtime takes, unless the user has done so (GOMEMLIMIT).
func limitRuntime(bytes int64) {
	if debug.SetMemoryLimit(-1) > bytes {
		debug.SetMemoryLimit(bytes)
	}
}

// evictions tells that memory was short.
func (p *program) evictions(t *flow.Totals, memory int64) {
	if t.Evicted == 0 && t.Outlived == 0 {
		return
	}
	s := size{memory}
	text := fmt.Sprintf("memory is short (--memory %s): ids are frame numbers, and connections are told as they go", &s)
	if t.Outlived > 0 {
		text += fmt.Sprintf("; %d that were over went early", t.Outlived)
	}
	if t.Evicted > 0 {
		text += fmt.Sprintf("; %d were evicted", t.Evicted)
		if t.EvictedSince.Known() {
			text += fmt.Sprintf(" (shortages: %d, from %s to %s)", t.Shortages, inSeconds(t.EvictedSince), inSeconds(t.EvictedUntil))
		}
		text += fmt.Sprintf(": what came of these later is in records of its own (part_of); there were about %d distinct tuples (+- %.1f %%)",
			t.Tuples.Estimate(), 100*flow.TuplesError)
	}
	p.remark("", text)
}

// inSeconds is a time in UTC, to the second.
func inSeconds(t capture.Timestamp) string { return t.Time().UTC().Format("2006-01-02T15:04:05Z") }

// early is told of connections of files that are told before the end, with what the source
// knows by then.
type early = func(stats func() capture.Stats, c *flow.Connection)
