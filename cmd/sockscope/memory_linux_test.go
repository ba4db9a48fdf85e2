package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The least limit of a control group and those around it counts, of either version.
func TestGroupMemory(t *testing.T) {
	root := t.TempDir()
	for name, limit := range map[string]string{
		"a/memory.max": "1073741824\n", "a/b/memory.max": "max\n", "a/c/memory.max": "536870912\n",
		"memory/memory.limit_in_bytes": "9223372036854771712\n", "memory/d/memory.limit_in_bytes": "268435456\n",
		"memory/d/e/memory.limit_in_bytes": "9223372036854771712\n",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(limit), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for groups, want := range map[string]int64{
		"0::/a/b\n":                     1 << 30,
		"12:memory:/x\n0::/a/c\n":       512 << 20,
		"12:memory:/d/e\n0::/a/c\n":     256 << 20,
		"4:cpuset,memory:/d\n":          256 << 20,
		"4:memory:/x\n":                 9223372036854771712, // of the machine there is less
		"4:name=memory:/d\n4:cpu:/d\n":  math.MaxInt64,
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
