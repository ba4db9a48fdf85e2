//go:build !linux

package main

import "runtime"

// systemName is the system's name, as capture files tell it.
func systemName() string { return runtime.GOOS }

// machineMemory is how much memory this machine has; 0: that is not known, and there is no
// bound unless it is asked for.
func machineMemory() int64 { return 0 }
