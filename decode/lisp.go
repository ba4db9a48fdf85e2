package decode

// lisp decodes the header of LISP's data packets (RFC 9300 §5.3), with the instance id as
// its ID.
func (w *walk) lisp() header {
	const hlen, hasInstance = 8, 0x08
	b := w.b
	if !looksLikeIP(b[hlen:], w.wire()-hlen) {
		return done
	}
	w.b = b[hlen:]
	t := Tunnel{Kind: LISP}
	if b[0]&hasInstance != 0 {
		t.HasID, t.ID = true, be32(b[4:])>>8
	}
	if !w.tunnel(t) {
		return done
	}
	return ipHeader
}
