package flow

import (
	"encoding/binary"

	"sockscope/capture"
	"sockscope/decode"
)

// Where headers are in a frame without a VLAN tag, and how long they are, in bytes.
const (
	macLen, tagLen    = 14, 4
	ipv4Len, ipv6Len  = 20, 40
	tcpMinLen, udpLen = 20, 8
	atIPv4TCP         = macLen + ipv4Len
	atIPv6TCP         = macLen + ipv6Len
	commonLen         = atIPv4TCP + tcpMinLen // less than any real link's shortest frame
)

// common makes f's record, all but its number, and gives the IP version; 0 when f is not a
// common frame, and the record is none. Of one over IPv6 it does not make key and hash: see
// Recorder.commonWide.
//
// Common are Ethernet frames, perhaps with one VLAN tag, with IPv4 without options or IPv6
// without extension headers, whole, then TCP, or UDP that is on no tunnel's port, and with
// nothing wrong in them. Nearly all traffic consists of these. They get the record that
// Recorder.frame makes, but in a tenth of the time: it hardly calls anything, keeps what
// it needs in registers, reads words instead of bytes, and has no branch that the processor
// would have to guess where it can do without.
func common(f *capture.Frame, r *record, s *Seed) (version uint8) {
	b := f.Data
	if f.Link != capture.LinkEthernet || len(b) < commonLen {
		return 0
	}
	var w what
	length := f.Length
	h := (*[commonLen]byte)(b)
	if binary.LittleEndian.Uint16(h[12:]) == 0x0081 { // VLAN
		if len(b) < commonLen+tagLen {
			return 0
		}
		b, length, w = b[tagLen:], length-tagLen, surrounded
		h = (*[commonLen]byte)(b)
	}
	r.time, r.wire, r.wide = f.Time, f.Length, 0
	t := (*[tcpMinLen]byte)(h[atIPv4TCP:])
	at := uint(atIPv4TCP)
	var protocol uint8
	var end uint
	switch start := binary.LittleEndian.Uint32(h[12:]); {
	case start&0xffffff == 0x450008:
		if binary.LittleEndian.Uint16(h[20:])&0xff3f != 0 { // a fragment
			return 0
		}
		protocol = h[23]
		const portBits = 0xffff0000
		x := binary.BigEndian.Uint64(h[30:]) // destination, both ports
		from := uint64(binary.BigEndian.Uint32(h[26:]))<<32 | x&portBits
		to := x>>32<<32 | x<<16&portBits
		var dir uint8
		if from > to {
			dir = 1
		}
		r.dir = dir
		k := key{min(from, to) | uint64(protocol)<<8 | 4, max(from, to)}
		r.key = k
		r.hash = s.hash(k)
		r.ttl = h[22]
		end = uint(binary.BigEndian.Uint16(h[16:]))
		r.ip = uint32(end)
		version = 4
	case start&0xf0ffff == 0x60dd86:
		if len(b) < atIPv6TCP+tcpMinLen {
			return 0
		}
		t = (*[tcpMinLen]byte)(b[atIPv6TCP:])
		at = atIPv6TCP
		protocol = h[20]
		r.ttl = h[21]
		end = ipv6Len + uint(binary.BigEndian.Uint16(h[18:]))
		r.ip = uint32(end)
		version = 6
	default:
		return 0
	}
	end += macLen
	if end > uint(length) {
		return 0
	}
	payload := at + udpLen
	switch protocol {
	case protoTCP:
		x := binary.BigEndian.Uint32(t[12:]) // data offset, flags, window
		offset := uint(x >> 28)
		payload = at + offset*4
		if payload > end || payload > uint(len(b)) {
			return 0
		}
		if !usualOptions(b, payload, offset) && !fit(b, at, offset) {
			return 0
		}
		r.seq, r.ack = binary.BigEndian.Uint32(t[4:]), binary.BigEndian.Uint32(t[8:])
		r.window, r.flags = uint16(x), uint16(x>>16&0x1ff)
		w |= segment
	case protoUDP:
		ports := binary.BigEndian.Uint32(t[0:])
		if uint(binary.BigEndian.Uint16(t[4:])) != end-at || payload > end ||
			decode.IsTunnelPort(uint16(ports>>16)) || decode.IsTunnelPort(uint16(ports)) {
			return 0
		}
		r.seq, r.ack, r.window, r.flags = 0, 0, 0, 0
		w |= datagram
	default:
		return 0
	}
	r.payload = uint32(end - payload)
	if f.Owner != 0 {
		w |= owned
	}
	r.what, r.offset = w, uint8(payload+uint(w&surrounded)*tagLen/uint(surrounded))
	return version
}

// usualOptions reports whether the TCP header in frame b that ends at end, so many words of four
// bytes long, has the options that most segments have: none, or timestamps after two
// NOPs. Segments of both kinds come in turn, so there is no branch for each.
func usualOptions(b []byte, end, words uint) bool {
	const nopNopTimestamps, timestampsLen = 0x0a080101, 12
	more := words - tcpMinLen/4
	last := binary.LittleEndian.Uint32(b[end-timestampsLen:])
	// Only with three more words is the lowest bit set that asks for last, and its
	// neighbour, too.
	return (last^nopNopTimestamps)&-uint32(more&1)|uint32((more^more>>1)&1|more&^3) == 0
}

// fit reports whether the data offset of the TCP header at at of frame, which is in words of
// four bytes, makes sense, and no option's length leaves the header.
func fit(frame []byte, at, offset uint) bool {
	return offset >= tcpMinLen/4 && decode.OptionsFit(frame[at+tcpMinLen:at+offset*4])
}
