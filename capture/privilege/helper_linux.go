package privilege

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

const (
	patience      = time.Second      // with an answer
	startPatience = 10 * time.Second // with the helper's first word

	pause = 20 * time.Second // after two questions without an answer
)

// A Helper is the process that knows who holds a socket.
type Helper struct {
	mu     sync.Mutex
	socket int
	pid    int
	asked  uint32 // number of the last question
	buffer []byte
	ended  error     // no more is asked
	misses int       // questions without an answer since the last one
	silent time.Time // until then it is not asked
}

// A helperPermissionError tells what the program lacks and how it gets it.
type helperPermissionError struct{ program string }

func (e helperPermissionError) Error() string {
	return "need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (run as root or: setcap cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep " + e.program + ")"
}

func (helperPermissionError) Unwrap() error { return os.ErrPermission }

func startHelper() (*Helper, error) {
	if linkedWithC() {
		return nil, errLinkedWithC
	}
	held, err := heldCapabilities()
	if err != nil {
		return nil, err
	}
	if held&linkCapabilities != linkCapabilities {
		program, err := os.Executable()
		if err != nil {
			program = "sockscope"
		}
		return nil, helperPermissionError{program}
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("a socket for the helper: %w", err)
	}
	h := &Helper{socket: pair[0], buffer: make([]byte, packetSize+1)}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	defer theirs.Close()
	if err := unix.SetNonblock(h.socket, true); err != nil {
		h.Close()
		return nil, fmt.Errorf("a socket for the helper: %w", err)
	}
	who, err := h.start(theirs, held)
	if err == nil {
		err = h.greet()
	}
	if err == nil {
		err = check(fmt.Sprintf("/proc/%d/task", h.pid), expectation{
			kept: linkCapabilities, bounded: held.has(capSetPCap), who: who, seccomp: len(helperCalls()) > 0})
	}
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("start the helper: %w", err)
	}
	return h, nil
}

// start starts the process. It has this program's rights at most, and nothing of its
// environment and files.
func (h *Helper) start(socket *os.File, held capabilities) (identity, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return identity{}, err
	}
	defer null.Close()
	who, err := findIdentity(Config{})
	if err != nil {
		return identity{}, err
	}
	sys := &syscall.SysProcAttr{
		Pdeathsig:   syscall.SIGKILL,
		AmbientCaps: []uintptr{capSysPtrace, capDACReadSearch},
	}
	if held.has(capSetPCap) {
		sys.AmbientCaps = append(sys.AmbientCaps, capSetPCap) // to bound the others, and then to give up
	}
	if who.change {
		sys.Credential = &syscall.Credential{Uid: uint32(who.uid), Gid: uint32(who.gid)}
	}
	p, err := os.StartProcess("/proc/self/exe", []string{helperName}, &os.ProcAttr{
		Env:   []string{},
		Files: []*os.File{null, null, null, socket},
		Sys:   sys,
	})
	if err != nil {
		return identity{}, err
	}
	h.pid = p.Pid
	return who, p.Release()
}

// greet waits until the helper has given up what it does not need.
func (h *Helper) greet() error {
	_, err := h.answer(0, time.Now().Add(startPatience))
	return err
}

// Links tells which process holds which socket: all links of one process, or those
// of all with PID 0. It returns within about a second. With an error it may return
// some links, too; there may be more then. Any goroutine may call it, also of a nil
// Helper.
func (h *Helper) Links(pid int) ([]capture.Link, error) {
	if h == nil {
		return nil, errNoHelper
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended != nil {
		return nil, h.ended
	}
	if time.Now().Before(h.silent) {
		return nil, errSilent
	}
	if h.asked++; h.asked == 0 {
		h.asked++ // 0 is the number of the helper's first word
	}
	_, err := unix.Write(h.socket, appendQuestion(nil, h.asked, pid))
	switch {
	case errors.Is(err, unix.EAGAIN): // it has not even read the questions before
		return nil, errSilent
	case err != nil:
		return nil, h.end(errEnded)
	}
	links, err := h.answer(h.asked, time.Now().Add(patience))
	if !errors.Is(err, errSilent) {
		h.misses = 0
	} else if h.misses++; h.misses > 1 {
		h.silent = time.Now().Add(pause)
	}
	return links, err
}

// answer puts the parts of an answer together. Answers that come too late, to
// questions before, are thrown away.
func (h *Helper) answer(question uint32, deadline time.Time) ([]capture.Link, error) {
	var links []capture.Link
	for want := uint16(0); ; {
		b, err := h.receive(deadline)
		if err != nil {
			return links, err
		}
		p, err := readPart(b)
		switch {
		case err != nil:
			return nil, h.end(err)
		case p.question != question:
			continue
		case p.number != want || len(links) > maxLinks:
			return nil, h.end(errBadMessage)
		}
		want++
		links = p.appendLinks(links)
		switch p.kind {
		case last:
			return links, nil
		case failed:
			return links, errors.New(p.text)
		}
	}
}

// receive waits for a packet, until deadline.
func (h *Helper) receive(deadline time.Time) ([]byte, error) {
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return nil, errSilent
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(h.socket), Events: unix.POLLIN}}, int(left/time.Millisecond)+1)
		switch {
		case errors.Is(err, unix.EINTR) || err == nil && n == 0:
			continue
		case err != nil:
			return nil, h.end(fmt.Errorf("wait for the helper: %w", err))
		}
		n, err = unix.Read(h.socket, h.buffer)
		switch {
		case errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN):
			continue
		case err != nil || n == 0:
			return nil, h.end(errEnded)
		}
		return h.buffer[:n], nil
	}
}

// end notes why no more is asked.
func (h *Helper) end(err error) error {
	h.ended = err
	return err
}

// Close ends the helper: its socket tells it. It is waited for, but not for long.
func (h *Helper) Close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.socket < 0 {
		return
	}
	_ = unix.Close(h.socket)
	h.socket = -1
	h.end(errors.New("the helper was closed"))
	for deadline := time.Now().Add(patience); h.pid > 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if pid, err := unix.Wait4(h.pid, nil, unix.WNOHANG, nil); pid != 0 && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
