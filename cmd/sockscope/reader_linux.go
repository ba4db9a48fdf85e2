package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// watchReader calls gone when nobody reads what is written to out any more, a pipe whose other
// end is closed, unless done is closed before.
func watchReader(out io.Writer, done <-chan struct{}, gone func()) {
	file, ok := out.(*os.File)
	if !ok {
		return
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return
	}
	const pause = 100 // milliseconds
	for {
		select {
		case <-done:
			return
		default:
		}
		var closed, failed bool
		err := conn.Control(func(fd uintptr) {
			fds := []unix.PollFd{{Fd: int32(fd)}} // errors are told unasked
			n, err := unix.Poll(fds, pause)
			closed = n == 1 && fds[0].Revents&unix.POLLERR != 0
			failed = err != nil && err != unix.EINTR || n == 1 && !closed
		})
		switch {
		case closed:
			gone()
			return
		case failed || err != nil:
			return
		}
	}
}
