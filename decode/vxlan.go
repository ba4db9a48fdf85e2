package decode

// vxlan decodes the VXLAN header (RFC 7348 §5), behind which is a whole frame.
func (w *walk) vxlan() header {
	const hlen, hasVNI = 8, 0x08
	b := w.b
	if b[0]&hasVNI == 0 {
		return done
	}
	w.b = b[hlen:]
	if !w.tunnel(Tunnel{Kind: VXLAN, HasID: true, ID: be32(b[4:]) >> 8}) {
		return done
	}
	return ethernetHeader
}

// vxlanGPE decodes VXLAN's generic protocol extension, which says what follows.
func (w *walk) vxlanGPE() header {
	const hlen, hasVNI, hasNext = 8, 0x08, 0x04
	b := w.b
	if b[0]&hasVNI == 0 {
		return done
	}
	w.b = b[hlen:]
	if !w.tunnel(Tunnel{Kind: VXLAN, HasID: true, ID: be32(b[4:]) >> 8}) {
		return done
	}
	if b[0]&hasNext == 0 {
		return ethernetHeader
	}
	return nextProtocol(b[3])
}

// geneve decodes the Geneve header (RFC 8926 §3.4).
func (w *walk) geneve() header {
	const minLen = 8
	b := w.b
	n := minLen + int(b[0]&0x3f)*4 // options, in 32-bit words
	if b[0]>>6 != 0 || n > len(b) {
		return done
	}
	w.b = b[n:]
	if !w.tunnel(Tunnel{Kind: Geneve, HasID: true, ID: be32(b[4:]) >> 8}) {
		return done
	}
	return w.etherTypeOnly(be16(b[2:]))
}
