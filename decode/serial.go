package decode

// frameRelayDirection skips the direction in front of a frame relay header.
func (w *walk) frameRelayDirection() header { return w.afterDirection(frameRelayHeader) }

// chdlcDirection skips the direction in front of a Cisco HDLC header.
func (w *walk) chdlcDirection() header { return w.afterDirection(chdlcHeader) }

func (w *walk) afterDirection(h header) header {
	if len(w.b) == 0 {
		return w.short()
	}
	w.b = w.b[1:]
	return h
}

// frameRelay decodes the Q.922 address and the protocol behind it: RFC 2427's, or
// Cisco's own, which is an EtherType.
func (w *walk) frameRelay() header {
	const (
		lastAddress = 1 // extension bit of an address byte
		unnumbered  = 3
	)
	b := w.b
	n := 2
	for n <= len(b) && n < 4 && b[n-1]&lastAddress == 0 {
		n++
	}
	if len(b) < n+2 {
		return w.short()
	}
	b = b[n:]
	if b[0] != unnumbered {
		w.b = b[2:]
		if t := be16(b); t > maxLength8023 {
			return w.etherType(t)
		}
		return w.nonIP(0)
	}
	b = b[1:]
	if b[0] == 0 { // padding, so that what follows is aligned
		b = b[1:]
	}
	w.b = b
	if len(b) == 0 {
		return w.short()
	}
	return w.nlpid()
}

// chdlc decodes Cisco HDLC: address, control, EtherType.
func (w *walk) chdlc() header {
	const hlen = 4
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	w.b = b[hlen:]
	if t := be16(b[2:]); t > maxLength8023 {
		return w.etherType(t)
	}
	return w.nonIP(0)
}

// slip decodes the pseudo-header of a captured SLIP packet: direction and the
// compressed header as it was on the line.
func (w *walk) slip() header {
	const hlen = 16
	if len(w.b) < hlen {
		return w.short()
	}
	w.b = w.b[hlen:]
	return ipHeader
}

// sunATM decodes Solaris' pseudo-header of ATM frames; LLC is the only content
// that leads to IP.
func (w *walk) sunATM() header {
	const (
		hlen = 4
		llc  = 2
	)
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	if b[0]&0xf != llc {
		return w.nonIP(0)
	}
	w.b = b[hlen:]
	return llcHeader
}

// clip tells LLC from a bare packet in classical IP over ATM (RFC 2225): both are in use.
func (w *walk) clip() header {
	const snapLLC = 0xaaaa03
	if len(w.b) < 4 {
		return w.short()
	}
	if be32(w.b)>>8 == snapLLC {
		return llcHeader
	}
	return ipHeader
}
