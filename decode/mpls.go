package decode

// mpls decodes the label stack (RFC 3032 §2.1). Nothing says what follows it: the first
// four bits are an IP version, the control word of a pseudowire (RFC 4385 §3), or the
// beginning of a frame.
func (w *walk) mpls() header {
	const bottom = 0x100
	for {
		b := w.b
		if len(b) < 4 {
			return w.short()
		}
		w.b = b[4:]
		if be32(b)&bottom != 0 {
			break
		}
		if w.layers++; w.layers > MaxLayers {
			return w.fail(TooManyLayers)
		}
	}
	if len(w.b) == 0 {
		return w.nonIP(etherTypeMPLS)
	}
	switch version := w.b[0] >> 4; {
	case looksLikeIP(w.b, w.wire()):
		return ipHeader
	case looksLikeEthernet(w.b):
		return ethernetHeader
	case version == 4 || version == 6:
		return ipHeader
	case version == 0 && looksLikeEthernet(w.b[min(4, len(w.b)):]):
		w.b = w.b[4:]
		return ethernetHeader
	}
	return w.nonIP(etherTypeMPLS)
}

// mplsInUDP is mpls for a datagram (RFC 7510), which must look like it.
func (w *walk) mplsInUDP() header {
	const bottom = 0x100
	for n := 0; n+4 <= len(w.b); n += 4 {
		if be32(w.b[n:])&bottom != 0 {
			if looksLikeIP(w.b[n+4:], w.wire()-n-4) || looksLikeEthernet(w.b[n+4:]) {
				return mplsHeader
			}
			break
		}
	}
	return done
}
