//go:build !linux

package process

import (
	"errors"

	"sockscope/capture"
)

// ReadLinks gives an error: there is no /proc to read.
func ReadLinks(proc string, pid int) ([]capture.Link, error) { return nil, errors.ErrUnsupported }
