package filter

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// place is where the id is in the text.
func (i id) place() place { return place{i.start, i.end} }

// host compiles an address of a host or network.
func (c *compiler) host(n *primitive) *condition {
	i := n.id
	switch i.kind {
	case nameToken:
		a, err := netip.ParseAddr(i.text) // an address with a backslash before it
		switch {
		case err == nil && a.Is4():
			n.id.kind = ipv4Token
			return c.host(n)
		case err == nil && a.Zone() == "":
			return c.host6(n, a)
		}
		return c.fail(i.place(), "%q is no address, and names are never looked up", i.text)
	case etherToken:
		if n.protocol != "ether" || n.kind != "host" {
			return c.fail(n.place, "an Ethernet address needs ether before it: ether host %s", i.text)
		}
		return c.station(n)
	case arcnetToken:
		return c.arcnetStation(n)
	case ipv6Token:
		a, _ := netip.ParseAddr(i.text)
		return c.host6(n, a)
	}
	if n.protocol == "decnet" {
		return c.decnet(n)
	}
	address, mask, ok := c.network4(n)
	if !ok {
		return never
	}
	return c.host4(n, address, mask)
}

// network4 is the IPv4 address and mask of an id.
func (c *compiler) network4(n *primitive) (address, mask uint32, ok bool) {
	i := n.id
	switch {
	case i.kind == numberToken && n.kind == "net":
		address, mask = shortNet(i.number)
		return address, mask, true
	case i.kind == numberToken:
		return i.number, 0xffffffff, true
	}
	address, mask, ok = ipv4(i.text)
	switch {
	case !ok:
		c.fail(i.place(), "%s is no IPv4 address", i.text)
		return 0, 0, false
	case i.mask == "" && i.length < 0:
		return address, mask, true
	case n.kind != "net":
		c.fail(i.place(), "only a net has a mask, a %s has none", n.kind)
		return 0, 0, false
	case i.mask != "":
		if mask, _, ok = ipv4(i.mask); !ok {
			c.fail(i.place(), "%s is no mask", i.mask)
			return 0, 0, false
		}
	case i.length > 32:
		c.fail(i.place(), "the length of an IPv4 network is at most 32 bits")
		return 0, 0, false
	default:
		mask = uint32(uint64(0xffffffff) << (32 - i.length))
	}
	if address&^mask != 0 {
		c.fail(i.place(), "the address has bits outside of the network")
		return 0, 0, false
	}
	return address, mask, true
}

// host4 compiles an IPv4 address, which ARP and RARP have too.
func (c *compiler) host4(n *primitive, address, mask uint32) *condition {
	in := func(typ, src, dst uint32) *condition {
		at := func(offset uint32) *condition { return c.net().masked(offset, 4, mask, address) }
		return and(c.etherType(typ, n.place), c.direction(n, at(src), at(dst)))
	}
	switch n.protocol {
	case "":
		if c.labels > 0 {
			return in(etherIPv4, 12, 16) // nothing else is behind labels
		}
		return or(in(etherIPv4, 12, 16), in(etherARP, 14, 24), in(etherRARP, 14, 24))
	case "ip":
		return in(etherIPv4, 12, 16)
	case "arp":
		return in(etherARP, 14, 24)
	case "rarp":
		return in(etherRARP, 14, 24)
	}
	return c.fail(n.place, "%s has no IPv4 addresses", n.protocol)
}

// host6 compiles an IPv6 address or network.
func (c *compiler) host6(n *primitive, a netip.Addr) *condition {
	length := n.id.length
	switch {
	case n.protocol != "" && n.protocol != "ip6":
		return c.fail(n.place, "%s has no IPv6 addresses", n.protocol)
	case length > 128:
		return c.fail(n.id.place(), "the length of an IPv6 network is at most 128 bits")
	case length < 0:
		length = 128
	case length < 128 && n.kind != "net":
		return c.fail(n.id.place(), "only a net has a length, a %s has none", n.kind)
	}
	if p, err := a.Prefix(length); err != nil || p.Addr() != a {
		return c.fail(n.id.place(), "the address has bits outside of the network")
	}
	b := a.As16()
	at := func(offset uint32) *condition {
		all := always
		for word := range 4 {
			mask := uint32(uint64(0xffffffff) << (32 - min(max(length-32*word, 0), 32)))
			all = and(all, c.net().masked(offset+uint32(4*word), 4, mask, binary.BigEndian.Uint32(b[4*word:])))
		}
		return all
	}
	return and(c.etherType(etherIPv6, n.place), c.direction(n, at(8), at(24)))
}

// direction joins what is asked of the source and of the destination.
func (c *compiler) direction(n *primitive, src, dst *condition) *condition {
	switch n.direction {
	case "src":
		return src
	case "dst":
		return dst
	case "src and dst":
		return and(src, dst)
	case "", "src or dst":
		return or(src, dst)
	}
	return c.fail(n.place, "only IEEE 802.11 addresses have the direction %s", n.direction)
}

// station compiles an Ethernet address.
func (c *compiler) station(n *primitive) *condition {
	mac := ether(n.id.text)
	at := func(src, dst uint32) *condition {
		return and(c.hasLink(), c.direction(n, c.link.bytes(src, mac[:]), c.link.bytes(dst, mac[:])))
	}
	switch c.layer {
	case ethernetLayer:
		return at(6, 0)
	case fddiLayer:
		return at(7, 1)
	case tokenRingLayer:
		return at(8, 2)
	case wifiLayer:
		return c.wifiAddress(n.direction, mac)
	}
	return c.fail(n.place, "the link layer %s has no Ethernet addresses", c.cfg.Link)
}

// stationTo tests the destination of the link layer.
func (c *compiler) stationTo(mac [6]byte) *condition {
	switch c.layer {
	case fddiLayer:
		return c.link.bytes(1, mac[:])
	case tokenRingLayer:
		return c.link.bytes(2, mac[:])
	case wifiLayer:
		return c.wifiAddress("dst", mac)
	}
	return and(c.hasLink(), c.link.bytes(0, mac[:]))
}

// arcnetStation compiles an ARCNET address, "$" and a byte.
func (c *compiler) arcnetStation(n *primitive) *condition {
	if c.layer != arcnetLayer || n.protocol != "ether" || n.kind != "host" {
		return c.fail(n.place, "an address like %s is ARCNET's: it needs its link type, and ether host before it", n.id.text)
	}
	address := hexByte(n.id.text[1:])
	return c.direction(n, c.link.equal(0, 1, address), c.link.equal(1, 1, address))
}

func (c *compiler) arcnetTo(address uint32) *condition { return c.link.equal(1, 1, address) }

// decnet compiles an address of DECnet phase IV, a number or "area.node". Its headers
// are in little-endian order, and of four kinds: short or long, with a padding byte
// before it or not.
func (c *compiler) decnet(n *primitive) *condition {
	address := n.id.number
	if n.id.kind == ipv4Token {
		parts := strings.Split(n.id.text, ".")
		area, err := strconv.ParseUint(parts[0], 10, 6)
		node, err2 := strconv.ParseUint(parts[1], 10, 10)
		if err != nil || err2 != nil {
			return c.fail(n.id.place(), "%s is no area.node of DECnet", n.id.text)
		}
		address = uint32(area<<10 | node)
	}
	address = address&0xff<<8 | address>>8&0xff
	const flags, flagBits, short, long = 2, 0x07, 0x02, 0x06
	net := c.net()
	in := func(shortAt, longAt uint32) *condition {
		unpadded := func(typ uint32) *condition { return net.masked(flags, 1, flagBits, typ) }
		padded := func(typ uint32) *condition { return net.masked(flags, 2, 0xff00|flagBits, 0x8100|typ) }
		return or(
			and(unpadded(short), net.equal(shortAt, 2, address)),
			and(padded(short), net.equal(shortAt+1, 2, address)),
			and(unpadded(long), net.equal(longAt, 2, address)),
			and(padded(long), net.equal(longAt+1, 2, address)))
	}
	return and(c.etherType(etherDECnet, n.place), c.direction(n, in(5, 17), in(3, 9)))
}

// byte compiles the comparison of a byte of the frame.
func (c *compiler) byte(n *special) *condition {
	code := c.link.load(n.args[0].number, 1)
	value := n.args[2].number
	switch n.args[1].text {
	case "<":
		return not(test(code, bpf.JumpGreaterOrEqual, value))
	case ">":
		return test(code, bpf.JumpGreaterThan, value)
	case "&":
		return test(code, bpf.JumpBitsSet, value)
	case "|":
		return not(test(append(code, bpf.ALUOpConstant{Op: bpf.ALUOpOr, Val: value}), bpf.JumpEqual, 0))
	}
	return test(code, bpf.JumpEqual, value)
}
