package main

import (
	"sync"
	"unsafe"

	"sockscope/decode/flow"
)

// A rowQueue is between a capture and whoever writes its rows. While packets come, which must
// not wait, what finds it full is dropped and counted; afterwards it waits for room.
type rowQueue struct {
	mu      sync.Mutex
	changed sync.Cond
	batches [][]queued // the last one is being filled
	spare   []queued   // an empty one
	rows    int        // in batches, and those that the writer has
	bytes   int        // that they take
	taken   int        // bytes of those that the writer has
	dropped uint64
	patient bool // no more packets come
	ended   bool // no more rows come
	stopped bool // no more rows are taken
}

// Queued is what was told of a connection.
type queued struct {
	flow.Connection
	event flow.Event
}

const (
	// What the queue takes of memory, in bytes: with what else grows when nobody reads it is
	// less than 16 MiB, and what a table ends behind one block of frames fits, be it by
	// silence or because memory is short.
	maxQueued = 14 << 20

	batchLen = 512
)

// size is the memory that r takes, in bytes, with what it alone points to.
func (r *queued) size() int {
	return int(unsafe.Sizeof(*r)) + len(r.Evidence.ServerName) + len(r.Evidence.ALPN) + len(r.SYNWaits)*int(unsafe.Sizeof(r.SYNWaits[0]))
}

func newRowQueue() *rowQueue {
	q := &rowQueue{}
	q.changed.L = &q.mu
	return q
}

// add takes what is told of c, or drops it when there is no room. It reports false when rows
// are not taken any more.
func (q *rowQueue) add(e flow.Event, c *flow.Connection) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.patient && !q.stopped && q.bytes >= maxQueued {
		q.changed.Wait()
	}
	if q.stopped || q.bytes >= maxQueued {
		q.dropped++
		return !q.stopped
	}
	q.put(e, c)
	return true
}

// wait lets add wait for room from now on.
func (q *rowQueue) wait() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.patient = true
}

func (q *rowQueue) put(e flow.Event, c *flow.Connection) {
	last := len(q.batches) - 1
	if last < 0 || len(q.batches[last]) == batchLen {
		b := q.spare
		if q.spare = nil; b == nil {
			b = make([]queued, 0, batchLen)
		}
		q.batches = append(q.batches, b)
		last++
	}
	q.batches[last] = append(q.batches[last], queued{*c, e})
	q.rows++
	q.bytes += q.batches[last][len(q.batches[last])-1].size()
	q.changed.Broadcast()
}

// take gives the next rows, waiting for them, and takes those of the call before back: it
// tells whether any are left behind these. At the end there are none.
func (q *rowQueue) take(back []queued) (rows []queued, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.stopped {
		q.rows -= len(back)
		q.bytes -= q.taken
	}
	q.taken = 0
	if cap(back) == batchLen {
		clear(back)
		q.spare = back[:0]
	}
	q.changed.Broadcast()
	for len(q.batches) == 0 && !q.ended && !q.stopped {
		q.changed.Wait()
	}
	if len(q.batches) == 0 || q.stopped {
		return nil, false
	}
	rows = q.batches[0]
	q.batches[0] = nil
	q.batches = q.batches[1:]
	for i := range rows {
		q.taken += rows[i].size()
	}
	return rows, len(q.batches) > 0
}

// end says that no more rows come.
func (q *rowQueue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.changed.Broadcast()
}

// stop says that no more rows are taken: those that wait are dropped.
func (q *rowQueue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.stopped {
		q.stopped = true
		q.dropped += uint64(q.rows)
		q.batches, q.rows, q.bytes = nil, 0, 0
		q.changed.Broadcast()
	}
}

// lost is how many rows were dropped.
func (q *rowQueue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
