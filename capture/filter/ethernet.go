package filter

import "golang.org/x/net/bpf"

// EtherTypes and LLC service access points that have a meaning here.
const (
	etherXNS       = 0x0600
	etherIPv4      = 0x0800
	etherARP       = 0x0806
	etherMOPDL     = 0x6001
	etherMOPRC     = 0x6002
	etherDECnet    = 0x6003
	etherLAT       = 0x6004
	etherSCA       = 0x6007
	etherRARP      = 0x8035
	etherAppleTalk = 0x809b
	etherAARP      = 0x80f3
	etherVLAN      = 0x8100
	etherIPX       = 0x8137
	etherIPv6      = 0x86dd
	etherMPLS      = 0x8847
	etherPPPoED    = 0x8863
	etherPPPoES    = 0x8864
	etherQinQ      = 0x88a8
	etherOldQinQ   = 0x9100

	sapSTP     = 0x42
	sapIPX     = 0xe0
	sapNetBEUI = 0xf0
	sapISO     = 0xfe
)

// maxLength is the largest value of Ethernet's type field that is a length, of an
// IEEE 802.3 frame.
const maxLength = 1500

// ethernetType tests the type field, or in IEEE 802.3 frames the LLC header.
func (c *compiler) ethernetType(typ uint32) *condition {
	typed := func() *condition { return c.typ.equal(0, 2, typ) }
	untyped := not(c.longType())
	switch {
	case typ == sapISO, typ == sapNetBEUI:
		return and(untyped, c.payload.equal(0, 2, typ<<8|typ))
	case typ == sapIPX:
		return or(c.typ.equal(0, 2, etherIPX), and(untyped, c.ipxInLLC()))
	case typ == etherAppleTalk:
		return or(typed(), and(untyped, c.snap(0x080007, typ)))
	case typ == etherAARP:
		return or(typed(), and(untyped, c.snap(0, typ)))
	case typ <= maxLength:
		return and(untyped, c.payload.equal(0, 1, typ))
	}
	return typed()
}

// longType tests that the type field is a type, not a length.
func (c *compiler) longType() *condition {
	return test(c.typ.load(0, 2), bpf.JumpGreaterThan, maxLength)
}

// sllType tests the protocol field of Linux cooked frames, or the LLC header.
func (c *compiler) sllType(typ uint32) *condition {
	const raw8023, llc = 1, 4 // for what has no EtherType
	typed := func(n uint32) *condition { return c.typ.equal(0, 2, n) }
	switch {
	case typ == sapISO, typ == sapNetBEUI:
		return and(typed(llc), c.payload.equal(0, 2, typ<<8|typ))
	case typ == sapIPX:
		return or(typed(etherIPX), typed(raw8023), and(typed(llc), or(c.snap(0, etherIPX), c.payload.equal(0, 1, sapIPX))))
	case typ == etherAppleTalk:
		return or(typed(typ), and(typed(llc), c.snap(0x080007, typ)))
	case typ == etherAARP:
		return or(typed(typ), and(typed(llc), c.snap(0, typ)))
	case typ <= maxLength:
		return and(typed(llc), c.payload.equal(0, 1, typ))
	}
	return typed(typ)
}

// llcType tests the LLC header of a link layer that always has one. That it is a
// SNAP header of Ethernet's types is taken for granted, as it always was.
func (c *compiler) llcType(typ uint32) *condition {
	const snapType = 6
	switch {
	case typ == sapISO, typ == sapNetBEUI:
		return c.payload.equal(0, 2, typ<<8|typ)
	case typ == etherAppleTalk:
		return c.snap(0x080007, typ)
	case typ <= maxLength:
		return c.payload.equal(0, 1, typ)
	}
	return c.payload.equal(snapType, 2, typ)
}

// ipxInLLC tests the three ways that IPX can be in an IEEE 802.3 frame: SNAP, LLC,
// and the checksum of all ones right behind the length.
func (c *compiler) ipxInLLC() *condition {
	return or(c.snap(0, etherIPX), c.payload.equal(0, 1, sapIPX), c.payload.equal(0, 2, 0xffff))
}

// snap tests for a SNAP header of an organization and its type.
func (c *compiler) snap(organization, typ uint32) *condition {
	return c.payload.bytes(0, []byte{0xaa, 0xaa, 3,
		byte(organization >> 16), byte(organization >> 8), byte(organization),
		byte(typ >> 8), byte(typ)})
}

// hasLink tests that there is a link-layer header: behind a Geneve header there may
// be none, and then the payload begins where that header would.
func (c *compiler) hasLink() *condition {
	if !c.inner {
		return always
	}
	return not(&condition{op: bpf.JumpEqual, byX: true, code: []bpf.Instruction{
		bpf.LoadScratch{Dst: bpf.RegX, N: c.link.slot},
		bpf.LoadScratch{Dst: bpf.RegA, N: c.payload.slot},
	}})
}

// broadcast compiles the word with the protocol before it.
func (c *compiler) broadcast(n *special) *condition {
	switch n.protocol {
	case "ip":
		host := ^c.cfg.Netmask
		all := c.net().masked(16, 4, host, host)
		return and(c.etherType(etherIPv4, n.place), or(c.net().masked(16, 4, host, 0), all))
	case "", "ether":
		switch c.layer {
		case ethernetLayer, fddiLayer, tokenRingLayer, wifiLayer:
			return c.stationTo([6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		case arcnetLayer:
			return c.arcnetTo(0)
		}
		return c.fail(n.place, "the link layer %s has no broadcast", c.cfg.Link)
	}
	return c.fail(n.place, "only ether and ip have a broadcast, not %s", n.protocol)
}

// multicast compiles the word with the protocol before it.
func (c *compiler) multicast(n *special) *condition {
	switch n.protocol {
	case "ip":
		return and(c.etherType(etherIPv4, n.place), test(c.net().load(16, 1), bpf.JumpGreaterOrEqual, 224))
	case "ip6":
		return and(c.etherType(etherIPv6, n.place), c.net().equal(24, 1, 0xff))
	case "", "ether":
		group := func(offset uint32) *condition { return c.link.masked(offset, 1, 1, 1) }
		switch c.layer {
		case ethernetLayer:
			return and(c.hasLink(), group(0))
		case fddiLayer:
			return group(1)
		case tokenRingLayer:
			return group(2)
		case wifiLayer:
			return c.wifiDestination(group(16), group(4))
		case arcnetLayer:
			return c.arcnetTo(0)
		}
		return c.fail(n.place, "the link layer %s has no multicast", c.cfg.Link)
	}
	return c.fail(n.place, "only ether, ip and ip6 have a multicast, not %s", n.protocol)
}
