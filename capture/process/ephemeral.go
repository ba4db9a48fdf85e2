package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// EphemeralRange is the range from which this host takes the local ports of
// outgoing connections. It is the kernel's setting, and need not be the dynamic
// range of RFC 6335: Linux starts at 32768. proc is where procfs is mounted; ""
// means /proc.
func EphemeralRange(proc string) (low, high uint16, err error) {
	if proc == "" {
		proc = "/proc"
	}
	b, err := os.ReadFile(filepath.Join(proc, "sys/net/ipv4/ip_local_port_range"))
	if err != nil {
		return 0, 0, fmt.Errorf("process: ephemeral range: %w", err)
	}
	fields := strings.Fields(string(b))
	if len(fields) == 2 {
		l, lowErr := strconv.ParseUint(fields[0], 10, 16)
		h, highErr := strconv.ParseUint(fields[1], 10, 16)
		if lowErr == nil && highErr == nil && l <= h {
			return uint16(l), uint16(h), nil
		}
	}
	return 0, 0, fmt.Errorf("process: ephemeral range: unexpected content %q", b[:min(len(b), 64)])
}
