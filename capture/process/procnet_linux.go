package process

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"strconv"
)

// readProcNet reads a socket table of procfs: "tcp", "udp6" and the like.
func readProcNet(name string, protocol uint8) ([]procSocket, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	sockets := parseProcTable(b)
	for i := range sockets {
		sockets[i].protocol = protocol
	}
	return sockets, nil
}

// readRaw reads a table of raw sockets, which was opened before. What stands for the port
// there is the protocol.
func readRaw(f *os.File) []procSocket {
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
	return parseRawTable(b)
}

func parseRawTable(b []byte) []procSocket {
	sockets := parseProcTable(b)
	for i := range sockets {
		s := &sockets[i]
		s.protocol = uint8(s.local.Port())
		s.local = netip.AddrPortFrom(s.local.Addr(), 0)
	}
	return sockets
}

func parseProcTable(b []byte) []procSocket {
	var sockets []procSocket
	for line := range bytes.Lines(b) {
		if s, ok := parseProcNet(line); ok {
			sockets = append(sockets, s)
		}
	}
	return sockets
}

// A procSocket is a line of a socket table in procfs.
type procSocket struct {
	protocol      uint8
	state         uint8
	local, remote netip.AddrPort // remote is the zero value without a peer
	receive, send uint32
	uid           uint32
	inode         uint64
}

// parseProcNet reads a line like
//
//	0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 …
//
// and refuses the line of headings.
func parseProcNet(line []byte) (s procSocket, ok bool) {
	fields := bytes.Fields(line)
	if len(fields) < 10 {
		return s, false
	}
	local, localOK := parseProcAddress(fields[1])
	remote, remoteOK := parseProcAddress(fields[2])
	state, err := strconv.ParseUint(string(fields[3]), 16, 8)
	if !localOK || !remoteOK || err != nil {
		return s, false
	}
	send, receive, _ := bytes.Cut(fields[4], []byte(":"))
	s.local, s.state = local, uint8(state)
	if remote.Port() != 0 || !remote.Addr().IsUnspecified() { // a raw socket's peer has no port
		s.remote = remote
	}
	s.send, s.receive = hexadecimal32(send), hexadecimal32(receive)
	s.uid, s.inode = uint32(number(fields[7])), number(fields[9])
	return s, true
}

// parseProcAddress reads "0100007F:1F90": 32-bit words in the host's byte order.
func parseProcAddress(b []byte) (netip.AddrPort, bool) {
	words, port, ok := bytes.Cut(b, []byte(":"))
	if !ok || len(words) != 8 && len(words) != 32 {
		return netip.AddrPort{}, false
	}
	raw := make([]byte, len(words)/2)
	if _, err := hex.Decode(raw, words); err != nil {
		return netip.AddrPort{}, false
	}
	for w := raw; len(w) > 0; w = w[4:] {
		binary.NativeEndian.PutUint32(w, binary.BigEndian.Uint32(w))
	}
	p, err := strconv.ParseUint(string(port), 16, 16)
	a, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(a, uint16(p)), err == nil
}

func hexadecimal32(b []byte) uint32 {
	n, _ := strconv.ParseUint(string(b), 16, 32)
	return uint32(n)
}

// number is a decimal number; 0 when it is none.
func number(b []byte) uint64 {
	n, _ := strconv.ParseUint(string(b), 10, 64)
	return n
}
