package decode

// IP protocol numbers that are decoded further.
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoICMPv6   = 58
	protoNone     = 59
	protoDestOpts = 60
	protoEtherIP  = 97
	protoL2TP     = 115
	protoSCTP     = 132
	protoMobility = 135
	protoUDPLite  = 136
	protoMPLS     = 137
	protoHIP      = 139
	protoShim6    = 140
)

// transport goes on with the header that the IP protocol number says.
func (w *walk) transport(protocol uint8) header {
	switch protocol {
	case protoTCP:
		return w.tcp()
	case protoUDP, protoUDPLite:
		return w.udp()
	case protoICMP, protoICMPv6:
		return w.icmp()
	case protoSCTP:
		return w.sctp()
	case protoAH:
		return w.extension(protocol, false)
	case protoL2TP:
		return w.l2tpv3()
	case protoEtherIP:
		return w.etherIP()
	}
	w.opaque()
	switch protocol {
	case protoIPv4:
		if w.tunnel(Tunnel{Kind: IPIP}) {
			return ipv4Header
		}
	case protoIPv6:
		if w.tunnel(Tunnel{Kind: IPIP}) {
			return ipv6Header
		}
	case protoGRE:
		return greHeader
	case protoMPLS:
		return mplsHeader
	}
	return done
}

// etherIP decodes the header of Ethernet in IP (RFC 3378 §3).
func (w *walk) etherIP() header {
	const hlen, version3 = 2, 0x30
	w.opaque()
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	if b[0]&0xf0 != version3 {
		return w.fail(TunnelHeader)
	}
	w.b = b[hlen:]
	if !w.tunnel(Tunnel{Kind: EtherIP}) {
		return done
	}
	return ethernetHeader
}
