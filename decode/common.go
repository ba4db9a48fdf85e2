package decode

// A Common is what the headers of a common frame say: Ethernet, perhaps with one VLAN
// tag, IPv4 without options or IPv6 without extension headers, whole, then TCP, or UDP
// that is on no tunnel's port. Nearly all traffic consists of these, so they have a
// decoder of their own, and an answer that is small and without pointers. It never
// says anything else than a Packet.
type Common struct {
	From, To      uint64 // endpoints: IPv4 address<<32 | port<<16; IPv6: port<<16
	Seq, Ack      uint32 // TCP, else 0
	IPLength      uint32 // in bytes
	PayloadLength uint32 // on the wire
	Flags, Window uint16 // TCP, else 0

	Version  uint8 // 4 or 6
	Protocol uint8 // TCP or UDP
	TTL      uint8
	Tagged   bool // with a VLAN tag

	IP, Transport, Payload uint8 // where in the frame these begin; the headers were captured as a whole
}

// Decode decodes an Ethernet frame, of which wireLength bytes were on the wire, when it
// is a common one without anything wrong in it; else it reports false, and c is not
// valid. Headers are read in words of eight bytes: that takes half the time.
func (c *Common) Decode(frame []byte, wireLength uint32) bool {
	// The lengths of all headers up to TCP's options are constants, so one check is enough
	// for all their fields. A frame that is shorter (54 bytes: less than any real link's
	// shortest) is no common one.
	const macLen, tagLen, v4Len, v6Len = 14, 4, 20, 40
	if len(frame) < macLen+v4Len+tcpMinLen {
		return false
	}
	h := (*[v4Len + tcpMinLen]byte)(frame[macLen:])
	etherType, ip := be16(frame[12:]), macLen
	c.Tagged = etherType == etherTypeVLAN
	if c.Tagged {
		if len(frame) < macLen+tagLen+v4Len+tcpMinLen {
			return false
		}
		h = (*[v4Len + tcpMinLen]byte)(frame[macLen+tagLen:])
		etherType, ip = be16(frame[16:]), macLen+tagLen
	}
	c.IP = uint8(ip)
	var t *[tcpMinLen]byte
	var end int // of the IP packet in the frame
	switch etherType {
	case etherTypeIPv4:
		first, second, third := be64(h[0:]), be64(h[8:]), be64(h[16:])
		if first>>56 != 0x45 || first&0x3fff != 0 { // options, or a fragment
			return false
		}
		c.Version, c.TTL, c.Protocol = 4, uint8(second>>56), uint8(second>>48)
		c.From, c.To = second<<32|third>>16&0xffff<<16, third>>32<<32|third&0xffff<<16
		c.IPLength = uint32(first >> 32 & 0xffff)
		end = ip + int(c.IPLength)
		ip += v4Len
		t = (*[tcpMinLen]byte)(h[v4Len:])
	case etherTypeIPv6:
		if len(frame) < ip+v6Len+tcpMinLen {
			return false
		}
		first := be64(h[0:])
		if first>>60 != 6 {
			return false
		}
		c.Version, c.TTL, c.Protocol = 6, uint8(first), uint8(first>>8)
		c.IPLength = v6Len + uint32(first>>16&0xffff)
		end = ip + int(c.IPLength)
		ip += v6Len
		t = (*[tcpMinLen]byte)(frame[ip:])
		c.From, c.To = uint64(be16(t[0:]))<<16, uint64(be16(t[2:]))<<16
	default:
		return false
	}
	if end > max(len(frame), int(wireLength)) {
		return false
	}
	c.Transport = uint8(ip)
	switch c.Protocol {
	case protoTCP:
		offset := be32(t[12:]) // and flags, window
		payload := ip + int(offset>>28)*4
		if payload > end || payload > len(frame) || payload < ip+tcpMinLen {
			return false
		}
		if !usualOptions(frame, ip+tcpMinLen, payload) && !OptionsFit(frame[ip+tcpMinLen:payload]) {
			return false
		}
		c.Seq, c.Ack = be32(t[4:]), be32(t[8:])
		c.Flags, c.Window = uint16(offset>>16)&0x1ff, uint16(offset)
		ip = payload
	case protoUDP:
		const udpLen = 8
		if int(be16(t[4:])) != end-ip || end-ip < udpLen ||
			IsTunnelPort(uint16(c.From>>16)) || IsTunnelPort(uint16(c.To>>16)) {
			return false
		}
		c.Seq, c.Ack, c.Flags, c.Window = 0, 0, 0, 0
		ip += udpLen
	default:
		return false
	}
	c.Payload, c.PayloadLength = uint8(ip), uint32(end-ip) // at most 18+40+60
	return true
}

// usualOptions reports whether the TCP options from begin to end of frame are what they are
// in most segments: none, or timestamps after two NOPs. Segments of both kinds come in
// turn, so there is no branch that the processor would have to guess.
func usualOptions(frame []byte, begin, end int) bool {
	first := be32(frame[min(begin, len(frame)-4):]) // of the options, if there are any
	length := uint64(end - begin)                   // at most 40
	differs := (length^(timestampsLen-tcpMinLen))<<32 | uint64(first^nopNopTimestamps)
	return length*differs == 0 // one of them is 0
}

// OptionsFit reports whether no TCP option's length leaves b (see TCPOptions.Parse). Most
// stacks align the options of a SYN to words of four bytes, and choose from few: these
// words are passed at once.
func OptionsFit(b []byte) bool {
	for len(b) >= 4 {
		switch w := be32(b); {
		case w>>16 == wordMSS, w>>8 == wordWindowScale, w == wordSACKPermitted:
			b = b[4:]
		case (w == wordSACKAndTimestamps || w == nopNopTimestamps) && len(b) >= 12:
			b = b[12:]
		default:
			return anyOptionsFit(b)
		}
	}
	return anyOptionsFit(b)
}

// What usual words of options begin with, or are.
const (
	wordMSS               = kindMSS<<8 | 4                       // the size follows
	wordWindowScale       = kindNOP<<16 | kindWindowScale<<8 | 3 // the shift follows
	wordSACKPermitted     = kindNOP<<24 | kindNOP<<16 | kindSACKPermitted<<8 | 2
	wordSACKAndTimestamps = kindSACKPermitted<<24 | 2<<16 | kindTimestamps<<8 | 10 // two times follow
)

// anyOptionsFit is OptionsFit option by option.
func anyOptionsFit(b []byte) bool {
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
	p.SrcPort, p.DstPort = uint16(c.From>>16), uint16(c.To>>16)
	p.Class, p.Err = UDP, None
	if c.Protocol == protoTCP {
		p.Class, p.TCPHeader = TCP, true
		p.Seq, p.Ack, p.Flags, p.Window = c.Seq, c.Ack, c.Flags, c.Window
		p.Options.Parse(frame[c.Transport+tcpMinLen : c.Payload])
	}
	return true
}
