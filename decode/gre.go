package decode

// Protocol types of GRE that are no EtherTypes of frames.
const (
	greERSPAN2 = 0x88be // also type I, without a header
	greERSPAN3 = 0x22eb
	greWCCP    = 0x883e
)

// gre decodes the GRE header (RFC 2784 §2.1, RFC 2890 §2; version 1 RFC 2637 §4.1) and
// what its protocol type leads to.
func (w *walk) gre() header {
	const (
		hasChecksum = 0x8000
		hasRouting  = 0x4000 // RFC 1701
		hasKey      = 0x2000
		hasSequence = 0x1000
		versionMask = 7
	)
	b := w.b
	if len(b) < 4 {
		return w.short()
	}
	flags, t := be16(b), be16(b[2:])
	switch flags & versionMask {
	case 0:
	case 1:
		return w.pptp(flags)
	default:
		return w.fail(TunnelHeader)
	}
	tunnel := Tunnel{Kind: GRE}
	n := 4
	if flags&(hasChecksum|hasRouting) != 0 {
		n += 4
	}
	if flags&hasKey != 0 {
		if len(b) < n+4 {
			return w.short()
		}
		tunnel.HasID, tunnel.ID = true, be32(b[n:])
		n += 4
	}
	if flags&hasSequence != 0 {
		n += 4
	}
	if len(b) < n {
		return w.short()
	}
	w.b = b[n:]
	if flags&hasRouting != 0 && !w.sourceRoutes() {
		return done
	}
	next := ethernetHeader
	switch {
	case t == greERSPAN2 && flags&hasSequence == 0: // type I
		tunnel.Kind = ERSPAN
	case t == greERSPAN2:
		const hlen = 8
		if len(w.b) < hlen {
			return w.short()
		}
		tunnel = Tunnel{Kind: ERSPAN, HasID: true, ID: be32(w.b) & 0x3ff}
		w.b = w.b[hlen:]
	case t == greERSPAN3:
		return w.erspan3()
	case t == greWCCP:
		next = w.wccp()
	case t == etherTypeBridging:
		if flags&(hasKey|hasChecksum|hasSequence) == hasKey { // RFC 7637 §3.2
			tunnel.Kind, tunnel.ID = NVGRE, tunnel.ID>>8
		}
	default:
		if !w.tunnel(tunnel) {
			return done
		}
		return w.etherTypeOnly(t)
	}
	if !w.tunnel(tunnel) {
		return done
	}
	return next
}

// etherTypeOnly is etherType where small numbers are no lengths.
func (w *walk) etherTypeOnly(t uint16) header {
	if t <= maxLength8023 {
		return w.nonIP(t)
	}
	return w.etherType(t)
}

// sourceRoutes skips the source route entries of RFC 1701, and tells whether they are good.
// The last one has length 0.
func (w *walk) sourceRoutes() bool {
	for {
		b := w.b
		if len(b) < 4 {
			w.short()
			return false
		}
		n := 4 + int(b[3])
		if n > len(b) {
			w.short()
			return false
		}
		w.b = b[n:]
		if n == 4 {
			return true
		}
	}
}

// erspan3 decodes the header of ERSPAN type III, 12 bytes and a platform's 8 more.
func (w *walk) erspan3() header {
	const hlen, platform = 12, 1
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	n := hlen
	if b[11]&platform != 0 {
		n += 8
	}
	if len(b) < n {
		return w.short()
	}
	w.b = b[n:]
	if !w.tunnel(Tunnel{Kind: ERSPAN, HasID: true, ID: be32(b) & 0x3ff}) {
		return done
	}
	return ethernetHeader
}

// wccp is what follows in a redirected packet: IPv4, in version 2 behind a header
// of its own.
func (w *walk) wccp() header {
	if len(w.b) >= 4 && w.b[0]>>4 != 4 {
		w.b = w.b[4:]
	}
	return ipv4Header
}

// pptp decodes the enhanced GRE header of PPTP (RFC 2637 §4.1), whose content is PPP.
func (w *walk) pptp(flags uint16) header {
	const hasKey, hasSequence, hasAck = 0x2000, 0x1000, 0x0080
	b := w.b
	n := 8
	if flags&hasSequence != 0 {
		n += 4
	}
	if flags&hasAck != 0 {
		n += 4
	}
	if len(b) < n {
		return w.short()
	}
	if flags&hasKey == 0 || be16(b[2:]) != etherTypePPP {
		return w.fail(TunnelHeader)
	}
	length := int(be16(b[4:]))
	if flags&hasSequence == 0 || length == 0 {
		return done // acknowledgement only
	}
	w.b = b[n:]
	w.trim(min(length, w.wire()))
	if !w.tunnel(Tunnel{Kind: PPTP, HasID: true, ID: uint32(be16(b[6:]))}) {
		return done
	}
	return pppHeader
}
