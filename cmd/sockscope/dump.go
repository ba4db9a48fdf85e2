package main

import (
	"context"
	"errors"
	"io"
	"time"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
)

// flushEvery is how long what was captured waits for a chunk to be full, while the output
// has nothing else to do. Killed without warning, the program loses no more than that.
const flushEvery = 250 * time.Millisecond

// late is how long after the end of a period no frame of it can come any more.
const late = time.Second

// A dump writes the frames of a source to files. It belongs to one goroutine.
type dump struct {
	src     capture.Source
	live    bool
	filter  *frameFilter // nil: all frames pass
	encoder *pcapfile.Encoder
	saver   *saver
	names   *naming // nil: standard output
	most    int     // frames; 0: no limit
	bytes   int64   // of all files, after which to stop; 0: no limit
	each    bool    // hand on what there is after each block
	end     func()  // makes a live source end

	chunk   chunk
	ready   bool      // chunk has a buffer
	flushed time.Time // when a chunk was handed over last
	name    string    // of the file that frames go to; "" when the next frame begins one
	size    int64     // of that file
	total   int64     // bytes of all files

	packets uint64 // encoded
	dropped uint64 // for which there was no room
	lost    uint64 // of these, those that no packet in a file tells of
	begun   bool   // the first file is there
	refused error  // why it cannot be
	err     error  // of encoding or naming
	stopped bool   // enough: no more frames are taken
}

// begin begins the first file, unless it was begun.
func (r *dump) begin(now time.Time) {
	if r.begun || r.refused != nil {
		return
	}
	name := "-"
	if r.names != nil {
		if name, r.refused = r.names.start(now); r.refused == nil {
			r.refused = r.saver.open(name)
		}
	}
	if r.refused != nil {
		r.stopped = true
		return
	}
	r.begun = true
	r.open(name)
}

// run takes all frames of the source, until ctx is done, there were enough, or the output
// fails. A live source that was told to end gives what it had received until then.
func (r *dump) run(ctx context.Context) error {
	var b capture.Block
	r.flushed = time.Now()
	for ended := false; ; {
		err := r.src.Next(&b)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		}
		for i := range b.Frames {
			f := &b.Frames[i]
			if r.stopped && !r.failing() {
				break
			}
			if r.filter == nil || r.filter.match(f) {
				r.frame(ctx, f)
			}
		}
		quiet := len(b.Frames) == 0
		r.src.Release(&b)
		if quiet && r.live && r.names != nil && r.names.over(time.Now().Add(-late)) {
			r.finishPeriod()
		}
		r.flush(quiet || !r.live) // who writes to a pipe that we read may pause now
		if r.failing() {
			r.stopped = true
		}
		switch {
		case r.stopped && !r.live, !r.live && ctx.Err() != nil, r.stopped && !r.failing():
			return nil
		case r.stopped && !ended:
			r.end() // what is on the way still is counted as not saved
			ended = true
		}
	}
}

// failing reports whether the output has failed.
func (r *dump) failing() bool { return r.err != nil || r.saver.broken.Load() }

// frame takes one frame.
func (r *dump) frame(ctx context.Context, f *capture.Frame) {
	if r.failing() {
		r.packets++ // not saved
		return
	}
	if r.names != nil && !r.turn(f) {
		return
	}
	if !r.ready && !r.reserve(ctx) {
		if r.live {
			r.dropped++
			r.lost++
		}
		return
	}
	if r.name == "" && !r.another(f) {
		return
	}
	before := len(r.chunk.data)
	var err error
	if r.chunk.data, err = r.encoder.Frame(r.chunk.data, f, r.lost); err != nil {
		r.packets++
		r.fail(err)
		return
	}
	r.lost = 0
	r.chunk.packets++
	r.packets++
	r.grown(before)
	if len(r.chunk.data) >= chunkSize {
		r.hand()
	}
	if r.most > 0 && r.packets >= uint64(r.most) || r.bytes > 0 && r.total >= r.bytes {
		r.stopped = true
		if r.end != nil {
			r.end()
		}
	}
}

// grown counts what was added to the chunk.
func (r *dump) grown(before int) {
	n := int64(len(r.chunk.data) - before)
	r.size += n
	r.total += n
}

// reserve gets a buffer for the next chunk. A file can wait for one, an interface cannot.
func (r *dump) reserve(ctx context.Context) bool {
	var buffer []byte
	if r.live {
		select {
		case buffer = <-r.saver.free:
		default:
			return false
		}
	} else {
		select {
		case buffer = <-r.saver.free:
		case <-ctx.Done():
			return false
		}
	}
	if buffer == nil {
		buffer = make([]byte, 0, chunkSize+chunkSize/4)
	}
	r.chunk = chunk{data: buffer}
	r.ready = true
	return true
}

// flush hands over what there is, when it has waited long enough and the output has
// nothing else to do.
func (r *dump) flush(quiet bool) {
	if !r.ready || len(r.chunk.data) == 0 || !r.saver.idle() {
		return
	}
	if quiet || r.each || time.Since(r.flushed) >= flushEvery {
		r.hand()
	}
}

func (r *dump) hand() {
	r.saver.hand(r.chunk)
	r.chunk, r.ready = chunk{}, false
	r.flushed = time.Now()
}

func (r *dump) fail(err error) { r.err = err }

// close ends the last file and waits until all is written.
func (r *dump) close() error {
	if !r.ready {
		r.chunk, r.ready = chunk{}, true // whether or not the queue is full
	}
	if r.name != "" {
		r.finishFile()
	} else {
		r.hand()
	}
	err := r.saver.close()
	if r.err != nil {
		err = r.err
	}
	return err
}

// unsaved is how many packets are in no file.
func (r *dump) unsaved() uint64 { return r.packets - r.saver.saved.Load() }
