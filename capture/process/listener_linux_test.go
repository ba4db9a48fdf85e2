package process

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
)

var compareAddrs = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

func TestListenersFindsOwnSockets(t *testing.T) {
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()

	for _, want := range []struct {
		protocol uint8
		address  string
	}{{6, tcp.Addr().String()}, {17, udp.LocalAddr().String()}} {
		address := netip.MustParseAddrPort(want.address)
		snapshot, err := Listeners(Config{Port: address.Port()})
		if err != nil {
			t.Skip("no sock_diag here:", err)
		}
		n := slices.IndexFunc(snapshot.Listeners, func(l Listener) bool {
			return l.Protocol == want.protocol && l.Address == address
		})
		if n < 0 {
			t.Errorf("protocol %d, %v is missing in %+v", want.protocol, address, snapshot)
			continue
		}
		l := snapshot.Listeners[n]
		if l.Unavailable != "" || len(l.Owners) != 1 || l.Owners[0].PID != os.Getpid() || l.Owners[0].Name == "" {
			t.Errorf("owners %+v (%s), want this process %d", l.Owners, l.Unavailable, os.Getpid())
		}
		if l.UID != uint32(os.Getuid()) {
			t.Errorf("uid %d, want %d", l.UID, os.Getuid())
		}
	}
}

func TestConnectedSocketIsNoListener(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	port := netip.MustParseAddrPort(conn.LocalAddr().String()).Port()
	snapshot, err := Listeners(Config{Port: port})
	if err != nil {
		t.Skip("no sock_diag here:", err)
	}
	if len(snapshot.Listeners) != 0 {
		t.Errorf("port %d of a connected socket: %+v", port, snapshot.Listeners)
	}
}

// socket is a fake entry of a dump.
func socket(state uint8, addr string, inode uint32) *netlink.Socket {
	a := netip.MustParseAddrPort(addr)
	return &netlink.Socket{State: state, UID: 7, INode: inode,
		ID: netlink.SocketID{Source: a.Addr().AsSlice(), SourcePort: a.Port()}}
}

func TestScan(t *testing.T) {
	sockets := []*netlink.Socket{
		socket(stateListen, "127.0.0.1:443", 12),
		socket(stateListen, "127.0.0.1:80", 11),
		socket(1, "127.0.0.1:443", 13), // established
	}
	low := Listener{Protocol: 6, Address: netip.MustParseAddrPort("127.0.0.1:80"), UID: 7, Inode: 11, Unavailable: "x"}
	high := Listener{Protocol: 6, Address: netip.MustParseAddrPort("127.0.0.1:443"), UID: 7, Inode: 12, Unavailable: "x"}
	tests := []struct {
		name string
		cfg  Config
		err  error // of the dump
		want *Snapshot
	}{
		{"port 0 means all, in order", Config{}, nil, &Snapshot{Listeners: []Listener{low, high}}},
		{"one port", Config{Port: 443}, nil, &Snapshot{Listeners: []Listener{high}}},
		{"an interrupted dump is used and called incomplete", Config{Port: 80}, netlink.ErrDumpInterrupted, &Snapshot{
			Listeners:  []Listener{low},
			Incomplete: []string{"TCP: the sockets kept changing while they were read"}}},
		{"a dump that fails is an error", Config{}, io.ErrUnexpectedEOF, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Proc = filepath.Join(t.TempDir(), "proc")
			got, err := scan(tt.cfg, []table{{"TCP", 6, syscall.AF_INET, stateListen,
				func(uint8) ([]*netlink.Socket, error) { return sockets, tt.err }}})
			if (err != nil) != (tt.want == nil) || err != nil && !errors.Is(err, tt.err) {
				t.Fatalf("error %v", err)
			}
			if got != nil {
				for i := range got.Listeners {
					if want := tt.cfg.Proc + ": no such file or directory"; got.Listeners[i].Unavailable != want {
						t.Errorf("unavailable %q, want %q", got.Listeners[i].Unavailable, want)
					}
					got.Listeners[i].Unavailable = "x"
				}
			}
			if diff := cmp.Diff(tt.want, got, compareAddrs); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestScanGoesOnWithoutOneTable(t *testing.T) {
	good := func(uint8) ([]*netlink.Socket, error) {
		return []*netlink.Socket{socket(stateListen, "127.0.0.1:80", 11)}, nil
	}
	bad := func(uint8) ([]*netlink.Socket, error) { return nil, syscall.EAFNOSUPPORT }
	got, err := scan(Config{Proc: t.TempDir()}, []table{
		{"TCP over IPv4", 6, syscall.AF_INET, stateListen, good},
		{"TCP over IPv6", 6, syscall.AF_INET6, stateListen, bad},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Listeners) != 1 || len(got.Incomplete) != 1 {
		t.Errorf("%+v", got)
	}
}

// fakeProc makes a procfs with one process for each entry: PID, name and sockets.
func fakeProc(t *testing.T, processes map[int][]uint32) string {
	t.Helper()
	proc := t.TempDir()
	for pid, inodes := range processes {
		dir := filepath.Join(proc, strconv.Itoa(pid))
		if err := os.MkdirAll(filepath.Join(dir, "fd"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "comm"), []byte("p"+strconv.Itoa(pid)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for n, inode := range inodes {
			link := "socket:[" + strconv.FormatUint(uint64(inode), 10) + "]"
			if err := os.Symlink(link, filepath.Join(dir, "fd", strconv.Itoa(n))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return proc
}

func TestFindOwners(t *testing.T) {
	tests := []struct {
		name      string
		processes map[int][]uint32
		want      Listener
	}{
		{"one process", map[int][]uint32{5: {9, 11}, 6: {12}},
			Listener{Inode: 11, Owners: []Owner{{5, "p5"}}}},
		{"two file descriptors of one process are one owner", map[int][]uint32{5: {11, 11}},
			Listener{Inode: 11, Owners: []Owner{{5, "p5"}}}},
		{"a socket shared after a fork has all its owners by PID", map[int][]uint32{10: {11}, 9: {11}},
			Listener{Inode: 11, Owners: []Owner{{9, "p9"}, {10, "p10"}}}},
		{"nobody holds it", map[int][]uint32{5: {9}},
			Listener{Inode: 11, Unavailable: "no visible process holds it (the kernel itself, or another container's)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := []Listener{{Inode: 11}}
			findOwners(fakeProc(t, tt.processes), list)
			if diff := cmp.Diff(tt.want, list[0], compareAddrs); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestFindOwnersWithoutProcesses(t *testing.T) {
	proc := t.TempDir()
	list := []Listener{{Inode: 11}}
	findOwners(proc, list)
	if want := proc + " lists no process"; list[0].Unavailable != want {
		t.Errorf("unavailable %q, want %q", list[0].Unavailable, want)
	}
}
