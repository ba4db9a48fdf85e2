package main

import (
	"io/fs"
	"syscall"
)

// A closedWriter stands for a standard output that was closed before the program
// began.
type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "standard output", Err: syscall.EBADF}
}
