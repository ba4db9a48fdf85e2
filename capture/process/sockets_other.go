//go:build !linux

package process

import (
	"errors"
	"fmt"

	"sockscope/capture"
)

func sockets(Survey) (*capture.Host, error) {
	return nil, fmt.Errorf("process: %w on this system", errors.ErrUnsupported)
}
