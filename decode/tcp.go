package decode

const (
	tcpMinLen = 20

	// What nearly every segment after the SYNs has for options.
	timestampsLen    = 32
	nopNopTimestamps = kindNOP<<24 | kindNOP<<16 | kindTimestamps<<8 | 10
)

// tcp decodes the TCP header, which is always a frame's last.
func (w *walk) tcp() header {
	return w.fail(w.p.tcp(w.b, w.missing, w.partial))
}

// tcp decodes the TCP header (RFC 9293 §3.1) at the start of b, of whose packet missing
// more bytes were on the wire. With at least the ports it is Class TCP, so that a cut
// or broken header still counts with its connection. In a first fragment (partial) the
// header may end in the next one.
func (p *Packet) tcp(b []byte, missing int, partial bool) Error {
	if len(b) < tcpMinLen {
		return p.tcpCut(b, missing)
	}
	p.Class = TCP
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	p.Seq, p.Ack = be32(b[4:]), be32(b[8:])
	offset := be16(b[12:])
	p.Flags = offset & 0x1ff
	p.Window = be16(b[14:])
	p.TCPHeader = true
	p.Options.Has = 0
	hlen := int(offset>>12) * 4 // data offset counts 32-bit words
	wire := len(b) + missing
	switch {
	case hlen == tcpMinLen:
	case hlen == timestampsLen && len(b) >= timestampsLen && be32(b[tcpMinLen:]) == nopNopTimestamps:
		p.Options.Has = OptTimestamps
		p.Options.TSVal, p.Options.TSEcr = be32(b[24:]), be32(b[28:])
	case hlen < tcpMinLen:
		return p.tcpBroken()
	case hlen <= len(b):
		p.Options.Parse(b[tcpMinLen:hlen])
	case hlen > wire && !partial:
		return p.tcpBroken()
	default: // the snap length or the fragment cut the options off
		p.Payload, p.PayloadLength = nil, max(0, wire-hlen)
		p.Options.Parse(b[tcpMinLen:])
		p.Options.Has = p.Options.Has&^OptBroken | OptCut
		return cut(missing)
	}
	p.Payload, p.PayloadLength = b[hlen:], wire-hlen
	if p.Options.Has&OptBroken != 0 {
		return TCPOption
	}
	return None
}

// tcpBroken is for a header whose length cannot be true: no receiver takes such a
// segment, so its ports alone count.
func (p *Packet) tcpBroken() Error {
	p.Seq, p.Ack, p.Flags, p.Window = 0, 0, 0, 0
	p.TCPHeader = false
	p.Options.Has = OptBroken
	p.Payload, p.PayloadLength = nil, 0
	return TCPHeader
}

// tcpCut decodes what there is of a header below 20 bytes. Without the data offset the payload
// is taken to begin behind a header without options.
func (p *Packet) tcpCut(b []byte, missing int) Error {
	wire := len(b) + missing
	if len(b) < 4 {
		p.Payload, p.PayloadLength = b, wire
		return cut(missing)
	}
	p.Class = TCP
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	p.Seq, p.Ack, p.Flags, p.Window = 0, 0, 0, 0
	p.TCPHeader = false
	p.Options.Has = 0
	hlen := tcpMinLen
	if len(b) > 12 {
		hlen = max(hlen, int(b[12]>>4)*4)
	}
	if hlen > tcpMinLen {
		p.Options.Has = OptCut
	}
	if len(b) >= 16 { // all but the checksum and the urgent pointer
		p.TCPHeader = true
		p.Seq, p.Ack = be32(b[4:]), be32(b[8:])
		p.Flags, p.Window = be16(b[12:])&0x1ff, be16(b[14:])
	}
	p.Payload, p.PayloadLength = nil, max(0, wire-hlen)
	return cut(missing)
}
