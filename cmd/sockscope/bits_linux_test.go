package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"sockscope/report/explain/bits"
)

// A capture ends when the frame has come.
func TestBitsOfACapture(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	to, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	type result struct {
		stdout, stderr string
		status         int
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.stdout, r.stderr, r.status = bitsOf(t, 2, "text", bits.Options{}, "-i", "lo", "udp", "port", "9")
		done <- r
	}()
	for late := time.After(20 * time.Second); ; {
		select {
		case r := <-done:
			if r.status != exitDone || !strings.HasPrefix(r.stdout, "Frame 2 (EN10MB)") || !strings.Contains(r.stdout, "Destination Port = 9 ") {
				t.Errorf("status %d, %s%s", r.status, r.stdout, r.stderr)
			}
			if !strings.Contains(r.stderr, "listening on lo") || !strings.Contains(r.stderr, "received by filter") {
				t.Errorf("said %q", r.stderr)
			}
			return
		case <-late:
			t.Fatal("the capture goes on")
		case <-time.After(20 * time.Millisecond):
			to.Write([]byte("datagram")) // refused, or nobody captures yet
		}
	}
}
