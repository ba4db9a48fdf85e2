package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A capturer is the program, as a process of its own that captures.
type capturer struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *os.File // what it writes

	mu     sync.Mutex
	stderr bytes.Buffer
}

// Write takes what the program says.
func (c *capturer) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stderr.Write(b)
}

// said is what it said so far.
func (c *capturer) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stderr.String()
}

// startStream starts the program and waits until it listens.
func startStream(t *testing.T, args string) *capturer {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &capturer{t: t, stdout: r}
	c.cmd = &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{"sockscope"}, strings.Fields(args)...), Stdout: w, Stderr: c,
		Env: append(os.Environ(), "COLUMNS=100", "LC_ALL=C.UTF-8", "TZ=UTC"), SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	for begun := time.Now(); !strings.Contains(c.said(), "listening on "); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("does not listen: %s", c.said())
		}
	}
	return c
}

// end interrupts the program, unless it ends by itself, and gives how long that took.
func (c *capturer) end(interrupt bool) (status int, took time.Duration) {
	c.t.Helper()
	begun := time.Now()
	if interrupt {
		if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
			c.t.Fatal(err)
		}
	}
	kill := time.AfterFunc(20*time.Second, func() { c.cmd.Process.Kill() })
	defer kill.Stop()
	if err := c.cmd.Wait(); err != nil && c.cmd.ProcessState.ExitCode() < 0 {
		c.t.Fatalf("does not end: %v %s", err, c.said())
	}
	return c.cmd.ProcessState.ExitCode(), time.Since(begun)
}

// toldLine is what a line of NDJSON says in the tests below.
type toldLine struct {
	Event, Proto, Service, Outcome, Close string
	ID                                    uint64 `json:"id"`
	Frame                                 uint64 `json:"first_frame"`
}

// A connection's line appears soon after its end, while the capture goes on.
func TestConnectionsAsTheyEnd(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, format := range []string{"ndjson", "text"} {
		c := startStream(t, "connections -i any --format "+format)
		lines := make(chan string, 1000)
		go func() {
			for in := bufio.NewScanner(c.stdout); in.Scan(); {
				lines <- in.Text()
			}
			close(lines)
		}()
		wait := func(what string) string {
			for {
				select {
				case line, ok := <-lines:
					if !ok {
						t.Fatalf("%s: ended before %q\n%s", format, what, c.said())
					}
					if strings.Contains(line, what) {
						return line
					}
				case <-time.After(15 * time.Second):
					t.Fatalf("%s: no line with %q\n%s", format, what, c.said())
				}
			}
		}
		if format == "text" {
			wait("client") // the header, before there is any traffic
		}
		traffic(t)()
		begun := time.Now()
		line := wait("8080")
		t.Logf("%s: after %v", format, time.Since(begun))
		if format == "ndjson" {
			var got toldLine
			if err := json.Unmarshal([]byte(line), &got); err != nil || got.Outcome != "complete" || got.Close != "fin" || got.ID != got.Frame {
				t.Errorf("%v: %s", err, line)
			}
		}
		if status, _ := c.end(true); status != exitDone {
			t.Errorf("%s: status %d\n%s", format, status, c.said())
		}
		wait("9999") // which was open
	}
}

// All events of a connection come in order.
func TestConnectionEvents(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	status, stdout, stderr := capturing(t, "connections -i lo --all-events --format ndjson tcp", traffic(t))
	var got []string
	for line := range strings.Lines(stdout) {
		var c toldLine
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimSpace(c.Event+" "+c.Service))
		if c.ID != c.Frame {
			t.Errorf("id %d, first frame %d", c.ID, c.Frame)
		}
	}
	// What the client's port and 81 are called may change with the registry.
	want := "open http-alt, established http-alt, open, ended http, ended"
	if all := strings.Join(got, ", "); status != exitDone || all != want {
		t.Errorf("status %d\n got %s\nwant %s\n%s", status, all, want, stderr)
	}
}

// A reader who has seen enough ends the capture.
func TestClosedReaderEndsTheCapture(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startStream(t, "connections -i lo --format csv")
	c.stdout.Close()
	done := make(chan bool)
	go func() {
		defer close(done)
		if status, _ := c.end(false); status != exitDone {
			t.Errorf("status %d: %s", status, c.said())
		}
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("does not end")
	}
}

// numDatagrams are as many connections.
const numDatagrams = 6 * 30_000

// sendDatagrams sends them as fast as can be.
func sendDatagrams(t *testing.T, n int) { sendDatagramsTo(t, net.IPv4(127, 0, 0, 2), n, 0) }

// sendDatagramsTo sends n datagrams, each to or from another port, with a pause after each 100.
func sendDatagramsTo(t *testing.T, to net.IP, n int, pause time.Duration) {
	for range 6 {
		u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close() // all at the end: no port comes twice
		for port := range n / 6 {
			if _, err := u.WriteTo([]byte("x"), &net.UDPAddr{IP: to, Port: 1024 + port}); err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
				t.Fatal(err)
			}
			if port%100 == 99 {
				time.Sleep(pause)
			}
		}
	}
}

// countLines reads what the program writes and gives the number of lines when it ends.
func (c *capturer) countLines() <-chan int {
	lines := make(chan int)
	go func() {
		n, buf := 0, make([]byte, 1<<20)
		for {
			m, err := c.stdout.Read(buf)
			n += bytes.Count(buf[:m], []byte("\n"))
			if err != nil {
				lines <- n
				return
			}
		}
	}()
	return lines
}

// A reader who is quick loses nothing, though very many connections end at once.
func TestQuickReader(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startStream(t, "connections -i lo --format ndjson --udp-idle 1s udp")
	lines := c.countLines()
	n := 4 * room / 6 * 6
	if linkedWithC() { // the race detector makes a reader slow: no more than may wait
		n = room / 6 * 6
	}
	sendDatagramsTo(t, net.IPv4(127, 0, 0, 2), n, 2*time.Millisecond) // some 40,000 a second: a busy machine's reader is quick enough, too
	time.Sleep(3 * time.Second)
	status, took := c.end(true)
	t.Logf("ended after %v: %s", took, c.said())
	if got := <-lines; status != exitDone || got != n {
		t.Errorf("status %d, %d lines, want %d: %s", status, got, n, c.said())
	}
}

// Nor does one who is quick enough lose anything when memory is short: what is too much is
// told behind the packets that come, not in one go.
func TestQuickReaderWhenMemoryIsShort(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startStream(t, "connections -i lo --format ndjson --udp-idle 0s --memory 32M udp")
	lines := c.countLines()
	const n = 6 * 30_000
	pause := time.Millisecond
	if linkedWithC() { // the race detector makes a reader slow
		pause *= 8
	}
	sendDatagramsTo(t, net.IPv4(127, 0, 0, 2), n, pause)
	status, took := c.end(true)
	t.Logf("ended after %v: %s", took, c.said())
	if got := <-lines; status != exitDone || got != n || !strings.Contains(c.said(), "memory is short") {
		t.Errorf("status %d, %d lines, want %d: %s", status, got, n, c.said())
	}
}

// What is over when a capture ends waits for the reader, however much it is: there is no
// packet any more that could be lost. A reader who stands still is left by Ctrl-C even then.
func TestManyEndWithTheCapture(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	n := 4 * room / 6 * 6
	for _, stalled := range []bool{false, true} {
		c := startStream(t, fmt.Sprintf("connections -i lo --format ndjson --udp-idle 1s -B 131072 -c %d udp", n+6))
		if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil { // so that nothing ends before
			t.Fatal(err)
		}
		sendDatagrams(t, n)
		time.Sleep(1500 * time.Millisecond)
		sendDatagramsTo(t, net.IPv4(127, 0, 0, 3), 6, 0)
		if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if stalled {
			time.Sleep(500 * time.Millisecond)
			if status, took := c.end(true); status != exitOutput || took > 5*time.Second || !strings.Contains(c.said(), "its reader takes nothing") {
				t.Errorf("status %d after %v: %s", status, took, c.said())
			}
			continue
		}
		lines := c.countLines()
		status, took := c.end(false)
		t.Logf("ended after %v: %s", took, c.said())
		if got := <-lines; status != exitDone || got != n+6 {
			t.Errorf("status %d, %d lines, want %d: %s", status, got, n+6, c.said())
		}
	}
}

// A reader who stands still costs no packet: lines are dropped, and told. What it finds
// later in the pipe is whole.
func TestStalledReader(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startStream(t, "connections -i lo --format ndjson --udp-idle 1s udp")
	begun := time.Now()
	sendDatagrams(t, numDatagrams)
	t.Logf("%d packets in %v", numDatagrams, time.Since(begun))
	time.Sleep(3 * time.Second)
	status, took := c.end(true)
	t.Logf("ended after %v: %s", took, c.said())
	for _, want := range []string{
		fmt.Sprintf("%d packets captured\n", numDatagrams), "0 packets dropped by kernel\n", "standard output: its reader takes nothing: up to ",
	} {
		if !strings.Contains(c.said(), want) {
			t.Errorf("%q lacks %q", c.said(), want)
		}
	}
	if status != exitOutput || took > 5*time.Second {
		t.Errorf("status %d after %v", status, took)
	}
	rest, err := io.ReadAll(c.stdout)
	if err != nil || !bytes.HasSuffix(rest, []byte("}\n")) {
		t.Errorf("%v: %d bytes in the pipe, the last %q", err, len(rest), rest[max(0, len(rest)-20):])
	}
	for line := range strings.Lines(string(rest)) {
		if !json.Valid([]byte(line)) {
			t.Fatalf("no JSON: %s", line)
		}
	}
}

// Reports follow each other, each of all since the beginning.
func TestReportSeries(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	slowly := func() {
		happen := traffic(t)
		time.Sleep(300 * time.Millisecond)
		happen()
		time.Sleep(600 * time.Millisecond)
	}
	status, stdout, stderr := capturing(t, "report -i lo --interval 100ms --format json", slowly)
	var last struct {
		Capture struct{ Frames uint64 }
		Ledger  struct{ Balanced bool }
		Total   struct{ Connections uint64 }
	}
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	for _, line := range lines {
		before := last.Capture.Frames
		if err := json.Unmarshal([]byte(line), &last); err != nil || last.Capture.Frames < before || !last.Ledger.Balanced {
			t.Fatalf("%v: %d frames after %d: %s", err, last.Capture.Frames, before, line)
		}
	}
	if status != exitDone || len(lines) < 4 || last.Total.Connections != 4 {
		t.Errorf("status %d, %d reports, the last of %+v\n%s", status, len(lines), last, stderr)
	}
	status, stdout, stderr = capturing(t, "report -i lo --interval 100ms", slowly)
	if n := strings.Count(stdout, ": so far ===\n\n"); status != exitDone || n < 3 ||
		strings.Count(stdout, "\n\n=== ") != n || strings.Count(stdout, ": the whole capture ===\n\n") != 1 {
		t.Errorf("status %d, %d reports\n%s%s", status, n, stdout, stderr)
	}
}

// A reader who stands still costs reports, no packet, and is not waited for.
func TestReportSeriesStalled(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	c := startStream(t, "report -i lo --interval 100ms --format json --all")
	for i := range 1000 { // connections, of which each report has a line
		u, err := net.Dial("udp", "127.0.0.1:9")
		if err != nil {
			t.Fatal(err)
		}
		u.Write([]byte("x"))
		u.Close()
		if i%100 == 0 {
			time.Sleep(100 * time.Millisecond)
		}
	}
	status, took := c.end(true)
	if !strings.Contains(c.said(), "0 packets dropped by kernel") || !strings.Contains(c.said(), "the last report was not written") || status != exitOutput || took > 5*time.Second {
		t.Errorf("status %d after %v: %s", status, took, c.said())
	}
}
