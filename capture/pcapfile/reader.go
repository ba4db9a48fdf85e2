// Package pcapfile reads capture files and streams as a capture.Source: pcap and
// pcapng in all their variants, snoop, Network Monitor's and NetXRay's, plain or
// compressed, one or many in time order.
//
// Nothing in a file is trusted: every length is checked against what is really
// there before it is used, and damage is told with its record and offset while
// everything before it is kept.
package pcapfile

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"sockscope/capture"
)

// Limits of what one input may ask for.
const (
	maxCaptured   = 262_144 // bytes of one frame, libpcap's MAXIMUM_SNAPLEN
	maxBlock      = 16 << 20
	maxInterfaces = 65_536 // in one input
	maxAhead      = 8      // inputs that are decompressed in goroutines of their own
	maxDamage     = 16     // entries told in full for one input
	maxNotes      = 64     // of one input
	blockSize     = 256 << 10
)

// Config says how inputs are read; the zero value works.
type Config struct {
	MaxInput int64     // decompressed bytes of one input at most; 0 means 1 TiB
	Stdin    io.Reader // what "-" reads; nil means os.Stdin
}

// A Reader gives the frames of its inputs, merged by time. It is a
// capture.Source and belongs to one goroutine, except Release and Progress.
type Reader struct {
	cfg        Config
	inputs     []*input
	interfaces []capture.Interface
	owners     owners
	marks      bool // a frame had a direction, an owner or no checksums: what is seldom set and not reset
	next       feed
	number     uint64 // of the next block
	first      uint64 // of the next frame
	failed     error
	done       atomic.Int64
	total      int64
}

// A feed fills blocks: one cursor for a single input, a merge for several.
type feed interface {
	fill(b *capture.Block) error
	close()
}

// ErrNoInput is Open's error when no name was given.
var ErrNoInput = errors.New("pcapfile: no input")

// Open prepares names as one Source in time order. A name is a file, a
// directory (its files), a glob pattern when no file has that literal name, or
// "-" for standard input. An input that cannot be used does not stop the others:
// its Damage in Stats says why. Waiting reads (FIFOs, pipes) end when ctx is done.
func Open(ctx context.Context, names []string, cfg Config) (*Reader, error) {
	if len(names) == 0 {
		return nil, ErrNoInput
	}
	if cfg.MaxInput <= 0 {
		cfg.MaxInput = 1 << 40
	}
	r := &Reader{cfg: cfg, first: 1}
	operands := expand(names)
	stream := false
	for _, op := range operands {
		in := newInput(ctx, r, op)
		in.ahead = len(operands) <= maxAhead
		r.inputs = append(r.inputs, in)
		r.total += max(in.size, 0)
		stream = stream || in.size < 0
	}
	if stream {
		r.total = 0 // the length of a stream is unknown, so is the sum
	}
	noteRepeats(r.inputs)
	if len(r.inputs) == 1 {
		r.next = newSingle(r.inputs[0])
	} else {
		r.next = newMerge(r)
	}
	return r, nil
}

// Next fills b with the next frames of all inputs in time order.
func (r *Reader) Next(b *capture.Block) error {
	b.Frames = b.Frames[:0]
	if r.failed != nil {
		return r.failed
	}
	b.Number, b.First = r.number, r.first
	if err := r.next.fill(b); err != nil {
		b.Frames = b.Frames[:0]
		r.failed = err
		r.next.close()
		return err
	}
	r.number++
	r.first += uint64(len(b.Frames))
	return nil
}

// Release does nothing: the memory stays with the Block, which the next Next
// reuses.
func (r *Reader) Release(*capture.Block) {}

// Progress tells how many bytes of the inputs have been read (compressed ones as
// they are stored) and how many there are, 0 when that is unknown. Any goroutine
// may call it.
func (r *Reader) Progress() (done, total int64) {
	return r.done.Load(), r.total
}

// Stats tells what has been given so far.
func (r *Reader) Stats() capture.Stats {
	s := capture.Stats{
		Inputs:     make([]capture.Input, len(r.inputs)),
		Interfaces: append([]capture.Interface(nil), r.interfaces...),
		Owners:     r.owners.list[:len(r.owners.list):len(r.owners.list)], // which only grows
	}
	for i, in := range r.inputs {
		s.Inputs[i] = in.snapshot()
	}
	return s
}

// Close closes the inputs and waits for the goroutines that read ahead.
func (r *Reader) Close() error {
	r.next.close()
	if r.failed == nil {
		r.failed = errClosed
	}
	return nil
}

var errClosed = errors.New("pcapfile: reader is closed")
