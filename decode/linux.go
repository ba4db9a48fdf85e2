package decode

// ARPHRD_ numbers of cooked captures whose protocol field is no EtherType.
const (
	arphrdNetlink  = 824
	arphrdWiFi     = 801
	arphrdPrism    = 802
	arphrdRadiotap = 803
)

// sll decodes the pseudo-header of a Linux "any" capture (LINKTYPE_LINUX_SLL).
func (w *walk) sll() header {
	const hlen = 16
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	w.b = b[hlen:]
	return w.cooked(be16(b[2:]), be16(b[14:]))
}

// sll2 decodes the second version of that pseudo-header (LINKTYPE_LINUX_SLL2).
func (w *walk) sll2() header {
	const hlen = 20
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	w.b = b[hlen:]
	return w.cooked(be16(b[8:]), be16(b))
}

// cooked is the header that a device type and a protocol of Linux lead to.
func (w *walk) cooked(device, protocol uint16) header {
	const llc = 4 // ETH_P_802_2
	switch device {
	case arphrdNetlink:
		return w.nonIP(0)
	case arphrdWiFi:
		return wifiHeader
	case arphrdPrism:
		return prismHeader
	case arphrdRadiotap:
		return radiotapHeader
	}
	switch {
	case protocol == llc:
		return llcHeader
	case protocol <= maxLength8023:
		return w.nonIP(protocol)
	}
	return w.etherType(protocol)
}

// nflog decodes the netfilter log's pseudo-header (LINKTYPE_NFLOG): the address
// family and attributes, one of which is the packet. Attributes are in the byte
// order of the capturing host.
func (w *walk) nflog() header {
	const (
		hlen            = 4
		attributeHeader = 4
		packetHeader    = 1 // its first two bytes are the EtherType
		payload         = 9
		nestedBits      = 0xc000
	)
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	family, etherType := b[0], uint16(0)
	b = b[hlen:]
	order := le16
	if len(b) >= 2 && (int(le16(b)) < attributeHeader || int(le16(b)) > len(b)+w.missing) {
		order = be16
	}
	for len(b) >= attributeHeader {
		n, kind := int(order(b)), order(b[2:])&^nestedBits
		if n < attributeHeader {
			return w.fail(LinkHeader)
		}
		if kind == payload {
			w.b = b[attributeHeader:]
			w.trim(min(n-attributeHeader, w.wire()))
			if etherType > maxLength8023 {
				return w.etherType(etherType) // the family may be that of a bridge
			}
			return w.family(uint32(family))
		}
		if kind == packetHeader && n >= attributeHeader+2 && len(b) >= attributeHeader+2 {
			etherType = be16(b[attributeHeader:])
		}
		n = (n + 3) &^ 3
		if n > len(b) {
			w.b = b
			return w.short()
		}
		b = b[n:]
	}
	return w.nonIP(0) // a log entry without the packet
}
