package filter

import (
	"strings"

	"golang.org/x/net/bpf"
)

// OSI protocols over LLC.
const (
	osiCLNP = 0x81
	osiESIS = 0x82
	osiISIS = 0x83
)

// IP protocols that have a meaning here.
const (
	ipHopByHop    = 0
	ipTCP         = 6
	ipUDP         = 17
	ipRouting     = 43
	ipFragment    = 44
	ipAH          = 51
	ipICMPv6      = 58
	ipNoNext      = 59
	ipDestination = 60
	ipSCTP        = 132
)

// ipProtocols are the names of IP protocols, as IANA and /etc/protocols have them.
var ipProtocols = map[string]uint32{
	"ip": 0, "hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "ip-encap": 4, "st": 5, "tcp": 6, "egp": 8,
	"igp": 9, "pup": 12, "udp": 17, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36,
	"ddp": 37, "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47,
	"esp": 50, "ipsec-esp": 50, "ah": 51, "ipsec-ah": 51, "skip": 57, "ipv6-icmp": 58, "ipv6-nonxt": 59,
	"ipv6-opts": 60, "rspf": 73, "cphb": 73, "vmtp": 81, "eigrp": 88, "ospf": 89, "ospfigp": 89, "ax.25": 93,
	"ipip": 94, "etherip": 97, "encap": 98, "pim": 103, "ipcomp": 108, "vrrp": 112, "l2tp": 115, "isis": 124,
	"sctp": 132, "fc": 133, "mobility-header": 135, "udplite": 136, "mpls-in-ip": 137, "manet": 138, "hip": 139,
	"shim6": 140, "wesp": 141, "rohc": 142, "ethernet": 143,
}

// etherProtocols are the names of what "ether proto" can ask for.
var etherProtocols = map[string]uint32{
	"ip": etherIPv4, "ip6": etherIPv6, "arp": etherARP, "rarp": etherRARP, "loopback": 0x9000,
	"aarp": etherAARP, "atalk": etherAppleTalk, "decnet": etherDECnet, "lat": etherLAT, "sca": etherSCA,
	"mopdl": etherMOPDL, "moprc": etherMOPRC,
	"iso": sapISO, "stp": sapSTP, "ipx": sapIPX, "netbeui": sapNetBEUI,
}

var osiProtocols = map[string]uint32{"clnp": osiCLNP, "esis": osiESIS, "isis": osiISIS}

// isisTypes are the PDU types of IS-IS that a word stands for.
var isisTypes = map[string][]uint32{
	"l1": {26, 24, 18, 15, 17}, "l2": {27, 25, 20, 16, 17}, "iih": {17, 15, 16}, "lsp": {18, 20},
	"snp": {27, 26, 24, 25}, "csnp": {24, 25}, "psnp": {26, 27},
}

// protocol compiles a protocol that stands alone.
func (c *compiler) protocol(name string, at place) *condition {
	switch name {
	case "tcp", "udp", "sctp", "pim", "ah", "esp":
		return c.either(ipProtocols[name], at)
	case "icmp", "igmp", "vrrp":
		return c.inIPv4(ipProtocols[name], at)
	case "carp":
		return c.inIPv4(ipProtocols["vrrp"], at) // they share the number
	case "igrp":
		return c.inIPv4(ipProtocols["igp"], at)
	case "icmp6":
		return c.inIPv6(ipICMPv6, at)
	case "clnp", "esis", "isis":
		return c.inISO(osiProtocols[name], at)
	case "ether", "radio":
		return c.fail(at, "%s alone says nothing about a frame", name)
	}
	if types, ok := isisTypes[name]; ok {
		any := never
		for _, t := range types {
			any = or(any, c.inISIS(t, at))
		}
		return any
	}
	return c.etherType(etherProtocols[name], at)
}

// either tests the protocol number in IPv4 or IPv6.
func (c *compiler) either(number uint32, at place) *condition {
	return or(c.inIPv4(number, at), c.inIPv6(number, at))
}

func (c *compiler) inIPv4(number uint32, at place) *condition {
	return and(c.etherType(etherIPv4, at), c.net().equal(9, 1, number))
}

// inIPv6 tests what follows the IPv6 header, or a fragment header behind it. No other
// extension header is looked behind: that is protochain's.
func (c *compiler) inIPv6(number uint32, at place) *condition {
	fragment := and(c.net().equal(6, 1, ipFragment), c.net().equal(40, 1, number))
	return and(c.etherType(etherIPv6, at), or(c.net().equal(6, 1, number), fragment))
}

func (c *compiler) inISO(number uint32, at place) *condition {
	switch c.layer {
	case frameRelayLayer:
		return c.typ.equal(0, 2, 0x0300|number)
	case hdlcLayer:
		return and(c.etherType(sapISO, at), c.payload.equal(1, 1, number))
	}
	return and(c.etherType(sapISO, at), c.payload.plus(c.osi).equal(0, 1, number))
}

func (c *compiler) inISIS(number uint32, at place) *condition {
	const pduType = 4
	return and(c.inISO(osiISIS, at), c.payload.plus(c.osi).equal(pduType, 1, number))
}

// proto compiles proto and protochain.
func (c *compiler) proto(n *primitive) *condition {
	number, ok := c.protocolNumber(n)
	if !ok {
		return never
	}
	at := n.place
	if n.kind == "protochain" {
		switch n.protocol {
		case "":
			return or(c.chain4(number, at), c.chain6(number, at))
		case "ip":
			return c.chain4(number, at)
		case "ip6":
			return c.chain6(number, at)
		}
		return c.fail(at, "only ip and ip6 have a protochain, not %s", n.protocol)
	}
	switch n.protocol {
	case "":
		return c.either(number, at)
	case "ether":
		return c.etherType(number, at)
	case "ip":
		return c.inIPv4(number, at)
	case "ip6":
		return c.inIPv6(number, at)
	case "iso":
		return c.inISO(number, at)
	case "isis":
		return c.inISIS(number, at)
	}
	return c.fail(at, "only ether, ip, ip6, iso and isis say which protocol they carry, not %s", n.protocol)
}

// protocolNumber is the number that is given or that a name stands for.
func (c *compiler) protocolNumber(n *primitive) (uint32, bool) {
	i := n.id
	switch i.kind {
	case numberToken:
		return i.number, true
	case nameToken:
		var names map[string]uint32
		switch n.protocol {
		case "", "ip", "ip6":
			names = ipProtocols
		case "ether":
			names = etherProtocols
		case "iso":
			names = osiProtocols
		}
		number, ok := names[i.text]
		if !ok && i.text == strings.ToUpper(i.text) { // names have an alias in capitals
			number, ok = names[strings.ToLower(i.text)]
		}
		if !ok {
			c.fail(i.place(), "%q is the name of no protocol here", i.text)
		}
		return number, ok
	}
	c.fail(i.place(), "%s needs a number or a name, not an address", n.kind)
	return 0, false
}

// maxChain is how many headers protochain looks at. BPF has no loops that the kernel
// would accept, so each one is code of its own.
const maxChain = 8

// chain4 looks for a protocol in an IPv4 packet, also behind authentication headers.
func (c *compiler) chain4(number uint32, at place) *condition {
	if c.payload.variable {
		return c.fail(at, "protochain needs a link layer of fixed length")
	}
	ip := c.net()
	typ, offset := c.slot(at), c.slot(at)
	start := effect(
		bpf.LoadAbsolute{Off: ip.offset + 9, Size: 1}, bpf.StoreScratch{Src: bpf.RegA, N: typ},
		bpf.LoadMemShift{Off: ip.offset}, bpf.StoreScratch{Src: bpf.RegX, N: offset})
	return and(c.etherType(etherIPv4, at), start, c.chain(number, typ, offset, maxChain, false))
}

// chain6 looks for a protocol in the chain of an IPv6 packet's headers.
func (c *compiler) chain6(number uint32, at place) *condition {
	if c.payload.variable {
		return c.fail(at, "protochain needs a link layer of fixed length")
	}
	const hlen = 40
	typ, offset := c.slot(at), c.slot(at)
	start := effect(
		bpf.LoadAbsolute{Off: c.net().offset + 6, Size: 1}, bpf.StoreScratch{Src: bpf.RegA, N: typ},
		bpf.LoadConstant{Dst: bpf.RegA, Val: hlen}, bpf.StoreScratch{Src: bpf.RegA, N: offset})
	return and(c.etherType(etherIPv6, at), start, c.chain(number, typ, offset, maxChain, true))
}

// chain tests the type in a slot and goes on behind the header at the offset in the
// other slot.
func (c *compiler) chain(number uint32, typ, offset, left int, extensions bool) *condition {
	is := func(n uint32) *condition {
		return test([]bpf.Instruction{bpf.LoadScratch{Dst: bpf.RegA, N: typ}}, bpf.JumpEqual, n)
	}
	if left == 0 {
		return is(number)
	}
	base := c.net().offset
	skip := func(words, unit uint32) *condition { // the length is in units, without the first words of them
		return effect(
			bpf.LoadScratch{Dst: bpf.RegX, N: offset},
			bpf.LoadIndirect{Off: base, Size: 1}, bpf.StoreScratch{Src: bpf.RegA, N: typ},
			bpf.LoadIndirect{Off: base + 1, Size: 1},
			bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: words},
			bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: unit},
			bpf.ALUOpX{Op: bpf.ALUOpAdd}, bpf.StoreScratch{Src: bpf.RegA, N: offset})
	}
	next := and(is(ipAH), skip(2, 4))
	if extensions {
		next = or(and(or(is(ipHopByHop), is(ipDestination), is(ipRouting), is(ipFragment)), skip(1, 8)), next)
	}
	return or(is(number), and(next, c.chain(number, typ, offset, left-1, extensions)))
}
