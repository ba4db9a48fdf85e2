package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestInterruptedRead interrupts reading from a standard input that never ends.
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
	checkInterrupted(t, stdin, "-")
}

// TestInterruptedWait interrupts waiting for the writer of a FIFO.
func TestInterruptedWait(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := makeFIFO(name); err != nil {
		t.Skip("no FIFO:", err)
	}
	checkInterrupted(t, bytes.NewReader(nil), name)
}

func checkInterrupted(t *testing.T, stdin io.Reader, name string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(50*time.Millisecond, func() { cancel(errInterrupted) })
	var stdout, stderr bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"report", "-r", name}, stdin, &stdout, &stderr) }()
	select {
	case status := <-done:
		if status != exitInterrupted || stdout.Len() != 0 {
			t.Errorf("exit status %d, %s%s", status, &stdout, &stderr)
		}
		if want := "sockscope: interrupted before the end of the input: no results\n"; stderr.String() != want {
			t.Errorf("%q, want %q", &stderr, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("does not end")
	}
}
