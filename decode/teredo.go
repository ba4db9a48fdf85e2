package decode

// teredo decodes the indications that may be in front of Teredo's IPv6 packet (RFC 4380 §5.1).
func (w *walk) teredo() header {
	const (
		authentication    = 1
		authenticationLen = 13
		origin            = 0
		originLen         = 8
	)
	b := w.b
	if len(b) >= authenticationLen && be16(b) == authentication {
		n := authenticationLen + int(b[2]) + int(b[3]) // client id, authentication value
		if n > len(b) {
			return done
		}
		b = b[n:]
	}
	if len(b) >= originLen && be16(b) == origin {
		b = b[originLen:]
	}
	w.b = b
	if len(b) == 0 || b[0]>>4 != 6 || !w.partial && !looksLikeIP(b, w.wire()) {
		return done
	}
	if !w.tunnel(Tunnel{Kind: Teredo}) {
		return done
	}
	return ipv6Header
}
