package flow

import (
	"encoding/binary"

	"sockscope/capture"
)

// ipv4 is a raw IPv4 packet with id and fragment offset in bytes.
func ipv4(proto uint8, src, dst [4]byte, id uint16, offset int, more bool, body []byte) []byte {
	b := make([]byte, 20, 20+len(body))
	b[0], b[8], b[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(body)))
	binary.BigEndian.PutUint16(b[4:], id)
	frag := uint16(offset / 8)
	if more {
		frag |= 0x2000
	}
	binary.BigEndian.PutUint16(b[6:], frag)
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	return append(b, body...)
}

// ipv6 is a raw IPv6 packet.
func ipv6(proto uint8, src, dst [16]byte, body []byte) []byte {
	b := make([]byte, 40, 40+len(body))
	b[0], b[6], b[7] = 0x60, proto, 64
	binary.BigEndian.PutUint16(b[4:], uint16(len(body)))
	copy(b[8:], src[:])
	copy(b[24:], dst[:])
	return append(b, body...)
}

// udp is a UDP header before body; length is that of the whole datagram.
func udp(sport, dport uint16, body []byte) []byte {
	b := make([]byte, 8, 8+len(body))
	binary.BigEndian.PutUint16(b[0:], sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	binary.BigEndian.PutUint16(b[4:], uint16(8+len(body)))
	return append(b, body...)
}

// icmp is an ICMP message of four bytes of header, four unused ones, and body.
func icmp(typ, code uint8, body []byte) []byte {
	return append([]byte{typ, code, 0, 0, 0, 0, 0, 0}, body...)
}

// vxlan wraps an IP packet, behind an Ethernet header, in VXLAN (RFC 7348 §5).
func vxlan(vni uint32, packet []byte) []byte {
	b := []byte{8, 0, 0, 0, byte(vni >> 16), byte(vni >> 8), byte(vni), 0}
	b = append(b, make([]byte, 12)...)
	b = append(b, 8, 0)
	return append(b, packet...)
}

// sctpPacket has one chunk of the given type.
func sctpPacket(sport, dport uint16, chunk uint8) []byte {
	b := make([]byte, 12+20)
	binary.BigEndian.PutUint16(b[0:], sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	b[12] = chunk
	binary.BigEndian.PutUint16(b[14:], 20)
	return b
}

// raws are raw IP packets as frames, a millisecond apart.
func raws(packets ...[]byte) []capture.Frame {
	frames := make([]capture.Frame, len(packets))
	for i, b := range packets {
		frames[i] = capture.Frame{Data: b, Length: uint32(len(b)), Link: capture.LinkRaw,
			Time: scriptEpoch + capture.Timestamp(i)*1e6}
	}
	return frames
}

var (
	hostA, hostB = [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}
	router       = [4]byte{10, 0, 0, 254}
)
