package decode

// null decodes the loopback header of the BSDs: an address family of four bytes, in
// the byte order of the capturing host, or in network order (LINKTYPE_LOOP).
func (w *walk) null() header {
	const hlen = 4
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	if be16(b) == hdlcPPP {
		return pppHeader // of a serial line, by some BSDs
	}
	w.b = b[hlen:]
	family := le32(b)
	if family > 0xffff {
		family = be32(b) // families are small numbers: this is the other order
	}
	return w.family(family)
}

// family is the header that follows an address family, whose number for IPv6 no
// two systems agree on.
func (w *walk) family(family uint32) header {
	const (
		inet         = 2
		inet6Linux   = 10
		inet6Windows = 23
		inet6NetBSD  = 24
		inet6Solaris = 26
		inet6FreeBSD = 28
		inet6Darwin  = 30
	)
	switch family {
	case inet:
		return ipv4Header
	case inet6Linux, inet6Windows, inet6NetBSD, inet6Solaris, inet6FreeBSD, inet6Darwin:
		return ipv6Header
	}
	if family > maxLength8023 && family <= 0xffff {
		return w.etherType(uint16(family)) // some programs write one here
	}
	return w.nonIP(0)
}

// pflog decodes the packet filter's log header, whose first byte is its length
// without the padding.
func (w *walk) pflog() header {
	const minLen = 48
	b := w.b
	if len(b) < 2 {
		return w.short()
	}
	n := (int(b[0]) + 3) &^ 3
	if n < minLen {
		return w.fail(LinkHeader)
	}
	if n > len(b) {
		return w.short()
	}
	w.b = b[n:]
	return w.family(uint32(b[1]))
}

// enc decodes OpenBSD's pseudo-header of an IPsec interface.
func (w *walk) enc() header {
	const hlen = 12
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	w.b = b[hlen:]
	family := le32(b)
	if family > 0xffff {
		family = be32(b)
	}
	return w.family(family)
}

// ipnet decodes Solaris' pseudo-header of IP observability.
func (w *walk) ipnet() header {
	const hlen = 24
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	w.b = b[hlen:]
	return w.family(uint32(b[1]))
}

// pktap decodes Apple's pseudo-header: its length and the link type behind it.
func (w *walk) pktap() header {
	const minLen = 12
	b := w.b
	if len(b) < minLen {
		return w.short()
	}
	n, link := le32(b), le32(b[8:])
	if n < minLen {
		return w.fail(LinkHeader)
	}
	if int64(n) > int64(len(b)) {
		return w.short()
	}
	w.b = b[n:]
	return w.inner(link)
}

// raw tells a bare packet from one with a PPP header, which some systems write under the
// same link type.
func (w *walk) raw() header {
	switch b := w.b; {
	case len(b) == 1 && b[0] == hdlcPPP>>8:
		return w.short()
	case len(b) > 1 && be16(b) == hdlcPPP:
		return pppHeader
	}
	return ipHeader
}
