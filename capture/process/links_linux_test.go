package process

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

func TestReadLinks(t *testing.T) {
	proc := t.TempDir()
	for name, target := range map[string]string{
		"17/fd/3":   "socket:[4294967295]",
		"17/fd/4":   "pipe:[5]",
		"17/fd/5":   "socket:[6]",
		"17/ns/net": "net:[4026531840]",
		"18/fd/1":   "socket:[6]", // the same socket, passed on
		"18/fd/2":   "socket:[six]",
		"net/fd/3":  "socket:[7]",
		"0/fd/3":    "socket:[8]",
	} {
		name = filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(proc, "19"), 0o700); err != nil { // ends while it is read
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		pid   int
		want  []capture.Link
		fails bool
	}{
		{"all processes", 0, []capture.Link{{PID: 17, Netns: 4026531840, Inode: 6}, {PID: 17, Netns: 4026531840, Inode: 4294967295}, {PID: 18, Inode: 6}}, false},
		{"one process", 18, []capture.Link{{PID: 18, Inode: 6}}, false},
		{"a process that has ended", 20, nil, false},
	} {
		got, err := ReadLinks(proc, tt.pid)
		slices.SortFunc(got, func(a, b capture.Link) int { return (a.PID-b.PID)<<40 + int(a.Inode) - int(b.Inode) })
		if d := cmp.Diff(tt.want, got); d != "" || (err != nil) != tt.fails {
			t.Errorf("%s: %v\n%s", tt.name, err, d)
		}
	}
	if links, err := ReadLinks(filepath.Join(proc, "none"), 0); err == nil {
		t.Errorf("no /proc: %v", links)
	}
}

func TestReadLinksOfThisProcess(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	links, err := ReadLinks("/proc", os.Getpid())
	if err != nil || len(links) == 0 {
		t.Errorf("%v, %v", links, err)
	}
}
