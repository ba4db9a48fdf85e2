package decode

// capwap decodes the header of CAPWAP's data packets (RFC 5415 §4.3).
func (w *walk) capwap() header {
	const (
		minLen   = 8
		wifiBind = 1
		native   = 0x01 // payload is the binding's frame, not Ethernet
		fragment = 0x80
	)
	b := w.b
	n := int(b[1]>>3) * 4 // 32-bit words
	if b[0] != 0 || n < minLen || n > len(b) || b[3]&fragment != 0 {
		return done
	}
	isNative := b[2]&native != 0
	if isNative && (b[2]>>1&0x1f) != wifiBind {
		return done
	}
	w.b = b[n:]
	if !w.tunnel(Tunnel{Kind: CAPWAP}) {
		return done
	}
	if isNative {
		return wifiSwappedHeader
	}
	return ethernetHeader
}
