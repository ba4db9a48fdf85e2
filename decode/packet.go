// Package decode turns a frame into one flat Packet: the innermost network and
// transport headers, the tunnels around them, and what was wrong. It keeps no
// state between frames, allocates nothing and never recurses.
package decode

import (
	"net/netip"

	"sockscope/capture"
)

// An Addr is an IP address in network byte order; an IPv4 address fills the first
// four bytes and the rest is zero. Packet.Version tells which it is.
type Addr [16]byte

// Netip is a as a netip.Addr, for IP version 4 or 6. ::ffff:a.b.c.d stays an IPv6
// address: the two differ on the wire.
func (a Addr) Netip(version uint8) netip.Addr {
	if version == 4 {
		return netip.AddrFrom4([4]byte(a[:4]))
	}
	return netip.AddrFrom16(a)
}

// Limits of a frame's headers; each has its own Error.
const (
	MaxLayers     = 16 // headers of any kind
	MaxTunnels    = 4
	MaxVLANs      = 8
	MaxExtensions = 16 // IPv6 extension headers
)

// A Class says how far decoding came, and with that where a frame is counted.
type Class uint8

const (
	Undecoded Class = iota // Packet.Err says why
	NonIP                  // Packet.EtherType says what
	IP                     // addresses and Protocol, but no transport header that we know
	Fragment               // a later fragment: addresses, Protocol and IPID, no ports
	ICMP                   // ICMP or ICMPv6: ICMPType, ICMPCode, perhaps Quoted
	TCP                    // ports and the TCP fields
	UDP                    // ports; also UDP-Lite (Protocol 136)
	SCTP                   // ports and the SCTP fields
	numClasses
)

// TCP flags, as in the header's bytes 12 (lowest bit) and 13.
const (
	FIN uint16 = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE // accurate ECN, formerly NS
)

// A Packet is what a frame's headers say: offsets and values, of the innermost
// network and transport headers that could be decoded. One Packet serves for all
// frames: Decode resets only what says which other fields are valid, as clearing
// all of it would cost more than decoding. The comments say which Class or
// field makes a field valid; the rest may hold an earlier frame's values.
//
// Slices point into the frame and are valid as long as its Block. Fields that
// every frame writes come first, so that they share few cache lines.
type Packet struct {
	Class     Class
	Err       Error  // the first problem, None without one; Class says how far decoding came all the same
	EtherType uint16 // of the innermost link header's content; for 802.3 frames the LSAPs (DSAP<<8|SSAP); 0 unknown

	NumVLANs   uint8 // at most MaxVLANs, though only two are kept
	NumTunnels uint8

	// Innermost IP header, for Class IP and above.
	Version    uint8  // 4 or 6; always valid: 0 without an IP header
	Protocol   uint8  // IP protocol number after all extension headers
	TTL        uint8  // or hop limit
	TOS        uint8  // or traffic class
	MoreFrags  bool   // more fragments follow; with FragOffset 0, the first of several
	TCPHeader  bool   // Class TCP: Seq, Ack, Flags and Window were captured and the header's length is right, else only the ports count
	FragOffset int    // in bytes
	IPID       uint32 // identification of a fragment (IPv4: 16 bits, of every packet)
	IPLength   int    // of the whole IP packet as its header says (jumbo included); from the frame when it says 0 (TSO)
	Src, Dst   Addr

	// Transport header, for Class TCP, UDP and SCTP; Payload and PayloadLength for all
	// of Class IP and above: what follows the IP headers in Class IP and Fragment, what
	// follows the first 8 bytes in Class ICMP.
	SrcPort, DstPort uint16

	// TCP (RFC 9293 §3.1), zero when TCPHeader is false.
	Flags         uint16
	Window        uint16 // unscaled
	Seq, Ack      uint32
	Payload       []byte // what was captured of the transport payload, link padding cut off
	PayloadLength int    // on the wire, as the lengths of IP and transport header say; >= 0

	Options TCPOptions // Class TCP

	VLANs [2]uint16 // the outermost two VLAN ids, as far as NumVLANs says

	// ICMP and ICMPv6, for Class ICMP.
	ICMPType, ICMPCode uint8

	// SCTP (RFC 9260 §3), for Class SCTP.
	SCTPChunk     uint8  // type of the first chunk; 255 when there is none
	SCTPChunkBits uint16 // set of chunk types 0–14 in the packet, bit = type
	SCTPTag       uint32 // verification tag
	SCTPInitTag   uint32 // INIT and INIT ACK: initiate tag, else 0

	Quoted  Quoted             // Class ICMP
	Tunnels [MaxTunnels]Tunnel // outermost first, as far as NumTunnels says
}

// A TunnelKind names an encapsulation.
type TunnelKind uint8

const (
	IPIP TunnelKind = iota + 1 // IPv4 or IPv6 in IPv4 or IPv6, 6in4 included
	GRE
	NVGRE
	ERSPAN
	VXLAN
	Geneve
	GTPU
	Teredo
	L2TP
	PBB
	MACsec
	AYIYA
	PPTP // GRE version 1
	EtherIP
	LISP
	NSH
	CAPWAP
	NumTunnelKinds // one more than the last kind
)

var tunnelKindWords = [NumTunnelKinds]string{
	IPIP: "ipip", GRE: "gre", NVGRE: "nvgre", ERSPAN: "erspan", VXLAN: "vxlan", Geneve: "geneve",
	GTPU: "gtp-u", Teredo: "teredo", L2TP: "l2tp", PBB: "pbb", MACsec: "macsec", AYIYA: "ayiya",
	PPTP: "pptp", EtherIP: "etherip", LISP: "lisp", NSH: "nsh", CAPWAP: "capwap",
}

// String is the word for k, as reports print it; "" for no kind.
func (k TunnelKind) String() string {
	if k < NumTunnelKinds {
		return tunnelKindWords[k]
	}
	return ""
}

// A Tunnel is one encapsulation around the innermost packet.
type Tunnel struct {
	Kind     TunnelKind
	Version  uint8 // of the outer IP header; 0 where there is none (PBB, MACsec)
	HasID    bool
	ID       uint32 // VNI, VSID, TEID, GRE key, ERSPAN session, I-SID
	Src, Dst Addr   // outer
}

// TCPOptions is the summary of a segment's options.
type TCPOptions struct {
	Has         OptionSet // says which of the others are valid
	MSS         uint16    // RFC 9293 §3.7.1
	WindowScale uint8     // RFC 7323 §2, as sent (may exceed 14)
	CookieLen   uint8     // TCP Fast Open cookie (RFC 7413), 0 is a request
	MPTCP       uint8     // subtype of the first MPTCP option (RFC 8684)
	SACKBlocks  uint8     // RFC 2018
	TSVal       uint32    // RFC 7323 §3
	TSEcr       uint32
	// First SACK block, as sent.
	SACKLeft, SACKRight uint32 // when SACKBlocks > 0
}

// An OptionSet is a set of TCP options.
type OptionSet uint16

const (
	OptMSS OptionSet = 1 << iota
	OptWindowScale
	OptSACKPermitted
	OptSACK
	OptTimestamps
	OptFastOpen
	OptMPTCP
	OptMD5
	OptAO
	OptUserTimeout
	OptUnknown
	OptBroken // a length that does not fit: the rest is unread
	OptCut    // the snap length cut the options off
)

// Quoted is the packet that an ICMP error carries, as far as it is there.
type Quoted struct {
	Valid            bool // an IP header and, for TCP, UDP and SCTP, both ports; else nothing here is valid
	Version          uint8
	Protocol         uint8
	HasSeq           bool // TCP: the sequence number is quoted
	HasFlags         bool // TCP: the flags are quoted
	SrcPort, DstPort uint16
	Flags            uint16
	Seq              uint32
	Src, Dst         Addr
}

// Decode decodes frame, of which wireLength bytes were on the wire, overwriting p.
// What was decoded before an error stays; p.Class says how far that is. The tuple
// is the innermost one that could be decoded: a tunnel whose content is not IP
// leaves its carrier's.
func (p *Packet) Decode(frame []byte, wireLength uint32, link capture.LinkType) {
	p.Class, p.Err = Undecoded, None
	p.EtherType = 0
	p.NumVLANs, p.NumTunnels, p.Version = 0, 0, 0
	w := walk{p: p, b: frame, missing: max(0, int(wireLength)-len(frame))}
	w.run(first(link))
}
