package process

import (
	"bytes"
	"net/netip"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// The numbers of /proc/net/sctp for what a socket does, and the states of associations,
// which RFC 9260 §4 names.
const sctpListening = 10

var sctpStates = [...]string{"CLOSED", "COOKIE-WAIT", "COOKIE-ECHOED", "ESTABLISHED", "SHUTDOWN-PENDING",
	"SHUTDOWN-SENT", "SHUTDOWN-RECEIVED", "SHUTDOWN-ACK-SENT"}

// sctpEndpoints reads the listening sockets in lines like
//
//	ffff8880 ffff8881 2   10  12   3868      0 4711 0.0.0.0
//
// endpoint, socket, style, state, bucket, port, user, inode, addresses; those that do not
// listen have an association.
func (c *census) sctpEndpoints(content []byte) []capture.Socket {
	var list []capture.Socket
	for line := range bytes.Lines(content) {
		f := bytes.Fields(line)
		if len(f) < 9 || number(f[3]) != sctpListening {
			continue
		}
		addr, ok := sctpAddress(f[8:])
		if !ok {
			continue
		}
		list = append(list, sctpSocket("LISTEN", netip.AddrPortFrom(addr, uint16(number(f[5]))), netip.AddrPort{}, f[6], f[7]))
	}
	return list
}

// sctpAssociations reads lines like
//
//	ffff8880 ffff8881 2   1   3  12     1        0        0       0 4711 3868  40000  *10.0.0.1 <-> *10.0.0.2 30000 …
//
// association, socket, style, state of the socket and of the association, bucket, number,
// queues, user, inode, ports, addresses of both ends, of which * marks the one in use.
func (c *census) sctpAssociations(content []byte) []capture.Socket {
	var list []capture.Socket
	for line := range bytes.Lines(content) {
		f := bytes.Fields(line)
		if len(f) < 16 || number(f[4]) >= uint64(len(sctpStates)) {
			continue
		}
		between := 13
		for between < len(f) && string(f[between]) != "<->" {
			between++
		}
		if between == len(f) {
			continue
		}
		here, ok := sctpAddress(f[13:between])
		there, thereOK := sctpAddress(f[between+1:])
		if !ok || !thereOK {
			continue
		}
		s := sctpSocket(sctpStates[number(f[4])], netip.AddrPortFrom(here, uint16(number(f[11]))),
			netip.AddrPortFrom(there, uint16(number(f[12]))), f[9], f[10])
		s.SendQueue, s.ReceiveQueue = uint32(number(f[7])), uint32(number(f[8]))
		list = append(list, s)
	}
	return list
}

func sctpSocket(state string, local, remote netip.AddrPort, uid, inode []byte) capture.Socket {
	return capture.Socket{Type: capture.Stream, Protocol: unix.IPPROTO_SCTP, IPv6: local.Addr().Is6(), State: state,
		Local: local, Remote: remote, HasUID: true, UID: uint32(number(uid)), Inode: number(inode)}
}

// sctpAddress is the address in use of an end that may have several, or the first one.
func sctpAddress(fields [][]byte) (addr netip.Addr, ok bool) {
	for _, f := range fields {
		text, used := bytes.CutPrefix(f, []byte("*"))
		a, err := netip.ParseAddr(string(text))
		if err != nil {
			break
		}
		if !ok || used {
			addr, ok = a.Unmap(), true
		}
		if used {
			break
		}
	}
	return addr, ok
}
