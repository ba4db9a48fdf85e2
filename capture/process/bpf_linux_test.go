package process

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

func TestCgroupRoot(t *testing.T) {
	const (
		proc   = "22 1 0:20 / /proc rw shared:5 - proc proc rw\n"
		first  = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
		second = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 master:2 - cgroup2 cgroup2 rw\n"
	)
	tests := []struct {
		name, mounts, want string
	}{
		{"beside the first version", proc + first + second, "/sys/fs/cgroup/unified"},
		{"alone", "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "/sys/fs/cgroup"},
		{"a blank in the path", `30 1 0:26 / /my\040groups rw - cgroup2 none rw` + "\n", "/my groups"},
		{"a part of it, mounted elsewhere", "30 1 0:26 /system.slice /mnt rw - cgroup2 none rw\n", ""},
		{"only the first version", proc + first, ""},
		{"nothing", "", ""},
		{"cut short", "30 1 - cgroup2 none rw\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "self"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "self/mountinfo"), []byte(tt.mounts), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := cgroupRoot(dir)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestDecodeEvent(t *testing.T) {
	var e event
	if e.decode(make([]byte, eventSize-1)) {
		t.Error("too short, and taken")
	}
	b := make([]byte, eventSize)
	b[atFamily] = 10
	copy(b[atLocal:], netip.MustParseAddr("::ffff:192.0.2.1").AsSlice())
	copy(b[atRemotePort:], []byte{0, 0, 1, 187})
	copy(b[atName:], "sixteen bytes !!")
	if !e.decode(b) || e.remote.Port() != 443 || e.name != "sixteen bytes !!" || !e.user {
		t.Errorf("%+v", e)
	}
	four := keyOf(6, netip.MustParseAddrPort("192.0.2.1:0"), e.remote)
	if keyOf(6, e.local, e.remote) != four {
		t.Error("an IPv4-mapped address is not that of IPv4")
	}
}
