package bits

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// sum adds b's 16-bit words to a one's complement sum (RFC 1071).
func sum(s uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		if s += uint32(be16(b)); s > 0xffff {
			s -= 0xffff
		}
	}
	if len(b) == 1 {
		if s += uint32(b[0]) << 8; s > 0xffff {
			s -= 0xffff
		}
	}
	return s
}

// checkIP4 says whether an IPv4 header's checksum is right.
func (w *walk) checkIP4(header []byte) {
	if !w.quoted { // routers change what they quote
		w.verdict("IPv4", header, 0, 10)
	}
}

// checkTransport says whether the checksum is right that lies at a place of the message from
// start to end and is made with the pseudo-header of its IP packet (RFC 9293 section 3.1).
func (w *walk) checkTransport(start, end int, protocol byte, at int, name string) {
	if !w.checkable(name) {
		return
	}
	pseudo := sum(0, w.carrier.addresses)
	length := end - start
	pseudo = sum(pseudo, []byte{0, protocol, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)})
	if field := be16(w.data[start+at:]); uint32(field) == pseudo && field != expected(w.data[start:end], pseudo, at) {
		w.note("bits.checksum-partial", name, hex16.short(value{n: uint64(field)}))
		return
	}
	w.verdict(name, w.data[start:end], pseudo, at)
}

// checkMessage likewise, without a pseudo-header, to the end of the packet.
func (w *walk) checkMessage(start int, name string) {
	if w.checkable(name) {
		w.verdict(name, w.data[start:w.end], 0, 2)
	}
}

// checkable reports whether all that a checksum is made of is there; if not, it says so.
func (w *walk) checkable(name string) bool {
	switch {
	case w.quoted:
	case !w.carrier.known:
		w.note("bits.checksum-unknown", name)
	case !w.carrier.whole:
		w.note("bits.checksum-fragment", name)
	case w.missing > 0:
		w.note("bits.checksum-cut", w.missing, name)
	default:
		return true
	}
	return false
}

// expected is what the checksum at a place of b should be.
func expected(b []byte, pseudo uint32, at int) uint16 {
	s := sum(pseudo, b[:at]) // checksums lie at even places
	return ^uint16(sum(s, b[at+2:]))
}

// verdict says whether the checksum at a place of b is right.
func (w *walk) verdict(name string, b []byte, pseudo uint32, at int) {
	field, want := be16(b[at:]), expected(b, pseudo, at)
	if name == "UDP" && want == 0 {
		want = 0xffff // 0 means that there is none
	}
	if sum(pseudo, b) == 0xffff {
		want = field // one's complement has two zeros
	}
	w.say(name, uint64(field), uint64(want), 4)
}

// checkSCTP says whether an SCTP packet's checksum is right (RFC 9260 appendix A).
func (w *walk) checkSCTP(start int) {
	if w.carrier.known = w.carrier.known || len(w.carrier.addresses) > 0; !w.checkable("SCTP") { // it has no pseudo-header
		return
	}
	const at = 8
	packet := append([]byte(nil), w.data[start:w.end]...)
	field := be32(packet[at:])
	clear(packet[at : at+4])
	crc := crc32.Checksum(packet, crc32.MakeTable(crc32.Castagnoli))
	want := binary.BigEndian.Uint32(binary.LittleEndian.AppendUint32(nil, crc))
	w.say("SCTP", uint64(field), uint64(want), 8)
}

// say says what a checksum is and should be, as hexadecimal digits.
func (w *walk) say(name string, field, want uint64, digits int) {
	show := func(n uint64) string { return fmt.Sprintf("0x%0*x", digits, n) }
	switch {
	case field == want:
		w.note("bits.checksum-right", name, show(want))
	case w.unsummed:
		w.note("bits.checksum-unsummed", name, show(field), show(want))
	default:
		w.note("bits.checksum-wrong", name, show(field), show(want))
	}
}
