package lab

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// states are the kernel's numbers of TCP states, in the names of RFC 9293 §3.3.2.
var states = [...]string{1: "ESTABLISHED", 2: "SYN-SENT", 3: "SYN-RECEIVED", 4: "FIN-WAIT-1", 5: "FIN-WAIT-2", 6: "TIME-WAIT",
	7: "CLOSED", 8: "CLOSE-WAIT", 9: "LAST-ACK", 10: "LISTEN", 11: "CLOSING", 12: "SYN-RECEIVED"}

// readSockets lists the sockets of the thread's network namespace, those that listen
// first, then in the order of their addresses.
func readSockets() []Socket {
	var all []Socket
	for _, protocol := range []string{"tcp", "udp", "raw"} {
		text, err := os.ReadFile("/proc/thread-self/net/" + protocol)
		if err != nil {
			continue
		}
		for i, line := range strings.Split(string(text), "\n") {
			if s, ok := parseSocket(protocol, line); ok && i > 0 {
				all = append(all, s)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Socket) int {
		if a.Protocol != b.Protocol {
			return 0
		}
		if listens := a.State == "LISTEN"; listens != (b.State == "LISTEN") {
			if listens {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Local+" "+a.Remote, b.Local+" "+b.Remote)
	})
	return all
}

// parseSocket reads a line of /proc/net/tcp and its like.
func parseSocket(protocol, line string) (s Socket, ok bool) {
	const fields = 10
	f := strings.Fields(line)
	if len(f) < fields {
		return s, false
	}
	local, okLocal := parseAddress(f[1])
	remote, okRemote := parseAddress(f[2])
	state, err := strconv.ParseUint(f[3], 16, 8)
	sending, received, okQueues := strings.Cut(f[4], ":")
	inode, err2 := strconv.ParseUint(f[9], 10, 64)
	if !okLocal || !okRemote || !okQueues || err != nil || err2 != nil || int(state) >= len(states) {
		return s, false
	}
	s = Socket{Protocol: protocol, State: states[state], Local: local.String(), Remote: remote.String(), Inode: inode}
	if protocol == "raw" {
		s.Local = fmt.Sprintf("%v:%d", local.Addr(), local.Port()) // its protocol number
	}
	if protocol != "tcp" {
		s.State = "UNCONNECTED"
		if state == 1 {
			s.State = "CONNECTED"
		}
	}
	if remote.Port() == 0 && remote.Addr().IsUnspecified() {
		s.Remote = "*"
	}
	for _, queue := range []struct {
		hex string
		to  *int
	}{{sending, &s.Sending}, {received, &s.Received}} {
		n, err := strconv.ParseUint(queue.hex, 16, 32)
		if err != nil {
			return s, false
		}
		*queue.to = int(n)
	}
	return s, true
}

// parseAddress reads "020200C0:0050": the address as this machine's memory has it.
func parseAddress(text string) (netip.AddrPort, bool) {
	address, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(address)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(b) != 4 {
		return netip.AddrPort{}, false
	}
	var a [4]byte
	binary.NativeEndian.PutUint32(a[:], binary.BigEndian.Uint32(b))
	return netip.AddrPortFrom(netip.AddrFrom4(a), uint16(n)), true
}
