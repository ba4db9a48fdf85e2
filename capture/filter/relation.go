package filter

import "golang.org/x/net/bpf"

// A calculation is code that leaves a number in register A, and what has to be true
// of the frame before it can run.
type calculation struct {
	code     []bpf.Instruction
	check    *condition
	constant bool // the number is value, and there is no code
	value    uint32
}

// relation compiles a comparison.
func (c *compiler) relation(n *relation) *condition {
	x := c.number(n.x, c.slots)
	y := c.number(n.y, c.slots+1)
	if c.err != nil {
		return never
	}
	var op bpf.JumpTest
	var reverse bool
	switch n.op {
	case "=":
		op = bpf.JumpEqual
	case "!=":
		op, reverse = bpf.JumpEqual, true
	case ">":
		op = bpf.JumpGreaterThan
	case ">=":
		op = bpf.JumpGreaterOrEqual
	case "<":
		op, reverse = bpf.JumpGreaterOrEqual, true
	case "<=":
		op, reverse = bpf.JumpGreaterThan, true
	}
	var is *condition
	switch {
	case x.constant && y.constant:
		is = truth(jumps(op, x.value, y.value))
	case y.constant:
		is = test(x.load(), op, y.value)
	default:
		is = &condition{code: c.both(x, y, c.slots, n.place), op: op, byX: true}
	}
	if reverse {
		is = not(is)
	}
	return and(x.check, y.check, is)
}

// jumps reports whether a test of x with y is true.
func jumps(op bpf.JumpTest, x, y uint32) bool {
	switch op {
	case bpf.JumpEqual:
		return x == y
	case bpf.JumpGreaterThan:
		return x > y
	case bpf.JumpGreaterOrEqual:
		return x >= y
	}
	return x&y != 0 // bpf.JumpBitsSet: there are no others
}

func known(value uint32) calculation { return calculation{check: always, constant: true, value: value} }

// load leaves the number in register A.
func (x calculation) load() []bpf.Instruction {
	if x.constant {
		return []bpf.Instruction{bpf.LoadConstant{Dst: bpf.RegA, Val: x.value}}
	}
	return x.code
}

// both leaves x in register A and y in X. Slot is for x meanwhile; y's own code may
// use the slots above.
func (c *compiler) both(x, y calculation, slot int, at place) []bpf.Instruction {
	var code []bpf.Instruction
	if y.constant {
		return append(append(code, x.load()...), bpf.LoadConstant{Dst: bpf.RegX, Val: y.value})
	}
	if slot >= scratchSlots {
		c.fail(at, "the calculation needs more than the %d numbers that can be kept at a time", scratchSlots)
		return nil
	}
	code = append(code, x.load()...)
	code = append(code, bpf.StoreScratch{Src: bpf.RegA, N: slot})
	code = append(code, y.load()...)
	return append(code, bpf.TAX{}, bpf.LoadScratch{Dst: bpf.RegA, N: slot})
}

// number compiles a number; its code may use the scratch slots from free on.
func (c *compiler) number(n number, free int) calculation {
	if c.err != nil {
		return known(0)
	}
	switch n := n.(type) {
	case constant:
		return known(n.value)
	case length:
		return calculation{code: wireLength, check: always}
	case negative:
		x := c.number(n.x, free)
		if x.constant {
			x.value = -x.value
			return x
		}
		// The kernel has an instruction for it, x/net/bpf's machine has not.
		x.code = append(x.code[:len(x.code):len(x.code)],
			bpf.ALUOpConstant{Op: bpf.ALUOpXor, Val: 0xffffffff}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 1})
		return x
	case *operation:
		return c.operation(n, free)
	case *field:
		return c.field(n, free)
	}
	c.fail(place{}, "this cannot be computed")
	return known(0)
}

var operators = map[string]bpf.ALUOp{
	"+": bpf.ALUOpAdd, "-": bpf.ALUOpSub, "*": bpf.ALUOpMul, "/": bpf.ALUOpDiv, "%": bpf.ALUOpMod,
	"&": bpf.ALUOpAnd, "|": bpf.ALUOpOr, "^": bpf.ALUOpXor, "<<": bpf.ALUOpShiftLeft, ">>": bpf.ALUOpShiftRight,
}

// operation compiles an operator. Only the checks of its left operand count, which is an
// old slip of libpcap's that filters have been written around: in "len - tcp[12]"
// nothing asks for TCP.
func (c *compiler) operation(n *operation, free int) calculation {
	x := c.number(n.x, free)
	y := c.number(n.y, free+1)
	if c.err != nil {
		return known(0)
	}
	op := operators[n.op]
	if y.constant {
		switch {
		case y.value == 0 && (op == bpf.ALUOpDiv || op == bpf.ALUOpMod):
			c.fail(n.place, "division by zero")
			return known(0)
		case y.value > 31 && (op == bpf.ALUOpShiftLeft || op == bpf.ALUOpShiftRight):
			c.fail(n.place, "a shift by more than 31 bits")
			return known(0)
		case x.constant:
			return calculation{constant: true, value: compute(op, x.value, y.value), check: x.check}
		case y.value == 0 && (op == bpf.ALUOpMul || op == bpf.ALUOpAnd):
			return calculation{constant: true, check: x.check} // 0, whatever x is
		}
		code := append(x.code[:len(x.code):len(x.code)], bpf.ALUOpConstant{Op: op, Val: y.value})
		return calculation{code: code, check: x.check}
	}
	if x.constant && x.value == 0 {
		switch op {
		case bpf.ALUOpMul, bpf.ALUOpDiv, bpf.ALUOpMod, bpf.ALUOpAnd, bpf.ALUOpShiftLeft, bpf.ALUOpShiftRight:
			return known(0)
		}
	}
	return calculation{code: append(c.both(x, y, free, n.place), bpf.ALUOpX{Op: op}), check: x.check}
}

// compute is what the operator makes of constants. A divisor is not 0.
func compute(op bpf.ALUOp, x, y uint32) uint32 {
	switch op {
	case bpf.ALUOpAdd:
		return x + y
	case bpf.ALUOpSub:
		return x - y
	case bpf.ALUOpMul:
		return x * y
	case bpf.ALUOpDiv:
		return x / y
	case bpf.ALUOpMod:
		return x % y
	case bpf.ALUOpAnd:
		return x & y
	case bpf.ALUOpOr:
		return x | y
	case bpf.ALUOpXor:
		return x ^ y
	case bpf.ALUOpShiftLeft:
		return x << y
	}
	return x >> y // bpf.ALUOpShiftRight: there are no others
}

// field compiles bytes of a header.
func (c *compiler) field(n *field, free int) calculation {
	index := c.number(n.index, free)
	at, check, behind4 := c.net(), always, false
	switch n.protocol {
	case "ether":
		at = c.link
	case "radio":
		if c.outer != wifiLayer || !c.link.variable {
			c.fail(n.place, "frames of link type %s say nothing about the radio", c.cfg.Link)
			return known(0)
		}
		at = origin{}
	case "ip", "ip6", "arp", "rarp", "atalk", "decnet", "lat", "sca", "moprc", "mopdl":
		check = c.protocol(n.protocol, n.place)
	case "tcp", "udp", "sctp", "icmp", "igmp", "igrp", "pim", "vrrp", "carp":
		// Of IPv4 only, and of the fragment that has the header.
		is := c.net().equal(9, 1, transports[n.protocol])
		check, behind4 = and(c.etherType(etherIPv4, n.place), index.check, is, c.firstFragment()), true
	case "icmp6":
		const hlen = 40
		check = and(c.etherType(etherIPv6, n.place), c.net().equal(6, 1, ipICMPv6))
		at = at.plus(hlen)
	default:
		c.fail(n.place, "%s has no bytes to ask for", n.protocol)
		return known(0)
	}
	if !behind4 {
		check = and(index.check, check)
	}
	size := int(n.size)
	switch {
	case behind4 && index.constant:
		return calculation{code: c.transport4(index.value, size), check: check}
	case index.constant:
		return calculation{code: at.load(index.value, size), check: check}
	}
	code := append([]bpf.Instruction(nil), index.load()...)
	switch {
	case behind4:
		if free >= scratchSlots {
			c.fail(n.place, "the calculation needs more than the %d numbers that can be kept at a time", scratchSlots)
			return known(0)
		}
		code = append(code, bpf.StoreScratch{Src: bpf.RegA, N: free})
		code = append(code, c.headerLength4()...)
		code = append(code, bpf.LoadScratch{Dst: bpf.RegA, N: free}, bpf.ALUOpX{Op: bpf.ALUOpAdd})
	case at.variable:
		code = append(code, bpf.LoadScratch{Dst: bpf.RegX, N: at.slot}, bpf.ALUOpX{Op: bpf.ALUOpAdd})
	}
	return calculation{code: append(code, bpf.TAX{}, bpf.LoadIndirect{Off: at.offset, Size: size}), check: check}
}

// transports are the protocols that a field can be of.
var transports = map[string]uint32{
	"icmp": 1, "igmp": 2, "tcp": ipTCP, "igrp": 9, "udp": ipUDP, "pim": 103, "vrrp": 112, "carp": 112, "sctp": ipSCTP,
}
