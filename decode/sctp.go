package decode

// Chunk types of SCTP (RFC 9260 §3.2).
const (
	chunkInit    = 1
	chunkInitAck = 2
	noChunk      = 255
)

// sctp decodes the common header and the types of the chunks (RFC 9260 §3).
func (w *walk) sctp() header {
	const hlen, chunkHeader = 12, 4
	p, b := w.p, w.b
	if len(b) < hlen {
		w.opaque()
		if len(b) >= 4 {
			p.Class = SCTP
			p.SrcPort, p.DstPort = be16(b), be16(b[2:])
			p.SCTPTag, p.SCTPChunk, p.SCTPInitTag, p.SCTPChunkBits = 0, noChunk, 0, 0
			if len(b) >= 8 {
				p.SCTPTag = be32(b[4:])
			}
			p.Payload, p.PayloadLength = nil, max(0, w.wire()-hlen)
		}
		return w.short()
	}
	p.Class = SCTP
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	p.SCTPTag, p.SCTPInitTag = be32(b[4:]), 0
	p.SCTPChunk, p.SCTPChunkBits = noChunk, 0
	w.b = b[hlen:]
	w.opaque()
	b = w.b
	for at := 0; len(b) >= chunkHeader; at++ {
		kind, n := b[0], int(be16(b[2:]))
		if at == 0 {
			p.SCTPChunk = kind
			if (kind == chunkInit || kind == chunkInitAck) && len(b) >= 8 {
				p.SCTPInitTag = be32(b[4:])
			}
		}
		if kind <= 14 {
			p.SCTPChunkBits |= 1 << kind
		}
		if n < chunkHeader {
			return w.fail(SCTPChunk)
		}
		n = (n + 3) &^ 3
		if n > len(b) {
			return done // cut, or without the last padding
		}
		b = b[n:]
	}
	return done
}
