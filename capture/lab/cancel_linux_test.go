package lab

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A lab that is interrupted while a call waits ends soon, and leaves nothing.
func TestInterruptedLabEndsSoon(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	before, open := namespaces(t), descriptors(t)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	r, err := Run(ctx, "no-reply")
	if r != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", r, err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	waitFor(t, "threads in a namespace of the lab", func() bool { return within(namespaces(t), before) })
	waitFor(t, "open descriptors", func() bool { return descriptors(t) <= open })
}

// Every lab, interrupted before it begins, makes no call and returns.
func TestInterruptedBeforeItBegins(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range names {
		if r, err := Run(ctx, name); r != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

func TestParseSocket(t *testing.T) {
	const inode = "        00:00000000 00000000     0        0 198539 1 0000000000000000 100 0 0 10 0"
	for _, test := range []struct {
		protocol, line string
		want           Socket
		ok             bool
	}{
		{"tcp", "   0: 020200C0:0050 00000000:0000 0A 00000000:00000003 " + inode, Socket{"tcp", "LISTEN", "192.0.2.2:80", "*", 3, 0, 198539}, true},
		{"tcp", "   1: 020200C0:0050 010200C0:B10A 03 00000000:00000000 " + inode,
			Socket{"tcp", "SYN-RECEIVED", "192.0.2.2:80", "192.0.2.1:45322", 0, 0, 198539}, true},
		{"udp", "  12: 00000000:0007 00000000:0000 07 00000010:00000000 " + inode, Socket{"udp", "UNCONNECTED", "0.0.0.0:7", "*", 0, 16, 198539}, true},
		{"raw", "   1: 00000000:0001 00000000:0000 07 00000000:00000000 " + inode, Socket{"raw", "UNCONNECTED", "0.0.0.0:1", "*", 0, 0, 198539}, true},
		{"tcp", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", Socket{}, false},
		{"tcp", "   0: 020200C0:0050 00000000:0000 FF 00000000:00000003 " + inode, Socket{}, false},
		{"tcp", "   0: 020200C0 00000000:0000 0A 00000000:00000003 " + inode, Socket{}, false},
		{"tcp", "", Socket{}, false},
	} {
		got, ok := parseSocket(test.protocol, test.line)
		if diff := cmp.Diff(test.want, got); ok != test.ok || ok && diff != "" {
			t.Errorf("%q: %v %s", test.line, ok, diff)
		}
	}
}
