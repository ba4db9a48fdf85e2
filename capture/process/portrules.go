package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// UnprivilegedStart is the lowest port that any user of this host may bind; for those below
// it takes CAP_NET_BIND_SERVICE. proc is where procfs is mounted; "" means /proc.
func UnprivilegedStart(proc string) (uint16, error) {
	text, err := readRule(proc, "ip_unprivileged_port_start")
	if err != nil {
		return 0, fmt.Errorf("process: privileged ports: %w", err)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("process: privileged ports: unexpected content %q", text[:min(len(text), 64)])
	}
	return uint16(n), nil
}

// Reserved reports whether this host's administrator has taken a port out of the range that
// EphemeralRange tells: the kernel does not choose it. proc is where procfs is mounted; ""
// means /proc.
func Reserved(proc string, port uint16) (bool, error) {
	text, err := readRule(proc, "ip_local_reserved_ports") // "8080,9000-9010", or nothing
	if err != nil {
		return false, fmt.Errorf("process: reserved ports: %w", err)
	}
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		low, lowErr := strconv.ParseUint(first, 10, 16)
		high, highErr := strconv.ParseUint(last, 10, 16)
		if lowErr != nil || highErr != nil {
			return false, fmt.Errorf("process: reserved ports: unexpected content %q", part[:min(len(part), 64)])
		}
		if low <= uint64(port) && uint64(port) <= high {
			return true, nil
		}
	}
	return false, nil
}

func readRule(proc, name string) (string, error) {
	if proc == "" {
		proc = "/proc"
	}
	b, err := os.ReadFile(filepath.Join(proc, "sys/net/ipv4", name))
	return strings.TrimSpace(string(b)), err
}
