package ring

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A permissionError tells what the program lacks and how it gets it.
type permissionError struct{ program string }

func (e permissionError) Error() string {
	return "cannot capture: need CAP_NET_RAW (run as root or: setcap cap_net_raw+ep " + e.program + ")"
}

func (permissionError) Unwrap() error { return os.ErrPermission }

// newSocket opens a packet socket that receives nothing yet: it has no protocol.
func newSocket() (int, error) {
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	switch {
	case errors.Is(err, unix.EPERM):
		program, err := os.Executable()
		if err != nil {
			program = "sockscope"
		}
		return -1, permissionError{program}
	case err != nil:
		return -1, fmt.Errorf("open a packet socket: %w", err)
	}
	if err := unix.SetsockoptInt(socket, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		_ = unix.Close(socket)
		return -1, fmt.Errorf("open a TPACKET_V3 socket: %w", err)
	}
	return socket, nil
}

// attach makes p the socket's filter, in place of an earlier one.
func attach(socket int, p []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(p))
	for i, in := range p {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	err := unix.SetsockoptSockFprog(socket, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	if err != nil {
		return fmt.Errorf("attach the filter: %w", err)
	}
	return nil
}

// bind makes the socket receive from an interface, or from all with index 0. That
// an interface is down is no error here: the socket receives when it is up.
func bind(socket, index int, protocol uint16) error {
	address := unix.SockaddrLinklayer{Protocol: networkOrder(protocol), Ifindex: index}
	if err := unix.Bind(socket, &address); err != nil {
		return err
	}
	return pending(socket)
}

// pending takes the error that the socket has waiting. ENETDOWN is none: the kernel
// tells it once, at bind or later, and netlink tells more.
func pending(socket int) error {
	n, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if n == 0 || unix.Errno(n) == unix.ENETDOWN {
		return nil
	}
	return unix.Errno(n)
}

// joinPromiscuous makes an interface take frames to other hardware addresses, too,
// as long as the socket lives.
func joinPromiscuous(socket, index int) error {
	return unix.SetsockoptPacketMreq(socket, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
		&unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC})
}
