//go:build !linux

package main

import "io"

// watchReader cannot tell on this system: the next write does.
func watchReader(io.Writer, <-chan struct{}, func()) {}
