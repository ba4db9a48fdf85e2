package flow

import "sockscope/capture"

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
		if t.synCount(h) == 0 {
			t.setSYN(h, b.number(r), r.time, 0)
			h.isn[d] = r.seq
		} else {
			t.sentAnew(h, r.time)
			h.flags |= uint16(SYNRetransmitted)
		}
	}
	if r.flags&chunkInitAck != 0 {
		t.initAck(h, b.number(r), r.time)
	}
	if r.flags&chunkCookieEcho != 0 && !t.hasACK(h) {
		t.setACK(h, b.number(r), r.time)
		if t.course(h).synackCount > 1 {
			h.marks |= ambiguous
		}
	}
	if r.flags&(chunkAbort|chunkShutdown) != 0 {
		h.ended(d)
	}
	if r.flags&chunkAbort != 0 && !t.hasVerdict(h) {
		t.setVerdict(h, b.number(r))
	}
}

// initAck takes an INIT ACK.
func (t *Table) initAck(h *handshake, frame uint64, when capture.Timestamp) {
	t.countSYNACK(h)
	was := t.course(h)
	switch {
	case was.synackFrame == 0:
		t.setSYNACK(h, frame, when)
		if was.ackFrame != 0 { // captured before it
			t.unusual(h).lastSYNACK = was.lastSYNACK
		}
		h.marks &^= ambiguous
		if was.synCount > 1 {
			h.marks |= ambiguous
		}
	case was.ackFrame == 0:
		t.unusual(h).lastSYNACK = when
	}
}

// associatesAnew reports whether an SCTP packet begins another association of the
// same tuple: an INIT with another tag than the running one's.
func (t *Table) associatesAnew(n uint32, c *cell, r *record) bool {
	if r.flags&chunkInit == 0 {
		return false
	}
	h := t.handshake(n)
	if client, known := c.client(); known && client == r.dir && t.synCount(h) > 0 {
		return r.seq != h.isn[r.dir]
	}
	// The other side's INIT: both begin at once, unless the association is over.
	return (h.chunks[0]|h.chunks[1])&(chunkAbort|chunkComplete) != 0
}

// sctpConnection maps an association's chunks onto the words for TCP.
func (t *Table) sctpConnection(m *meta, h *handshake, client uint8, r *Connection) {
	r.ConnState, r.History = datagramState(r, m.firstDir() == client)
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
		if t.icmpOf(m) != nil {
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
		r.VerdictFrame = t.icmpOf(m).frame
	}
}
