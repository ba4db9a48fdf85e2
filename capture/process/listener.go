// Package process tells which processes of this host hold a socket.
package process

import "net/netip"

// Config says where to look; the zero value means this host, every port.
type Config struct {
	Port uint16 // the local port; 0 means all
	Proc string // where procfs is mounted; "" means /proc
}

// A Listener is a socket that waits for peers: a TCP socket in state LISTEN, or a
// UDP socket that is bound and not connected.
type Listener struct {
	Protocol uint8 // IP protocol number: 6 or 17
	Address  netip.AddrPort
	UID      uint32 // of the socket's creator
	Inode    uint32 // of the socket, unique on this host
	Owners   []Owner

	// Unavailable says why Owners is empty. It is never a guess.
	Unavailable string
}

// An Owner is a process that has the socket open. Several may, after a fork.
type Owner struct {
	PID  int
	Name string // the kernel's comm: up to 15 bytes the process chose itself, unescaped
}

// A Snapshot is what listened at one moment.
type Snapshot struct {
	Listeners  []Listener // by port, protocol and address
	Incomplete []string   // what is missing and why; empty when nothing is
}

// Listeners tells who waits for peers on this host. The error wraps
// errors.ErrUnsupported on systems other than Linux.
func Listeners(cfg Config) (*Snapshot, error) { return listeners(cfg) }
