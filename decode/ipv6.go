package decode

// ipv6 decodes the IPv6 header (RFC 8200 §3) and the extension headers behind it.
func (w *walk) ipv6() header {
	const hlen = 40
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	if b[0]>>4 != 6 {
		return w.fail(IPv6Header)
	}
	p := w.p
	payload := int(be16(b[4:]))
	next := b[6]
	if rest := len(b) + w.missing - hlen; payload == 0 && next != protoNone {
		payload = rest // a jumbogram (RFC 2675), or one without the option as Linux makes them (BIG TCP)
	} else if payload > rest && !w.partial {
		w.note(IPv6Length)
	}
	p.Class, p.EtherType, p.Version = IP, etherTypeIPv6, 6
	p.NumTunnels, p.NumVLANs = w.tunnels, w.vlans
	p.TOS, p.TTL = b[0]<<4|b[1]>>4, b[7]
	p.IPLength = hlen + payload
	p.IPID, p.FragOffset, p.MoreFrags = 0, 0, false
	p.Src, p.Dst = Addr(b[8:24]), Addr(b[24:40])
	w.b = b[hlen:]
	w.trim(payload)
	switch next {
	case protoTCP:
		p.Protocol = next
		return w.tcp()
	case protoUDP:
		p.Protocol = next
		return w.udp()
	}
	return w.extension(next, be16(b[4:]) == 0)
}

// extension goes through extension headers (RFC 8200 §4) to the first other one.
// All but three have the same form: next header, then the length in 8-byte units
// beyond the first 8 bytes. A
// lengthless packet may be a jumbogram.
func (w *walk) extension(next uint8, lengthless bool) header {
	p := w.p
	for {
		p.Protocol = next
		unit, beyond := 8, 1
		switch next {
		case protoHopByHop, protoRouting, protoDestOpts, protoMobility, protoHIP, protoShim6:
		case protoFragment:
			beyond = 0
		case protoAH:
			unit, beyond = 4, 2 // RFC 4302 §2.2 counts in 32-bit words
		default:
			return w.transport(next)
		}
		if w.extensions++; w.extensions > MaxExtensions {
			w.opaque()
			return w.fail(TooManyExtensions)
		}
		b := w.b
		if len(b) < 8 {
			w.opaque()
			return w.short()
		}
		n := 8
		if beyond > 0 {
			n = (int(b[1]) + beyond) * unit
		}
		if n > len(b) {
			w.opaque()
			if n > w.wire() {
				return w.fail(Extension)
			}
			return w.fail(Truncated)
		}
		w.b = b[n:]
		switch next {
		case protoHopByHop:
			if lengthless {
				w.jumbo(b[2:n], n)
			}
		case protoFragment:
			if w.fragmentHeader(b) {
				p.Protocol = b[0]
				return w.fragment()
			}
		}
		next = b[0]
	}
}

// jumbo looks through the options of a hop-by-hop header of n bytes for the jumbo payload
// length (RFC 2675 §2), which then bounds what follows.
func (w *walk) jumbo(options []byte, n int) {
	const pad1, jumboPayload, dataLen = 0, 0xc2, 4
	for len(options) >= 2 {
		if options[0] == pad1 {
			options = options[1:]
			continue
		}
		end := 2 + int(options[1])
		if end > len(options) {
			return
		}
		if options[0] != jumboPayload || options[1] != dataLen {
			options = options[end:]
			continue
		}
		length := int(be32(options[2:]))
		if length <= 0xffff {
			w.note(IPv6Length) // what fits has no need of the option
			return
		}
		if length-n > w.wire() && !w.partial {
			w.note(IPv6Length)
		}
		w.p.IPLength = 40 + length
		w.trim(length - n)
		return
	}
}

// fragmentHeader decodes the fragment header (RFC 8200 §4.5) and tells whether this
// is a later fragment. Offset 0 without more fragments is a whole packet (RFC 6946).
func (w *walk) fragmentHeader(b []byte) bool {
	p := w.p
	p.FragOffset = int(be16(b[2:]) &^ 7)
	p.MoreFrags = b[3]&1 != 0
	p.IPID = be32(b[4:])
	if p.FragOffset != 0 {
		return true
	}
	w.partial = w.partial || p.MoreFrags
	return false
}
