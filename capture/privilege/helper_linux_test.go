package privilege

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// Processes that the helper of the tests is asked about.
const (
	manyLinks = 1 + iota
	tooManyLinks
	noLinks
	linksAndError
	hang
	slow
	die
	garbage
	wrongPart
	selfCheck
	linksOfParent
)

// helperMain is the helper of the tests.
func helperMain() {
	if err := ServeLinks(testLinks); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func testLinks(pid int) ([]capture.Link, error) {
	switch pid {
	case manyLinks:
		return numbered(3*linksInPacket + 1), nil
	case tooManyLinks:
		return numbered(maxLinks + 1), nil
	case linksAndError:
		return numbered(linksInPacket), errors.New("and more")
	case hang:
		time.Sleep(time.Hour)
	case slow:
		time.Sleep(patience + 300*time.Millisecond)
	case die:
		os.Exit(7)
	case garbage:
		_ = send([]byte("garbage"))
	case wrongPart:
		_ = send(appendPart(nil, 1, 5, more))
	case selfCheck:
		return nil, helperSelfCheck()
	case linksOfParent:
		return readLinks(os.Getppid())
	}
	return nil, nil
}

func numbered(n int) []capture.Link {
	links := make([]capture.Link, n)
	for i := range links {
		links[i] = capture.Link{PID: i + 1, Netns: ^uint32(i), Inode: uint64(i) << 20}
	}
	return links
}

// readLinks reads the links of a process with what the helper may do.
func readLinks(pid int) ([]capture.Link, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var links []capture.Link
	for _, e := range entries {
		link, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		if digits, ok := strings.CutPrefix(link, "socket:["); ok {
			inode, err := strconv.ParseUint(strings.TrimSuffix(digits, "]"), 10, 64)
			if err != nil {
				return nil, err
			}
			links = append(links, capture.Link{PID: pid, Inode: inode})
		}
	}
	return links, nil
}

// helperSelfCheck tries what the helper must not be able to do.
func helperSelfCheck() error {
	parent := uintptr(os.Getppid())
	var wrong []string
	for _, a := range []attempt{
		{"the passwords", opening("/etc/shadow", unix.O_RDONLY), unix.EPERM},
		{"the passwords as a directory", opening("/etc/shadow", unix.O_RDONLY|unix.O_DIRECTORY), unix.ENOTDIR},
		{"another's memory", opening(fmt.Sprintf("/proc/%d/mem", parent), unix.O_RDONLY), unix.EPERM},
		{"a file without a name", opening("/tmp", unix.O_RDWR|unix.O_TMPFILE), unix.EPERM},
		{"a directory for writing", opening("/tmp", unix.O_RDWR|unix.O_DIRECTORY), unix.EPERM},
		{"a socket", errnoOf(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, 0), unix.EPERM},
		{"another program", errnoOf(unix.SYS_EXECVE), unix.EPERM},
		{"another process", errnoOf(unix.SYS_CLONE, uintptr(unix.SIGCHLD)), unix.EPERM},
		{"looking into a process", errnoOf(unix.SYS_PTRACE, unix.PTRACE_ATTACH, parent), unix.EPERM},
		{"another's memory by number", errnoOf(unix.SYS_PROCESS_VM_READV, parent), unix.EPERM},
		{"another's descriptor", errnoOf(unix.SYS_PIDFD_GETFD), unix.EPERM},
		{"signals to others", errnoOf(unix.SYS_KILL, parent, 0), unix.EPERM},
		{"a directory", opening("/proc", unix.O_RDONLY|unix.O_DIRECTORY), nil},
	} {
		err := a.try()
		if errno, ok := err.(unix.Errno); ok && errno == 0 {
			err = nil
		}
		if !errors.Is(err, a.want) || a.want == nil && err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v, want %v", a.name, err, a.want))
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

// newHelper starts a helper that ends with the test; false where there can be none.
func newHelper(t *testing.T) (*Helper, bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	h, err := StartHelper()
	if linkedWithC() {
		if !errors.Is(err, errLinkedWithC) {
			t.Errorf("linked with C: %v", err)
		}
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h, true
}

// ask asks with more patience than Links has: the machine may be busy.
func ask(h *Helper, pid int) (links []capture.Link, err error) {
	for range 10 {
		if links, err = h.Links(pid); !errors.Is(err, errSilent) {
			break
		}
	}
	return links, err
}

func TestHelperAnswers(t *testing.T) {
	h, ok := newHelper(t)
	if !ok {
		return
	}
	for _, tt := range []struct {
		name  string
		pid   int
		links int
		err   string
	}{
		{"several packets", manyLinks, 3*linksInPacket + 1, ""},
		{"no link", noLinks, 0, ""},
		{"links and an error, which takes a packet of its own", linksAndError, linksInPacket, "and more"},
		{"what the helper cannot do", selfCheck, 0, ""},
	} {
		links, err := ask(h, tt.pid)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if len(links) != tt.links || text != tt.err {
			t.Errorf("%s: %d links, %q; want %d, %q", tt.name, len(links), text, tt.links, tt.err)
		}
		for i, l := range links {
			if l != (capture.Link{PID: i + 1, Netns: ^uint32(i), Inode: uint64(i) << 20}) {
				t.Fatalf("%s: link %d is %+v", tt.name, i, l)
			}
		}
	}
}

// The memory of an answer is bounded. It takes the time it takes: more than one question
// on a slow machine.
func TestHelperAnswersTooMuch(t *testing.T) {
	h, ok := newHelper(t)
	if !ok {
		return
	}
	links, err := h.Links(tooManyLinks)
	if errors.Is(err, errSilent) && len(links) < maxLinks {
		return
	}
	if want := fmt.Sprintf("more than %d open sockets", maxLinks); len(links) != maxLinks || err == nil || err.Error() != want {
		t.Errorf("%d links, %v", len(links), err)
	}
}

// An answer without an end is ended, whoever sends it.
func TestHelperNeverEnds(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan bool)
	go func() {
		for number := uint16(0); ; number++ {
			if _, err := unix.SendmsgN(pair[1], appendPart(make([]byte, 0, packetSize), 1, number, more)[:headerSize+linksInPacket*linkSize], nil, nil, unix.MSG_NOSIGNAL); err != nil {
				close(sent)
				return
			}
		}
	}()
	h := &Helper{socket: pair[0], buffer: make([]byte, packetSize+1)}
	links, err := h.answer(1, time.Now().Add(time.Minute))
	if len(links) > 0 || !errors.Is(err, errBadMessage) {
		t.Errorf("%d links, %v", len(links), err)
	}
	h.Close()
	<-sent
	unix.Close(pair[1])
}

// The helper sees the sockets of a process of root, which it is not.
func TestHelperSeesOthers(t *testing.T) {
	h, ok := newHelper(t)
	if !ok {
		return
	}
	var st unix.Stat_t
	if err := unix.Fstat(h.socket, &st); err != nil {
		t.Fatal(err)
	}
	links, err := ask(h, linksOfParent)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if l == (capture.Link{PID: os.Getpid(), Inode: st.Ino}) {
			return
		}
	}
	t.Errorf("inode %d of process %d is not among %v", st.Ino, os.Getpid(), links)
}

// A helper that does not answer, or not well, costs about a second and never more.
func TestHelperFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		pid  int
		want error
		next error // of the question after that
	}{
		{"it hangs", hang, errSilent, errSilent},
		{"it is slow once", slow, errSilent, nil},
		{"it dies", die, errEnded, errEnded},
		{"it sends garbage", garbage, errBadMessage, errBadMessage},
		{"it begins in the middle", wrongPart, errBadMessage, errBadMessage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, ok := newHelper(t)
			if !ok {
				return
			}
			began := time.Now()
			if links, err := h.Links(tt.pid); len(links) > 0 || !errors.Is(err, tt.want) {
				t.Errorf("%d links, %v; want %v", len(links), err, tt.want)
			}
			if took := time.Since(began); took > 10*patience {
				t.Errorf("it took %v", took)
			}
			next := h.Links
			if tt.next == nil {
				next = func(pid int) ([]capture.Link, error) { return ask(h, pid) }
			}
			links, err := next(manyLinks)
			if tt.next == nil && len(links) != 3*linksInPacket+1 || !errors.Is(err, tt.next) || tt.next == nil && err != nil {
				t.Errorf("then %d links, %v; want %v", len(links), err, tt.next)
			}
		})
	}
}

// Ctrl-C at a terminal reaches all processes: the helper waits for its program's end.
func TestHelperOutlivesSignals(t *testing.T) {
	h, ok := newHelper(t)
	if !ok {
		return
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if err := syscall.Kill(h.pid, s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(h, noLinks); err != nil {
		t.Error(err)
	}
	h.Close()
	if err := syscall.Kill(h.pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := h.Links(noLinks); err == nil {
		t.Error("answers after Close")
	}
	h.Close() // again
}

// Without the two capabilities there is no helper, and the reason names them.
func TestHelperNeedsCapabilities(t *testing.T) {
	tests := []struct {
		name string
		caps []uintptr
		want error
	}{
		{"only what capturing needs", []uintptr{unix.CAP_NET_RAW}, os.ErrPermission},
		{"one of the two", []uintptr{unix.CAP_NET_RAW, capSysPtrace}, os.ErrPermission},
		{"both, without root", []uintptr{unix.CAP_NET_RAW, capSysPtrace, capDACReadSearch}, nil},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			if !inChild(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 70002, Gid: 70003}, AmbientCaps: tt.caps}) {
				return
			}
			h, err := StartHelper()
			defer func() { h.Close() }()
			switch {
			case linkedWithC():
				return
			case !errors.Is(err, tt.want) || tt.want == nil && err != nil:
				t.Fatalf("%v, want %v", err, tt.want)
			case err != nil:
				if want := "need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (run as root or: setcap cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep "; !strings.HasPrefix(err.Error(), want) {
					t.Errorf("%v lacks %s", err, want)
				}
			}
			if _, err := Drop(Config{}); err != nil { // with the helper there
				t.Error(err)
			}
			if _, err := ask(h, selfCheck); (err == nil) != (tt.want == nil) {
				t.Error(err)
			}
		})
	}
}

// Only StartHelper makes a helper.
func TestHelperByHand(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, files := range [][]*os.File{{null, null, null}, {null, null, null, null}} {
		p, err := os.StartProcess("/proc/self/exe", []string{helperName}, &os.ProcAttr{Files: files})
		if err != nil {
			t.Fatal(err)
		}
		state, err := p.Wait()
		if err != nil || state.ExitCode() != 1 {
			t.Errorf("%d files: %v, %v", len(files), state, err)
		}
	}
}
