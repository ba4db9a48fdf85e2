//go:build unix

package main

import (
	"os"
	"syscall"
)

// lock takes the lock of a file for as long as it is open, and reports whether nobody else
// has it.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
