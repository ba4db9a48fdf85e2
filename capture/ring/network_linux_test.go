package ring

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// newNetwork puts the test into a network namespace of its own, with loopback up
// and no IPv6 that would talk by itself. The test's thread is never unlocked: it
// ends with the test, and the namespace with it. Goroutines of the test are in the
// old namespace, but sockets may be handed to them.
func newNetwork(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a network namespace")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal("a new network namespace: ", err)
	}
	for _, which := range []string{"all", "default"} {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/disable_ipv6", []byte("1"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	ip(t, "link set lo up")
}

// newPair is newNetwork with a pair of interfaces, out and in, that are up.
func newPair(t testing.TB) {
	t.Helper()
	newNetwork(t)
	ip(t, "link add out type veth peer name in")
	up(t, "out", "in")
}

// up sets the interfaces up and waits until they have their carrier: before that a
// pair of them swallows frames.
func up(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		ip(t, "link set "+name+" up")
	}
	for _, name := range names {
		for {
			i, err := net.InterfaceByName(name)
			if err != nil {
				t.Fatal(err)
			}
			if i.Flags&net.FlagRunning != 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// ip runs the command of that name in the test's namespace.
func ip(t testing.TB, words string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", words, err, out)
	}
}

// A sender sends frames out of one interface.
type sender struct {
	t      testing.TB
	socket int
	to     unix.SockaddrLinklayer
}

func newSender(t testing.TB, name string) *sender {
	t.Helper()
	i, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{t, socket, unix.SockaddrLinklayer{Ifindex: i.Index}}
	t.Cleanup(s.close)
	return s
}

// close closes the sender's socket before the test's end.
func (s *sender) close() {
	if s.socket >= 0 {
		unix.Close(s.socket)
		s.socket = -1
	}
}

// send sends a frame, with patience while the interface's queue is full.
func (s *sender) send(frame []byte) {
	for {
		err := unix.Sendto(s.socket, frame, 0, &s.to)
		if err == nil {
			return
		}
		if !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			s.t.Error("send: ", err)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

const etherTypeTest = 0x88b5 // IEEE 802: local experiments

// numbered is a frame of that length, at least 22, with a number in it.
func numbered(n uint64, length int) []byte {
	b := make([]byte, length)
	copy(b, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01")
	binary.BigEndian.PutUint16(b[12:], etherTypeTest)
	binary.BigEndian.PutUint64(b[14:], n)
	return b
}

func number(f *capture.Frame) uint64 { return binary.BigEndian.Uint64(f.Data[14:]) }

// A tap is an open source and all that it has given.
type tap struct {
	t      testing.TB
	source capture.Source
	stop   context.CancelFunc
	frames []capture.Frame
	block  capture.Block
}

func newTap(t testing.TB, cfg Config) *tap {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	if cfg.RingSize == 0 {
		cfg.RingSize = leastRing
	}
	source, err := Open(ctx, cfg)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	return &tap{t: t, source: source, stop: cancel}
}

// next reads a block and copies its frames. It returns the error of Next.
func (p *tap) next() error {
	begin := time.Now()
	err := p.source.Next(&p.block)
	if took := time.Since(begin); took > 500*time.Millisecond { // 100 and what a busy machine takes
		p.t.Errorf("Next took %v", took)
	}
	if err != nil {
		return err
	}
	for _, f := range p.block.Frames {
		f.Data = append([]byte(nil), f.Data...)
		p.frames = append(p.frames, f)
	}
	p.source.Release(&p.block)
	return nil
}

// end stops the source and reads what is left.
func (p *tap) end() {
	p.t.Helper()
	p.stop()
	var err error
	for err == nil {
		err = p.next()
	}
	if err != io.EOF {
		p.t.Error(err)
	}
}

// until reads until done or for 3 s.
func (p *tap) until(what string, done func() bool) {
	p.t.Helper()
	for end := time.Now().Add(3 * time.Second); !done(); {
		if time.Now().After(end) {
			p.t.Fatalf("no %s after 3 s; notes %q", what, p.notes())
		}
		if err := p.next(); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *tap) notes() []string { return p.source.Stats().Inputs[0].Notes }

// noted reads until there is a note with these words.
func (p *tap) noted(words string) {
	p.t.Helper()
	p.until("note "+words, func() bool { return strings.Contains(strings.Join(p.notes(), "\n"), words) })
}

// got reads until the frame with a number is there.
func (p *tap) got(n uint64) {
	p.t.Helper()
	p.until("frame", func() bool {
		for i := range p.frames {
			if len(p.frames[i].Data) >= 22 && number(&p.frames[i]) == n {
				return true
			}
		}
		return false
	})
}
