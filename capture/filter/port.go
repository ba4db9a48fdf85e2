package filter

import (
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// port compiles ports and ranges of them: a list has equal qualifiers.
func (c *compiler) port(list ...*primitive) *condition {
	n := list[0]
	var protocols []uint32
	switch n.protocol {
	case "":
		protocols = []uint32{ipSCTP, ipTCP, ipUDP}
	case "tcp", "udp", "sctp":
		protocols = []uint32{ipProtocols[n.protocol]}
	default:
		return c.fail(n.place, "%s has no ports", n.protocol)
	}
	ranges := make([]portRange, len(list))
	for i, n := range list {
		r, ok := c.portNumbers(n)
		switch {
		case !ok:
			return never
		case r.only == 0:
		case n.protocol == "":
			protocols = []uint32{r.only}
		case r.only != protocols[0]:
			return c.fail(n.id.place(), "%q is no service of %s", n.id.text, n.protocol)
		}
		ranges[i] = r
	}
	at := func(load func(offset uint32, size int) []bpf.Instruction) *condition {
		in := func(offset uint32) *condition {
			any := never
			for _, r := range ranges {
				any = or(any, r.has(load(offset, 2)))
			}
			return any
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

// samePorts gives the ports at the beginning of list that can be asked for together:
// they have equal qualifiers, and their numbers do not bring a protocol of their own.
func samePorts(list []node) []*primitive {
	var same []*primitive
	for _, n := range list {
		p, ok := n.(*primitive)
		if !ok || p.id.kind != numberToken || p.kind != "port" || p.direction == "src and dst" ||
			len(same) > 0 && p.qualifiers != same[0].qualifiers {
			break
		}
		same = append(same, p)
	}
	return same
}

// A portRange has its ends, equal for a single port, and the only protocol that it is
// for, when a service's name stands for one alone.
type portRange struct{ low, high, only uint32 }

// has tests that the port that code loads is one of r.
func (r portRange) has(code []bpf.Instruction) *condition {
	if r.low == r.high {
		return test(code, bpf.JumpEqual, r.low)
	}
	return and(test(code, bpf.JumpGreaterOrEqual, r.low), not(test(code, bpf.JumpGreaterThan, r.high)))
}

// firstFragment tests that an IPv4 packet's fragment offset is 0: only there is a
// transport header.
func (c *compiler) firstFragment() *condition { return c.net().masked(6, 2, 0x1fff, 0) }

// portNumbers is the range that an id stands for.
func (c *compiler) portNumbers(n *primitive) (portRange, bool) {
	i := n.id
	switch i.kind {
	case numberToken:
		if i.number > 65535 {
			c.fail(i.place(), "no port is above 65535")
			return portRange{}, false
		}
		return portRange{i.number, i.number, 0}, true
	case nameToken:
		first, last, isRange := i.text, i.text, false
		if n.kind == "portrange" {
			if first, last, isRange = strings.Cut(i.text, "-"); !isRange {
				last = first
			}
		}
		low, only, ok := c.named(n, first)
		if !ok {
			return portRange{}, false
		}
		high, other, ok := c.named(n, last)
		if only != other {
			only = 0
		}
		return portRange{min(low, high), max(low, high), only}, ok
	}
	c.fail(i.place(), "%s needs a number or the name of a service, not an address", n.kind)
	return portRange{}, false
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
	if n.protocol != "" {
		if port, ok := service(name, n.protocol); ok {
			return uint32(port), 0, true
		}
	}
	tcp, isTCP := service(name, "tcp")
	udp, isUDP := service(name, "udp")
	sctp, isSCTP := service(name, "sctp")
	switch {
	case isTCP && isUDP && tcp == udp:
		return uint32(tcp), 0, true
	case isTCP:
		return uint32(tcp), ipTCP, true
	case isUDP:
		return uint32(udp), ipUDP, true
	case isSCTP:
		return uint32(sctp), ipSCTP, true
	}
	c.fail(n.id.place(), "%q is the name of no service", name)
	return 0, 0, false
}
