package decode

// ip decodes an IP header of the version that its first four bits say.
func (w *walk) ip() header {
	if len(w.b) == 0 {
		return w.short()
	}
	switch w.b[0] >> 4 {
	case 4:
		return w.ipv4()
	case 6:
		return w.ipv6()
	}
	return w.fail(IPv4Header)
}

// ipv4 decodes the IPv4 header (RFC 791 §3.1). Its total length bounds all that
// follows; a total length beyond the frame is noted and believed, because the
// sender's word is what the peers' sequence numbers follow.
func (w *walk) ipv4() header {
	const minLen = 20
	b := w.b
	if len(b) < minLen {
		return w.short()
	}
	hlen := int(b[0]&0xf) * 4 // IHL counts 32-bit words
	if b[0]>>4 != 4 || hlen < minLen {
		return w.fail(IPv4Header)
	}
	p := w.p
	total := int(be16(b[2:]))
	if wire := len(b) + w.missing; total == 0 {
		total = wire // segmentation offload: the card fills it in
	} else if total > wire && !w.partial {
		w.note(IPv4Length)
	}
	p.Class, p.EtherType, p.Version = IP, etherTypeIPv4, 4
	p.NumTunnels, p.NumVLANs = w.tunnels, w.vlans
	p.TOS, p.TTL, p.Protocol = b[1], b[8], b[9]
	p.IPLength = total
	p.IPID = uint32(be16(b[4:]))
	p.Src, p.Dst = Addr{}, Addr{}
	*(*[4]byte)(p.Src[:]) = [4]byte(b[12:])
	*(*[4]byte)(p.Dst[:]) = [4]byte(b[16:])
	frag := be16(b[6:])
	p.FragOffset = int(frag&0x1fff) * 8
	p.MoreFrags = frag&0x2000 != 0
	if total < hlen {
		p.Payload, p.PayloadLength = nil, 0
		return w.fail(IPv4Length)
	}
	if hlen > len(b) {
		p.Payload, p.PayloadLength = nil, total-hlen
		return w.short()
	}
	if total < len(b) {
		b = b[:total] // padding
	}
	w.missing = total - len(b)
	w.b = b[hlen:]
	if p.FragOffset != 0 {
		return w.fragment()
	}
	if p.MoreFrags {
		w.partial = true
	}
	return w.transport(p.Protocol)
}

// fragment ends the walk at a later fragment, whose bytes are the middle of
// something.
func (w *walk) fragment() header {
	w.p.Class = Fragment
	return w.opaque()
}

// opaque ends the walk at a payload that is not decoded further.
func (w *walk) opaque() header {
	w.p.Payload, w.p.PayloadLength = w.b, w.wire()
	return done
}
