package flow

import (
	"net/netip"

	"sockscope/decode"
)

// quote attaches an ICMP error to the connection whose packet it quotes: number n, which
// is c, or nil when there is none. The
// error's own packet is counted where it belongs, in its ICMP conversation.
func (t *Table) quote(b *Batch, r *record, n uint32, c *cell) {
	if c == nil {
		return
	}
	p := b.packet(r)
	m := t.meta(n)
	if c.key.protocol() == protoTCP && p.Quoted.HasSeq && !c.sentSeq(t.handshake(n), r.dir, r.seq) {
		return // quotes an earlier connection of this tuple
	}
	e := t.icmpOf(m)
	if e == nil {
		var i uint32
		i, e = t.icmp.add()
		t.rare(m).icmp = i + 1
		*e = icmpError{
			from: p.Src, version: p.Version, typ: p.ICMPType, code: p.ICMPCode,
			quotedSide: r.dir, decided: t.volumes(n)[r.dir^1].packets == 0, frame: b.number(r),
		}
	}
	if c.key.protocol() != protoTCP {
		return
	}
	h := t.handshake(n)
	client, known := c.client()
	quotesSYN := known && client == r.dir && c.has(sawSYN.of(client)) && (!p.Quoted.HasSeq || r.seq == h.isn[client])
	if quotesSYN && h.verdict == noVerdict && !c.has(sawSYNACK.of(client^1)) && !c.has(goesOn.of(client)) {
		h.verdict = wasUnreachable
		t.setVerdict(h, b.number(r))
		// The error that decided is the one to tell.
		e.from, e.version, e.typ, e.code = p.Src, p.Version, p.ICMPType, p.ICMPCode
	}
}

// icmpOf is the ICMP error that quotes m's connection, or nil.
func (t *Table) icmpOf(m *meta) *icmpError {
	if m.rare == 0 {
		return nil
	}
	i := t.rares.at(m.rare - 1).icmp
	if i == 0 {
		return nil
	}
	return t.icmp.at(i - 1)
}

// sentSeq reports whether a side may have sent sequence number seq: between its ISN
// and what it sent last.
func (c *cell) sentSeq(h *handshake, side uint8, seq uint32) bool {
	if !c.has(knownISN.of(side)) || !c.has(knownSeq.of(side)) {
		return true
	}
	const slack = 1 << 16 // what the capture may lack
	return seq-h.isn[side] <= c.next[side]-h.isn[side]+slack
}

// isError reports whether an ICMP message says that a packet did not arrive. A
// source quench and a redirect do not, and "too big" only asks for smaller ones.
func isError(version, typ, code uint8) bool {
	if version == 4 { // RFC 792
		return typ == 3 && code != 4 || typ == 11 || typ == 12
	}
	return typ == 1 || typ == 3 || typ == 4 // RFC 4443
}

// addr is the address of the error's sender.
func (e *icmpError) addr() netip.Addr {
	a := decode.Addr(e.from)
	return a.Netip(e.version)
}
