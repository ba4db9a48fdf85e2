package flow

// counts is what one endpoint sent, as four numbers in one word: packets, bytes of link
// headers, bytes of IP and transport headers, bytes of payload. A packet is one
// addition. The highest bit of each number is a guard: once one of them is set the
// counts move to where there is room for more (see Table.carry), hundreds of packets
// apart.
type counts uint64

const (
	linkShift    = 12
	headerShift  = 26
	payloadShift = 40

	linkBits    = 13 // of one packet
	headerBits  = 13
	payloadBits = 23

	guards counts = 1<<(linkShift-1) | 1<<(headerShift-1) | 1<<(payloadShift-1) | 1<<63
)

// countsOf is r's packet; ok is false when counts cannot hold its numbers. The wire may
// carry less than the IP header says, and that less than the payload, when
// headers lie: this, too, is left to volumes.
func countsOf(r *record) (c counts, ok bool) {
	link, header := r.wire-r.ip, r.ip-r.payload
	c = 1 | counts(link)<<linkShift | counts(header)<<headerShift | counts(r.payload)<<payloadShift
	return c, link>>linkBits|header>>headerBits|r.payload>>payloadBits == 0
}

// volume is c as separate numbers.
func (c counts) volume() volume {
	link := uint64(c>>linkShift) & (1<<(headerShift-linkShift) - 1)
	header := uint64(c>>headerShift) & (1<<(payloadShift-headerShift) - 1)
	payload := uint64(c >> payloadShift)
	return volume{
		packets: uint64(c) & (1<<linkShift - 1),
		bytes:   link + header + payload,
		ip:      header + payload,
		payload: payload,
	}
}

// A volume is what one endpoint sent.
type volume struct {
	packets, bytes, ip, payload uint64
}

func (v *volume) add(u volume) {
	v.packets += u.packets
	v.bytes += u.bytes
	v.ip += u.ip
	v.payload += u.payload
}

// count counts r in cell n, which is c.
func (t *Table) count(n uint32, c *cell, r *record) {
	if r.time < c.latest || !c.latest.Known() {
		t.span(n, c, r.time)
	}
	c.latest = r.time
	c.bits = c.bits&^lastSecond | facts(r.dir)<<31
	one, ok := countsOf(r)
	if !ok {
		t.carry(n, r.dir, volume{1, uint64(r.wire), uint64(r.ip), uint64(r.payload)})
		return
	}
	sum := c.sent[r.dir&1] + one
	c.sent[r.dir&1] = sum
	if sum&guards != 0 {
		t.carry(n, r.dir, volume{})
	}
}

// carry moves what a side of cell n has counted, and v, to where there is room for more.
func (t *Table) carry(n uint32, side uint8, v volume) {
	x := t.rare(t.meta(n))
	if x.big == 0 {
		i, _ := t.big.add()
		x.big = i + 1
	}
	big := &t.big.at(x.big - 1)[side]
	c := &t.cells.at(n).sent[side]
	big.add(c.volume())
	big.add(v)
	*c = 0
}

// volumes is what the two sides of cell n sent.
func (t *Table) volumes(n uint32) (sent [2]volume) {
	c := t.cells.at(n)
	sent[0], sent[1] = c.sent[0].volume(), c.sent[1].volume()
	m := t.meta(n)
	if m.rare == 0 {
		return sent
	}
	if i := t.rares.at(m.rare - 1).big; i != 0 {
		big := t.big.at(i - 1)
		sent[0].add(big[0])
		sent[1].add(big[1])
	}
	return sent
}
