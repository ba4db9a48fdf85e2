package ring

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A waiter waits for sockets, in the runtime's poller and not in a system call of its
// own: a goroutine that is in one holds a processor until the runtime's monitor takes
// that away, and the monitor, once it has done so, looks each 20 µs for more to take. At
// 500,000 frames a second that was a third of all the time spent.
type waiter struct {
	epoll  *os.File
	conn   syscall.RawConn
	events [2]unix.EpollEvent
}

func newWaiter() (*waiter, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		err = unix.SetNonblock(fd, true) // os.NewFile gives only such to the poller
	}
	if err != nil {
		return nil, fmt.Errorf("wait for frames: %w", err)
	}
	w := &waiter{epoll: os.NewFile(uintptr(fd), "epoll")}
	if w.conn, err = w.epoll.SyscallConn(); err != nil {
		w.close()
		return nil, fmt.Errorf("wait for frames: %w", err)
	}
	return w, nil
}

func (w *waiter) close() { _ = w.epoll.Close() }

// add makes w wait for events of a socket, too; there are two at most.
func (w *waiter) add(socket int, events uint32) error {
	var err error
	failed := w.conn.Control(func(fd uintptr) {
		err = unix.EpollCtl(int(fd), unix.EPOLL_CTL_ADD, socket, &unix.EpollEvent{Events: events, Fd: int32(socket)})
	})
	if err = errors.Join(failed, err); err != nil {
		return fmt.Errorf("wait for frames: %w", err)
	}
	return nil
}

// wait waits until a socket has something, and calls heed for each that has; bad says
// that it is an error. After timeout it gives os.ErrDeadlineExceeded, after none at all
// nil.
func (w *waiter) wait(timeout time.Duration, heed func(socket int, bad bool) error) error {
	if timeout > 0 {
		if err := w.epoll.SetReadDeadline(time.Now().Add(timeout)); err != nil {
			return fmt.Errorf("wait for frames: %w", err)
		}
	}
	var n int
	var errno syscall.Errno
	look := func(fd uintptr) bool {
		// Nothing that takes time: the runtime need not hear of it.
		r, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&w.events[0])), uintptr(len(w.events)), 0, 0, 0)
		if n, errno = int(r), e; e != 0 {
			n = 0
		}
		return n > 0 || errno != 0 && errno != unix.EINTR || timeout == 0
	}
	if err := w.conn.Read(look); err != nil {
		return err
	}
	if errno != 0 && errno != unix.EINTR {
		return fmt.Errorf("wait for frames: %w", errno)
	}
	for _, e := range w.events[:n] {
		if err := heed(int(e.Fd), e.Events&unix.EPOLLERR != 0); err != nil {
			return err
		}
	}
	return nil
}
