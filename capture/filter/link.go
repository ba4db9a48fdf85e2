package filter

import (
	"golang.org/x/net/bpf"

	"sockscope/capture"
)

// A linkLayer is a kind of link-layer header: what of it a filter can ask.
type linkLayer uint8

const (
	unknownLayer linkLayer = iota // has bytes and a length
	ethernetLayer
	rawLayer // the version is in the IP header
	ipv4Layer
	ipv6Layer
	familyLayer // of four bytes, in either byte order
	pppLayer
	hdlcLayer
	sllLayer
	typeLayer // an EtherType and nothing else
	wifiLayer
	fddiLayer
	tokenRingLayer
	llcLayer // nothing before it
	frameRelayLayer
	arcnetLayer
	pflogLayer
	ipnetLayer
)

// start sets the places for the beginning of a frame.
func (c *compiler) start() {
	at := func(n uint32) origin { return origin{offset: n} }
	simple := func(l linkLayer, typ, payload uint32) headers {
		return headers{layer: l, typ: at(typ), payload: at(payload)}
	}
	const llcSNAP, llc = 8, 3
	switch c.cfg.Link {
	case capture.LinkEthernet:
		c.headers = simple(ethernetLayer, 12, 14)
		c.osi = llc
	case linkNetAnalyzer:
		c.headers = simple(ethernetLayer, 16, 18)
		c.link, c.osi = at(4), llc
	case linkNetTransp:
		c.headers = simple(ethernetLayer, 24, 26)
		c.link, c.osi = at(12), llc
	case capture.LinkRaw, linkRaw12, linkRaw14:
		c.headers = simple(rawLayer, 0, 0)
	case capture.LinkIPv4:
		c.headers = simple(ipv4Layer, 0, 0)
	case capture.LinkIPv6:
		c.headers = simple(ipv6Layer, 0, 0)
	case capture.LinkSLIP:
		c.headers = simple(rawLayer, 0, 16)
	case capture.LinkNull, capture.LinkLoop:
		c.headers = simple(familyLayer, 0, 4)
	case linkENC:
		c.headers = simple(familyLayer, 0, 12)
	case capture.LinkPPP, capture.LinkPPPHDLC, capture.LinkPPPPPPD:
		c.headers = simple(pppLayer, 2, 4)
	case capture.LinkPPPEthernet:
		c.headers = simple(pppLayer, 6, 8)
	case capture.LinkCHDLC:
		c.headers = simple(hdlcLayer, 2, 4)
	case capture.LinkSLL:
		c.headers = simple(sllLayer, 14, 16)
	case capture.LinkSLL2:
		c.headers = simple(typeLayer, 0, 20)
	case linkIEEE1394:
		c.headers = simple(typeLayer, 16, 18)
	case capture.LinkFDDI:
		c.headers = simple(fddiLayer, 13, 13)
		c.network, c.osi = llcSNAP, llc
	case capture.LinkTokenRing:
		c.headers = simple(tokenRingLayer, 14, 14)
		c.network, c.osi = llcSNAP, llc
	case capture.LinkATM:
		c.headers = simple(llcLayer, 0, 0)
		c.network, c.osi = llcSNAP, llc
	case capture.LinkFrameRelay:
		c.headers = simple(frameRelayLayer, 2, 4)
	case capture.LinkARCNET:
		c.headers = simple(arcnetLayer, 2, 6)
	case capture.LinkARCNETLinux:
		c.headers = simple(arcnetLayer, 4, 8)
	case linkIPNET:
		c.headers = simple(ipnetLayer, 0, 24)
	case capture.LinkPFLog:
		c.headers = headers{layer: pflogLayer, payload: origin{variable: true, slot: c.slot(place{})}}
	case capture.LinkWiFi, capture.LinkRadiotap, capture.LinkPrism, capture.LinkAVS, capture.LinkPPI:
		c.startWiFi()
	}
	c.outer = c.layer
}

// Registered link types that need no name outside of this package.
const (
	linkRaw12       capture.LinkType = 12 // LINKTYPE_RAW as most systems' own number
	linkRaw14       capture.LinkType = 14 // likewise OpenBSD's
	linkENC         capture.LinkType = 109
	linkIEEE1394    capture.LinkType = 138
	linkIPNET       capture.LinkType = 226
	linkNetAnalyzer capture.LinkType = 240
	linkNetTransp   capture.LinkType = 241
)

// prologue computes the places of headers whose offsets differ from frame to frame.
// It comes before everything else, and only has what the filter needs.
func (c *compiler) prologue(body *condition) *condition {
	switch c.outer {
	case wifiLayer:
		return c.wifiPrologue(body)
	case pflogLayer:
		return c.pflogPrologue(body)
	}
	return always
}

// etherType tests what the link layer says is in it. Values up to 1500 are LLC
// service access points.
func (c *compiler) etherType(typ uint32, at place) *condition {
	if c.labels > 0 {
		return c.labelled(typ, at)
	}
	switch c.layer {
	case ethernetLayer:
		return c.ethernetType(typ)
	case rawLayer:
		return c.versionType(typ)
	case ipv4Layer:
		return truth(typ == etherIPv4)
	case ipv6Layer:
		return truth(typ == etherIPv6)
	case familyLayer:
		return c.familyType(typ)
	case pppLayer:
		return c.typ.equal(0, 2, pppType(typ))
	case hdlcLayer:
		if typ == sapISO {
			typ = sapISO<<8 | sapISO
		}
		return c.typ.equal(0, 2, typ)
	case sllLayer:
		return c.sllType(typ)
	case typeLayer:
		return c.typ.equal(0, 2, typ)
	case wifiLayer:
		return and(c.dataFrame(), c.llcType(typ))
	case fddiLayer, tokenRingLayer, llcLayer:
		return c.llcType(typ)
	case frameRelayLayer:
		return c.frameRelayType(typ)
	case arcnetLayer:
		return c.arcnetType(typ)
	case pflogLayer, ipnetLayer:
		return c.familyByte(typ)
	}
	return c.fail(at, "frames of link type %s have bytes and a length to ask for, and no protocols", c.cfg.Link)
}

// truth is a condition that does not depend on the frame.
func truth(b bool) *condition {
	if b {
		return always
	}
	return never
}

// versionType tests the version in the first byte of the IP header.
func (c *compiler) versionType(typ uint32) *condition {
	switch typ {
	case etherIPv4:
		return c.payload.masked(0, 1, 0xf0, 0x40)
	case etherIPv6:
		return c.payload.masked(0, 1, 0xf0, 0x60)
	}
	return never
}

// pppType is the PPP protocol number for an EtherType or LLC service access point.
func pppType(typ uint32) uint32 {
	switch typ {
	case etherIPv4:
		return 0x21
	case etherIPv6:
		return 0x57
	case etherDECnet:
		return 0x27
	case etherAppleTalk:
		return 0x29
	case etherXNS:
		return 0x25
	case sapISO:
		return 0x23
	case sapSTP:
		return 0x31
	case sapIPX:
		return 0x2b
	}
	return typ
}

// families that mean IPv6; no two systems agree.
var inet6 = []uint32{10, 23, 24, 26, 28, 30}

const inet = 2

// familyType tests an address family of four bytes. A file does not say in which
// byte order it was written, but families are small numbers: both are tried.
func (c *compiler) familyType(typ uint32) *condition {
	family := func(n uint32) *condition {
		return or(c.typ.equal(0, 4, n<<24), c.typ.equal(0, 4, n))
	}
	switch typ {
	case etherIPv4:
		return family(inet)
	case etherIPv6:
		any := never
		for _, n := range inet6 {
			any = or(any, family(n))
		}
		return any
	}
	return never
}

// familyByte tests an address family of one byte, the frame's second.
func (c *compiler) familyByte(typ uint32) *condition {
	switch typ {
	case etherIPv4:
		return c.link.equal(1, 1, inet)
	case etherIPv6:
		any := never
		for _, n := range inet6 {
			any = or(any, c.link.equal(1, 1, n))
		}
		return any
	}
	return never
}

// frameRelayType tests the control field, which is that of UI frames, and the NLPID.
func (c *compiler) frameRelayType(typ uint32) *condition {
	const ui = 0x03 << 8
	switch typ {
	case etherIPv4:
		return c.typ.equal(0, 2, ui|0xcc)
	case etherIPv6:
		return c.typ.equal(0, 2, ui|0x8e)
	case sapISO:
		return or(c.typ.equal(0, 2, ui|osiCLNP), c.typ.equal(0, 2, ui|osiESIS), c.typ.equal(0, 2, ui|osiISIS))
	}
	return never
}

// arcnetType tests the system code of RFC 1201, for IPv4 and ARP also RFC 1051's.
func (c *compiler) arcnetType(typ uint32) *condition {
	code := func(n uint32) *condition { return c.typ.equal(0, 1, n) }
	switch typ {
	case etherIPv4:
		return or(code(212), code(240))
	case etherIPv6:
		return code(196)
	case etherARP:
		return or(code(213), code(241))
	case etherRARP:
		return code(214)
	case etherAppleTalk:
		return code(221)
	}
	return never
}

// bound compiles inbound and outbound.
func (c *compiler) bound(n *special) *condition {
	const outgoing = 4 // the packet type of what this host sends
	out := n.word == "outbound"
	only := func(sent *condition) *condition {
		if out {
			return sent
		}
		return not(sent)
	}
	pick := func(in, sent uint32) uint32 {
		if out {
			return sent
		}
		return in
	}
	switch {
	case c.cfg.Link == capture.LinkSLL:
		return only(origin{}.equal(0, 2, outgoing))
	case c.cfg.Link == capture.LinkSLL2:
		return only(origin{}.equal(10, 1, outgoing))
	case c.cfg.Link == capture.LinkPFLog:
		return origin{}.equal(60, 1, pick(1, 2))
	case c.cfg.Link == linkIPNET:
		return origin{}.equal(2, 2, pick(2, 1))
	case c.cfg.Link == capture.LinkSLIP, c.cfg.Link == capture.LinkPPPPPPD:
		return origin{}.equal(0, 1, pick(0, 1))
	case c.cfg.Live:
		return only(test([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtType}}, bpf.JumpEqual, outgoing))
	}
	return c.fail(n.place, "a file of link type %s does not say which frames are %s", c.cfg.Link, n.word)
}

// ifindex compiles the number of the interface.
func (c *compiler) ifindex(n *special) *condition {
	number := n.args[0].number
	switch {
	case c.cfg.Link == capture.LinkSLL2:
		return origin{}.equal(4, 4, number)
	case c.cfg.Live:
		return test([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtInterfaceIndex}}, bpf.JumpEqual, number)
	}
	return c.fail(n.place, "a file of link type %s does not say on which interface a frame was", c.cfg.Link)
}
