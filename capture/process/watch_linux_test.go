package process

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sockscope/capture"
)

// ways are the sources that a Watch may have.
var ways = []struct {
	name   string
	cfg    Config
	source string // how Sources begins
}{
	{"eBPF", Config{}, "eBPF and sock_diag"},
	{"trace", Config{NoEBPF: true}, "trace events and sock_diag (no eBPF: not wanted)"},
	{"tables", Config{NoEBPF: true, NoTrace: true}, "sock_diag (no eBPF: not wanted; no trace events: not wanted)"},
}

// inEachWay runs a test with each source, in a namespace of its own.
func inEachWay(t *testing.T, f func(t *testing.T, w *Watch)) {
	if !inNamespace(t) {
		return
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := watching(t, way.cfg)
			if got := w.Sources(); !strings.HasPrefix(got, way.source) {
				t.Fatalf("sources %q, want %q", got, way.source)
			}
			f(t, w)
		})
	}
}

func now() capture.Timestamp { return capture.Timestamp(time.Now().UnixNano()) }

// owner asks until the owner is known, as long as that may take on a busy machine.
func ownerOf(t testing.TB, w *Watch, protocol uint8, local, remote netip.AddrPort, first capture.Timestamp) capture.Owner {
	t.Helper()
	w.Appeared(protocol, local, remote)
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if o := w.Owner(protocol, local, remote, first, now()); o.Known() {
			return o
		}
		if time.Now().After(end) {
			t.Fatalf("the owner of %v is not known; %s", local, w.Sources())
		}
		w.Appeared(protocol, local, remote)
	}
}

// 5,000 connections by 200 processes that live a few milliseconds, each 25 of them; the
// test asks for the share that must be known. With -short there are fewer.
func TestShortProcesses(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const each = 25
	processes := 200
	if testing.Short() {
		processes = 20
	}
	for _, tt := range []struct {
		name, part string
		protocol   uint8
		cfg        Config
		least      [2]int // percent of the clients' and of the servers' ends
		ports      string
	}{
		{"TCP", "tcp", 6, Config{}, [2]int{99, 99}, "32768 60999"},
		// What the server accepted is known when /proc was read again, which a busy machine
		// does seldom.
		{"TCP without eBPF", "tcp", 6, Config{NoEBPF: true}, [2]int{80, 20}, "32768 60999"},
		{"UDP connected", "udp", 17, Config{}, [2]int{95, 95}, "32768 60999"},
		{"UDP unconnected", "udp-unconnected", 17, Config{}, [2]int{95, 95}, "32768 60999"},
		{"UDP with the same ports again and again", "udp-unconnected", 17, Config{}, [2]int{95, 95}, "32768 32867"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte(tt.ports), 0); err != nil {
				t.Fatal(err)
			}
			w := watching(t, tt.cfg)
			var server netip.AddrPort
			if tt.protocol == 6 {
				server = serveTCP(t, "127.0.0.1:1024")
			} else {
				server = serveUDP(t, "127.0.0.1:1024")
			}
			before, began := cpuTime(), time.Now()
			all := runClients(t, processes, 4, tt.part, server.String(), strconv.Itoa(each))
			t.Logf("%d connections in %v, CPU of the watch and the server %v", len(all), time.Since(began).Round(time.Millisecond), (cpuTime() - before).Round(time.Millisecond))
			if len(all) != processes*each {
				t.Fatalf("%d connections, want %d", len(all), processes*each)
			}
			clients, servers := 0, 0
			for _, c := range all {
				switch o := w.Owner(tt.protocol, c.local, server, c.first, c.last); {
				case o.Known() && (o.PID != c.pid || o.Basis != capture.BasisExact):
					t.Errorf("client %+v: %v %+v", c, o.Basis, *o.Process)
				case o.Known():
					clients++
				}
				switch o := w.Owner(tt.protocol, server, c.local, c.first, c.last); {
				case o.Known() && o.PID != os.Getpid():
					t.Errorf("server of %+v: %v %+v", c, o.Basis, *o.Process)
				case o.Known():
					servers++
				}
			}
			t.Logf("known: %d clients, %d servers; %+v", clients, servers, w.Counters())
			if n := len(all); clients < n*tt.least[0]/100 || servers < n*tt.least[1]/100 {
				t.Errorf("known: %d clients and %d servers of %d, want %d %% of them", clients, servers, n, tt.least)
			}
		})
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A connection that stays is attributed in every way, both ends, whether its sockets are
// of IPv4, IPv6, or both.
func TestBothEnds(t *testing.T) {
	inEachWay(t, func(t *testing.T, w *Watch) {
		for _, tt := range []struct {
			network  string
			protocol uint8
			listen   string
			dial     string
		}{
			{"tcp", 6, "127.0.0.1:0", "127.0.0.1"},
			{"tcp", 6, "[::1]:0", "[::1]"},
			{"tcp", 6, "[::]:0", "127.0.0.1"},
			{"tcp", 6, "[::]:0", "[::1]"},
			{"udp", 17, "127.0.0.1:0", "127.0.0.1"},
			{"udp", 17, "[::]:0", "127.0.0.1"},
			{"udp", 17, "[::]:0", "[::1]"},
		} {
			t.Run(tt.network+" to "+tt.dial+" at "+tt.listen, func(t *testing.T) {
				serve := serveTCP
				if tt.network == "udp" {
					serve = serveUDP
				}
				port := strconv.Itoa(int(serve(t, tt.listen).Port()))
				server := netip.MustParseAddrPort(tt.dial + ":" + port)
				first := now()
				client := newActor(t, nil, "hold", server.String(), tt.network)
				o := ownerOf(t, w, tt.protocol, client.address(t), server, first)
				if o.PID != client.pid() || o.Basis != capture.BasisExact || o.Name != "exe" || !o.HasUID || o.UID != 0 || o.User != "root" {
					t.Errorf("client %v %+v, want %d", o.Basis, *o.Process, client.pid())
				}
				if want := "/proc/self/exe"; o.Command != want {
					t.Errorf("command %q, want %q", o.Command, want)
				}
				if o.Netns == 0 || o.Netns != w.ownInode {
					t.Errorf("netns %d, want %d", o.Netns, w.ownInode)
				}
				o = ownerOf(t, w, tt.protocol, server, client.address(t), first)
				if o.PID != os.Getpid() || tt.protocol == 17 && o.Basis != capture.BasisExact {
					t.Errorf("server %v %+v, want %d", o.Basis, *o.Process, os.Getpid())
				}
			})
		}
	})
}

// What is open when the watch begins is known: at once where the kernel tells of its end.
func TestOpenBefore(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, network := range []string{"tcp", "udp"} {
		serve, protocol := serveTCP, uint8(6)
		if network == "udp" {
			serve, protocol = serveUDP, 17
		}
		server := serve(t, "127.0.0.1:0")
		client := newActor(t, nil, "hold", server.String(), network)
		for _, way := range ways {
			w := watching(t, way.cfg)
			first := now()
			ask := func(local, remote netip.AddrPort) capture.Owner {
				if w.source != nil && w.source.tellsAll() {
					return w.Owner(protocol, local, remote, first, first)
				}
				return ownerOf(t, w, protocol, local, remote, first)
			}
			if o := ask(client.address(t), server); !o.Known() || o.PID != client.pid() || o.Basis != capture.BasisExact {
				t.Errorf("%s, %s: client %v %+v", way.name, network, o.Basis, o.Process)
			}
			if o := ask(server, client.address(t)); !o.Known() || o.PID != os.Getpid() || o.Basis != capture.BasisExact {
				t.Errorf("%s, %s: server %v %+v", way.name, network, o.Basis, o.Process)
			}
		}
	}
}

// The end that a socket of this host listens at is told, while it listens.
func TestListens(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for name, cfg := range map[string]Config{"eBPF": {}, "none": {NoEBPF: true, NoTrace: true}} {
		t.Run(name, func(t *testing.T) {
			before, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			w := watching(t, cfg)
			everywhere, err := net.Listen("tcp", ":0") // a socket of IPv6, which takes IPv4, too
			if err != nil {
				t.Fatal(err)
			}
			defer everywhere.Close()
			at := netip.MustParseAddrPort(before.Addr().String())
			also := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), netip.MustParseAddrPort(everywhere.Addr().String()).Port())
			client, server := netip.MustParseAddrPort("127.0.0.1:32769"), netip.MustParseAddrPort("192.0.2.1:8443")
			w.refresh()
			now := readClock().now
			for _, tt := range []struct {
				name string
				a, b netip.AddrPort
				want [2]bool
			}{
				{"that was there before", client, at, [2]bool{false, true}},
				{"whichever end is asked for first", at, client, [2]bool{true, false}},
				{"at all addresses", client, also, [2]bool{false, true}},
				{"at both ends", also, at, [2]bool{true, true}},
				{"at another host nobody knows", client, server, [2]bool{}},
			} {
				if got := w.Listens(tt.a, tt.b, now); got != tt.want {
					t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
				}
			}
			before.Close()
			w.refresh()
			if got := w.Listens(client, at, readClock().now+60e9); got != [2]bool{} {
				t.Errorf("a socket that was closed: %v", got)
			}
			if got := w.Listens(client, at, now); got != [2]bool{false, true} {
				t.Errorf("before it was closed: %v", got)
			}
		})
	}
}

// An accepted socket is the listener's, until its own holder is found.
func TestAccepted(t *testing.T) {
	inEachWay(t, func(t *testing.T, w *Watch) {
		server := serveTCP(t, "127.0.0.1:0")
		first := now()
		client := newActor(t, nil, "hold", server.String(), "tcp")
		basis := capture.BasisListener
		for end := time.Now().Add(patience); basis == capture.BasisListener && time.Now().Before(end); {
			o := ownerOf(t, w, 6, server, client.address(t), first)
			if o.PID != os.Getpid() {
				t.Fatalf("%+v", *o.Process)
			}
			basis = o.Basis
		}
		if basis != capture.BasisExact {
			t.Errorf("basis %v", basis)
		}
	})
}

// The name is what the process was called when it connected, or when it was found where
// nothing tells of that; the arguments of another program are not given to that name.
func TestExecAfterConnect(t *testing.T) {
	inEachWay(t, func(t *testing.T, w *Watch) {
		server := serveTCP(t, "127.0.0.1:0")
		first := now()
		client := newActor(t, nil, "exec", server.String())
		comm := filepath.Join("/proc", strconv.Itoa(client.pid()), "comm")
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if b, _ := os.ReadFile(comm); string(b) == "cat\n" {
				break
			}
		}
		o := ownerOf(t, w, 6, client.address(t), server, first)
		want := map[string]string{"exe": "/proc/self/exe", "cat": "cat"}
		if o.PID != client.pid() || w.source != nil && o.Name != "exe" || w.source == nil && o.Name != "cat" {
			t.Errorf("%+v", *o.Process)
		}
		if o.Command != "" && o.Command != want[o.Name] {
			t.Errorf("%q has the arguments %q", o.Name, o.Command)
		}
	})
}

// A socket that was passed on is still that of the process that connected it, if that is
// known; else that of the process that has it.
func TestPassedOn(t *testing.T) {
	inEachWay(t, func(t *testing.T, w *Watch) {
		server := serveTCP(t, "127.0.0.1:0")
		pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		from, to := os.NewFile(uintptr(pair[0]), "from"), os.NewFile(uintptr(pair[1]), "to")
		first := now()
		giver := newActor(t, func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{from} }, "pass", server.String())
		taker := newActor(t, func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{to} }, "receive", server.String())
		from.Close()
		to.Close()
		want := giver.pid()
		if w.source == nil {
			want = taker.pid()
		}
		if o := ownerOf(t, w, 6, giver.address(t), server, first); o.PID != want || o.Basis != capture.BasisExact {
			t.Errorf("owner %+v, want %d (giver %d, taker %d)", *o.Process, want, giver.pid(), taker.pid())
		}
	})
}

// Two processes with the same number are not taken for each other.
func TestNumberUsedAgain(t *testing.T) {
	inEachWay(t, func(t *testing.T, w *Watch) {
		server := serveTCP(t, "127.0.0.1:0")
		call := func(name string) func(*exec.Cmd) {
			return func(cmd *exec.Cmd) { cmd.Args = []string{name} }
		}
		var a, b *actor
		var one capture.Owner
		var first, last, began capture.Timestamp
		for tries := 0; b == nil; tries++ {
			if tries == 200 {
				t.Fatal("no number was given again")
			}
			first = now()
			a = newActor(t, call("one"), "hold", server.String(), "tcp")
			one = ownerOf(t, w, 6, a.address(t), server, first)
			last = now()
			a.end()
			time.Sleep(2 * tick) // by less the kernel does not tell their beginnings apart
			if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(a.pid()-1)), 0); err != nil {
				t.Fatal(err)
			}
			began = now()
			c := newActor(t, call("two"), "hold", server.String(), "tcp")
			if c.pid() == a.pid() {
				b = c
			} else { // a thread has got the number, perhaps for good
				c.end()
			}
		}
		two := ownerOf(t, w, 6, b.address(t), server, began)
		if one.PID != two.PID || one.Process == two.Process || one.Command != "one" || two.Command != "two" {
			t.Errorf("one %+v\ntwo %+v", *one.Process, *two.Process)
		}
		// Where nothing told of the first, its socket is now unknown, and that is all.
		if o := w.Owner(6, a.address(t), server, first, last); o.Known() && o.Process != one.Process {
			t.Errorf("after the second, the first is %+v", *o.Process)
		}
	})
}

// The other end of a connection may be in another network namespace of this host.
func TestOtherNamespace(t *testing.T) {
	inEachWay(t, func(t *testing.T, w *Watch) {
		there := newActor(t, func(cmd *exec.Cmd) { cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET }, "serve", "0.0.0.0:4000")
		pid := strconv.Itoa(there.pid())
		run(t, "ip link add here type veth peer name there netns "+pid)
		run(t, "ip addr add 10.9.9.1/24 dev here")
		run(t, "ip link set here up")
		run(t, "nsenter -t "+pid+" -n ip addr add 10.9.9.2/24 dev there")
		run(t, "nsenter -t "+pid+" -n ip link set there up")
		refresh(t, w) // the new address is ours
		server := netip.MustParseAddrPort("10.9.9.2:4000")
		first := now()
		client := newActor(t, nil, "hold", server.String(), "tcp")
		if o := ownerOf(t, w, 6, client.address(t), server, first); o.PID != client.pid() {
			t.Errorf("client %+v", *o.Process)
		}
		for range 2 { // first perhaps by the listener
			w.refreshing.Lock()
			w.foreignAfter = time.Time{} // at once
			w.refreshing.Unlock()
			refresh(t, w)
			o := ownerOf(t, w, 6, server, client.address(t), first)
			if o.PID != there.pid() || o.Netns == 0 || o.Netns == w.ownInode {
				t.Errorf("server %+v, want %d", *o.Process, there.pid())
			}
		}
		client.end()
		there.end()
		for range 1000 { // the pair goes with the namespace
			if _, err := net.InterfaceByName("here"); err != nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

func run(t testing.TB, command string) {
	t.Helper()
	words := strings.Fields(command)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
}

// Names are the processes' own words.
func TestHostileName(t *testing.T) {
	inEachWay(t, func(t *testing.T, w *Watch) {
		server := serveTCP(t, "127.0.0.1:0")
		first := now()
		client := newActor(t, nil, "named", server.String())
		if o := ownerOf(t, w, 6, client.address(t), server, first); o.Name != hostileName {
			t.Errorf("name %q, want %q", o.Name, hostileName)
		}
	})
}

// Without rights the watch knows less and says so; what it has opened it keeps.
func TestFewerRights(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	server := serveTCP(t, "127.0.0.1:0")
	for _, tt := range []struct {
		name, how, want string
		uid             uint32
	}{
		{"a user's watch knows the user's processes", "poor",
			"true exact true sock_diag (no eBPF: needs CAP_BPF and CAP_NET_ADMIN; no trace events: ", 65534},
		{"capabilities dropped after it began", "dropped",
			"true exact true eBPF and sock_diag; no permission to look into ", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newActor(t, func(cmd *exec.Cmd) {
				cmd.SysProcAttr.Credential = &syscall.Credential{Uid: tt.uid, Gid: tt.uid}
			}, "watch", server.String(), tt.how)
			if !strings.HasPrefix(a.said, tt.want) || !strings.Contains(a.said, "(needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)") {
				t.Errorf("%s\nwant %s", a.said, tt.want)
			}
		})
	}
}

// A flood of connections between other hosts costs next to nothing; one of unknown
// connections of this host costs a bounded part of a core.
func TestFlood(t *testing.T) {
	inEachWay(t, func(t *testing.T, w *Watch) {
		a, b := netip.MustParseAddrPort("198.51.100.1:1000"), netip.MustParseAddrPort("203.0.113.9:2000")
		if n := testing.AllocsPerRun(1000, func() { w.Appeared(6, a, b) }); n != 0 {
			t.Errorf("%v allocations for a foreign connection", n)
		}
		before, began := w.Counters().Refreshes, time.Now()
		ours := netip.MustParseAddr("127.0.0.1")
		for i := range 1_000_000 {
			w.Appeared(6, netip.AddrPortFrom(ours, uint16(i)), b)
		}
		took := time.Since(began)
		most := 2 + uint64(took.Seconds()*defaultRate)
		if n := w.Counters().Refreshes - before; n > most {
			t.Errorf("%d readings in %v, want at most %d", n, took, most)
		}
	})
}

// Close leaves nothing behind.
func TestClose(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, way := range ways {
		open := func() {
			w := watching(t, way.cfg)
			w.Appeared(6, netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2"))
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}
		open()
		files, goroutines := countFiles(t), runtime.NumGoroutine()
		for range 5 {
			open()
		}
		if n := countFiles(t); n != files {
			t.Errorf("%s: %d files, %d before", way.name, n, files)
		}
		n := runtime.NumGoroutine()
		for end := time.Now().Add(patience); n > goroutines && time.Now().Before(end); n = runtime.NumGoroutine() {
			time.Sleep(time.Millisecond) // one that is done may still be on its last instruction
		}
		if n > goroutines {
			t.Errorf("%s: %d goroutines, %d before", way.name, n, goroutines)
		}
	}
}

func countFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
