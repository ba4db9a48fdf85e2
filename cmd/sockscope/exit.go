package main

import (
	"errors"
	"syscall"
)

// Exit statuses. 2 is never one of them: it is a crashed Go program's.
const (
	exitDone        = 0
	exitDamaged     = 1   // results given, but an input was damaged
	exitNotStarted  = 3   // a source cannot be used
	exitOutput      = 4   // an output failed
	exitEnded       = 5   // a live capture ended before it was asked to
	exitUsage       = 64  // wrong usage
	exitInterrupted = 130 // Ctrl-C before the end of a file
)

// A failure is an error with the exit status it leads to. A nil err has been
// told to the user already.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// outputFailure is a failure to write results. err may be nil.
func outputFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return &failure{status: exitDone} // the reader has seen enough
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno // "write /dev/stdout: no space left on device" says it twice
	}
	return &failure{exitOutput, errors.New("standard output: " + err.Error())}
}
