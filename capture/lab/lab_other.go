//go:build !linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Run needs Linux's network namespaces.
func Run(_ context.Context, name string) (*Record, error) {
	return nil, fmt.Errorf("lab: a network namespace: %w", errors.ErrUnsupported)
}

// InUserNamespace needs Linux's user namespaces.
func InUserNamespace(context.Context, []string, io.Reader, io.Writer, io.Writer) (status int, err error) {
	return 0, errors.ErrUnsupported
}

// OnlyUser is about Linux's user namespaces.
func OnlyUser() bool { return false }
