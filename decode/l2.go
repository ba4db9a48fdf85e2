package decode

// pbb decodes the I-TAG of provider backbone bridging (IEEE 802.1Q §9.7): flags, the
// service's id, and the customer's whole frame.
func (w *walk) pbb() header {
	const hlen = 4
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	w.b = b[hlen:]
	if !w.tunnel(Tunnel{Kind: PBB, HasID: true, ID: be32(b) & 0xffffff}) {
		return done
	}
	return ethernetHeader
}

// macsec decodes the SecTAG (IEEE 802.1AE §9.3). Content that is only authenticated can
// be read; encrypted content is opaque.
func (w *walk) macsec() header {
	const (
		withSCI   = 0x20
		encrypted = 0x08
		changed   = 0x04
		icv       = 16 // integrity check value at the end
	)
	b := w.b
	if len(b) < 6 {
		return w.short()
	}
	tci := b[0]
	if tci&(encrypted|changed) != 0 {
		return w.nonIP(etherTypeMACsec)
	}
	hlen := 6
	if tci&withSCI != 0 {
		hlen = 14
	}
	if len(b) < hlen+2 {
		return w.short()
	}
	if !w.tunnel(Tunnel{Kind: MACsec}) {
		return done
	}
	w.b = b[hlen+2:]
	w.trim(max(0, w.wire()-icv))
	return w.etherType(be16(b[hlen:]))
}

// trill decodes the TRILL header (RFC 6325 §3), behind which is a whole frame.
func (w *walk) trill() header {
	b := w.b
	if len(b) < 6 {
		return w.short()
	}
	n := 6 + int(be16(b)>>6&0x1f)*4 // options, in 32-bit words
	if len(b) < n {
		return w.short()
	}
	w.b = b[n:]
	return ethernetHeader
}

// fabricPath decodes Cisco's tag of tree and TTL, behind which is a whole frame.
func (w *walk) fabricPath() header {
	const hlen = 2
	if len(w.b) < hlen {
		return w.short()
	}
	w.b = w.b[hlen:]
	return ethernetHeader
}

// nsh decodes the network service header (RFC 8300 §2.2); the service path is its ID.
func (w *walk) nsh() header {
	const minLen = 8
	b := w.b
	if len(b) < minLen {
		return w.short()
	}
	n := int(b[1]&0x3f) * 4 // 32-bit words
	if n < minLen {
		return w.fail(TunnelHeader)
	}
	if n > len(b) {
		return w.short()
	}
	if !w.tunnel(Tunnel{Kind: NSH, HasID: true, ID: be32(b[4:]) >> 8}) {
		return done
	}
	w.b = b[n:]
	return nextProtocol(b[3])
}

// nextProtocol is the header that NSH's and VXLAN-GPE's next protocol says.
func nextProtocol(n uint8) header {
	switch n {
	case 1:
		return ipv4Header
	case 2:
		return ipv6Header
	case 3:
		return ethernetHeader
	case 4:
		return nshHeader
	case 5:
		return mplsHeader
	}
	return notNetwork
}
