package decode

// icmp decodes ICMP (RFC 792) and ICMPv6 (RFC 4443), and the packet that an error
// quotes.
func (w *walk) icmp() header {
	const hlen = 8 // type, code, checksum, and 4 bytes that depend on them
	p, b := w.p, w.b
	if len(b) < 2 {
		w.opaque()
		return w.short()
	}
	p.Class = ICMP
	p.ICMPType, p.ICMPCode = b[0], b[1]
	p.Quoted.Valid = false
	if len(b) < hlen {
		p.Payload, p.PayloadLength = nil, max(0, w.wire()-hlen)
		return w.short()
	}
	w.b = b[hlen:]
	w.opaque()
	if isError(p.Protocol, p.ICMPType) {
		p.Quoted.decode(w.b)
	}
	return done
}

// isError tells whether messages of a type quote the packet that they are about.
func isError(protocol, icmpType uint8) bool {
	if protocol == protoICMPv6 {
		const (
			unreachable      = 1
			parameterProblem = 4
		)
		return unreachable <= icmpType && icmpType <= parameterProblem
	}
	const (
		unreachable      = 3
		sourceQuench     = 4
		redirect         = 5
		timeExceeded     = 11
		parameterProblem = 12
	)
	switch icmpType {
	case unreachable, sourceQuench, redirect, timeExceeded, parameterProblem:
		return true
	}
	return false
}
