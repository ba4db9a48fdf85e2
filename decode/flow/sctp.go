package flow

// SCTP chunk types (RFC 9260 §3.2), as bits.
const (
	chunkData       = 1 << 0
	chunkInit       = 1 << 1
	chunkInitAck    = 1 << 2
	chunkSACK       = 1 << 3
	chunkAbort      = 1 << 6
	chunkShutdown   = 1 << 7
	chunkCookieEcho = 1 << 10
	chunkCookieAck  = 1 << 11
	chunkComplete   = 1 << 14
)

// association takes an SCTP packet: the four-way handshake of RFC 9260 §5.1 maps
// onto the words for TCP.
func (t *Table) association(b *Batch, r *record, n uint32, c *cell) {
	h := t.handshake(n)
	d := r.dir
	client, known := c.client()
	if !known && r.flags&(chunkInit|chunkInitAck) != 0 {
		client = d
		if r.flags&chunkInit == 0 {
			client = d ^ 1
		}
		c.bits |= clientIs.of(client)
	}
	h.chunks[d] |= r.flags
	if r.flags&chunkInit != 0 && client == d {
		if h.synCount == 0 {
			h.synFrame, h.firstSYN, h.isn[d] = b.number(r), r.time, r.seq
		} else {
			t.wait(h, r)
			h.flags |= uint16(SYNRetransmitted)
		}
		h.synCount++
		h.lastSYN = r.time
	}
	if r.flags&chunkInitAck != 0 {
		h.synackCount++
		if h.synackFrame == 0 {
			h.synackFrame, h.synackTime = b.number(r), r.time
			h.synBefore = h.lastSYN
			h.ambiguous = h.synCount > 1
		}
		if h.ackFrame == 0 {
			h.lastSYNACK = r.time
		}
	}
	if r.flags&chunkCookieEcho != 0 && h.ackFrame == 0 {
		h.ackFrame, h.ackTime = b.number(r), r.time
		h.ambiguous = h.ambiguous || h.synackCount > 1
	}
	if r.flags&(chunkAbort|chunkShutdown) != 0 {
		h.ended(d)
	}
	if r.flags&chunkAbort != 0 && h.verdictFrame == 0 {
		h.verdictFrame = b.number(r)
	}
}

// associatesAnew reports whether an SCTP packet begins another association of the
// same tuple: an INIT with another tag than the running one's.
func (t *Table) associatesAnew(n uint32, c *cell, r *record) bool {
	if r.flags&chunkInit == 0 {
		return false
	}
	h := t.handshake(n)
	if client, known := c.client(); known && client == r.dir && h.synCount > 0 {
		return r.seq != h.isn[r.dir]
	}
	// The other side's INIT: both begin at once, unless the association is over.
	return (h.chunks[0]|h.chunks[1])&(chunkAbort|chunkComplete) != 0
}

// sctpConnection maps an association's chunks onto the words for TCP.
func (t *Table) sctpConnection(m *meta, h *handshake, client uint8, r *Connection) {
	r.ConnState, r.History = datagramState(r, m.firstDir == client)
	from, to := h.chunks[client], h.chunks[client^1]
	both := from | to
	switch {
	case both&(chunkInit|chunkInitAck|chunkCookieEcho|chunkCookieAck) == 0:
		r.Outcome = Midstream
		if both&^chunkAbort == 0 {
			r.Outcome = ReplyOnly
		}
	case both&chunkCookieAck != 0:
		r.Outcome = Complete
		if both&chunkInit == 0 {
			r.Outcome = Midstream
		}
	case both&chunkSACK|to&chunkData != 0: // it goes on, though the capture lacks the COOKIE ACK
		r.Outcome = Implied
		if from&chunkInit == 0 {
			r.Outcome = Midstream
		}
	case to&chunkAbort != 0 && to&chunkInitAck == 0:
		r.Outcome = Refused
	case both&chunkAbort != 0 && to&chunkInitAck != 0:
		r.Outcome = Aborted
	case to&chunkInitAck != 0:
		r.Outcome = HalfOpen
		if from&chunkInit == 0 {
			r.Outcome = ReplyOnly
		}
	default:
		r.Outcome = Unanswered
		if m.icmp != 0 {
			r.Outcome = Unreachable
		}
	}
	switch {
	case !established(r.Outcome):
		r.Close = Never
	case both&chunkComplete != 0:
		r.Close = Fin
	case both&chunkAbort != 0:
		r.Close = Reset
	case both&chunkShutdown != 0:
		r.Close = HalfClose
	default:
		r.Close = Open
	}
	r.Flags = FlagSet(h.flags)
	r.markOneWay()
	t.evidenceOf(h, client, r)
	if r.Outcome == Unreachable {
		r.VerdictFrame = t.icmp.at(m.icmp - 1).frame
	}
}
