package main

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machineMemory is how much memory this machine has, or the control group of the process may
// use (cgroup v2, memory.max) when that is less; 0 when it is not known.
func machineMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	most := int64(min(uint64(info.Totalram)*uint64(info.Unit), math.MaxInt64))
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return most
	}
	return min(most, groupMemory("/sys/fs/cgroup", string(text)))
}

// groupMemory is the least limit of the control group that a /proc/PID/cgroup names, and of
// those around it.
func groupMemory(root, groups string) int64 {
	least := int64(math.MaxInt64)
	for line := range strings.Lines(groups) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::/")
		if !ok {
			continue
		}
		for dir := filepath.Join("/", group); ; dir = filepath.Dir(dir) {
			if text, err := os.ReadFile(root + filepath.Join(dir, "memory.max")); err == nil {
				if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 {
					least = min(least, n)
				}
			}
			if dir == "/" {
				break
			}
		}
	}
	return least
}
