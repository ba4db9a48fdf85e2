package poller

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Poller waits for events of files. It belongs to one goroutine, but for Close.
type Poller struct {
	epoll  *os.File
	conn   syscall.RawConn
	events [2]unix.EpollEvent
	n      int // of them, found by the last look
	errno  syscall.Errno
}

// Forever is a timeout that never comes.
const Forever time.Duration = -1

// New makes a Poller without files.
func New() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	err = unix.SetNonblock(fd, true) // os.NewFile gives only such to the runtime's poller
	p := &Poller{epoll: os.NewFile(uintptr(fd), "epoll")}
	if err == nil {
		p.conn, err = p.epoll.SyscallConn()
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close ends a Wait, and all others. The files stay open.
func (p *Poller) Close() { _ = p.epoll.Close() }

// Add makes p wait for events of a file, too, as epoll_ctl(2) has them.
func (p *Poller) Add(file int, events uint32) error {
	var err error
	failed := p.conn.Control(func(fd uintptr) {
		err = unix.EpollCtl(int(fd), unix.EPOLL_CTL_ADD, file, &unix.EpollEvent{Events: events, Fd: int32(file)})
	})
	return errors.Join(failed, err)
}

// Wait gives events when there are some, two at a time at most, or none after timeout. With
// a timeout of 0 it only looks. The events are valid until the next Wait.
func (p *Poller) Wait(timeout time.Duration) ([]unix.EpollEvent, error) {
	var err error
	if timeout != 0 {
		var end time.Time // none
		if timeout > 0 {
			end = time.Now().Add(timeout)
		}
		if err = p.epoll.SetReadDeadline(end); err == nil {
			err = p.conn.Read(p.look)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, nil
		}
	} else { // Read would not even look while an earlier deadline has passed
		err = p.conn.Control(func(fd uintptr) { p.look(fd) })
	}
	if err == nil && p.errno != 0 {
		err = p.errno
	}
	if err != nil {
		return nil, err
	}
	return p.events[:p.n], nil
}

// look reports whether there is an end to waiting.
func (p *Poller) look(fd uintptr) bool {
	// It takes no time: the runtime need not hear of the call.
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	p.n, p.errno = int(n), errno
	if errno != 0 {
		p.n = 0
	}
	if errno == unix.EINTR {
		p.errno = 0
	}
	return p.n > 0 || p.errno != 0
}
