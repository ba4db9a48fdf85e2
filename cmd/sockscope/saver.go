package main

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"sockscope/capture/pcapfile"
)

const (
	chunkSize = 256 << 10 // bytes that are written at once
	queueSize = 64 << 20  // bytes that may wait to be written
	patience  = 2 * time.Second
)

// A chunk is whole records that are written together.
type chunk struct {
	data    []byte
	packets int
	begins  string // the name of the file that it is the beginning of; "": the file goes on
	ends    bool   // the file is whole behind it
}

// A saver writes chunks in a goroutine of its own, so that a slow disk or reader holds
// nobody up before the queue is full. When writing fails, what is not whole is cut off.
type saver struct {
	encoder *pcapfile.Encoder
	folder  *folder   // nil: all goes to out
	out     io.Writer // standard output

	work    chan chunk
	free    chan []byte // buffers, nil where none was made yet
	done    chan struct{}
	waiting atomic.Int64  // chunks that were handed over and not yet written
	saved   atomic.Uint64 // packets in files
	broken  atomic.Bool   // err is set, and nothing is written any more

	// The goroutine's own; others may look when it is done or has broken.
	file   *partial
	name   string // of the file
	offset int64  // of its end
	inFile int    // packets in it
	err    error
}

// newSaver makes a saver and its goroutine. first is its first file, nil when it has none
// yet or writes to standard output.
func newSaver(encoder *pcapfile.Encoder, folder *folder, out io.Writer) *saver {
	const buffers = queueSize / chunkSize
	s := &saver{encoder: encoder, folder: folder, out: out,
		work: make(chan chunk, buffers+1), free: make(chan []byte, buffers+1), done: make(chan struct{})}
	for range buffers {
		s.free <- nil
	}
	go s.run()
	return s
}

// run is the goroutine. It ends when work is closed.
func (s *saver) run() {
	defer close(s.done)
	for c := range s.work {
		if !s.broken.Load() {
			if s.err = s.write(&c); s.err != nil {
				s.broken.Store(true)
			}
		}
		s.waiting.Add(-1)
		if cap(c.data) > 4*chunkSize {
			c.data = nil // it was for something exceptional
		}
		s.free <- c.data[:0]
	}
	if s.file != nil { // nobody asked for its end
		s.file.Close()
	}
}

// write writes one chunk.
func (s *saver) write(c *chunk) error {
	var w io.Writer = s.out
	if s.folder != nil {
		if c.begins != "" && (s.file == nil || s.file.name != c.begins) {
			s.name = c.begins
			f, err := s.folder.create(c.begins)
			if err != nil {
				return err
			}
			s.file, s.offset, s.inFile = f, 0, 0
		}
		w = s.file
	}
	if len(c.data) > 0 { // nothing is left, perhaps, but to end the file
		n, err := w.Write(c.data)
		if err != nil {
			s.cut(c, n)
			return systemError(err)
		}
		s.offset += int64(n)
	}
	s.saved.Add(uint64(c.packets))
	s.inFile += c.packets
	if c.ends && s.file != nil {
		f := s.file
		s.file = nil
		err := f.finish()
		if errors.Is(err, errTaken) {
			s.saved.Add(-uint64(s.inFile))
		}
		return err
	}
	return nil
}

// cut cuts the file back to the last whole record, after only n bytes of c could be
// written. What is left is a capture file; when nothing is, there is none.
func (s *saver) cut(c *chunk, n int) {
	whole, packets := s.encoder.Whole(c.data[:n], s.offset == 0)
	if s.file == nil {
		if f, ok := s.out.(*os.File); ok && whole < n {
			if at, err := f.Seek(0, io.SeekCurrent); err == nil { // it is a file
				_ = f.Truncate(at - int64(n-whole))
			}
		}
		s.saved.Add(uint64(packets))
		return
	}
	f := s.file
	s.file = nil
	if s.offset+int64(whole) == 0 {
		f.discard()
		return
	}
	if f.Truncate(s.offset+int64(whole)) != nil {
		packets = 0 // they may be torn; the records before are there
	}
	s.saved.Add(uint64(packets))
	_ = f.finish() // the error that led here is the one to tell
}

// open begins the first file, so that nothing is captured for which there is no place.
func (s *saver) open(name string) (err error) {
	s.name = name
	s.file, err = s.folder.create(name)
	return err
}

// idle reports whether all that was handed over is written.
func (s *saver) idle() bool { return s.waiting.Load() == 0 }

// hand hands a chunk over. There is room: its buffer is one of those that were free, or
// the last.
func (s *saver) hand(c chunk) {
	s.waiting.Add(1)
	s.work <- c
}

// errStalled is the error of an output that takes nothing any more.
var errStalled = errors.New("takes nothing any more")

// close waits until all is written, as long as something is, and gives the error there
// was.
func (s *saver) close() error {
	close(s.work)
	for left := s.waiting.Load(); ; {
		select {
		case <-s.done:
			return s.err
		case <-time.After(patience):
		}
		now := s.waiting.Load()
		if now == left {
			return errStalled
		}
		left = now
	}
}
