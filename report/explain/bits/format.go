package bits

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// A value is what stands in a field: n when the field has at most 64 bits, and the bytes
// that it lies in.
type value struct {
	n   uint64
	raw []byte
}

// A format shows values. They are digits and names in Latin letters, the same in every
// language: what a value means is the sentence's.
type format struct {
	short func(value) string
	more  func(value) string // shown behind it, in parentheses, where there is room; nil, "": nothing
}

// of is v as short and as full text.
func (f format) of(v value) (short, full string) {
	short = f.short(v)
	if f.more != nil {
		if more := f.more(v); more != "" {
			return short, short + " (" + more + ")"
		}
	}
	return short, short
}

var (
	decimal  = format{short: number}
	octets   = format{short: func(v value) string { return hex.EncodeToString(v.raw) }}
	hex8     = hexadecimal(2)
	hex16    = hexadecimal(4)
	hex24    = hexadecimal(6)
	hex32    = hexadecimal(8)
	bit      = decimal
	hardware = format{short: func(v value) string { return net.HardwareAddr(v.raw).String() }}
	ipv4     = format{short: address}
	ipv6     = format{short: address}
)

func number(v value) string { return strconv.FormatUint(v.n, 10) }

// address is an IP address of 4 or 16 bytes.
func address(v value) string {
	a, ok := netip.AddrFromSlice(v.raw)
	if !ok {
		return hex.EncodeToString(v.raw)
	}
	return a.String()
}

// hexadecimal shows values with a number of digits.
func hexadecimal(digits int) format {
	return format{short: func(v value) string { return fmt.Sprintf("0x%0*x", digits, v.n) }}
}

// units shows a number of units, and behind it how many bytes, bits or seconds they are.
func units(each uint64) format {
	return format{number, func(v value) string {
		return fmt.Sprintf("x %d = %d", each, v.n*each)
	}}
}

// beyond is units of eight bytes without the first eight, as IPv6's extension headers count.
var beyond = format{number, func(v value) string { return fmt.Sprintf("x 8 + 8 = %d", v.n*8+8) }}

// shift shows the exponent of a power of two.
var shift = format{number, func(v value) string {
	if v.n > 14 { // RFC 7323 section 2.3: as 14
		return "as 14: x 16384"
	}
	return fmt.Sprintf("x %d", 1<<v.n)
}}

// named shows a number, and the name that it has.
func named(f format, names map[uint64]string) format {
	return format{f.short, func(v value) string { return names[v.n] }}
}

// letters shows bytes as text; all but printable ASCII is a dot.
func letters(b []byte) string {
	text := make([]byte, len(b))
	for i, c := range b {
		if text[i] = c; c < ' ' || c > '~' {
			text[i] = '.'
		}
	}
	return string(text)
}

// bitsAt is the number in the n bits of b from bit at on, n at most 64.
func bitsAt(b []byte, at, n int) uint64 {
	var x uint64
	for i := at; i < at+n; i++ {
		x = x<<1 | uint64(b[i/8]>>(7-i%8)&1)
	}
	return x
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

var etherTypes = map[uint64]string{
	0x0800: "IPv4", 0x0806: "ARP", 0x0842: "Wake-on-LAN", 0x8035: "RARP", 0x86dd: "IPv6", 0x8100: "802.1Q",
	0x88a8: "802.1ad", 0x9100: "QinQ", 0x8847: "MPLS", 0x8848: "MPLS multicast", 0x8863: "PPPoE Discovery",
	0x8864: "PPPoE Session", 0x888e: "EAPOL", 0x88cc: "LLDP", 0x88e5: "MACsec", 0x88e7: "PBB", 0x88f7: "PTP",
	0x880b: "PPP", 0x6558: "Ethernet", 0x88be: "ERSPAN II", 0x22eb: "ERSPAN III", 0x88b8: "GOOSE", 0x894f: "NSH",
	0x8808: "Ethernet flow control", 0x8809: "LACP", 0x9000: "loopback test",
}

// etherType shows an EtherType; as a number of at most 1500 it is a length.
var etherType = format{hex16.short, func(v value) string {
	if v.n <= maxLength {
		return "length " + number(v)
	}
	return etherTypes[v.n]
}}

var protocols = map[uint64]string{
	0: "Hop-by-Hop", 1: "ICMP", 2: "IGMP", 4: "IPv4", 6: "TCP", 17: "UDP", 33: "DCCP", 41: "IPv6", 43: "Routing", 44: "Fragment",
	46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPv6", 59: "none", 60: "Dest. Options", 88: "EIGRP", 89: "OSPF",
	97: "EtherIP", 103: "PIM", 112: "VRRP", 115: "L2TP", 132: "SCTP", 135: "Mobility", 136: "UDP-Lite", 137: "MPLS",
}

var protocol = named(decimal, protocols)
