package flow

import (
	"time"

	"sockscope/decode"
)

// offer notes the options of a side's SYN or SYN-ACK.
func (t *Table) offer(b *Batch, r *record, h *handshake) {
	o := &h.offered[r.dir]
	if o.seen && r.flags&ack != 0 { // simultaneous open: the SYN said it first
		return
	}
	o.seen = true
	opt := &b.packet(r).Options
	o.has, o.mss, o.scale, o.cookie = opt.Has, opt.MSS, opt.WindowScale, opt.CookieLen
	if o.has&decode.OptMPTCP != 0 {
		h.flags |= uint16(MPTCP)
	}
}

// options is an offer in the words of a Connection.
func (o *offer) options(isn uint32) Options {
	return Options{
		Known: o.seen, ISN: isn,
		HasMSS: o.has&decode.OptMSS != 0, MSS: o.mss,
		HasScale: o.has&decode.OptWindowScale != 0, WindowScale: o.scale,
		SACKPermitted: o.has&decode.OptSACKPermitted != 0,
		Timestamps:    o.has&decode.OptTimestamps != 0,
		HasFastOpen:   o.has&decode.OptFastOpen != 0, CookieLen: o.cookie,
		MPTCP: o.has&decode.OptMPTCP != 0,
	}
}

// maxWaits is how many waits between SYNs are kept: Linux sends 6 SYNs again.
const maxWaits = 8

// wait notes the time since the last SYN.
func (t *Table) wait(h *handshake, r *record) {
	last := h.lastSYN
	if h.waits == 0 {
		t.waits = append(t.waits, nil)
		h.waits = uint32(len(t.waits))
	}
	w := &t.waits[h.waits-1]
	if d, ok := r.time.Sub(last); ok && d >= 0 && len(*w) < maxWaits {
		*w = append(*w, d)
	}
}

// waited are the waits between h's SYNs.
func (t *Table) waited(h *handshake) []time.Duration {
	if h.waits == 0 {
		return nil
	}
	return t.waits[h.waits-1]
}
