package decode

// gtpu decodes the GTP-U header (3GPP TS 29.281 §5) of user data.
func (w *walk) gtpu() header {
	const (
		minLen        = 8
		versionMask   = 0xf0 // version and protocol type
		version1      = 0x30
		hasExtension  = 0x04
		hasOptional   = 0x07 // any of extension, sequence number, N-PDU number
		userData      = 255
		optionalBytes = 4
	)
	b := w.b
	length := int(be16(b[2:]))
	if b[0]&versionMask != version1 || b[1] != userData || length > w.wire()-minLen && !w.partial {
		return done
	}
	n := minLen
	if b[0]&hasOptional != 0 {
		n += optionalBytes
		if len(b) < n {
			return done
		}
		for next := b[n-1]; b[0]&hasExtension != 0 && next != 0; next = b[n-1] {
			if w.extensions++; w.extensions > MaxExtensions {
				return w.fail(TooManyExtensions)
			}
			if n >= len(b) || b[n] == 0 || n+int(b[n])*4 > len(b) {
				return done
			}
			n += int(b[n]) * 4 // 32-bit words; the last byte is the next one's type
		}
	}
	w.b = b[n:]
	if len(w.b) == 0 || w.b[0]>>4 != 4 && w.b[0]>>4 != 6 {
		return done
	}
	if !w.tunnel(Tunnel{Kind: GTPU, HasID: true, ID: be32(b[4:])}) {
		return done
	}
	return ipHeader
}
