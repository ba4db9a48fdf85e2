package engine

import (
	"cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// Of Config.Memory Config.Beside is left to who is told, and of the rest connections may take
// two thirds: what remains is for those of the frames that come before the next look, an
// index that is copied into a larger one, and chunks that are not full.
const (
	boundShare     = 2
	boundOf        = 3
	mostBeside     = 24 << 20 // bytes, where Config.Beside does not say it, but not more than three eighths
	perConnection  = 4 << 10  // of memory there is one departure that is remembered
	mostDepartures = 1 << 20
	perTunnel      = 8 << 10  // of memory one tunnel has a sum
	frameCost      = 512      // bytes that a frame adds at most, taken over many
	mostCost       = 2 << 10  // that a single one adds
	littleMemory   = 64 << 20 // of connections
)

// bounded reports whether memory bounds the connections.
func (cfg *Config) bounded() bool { return cfg.Memory > 0 && cfg.Flow.Ending != nil }

// A keeper keeps what a run's connections take within Config.Memory. When to look is a
// matter of the frames' numbers and what to do one of the connections alone (see
// flow.Relief), so the answers do not depend on the workers.
type keeper struct {
	relief *flow.Relief // nil: there is no bound
	bound  int64
	every  uint64 // frames between two looks
}

func newKeeper(cfg *Config, tables []*flow.Table) *keeper {
	k := &keeper{}
	if !cfg.bounded() {
		return k
	}
	beside := min(cmp.Or(cfg.Beside, mostBeside), cfg.Memory/8*3)
	k.bound = (cfg.Memory - beside) / boundOf * boundShare
	k.every = max(1, uint64(cfg.Memory/8/frameCost))
	k.relief = flow.NewRelief(tables, k.bound, int(min(cfg.Memory/perConnection, mostDepartures)))
	return k
}

// due reports whether to look behind a block: whether a frame with a number that is due
// is in it, or something is left of the last time.
func (k *keeper) due(b *capture.Block) bool {
	switch {
	case k.relief == nil:
		return false
	case k.relief.Pending():
		return true
	case len(b.Frames) == 0:
		return false
	}
	return (b.First-1)/k.every != (b.First-1+uint64(len(b.Frames)))/k.every
}

// near reports whether what is used may be too much, with frames that are not yet applied.
func (k *keeper) near(used int64, frames uint64) bool {
	return used+int64(frames)*mostCost > k.bound
}

// blocks is how many blocks of frames there are to be for each worker: fewer where they are
// much of the memory.
func (k *keeper) blocks() int {
	if k.relief != nil && k.bound < littleMemory {
		return blocksPerWorker / 2
	}
	return blocksPerWorker
}

// began reports whether connections were finished.
func (k *keeper) began() bool { return k.relief != nil && k.relief.Began() }
