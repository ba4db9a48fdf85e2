package decode

// juniper decodes the header that Juniper's routers put in front of what they capture: a
// magic number, flags and, when these say so, extensions. Behind it comes the link
// layer that the link type names, or else the protocol, and a packet without link layer.
func (w *walk) juniper(linkLayer header) header {
	const (
		hlen     = 4
		magic    = 0x4d4743 // "MGC"
		noLink   = 0x02     // flags
		extended = 0x80

		// Protocols, all little endian. Of 3 and 7 the MPLS labels are gone.
		protoIPv4, protoIPv4OfMPLS = 2, 3
		protoIPv6, protoIPv6OfMPLS = 6, 7
		protoMPLSOfIPv4, protoMPLS = 4, 5
		protoMPLSOfIPv6            = 8
		protoPPP                   = 200
	)
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	if be32(b)>>8 != magic {
		return w.fail(LinkHeader)
	}
	flags := b[3]
	b = b[hlen:]
	if flags&extended != 0 {
		if len(b) < 2 || len(b) < 2+int(be16(b)) {
			return w.short()
		}
		b = b[2+int(be16(b)):]
	}
	w.b = b
	if flags&noLink == 0 {
		return linkLayer
	}
	if len(b) < 4 {
		return w.short()
	}
	w.b = b[4:]
	switch le32(b) {
	case protoIPv4, protoIPv4OfMPLS:
		return ipv4Header
	case protoIPv6, protoIPv6OfMPLS:
		return ipv6Header
	case protoMPLS, protoMPLSOfIPv4, protoMPLSOfIPv6:
		return mplsHeader
	case protoPPP:
		return pppHeader
	}
	return w.nonIP(0)
}
