package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"sockscope/capture"
	"sockscope/capture/ring"
)

// A tap captures what passes the client's interface.
type tap struct {
	thread *thread
	source capture.Source
	stop   context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	frames []capture.Frame
	err    error
}

// newTap begins to capture in a network namespace, on a thread of its own.
func newTap(space int) (t *tap, err error) {
	t = &tap{thread: newThread(), done: make(chan struct{})}
	var ctx context.Context
	ctx, t.stop = context.WithCancel(context.Background())
	t.thread.do(func() {
		if err = unix.Setns(space, unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("enter the network namespace: %w", err)
			return
		}
		t.source, err = ring.Open(ctx, ring.Config{Interfaces: []string{Client}, RingSize: 4 << 20, Immediate: true})
	})
	if err != nil {
		t.stop()
		t.thread.end()
		return nil, err
	}
	t.thread.jobs <- t.run
	return t, nil
}

// run reads until the tap is stopped.
func (t *tap) run() {
	defer close(t.done)
	var b capture.Block
	for {
		err := t.source.Next(&b)
		if errors.Is(err, io.EOF) {
			return
		}
		t.mu.Lock()
		if err != nil {
			t.err = err
			t.mu.Unlock()
			return
		}
		for _, f := range b.Frames {
			if len(f.Data) < 14 || binary.BigEndian.Uint16(f.Data[12:]) != unix.ETH_P_IP {
				continue // what the kernel asks for itself
			}
			f.Data, f.Interface = slices.Clone(f.Data), 0
			t.frames = append(t.frames, f)
		}
		t.mu.Unlock()
		t.source.Release(&b)
	}
}

// have asks something of the frames so far.
func (t *tap) have(seen func([]capture.Frame) bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return seen(t.frames)
}

// close ends the capture and gives its frames, by time.
func (t *tap) close() ([]capture.Frame, error) {
	t.stop()
	<-t.done
	t.source.Close()
	t.thread.end()
	slices.SortStableFunc(t.frames, func(a, b capture.Frame) int { return int(a.Time - b.Time) })
	return t.frames, t.err
}
