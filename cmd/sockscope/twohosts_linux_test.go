package main

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// twoHosts are the test's network namespace and another one, joined by a pair of
// interfaces: near with the addresses 10.9.0.1 and fd09::1 is the test's, far with
// 10.9.0.2 and fd09::2 the other's.
type twoHosts struct {
	t   testing.TB
	pid int // of a process in the other namespace
}

func newTwoHosts(t testing.TB) *twoHosts {
	t.Helper()
	runtime.LockOSThread() // the other process dies with the thread that started it
	other := exec.Command("sleep", "600")
	other.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		other.Process.Kill()
		other.Wait()
	})
	h := &twoHosts{t, other.Process.Pid}
	command(t, "ip link set lo up")
	h.far("ip link set lo up")
	command(t, fmt.Sprintf("ip link add near type veth peer name far netns %d", h.pid))
	command(t, "ip addr add 10.9.0.1/24 dev near")
	command(t, "ip addr add fd09::1/64 dev near nodad")
	h.far("ip addr add 10.9.0.2/24 dev far")
	h.far("ip addr add fd09::2/64 dev far nodad")
	command(t, "ip link set near up")
	h.far("ip link set far up")
	return h
}

// far runs a program in the other namespace.
func (h *twoHosts) far(words string) string {
	h.t.Helper()
	return command(h.t, h.there()+words)
}

// there is the beginning of a command in the other namespace.
func (h *twoHosts) there() string { return fmt.Sprintf("nsenter --net=/proc/%d/ns/net ", h.pid) }

// onFarThread runs f on a thread that is in the other namespace; the sockets that f opens
// stay there. The thread is not used again.
func onFarThread[T any](h *twoHosts, f func() (T, error)) T {
	h.t.Helper()
	var result T
	var err error
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread()
		var fd int
		if fd, err = unix.Open(fmt.Sprintf("/proc/%d/ns/net", h.pid), unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return
		}
		defer unix.Close(fd)
		if err = unix.Setns(fd, unix.CLONE_NEWNET); err == nil {
			result, err = f()
		}
	}()
	<-done
	if err != nil {
		h.t.Fatal(err)
	}
	return result
}

// iperf3 starts a server of that kind in the other namespace.
func (h *twoHosts) iperf3(port int) {
	h.t.Helper()
	words := strings.Fields(fmt.Sprint(h.there(), "iperf3 --forceflush -s -p ", port))
	cmd := exec.Command(words[0], words[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	var said string
	for b := make([]byte, 1000); !strings.Contains(said, "Server listening"); {
		n, err := out.Read(b)
		if err != nil {
			h.t.Fatal("iperf3: ", err)
		}
		said += string(b[:n])
	}
	go io.Copy(io.Discard, out)
}
