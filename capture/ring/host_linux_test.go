package ring

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
)

// held counts what the process holds of the kernel: descriptors and mapped rings.
func held(t *testing.T) (descriptors, mappings int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries), strings.Count(string(maps), "socket:[")
}

func TestNothingIsLeft(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	goroutines := runtime.NumGoroutine()
	descriptors, mappings := held(t)
	for range 20 {
		p := newTap(t, Config{Interfaces: []string{"in"}})
		s.send(numbered(1, 60))
		p.end()
		p.source.Close()
		if _, err := Open(t.Context(), Config{Interfaces: []string{"eth9"}}); err == nil {
			t.Fatal("an interface that is not there")
		}
		p = newTap(t, Config{Immediate: true})
		s.send(numbered(1, 60))
		for len(p.block.Frames) == 0 {
			if err := p.source.Next(&p.block); err != nil {
				t.Fatal(err)
			}
		}
		p.source.Close()
		p.source.Release(&p.block)
	}
	if n := runtime.NumGoroutine(); n != goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if d, m := held(t); d != descriptors || m != mappings {
		t.Errorf("%d descriptors and %d mappings, %d and %d before", d, m, descriptors, mappings)
	}
}

func TestWithoutCapability(t *testing.T) {
	newNetwork(t)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		t.Fatal(err)
	}
	data[0].Effective &^= 1 << unix.CAP_NET_RAW
	if err := unix.Capset(&header, &data[0]); err != nil { // of this thread, which ends with the test
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{})
	program, _ := os.Executable()
	want := "cannot capture: need CAP_NET_RAW (run as root or: setcap cap_net_raw+ep " + program + ")"
	if err == nil || err.Error() != want || !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestCapabilitiesMayGo drops all capabilities after opening, as a careful program
// does, and has the interface deleted and made again.
func TestCapabilitiesMayGo(t *testing.T) {
	newPair(t)
	p := newTap(t, Config{Interfaces: []string{"in"}, Follow: true})
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var all, none [2]unix.CapUserData
	if err := unix.Capget(&header, &all[0]); err != nil {
		t.Fatal(err)
	}
	drop := func(effective [2]unix.CapUserData) {
		for i := range effective { // the permitted ones stay for the test's own needs
			effective[i].Permitted = all[i].Permitted
		}
		if err := unix.Capset(&header, &effective[0]); err != nil {
			t.Fatal(err)
		}
	}
	again := newPair2(t, p)
	drop(none)
	p.noted("in is up")
	drop(all)
	again.send(numbered(1, 60))
	drop(none)
	p.got(1)
	p.end()
	drop(all)
	for _, n := range p.notes() {
		if strings.Contains(n, "cannot") {
			t.Errorf("note %q", n)
		}
	}
}

// newPair2 deletes the pair and makes it again, without a look at what p says.
func newPair2(t *testing.T, p *tap) *sender {
	ip(t, "link del in")
	ip(t, "link add out type veth peer name in")
	up(t, "out", "in")
	return newSender(t, "out")
}

func TestFit(t *testing.T) {
	const MiB = 1 << 20
	tests := []struct {
		name      string
		size      int
		available int
		want      int
		err       error
	}{
		{"enough", 64 * MiB, 64 * MiB, 64 * MiB, nil},
		{"half", 64 * MiB, 40 * MiB, 32 * MiB, nil},
		{"the least", 64 * MiB, 8 * MiB, 8 * MiB, nil},
		{"an odd number down to the least", 27 * MiB, 8 * MiB, 8 * MiB, nil},
		{"not even the least", 64 * MiB, 7 * MiB, 8 * MiB, unix.ENOMEM},
		{"a small one is not made smaller", 4 * MiB, 3 * MiB, 4 * MiB, unix.ENOMEM},
		{"whole blocks", 5*MiB + 1, 64 * MiB, 5 * MiB, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := fit(tt.size, func(size int) error {
				if size > tt.available {
					return unix.ENOMEM
				}
				return nil
			})
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%d MiB, error %v; want %d, %v", got/MiB, err, tt.want/MiB, tt.err)
			}
		})
	}
}

// talk has some TCP and UDP connections over loopback.
func talk(t *testing.T) {
	t.Helper()
	for range 5 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		go func() { c.Write(make([]byte, 300_000)); c.Close() }()
		if _, err := io.Copy(io.Discard, s); err != nil {
			t.Fatal(err)
		}
		s.Close()
		l.Close()
		u, err := net.Dial("udp4", "127.0.0.1:9")
		if err != nil {
			t.Fatal(err)
		}
		u.Write([]byte("nobody hears"))
		u.Close()
	}
}

func TestChecksumsLeftToTheHardware(t *testing.T) {
	newNetwork(t)
	p := newTap(t, Config{Interfaces: []string{"lo"}})
	talk(t)
	p.end()
	unsummed := 0
	for _, f := range p.frames {
		if f.Unsummed {
			unsummed++
		}
	}
	if unsummed == 0 || len(p.frames) < 50 {
		t.Errorf("%d of %d frames", unsummed, len(p.frames))
	}
}

// sums are one word for each frame's bytes and length, sorted.
func sums(frames []capture.Frame) []string {
	var list []string
	for _, f := range frames {
		list = append(list, fmt.Sprintf("%d/%d %x", len(f.Data), f.Length, sha256.Sum256(f.Data)))
	}
	slices.Sort(list)
	return list
}

// TestTheSameAsTcpdump captures what tcpdump does at the same time.
func TestTheSameAsTcpdump(t *testing.T) {
	tests := []struct {
		name    string
		iface   string
		options []string
		cfg     Config
		traffic func(t *testing.T)
	}{
		{"loopback", "lo", nil, Config{}, talk},
		{"tags", "in", nil, Config{}, tags},
		{"tags on their way out", "out", nil, Config{}, tags},
		{"snap length", "in", []string{"-s", "50"}, Config{SnapLength: 50}, tags},
		{"in", "in", []string{"-Q", "in"}, Config{Direction: In}, tags},
		{"out", "out", []string{"-Q", "out"}, Config{Direction: Out}, tags},
	}
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			newPair(t)
			name := filepath.Join(t.TempDir(), "tcpdump.pcap")
			arguments := append([]string{"-i", tt.iface, "-w", name, "-B", "32768", "-Z", "root", "--time-stamp-precision=nano"}, tt.options...)
			cmd := exec.Command("tcpdump", arguments...)
			said, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Process.Kill()
			if _, err := said.Read(make([]byte, 1000)); err != nil { // it listens
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			tt.cfg.Interfaces = []string{tt.iface}
			p := newTap(t, tt.cfg)
			tt.traffic(t)
			p.end()
			time.Sleep(1200 * time.Millisecond) // it loses what its last second brings
			cmd.Process.Signal(os.Interrupt)
			io.Copy(io.Discard, said)
			cmd.Wait()

			theirs := read(t, name)
			if !slices.Equal(sums(p.frames), sums(theirs)) {
				t.Errorf("%d frames differ from tcpdump's %d", len(p.frames), len(theirs))
			}
			same := 0
			for i := range min(len(p.frames), len(theirs)) {
				if p.frames[i].Time == theirs[i].Time {
					same++
				}
			}
			t.Logf("%d frames, %d with the same time", len(p.frames), same)
		})
	}
}

// tags sends frames with all sorts of tags, and one back.
func tags(t *testing.T) {
	s := newSender(t, "out")
	for n := range uint64(100) {
		s.send(tagged(n))
		s.send(tagged(n, 0x81000000|uint32(n)))
		s.send(tagged(n, 0x88a80001, 0x81000000|uint32(n)))
	}
	newSender(t, "in").send(numbered(100, 1400))
}

func read(t *testing.T, name string) []capture.Frame {
	t.Helper()
	r, err := pcapfile.Open(t.Context(), []string{name}, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var frames []capture.Frame
	for {
		var b capture.Block
		if err := r.Next(&b); err != nil {
			return frames
		}
		frames = append(frames, b.Frames...)
	}
}
