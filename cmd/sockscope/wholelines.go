package main

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

// wholeLines writes lines in pieces that a pipe takes as a whole or not at all (PIPE_BUF), so
// that a reader who stands still is never left with half a line, unless that is longer.
type wholeLines struct {
	w     io.Writer
	since atomic.Int64 // when the piece being written was begun, in ns since 1970; 0: none is
}

const (
	maxPiece = 4096
	maxLine  = 64 << 10 // of a longer line so much makes a piece
)

// Write writes b, which ends with a line.
func (l *wholeLines) Write(b []byte) (n int, err error) {
	for n < len(b) {
		l.since.Store(time.Now().UnixNano())
		m, err := l.w.Write(b[n : n+pieceOf(b[n:])])
		l.since.Store(0)
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// pieceOf is the length of the first lines of b that make a piece, at least one.
func pieceOf(b []byte) int {
	if len(b) <= maxPiece {
		return len(b)
	}
	if i := bytes.LastIndexByte(b[:maxPiece], '\n'); i >= 0 {
		return i + 1
	}
	if i := bytes.IndexByte(b, '\n'); 0 <= i && i < maxLine {
		return i + 1
	}
	return min(len(b), maxLine)
}

// stalls reports whether the reader has taken nothing for that long.
func (l *wholeLines) stalls(patience time.Duration) bool {
	since := l.since.Load()
	return since != 0 && time.Now().UnixNano()-since >= int64(patience)
}
