package filter

import "golang.org/x/net/bpf"

// vlan compiles the word with the tag that may be behind it. What follows is looked
// for behind the tag.
func (c *compiler) vlan(n *special) *condition {
	const maxTag, tagLen = 0xfff, 4
	switch {
	case c.labels > 0:
		return c.fail(n.place, "no VLAN tag is behind an MPLS label")
	case c.layer != ethernetLayer && c.layer != wifiLayer:
		return c.fail(n.place, "the link layer here has no VLAN tags")
	case len(n.args) > 0 && n.args[0].number > maxTag:
		return c.fail(n.args[0].place(), "no VLAN is above %d", maxTag)
	}
	tagged := or(c.etherType(etherVLAN, n.place), c.etherType(etherQinQ, n.place), c.etherType(etherOldQinQ, n.place))
	id := always
	if len(n.args) > 0 {
		id = c.payload.masked(0, 2, maxTag, n.args[0].number)
	}
	if c.cfg.Live && c.tags == 0 && c.layer == ethernetLayer && !c.payload.variable {
		return c.liveVLAN(n, and(tagged, id))
	}
	c.tags++
	c.payload, c.typ = c.payload.plus(tagLen), c.typ.plus(tagLen)
	return and(tagged, id)
}

// liveVLAN compiles the outermost tag for the kernel, which takes it out of the frame
// before the program runs and keeps it beside it. Some drivers do not; then it is in
// the frame, and all that follows is four bytes further on.
func (c *compiler) liveVLAN(n *special, inFrame *condition) *condition {
	const maxTag, tagLen = 0xfff, 4
	beside := test([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtVLANTagPresent}}, bpf.JumpEqual, 1)
	id := always
	if len(n.args) > 0 {
		id = masked([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtVLANTag}}, maxTag, n.args[0].number)
	}
	slot := c.slot(n.place)
	shift := func(by uint32) *condition {
		return effect(bpf.LoadConstant{Dst: bpf.RegA, Val: by}, bpf.StoreScratch{Src: bpf.RegA, N: slot})
	}
	c.tags++
	c.payload.variable, c.payload.slot = true, slot
	c.typ.variable, c.typ.slot = true, slot
	return or(and(beside, id, shift(0)), and(not(beside), inFrame, shift(tagLen)))
}

// mpls compiles the word with the label that may be behind it. What follows is looked
// for behind the label.
func (c *compiler) mpls(n *special) *condition {
	const maxLabel, labelLen = 0xfffff, 4
	if len(n.args) > 0 && n.args[0].number > maxLabel {
		return c.fail(n.args[0].place(), "no MPLS label is above %d", maxLabel)
	}
	var is *condition
	switch {
	case c.labels > 0:
		is = c.net().masked(labelBottom, 1, 1, 0) // the label before is not the last one
	case c.layer == pppLayer:
		is = c.typ.equal(0, 2, 0x0281)
	case c.layer == ethernetLayer, c.layer == hdlcLayer:
		is = c.etherType(etherMPLS, n.place)
	default:
		return c.fail(n.place, "the link layer here has no MPLS labels")
	}
	if len(n.args) > 0 {
		is = and(is, c.net().masked(0, 4, maxLabel<<12, n.args[0].number<<12))
	}
	c.labels++
	c.network, c.osi = c.network+labelLen, c.osi+labelLen
	return is
}

// labelled tests for IP behind the last label; labels do not say what they are for.
func (c *compiler) labelled(typ uint32, at place) *condition {
	last := c.net().masked(labelBottom, 1, 1, 1)
	switch typ {
	case etherIPv4:
		return and(last, c.net().masked(0, 1, 0xf0, 0x40))
	case etherIPv6:
		return and(last, c.net().masked(0, 1, 0xf0, 0x60))
	}
	return c.fail(at, "only IPv4 and IPv6 can be behind an MPLS label")
}

// pppoes compiles the word with the session that may be behind it. What follows is
// looked for in the PPP frame.
func (c *compiler) pppoes(n *special) *condition {
	const maxSession, hlen, protocolLen = 0xffff, 6, 2
	is := c.etherType(etherPPPoES, n.place)
	if len(n.args) > 0 {
		if n.args[0].number > maxSession {
			return c.fail(n.args[0].place(), "no PPPoE session is above %d", maxSession)
		}
		is = and(is, c.net().masked(0, 4, maxSession, n.args[0].number))
	}
	link := c.net().plus(hlen)
	c.headers = headers{layer: pppLayer, link: link, typ: link, payload: link.plus(protocolLen)}
	return is
}

// geneve compiles the word with the network that may be behind it. What follows is
// looked for in the packet or frame behind the Geneve header, whose length differs.
func (c *compiler) geneve(n *special) *condition {
	const maxVNI, udpLen, hlen6 = 0xffffff, 8, 40
	if len(n.args) > 0 && n.args[0].number > maxVNI {
		return c.fail(n.args[0].place(), "no Geneve VNI is above %d", maxVNI)
	}
	base, link, typ, payload := c.slot(n.place), c.slot(n.place), c.slot(n.place), c.slot(n.place)
	const geneve = 6081
	is := func(load func(offset uint32, size int) []bpf.Instruction) *condition {
		all := and(test(load(2, 2), bpf.JumpEqual, geneve), masked(load(udpLen, 1), 0xc0, 0)) // version 0
		if len(n.args) > 0 {
			all = and(all, masked(load(udpLen+4, 4), maxVNI<<8, n.args[0].number<<8))
		}
		return all
	}
	ip := c.net()
	begin4 := append(c.headerLength4(),
		bpf.TXA{},
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: ip.offset + udpLen},
		bpf.StoreScratch{Src: bpf.RegA, N: base})
	begin6 := []bpf.Instruction{bpf.LoadConstant{Dst: bpf.RegA, Val: ip.offset + hlen6 + udpLen}}
	if ip.variable {
		begin6 = append(begin6, bpf.LoadScratch{Dst: bpf.RegX, N: ip.slot}, bpf.ALUOpX{Op: bpf.ALUOpAdd})
	}
	begin6 = append(begin6, bpf.StoreScratch{Src: bpf.RegA, N: base})
	in4 := and(c.etherType(etherIPv4, n.place), ip.equal(9, 1, ipUDP), c.firstFragment(), is(c.transport4), effect(begin4...))
	in6 := and(c.etherType(etherIPv6, n.place), ip.equal(6, 1, ipUDP), is(ip.plus(hlen6).load), effect(begin6...))

	c.headers = headers{
		layer: ethernetLayer, inner: true, osi: 3,
		link:    origin{variable: true, slot: link},
		typ:     origin{variable: true, slot: typ},
		payload: origin{variable: true, slot: payload},
	}
	return and(or(in4, in6), geneveHeader(base, link, typ, payload))
}

// geneveHeader stores the places behind a Geneve header (RFC 8926 §3.4) at base. What
// it carries has an Ethernet header of its own or none, and then the type is in
// Geneve's.
func geneveHeader(base, link, typ, payload int) *condition {
	const hlen, typeOffset, etherLen, etherTypeOffset, bridged = 8, 2, 14, 12, 0x6558
	begin := effect(
		bpf.LoadScratch{Dst: bpf.RegX, N: base},
		bpf.TXA{},
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: typeOffset},
		bpf.StoreScratch{Src: bpf.RegA, N: typ},
		bpf.LoadIndirect{Off: 0, Size: 1}, // the length of the options in 32-bit words
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x3f},
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: 4},
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: hlen},
		bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.StoreScratch{Src: bpf.RegA, N: link},
		bpf.StoreScratch{Src: bpf.RegA, N: payload})
	return and(begin, when(origin{variable: true, slot: base}.equal(typeOffset, 2, bridged),
		bpf.LoadScratch{Dst: bpf.RegA, N: link},
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: etherTypeOffset},
		bpf.StoreScratch{Src: bpf.RegA, N: typ},
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: etherLen - etherTypeOffset},
		bpf.StoreScratch{Src: bpf.RegA, N: payload}))
}

// labelBottom is where the bit that marks the last label is, from behind that label.
const labelBottom = ^uint32(1) // two bytes before
