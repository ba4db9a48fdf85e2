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

// commons makes records of frames, one for each, in room, which has at least as many. It
// ends before a frame that is not a common one, and says how many there were before that.
// wide gets the indexes of those over IPv6, of which it makes all but keys and hashes; perhaps
// also that of the frame before which it ended. The first frame has number first in its block.
//
// Common are Ethernet frames, perhaps with one VLAN tag, with IPv4 without options or IPv6
// without extension headers, whole, then TCP, or UDP that is on no tunnel's port, and with
// nothing wrong in them. Nearly all traffic consists of these. They get the record that
// Recorder.frame makes, but in a tenth of the time: one loop that calls nothing, keeps what
// it needs in registers, reads words instead of bytes, and has no branch that the processor
// would have to guess where it can do without.
func commons(frames []capture.Frame, room []record, wide []uint32, s *Seed, first uint32) (n int, wides []uint32) {
	room = room[:len(frames)]
	for i := range frames {
		f, r := &frames[i], &room[i]
		b := f.Data
		if f.Link != capture.LinkEthernet || len(b) < commonLen {
			return i, wide
		}
		var w what
		length := f.Length
		tag := uint(0)
		h := (*[commonLen]byte)(b)
		if binary.LittleEndian.Uint16(b[12:]) == 0x0081 { // VLAN
			if len(b) < commonLen+tagLen {
				return i, wide
			}
			b, length, tag, w = b[tagLen:], length-tagLen, tagLen, surrounded
			h = (*[commonLen]byte)(b)
		}
		r.time, r.wire, r.wide = f.Time, f.Length, 0
		r.frame = first + uint32(i)
		t := (*[tcpMinLen]byte)(h[atIPv4TCP:])
		at := uint(atIPv4TCP)
		var protocol uint8
		var end uint
		switch start := binary.LittleEndian.Uint32(h[12:]); {
		case start&0xffffff == 0x450008:
			if binary.LittleEndian.Uint16(h[20:])&0xff3f != 0 { // a fragment
				return i, wide
			}
			protocol = h[23]
			addresses, ports := binary.BigEndian.Uint64(h[26:]), binary.BigEndian.Uint32(h[34:])
			from, to := addresses>>32<<32|uint64(ports>>16<<16), addresses<<32|uint64(ports<<16)
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
		case start&0xf0ffff == 0x60dd86:
			if len(b) < atIPv6TCP+tcpMinLen {
				return i, wide
			}
			wide = append(wide, uint32(i))
			t = (*[tcpMinLen]byte)(b[atIPv6TCP:])
			at = atIPv6TCP
			protocol = h[20]
			r.ttl = h[21]
			end = ipv6Len + uint(binary.BigEndian.Uint16(h[18:]))
			r.ip = uint32(end)
		default:
			return i, wide
		}
		end += macLen
		if end > uint(length) {
			return i, wide
		}
		payload := at + udpLen
		switch protocol {
		case protoTCP:
			x := binary.BigEndian.Uint32(t[12:]) // data offset, flags, window
			payload = at + uint(x>>28)*4
			if payload > end || payload > uint(len(b)) {
				return i, wide
			}
			o := &usualOptions[x>>28]
			if word(b, (at+uint(o.at))&127)&o.mask != o.value && !fit(f.Data, tag+at, x>>28) {
				return i, wide
			}
			r.seq, r.ack = binary.BigEndian.Uint32(t[4:]), binary.BigEndian.Uint32(t[8:])
			x &= 0x1ffffff
			r.window, r.flags = uint16(x), uint16(x>>16)
			w |= segment
		case protoUDP:
			ports := binary.BigEndian.Uint32(t[0:])
			if uint(binary.BigEndian.Uint16(t[4:])) != end-at || payload > end ||
				decode.IsTunnelPort(uint16(ports>>16)) || decode.IsTunnelPort(uint16(ports)) {
				return i, wide
			}
			r.seq, r.ack, r.window, r.flags = 0, 0, 0, 0
			w |= datagram
		default:
			return i, wide
		}
		if f.Owner != 0 {
			w |= owned
		}
		r.payload = uint32(end - payload)
		r.what, r.offset = w, uint8(payload+tag)
	}
	return len(frames), wide
}

// usualOptions are the TCP options that most segments have, by data offset: none, or
// timestamps after two NOPs. They are there when the word of four bytes that begins at at of
// the TCP header has value in the bits of mask. Segments of both kinds come in turn, so
// there is no branch for each.
var usualOptions = [16]struct {
	mask, value uint32
	at          uint8
}{
	0: {0, 1, 16}, 1: {0, 1, 16}, 2: {0, 1, 16}, 3: {0, 1, 16}, 4: {0, 1, 16}, // senseless
	5: {0, 0, 16},
	6: {0, 1, 16}, 7: {0, 1, 16},
	8: {0xffffffff, 0x0a080101, 20},
	9: {0, 1, 16}, 10: {0, 1, 16}, 11: {0, 1, 16}, 12: {0, 1, 16}, 13: {0, 1, 16}, 14: {0, 1, 16}, 15: {0, 1, 16},
}

// word is the four bytes of b at i, in little endian.
func word(b []byte, i uint) uint32 {
	_ = b[i+3]
	return uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16 | uint32(b[i+3])<<24
}

// fit reports whether the data offset of the TCP header at at of frame, which is in words of
// four bytes, makes sense, and no option's length leaves the header.
func fit(frame []byte, at uint, offset uint32) bool {
	return offset >= tcpMinLen/4 && decode.OptionsFit(frame[at+tcpMinLen:at+uint(offset)*4])
}
