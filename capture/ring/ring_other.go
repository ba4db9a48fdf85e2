//go:build !linux

package ring

import (
	"context"
	"fmt"
	"runtime"

	"sockscope/capture"
)

func open(context.Context, Config) (capture.Source, error) {
	return nil, fmt.Errorf("capturing from interfaces works on Linux only, not on %s: read a file instead", runtime.GOOS)
}
