package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// inside is set in the test process that has a network namespace of its own.
const inside = "SOCKSCOPE_TEST_NAMESPACE"

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
	cmd := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "60s")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Fatalf("in the namespace: %v\n%s", err, out)
	}
	return false
}

// capturing runs the program until what was to happen on the network has happened.
func capturing(t *testing.T, args string, happen func()) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var out bytes.Buffer
	told, errs := io.Pipe()
	listening, said := make(chan bool, 1), make(chan string, 1)
	go func() {
		var all strings.Builder
		buf := make([]byte, 4096)
		for {
			n, err := told.Read(buf)
			all.Write(buf[:n])
			if strings.Contains(all.String(), "listening on ") {
				select {
				case listening <- true:
				default:
				}
			}
			if err != nil {
				said <- all.String()
				return
			}
		}
	}()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, strings.Fields(args), nil, &out, errs)
		errs.Close()
	}()
	select {
	case <-listening:
		happen()
		cancel(errInterrupted) // as Ctrl-C does
		status = <-done
	case status = <-done:
	}
	return status, out.String(), <-said
}

// traffic is one HTTP exchange with port 8080, a refused connection to port 81, and a
// datagram to port 9999, where nobody is.
func traffic(t *testing.T) func() {
	listener, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		defer listener.Close()
		served := make(chan error, 1)
		go func() {
			c, err := listener.Accept()
			if err == nil {
				_, err = io.ReadFull(c, make([]byte, len(httpRequest)))
				io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
				c.Close()
			}
			served <- err
		}()
		c, err := net.Dial("tcp", "127.0.0.1:8080")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, httpRequest)
		io.ReadAll(c)
		c.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if _, err := net.Dial("tcp", "127.0.0.1:81"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("port 81: %v", err)
		}
		if u, err := net.Dial("udp", "127.0.0.1:9999"); err == nil {
			u.Write([]byte("anybody?"))
			u.Close()
		}
	}
}

const httpRequest = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"

// A capture from an interface tells what happened on it until Ctrl-C, to the last frame.
func TestLive(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, tt := range []struct {
		args, want string
	}{
		{"connections -i lo --format ndjson", "http complete, - refused, ~distinct unreachable, icmp reply-only"},
		{"connections -i any --format ndjson", "http complete, - refused, ~distinct unreachable, icmp reply-only"},
		{"connections -i lo --format ndjson tcp port 81", "- refused"},
		{"connections -i any --format ndjson udp or icmp", "~distinct unreachable, icmp reply-only"},
		{"connections -i lo --format ndjson -s 60 --immediate-mode tcp[tcpflags] & tcp-rst != 0", "- reply-only"},
	} {
		status, stdout, stderr := capturing(t, tt.args, traffic(t))
		var got []string
		for line := range strings.Lines(stdout) {
			var c struct{ Proto, Service, Outcome, Service_basis string }
			if err := json.Unmarshal([]byte(line), &c); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			name := c.Service
			switch {
			case c.Proto == "icmp":
				name = c.Proto
			case name == "":
				name = "-"
			case c.Service_basis == "port":
				name = "~" + name
			}
			got = append(got, name+" "+c.Outcome)
		}
		if status != exitDone || strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: status %d\n got %s\nwant %s\n%s", tt.args, status, strings.Join(got, ", "), tt.want, stderr)
		}
		for _, line := range []string{"captured\n", "received by filter\n", "0 packets dropped by kernel\n"} {
			if !strings.Contains(stderr, line) {
				t.Errorf("%s: %q lacks %q", tt.args, stderr, line)
			}
		}
	}
}

// Captures end by themselves after a time or a number of frames.
func TestLiveEnds(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	var out bytes.Buffer
	if status := run(context.Background(), strings.Fields("report -i lo -a duration:0.3"), nil, &out, io.Discard); status != exitDone || !strings.Contains(out.String(), "0 frames") {
		t.Errorf("status %d:\n%s", status, &out)
	}
	for _, limit := range []string{"-c 3", "-a packets:3"} {
		status, stdout, stderr := capturing(t, fmt.Sprintf("report -i lo %s tcp", limit), traffic(t))
		if status != exitDone || !strings.Contains(stdout, "3 frames = 3 tcp") || !strings.Contains(stderr, "3 packets captured\n") {
			t.Errorf("%s: status %d\n%s%s", limit, status, stdout, stderr)
		}
	}
}

// A capture whose interface vanishes gives what it has and ends with a status of its own.
func TestLiveInterfaceVanishes(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "here"}, PeerName: "there"}
	if err := netlink.LinkAdd(pair); err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(pair); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run(context.Background(), []string{"report", "-i", "here"}, nil, &out, &errs) }()
	time.Sleep(300 * time.Millisecond)
	if err := netlink.LinkDel(pair); err != nil {
		t.Fatal(err)
	}
	select {
	case status := <-done:
		if status != exitEnded || !strings.Contains(out.String(), "here (live)") || !strings.Contains(errs.String(), "sockscope: no interface is left to capture from") {
			t.Errorf("status %d\n%s%s", status, &out, &errs)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("does not end")
	}
}

// Views need the beginning of a frame; what the user says holds.
func TestLiveSnapLength(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for flags, want := range map[string]string{"": "8192", "-s 0": "262144", "-s 96": "96", "--snapshot-length 100000": "100000"} {
		var out bytes.Buffer
		args := strings.Fields("report -i lo -a duration:0.1 --format json " + flags)
		if status := run(context.Background(), args, nil, &out, io.Discard); status != exitDone || !strings.Contains(out.String(), `"snap_length":`+want+",") {
			t.Errorf("%q: status %d, no snap length of %s in\n%s", flags, status, want, &out)
		}
	}
}
