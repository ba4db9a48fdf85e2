package process

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"sockscope/capture"
)

// An actor is a process that plays a part in a test: it acts on the words of act, says
// one line when it is ready, and goes on when its input is closed.
type actor struct {
	cmd   *exec.Cmd
	input io.Closer
	said  string
}

func newActor(t testing.TB, change func(*exec.Cmd), words ...string) *actor {
	t.Helper()
	cmd := actorOf(words...)
	if change != nil {
		change(cmd)
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a := &actor{cmd: cmd, input: input}
	t.Cleanup(a.end)
	var line []byte
	for b := make([]byte, 1); !bytes.HasSuffix(line, []byte("\n")); line = append(line, b...) {
		if _, err := output.Read(b); err != nil {
			t.Fatalf("%v ended: %v, %q", words, err, line)
		}
	}
	a.said = strings.TrimSuffix(string(line), "\n")
	return a
}

// address is the one that the actor said.
func (a *actor) address(t testing.TB) netip.AddrPort {
	t.Helper()
	address, err := netip.ParseAddrPort(a.said)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// end lets the actor end, and waits for that.
func (a *actor) end() {
	if a.cmd.ProcessState == nil {
		a.input.Close()
		_ = a.cmd.Wait()
	}
}

func (a *actor) pid() int { return a.cmd.Process.Pid }

// told waits until the test lets the actor go on.
func told() { _, _ = io.Copy(io.Discard, os.Stdin) }

func say(what any) { fmt.Println(what) }

// fail ends an actor that cannot go on.
func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, os.Getenv(acting), ":", err)
		os.Exit(1)
	}
}

// dial connects and says from where.
func dial(network, address string) net.Conn {
	c, err := net.Dial(network, address)
	fail(err)
	if network == "udp" {
		_, err = c.Write([]byte("?"))
		fail(err)
	}
	return c
}

// act plays a part.
func act(words []string) {
	address := words[1]
	switch words[0] {
	case "tcp", "udp":
		clients(words, func() (call, error) { return exchange(words[0], address) })
	case "udp-unconnected":
		clients(words, func() (call, error) { return ask(address) })
	case "doors": // of each type, in a network namespace without addresses
		lo, err := netlink.LinkByName("lo")
		fail(err)
		fail(netlink.LinkSetUp(lo))
		_, err = net.Listen("tcp4", "127.0.0.1:4443")
		fail(err)
		_, err = net.ListenPacket("udp6", "[::1]:5353")
		fail(err)
		_, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP)
		fail(err)
		_, err = syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0)
		fail(err)
		say("ready")
		told()
	case "hold":
		c := dial(words[2], address)
		say(c.LocalAddr())
		told()
		c.Close()
	case "named":
		fail(os.WriteFile("/proc/self/comm", []byte(hostileName), 0))
		c := dial("tcp", address)
		say(c.LocalAddr())
		told()
		c.Close()
	case "exec": // another program when it has connected
		c := dial("tcp", address)
		f, err := c.(*net.TCPConn).File()
		fail(err)
		_, err = dup(f) // survives exec
		fail(err)
		say(c.LocalAddr())
		fail(syscall.Exec("/bin/cat", []string{"cat"}, nil))
	case "pass": // the connection to the process at the other end of descriptor 3
		c := dial("tcp", address)
		f, err := c.(*net.TCPConn).File()
		fail(err)
		local := c.LocalAddr()
		fail(syscall.Sendmsg(3, []byte("!"), syscall.UnixRights(int(f.Fd())), nil, 0))
		c.Close()
		f.Close()
		say(local)
		told()
	case "receive":
		var b, rights [64]byte
		_, _, _, _, err := syscall.Recvmsg(3, b[:], rights[:], 0)
		fail(err)
		say("")
		told()
	case "serve": // in another network namespace
		for i := 0; ; i++ { // until the test has put the address there
			l, err := net.Listen("tcp", address)
			if err == nil {
				say(l.Addr())
				go func() {
					for {
						if _, err := l.Accept(); err != nil {
							return
						}
					}
				}()
				told()
				return
			}
			if i == 1000 {
				fail(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	case "unshared":
		say("")
		told()
	case "watch": // with fewer rights; words[2] is how
		if words[2] == "dropped" {
			w, err := Open(context.Background(), Config{})
			fail(err)
			fail(syscall.Setgroups(nil))
			fail(syscall.Setresgid(65534, 65534, 65534))
			fail(syscall.Setresuid(65534, 65534, 65534))
			report(w, address)
			return
		}
		w, err := Open(context.Background(), Config{})
		fail(err)
		report(w, address)
	}
}

// report connects and says whether the watch knows who did, and what it is.
func report(w *Watch, address string) {
	first := capture.Timestamp(time.Now().UnixNano())
	c := dial("tcp", address)
	local, remote := netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort(address)
	w.Appeared(6, remote, local)
	var o capture.Owner
	for i := 0; i < 500 && o.Process == nil; i++ {
		o = w.Owner(6, local, remote, first, capture.Timestamp(time.Now().UnixNano()))
		time.Sleep(10 * time.Millisecond)
	}
	h, err := w.Host()
	fail(err)
	say(fmt.Sprintf("%v %v %v %s", o.Process != nil && o.PID == os.Getpid(), o.Basis, h.Hidden != "", w.Sources()))
	fail(w.Close())
}

const hostileName = "a\x1b[31mb"

// dup gives a copy of a file that the next program has, too.
func dup(f *os.File) (int, error) { return syscall.Dup(int(f.Fd())) }

// ask asks from a socket without a peer.
func ask(address string) (call call, err error) {
	c, err := net.ListenUDP("udp", nil)
	if err != nil {
		return call, err
	}
	defer c.Close()
	to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address))
	if _, err := c.WriteTo([]byte("?"), to); err != nil {
		return call, err
	}
	call.local, call.first = &net.UDPAddr{IP: to.IP, Port: c.LocalAddr().(*net.UDPAddr).Port}, time.Now()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, _, err = c.ReadFrom(make([]byte, 8))
	call.last = time.Now()
	return call, err
}

// exchange is one question and answer.
func exchange(network, address string) (call call, err error) {
	c, err := net.Dial(network, address)
	if err != nil {
		return call, err
	}
	defer c.Close()
	call.local, call.first = c.LocalAddr(), time.Now()
	if _, err := io.WriteString(c, "?"); err != nil {
		return call, err
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, err = c.Read(make([]byte, 8))
	call.last = time.Now()
	return call, err
}

// A call is a connection, and a time during which it surely was.
type call struct {
	local       net.Addr
	first, last time.Time
}

const patience = 30 * time.Second

// clients makes words[2] calls and says their ends and times.
func clients(words []string, connect func() (call, error)) {
	n, err := strconv.Atoi(words[2])
	fail(err)
	var out bytes.Buffer
	for range n {
		c, err := connect()
		fail(err)
		fmt.Fprintln(&out, c.local, c.first.UnixNano(), c.last.UnixNano())
	}
	_, _ = os.Stdout.Write(out.Bytes())
}
