package decode

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Test frames are built from the inside out: eth(0x0800, ip4(6, segment{…}.bytes())).

// join concatenates byte slices and hex strings, in which spaces separate fields.
func join(parts ...any) []byte {
	var out []byte
	for _, part := range parts {
		switch part := part.(type) {
		case []byte:
			out = append(out, part...)
		case string:
			b, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
			if err != nil {
				panic(err)
			}
			out = append(out, b...)
		default:
			panic("join: neither bytes nor a string")
		}
	}
	return out
}

func u16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func u32(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

// eth is an Ethernet frame.
func eth(etherType int, content []byte) []byte {
	return join("020000000002 020000000001", u16(etherType), content)
}

// vlan is an IEEE 802.1Q tag and what it encloses.
func vlan(id, etherType int, content []byte) []byte {
	return join(u16(id), u16(etherType), content)
}

// Addresses of test packets.
const (
	client4 = "0a000001"
	server4 = "0a000002"
	client6 = "20010db8000000000000000000000001"
	server6 = "20010db8000000000000000000000002"
)

// ip4 is an IPv4 packet from client to server with TTL 64.
func ip4(protocol int, content []byte) []byte { return ip4Fragment(protocol, 0, content) }

// ip4Fragment is ip4 with the flags and fragment offset as the header has them, and id 7.
func ip4Fragment(protocol, flagsAndOffset int, content []byte) []byte {
	return join("45 00", u16(20+len(content)), "0007", u16(flagsAndOffset), "40", u16(protocol)[1:], "0000",
		client4, server4, content)
}

// ip6 is an IPv6 packet from client to server with hop limit 64.
func ip6(next int, content []byte) []byte {
	return join("60000000", u16(len(content)), u16(next)[1:], "40", client6, server6, content)
}

// A segment is a TCP segment to build.
type segment struct {
	src, dst int
	seq, ack int
	flags    uint16
	options  []byte // a multiple of 4
	payload  []byte
}

func (s segment) bytes() []byte {
	offset := (20 + len(s.options)) / 4 << 12
	return join(u16(s.src), u16(s.dst), u32(s.seq), u32(s.ack), u16(offset|int(s.flags)), u16(1000), "0000 0000",
		s.options, s.payload)
}

// udpBytes is a UDP datagram.
func udpBytes(src, dst int, payload []byte) []byte {
	return join(u16(src), u16(dst), u16(8+len(payload)), "0000", payload)
}

// le is v as two bytes, the lower one first.
func le(v int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(v)) }

// repeat is n times the bytes of s.
func repeat(s string, n int) []byte { return join(strings.Repeat(s, n)) }

// patch is a copy of b with other bytes from the offset on.
func patch(b []byte, at int, bytes string) []byte {
	out := join(b)
	copy(out[at:], join(bytes))
	return out
}
