package filter

import (
	"fmt"
	"slices"

	"golang.org/x/net/bpf"

	"sockscope/capture"
)

// A Config says for which frames a filter is compiled. The zero value is for whole
// BSD loopback frames of a file, so Link at least needs a value.
type Config struct {
	Link       capture.LinkType
	SnapLength uint32 // what the program returns for a match; 0 means 262,144

	// Live is for a program that the kernel runs on a packet socket: there the outer
	// VLAN tag, the direction and the interface are not in the frame but beside it.
	// Match cannot run such a program when it asks for one of them.
	Live bool

	// Netmask is that of the interface, for "ip broadcast"; 0 means that none is
	// known, and then only 0.0.0.0 and 255.255.255.255 are broadcast.
	Netmask uint32

	Service Service // the ports that have names; nil means that none has
}

// A Service gives the port that a service's name stands for with a transport, "tcp",
// "udp" or "sctp".
type Service func(name, transport string) (port uint16, ok bool)

const maxSnapLength = 262_144 // as libpcap has it

// Compile makes the program for frames of cfg.Link. An error is an *Error.
func (f *Filter) Compile(cfg Config) (*Program, error) {
	if cfg.SnapLength == 0 {
		cfg.SnapLength = maxSnapLength
	}
	c := compiler{cfg: cfg, text: f.text}
	c.start()
	condition := always
	if f.root != nil {
		condition = c.condition(f.root)
	}
	condition = and(c.prologue(condition), condition)
	if c.err != nil {
		return nil, c.err
	}
	instructions, err := assemble(condition, cfg.SnapLength)
	if err != nil {
		return nil, &Error{Message: err.Error()}
	}
	return newProgram(instructions)
}

// A compiler turns a tree into a condition, from left to right: words like "vlan"
// move the places of the headers for all that follows.
type compiler struct {
	cfg  Config
	text string
	err  *Error

	headers
	outer linkLayer // what the frame begins with
	slots int       // of scratch memory that are taken for good; arithmetic has the others
}

// fail keeps the first error.
func (c *compiler) fail(at place, format string, args ...any) *condition {
	if c.err == nil {
		c.err = &Error{Text: c.text, Start: at.start, End: at.end, Message: fmt.Sprintf(format, args...)}
	}
	return never
}

// slot takes a slot of scratch memory for good.
func (c *compiler) slot(at place) int {
	if c.slots == scratchSlots {
		c.fail(at, "too many layers inside one another")
		return 0
	}
	c.slots++
	return c.slots - 1
}

const scratchSlots = 16 // of BPF's memory

// condition compiles a node.
func (c *compiler) condition(n node) *condition {
	if c.err != nil {
		return never
	}
	switch n := n.(type) {
	case *logic:
		return c.logic(n)
	case *negation:
		return not(c.condition(n.x))
	case *primitive:
		return c.primitive(n)
	case *protocol:
		return c.protocol(n.name, n.place)
	case *relation:
		return c.relation(n)
	case *special:
		return c.special(n)
	}
	return c.fail(place{}, "this cannot be compiled")
}

// logic compiles a chain of "and" or of "or". Ports that stand next to one another in
// an "or" are asked for together: the protocol is looked at once.
func (c *compiler) logic(n *logic) *condition {
	operands := []node{n.y}
	first := n.x
	for l, ok := first.(*logic); ok && l.or == n.or; l, ok = first.(*logic) {
		operands, first = append(operands, l.y), l.x
	}
	operands = append(operands, first)
	slices.Reverse(operands)
	all := always
	if n.or {
		all = never
	}
	for len(operands) > 0 && c.err == nil {
		ports := samePorts(operands)
		switch {
		case n.or && len(ports) > 1:
			all, operands = or(all, c.port(ports...)), operands[len(ports):]
			continue
		case n.or:
			all = or(all, c.condition(operands[0]))
		default:
			all = and(all, c.condition(operands[0]))
		}
		operands = operands[1:]
	}
	return all
}

// primitive compiles an id with its qualifiers.
func (c *compiler) primitive(n *primitive) *condition {
	switch n.kind {
	case "port", "portrange":
		return c.port(n)
	case "proto", "protochain":
		return c.proto(n)
	case "gateway":
		return c.fail(n.place, "gateway needs to look names up, which is never done: use ether host MAC and not host ADDRESS")
	}
	return c.host(n)
}

// special compiles a word with a form of its own.
func (c *compiler) special(n *special) *condition {
	number := uint32(0)
	if len(n.args) > 0 {
		number = n.args[0].number
	}
	switch n.word {
	case "broadcast":
		return c.broadcast(n)
	case "multicast":
		return c.multicast(n)
	case "less":
		return not(test(wireLength, bpf.JumpGreaterThan, number))
	case "greater":
		return test(wireLength, bpf.JumpGreaterOrEqual, number)
	case "byte":
		return c.byte(n)
	case "inbound", "outbound":
		return c.bound(n)
	case "ifindex":
		return c.ifindex(n)
	case "vlan":
		return c.vlan(n)
	case "mpls":
		return c.mpls(n)
	case "pppoed":
		return c.etherType(etherPPPoED, n.place)
	case "pppoes":
		return c.pppoes(n)
	case "geneve":
		return c.geneve(n)
	case "llc":
		return c.llc(n)
	case "type", "subtype", "dir":
		return c.frameType(n)
	}
	return c.pflog(n)
}

var wireLength = []bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtLen}}
