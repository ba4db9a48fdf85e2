package flow

import (
	"encoding/binary"
	"slices"

	"sockscope/decode"
)

// fromSecond marks a history letter that the key's second endpoint caused.
const fromSecond = 0x80

// fixedHistory is how many letters the handshake has room for.
const fixedHistory = len(handshake{}.history)

// completeness is what one segment adds to Wireshark's tcp.completeness.
func completeness(r *record) uint8 {
	bits := completes[r.flags&(fin|syn|rst|decode.PSH|ack)]
	if r.payload > 0 {
		return bits&^4 | 8
	}
	return bits
}

// completes is what flags add to tcp.completeness, without payload.
var completes = func() (of [ack << 1]uint8) {
	for flags := range uint16(len(of)) {
		switch flags & (syn | ack) {
		case syn:
			of[flags] = 1
		case syn | ack:
			of[flags] = 2
		case ack:
			of[flags] = 4
		}
		if flags&(fin|ack) == fin|ack {
			of[flags] |= 16
		}
		if flags&rst != 0 {
			of[flags] |= 32
		}
	}
	return of
}()

// noteControl keeps what is reported for other programs' sake up to date by a segment with
// SYN or RST: Wireshark's completeness, Zeek's history and Zeek's view of both ends
// (spec, section 8). It comes before anything else is changed. The history gets s, h, r
// again only with another sequence number, i and q once for each direction.
func (t *Table) noteControl(r *record, c *cell, h *handshake) {
	h.complete |= completeness(r)
	h.zeek.update(r)
	d := r.side()
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
	default:
		x := t.rare(h)
		if h.rsts[d] == 0 || r.seq != x.rstSeq[d] {
			t.letter(h, d, 'r')
		}
		x.rstSeq[d] = r.seq
	}
}

// noteSegment does the same for a segment without SYN and RST. The history gets f again
// only with another sequence number, a and d once for each direction, t and w when
// their count reaches a power of ten.
func (t *Table) noteSegment(r *record, c *cell, h *handshake) {
	h.complete |= completeness(r)
	d := r.side()
	if r.flags&fin != 0 || h.zeek[d] == zeekInactive {
		h.zeek.update(r)
	}
	switch {
	case r.payload > 0:
		if c.has(knownSeq.of(d)) && after(c.next[d], r.seq) {
			t.noteResent(r, c, h)
		}
		if r.flags&fin == 0 && !c.has(sawData.of(d)) {
			t.letter(h, d, 'd')
		}
	case r.flags&(ack|fin) == ack && !c.has(sawAck.of(d)):
		c.bits |= sawAck.of(d)
		t.letter(h, d, 'a')
	}
	switch {
	case r.flags&fin != 0:
		if !c.has(sawFIN.of(d)) || h.finEnd[d] != r.seq+r.payload+1 {
			t.letter(h, d, 'f')
		}
	case r.window == 0 && h.zeek[d^1] != zeekClosed && !c.probes(r): // as assess counts them
		if powerOfTen(t.amiss(h, d).zeroWindows + 1) {
			t.letter(h, d, 'w')
		}
	}
}

// noteResent takes payload below what its side sends next: sent again, unless it is the
// byte of a keep-alive.
func (t *Table) noteResent(r *record, c *cell, h *handshake) {
	d := r.side()
	if r.payload == 1 && r.seq == c.next[d]-1 {
		return
	}
	x := t.rare(h)
	x.resent[d]++
	if powerOfTen(x.resent[d]) {
		t.letter(h, d, 't')
	}
}

// letter appends a letter to h's history.
func (t *Table) letter(h *handshake, side uint8, letter byte) {
	letter |= side * fromSecond
	if n := h.historyLen; int(n) < fixedHistory {
		h.history[n] = letter
		h.historyLen++
		return
	}
	t.spillLetter(h, letter)
}

// spillLetter appends a letter that does not fit the handshake to a list beside it.
func (t *Table) spillLetter(h *handshake, letter byte) {
	if h.spill == 0 {
		h.spill = place(&t.spill, &t.freeSpill)
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
	if h.spill != 0 {
		return spell(slices.Concat(h.history[:], t.spill[h.spill-1]), client)
	}
	return t.histories.text(&h.history, client)
}

// histories keeps histories that were given out, to be shared: most connections have one
// of a few. A history has its place among the tries entries from its slot on.
type histories [512]struct {
	letters [fixedHistory]uint8
	client  uint8
	text    string // empty when the entry is free
}

const tries = 4

// text is the text of a history that fits the handshake.
func (k *histories) text(letters *[fixedHistory]uint8, client uint8) string {
	first := slot(letters)
	free := first // or the one to be replaced
	for i := range uint32(tries) {
		e := &k[(first+i)%uint32(len(k))]
		if e.letters == *letters && e.client == client {
			return e.text
		}
		if e.text == "" {
			free = first + i
			break
		}
	}
	e := &k[free%uint32(len(k))]
	e.letters, e.client, e.text = *letters, client, spell(letters[:], client)
	return e.text
}

// slot is where the search for a history begins.
func slot(letters *[fixedHistory]uint8) uint32 {
	head, tail := binary.LittleEndian.Uint64(letters[:8]), binary.LittleEndian.Uint64(letters[fixedHistory-8:])
	const a, b = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f // any odd numbers with bits all over
	return uint32(fold(head^a, tail^b))
}

// spell is a history in letters. Zeros behind the last one do not count.
func spell(letters []uint8, client uint8) string {
	text := make([]byte, 0, 2*fixedHistory)
	for _, l := range letters {
		if l == 0 {
			break
		}
		side := l / fromSecond
		l &^= fromSecond
		if side == client && l >= 'a' {
			l -= 'a' - 'A'
		}
		text = append(text, l)
	}
	return string(text)
}

// powerOfTen reports whether n is 1, 10, 100 …
func powerOfTen(n uint32) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}
