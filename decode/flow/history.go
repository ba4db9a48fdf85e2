package flow

import "slices"

// fromSecond marks a history letter that the key's second endpoint caused.
const fromSecond = 0x80

// note keeps Wireshark's completeness, Zeek's history and Zeek's view of both
// ends up to date (spec, section 8). It comes before anything else is changed.
func (t *Table) note(r *record, c *cell, h *handshake) {
	h.complete |= completeness(r)
	t.letters(r, c, h)
	h.zeek.update(r, c, h)
}

// completeness is what one segment adds to Wireshark's tcp.completeness.
func completeness(r *record) (bits uint8) {
	switch r.flags & (syn | ack) {
	case syn:
		bits = 1
	case syn | ack:
		bits = 2
	case ack:
		if r.payload == 0 {
			bits = 4
		}
	}
	if r.payload > 0 {
		bits |= 8
	}
	if r.flags&(fin|ack) == fin|ack {
		bits |= 16
	}
	if r.flags&rst != 0 {
		bits |= 32
	}
	return bits
}

// letters adds what a segment adds to Zeek's history: s, h, f, r again only with
// another sequence number, a, d, i, q once for each direction, t and w when
// their count reaches a power of ten.
func (t *Table) letters(r *record, c *cell, h *handshake) {
	d := r.dir
	switch {
	case r.flags&syn != 0 && r.flags&(fin|rst) != 0:
		t.letterOnce(h, d, 'q')
	case r.flags&(fin|rst) == fin|rst:
		t.letterOnce(h, d, 'i')
	case r.flags&(syn|ack) == syn:
		if !c.has(sawSYN.of(d)) || r.seq != h.isn[d] {
			t.letter(h, d, 's')
		}
	case r.flags&syn != 0:
		if h.synacks[d] == 0 || r.seq != t.lastSYNACK(c, h, d) {
			t.letter(h, d, 'h')
		}
	case r.flags&rst != 0:
		x := t.rare(h)
		if h.rsts[d] == 0 || r.seq != x.rstSeq[d] {
			t.letter(h, d, 'r')
		}
		x.rstSeq[d] = r.seq
	}
	if r.flags&(syn|rst) == 0 {
		t.dataLetters(r, c, h)
	}
	if r.flags&(syn|fin|rst) == fin {
		if !c.has(sawFIN.of(d)) || h.finEnd[d] != r.seq+r.payload+1 {
			t.letter(h, d, 'f')
		}
	}
}

// dataLetters adds the letters of a segment without SYN and RST.
func (t *Table) dataLetters(r *record, c *cell, h *handshake) {
	d := r.dir
	if r.payload == 0 {
		if r.flags&(ack|fin) == ack && !c.has(sawAck.of(d)) {
			c.bits |= sawAck.of(d)
			t.letter(h, d, 'a')
		}
	} else {
		probe := r.payload == 1 && r.seq == c.next[d]-1
		if c.has(knownSeq.of(d)) && after(c.next[d], r.seq) && !probe {
			x := t.rare(h)
			x.resent[d]++
			if powerOfTen(x.resent[d]) {
				t.letter(h, d, 't')
			}
		}
		if r.flags&fin == 0 && !c.has(sawData.of(d)) {
			t.letter(h, d, 'd')
		}
	}
	if r.window == 0 && r.flags&fin == 0 && h.zeek[d^1] != zeekClosed && powerOfTen(t.rare(h).zeroWindows[d]+1) {
		t.letter(h, d, 'w')
	}
}

// letter appends a letter to h's history. What does not fit the handshake goes to
// a list beside it.
func (t *Table) letter(h *handshake, side uint8, letter byte) {
	if side == 1 {
		letter |= fromSecond
	}
	if int(h.historyLen) < len(h.history) {
		h.history[h.historyLen] = letter
		h.historyLen++
		return
	}
	if h.spill == 0 {
		t.spill = append(t.spill, nil)
		h.spill = uint32(len(t.spill))
	}
	s := &t.spill[h.spill-1]
	if len(*s) < maxHistory {
		*s = append(*s, letter)
	}
}

// maxHistory bounds the history of one connection, in letters.
const maxHistory = 256

// letterOnce appends a letter that side has not caused before.
func (t *Table) letterOnce(h *handshake, side uint8, letter byte) {
	mark := letter | side*fromSecond
	if slices.Contains(h.history[:h.historyLen], mark) || h.spill != 0 && slices.Contains(t.spill[h.spill-1], mark) {
		return
	}
	t.letter(h, side, letter)
}

// lastSYNACK is the sequence number of a side's last SYN-ACK: the accepted one's,
// unless a later one had another.
func (t *Table) lastSYNACK(c *cell, h *handshake, side uint8) uint32 {
	if h.rare != 0 {
		if s := t.rare(h).synackSeq[side]; s != 0 {
			return s
		}
	}
	return h.isn[side]
}

// history is h's history as Zeek writes it: upper case is the client.
func (t *Table) history(h *handshake, client uint8) string {
	var fixed [2 * len(h.history)]byte
	b := fixed[:0]
	write := func(letters []uint8) {
		for _, l := range letters {
			side := l / fromSecond
			l &^= fromSecond
			if side == client && l >= 'a' {
				l -= 'a' - 'A'
			}
			b = append(b, l)
		}
	}
	write(h.history[:h.historyLen])
	if h.spill != 0 {
		write(t.spill[h.spill-1])
	}
	s, ok := t.histories[string(b)] // most connections have one of a few
	if !ok {
		s = string(b)
		if len(t.histories) < maxHistories {
			t.histories[s] = s
		}
	}
	return s
}

// maxHistories bounds the histories that are kept to be shared.
const maxHistories = 1024

// powerOfTen reports whether n is 1, 10, 100 …
func powerOfTen(n uint32) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}
