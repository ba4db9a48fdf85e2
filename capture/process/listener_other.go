//go:build !linux

package process

import (
	"errors"
	"fmt"

	"sockscope/capture"
)

func listeners(string, uint16) ([]capture.Socket, []string, error) {
	return nil, nil, fmt.Errorf("process: %w on this system", errors.ErrUnsupported)
}
