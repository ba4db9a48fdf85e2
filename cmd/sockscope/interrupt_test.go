package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInterruptedRead interrupts reading from a standard input that never ends, as
// in tcpdump -w - | sockscope report -r -: what was read is reported.
func TestInterruptedRead(t *testing.T) {
	stdin, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	defer feed.Close()
	if _, err := feed.Write(pcapFile(synFrame())); err != nil {
		t.Fatal(err)
	}
	// On a busy machine the program may need a while to get to its first read.
	checkInterrupted(t, stdin, "-", time.Second, "1 frame (", "sockscope: interrupted: the results are those of the first 1 frames\n")
}

// TestInterruptedWait interrupts waiting for the writer of a FIFO.
func TestInterruptedWait(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := makeFIFO(name); err != nil {
		t.Fatal(err)
	}
	checkInterrupted(t, bytes.NewReader(nil), name, 50*time.Millisecond, "", "sockscope: interrupted before the first frame: no results\n")
}

// checkInterrupted reads name, interrupts that after a while, and checks what is told.
func checkInterrupted(t *testing.T, stdin io.Reader, name string, after time.Duration, result, message string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(after, func() { cancel(errInterrupted) })
	var stdout, stderr bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"report", "-r", name}, stdin, &stdout, &stderr) }()
	select {
	case status := <-done:
		if status != exitInterrupted || !strings.Contains(stdout.String(), result) || result == "" && stdout.Len() != 0 {
			t.Errorf("exit status %d, %s%s", status, &stdout, &stderr)
		}
		if stderr.String() != message {
			t.Errorf("%q, want %q", &stderr, message)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("does not end")
	}
}
