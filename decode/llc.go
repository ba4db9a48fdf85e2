package decode

// Service access points of LLC that are decoded further.
const (
	lsapIP   = 0x06
	lsapSNAP = 0xaa
	lsapOSI  = 0xfe
)

// llc decodes the LLC header (IEEE 802.2 §3).
func (w *walk) llc() header {
	const unnumbered = 3
	b := w.b
	if len(b) < 3 {
		if len(b) == 2 {
			return w.nonIP(be16(b))
		}
		return w.short()
	}
	if b[2] == unnumbered {
		switch {
		case b[0] == lsapSNAP && b[1] == lsapSNAP:
			w.b = b[3:]
			return snapHeader
		case b[0] == lsapIP && b[1] == lsapIP:
			w.b = b[3:]
			return ipv4Header
		case b[0] == lsapOSI && b[1] == lsapOSI && len(b) > 3 && b[3] >= nlpidSNAP:
			w.b = b[3:]
			return w.nlpid()
		}
	}
	return w.nonIP(be16(b))
}

// Organizations of SNAP headers.
const (
	ouiEthernet     = 0x000000
	ouiBridgeTunnel = 0x0000f8 // IEEE 802.1H
	ouiBridged      = 0x0080c2 // IEEE 802.1, RFC 2684 §5.2
)

// snap decodes the SNAP header (IEEE 802, RFC 1042): an organization and its own type.
func (w *walk) snap() header {
	const hlen = 5
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	w.b = b[hlen:]
	t := be16(b[3:])
	switch be32(b) >> 8 {
	case ouiEthernet, ouiBridgeTunnel:
		if t > maxLength8023 {
			return w.etherType(t)
		}
	case ouiBridged:
		if t != 1 && t != 7 { // Ethernet with and without its check sequence
			break
		}
		if len(w.b) > 2 && be16(w.b) == 0 && !looksLikeEthernet(w.b) {
			w.b = w.b[2:] // ATM pads
		}
		return ethernetHeader
	}
	return w.nonIP(lsapSNAP<<8 | lsapSNAP)
}

// Network layer protocol ids (ISO/IEC TR 9577).
const (
	nlpidSNAP = 0x80
	nlpidIPv6 = 0x8e
	nlpidIPv4 = 0xcc
	nlpidPPP  = 0xcf
)

// nlpid decodes a network layer protocol id, of which w.b has at least one byte.
func (w *walk) nlpid() header {
	id := w.b[0]
	w.b = w.b[1:]
	switch id {
	case nlpidSNAP:
		return snapHeader
	case nlpidIPv4:
		return ipv4Header
	case nlpidIPv6:
		return ipv6Header
	case nlpidPPP:
		return pppHeader
	}
	return w.nonIP(lsapOSI<<8 | lsapOSI)
}
