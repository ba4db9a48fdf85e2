package decode

// l2tp decodes the header of L2TP version 2 data messages (RFC 2661 §3.1), whose content is
// PPP. Tunnel and session id together are its ID.
func (w *walk) l2tp() header {
	const (
		control     = 0x8000
		hasLength   = 0x4000
		hasSequence = 0x0800
		hasOffset   = 0x0200
		versionMask = 0x000f
	)
	b := w.b
	flags := be16(b)
	if flags&control != 0 || flags&versionMask != 2 {
		return done
	}
	n := 2
	if flags&hasLength != 0 {
		length := int(be16(b[n:]))
		if length > w.wire() && !w.partial {
			return done
		}
		w.trim(min(length, w.wire()))
		b = w.b
		n += 2
	}
	ids := n
	n += 4
	if flags&hasSequence != 0 {
		n += 4
	}
	if flags&hasOffset != 0 {
		if len(b) < n+2 {
			return done
		}
		n += 2 + int(be16(b[n:]))
	}
	if len(b) < n+2 {
		return done
	}
	w.b = b[n:]
	if !w.tunnel(Tunnel{Kind: L2TP, HasID: true, ID: be32(b[ids:])}) {
		return done
	}
	return pppHeader
}

// l2tpv3 decodes a data message of L2TP version 3 over IP (RFC 3931 §4.1.1). Only the two
// ends know the lengths of cookie and sublayer: what looks like a frame or packet is
// taken for one.
func (w *walk) l2tpv3() header {
	w.opaque()
	b := w.b
	if len(b) < 4 {
		return w.short()
	}
	session := be32(b)
	if session == 0 {
		return done // control
	}
	for n := 4; n <= 16 && n <= len(b); n += 4 {
		next := done
		switch rest := b[n:]; {
		case looksLikeEthernet(rest):
			next = ethernetHeader
		case looksLikeIP(rest, w.wire()-n):
			next = ipHeader
		case len(rest) >= 4 && (be16(rest) == 0x0f00 || be16(rest) == 0x8f00) && looksLikeIP(rest[4:], w.wire()-n-4):
			next = chdlcHeader
		default:
			continue
		}
		w.b = b[n:]
		if !w.tunnel(Tunnel{Kind: L2TP, HasID: true, ID: session}) {
			return done
		}
		return next
	}
	return done
}
