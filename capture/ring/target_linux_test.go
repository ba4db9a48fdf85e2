package ring

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

func TestDownAndUp(t *testing.T) {
	newPair(t)
	p := newTap(t, Config{Interfaces: []string{"in"}})
	s := newSender(t, "out")
	s.send(numbered(1, 60))
	p.got(1)
	for n := range uint64(3) {
		ip(t, "link set in down")
		begin := time.Now()
		p.until("note", func() bool { return uint64(len(p.notes())) == 2*n+1 })
		if took := time.Since(begin); took > 200*time.Millisecond {
			t.Errorf("down is noted after %v", took)
		}
		up(t, "in")
		s.send(numbered(10+n, 60))
		p.got(10 + n)
	}
	p.end()
	for i, n := range p.notes() {
		if want := []string{": in is down", ": in is up"}[i%2]; !strings.HasSuffix(n, want) {
			t.Errorf("note %q, want %q", n, want)
		}
	}
	wantNumbers(t, p, 1, 10, 11, 12)
}

func TestDownAtTheStart(t *testing.T) {
	newPair(t)
	ip(t, "link set in down")
	p := newTap(t, Config{Interfaces: []string{"in"}})
	if n := p.notes(); len(n) != 1 || n[0] != "in is down: nothing is received until it is up" {
		t.Errorf("notes %q", n)
	}
	if err := p.next(); err != nil {
		t.Fatal(err)
	}
	up(t, "in")
	newSender(t, "out").send(numbered(1, 60))
	p.got(1)
}

func TestRenamed(t *testing.T) {
	newPair(t)
	p := newTap(t, Config{Interfaces: []string{"in"}})
	ip(t, "link set in name inner") // of an interface that is up: Linux 6.2
	p.noted("in is named inner now")
	newSender(t, "out").send(numbered(1, 60))
	p.got(1)
	if i := p.source.Stats().Interfaces; len(i) != 1 || i[0].Name != "in" {
		t.Errorf("interfaces %+v", i)
	}
}

func TestMTUChanged(t *testing.T) {
	newPair(t)
	p := newTap(t, Config{Interfaces: []string{"in"}})
	ip(t, "link set in mtu 9000")
	ip(t, "link set out mtu 9000")
	p.noted("in has an MTU of 9000 instead of 1500")
	newSender(t, "out").send(numbered(1, 9014))
	p.got(1)
	if n := len(p.frames[0].Data); n != 9014 {
		t.Errorf("%d bytes", n)
	}
}

func TestABridgesPortIsNotGone(t *testing.T) {
	newPair(t)
	ip(t, "link add bridge type bridge")
	p := newTap(t, Config{Interfaces: []string{"in"}})
	ip(t, "link set in master bridge")
	ip(t, "link set in nomaster")
	newSender(t, "out").send(numbered(1, 60))
	p.got(1)
	p.end()
	if n := p.notes(); len(n) != 0 {
		t.Errorf("notes %q", n)
	}
}

// moveAway moves an interface to a namespace that ends with the test.
func moveAway(t *testing.T, name string) {
	t.Helper()
	other := exec.Command("unshare", "--net", "sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Process.Kill(); other.Wait() })
	time.Sleep(100 * time.Millisecond) // until it has its namespace
	ip(t, "link set "+name+" netns "+strconv.Itoa(other.Process.Pid))
}

func TestGone(t *testing.T) {
	tests := []struct {
		name string
		lose func(t *testing.T)
	}{
		{"deleted", func(t *testing.T) { ip(t, "link del in") }},
		{"moved to another namespace", func(t *testing.T) { moveAway(t, "in") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			newPair(t)
			p := newTap(t, Config{Interfaces: []string{"in"}})
			s := newSender(t, "out")
			for n := range uint64(100) {
				s.send(numbered(n, 60))
			}
			tt.lose(t)
			begin := time.Now()
			var err error
			for err == nil {
				err = p.next()
			}
			if took := time.Since(begin); took > time.Second {
				t.Errorf("noticed after %v", took)
			}
			if !errors.Is(err, ErrGone) || !strings.HasSuffix(err.Error(), " (gone: in)") {
				t.Errorf("error %q", err)
			}
			if again := p.next(); again != err {
				t.Errorf("then %q", again)
			}
			if len(p.frames) != 100 {
				t.Errorf("%d of 100 frames that came before", len(p.frames))
			}
			p.noted("in is gone: deleted or moved to another network namespace")
		})
	}
}

func TestFollowed(t *testing.T) {
	newPair(t)
	p := newTap(t, Config{Interfaces: []string{"in"}, Follow: true})
	newSender(t, "out").send(numbered(1, 60))
	p.got(1)
	for n := range uint64(3) {
		ip(t, "link del in")
		p.until("loss", func() bool { return strings.Count(strings.Join(p.notes(), "\n"), "is gone") == int(n)+1 })
		ip(t, "link add out type veth peer name other") // named only later, as containers' interfaces are
		ip(t, "link set other name in")
		up(t, "in", "out")
		p.until("return", func() bool { return strings.Count(strings.Join(p.notes(), "\n"), "is up") == int(n)+1 })
		newSender(t, "out").send(numbered(10+n, 60))
		p.got(10 + n)
		if !promiscuous(t, "in") {
			t.Error("not promiscuous any more")
		}
	}
	p.end()
	wantNumbers(t, p, 1, 10, 11, 12)
	if s := p.source.Stats(); len(s.Interfaces) != 1 || s.Inputs[0].Frames != 4 {
		t.Errorf("%+v", s)
	}
}

func TestOneOfSeveralIsGoneAndBack(t *testing.T) {
	newPair(t)
	ip(t, "link add out2 type veth peer name in2")
	up(t, "out2", "in2")
	p := newTap(t, Config{Interfaces: []string{"in", "in2"}})
	out, out2 := newSender(t, "out"), newSender(t, "out2")
	out.send(numbered(1, 60))
	out2.send(numbered(2, 60))
	p.got(2)
	ip(t, "link del in2")
	p.noted("in2 is gone")
	newSender(t, "lo").send(numbered(99, 60)) // not asked for
	out.send(numbered(3, 60))
	p.got(3)
	ip(t, "link add out2 type veth peer name in2")
	up(t, "out2", "in2")
	p.noted("in2 is up")
	newSender(t, "out2").send(numbered(4, 60))
	p.got(4)
	ip(t, "link del in2")
	ip(t, "link del in")
	var err error
	for err == nil {
		err = p.next()
	}
	if !errors.Is(err, ErrGone) || !strings.HasSuffix(err.Error(), " (gone: in, in2)") {
		t.Errorf("error %q", err)
	}
	wantNumbers(t, p, 1, 2, 3, 4)
	s := p.source.Stats()
	for i, want := range []string{"in,in2", "in", "in2"} {
		if s.Interfaces[i].Name != want {
			t.Errorf("interface %d is %q, want %q", i, s.Interfaces[i].Name, want)
		}
	}
	for i, want := range []uint32{1, 2, 1, 2} {
		if p.frames[i].Interface != want {
			t.Errorf("frame %d has interface %d, want %d", i, p.frames[i].Interface, want)
		}
	}
	for i, want := range []string{"in", "in2"} {
		if in := s.Inputs[i]; in.Name != want || in.Frames != 2 || in.Bytes != 120 || s.Interfaces[i+1].Input != i {
			t.Errorf("input %+v", in)
		}
	}
}

func TestFramesOfSeveralInterfacesAreInOrder(t *testing.T) {
	newPair(t)
	p := newTap(t, Config{Interfaces: []string{"out", "in"}})
	s := newSender(t, "out")
	for n := range uint64(1000) {
		s.send(numbered(n, 60))
	}
	p.end()
	if len(p.frames) != 2000 {
		t.Fatalf("%d frames", len(p.frames))
	}
	for i, f := range p.frames {
		if number(&f) != uint64(i/2) || f.Interface != uint32(1+i%2) {
			t.Fatalf("frame %d of interface %d at place %d", number(&f), f.Interface, i)
		}
	}
}

func TestAnySeesInterfacesComeAndGo(t *testing.T) {
	newPair(t)
	p := newTap(t, Config{})
	newSender(t, "out").send(numbered(1, 60))
	p.got(1)
	for n := range uint64(3) {
		name := "new" + strconv.Itoa(int(n))
		ip(t, "link add "+name+" type veth peer name peer")
		up(t, "peer", name)
		newSender(t, "peer").send(numbered(10+n, 60))
		ip(t, "link del peer") // before its frames were looked at
		p.got(10 + n)
		f := p.frames[len(p.frames)-1]
		if i := p.source.Stats().Interfaces[f.Interface]; i.Name != name || i.Link != capture.LinkEthernet {
			t.Errorf("the frame came from %+v, want %q", i, name)
		}
	}
	ip(t, "link del in")
	p.end()
	s := p.source.Stats()
	if s.Inputs[0].Name != "any" || s.Inputs[0].Frames != 8 || s.Interfaces[0].Name != "any" {
		t.Errorf("%+v", s)
	}
}

// TestChurn has interfaces come, talk and go, and one go down and up; 1,000 times with
// SOCKSCOPE_FULL.
func TestChurn(t *testing.T) {
	rounds := 20
	if os.Getenv("SOCKSCOPE_FULL") != "" {
		rounds = 1000
	}
	for _, names := range [][]string{{"any"}, {"in"}} {
		t.Run(names[0], func(t *testing.T) {
			newPair(t)
			p := newTap(t, Config{Interfaces: names, Follow: true})
			goroutines := runtime.NumGoroutine()
			descriptors, mappings := held(t)
			for n := range uint64(rounds) {
				ip(t, "link add out3 type veth peer name in3")
				up(t, "out3", "in3")
				s := newSender(t, "out3")
				s.send(numbered(1_000_000+n, 60))
				s.close()
				if names[0] == "any" {
					p.got(1_000_000 + n)
				}
				ip(t, "link del out3")
				ip(t, "link set in down")
				up(t, "in")
				s = newSender(t, "out")
				s.send(numbered(n, 60))
				s.close()
				p.got(n)
				p.frames = p.frames[:0]
			}
			if n := len(p.notes()); n > maxNotes+1 {
				t.Errorf("%d notes", n)
			}
			if n := runtime.NumGoroutine(); n != goroutines {
				t.Errorf("%d goroutines, %d before", n, goroutines)
			}
			if d, m := held(t); d != descriptors || m != mappings {
				t.Errorf("%d descriptors and %d mappings, %d and %d before", d, m, descriptors, mappings)
			}
			if n := len(p.source.(*source).links.byIndex); n != 3 {
				t.Errorf("%d interfaces are known of 3", n)
			}
			p.end()
			if drops := p.source.Stats().Interfaces[0].Drops; drops != 0 {
				t.Errorf("%d drops", drops)
			}
		})
	}
}

// TestLostMessages has more changes happen than the kernel keeps messages of.
func TestLostMessages(t *testing.T) {
	newPair(t)
	p := newTap(t, Config{Interfaces: []string{"in"}})
	everywhere := newTap(t, Config{})
	script := strings.Repeat("link add x type veth peer name y\nlink del x\n", 60) +
		"link del in\nlink add out type veth peer name in\n"
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	up(t, "in", "out")
	p.noted("in is back")
	newSender(t, "out").send(numbered(1, 60))
	p.got(1)
	everywhere.got(1)
	f := everywhere.frames[len(everywhere.frames)-1]
	if i := everywhere.source.Stats().Interfaces[f.Interface]; i.Name != "out" && i.Name != "in" {
		t.Errorf("the frame came from %+v", i)
	}
	if n := len(everywhere.source.(*source).links.byIndex); n != 3 {
		t.Errorf("%d interfaces", n)
	}
}

// promiscuous reports whether the kernel says so.
func promiscuous(t *testing.T, name string) bool {
	t.Helper()
	out, err := exec.Command("ip", "-details", "link", "show", name).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case strings.Contains(string(out), " promiscuity 1 "):
		return true
	case strings.Contains(string(out), " promiscuity 0 "):
		return false
	}
	t.Fatalf("no promiscuity in %s", out)
	return false
}

func TestPromiscuous(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		want bool
	}{
		{"by default", Config{Interfaces: []string{"in"}}, true},
		{"of several", Config{Interfaces: []string{"lo", "in"}}, true},
		{"not when told", Config{Interfaces: []string{"in"}, NoPromiscuous: true}, false},
		{"not any", Config{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			newPair(t)
			p := newTap(t, tt.cfg)
			if got := promiscuous(t, "in"); got != tt.want {
				t.Errorf("promiscuous: %v", got)
			}
			p.source.Close()
			if promiscuous(t, "in") {
				t.Error("still promiscuous after Close")
			}
		})
	}
}

func TestAlternativeName(t *testing.T) {
	newPair(t)
	ip(t, "link property add dev in altname a-name-longer-than-sixteen")
	p := newTap(t, Config{Interfaces: []string{"in", "a-name-longer-than-sixteen"}})
	newSender(t, "out").send(numbered(1, 60))
	p.end()
	wantNumbers(t, p, 1)
	if in := p.source.Stats().Inputs; len(in) != 1 {
		t.Errorf("inputs %+v", in)
	}
}

func TestNoInterface(t *testing.T) {
	newPair(t)
	tests := []struct{ name, want string }{
		{"eth9", `no interface "eth9" (have: lo, in, out)`},
		{"", `no interface "" (have: lo, in, out)`},
		{"\x1b[31mred", "no interface \"\x1b[31mred\" (have: lo, in, out)"},
	}
	for _, tt := range tests {
		_, err := Open(t.Context(), Config{Interfaces: []string{"lo", tt.name}})
		if err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}

func TestFrameWithoutLinkHeader(t *testing.T) {
	newNetwork(t)
	tun, write := newTun(t, "tun0")
	defer unix.Close(tun)
	ip(t, "link set tun0 up")
	ip(t, "address add 10.1.1.1/24 dev tun0")
	for _, name := range []string{"tun0", "any"} {
		p := newTap(t, Config{Interfaces: []string{name}})
		ipv4 := append([]byte{0x45, 0, 0, 24, 0, 0, 0, 0, 64, 253, 0, 0, 10, 9, 9, 9, 10, 9, 9, 8}, "data"...)
		write(unix.ETH_P_IP, ipv4)
		write(unix.ETH_P_MPLS_UC, []byte("\x00\x00\x11\x40not IP"))
		p.end()
		if len(p.frames) != 2 {
			t.Fatalf("%s: %d frames", name, len(p.frames))
		}
		if f := p.frames[0]; f.Link != capture.LinkRaw || string(f.Data) != string(ipv4) || int(f.Length) != len(ipv4) {
			t.Errorf("%s: %v %d: % x", name, f.Link, f.Length, f.Data)
		}
		index := p.source.(*source).links.find("tun0").index
		cooked := "\x88\x47\x00\x00\x00\x00\x00" + string(rune(index)) + "\xff\xfe\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x11\x40not IP"
		if f := p.frames[1]; f.Link != capture.LinkSLL2 || string(f.Data) != cooked || int(f.Length) != len(cooked) {
			t.Errorf("%s: %v %d: % x, want % x", name, f.Link, f.Length, f.Data, cooked)
		}
		if i := p.source.Stats().Interfaces[p.frames[0].Interface]; i.Name != "tun0" || i.Link != capture.LinkRaw {
			t.Errorf("%+v", i)
		}
	}
}

// newTun makes a tun interface: what write gets arrives on it.
func newTun(t *testing.T, name string) (fd int, write func(protocol uint16, packet []byte)) {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_TUN)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		t.Fatal(err)
	}
	return fd, func(protocol uint16, packet []byte) {
		b := append([]byte{0, 0, byte(protocol >> 8), byte(protocol)}, packet...)
		if _, err := unix.Write(fd, b); err != nil {
			t.Fatal(err)
		}
	}
}
