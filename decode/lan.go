package decode

// tokenRing decodes the IEEE 802.5 header with its source routing.
func (w *walk) tokenRing() header {
	const (
		hlen    = 14
		isLLC   = 0x40 // of the frame control
		llcMask = 0xc0
		routed  = 0x80 // of the source address
	)
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	if b[1]&llcMask != isLLC {
		return w.nonIP(0)
	}
	n := hlen
	if b[8]&routed != 0 {
		if len(b) < hlen+2 {
			return w.short()
		}
		routing := int(b[hlen] & 0x1f)
		if routing < 2 {
			return w.fail(LinkHeader)
		}
		n += routing
	}
	if len(b) < n {
		return w.short()
	}
	w.b = b[n:]
	return llcHeader
}

// fddi decodes the FDDI MAC header; only frames with LLC lead on.
func (w *walk) fddi() header {
	const hlen, isLLC, llcMask = 13, 0x50, 0xf0
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	if b[0]&llcMask != isLLC {
		return w.nonIP(0)
	}
	w.b = b[hlen:]
	return llcHeader
}

// arcnet decodes the ARCNET header as the BSDs capture it.
func (w *walk) arcnet() header { return w.arcnetType(2) }

// arcnetLinux decodes it as Linux does, with two bytes of offset.
func (w *walk) arcnetLinux() header { return w.arcnetType(4) }

// arcnetType decodes the system code at the offset, and behind it the split flag and
// sequence number of RFC 1201 §2; RFC 1051 has neither.
func (w *walk) arcnetType(at int) header {
	const (
		oldIPv4, oldARP = 0xf0, 0xf1 // RFC 1051
		ipv4, ipv6      = 0xd4, 0xc4
		exception       = 0xff // split flag: the real one is four bytes on
	)
	b := w.b
	if len(b) < at+1 {
		return w.short()
	}
	code := b[at]
	b = b[at+1:]
	switch code {
	case oldIPv4:
		w.b = b
		return ipv4Header
	case ipv4, ipv6:
	default:
		return w.nonIP(uint16(code))
	}
	if len(b) >= 4 && b[0] == exception {
		b = b[4:]
	}
	if len(b) < 3 {
		return w.short()
	}
	split := b[0]
	w.b = b[3:]
	switch {
	case split != 0 && split&1 == 0:
		return w.nonIP(uint16(code)) // a later fragment
	case split != 0:
		w.partial = true
	}
	if code == ipv6 {
		return ipv6Header
	}
	return ipv4Header
}

// ieee1394 decodes Apple's header of IP over FireWire: two addresses of eight bytes
// and an EtherType.
func (w *walk) ieee1394() header { return w.typeAt(16, 18) }

// ipoib decodes the header of IP over InfiniBand (RFC 4391 §6) behind its global
// routing header.
func (w *walk) ipoib() header { return w.typeAt(40, 44) }

// typeAt goes on behind a header of n bytes with an EtherType at the offset.
func (w *walk) typeAt(at, n int) header {
	b := w.b
	if len(b) < n {
		return w.short()
	}
	w.b = b[n:]
	if t := be16(b[at:]); t > maxLength8023 {
		return w.etherType(t)
	}
	return w.nonIP(0)
}

// netAnalyzer skips the pseudo-header of Hilscher netANALYZER.
func (w *walk) netAnalyzer() header {
	const hlen = 4
	if len(w.b) < hlen {
		return w.short()
	}
	w.b = w.b[hlen:]
	return ethernetHeader
}

// preamble skips what is before a frame's preamble, and the preamble itself up to the start
// delimiter, in captures of the line's bits.
func (w *walk) preamble() header {
	const maxPreamble, startDelimiter = 12, 0xd5
	for i := 0; i < min(maxPreamble, len(w.b)); i++ {
		if w.b[i] == startDelimiter {
			w.b = w.b[i+1:]
			return ethernetHeader
		}
	}
	if len(w.b) < maxPreamble {
		return w.short()
	}
	return w.nonIP(0) // a fragment of a preempted frame
}
