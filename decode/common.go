package decode

// common decodes the frames that nearly all traffic consists of in one go: Ethernet,
// perhaps with a VLAN tag, IPv4 without options or IPv6 without extension headers,
// whole, then TCP, or UDP that is on no tunnel's port. It tells whether frame is one of them.
// It changes nothing in what Decode says, only the time that it takes, to less than half.
func (p *Packet) common(frame []byte, wireLength int) bool {
	const macLen, tagLen, ipv4Len, ipv6Len = 14, 4, 20, 40
	if len(frame) < macLen+tagLen+ipv4Len { // 60 on real links
		return false
	}
	etherType := be16(frame[12:])
	b := frame[macLen:]
	p.NumVLANs = 0
	if etherType == etherTypeVLAN {
		p.NumVLANs, p.VLANs[0] = 1, be16(b)&0xfff
		etherType = be16(b[2:])
		b = b[tagLen:]
	}
	length, hlen := 0, ipv4Len
	switch {
	case etherType == etherTypeIPv4:
		h := (*[ipv4Len]byte)(b)
		length = int(be16(h[2:]))
		if h[0] != 0x45 || be16(h[6:])&0x3fff != 0 {
			return false
		}
		p.Version = 4
		p.TOS, p.TTL, p.Protocol = h[1], h[8], h[9]
		p.IPID = uint32(be16(h[4:]))
		p.Src = Addr{h[12], h[13], h[14], h[15]}
		p.Dst = Addr{h[16], h[17], h[18], h[19]}
	case etherType == etherTypeIPv6 && len(b) >= ipv6Len:
		h := (*[ipv6Len]byte)(b)
		if h[0]>>4 != 6 {
			return false
		}
		hlen = ipv6Len
		length = ipv6Len + int(be16(h[4:]))
		p.Version = 6
		p.TOS, p.TTL, p.Protocol = h[0]<<4|h[1]>>4, h[7], h[6]
		p.IPID = 0
		p.Src, p.Dst = Addr(h[8:24]), Addr(h[24:40])
	default:
		return false
	}
	missing := wireLength - len(frame)
	if length <= hlen || length > len(b)+missing {
		return false
	}
	if length <= len(b) {
		b, missing = b[:length], 0
	} else {
		missing = length - len(b)
	}
	b = b[hlen:]
	p.EtherType, p.IPLength = etherType, length
	p.NumTunnels = 0
	p.FragOffset, p.MoreFrags = 0, false
	switch p.Protocol {
	case protoTCP:
		p.Class = IP
		p.Err = p.tcp(b, missing, false)
		return true
	case protoUDP:
		return p.commonUDP(b, missing)
	}
	return false
}

// commonUDP decodes the UDP header at the start of b if nothing is special about it.
func (p *Packet) commonUDP(b []byte, missing int) bool {
	const hlen = 8
	if len(b) < hlen {
		return false
	}
	src, dst := be16(b), be16(b[2:])
	length := len(b) + missing
	if int(be16(b[4:])) != length || isTunnelPort(src) || isTunnelPort(dst) {
		return false
	}
	p.Class, p.Err = UDP, None
	p.SrcPort, p.DstPort = src, dst
	p.Payload, p.PayloadLength = b[hlen:], length-hlen
	return true
}
