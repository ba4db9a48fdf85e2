package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machineMemory is how much memory this machine has, or the control group of the process may
// use when that is less; 0 when it is not known.
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

// groupMemory is the least limit of the control groups that a /proc/PID/cgroup names, and of
// those around them: memory.max of version 2, memory.limit_in_bytes of version 1, where a
// huge number means that there is none.
func groupMemory(root, groups string) int64 {
	least := int64(math.MaxInt64)
	for line := range strings.Lines(groups) {
		id, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		switch {
		case id == "0" && controllers == "":
			least = min(least, leastLimit(root, group, "memory.max"))
		case slices.Contains(strings.Split(controllers, ","), "memory"):
			least = min(least, leastLimit(filepath.Join(root, "memory"), group, "memory.limit_in_bytes"))
		}
	}
	return least
}

// leastLimit is the least number in files of a name in the directory of a group below root
// and in those around it.
func leastLimit(root, group, name string) int64 {
	least := int64(math.MaxInt64)
	for dir := filepath.Join("/", group); ; dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(root + filepath.Join(dir, name)); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 {
				least = min(least, n)
			}
		}
		if dir == "/" {
			return least
		}
	}
}
