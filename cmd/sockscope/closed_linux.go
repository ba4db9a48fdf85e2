package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// kcmpFile asks kcmp(2) whether two descriptors are one open file.
const kcmpFile = 0

// isClosed reports whether f, standard output, was closed when the program was
// started. The Go runtime then opens /dev/null in its place, for reading and
// writing, before any of our code runs, and results would vanish without a word.
// `>/dev/null` opens it for writing only; a service manager that opens it for
// both gives the same open file to several descriptors. Only such a file for
// standard output alone cannot be told apart, and counts as closed.
func isClosed(f *os.File) bool {
	fd := int(f.Fd())
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != unix.Mkdev(1, 3) {
		return false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != unix.O_RDWR {
		return false
	}
	return !sameOpenFile(fd, 0) && !sameOpenFile(fd, 2)
}

// sameOpenFile reports whether two descriptors share one open file. Where the
// kernel does not answer they count as shared.
func sameOpenFile(a, b int) bool {
	pid := uintptr(os.Getpid())
	order, _, errno := unix.Syscall6(unix.SYS_KCMP, pid, pid, kcmpFile, uintptr(a), uintptr(b), 0)
	return errno != 0 || order == 0
}
