// Package process tells which processes of this host hold a socket.
package process

import "sockscope/capture"

// Listeners tells who waits for peers on this host at the moment: TCP sockets that
// listen, and bound UDP sockets without a peer, by port, protocol and address. port is
// the local one; 0 means all. proc is where procfs is mounted; "" means /proc. incomplete
// says what is missing and why. The error wraps errors.ErrUnsupported on systems other
// than Linux.
func Listeners(proc string, port uint16) (sockets []capture.Socket, incomplete []string, err error) {
	return listeners(proc, port)
}
