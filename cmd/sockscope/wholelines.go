package main

import (
	"bytes"
	"io"
	"sync/atomic"
)

// wholeLines writes lines in pieces that a pipe takes as a whole or not at all (PIPE_BUF), so
// that a reader who stands still is never left with half a line.
type wholeLines struct {
	w      io.Writer
	pieces atomic.Uint64 // written
}

const maxPiece = 4096

// Write writes b, which ends with a line.
func (l *wholeLines) Write(b []byte) (n int, err error) {
	for n < len(b) {
		m, err := l.w.Write(b[n : n+pieceOf(b[n:])])
		n += m
		if err != nil {
			return n, err
		}
		l.pieces.Add(1)
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
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}
