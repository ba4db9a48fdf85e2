package flow

import (
	"time"

	"sockscope/capture"
	"sockscope/decode"
)

// offer notes the options of a side's SYN or SYN-ACK.
func (t *Table) offer(b *Batch, r *record, h *handshake) {
	o := &h.offered[r.side()]
	if o.has&offerSeen != 0 && r.flags&ack != 0 { // simultaneous open: the SYN said it first
		return
	}
	opt := b.options(r)
	h.offer(r.side(), opt.Has, opt.MSS, opt.WindowScale, opt.CookieLen)
}

// offer notes a side's options.
func (h *handshake) offer(side uint8, has decode.OptionSet, mss uint16, scale, cookie uint8) {
	h.offered[side&1] = offer{has | offerSeen, mss, scale, cookie}
	if has&decode.OptMPTCP != 0 {
		h.flags |= uint16(MPTCP)
	}
}

// options are those of r's segment.
func (b *Batch) options(r *record) (o decode.TCPOptions) {
	if r.offset == 0 {
		return b.packet(r).Options
	}
	// A common frame: its IP header has neither options nor extensions (see common).
	const tcpHeader, ipv4Header, ipv6Header = 20, 20, 40
	length := r.ip - r.payload - tcpHeader - ipv4Header
	if r.key.version() == 6 {
		length -= ipv6Header - ipv4Header
	}
	end := uint32(r.offset)
	o.Parse(b.block.Frames[r.frame].Data[end-length : end])
	return o
}

// fill sets to, which is zero, to the offer in the words of a Connection.
func (o *offer) fill(to *Options, isn uint32) {
	to.Known, to.ISN = o.has&offerSeen != 0, isn
	to.Cut = o.has&decode.OptCut != 0
	to.HasMSS, to.MSS = o.has&decode.OptMSS != 0, o.mss
	to.HasScale, to.WindowScale = o.has&decode.OptWindowScale != 0, o.scale
	to.SACKPermitted = o.has&decode.OptSACKPermitted != 0
	to.Timestamps = o.has&decode.OptTimestamps != 0
	to.HasFastOpen, to.CookieLen = o.has&decode.OptFastOpen != 0, o.cookie
	to.MPTCP = o.has&decode.OptMPTCP != 0
}

// maxWaits is how many waits between SYNs are kept: Linux sends 6 SYNs again.
const maxWaits = 8

// sentAnew notes that the client sent its SYN again.
func (t *Table) sentAnew(h *handshake, now capture.Timestamp) {
	w := t.unusual(h)
	t.wait(h, now, w.lastSYN)
	w.synCount++
	w.lastSYN = now
}

// wait notes the time since the last SYN.
func (t *Table) wait(h *handshake, now, last capture.Timestamp) {
	x := t.rare(&h.meta)
	if x.waits == 0 {
		x.waits = place(&t.waits, &t.freeWaits)
	}
	w := &t.waits[x.waits-1]
	if d, ok := now.Sub(last); ok && d >= 0 && len(*w) < maxWaits {
		*w = append(*w, d)
	}
}

// waited are the waits between h's SYNs.
func (t *Table) waited(h *handshake) []time.Duration {
	if h.rare != 0 {
		if i := t.rares.at(h.rare - 1).waits; i != 0 {
			return t.waits[i-1]
		}
	}
	return nil
}
