package process

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"

	"sockscope/capture"
)

// inside is set in the test process that has a network namespace of its own, acting in
// one that plays a part in a test.
const (
	inside = "SOCKSCOPE_TEST_NAMESPACE"
	acting = "SOCKSCOPE_TEST_ACT"
)

func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv(acting)); len(words) > 0 {
		act(words)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// inNamespace runs the test once more in a process with a network namespace of its own,
// whose loopback interface is up, and reports whether this is that process.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	args := []string{"-test.run", "^" + t.Name() + "$", "-test.v", "-test.timeout", "120s"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Fatalf("in the namespace: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "_test.go:") {
			t.Log(strings.TrimSpace(line))
		}
	}
	return false
}

// watching opens a Watch that is closed with the test.
func watching(t testing.TB, cfg Config) *Watch {
	t.Helper()
	w, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// actorOf is a process that will act on words.
func actorOf(words ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	// The race detector sleeps for a second when a program ends.
	cmd.Env = append(os.Environ(), acting+"="+strings.Join(words, " "), "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	return cmd
}

// A truth is a connection and the process that made it.
type truth struct {
	pid         int
	local       netip.AddrPort
	first, last capture.Timestamp
}

// runClients runs processes with some connections each, a few at the same time.
func runClients(t *testing.T, processes, atOnce int, words ...string) []truth {
	t.Helper()
	results := make(chan []truth, processes)
	slots := make(chan struct{}, atOnce)
	for range processes {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			cmd := actorOf(words...)
			out, err := cmd.Output()
			if err != nil {
				t.Error(err)
			}
			var list []truth
			for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
				var local string
				var first, last int64
				fmt.Sscan(scan.Text(), &local, &first, &last)
				list = append(list, truth{cmd.Process.Pid, netip.MustParseAddrPort(local), capture.Timestamp(first), capture.Timestamp(last)})
			}
			results <- list
		}()
	}
	var all []truth
	for range processes {
		all = append(all, <-results...)
	}
	return all
}

// serveTCP answers each connection with one byte until the test ends.
func serveTCP(t testing.TB, address string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.Read(make([]byte, 8))
				io.WriteString(c, "!")
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

// serveUDP answers each datagram until the test ends.
func serveUDP(t testing.TB, address string) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 8)
		for {
			_, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			c.WriteTo([]byte("!"), from)
		}
	}()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}
