// Package process tells which processes of this host hold a socket.
package process

import "sockscope/capture"

// A Survey is which sockets are asked for. The zero value means all that can be seen.
type Survey struct {
	Proc string // where procfs is mounted; "" means /proc

	// Port chooses TCP and UDP sockets of this process's network namespace that have it at
	// one of their ends; 0 means all sockets.
	Port uint16
}

// Sockets tells which sockets there are on this host at the moment, of all types, and who
// holds them: those of the network namespace of this process by the kernel's socket tables,
// those of others as far as /proc may be read. They are in a total order: by namespace (its
// own first), type, protocol, local address, remote address, inode.
//
// It does not tell the Host's Addresses, nor what was counted since a beginning. The error
// wraps errors.ErrUnsupported on systems other than Linux.
func Sockets(s Survey) (*capture.Host, error) { return sockets(s) }
