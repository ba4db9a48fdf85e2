package flow

import (
	"slices"

	"sockscope/decode"
)

// letters are the first letters of a Zeek history, each in five bits, the first one lowest;
// above them stands how many they are.
type letters uint64

const (
	maxLetters  = 12
	letterBits  = 5
	lettersNum  = 60            // where their number stands
	fromSecond  = 1 << 4        // marks what the key's second endpoint caused
	letterNames = "shadfrqitwg" // by number
)

// A letter is one of letterNames, with fromSecond.
type letter uint8

const (
	letterSYN letter = iota
	letterSYNACK
	letterACK
	letterData
	letterFIN
	letterRST
	letterOddSYN // with FIN or RST
	letterOddFIN // with RST
	letterResent
	letterWindow // of zero
	letterGap
)

func (s letters) len() int { return int(s >> lettersNum) }

func (s letters) at(i int) letter { return letter(s>>(letterBits*i)) & (1<<letterBits - 1) }

// add adds a letter. There must be room.
func (s *letters) add(l letter) {
	*s |= letters(l) << (letterBits * s.len())
	*s += 1 << lettersNum
}

// contains reports whether l is one of s.
func (s letters) contains(l letter) bool {
	for i := range s.len() {
		if s.at(i) == l {
			return true
		}
	}
	return false
}

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
		t.letterOnce(h, d, letterOddSYN)
	case r.flags&(fin|rst) == fin|rst:
		t.letterOnce(h, d, letterOddFIN)
	case r.flags&(syn|ack) == syn:
		if !c.has(sawSYN.of(d)) || r.seq != h.isn[d] {
			t.letter(h, d, letterSYN)
		}
	case r.flags&syn != 0:
		if !h.tally.any(synacks, d) || r.seq != t.lastSYNACK(c, h, d) {
			t.letter(h, d, letterSYNACK)
		}
	default:
		if !h.tally.any(rsts, d) || r.seq != h.rstSeq[d] {
			t.letter(h, d, letterRST)
		}
		h.rstSeq[d] = r.seq
	}
}

// noteSegment does the same for a segment without SYN and RST. The history gets f again
// only with another sequence number, a and d once for each direction, t and w when
// their count reaches a power of ten.
func (t *Table) noteSegment(r *record, c *cell, h *handshake) {
	h.complete |= completeness(r)
	d := r.side()
	if r.flags&fin != 0 || h.zeek.of(d) == zeekInactive {
		h.zeek.update(r)
	}
	switch {
	case r.payload > 0:
		if c.has(knownSeq.of(d)) && after(c.next[d], r.seq) {
			t.noteResent(r, c, h)
		}
		if r.flags&fin == 0 && !c.has(sawData.of(d)) {
			t.letter(h, d, letterData)
		}
	case r.flags&(ack|fin) == ack && !c.has(sawAck.of(d)):
		c.bits |= sawAck.of(d)
		t.letter(h, d, letterACK)
	}
	switch {
	case r.flags&fin != 0:
		if !c.has(sawFIN.of(d)) || h.finEnd[d] != r.seq+r.payload+1 {
			t.letter(h, d, letterFIN)
		}
	case r.window == 0 && h.zeek.of(d^1) != zeekClosed && !c.probes(r): // as assess counts them
		if powerOfTen(t.amiss(h, d).zeroWindows + 1) {
			t.letter(h, d, letterWindow)
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
	x := t.rare(&h.meta)
	x.resent[d]++
	if powerOfTen(x.resent[d]) {
		t.letter(h, d, letterResent)
	}
}

// letter appends a letter to h's history.
func (t *Table) letter(h *handshake, side uint8, l letter) {
	l |= letter(side&1) * fromSecond
	if h.letters.len() < maxLetters {
		h.letters.add(l)
		return
	}
	t.spillLetter(h, l)
}

// spillLetter appends a letter that does not fit the handshake to a list beside it.
func (t *Table) spillLetter(h *handshake, l letter) {
	x := t.rare(&h.meta)
	if x.spill == 0 {
		x.spill = place(&t.spill, &t.freeSpill)
	}
	s := &t.spill[x.spill-1]
	if len(*s) < maxHistory-maxLetters {
		*s = append(*s, l)
	}
}

// spilled are the letters that do not fit the handshake.
func (t *Table) spilled(h *handshake) []letter {
	if h.rare != 0 {
		if i := t.rares.at(h.rare - 1).spill; i != 0 {
			return t.spill[i-1]
		}
	}
	return nil
}

// maxHistory bounds the history of one connection, in letters.
const maxHistory = 270

// letterOnce appends a letter that side has not caused before.
func (t *Table) letterOnce(h *handshake, side uint8, l letter) {
	mark := l | letter(side&1)*fromSecond
	if h.letters.contains(mark) || slices.Contains(t.spilled(h), mark) {
		return
	}
	t.letter(h, side, l)
}

// lastSYNACK is the sequence number of a side's last SYN-ACK: the accepted one's,
// unless a later one had another.
func (t *Table) lastSYNACK(c *cell, h *handshake, side uint8) uint32 {
	if o := t.oddOf(&h.meta); o != nil && o.synackSeq[side] != 0 {
		return o.synackSeq[side]
	}
	return h.isn[side]
}

// history is h's history as Zeek writes it: upper case is the client. It may be one of known.
func (t *Table) history(h *handshake, client uint8, known *Histories) string {
	if spilled := t.spilled(h); spilled != nil {
		return string(spell(spell(nil, h.letters.all(), client), spilled, client))
	}
	return known.text(h.letters, client)
}

// Histories keeps histories that were given out, to be shared: most connections have one
// of a few. It belongs to one goroutine. A history has its place among the tries entries from
// its slot on.
type Histories [512]struct {
	letters letters
	client  uint8
	text    string // empty when the entry is free
}

const tries = 4

// text is the text of a history that fits the handshake.
func (k *Histories) text(s letters, client uint8) string {
	const odd = 0x9e3779b97f4a7c15 // any such number with bits all over
	first := uint32(fold(uint64(s), odd))
	free := first // or the one to be replaced
	for i := range uint32(tries) {
		e := &k[(first+i)%uint32(len(k))]
		if e.letters == s && e.client == client {
			return e.text
		}
		if e.text == "" {
			free = first + i
			break
		}
	}
	e := &k[free%uint32(len(k))]
	e.letters, e.client, e.text = s, client, string(spell(nil, s.all(), client))
	return e.text
}

// all are the letters of s, one by one.
func (s letters) all() []letter {
	all := make([]letter, 0, maxLetters)
	for i := range s.len() {
		all = append(all, s.at(i))
	}
	return all
}

// spell appends a history's letters to text.
func spell(text []byte, letters []letter, client uint8) []byte {
	for _, l := range letters {
		name := letterNames[l&^fromSecond]
		if uint8(l/fromSecond) == client {
			name -= 'a' - 'A'
		}
		text = append(text, name)
	}
	return text
}

// powerOfTen reports whether n is 1, 10, 100 …
func powerOfTen(n uint32) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}
