//go:build unix

package pcapfile

import "syscall"

// descriptors is how many files the process may have open, within reason.
func descriptors() int {
	const unlimited = 1 << 16
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fewDescriptors
	}
	return int(min(uint64(l.Cur), unlimited))
}
