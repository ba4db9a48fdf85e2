package pcapfile

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"sockscope/capture"
)

// A walker takes the records of one format apart.
type walker interface {
	// walk takes the records at the start of data apart and appends their frames,
	// which point into data. off is data's place in the stream; eof says that
	// nothing follows data: what is incomplete then is damage.
	walk(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress)
}

// progress is how far a walk came.
type progress struct {
	used  int    // bytes that are done with
	need  int    // bytes that the next record needs, as far as is known; bounded
	next  walker // who goes on after used, when it is another one
	ended bool   // nothing after used can be read
}

// A source gives the bytes of an input, decompressed. A fault as Read's error is
// damage below the records: what was read before it counts.
type source interface {
	io.ReadCloser
}

// A fault is damage below the records.
type fault struct {
	code, what string
	stopped    bool
	cause      error // the operating system's
}

func (f *fault) Error() string { return f.what }
func (f *fault) Unwrap() error { return f.cause }

// A cursor reads one input from its beginning to its end.
type cursor struct {
	in    *input
	src   source // nil while the file is closed
	walk  walker
	rest  []byte // read and not yet walked; own memory
	off   int64  // of rest's first byte in the decompressed stream
	need  int    // bytes that must be there before walking again
	size  int    // bytes of a block
	most  int    // frames of a block so far
	whole bool   // blocks are filled, whatever single reads give
	again int64  // bytes decompressed again, to come back to where it was
	kept  uint64 // frames so far
	ended bool
}

func newCursor(in *input, size int) *cursor {
	c := &cursor{in: in, need: 1, size: size}
	c.walk = &sniffer{in: in, kept: &c.kept}
	return c
}

// fill reads on until there are frames, or returns io.EOF. They point into the
// memory that it returns: the given one or, when a record needs more, a new one.
func (c *cursor) fill(memory []byte, frames []capture.Frame) ([]byte, []capture.Frame, error) {
	if c.ended {
		return memory, frames, io.EOF
	}
	frames = slices.Grow(frames, c.most)
	if c.in.reader.marks {
		clear(frames[len(frames):cap(frames)]) // walkers set only what every frame has
	}
	if err := c.open(); err != nil {
		c.end(err)
		return memory, frames, io.EOF
	}
	memory = grow(memory, 0, max(c.size, len(c.rest)))
	n := copy(memory, c.rest)
	c.rest = c.rest[:0]
	if c.whole {
		c.need = max(c.need, c.size)
	}
	for {
		limit := max(c.size, c.need)
		memory = grow(memory, n, limit)
		m, err := c.src.Read(memory[n:limit])
		n += m
		if c.off+int64(n) > c.in.reader.cfg.MaxInput {
			n -= int(min(c.off+int64(n)-c.in.reader.cfg.MaxInput, int64(m)))
			err = &fault{code: "input-limit", stopped: true,
				what: fmt.Sprintf("input exceeds the limit of %d bytes", c.in.reader.cfg.MaxInput)}
		}
		if n < c.need && err == nil {
			continue
		}
		var used int
		frames, used = c.step(memory[:n], err == io.EOF, frames)
		if err != nil && !c.ended {
			c.end(err)
		}
		c.most = max(c.most, len(frames))
		if len(frames) > 0 {
			c.rest = append(c.rest, memory[used:n]...)
			return memory, frames, nil
		}
		if c.ended {
			return memory, frames, io.EOF
		}
		n = copy(memory, memory[used:n])
		c.need = max(c.need, n+1)
	}
}

// step walks what can be walked of data, by one walker after the other, and
// returns how much it was.
func (c *cursor) step(data []byte, eof bool, frames []capture.Frame) ([]capture.Frame, int) {
	used := 0
	for !c.ended {
		before := len(frames)
		var p progress
		frames, p = c.walk.walk(data[used:], c.off, eof, frames)
		c.kept += uint64(len(frames) - before)
		c.off += int64(p.used)
		used += p.used
		c.need = max(p.need, 1)
		if p.ended {
			c.end(nil)
		}
		if p.next == nil {
			break
		}
		c.walk = p.next
	}
	return frames, used
}

// end closes the source for good. err is what it said, if it was that.
func (c *cursor) end(err error) {
	c.ended = true
	var f *fault
	if errors.As(err, &f) {
		_, blank := c.walk.(*sniffer)
		c.in.damage(capture.Damage{Code: f.code, Offset: -1, What: f.what, Kept: c.kept,
			Stopped: f.stopped, Unread: blank && c.off == 0})
	}
	if c.kept == 0 && len(c.in.info.Damage) == 0 {
		c.in.note("no packets")
	}
	c.suspend()
	c.in.read(c.in.size) // nothing more will be
}

// suspend closes the file; the next fill opens it again and goes on.
func (c *cursor) suspend() {
	if c.src != nil {
		c.src.Close()
		c.src = nil
	}
}

// open opens the file where it was left.
func (c *cursor) open() error {
	if c.src != nil {
		return nil
	}
	at := c.off + int64(len(c.rest))
	if c.in.info.Compression != "" {
		if c.again += at; c.again > maxRedone*at {
			return errOverlap
		}
	}
	src, err := c.in.open(at)
	if tooManyFiles(err) {
		c.again -= at
	}
	if err != nil {
		return err
	}
	c.src = src
	return nil
}

// errOverlap ends an input that would be decompressed again and again.
var errOverlap = &fault{code: "too-many-open", stopped: true,
	what: "too many compressed inputs overlap in time to hold all open (decompress some first)"}

// grow gives memory of at least size bytes that holds the first n.
func grow(memory []byte, n, size int) []byte {
	if cap(memory) < size {
		bigger := make([]byte, size)
		copy(bigger, memory[:n])
		return bigger
	}
	return memory[:cap(memory)]
}

// A single is the feed of one input: its blocks are used as they were read.
type single struct {
	cursor *cursor
}

func newSingle(in *input) *single { return &single{newCursor(in, blockSize)} }

func (s *single) fill(b *capture.Block) error {
	memory, frames, err := s.cursor.fill(b.Memory, b.Frames)
	b.Memory, b.Frames = memory, frames
	if err != nil {
		return err
	}
	s.cursor.in.given(frames)
	return nil
}

func (s *single) close() { s.cursor.suspend(); s.cursor.ended = true }
