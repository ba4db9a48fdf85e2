package process

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sockscope/capture"
)

// Host tells of every kind of socket and who has it.
func TestHost(t *testing.T) {
	inEachWay(t, func(t *testing.T, w *Watch) {
		run(t, "ip addr replace 10.8.8.8/32 dev lo")
		server, udp := serveTCP(t, "[::]:0"), serveUDP(t, "127.0.0.1:0")
		client := newActor(t, nil, "hold", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), server.Port()).String(), "tcp")
		raw, err := net.ListenPacket("ip4:89", "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		child := newActor(t, func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{file} }, "unshared", "-")
		h, err := w.Host()
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name     string
			protocol uint8
			local    netip.AddrPort
			state    string
			pids     []int
		}{
			{"a listener", 6, server, "LISTEN", []int{os.Getpid()}},
			{"a listener with two processes, the parent first", 6, netip.MustParseAddrPort(l.Addr().String()), "LISTEN", []int{os.Getpid(), child.pid()}},
			{"UDP", 17, udp, "CLOSED", []int{os.Getpid()}},
			{"a client", 6, client.address(t), "ESTABLISHED", []int{client.pid()}},
			{"raw", 89, netip.MustParseAddrPort("127.0.0.1:0"), "RAW", []int{os.Getpid()}},
		} {
			n := slices.IndexFunc(h.Sockets, func(s capture.Socket) bool { return s.Protocol == tt.protocol && s.Local == tt.local })
			if n < 0 {
				t.Errorf("%s: none in %+v", tt.name, h.Sockets)
				continue
			}
			s := h.Sockets[n]
			var pids []int
			for _, o := range s.Owners {
				pids = append(pids, o.PID)
			}
			if s.State != tt.state || !slices.Equal(pids, tt.pids) || !s.HasUID || s.Inode == 0 || s.Unavailable != "" {
				t.Errorf("%s: processes %v, want %v; %+v", tt.name, pids, tt.pids, s)
			}
		}
		if !slices.Contains(h.Addresses, netip.MustParseAddr("10.8.8.8")) {
			t.Errorf("addresses %v", h.Addresses)
		}
		if h.EphemeralLow == 0 || h.EphemeralHigh < h.EphemeralLow {
			t.Errorf("ephemeral ports %d to %d", h.EphemeralLow, h.EphemeralHigh)
		}
	})
}

// What listeners dropped before the watch began does not count.
func TestHostCountsOverflows(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	overflow(t)
	w := watching(t, Config{})
	h, err := w.Host()
	if err != nil || h.ListenOverflows != 0 || h.ListenDrops != 0 {
		t.Errorf("before: %+v, %v", h, err)
	}
	overflow(t)
	for end := time.Now().Add(patience); h.ListenOverflows == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if h, err = w.Host(); err != nil {
			t.Fatal(err)
		}
	}
	if h.ListenOverflows == 0 || h.ListenDrops < h.ListenOverflows {
		t.Errorf("overflows %d, drops %d", h.ListenOverflows, h.ListenDrops)
	}
}

// overflow connects to a listener that accepts nobody.
func overflow(t *testing.T) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		c, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(c) })
		if err := syscall.Connect(c, name); err != nil && err != syscall.EINPROGRESS {
			t.Fatal(err)
		}
	}
}

func TestExtended(t *testing.T) {
	content := strings.Join([]string{"TcpExt: A ListenOverflows B", "TcpExt: 1 2 3", "IpExt: ListenDrops", "IpExt: 9", ""}, "\n")
	for name, want := range map[string]uint64{"ListenOverflows": 2, "B": 3, "ListenDrops": 0} {
		if got := extended([]byte(content), name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	if got := extended([]byte("TcpExt: A B\nTcpExt: 1"), "B"); got != 0 {
		t.Errorf("a counter without a number is %d", got)
	}
}
