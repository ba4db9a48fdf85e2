//go:build !linux

package main

import "runtime"

// systemName is the system's name, as capture files tell it.
func systemName() string { return runtime.GOOS }
