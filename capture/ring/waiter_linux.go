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
	n      int // of them, found by the last look
	errno  syscall.Errno
}

func newWaiter() (*waiter, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("wait for frames: %w", err)
	}
	err = unix.SetNonblock(fd, true) // os.NewFile gives only such to the poller
	w := &waiter{epoll: os.NewFile(uintptr(fd), "epoll")}
	if err == nil {
		w.conn, err = w.epoll.SyscallConn()
	}
	if err != nil {
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

// wait gives the events of the sockets when there are some, or none after timeout. With
// a timeout of 0 it only looks. The events are valid until the next wait.
func (w *waiter) wait(timeout time.Duration) ([]unix.EpollEvent, error) {
	var err error
	if timeout > 0 {
		if err = w.epoll.SetReadDeadline(time.Now().Add(timeout)); err == nil {
			err = w.conn.Read(w.look)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, nil
		}
	} else { // Read would not even look while an earlier deadline has passed
		err = w.conn.Control(func(fd uintptr) { w.look(fd) })
	}
	if err == nil && w.errno != 0 {
		err = w.errno
	}
	if err != nil {
		return nil, fmt.Errorf("wait for frames: %w", err)
	}
	return w.events[:w.n], nil
}

// look reports whether there is an end to waiting.
func (w *waiter) look(fd uintptr) bool {
	// It takes no time: the runtime need not hear of the call.
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&w.events[0])), uintptr(len(w.events)), 0, 0, 0)
	w.n, w.errno = int(n), errno
	if errno != 0 {
		w.n = 0
	}
	if errno == unix.EINTR {
		w.errno = 0
	}
	return w.n > 0 || w.errno != 0
}
