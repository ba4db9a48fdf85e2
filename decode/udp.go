package decode

// udp decodes the UDP header (RFC 768) or, for Protocol 136, the UDP-Lite header (RFC
// 3828), where the length field is the checksum's coverage.
func (w *walk) udp() header {
	const hlen = 8
	p, b := w.p, w.b
	if len(b) < hlen {
		return w.udpCut()
	}
	length := int(be16(b[4:]))
	wire := len(b) + w.missing
	jumbogram := length == 0 && wire > 0xffff // RFC 2675 §4
	if length < hlen && !jumbogram && p.Protocol != protoUDPLite {
		w.opaque()
		return w.fail(UDPLength) // no receiver takes that for a datagram
	}
	p.Class = UDP
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	if length == wire || jumbogram || p.Protocol == protoUDPLite {
		length = wire
	} else {
		length = w.udpLength(length, wire)
	}
	if length < len(b) {
		b = b[:length]
	}
	w.missing = length - len(b)
	p.Payload, p.PayloadLength = b[hlen:], length-hlen
	w.b = b[hlen:]
	return w.udpTunnel()
}

// udpLength is the datagram's length when its header and the IP packet differ.
func (w *walk) udpLength(length, wire int) int {
	if length < wire {
		return length
	}
	if !w.p.MoreFrags { // else it is a first fragment, and wire is what is in it
		w.note(UDPLength)
	}
	return wire
}

// udpCut decodes what there is of a header below 8 bytes.
func (w *walk) udpCut() header {
	p, b := w.p, w.b
	w.opaque()
	if len(b) >= 4 {
		p.Class = UDP
		p.SrcPort, p.DstPort = be16(b), be16(b[2:])
		p.Payload, p.PayloadLength = nil, max(0, w.wire()-8)
	}
	return w.short()
}
