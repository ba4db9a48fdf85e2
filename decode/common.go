package decode

// A Common is what the headers of a common frame say: Ethernet, perhaps with one VLAN
// tag, IPv4 without options or IPv6 without extension headers, whole, then TCP, or UDP
// that is on no tunnel's port. Nearly all traffic consists of these, so they have a
// decoder of their own, and an answer that is small and without pointers. It never
// says anything else than a Packet.
type Common struct {
	Version  uint8 // 4 or 6
	Protocol uint8 // TCP or UDP
	TTL      uint8
	Tagged   bool // with a VLAN tag

	IP, Transport, Payload uint16 // where in the frame these begin; the headers were captured as a whole

	SrcPort, DstPort uint16
	Flags, Window    uint16 // TCP, else 0
	Src, Dst         uint32 // IPv4 addresses; IPv6: not set
	Seq, Ack         uint32 // TCP, else 0
	IPLength         uint32 // in bytes
	PayloadLength    uint32 // on the wire
}

// Decode decodes an Ethernet frame, of which wireLength bytes were on the wire, when it
// is a common one without anything wrong in it; else it reports false, and c is not
// valid. Headers are read in words of eight bytes: that takes half the time.
func (c *Common) Decode(frame []byte, wireLength uint32) bool {
	const macLen, tagLen = 14, 4
	if len(frame) < macLen+tagLen {
		return false
	}
	etherType, ip := be16(frame[12:]), macLen
	c.Tagged = etherType == etherTypeVLAN
	if c.Tagged {
		etherType, ip = be16(frame[16:]), macLen+tagLen
	}
	c.IP = uint16(ip)
	h := frame[ip:]
	var end int // of the IP packet in the frame
	switch {
	case etherType == etherTypeIPv4 && len(h) >= 20+tcpMinLen: // 46 on real links
		h := (*[20 + tcpMinLen]byte)(h)
		first, second, third := be64(h[0:]), be64(h[8:]), be64(h[16:])
		if first>>56 != 0x45 || first&0x3fff != 0 { // options, or a fragment
			return false
		}
		c.Version, c.TTL, c.Protocol = 4, uint8(second>>56), uint8(second>>48)
		c.Src, c.Dst = uint32(second), uint32(third>>32)
		c.SrcPort, c.DstPort = uint16(third>>16), uint16(third)
		c.IPLength = uint32(first >> 32 & 0xffff)
		end = ip + int(c.IPLength)
		ip += 20
	case etherType == etherTypeIPv6 && len(h) >= 40+tcpMinLen:
		h := (*[40 + tcpMinLen]byte)(h)
		first, ports := be64(h[0:]), be32(h[40:])
		if first>>60 != 6 {
			return false
		}
		c.Version, c.TTL, c.Protocol = 6, uint8(first), uint8(first>>8)
		c.SrcPort, c.DstPort = uint16(ports>>16), uint16(ports)
		c.IPLength = 40 + uint32(first>>16&0xffff)
		end = ip + int(c.IPLength)
		ip += 40
	default:
		return false
	}
	if end > max(len(frame), int(wireLength)) {
		return false
	}
	c.Transport = uint16(ip)
	t := (*[tcpMinLen]byte)(frame[ip:])
	switch c.Protocol {
	case protoTCP:
		numbers, offset := be64(t[4:]), be16(t[12:])
		payload := ip + int(offset>>12)*4
		if payload > end || payload > len(frame) || payload < ip+tcpMinLen || !optionsFit(frame[ip+tcpMinLen:payload]) {
			return false
		}
		c.Seq, c.Ack = uint32(numbers>>32), uint32(numbers)
		c.Flags, c.Window = offset&0x1ff, be16(t[14:])
		ip = payload
	case protoUDP:
		const udpLen = 8
		if int(be16(t[4:])) != end-ip || end-ip < udpLen || isTunnelPort(c.SrcPort) || isTunnelPort(c.DstPort) {
			return false
		}
		c.Seq, c.Ack, c.Flags, c.Window = 0, 0, 0, 0
		ip += udpLen
	default:
		return false
	}
	c.Payload, c.PayloadLength = uint16(ip), uint32(end-ip)
	return true
}

// optionsFit reports whether no TCP option's length leaves b (see TCPOptions.Parse).
func optionsFit(b []byte) bool {
	if len(b) == 0 || len(b) == timestampsLen-tcpMinLen && be32(b) == nopNopTimestamps {
		return true
	}
	for len(b) > 0 && b[0] != kindEnd {
		switch {
		case b[0] == kindNOP:
			b = b[1:]
		case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
			return false
		default:
			b = b[b[1]:]
		}
	}
	return true
}

// common decodes a common frame. It changes nothing in what Decode says, only the time
// that it takes, to less than half.
func (p *Packet) common(frame []byte, wireLength uint32) bool {
	var c Common
	if !c.Decode(frame, wireLength) {
		return false
	}
	p.NumVLANs, p.NumTunnels = 0, 0
	if c.Tagged {
		p.NumVLANs, p.VLANs[0] = 1, be16(frame[14:])&0xfff
	}
	p.EtherType = be16(frame[c.IP-2:])
	p.FragOffset, p.MoreFrags = 0, false
	p.Version, p.Protocol, p.TTL = c.Version, c.Protocol, c.TTL
	p.IPLength, p.PayloadLength = int(c.IPLength), int(c.PayloadLength)
	h := frame[c.IP:]
	if c.Version == 4 {
		p.TOS, p.IPID = h[1], uint32(be16(h[4:]))
		p.Src, p.Dst = Addr{h[12], h[13], h[14], h[15]}, Addr{h[16], h[17], h[18], h[19]}
	} else {
		p.TOS, p.IPID = h[0]<<4|h[1]>>4, 0
		p.Src, p.Dst = Addr(h[8:24]), Addr(h[24:40])
	}
	end := min(len(frame), int(c.IP)+p.IPLength) // what follows is padding
	p.Payload = frame[c.Payload:end]
	p.SrcPort, p.DstPort = c.SrcPort, c.DstPort
	p.Class, p.Err = UDP, None
	if c.Protocol == protoTCP {
		p.Class, p.TCPHeader = TCP, true
		p.Seq, p.Ack, p.Flags, p.Window = c.Seq, c.Ack, c.Flags, c.Window
		p.Options.Parse(frame[c.Transport+tcpMinLen : c.Payload])
	}
	return true
}
