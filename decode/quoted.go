package decode

// decode decodes the packet that b quotes, overwriting q, which was not Valid. A quote is
// as long as the sender of the error saw fit (RFC 1812 §4.3.2.3), and lengths in it may
// have been changed on the way: only what is there is looked at. Of a tunnel it is the
// outer packet.
func (q *Quoted) decode(b []byte) {
	if len(b) == 0 {
		return
	}
	switch b[0] >> 4 {
	case 4:
		q.ipv4(b)
	case 6:
		q.ipv6(b)
	}
}

func (q *Quoted) ipv4(b []byte) {
	const minLen = 20
	if len(b) < minLen {
		return
	}
	hlen := int(b[0]&0xf) * 4
	if hlen < minLen || hlen > len(b) || be16(b[6:])&0x1fff != 0 {
		return // a later fragment has no ports
	}
	q.Version, q.Src, q.Dst = 4, Addr{}, Addr{}
	copy(q.Src[:], b[12:16])
	copy(q.Dst[:], b[16:20])
	q.transport(b[9], b[hlen:])
}

func (q *Quoted) ipv6(b []byte) {
	const hlen = 40
	if len(b) < hlen {
		return
	}
	q.Version, q.Src, q.Dst = 6, Addr(b[8:24]), Addr(b[24:40])
	next := b[6]
	b = b[hlen:]
	for range MaxExtensions {
		n := 8
		switch next {
		case protoHopByHop, protoRouting, protoDestOpts:
			if len(b) < 8 {
				return
			}
			n += int(b[1]) * 8
		case protoFragment:
			if len(b) < 8 || be16(b[2:])&^7 != 0 {
				return
			}
		default:
			q.transport(next, b)
			return
		}
		if n > len(b) {
			return
		}
		next, b = b[0], b[n:]
	}
}

// transport decodes the ports and, of TCP, what else is there of the header.
func (q *Quoted) transport(protocol uint8, b []byte) {
	q.Protocol = protocol
	q.HasSeq, q.HasFlags = false, false
	q.SrcPort, q.DstPort, q.Seq, q.Flags = 0, 0, 0, 0
	switch protocol {
	case protoTCP, protoUDP, protoUDPLite, protoSCTP:
		if len(b) < 4 {
			return
		}
		q.SrcPort, q.DstPort = be16(b), be16(b[2:])
	}
	q.Valid = true
	if protocol != protoTCP {
		return
	}
	if len(b) >= 8 {
		q.HasSeq, q.Seq = true, be32(b[4:])
	}
	if len(b) >= 14 {
		q.HasFlags, q.Flags = true, be16(b[12:])&0x1ff
	}
}
