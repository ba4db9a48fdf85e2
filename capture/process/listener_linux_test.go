package process

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

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
		sockets, _, err := Listeners("", address.Port())
		if err != nil {
			t.Fatal(err)
		}
		n := slices.IndexFunc(sockets, func(l capture.Socket) bool {
			return l.Protocol == want.protocol && l.Local == address
		})
		if n < 0 {
			t.Errorf("protocol %d, %v is missing in %+v", want.protocol, address, sockets)
			continue
		}
		l := sockets[n]
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
	sockets, _, err := Listeners("", port)
	if err != nil {
		t.Fatal(err)
	}
	if len(sockets) != 0 {
		t.Errorf("port %d of a connected socket: %+v", port, sockets)
	}
}

// fakeSocket is an entry of a dump.
func fakeSocket(protocol, state uint8, addr string, inode uint64) diagSocket {
	return diagSocket{protocol: protocol, state: state, local: netip.MustParseAddrPort(addr), uid: 7, inode: inode}
}

func TestWaiting(t *testing.T) {
	connected := fakeSocket(17, 1, "127.0.0.1:53", 16)
	connected.remote = netip.MustParseAddrPort("127.0.0.1:4000")
	all := []diagSocket{
		fakeSocket(6, stateListen, "127.0.0.1:443", 12),
		fakeSocket(6, stateListen, "127.0.0.1:80", 11),
		fakeSocket(6, 1, "127.0.0.1:443", 13), // established
		fakeSocket(17, stateClosed, "[::]:443", 14),
		fakeSocket(17, stateClosed, "0.0.0.0:0", 15), // bound to nothing
		connected,
	}
	tests := []struct {
		name string
		port uint16
		want []uint64 // inodes
	}{
		{"port 0 means all, in order", 0, []uint64{11, 12, 14}},
		{"one port", 443, []uint64{12, 14}},
		{"nobody", 81, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []uint64
			for _, s := range waiting(all, tt.port) {
				got = append(got, s.Inode)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// fakeProc makes a procfs with one process for each entry: PID, name and sockets.
func fakeProc(t *testing.T, processes map[int][]uint64) string {
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
			link := "socket:[" + strconv.FormatUint(inode, 10) + "]"
			if err := os.Symlink(link, filepath.Join(dir, "fd", strconv.Itoa(n))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return proc
}

func owner(pid int, name string) capture.Owner {
	return capture.Owner{Process: &capture.Process{PID: pid, Name: name}, Basis: capture.BasisExact}
}

func TestFindOwners(t *testing.T) {
	tests := []struct {
		name      string
		processes map[int][]uint64
		want      capture.Socket
	}{
		{"one process", map[int][]uint64{5: {9, 11}, 6: {12}},
			capture.Socket{Inode: 11, Owners: []capture.Owner{owner(5, "p5")}}},
		{"two file descriptors of one process are one owner", map[int][]uint64{5: {11, 11}},
			capture.Socket{Inode: 11, Owners: []capture.Owner{owner(5, "p5")}}},
		{"a socket shared after a fork has all its owners by PID", map[int][]uint64{10: {11}, 9: {11}},
			capture.Socket{Inode: 11, Owners: []capture.Owner{owner(9, "p9"), owner(10, "p10")}}},
		{"nobody holds it", map[int][]uint64{5: {9}},
			capture.Socket{Inode: 11, Unavailable: "no visible process holds it (the kernel itself, or another container's)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := []capture.Socket{{Inode: 11}}
			findOwners(fakeProc(t, tt.processes), list)
			if diff := cmp.Diff(tt.want, list[0], compareAddrs); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestFindOwnersWithoutProcesses(t *testing.T) {
	proc := t.TempDir()
	list := []capture.Socket{{Inode: 11}}
	findOwners(proc, list)
	if want := proc + " lists no process"; list[0].Unavailable != want {
		t.Errorf("unavailable %q, want %q", list[0].Unavailable, want)
	}
}
