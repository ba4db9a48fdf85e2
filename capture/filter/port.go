package filter

import (
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// port compiles ports and ranges of them.
func (c *compiler) port(n *primitive) *condition {
	var protocols []uint32
	switch n.protocol {
	case "":
		protocols = []uint32{ipSCTP, ipTCP, ipUDP}
	case "tcp", "udp", "sctp":
		protocols = []uint32{ipProtocols[n.protocol]}
	default:
		return c.fail(n.place, "%s has no ports", n.protocol)
	}
	low, high, only, ok := c.portNumbers(n)
	if !ok {
		return never
	}
	if only != 0 {
		protocols = []uint32{only}
	}
	at := func(load func(offset uint32, size int) []bpf.Instruction) *condition {
		in := func(offset uint32) *condition {
			code := load(offset, 2)
			if low == high && n.kind == "port" {
				return test(code, bpf.JumpEqual, low)
			}
			return and(test(code, bpf.JumpGreaterOrEqual, low), not(test(code, bpf.JumpGreaterThan, high)))
		}
		return c.direction(n, in(0), in(2))
	}
	one := func(offset uint32) *condition {
		any := never
		for _, p := range protocols {
			any = or(any, c.net().equal(offset, 1, p))
		}
		return any
	}
	const hlen6 = 40
	in6 := and(c.etherType(etherIPv6, n.place), one(6), at(c.net().plus(hlen6).load))
	in4 := and(c.etherType(etherIPv4, n.place), one(9), c.firstFragment(), at(c.transport4))
	return or(in6, in4)
}

// firstFragment tests that an IPv4 packet's fragment offset is 0: only there is a
// transport header.
func (c *compiler) firstFragment() *condition { return c.net().masked(6, 2, 0x1fff, 0) }

// portNumbers are the ends of a range, equal for a single port, and the protocol that
// a service's name stands for, when it is one alone.
func (c *compiler) portNumbers(n *primitive) (low, high, only uint32, ok bool) {
	i := n.id
	switch i.kind {
	case numberToken:
		if i.number > 65535 {
			c.fail(i.place(), "no port is above 65535")
			return 0, 0, 0, false
		}
		return i.number, i.number, 0, true
	case nameToken:
		first, last, isRange := i.text, i.text, false
		if n.kind == "portrange" {
			if first, last, isRange = strings.Cut(i.text, "-"); !isRange {
				last = first
			}
		}
		low, only, ok = c.named(n, first)
		if !ok {
			return 0, 0, 0, false
		}
		high, other, ok := c.named(n, last)
		if only != other {
			only = 0
		}
		return min(low, high), max(low, high), only, ok
	}
	c.fail(i.place(), "%s needs a number or the name of a service, not an address", n.kind)
	return 0, 0, 0, false
}

// named is the port that a number or a service's name stands for, and its protocol
// when the name has only one.
func (c *compiler) named(n *primitive, name string) (port, only uint32, ok bool) {
	if number, err := strconv.ParseUint(name, 10, 16); err == nil {
		return uint32(number), 0, true
	}
	service := c.cfg.Service
	if service == nil {
		service = func(string, string) (uint16, bool) { return 0, false }
	}
	tcp, isTCP := service(name, "tcp")
	udp, isUDP := service(name, "udp")
	sctp, isSCTP := service(name, "sctp")
	switch {
	case n.protocol == "tcp" && isTCP:
		return uint32(tcp), 0, true
	case n.protocol == "udp" && isUDP:
		return uint32(udp), 0, true
	case n.protocol == "sctp" && isSCTP:
		return uint32(sctp), 0, true
	case isTCP && isUDP && tcp == udp && (n.protocol == "" || n.protocol == "sctp"):
		return uint32(tcp), 0, true
	case n.protocol != "" && (isTCP || isUDP || isSCTP):
		c.fail(n.id.place(), "%q is no service of %s", name, n.protocol)
	case isTCP:
		return uint32(tcp), ipTCP, true
	case isUDP:
		return uint32(udp), ipUDP, true
	case isSCTP:
		return uint32(sctp), ipSCTP, true
	default:
		c.fail(n.id.place(), "%q is the name of no service", name)
	}
	return 0, 0, false
}

func lower(s string) string { return strings.ToLower(s) }

// hexByte is the value of one or two hexadecimal digits.
func hexByte(s string) uint32 {
	n, _ := strconv.ParseUint(s, 16, 8)
	return uint32(n)
}
