//go:build !linux

package process

import (
	"errors"
	"fmt"
)

func listeners(Config) (*Snapshot, error) {
	return nil, fmt.Errorf("process: %w on this system", errors.ErrUnsupported)
}
