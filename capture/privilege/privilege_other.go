//go:build !linux

package privilege

import (
	"errors"

	"sockscope/capture"
)

func drop(Config) (State, error) { return State{}, errors.ErrUnsupported }

func serve(func(pid int) ([]capture.Link, error)) error { return errors.ErrUnsupported }

func startHelper() (*Helper, error) { return nil, errors.ErrUnsupported }

// A Helper is the process that knows who holds a socket: there is none here.
type Helper struct{}

// Links gives an error.
func (h *Helper) Links(pid int) ([]capture.Link, error) { return nil, errNoHelper }

// Close does nothing.
func (h *Helper) Close() {}
