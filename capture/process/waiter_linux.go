package process

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A waiter waits for files in the runtime's poller and not in a system call of its own: a
// goroutine that is in one holds a processor until the runtime's monitor takes that away, and
// the monitor then looks each 20 µs for more to take.
type waiter struct {
	epoll *os.File
	conn  syscall.RawConn
}

func newWaiter(files ...int) (_ *waiter, err error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	err = unix.SetNonblock(fd, true) // os.NewFile gives only such to the poller
	w := &waiter{epoll: os.NewFile(uintptr(fd), "epoll")}
	for _, file := range files {
		if err == nil {
			err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, file, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(file)})
		}
	}
	if err == nil {
		w.conn, err = w.epoll.SyscallConn()
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *waiter) close() { _ = w.epoll.Close() }

// wait waits until there is something to read, or for timeout unless that is 0.
func (w *waiter) wait(timeout time.Duration) error {
	if timeout > 0 {
		if err := w.epoll.SetReadDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
	}
	err := w.conn.Read(func(fd uintptr) bool {
		var event unix.EpollEvent
		// It takes no time: the runtime need not hear of the call.
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&event)), 1, 0, 0, 0)
		return errno != 0 || n > 0
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}
