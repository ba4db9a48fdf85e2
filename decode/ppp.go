package decode

// hdlcPPP are the address and control bytes of PPP in HDLC framing (RFC 1662 §3.1).
const hdlcPPP = 0xff03

// PPP protocol numbers (IANA) that are decoded further.
const (
	pppIPv4      = 0x0021
	pppBridging  = 0x0031
	pppMultilink = 0x003d
	pppIPv6      = 0x0057
	pppMPLS      = 0x0281
	pppMPLSOther = 0x0283
)

// pppDirection skips the direction in front of a PPP header; pppd writes it in
// place of the address byte.
func (w *walk) pppDirection() header {
	if len(w.b) == 0 {
		return w.short()
	}
	w.b = w.b[1:]
	if len(w.b) > 0 && w.b[0] == 3 {
		w.b = w.b[1:]
	}
	return pppHeader
}

// ppp decodes the PPP header (RFC 1661 §2), with or without the address and control
// bytes of HDLC framing (RFC 1662 §3.1) and with a protocol of one or two bytes. On a
// serial link the same place can have Cisco's framing.
func (w *walk) ppp() header {
	b := w.b
	if len(b) < 2 {
		return w.short()
	}
	switch be16(b) {
	case hdlcPPP:
		b = b[2:]
	case 0x0f00, 0x8f00: // unicast, multicast
		return chdlcHeader
	}
	if len(b) == 0 {
		return w.short()
	}
	protocol := uint16(b[0])
	if protocol&1 != 0 { // compressed: odd in its only byte
		b = b[1:]
	} else {
		if len(b) < 2 {
			return w.short()
		}
		protocol = be16(b)
		b = b[2:]
	}
	w.b = b
	switch protocol {
	case pppIPv4:
		return ipv4Header
	case pppIPv6:
		return ipv6Header
	case pppMPLS, pppMPLSOther:
		return mplsHeader
	case pppMultilink:
		return w.multilink()
	case pppBridging:
		return w.bridging()
	}
	return w.nonIP(etherTypePPP)
}

// multilink decodes the header of a fragment (RFC 1990 §3), which leads on only in
// a packet's first.
func (w *walk) multilink() header {
	const hlen, begin, end = 4, 0x80, 0x40
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	if b[0]&begin == 0 {
		return w.nonIP(etherTypePPP)
	}
	if b[0]&end == 0 {
		w.partial = true
	}
	w.b = b[hlen:]
	return pppHeader
}

// bridging decodes the header of a bridged frame (RFC 3518 §4.2) of Ethernet.
func (w *walk) bridging() header {
	const hlen, ethernet = 2, 1
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	if b[1] != ethernet {
		return w.nonIP(etherTypePPP)
	}
	w.b = b[hlen:]
	return ethernetHeader
}

// pppoe decodes the header of a PPP session over Ethernet (RFC 2516 §4).
func (w *walk) pppoe() header {
	const hlen, version1type1 = 6, 0x11
	b := w.b
	if len(b) < hlen+2 {
		return w.short()
	}
	if b[0] != version1type1 {
		return w.fail(LinkHeader)
	}
	if b[1] != 0 {
		return w.nonIP(etherTypePPPoE) // discovery
	}
	w.b = b[hlen:]
	w.trim(min(int(be16(b[4:])), w.wire()))
	return pppHeader
}
