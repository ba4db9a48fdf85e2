package filter

import (
	"strings"

	"golang.org/x/net/bpf"
)

// Names of what a packet filter did and why.
var (
	pflogReasons = map[string]uint32{
		"match": 0, "bad-offset": 1, "fragment": 2, "short": 3, "normalize": 4, "memory": 5, "bad-timestamp": 6,
		"congestion": 7, "ip-option": 8, "proto-cksum": 9, "state-mismatch": 10, "state-insert": 11,
		"state-limit": 12, "src-limit": 13, "synproxy": 14,
	}
	pflogActions = map[string]uint32{
		"pass": 0, "accept": 0, "drop": 1, "block": 1, "scrub": 2, "noscrub": 3, "nat": 4, "nonat": 5,
		"binat": 6, "nobinat": 7, "rdr": 8, "nordr": 9,
	}
)

// pflogPrologue stores the length of the packet filter's header, which its first byte
// has without the padding.
func (c *compiler) pflogPrologue(body *condition) *condition {
	const slot = 0
	if !body.reads(slot) {
		return always
	}
	return effect(
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 3},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xfc},
		bpf.StoreScratch{Src: bpf.RegA, N: slot})
}

// pflog compiles the words about the packet filter's header.
func (c *compiler) pflog(n *special) *condition {
	if c.layer != pflogLayer {
		return c.fail(n.place, "only frames of link type PFLOG have what %s asks for", n.word)
	}
	const nameSize = 16
	arg := n.args[0]
	switch n.word {
	case "ifname", "ruleset":
		if len(arg.text) >= nameSize {
			return c.fail(arg.place(), "a name here has at most %d bytes", nameSize-1)
		}
		if n.word == "ifname" {
			return c.link.bytes(4, []byte(arg.text))
		}
		return c.link.bytes(20, []byte(arg.text))
	case "rnr":
		return c.link.equal(36, 4, arg.number)
	case "srnr":
		return c.link.equal(40, 4, arg.number)
	case "reason":
		reason, ok := pflogReasons[strings.ToLower(arg.text)]
		if arg.kind == numberToken {
			reason, ok = arg.number, true
		}
		if !ok {
			return c.fail(arg.place(), "%q is no reason", arg.text)
		}
		return c.link.equal(3, 1, reason)
	}
	action, ok := pflogActions[strings.ToLower(arg.text)]
	if !ok {
		return c.fail(arg.place(), "%q is no action", arg.text)
	}
	return c.link.equal(2, 1, action)
}
