package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
)

// A child is the program in a process of its own.
type child struct {
	*exec.Cmd
	t    *testing.T
	said chan string // all of standard error, at its end
}

// startCapture runs the program until it listens.
func startCapture(t *testing.T, stdout *os.File, args ...string) *child {
	t.Helper()
	c := &child{exec.Command("sockscope", append([]string{"capture"}, args...)...), t, make(chan string, 1)}
	c.Stdout = stdout
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	errs, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 4096)
	n, _ := errs.Read(first)
	if !bytes.Contains(first[:n], []byte("listening on ")) {
		t.Fatalf("%s", first[:n])
	}
	go func() {
		rest, _ := io.ReadAll(errs)
		c.said <- string(first[:n]) + string(rest)
	}()
	return c
}

// end waits for the program's end.
func (c *child) end() (status int, stderr string) {
	c.t.Helper()
	late := time.AfterFunc(40*time.Second, func() { c.Process.Kill() })
	defer late.Stop()
	stderr = <-c.said // before Wait, which closes the pipe
	c.Wait()
	return c.ProcessState.ExitCode(), stderr
}

// datagrams sends datagrams of a size to a socket on loopback that takes them.
type datagrams struct {
	from, to net.PacketConn
	data     []byte
}

func newDatagrams(t *testing.T, size int) *datagrams {
	t.Helper()
	d := &datagrams{data: make([]byte, size)}
	for _, c := range []*net.PacketConn{&d.from, &d.to} {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		*c = conn
	}
	return d
}

func (d *datagrams) send(n int) {
	for range n {
		d.from.WriteTo(d.data, d.to.LocalAddr())
	}
}

// until sends bursts until stop is called.
func (d *datagrams) until() (stop func()) {
	var quit sync.WaitGroup
	done := make(chan struct{})
	quit.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				d.send(10)
			}
		}
	})
	return func() { close(done); quit.Wait() }
}

// tcpdumpReads is how many packets tcpdump finds in a file, about which it has nothing
// to complain.
func tcpdumpReads(t *testing.T, path string) int {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command("tcpdump", "-Z", "root", "-nn", "-t", "-q", "-r", path)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("%s: %v\n%s", path, err, &errs)
	}
	return bytes.Count(out.Bytes(), []byte("\n"))
}

// framesIn is how many frames we read in a file, the time of the last one and what is
// wrong with the file.
func framesIn(t *testing.T, path string) (n int, last capture.Timestamp, damage []capture.Damage) {
	t.Helper()
	r, err := pcapfile.Open(context.Background(), []string{path}, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b capture.Block
	for r.Next(&b) == nil {
		n += len(b.Frames)
		last = b.Frames[len(b.Frames)-1].Time
	}
	return n, last, r.Stats().Inputs[0].Damage
}
