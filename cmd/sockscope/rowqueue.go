package main

import (
	"sync"

	"sockscope/report"
)

// A rowQueue is between a capture, which must not wait, and whoever writes its rows. What
// finds it full is dropped and counted.
type rowQueue struct {
	mu      sync.Mutex
	changed sync.Cond
	batches [][]report.Row // the last one is being filled
	spare   []report.Row   // an empty one
	taken   int            // rows that the writer has
	waiting int            // rows in batches
	dropped uint64
	ended   bool // no more rows come
	stopped bool // no more rows are taken
}

const (
	maxRows  = 1 << 16 // 50 MiB
	batchLen = 512
)

func newRowQueue() *rowQueue {
	q := &rowQueue{}
	q.changed.L = &q.mu
	return q
}

// add takes row, or drops it when there is no room.
func (q *rowQueue) add(row report.Row) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped || q.waiting+q.taken >= maxRows {
		q.dropped++
		return
	}
	q.put(row)
}

// wait takes row when there is room for it. It reports false when rows are not taken any more.
func (q *rowQueue) wait(row report.Row) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.stopped && q.waiting+q.taken >= maxRows {
		q.changed.Wait()
	}
	if !q.stopped {
		q.put(row)
	}
	return !q.stopped
}

func (q *rowQueue) put(row report.Row) {
	last := len(q.batches) - 1
	if last < 0 || len(q.batches[last]) == batchLen {
		b := q.spare
		if q.spare = nil; b == nil {
			b = make([]report.Row, 0, batchLen)
		}
		q.batches = append(q.batches, b)
		last++
	}
	q.batches[last] = append(q.batches[last], row)
	q.waiting++
	q.changed.Broadcast()
}

// take gives the next rows, waiting for them, and takes those of the call before back: it
// tells whether any are left behind these. At the end there are none.
func (q *rowQueue) take(back []report.Row) (rows []report.Row, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
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
	q.batches = q.batches[1:]
	q.waiting -= len(rows)
	q.taken = len(rows)
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
		q.dropped += uint64(q.waiting + q.taken)
		q.batches, q.waiting, q.taken = nil, 0, 0
		q.changed.Broadcast()
	}
}

// lost is how many rows were dropped.
func (q *rowQueue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
