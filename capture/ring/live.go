package ring

import (
	"context"
	"errors"

	"golang.org/x/net/bpf"

	"sockscope/capture"
)

// A Direction says which frames are captured, seen from the host.
type Direction uint8

// Directions of Config. On loopback, where each frame goes out and comes in, it is
// seen once with any of them.
const (
	InOut Direction = iota
	In
	Out
)

// Config says what a live source captures, and how. The zero value captures
// everything on all interfaces.
type Config struct {
	// Interfaces are the names of those to capture from. "any" among them, or none
	// at all, means all interfaces: present ones and those to come.
	Interfaces []string

	SnapLength    int       // bytes kept of a frame; 0 means 262,144, the most that readers of captures take
	RingSize      int       // bytes of the memory that the kernel fills; 0 means 64 MiB, at least 2 MiB are used
	NoPromiscuous bool      // leave the interfaces' filters of hardware addresses on; "any" always does
	Direction     Direction // 0 means both

	// Filter is a classic BPF program as a socket takes it; none means all frames.
	// What it returns is further cut to SnapLength. No frame passes before it is set.
	Filter []bpf.RawInstruction

	Immediate bool // hand frames on within 1 ms instead of 60: more, smaller blocks
	Follow    bool // when no interface is left, wait until one is back instead of ending
}

// ErrGone is Next's error when the interfaces were deleted or moved to another
// network namespace, and all that they had received has been given.
var ErrGone = errors.New("no interface is left to capture from")

// Open starts to capture. When ctx is done, Next gives what was received until
// then, and then io.EOF.
//
// The frames' memory is the kernel's: a block that is not released is one that the
// kernel cannot fill. Close does not take it away from blocks still held.
func Open(ctx context.Context, cfg Config) (capture.Source, error) { return open(ctx, cfg) }
