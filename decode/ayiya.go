package decode

// ayiya decodes the header of AYIYA (draft-massar-v6ops-ayiya-02 §3).
func (w *walk) ayiya() header {
	const minLen, forward = 8, 1
	b := w.b
	n := minLen + 1<<(b[0]>>4) + int(b[1]>>4)*4 // identity, signature
	if b[2]&0xf != forward || n > len(b) {
		return done
	}
	var next header
	switch b[3] {
	case protoIPv4:
		next = ipv4Header
	case protoIPv6:
		next = ipv6Header
	default:
		return done
	}
	w.b = b[n:]
	if !w.tunnel(Tunnel{Kind: AYIYA}) {
		return done
	}
	return next
}
