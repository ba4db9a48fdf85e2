package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unsafe"

	"sockscope/decode/flow"
)

// room is how many connections without a name the queue holds: with one more it is full.
const room = (maxQueued + int(unsafe.Sizeof(queued{})) - 1) / int(unsafe.Sizeof(queued{}))

func connectionWithID(id uint64) *flow.Connection { return &flow.Connection{ID: id} }

// A full queue drops and counts what comes, and gives the rest in order, once.
func TestRowQueueIsBounded(t *testing.T) {
	q := newRowQueue()
	const more = 1000
	for i := range uint64(room + more) {
		q.add(flow.Ended, connectionWithID(i))
	}
	if q.lost() != more {
		t.Errorf("%d lost, want %d", q.lost(), more)
	}
	q.end()
	next := uint64(0)
	for rows, left := q.take(nil); len(rows) > 0; rows, left = q.take(rows) {
		for i := range rows {
			if rows[i].ID != next {
				t.Fatalf("row %d, want %d", rows[i].ID, next)
			}
			next++
		}
		if left != (next < uint64(room)) {
			t.Fatalf("behind row %d: more is %v", next, left)
		}
	}
	if next != uint64(room) {
		t.Errorf("%d rows, want %d", next, room)
	}
}

// What a row alone points to counts, too.
func TestRowQueueCountsNames(t *testing.T) {
	q := newRowQueue()
	c := connectionWithID(1)
	c.Evidence.ServerName, c.SYNWaits = strings.Repeat("x", 255), make([]time.Duration, 8)
	for range room {
		q.add(flow.Ended, c)
	}
	if want := room * (255 + 64) / (int(unsafe.Sizeof(queued{})) + 255 + 64); int(q.lost()) < want-1 || int(q.lost()) > want+1 {
		t.Errorf("%d lost, want %d", q.lost(), want)
	}
	row := queued{*c, flow.Ended}
	held := room - int(q.lost())
	rows, _ := q.take(nil)
	if q.take(rows); q.bytes != (held-batchLen)*row.size() || q.rows != held-batchLen {
		t.Errorf("%d rows of %d bytes are left", q.rows, q.bytes)
	}
	q.stop()
	if q.lost() != uint64(room-batchLen) || q.bytes != 0 {
		t.Errorf("%d lost, %d bytes left", q.lost(), q.bytes)
	}
}

// Whoever waits for room gets it, and is let go when nobody takes rows any more.
func TestRowQueueWait(t *testing.T) {
	q := newRowQueue()
	for i := range uint64(room) {
		q.add(flow.Ended, connectionWithID(i))
	}
	waited := make(chan bool)
	q.wait()
	go func() { waited <- q.add(flow.Ended, connectionWithID(uint64(room))) }()
	select {
	case <-waited:
		t.Fatal("a full queue took a row")
	case <-time.After(20 * time.Millisecond):
	}
	rows, _ := q.take(nil)
	q.take(rows)
	if !<-waited || q.lost() != 0 {
		t.Errorf("no row was taken, %d lost", q.lost())
	}
	for q.bytes < maxQueued {
		q.add(flow.Ended, connectionWithID(0))
	}
	go func() { waited <- q.add(flow.Ended, connectionWithID(1)) }()
	q.stop()
	if <-waited {
		t.Error("a row was taken by nobody")
	}
	if rows, _ := q.take(nil); len(rows) != 0 || q.lost() == 0 {
		t.Errorf("%d rows from a queue that was stopped, %d lost", len(rows), q.lost())
	}
}

// A connection's life for the queue that is not full: nothing waits and nothing is lost.
func TestRowQueueHandsOver(t *testing.T) {
	q := newRowQueue()
	q.wait()
	const n = 200_000
	go func() {
		for i := range uint64(n) {
			q.add(flow.Ended, connectionWithID(i))
		}
		q.end()
	}()
	next := uint64(0)
	for rows, _ := q.take(nil); len(rows) > 0; rows, _ = q.take(rows) {
		for i := range rows {
			if rows[i].ID != next {
				t.Fatalf("row %d, want %d", rows[i].ID, next)
			}
			next++
		}
	}
	if next != n || q.lost() != 0 {
		t.Errorf("%d rows and %d lost, want %d and none", next, q.lost(), n)
	}
}

// A piece is whole lines, at most what a pipe takes at once unless a line is longer.
func TestWholeLines(t *testing.T) {
	long := strings.Repeat("x", 2*maxPiece) + "\n"
	short := strings.Repeat(strings.Repeat("y", 99)+"\n", 100)
	var pieces [][]byte
	l := &wholeLines{w: writerFunc(func(b []byte) (int, error) {
		pieces = append(pieces, bytes.Clone(b))
		return len(b), nil
	})}
	for _, text := range []string{short, long, long + short, "z\n"} {
		pieces = nil
		if n, err := io.WriteString(l, text); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
		if string(bytes.Join(pieces, nil)) != text {
			t.Error("the pieces are not the text")
		}
		for _, p := range pieces {
			if !bytes.HasSuffix(p, []byte("\n")) || len(p) > maxPiece && bytes.Count(p, []byte("\n")) != 1 {
				t.Errorf("a piece of %d bytes, %d lines", len(p), bytes.Count(p, []byte("\n")))
			}
		}
	}
	l.w = writerFunc(func(b []byte) (int, error) { return 0, io.ErrClosedPipe })
	if _, err := l.Write([]byte("a\n")); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
