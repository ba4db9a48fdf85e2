package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report"
)

// stallTime is how long a reader who takes nothing is waited for after Ctrl-C.
const stallTime = 700 * time.Millisecond

// A stream writes connections of a capture that goes on, as they end. What the reader does
// not take in time is dropped, so that no packet is: see rowQueue.
type stream struct {
	queue *rowQueue
	lines *wholeLines
	open  func(src *tapped) (report.ConnectionWriter, error)
	facts *facts
	stop  context.CancelFunc // ends the capture

	left  atomic.Bool   // the reader has, having seen enough
	begun bool          // the capture has, and the writer
	done  chan struct{} // the writer is
	err   error         // its error, when it is done
	taken chan bool     // whether the reader took all; nil while the capture goes on
}

// streamConnections captures and writes connections as they end, and the open ones at the
// end.
func streamConnections(ctx context.Context, p *program, source *sourceFlags, steps bool, o report.ConnectionOptions, format string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &stream{queue: newRowQueue(), lines: &wholeLines{w: p.stdout}, stop: stop, done: make(chan struct{})}
	s.open = func(src *tapped) (report.ConnectionWriter, error) {
		o.Interfaces, o.MoreInterfaces = src.interfaces(), src.interfaces
		o.Processes = s.facts.owners != nil
		o.Began = capture.Timestamp(time.Now().UnixNano())
		return report.NewConnectionWriter(s.lines, format, o)
	}
	source.tap = &tap{
		begin: func(src *tapped, k *facts) {
			s.begun, s.facts = true, k
			go s.write(src)
			go watchReader(p.stdout, s.done, s.leave)
		},
		tell:  func(e flow.Event, c *flow.Connection) { s.queue.add(e, c) },
		over:  func() { s.finish(ctx) },
		steps: steps,
	}
	r, err := source.read(ctx, p)
	if !s.begun {
		return err
	}
	s.finish(ctx)
	if err != nil {
		s.queue.end()
		<-s.taken
		return err
	}
	go func() {
		for c := range r.result.Connections() {
			if !s.queue.add(flow.Ended, c) {
				return
			}
		}
		s.queue.end()
	}()
	if !<-s.taken {
		return &failure{exitOutput, fmt.Errorf("standard output: its reader takes nothing: up to %d lines were not written", s.queue.lost())}
	}
	if err := outputFailure(s.err); err != nil {
		return err
	}
	if s.left.Load() {
		return &failure{status: exitDone}
	}
	if lost := s.queue.lost(); lost > 0 {
		return &failure{exitOutput, fmt.Errorf("standard output: its reader is too slow: %d lines were dropped", lost)}
	}
	return r.verdict(p)
}

// write writes what is in the queue, until its end or an error, which ends the capture.
func (s *stream) write(src *tapped) {
	defer close(s.done)
	s.err = s.writeRows(src)
	if s.err != nil {
		s.queue.stop()
		s.stop()
	}
}

// leave ends the capture because nobody reads.
func (s *stream) leave() {
	s.left.Store(true)
	s.queue.stop()
	s.stop()
}

func (s *stream) writeRows(src *tapped) error {
	w, err := s.open(src)
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var rows []queued
	var row report.Row
	for {
		var more bool
		rows, more = s.queue.take(rows)
		if len(rows) == 0 {
			return w.Close()
		}
		for i := range rows {
			s.facts.setRow(&row, &rows[i].Connection)
			row.Event = rows[i].event
			if err := w.Write(&row); err != nil {
				return err
			}
		}
		if !more {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// finish begins to wait for the writer, and lets what is told wait for it, too: the capture
// is over. After Ctrl-C a reader who takes nothing is left behind.
func (s *stream) finish(ctx context.Context) {
	if s.taken != nil {
		return
	}
	s.taken = make(chan bool, 1)
	s.queue.wait()
	go func() {
		took := awaitReader(ctx, s.done, s.lines)
		if !took {
			s.queue.stop()
		}
		s.taken <- took
	}()
}

// awaitReader waits until done is closed, but after Ctrl-C not for a reader who takes nothing:
// it then returns false.
func awaitReader(ctx context.Context, done <-chan struct{}, lines *wholeLines) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	for {
		select {
		case <-done:
			return true
		case <-time.After(stallTime / 7):
		}
		if lines.stalls(stallTime) {
			return false
		}
	}
}
