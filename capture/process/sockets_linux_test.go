package process

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// open makes a socket that is closed with the test.
func open(t *testing.T, family, kind, protocol int) int {
	t.Helper()
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	must(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eachKind opens sockets of all types and in all states that a test can bring about.
func eachKind(t *testing.T) {
	loopback, loopback6 := [4]byte{127, 0, 0, 1}, [16]byte{15: 1}

	// Five clients of one port, of which the server has accepted three and closed one.
	l := open(t, unix.AF_INET, unix.SOCK_STREAM, 0)
	must(t, unix.Bind(l, &unix.SockaddrInet4{Port: 4443}))
	must(t, unix.Listen(l, 20))
	var clients, accepted []int
	for range 5 {
		c := open(t, unix.AF_INET, unix.SOCK_STREAM, 0)
		must(t, unix.Connect(c, &unix.SockaddrInet4{Port: 4443, Addr: loopback}))
		clients = append(clients, c)
	}
	for range 3 {
		fd, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
		must(t, err)
		accepted = append(accepted, fd)
		t.Cleanup(func() { unix.Close(fd) })
	}
	must(t, unix.Shutdown(accepted[0], unix.SHUT_RDWR))
	must(t, unix.Shutdown(clients[0], unix.SHUT_RDWR))

	// IPv6 sockets that take IPv4, and that do not.
	both := open(t, unix.AF_INET6, unix.SOCK_STREAM, 0)
	must(t, unix.Bind(both, &unix.SockaddrInet6{Port: 8080}))
	must(t, unix.Listen(both, 5))
	must(t, unix.Connect(open(t, unix.AF_INET, unix.SOCK_STREAM, 0), &unix.SockaddrInet4{Port: 8080, Addr: loopback}))
	only := open(t, unix.AF_INET6, unix.SOCK_STREAM, 0)
	must(t, unix.SetsockoptInt(only, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1))
	must(t, unix.Bind(only, &unix.SockaddrInet6{Port: 8081, Addr: loopback6}))
	must(t, unix.Listen(only, 5))

	bound := open(t, unix.AF_INET, unix.SOCK_STREAM, 0)
	must(t, unix.SetsockoptString(bound, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "lo"))
	must(t, unix.Bind(bound, &unix.SockaddrInet4{Port: 9999, Addr: loopback}))
	must(t, unix.Listen(bound, 1))

	must(t, unix.Bind(open(t, unix.AF_INET, unix.SOCK_DGRAM, 0), &unix.SockaddrInet4{Port: 53, Addr: loopback}))
	must(t, unix.Connect(open(t, unix.AF_INET, unix.SOCK_DGRAM, 0), &unix.SockaddrInet4{Port: 53, Addr: loopback}))
	must(t, unix.Bind(open(t, unix.AF_INET6, unix.SOCK_DGRAM, 0), &unix.SockaddrInet6{Port: 5353}))

	open(t, unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	must(t, unix.Connect(open(t, unix.AF_INET, unix.SOCK_RAW, 89), &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 2}}))
	open(t, unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6)

	lo, err := net.InterfaceByName("lo")
	must(t, err)
	everything := open(t, unix.AF_PACKET, unix.SOCK_RAW, 0)
	must(t, unix.Bind(everything, &unix.SockaddrLinklayer{Protocol: 3 << 8, Ifindex: lo.Index}))
	open(t, unix.AF_PACKET, unix.SOCK_DGRAM, 8) // 0x0800, byte order of the network
}

// A line is what ss and Sockets both say of a socket.
type line struct {
	Kind, State, Local, Remote string
	Receive                    uint32
	PIDs                       []int
}

var (
	ssPID    = regexp.MustCompile(`pid=(\d+)`)
	ssStates = map[string]string{"ESTAB": "ESTABLISHED", "SYN-RECV": "SYN-RECEIVED", "UNCONN": "CLOSED"}
)

// bySS is what ss lists with some flags; kind is set where it does not say it.
func bySS(t *testing.T, flags, kind string) []line {
	t.Helper()
	out, err := exec.Command("ss", flags).Output()
	if err != nil {
		t.Fatalf("ss %s: %v", flags, err)
	}
	var list []line
	for text := range strings.Lines(string(out)) {
		f := strings.Fields(text)
		if kind != "" {
			f = slices.Insert(f, 0, kind)
		}
		if len(f) < 6 {
			continue
		}
		l := line{Kind: f[0], State: f[1], Local: f[4], Remote: f[5]}
		if s, ok := ssStates[l.State]; ok {
			l.State = s
		}
		n, err := strconv.ParseUint(f[2], 10, 32)
		must(t, err)
		l.Receive = uint32(n)
		for _, m := range ssPID.FindAllStringSubmatch(text, -1) {
			pid, _ := strconv.Atoi(m[1])
			if !slices.Contains(l.PIDs, pid) {
				l.PIDs = append(l.PIDs, pid)
			}
		}
		list = append(list, l)
	}
	return list
}

// asSS writes a socket of ours as ss does.
func asSS(s *capture.Socket) line {
	l := line{Kind: map[uint8]string{6: "tcp", 17: "udp"}[s.Protocol], State: s.State, Receive: s.ReceiveQueue}
	for _, o := range s.Owners {
		l.PIDs = append(l.PIDs, o.PID)
	}
	port := func(n uint16) string {
		if n == 0 {
			return "*"
		}
		return strconv.Itoa(int(n))
	}
	end := func(a netip.Addr, port string) string {
		switch {
		case !a.IsValid() || a.IsUnspecified():
			switch {
			case !s.IPv6:
				return "0.0.0.0:" + port
			case s.Only6:
				return "[::]:" + port
			}
			return "*:" + port
		case s.IPv6 && a.Is4():
			a = netip.AddrFrom16(a.As16())
		}
		if a.Is6() {
			return "[" + a.String() + "]:" + port
		}
		return a.String() + ":" + port
	}
	switch s.Type {
	case capture.Packet:
		ether, name := map[bool]string{true: "*", false: fmt.Sprintf("[%d]", s.EtherType)}[s.EtherType == 3], s.Interface
		if name == "" {
			name = "*"
		}
		return line{"packet", "CLOSED", ether + ":" + name, "*", s.ReceiveQueue, l.PIDs}
	case capture.RawSocket:
		l.Kind, l.State = "raw", "CLOSED"
		if s.Remote.IsValid() {
			l.State = "ESTABLISHED"
		}
		l.Local = end(s.Local.Addr(), strconv.Itoa(int(s.Protocol)))
	default:
		l.Local = end(s.Local.Addr(), port(s.Local.Port()))
	}
	l.Remote = end(s.Remote.Addr(), port(s.Remote.Port()))
	if s.Interface != "" {
		host, port, _ := strings.Cut(l.Local, ":")
		l.Local = host + "%" + s.Interface + ":" + port
	}
	return l
}

func compareLines(a, b line) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }

// ss(8) lists the same sockets with the same ends, states, queues and processes.
func TestSocketsAgreeWithSS(t *testing.T) {
	if _, err := exec.LookPath("ss"); err != nil {
		t.Skip("needs ss")
	}
	if !inNamespace(t) {
		return
	}
	eachKind(t)
	time.Sleep(50 * time.Millisecond) // for the last ACK
	h, err := Sockets(Survey{})
	must(t, err)
	if len(h.Incomplete) > 0 {
		t.Errorf("incomplete: %v", h.Incomplete)
	}
	var got []line
	kinds := map[capture.SocketType]int{}
	for i := range h.Sockets {
		if h.Sockets[i].Netns == 0 {
			got = append(got, asSS(&h.Sockets[i]))
			kinds[h.Sockets[i].Type]++
		}
	}
	want := slices.Concat(bySS(t, "-tunapHe", ""), bySS(t, "-wnapHe", "raw"), bySS(t, "-0napH", ""))
	for i := range want {
		if strings.HasPrefix(want[i].Kind, "p_") {
			want[i].Kind = "packet"
		}
	}
	slices.SortFunc(got, compareLines)
	slices.SortFunc(want, compareLines)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-ss +ours\n%s", diff)
	}
	if wanted := map[capture.SocketType]int{capture.Stream: 15, capture.Datagram: 3, capture.RawSocket: 3, capture.Packet: 2}; !cmp.Equal(wanted, kinds) {
		t.Errorf("types %v, want %v", kinds, wanted)
	}
}

// What is in the accept queue, and what is in TIME-WAIT, no process holds.
func TestSocketsOfTheKernel(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	eachKind(t)
	h, err := Sockets(Survey{})
	must(t, err)
	states := map[string]int{}
	for _, s := range h.Sockets {
		if s.Netns == 0 && s.Inode == 0 {
			states[s.State]++
			if len(s.Owners) > 0 || s.Unavailable == "" {
				t.Errorf("%+v has an owner", s)
			}
		}
	}
	// Two clients of the port 4443, the one of 8080; and one end of the closed connection.
	if want := map[string]int{"ESTABLISHED": 3, "TIME-WAIT": 1}; !cmp.Equal(want, states) {
		t.Errorf("%v, want %v", states, want)
	}
}

func TestSocketsAtPort(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	eachKind(t)
	all, err := Sockets(Survey{})
	must(t, err)
	var want []capture.Socket
	for _, s := range all.Sockets {
		if s.Netns == 0 && s.Type <= capture.Datagram && (s.Local.Port() == 4443 || s.Remote.Port() == 4443) {
			want = append(want, s)
		}
	}
	if len(want) != 10 {
		t.Errorf("%d sockets, want 10", len(want))
	}
	got, err := Sockets(Survey{Port: 4443})
	must(t, err)
	ignoreProcess := cmp.Comparer(func(a, b capture.Owner) bool { return a.PID == b.PID })
	if diff := cmp.Diff(want, got.Sockets, compareAddrs, ignoreProcess); diff != "" {
		t.Errorf("-all +chosen\n%s", diff)
	}
}

// The sockets of another network namespace are told with the inode of it.
func TestSocketsElsewhere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	elsewhere := newActor(t, func(cmd *exec.Cmd) { cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET }, "doors", "-")
	h, err := Sockets(Survey{})
	must(t, err)
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", elsewhere.pid()))
	must(t, err)
	var got []string
	for _, s := range h.Sockets {
		if len(s.Owners) == 1 && s.Owners[0].PID == elsewhere.pid() {
			got = append(got, fmt.Sprintf("%v %d %v %s %v", s.Type, s.Protocol, s.Local, s.State, target == fmt.Sprintf("net:[%d]", s.Netns)))
		}
	}
	want := []string{"stream 6 127.0.0.1:4443 LISTEN true", "datagram 17 [::1]:5353 CLOSED true", "raw 1 0.0.0.0:0 RAW true", "packet 0 invalid AddrPort  true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPacketTable(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		want          []capture.Socket
	}{
		{"a line", "ffff8880 3 3 0003 0 1 512 1000 4711\n",
			[]capture.Socket{{Type: capture.Packet, EtherType: 3, HasUID: true, UID: 1000, Inode: 4711, ReceiveQueue: 512}}},
		{"an interface of another namespace has a number only", "ffff8880 3 2 0800 7 1 0 0 4712\n",
			[]capture.Socket{{Type: capture.Packet, EtherType: 0x800, Interface: "#7", HasUID: true, Inode: 4712}}},
		{"headings", "sk RefCnt Type Proto Iface R Rmem User Inode\n", nil},
		{"cut short", "ffff8880 3 3 0003 0\n", nil},
		{"empty", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &census{away: true}
			if diff := cmp.Diff(tt.want, c.packet([]byte(tt.content)), compareAddrs); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestSCTPTables(t *testing.T) {
	const (
		endpoints = " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n" +
			"ffff8880 ffff8881 2   10  12   3868      7 4711 0.0.0.0 \n" +
			"ffff8882 ffff8883 2   1   12   40000     0 4712 10.0.0.1 \n" +
			"ffff8882 ffff8883 2   10\n"
		associations = " ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS HBINT\n" +
			"ffff8880 ffff8881 2   1   3  0       1       10       20       7 4713 3868  40000 10.0.0.9 *10.0.0.1 <-> *10.0.0.2 10.0.0.3 \t    7500 10\n" +
			"ffff8880 ffff8881 2   1   99 0       1       10       20       7 4713 3868  40000 *10.0.0.1 <-> *10.0.0.2 30000 5\n" +
			"ffff8880 ffff8881 2   1   3  0       1       10       20       7 4713 3868  40000 *10.0.0.1 *10.0.0.2 30000 5\n"
	)
	c := &census{}
	got := slices.Concat(c.sctpEndpoints([]byte(endpoints)), c.sctpAssociations([]byte(associations)))
	want := []capture.Socket{
		{Type: capture.Stream, Protocol: 132, State: "LISTEN", Local: netip.MustParseAddrPort("0.0.0.0:3868"), HasUID: true, UID: 7, Inode: 4711},
		{Type: capture.Stream, Protocol: 132, State: "ESTABLISHED", Local: netip.MustParseAddrPort("10.0.0.1:3868"),
			Remote: netip.MustParseAddrPort("10.0.0.2:40000"), HasUID: true, UID: 7, Inode: 4713, SendQueue: 10, ReceiveQueue: 20},
	}
	if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A socket that is only bound has no peer and does not listen; older kernels do not tell it.
func TestSocketsOnlyBound(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	must(t, unix.Bind(open(t, unix.AF_INET, unix.SOCK_STREAM, 0), &unix.SockaddrInet4{Port: 7777}))
	h, err := Sockets(Survey{})
	must(t, err)
	n := slices.IndexFunc(h.Sockets, func(s capture.Socket) bool { return s.Netns == 0 && s.Local.Port() == 7777 })
	if n < 0 {
		t.Skip("this kernel does not tell sockets that are only bound")
	}
	if s := h.Sockets[n]; s.State != "CLOSED" || s.Remote.IsValid() || s.Listens() {
		t.Errorf("%+v", s)
	}
}

// Why nobody is named as the holder of a socket.
func TestUnavailable(t *testing.T) {
	for _, tt := range []struct {
		name  string
		inode uint64
		links error
		want  string
	}{
		{"no process", 0, &HiddenError{3, 70}, "no process holds it: any more, or before accept()"},
		{"no right to look", 11, &HiddenError{3, 70}, "no permission to look into 3 of 70 processes (try as root)"},
		{"no procfs", 11, &os.PathError{Op: "open", Path: "/proc", Err: unix.ENOENT}, "/proc: no such file or directory"},
		{"all were looked into", 11, nil, "no visible process holds it (the kernel itself, or another container's)"},
	} {
		if got := (&reading{links: tt.links}).unavailable(tt.inode); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
