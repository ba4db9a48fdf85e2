package lab

import (
	"encoding/binary"
	"net"
	"net/netip"
)

var (
	clientAddress = netip.MustParseAddr(ClientAddress)
	serverAddress = netip.MustParseAddr(ServerAddress)
	nobodyAddress = netip.MustParseAddr("192.0.2.9") // of no host, though frames for it are sent
)

// Hardware addresses, locally administered.
var (
	clientHardware = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	serverHardware = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	nobodyHardware = net.HardwareAddr{2, 0, 0, 0, 0, 9}
)

// IP protocol numbers. RFC 3692 leaves 253 to experiments.
const (
	protocolICMP       = 1
	protocolTCP        = 6
	protocolUDP        = 17
	protocolExperiment = 253
)

// Flags of a TCP segment (RFC 9293 §3.1).
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

// checksum is the Internet checksum (RFC 1071) of the parts one behind the other, all but
// the last of which have an even length.
func checksum(parts ...[]byte) uint16 {
	sum := uint32(0)
	for _, b := range parts {
		for ; len(b) > 1; b = b[2:] {
			sum += uint32(binary.BigEndian.Uint16(b))
		}
		if len(b) == 1 {
			sum += uint32(b[0]) << 8
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// ipv4 is a packet (RFC 791 §3.1) that may not be fragmented.
func ipv4(from, to netip.Addr, protocol uint8, id uint16, payload []byte) []byte {
	b := make([]byte, 20, 20+len(payload))
	b[0] = 4<<4 | 5
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
	binary.BigEndian.PutUint16(b[4:], id)
	b[6] = 0x40 // don't fragment
	b[8], b[9] = 64, protocol
	copy(b[12:], from.AsSlice())
	copy(b[16:], to.AsSlice())
	binary.BigEndian.PutUint16(b[10:], checksum(b))
	return append(b, payload...)
}

// A segment is a TCP segment to be made.
type segment struct {
	from, to netip.AddrPort
	seq, ack uint32
	flags    uint8
	window   uint16 // unscaled
	options  []byte // whole words
	payload  []byte
}

// encode is the segment (RFC 9293 §3.1), what an IP packet carries.
func (s *segment) encode() []byte {
	b := make([]byte, 20, 20+len(s.options)+len(s.payload))
	binary.BigEndian.PutUint16(b, s.from.Port())
	binary.BigEndian.PutUint16(b[2:], s.to.Port())
	binary.BigEndian.PutUint32(b[4:], s.seq)
	binary.BigEndian.PutUint32(b[8:], s.ack)
	b[12] = uint8(5+len(s.options)/4) << 4
	b[13] = s.flags
	binary.BigEndian.PutUint16(b[14:], s.window)
	b = append(append(b, s.options...), s.payload...)
	binary.BigEndian.PutUint16(b[16:], checksum(pseudo(s.from, s.to, protocolTCP, len(b)), b))
	return b
}

// pseudo is the header that checksums of TCP and UDP also cover (RFC 9293 §3.1, RFC 768).
func pseudo(from, to netip.AddrPort, protocol uint8, length int) []byte {
	b := append(from.Addr().AsSlice(), to.Addr().AsSlice()...)
	return binary.BigEndian.AppendUint16(append(b, 0, protocol), uint16(length))
}

// datagram is a UDP datagram (RFC 768), what an IP packet carries.
func datagram(from, to netip.AddrPort, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	b = append(append(b, 0, 0), payload...)
	sum := checksum(pseudo(from, to, protocolUDP, len(b)), b)
	if sum == 0 {
		sum = 0xffff // 0 says that there is none
	}
	binary.BigEndian.PutUint16(b[6:], sum)
	return b
}

// message is an ICMP message (RFC 792); rest is what its second word says.
func message(kind, code uint8, rest uint32, payload []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{kind, code, 0, 0}, rest)
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}
