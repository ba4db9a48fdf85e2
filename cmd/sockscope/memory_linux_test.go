package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The least limit of a control group and those around it counts.
func TestGroupMemory(t *testing.T) {
	root := t.TempDir()
	for dir, limit := range map[string]string{"a": "1073741824\n", "a/b": "max\n", "a/c": "536870912\n"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, dir, "memory.max"), []byte(limit), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for groups, want := range map[string]int64{
		"0::/a/b\n":                     1 << 30,
		"12:memory:/x\n0::/a/c\n":       512 << 20,
		"0::/\n":                        math.MaxInt64,
		"1:name=systemd:/a/c\n":         math.MaxInt64,
		"0::/a/c/gone/since\n":          512 << 20,
		"0::/../../../etc/../a/c/x/y\n": 512 << 20,
	} {
		if got := groupMemory(root, groups); got != want {
			t.Errorf("%q: %d, want %d", groups, got, want)
		}
	}
	if machineMemory() < 64<<20 {
		t.Errorf("this machine has %d bytes", machineMemory())
	}
}
