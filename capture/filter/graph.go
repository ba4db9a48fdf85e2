package filter

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
)

// A graph is a condition as blocks that lead to one another. Blocks are made from the
// end, so each comes behind those it leads to: in the reverse order of their making
// the program runs forward only, as the kernel demands.
type graph struct {
	blocks []*block
	codes  map[string]int // the numbers of equal codes
}

// A block is a test, or one of the two ends.
type block struct {
	*condition           // nil at an end
	next       [2]*block // where a test leads that is false, and true
	code       int       // number of the condition's code
	accepts    bool      // of an end

	reached bool
	facts   []fact // what every way to the block has found out
	entry   state
	toEnd   int // instructions from the block's first to the end of the program
}

// A fact is the result of a test that was made on the way.
type fact struct {
	code   int
	op     bpf.JumpTest
	value  uint32
	byX    bool
	result bool
}

// maxFacts bounds what is remembered; the newest are the most useful.
const maxFacts = 32

var errTooLong = errors.New("the filter is too long for one program")

// assemble makes the instructions of a condition.
func assemble(c *condition, snap uint32) ([]bpf.Instruction, error) {
	g := &graph{codes: make(map[string]int)}
	reject, accept := g.add(&block{}), g.add(&block{accepts: true})
	root := g.link(c, accept, reject)
	if root == nil {
		return nil, errTooLong
	}
	const passes = 8 // what some leave is a few jumps
	for range passes {
		var changed bool
		if root, changed = g.thread(root); !changed {
			break
		}
		g.collapse()
	}
	if !accept.reached {
		return nil, errors.New("no frame can match this filter")
	}
	if unwritten := g.unwritten(root); len(unwritten) > 0 {
		code := []bpf.Instruction{bpf.LoadConstant{Dst: bpf.RegA, Val: 0}}
		for _, slot := range unwritten {
			code = append(code, bpf.StoreScratch{Src: bpf.RegA, N: slot})
		}
		root = g.add(&block{condition: effect(code...), next: [2]*block{root, root}})
	}
	return g.layOut(root, snap)
}

func (g *graph) add(b *block) *block {
	g.blocks = append(g.blocks, b)
	return b
}

// link makes the blocks of c, which lead to yes and no, and gives the first; nil when
// there are far too many.
func (g *graph) link(c *condition, yes, no *block) *block {
	for yes != nil && no != nil {
		switch c.kind {
		case andCondition:
			yes, c = g.link(c.y, yes, no), c.x
		case orCondition:
			no, c = g.link(c.y, yes, no), c.x
		case notCondition:
			yes, no, c = no, yes, c.x
		case trueCondition:
			return yes
		case falseCondition:
			return no
		default:
			if len(g.blocks) > 8*maxProgram {
				return nil
			}
			return g.add(&block{condition: c, next: [2]*block{no, yes}, code: g.number(c.code)})
		}
	}
	return nil
}

// number gives equal codes equal numbers.
func (g *graph) number(code []bpf.Instruction) int {
	key := fmt.Sprint(code)
	n, ok := g.codes[key]
	if !ok {
		n = len(g.codes) + 1
		g.codes[key] = n
	}
	return n
}

// thread leads every way past the tests whose results are known on it, and reports
// whether that changed anything. It gives the new first block.
func (g *graph) thread(root *block) (*block, bool) {
	for _, b := range g.blocks {
		b.reached, b.facts = false, nil
	}
	changed := false
	first := follow(root, nil)
	first.reached = true
	for i := len(g.blocks) - 1; i >= 0; i-- {
		b := g.blocks[i]
		if !b.reached || b.condition == nil {
			continue
		}
		for side, to := range b.next {
			if b.effect && side == 0 {
				continue // it only leads one way
			}
			facts := b.learn(side == 1)
			next := follow(to, facts)
			if next != to {
				b.next[side], changed = next, true
			}
			next.meet(facts)
		}
	}
	return first, changed || first != root
}

// collapse leads every way past the tests that lead to one place whatever their
// result, from the end on: what is before such a test may become one.
func (g *graph) collapse() {
	for _, b := range g.blocks {
		if b.condition == nil {
			continue
		}
		for side := range b.next {
			b.next[side] = follow(b.next[side], nil)
		}
	}
}

// follow is where a way with facts really leads from b on.
func follow(b *block, facts []fact) *block {
	for b.condition != nil && !b.effect {
		if b.next[0] == b.next[1] {
			b = b.next[0]
			continue
		}
		result, known := b.decide(facts)
		if !known {
			break
		}
		b = b.next[index(result)]
	}
	return b
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// decide reports what facts say about the test of b.
func (b *block) decide(facts []fact) (result, known bool) {
	for _, f := range facts {
		switch {
		case f.code != b.code:
		case f.op == b.op && f.value == b.value && f.byX == b.byX:
			return f.result, true
		case f.op == bpf.JumpEqual && f.result && !f.byX && !b.byX:
			return jumps(b.op, f.value, b.value), true
		}
	}
	return false, false
}

// learn gives the facts behind b when its test has a result. Effects make facts about
// the scratch memory they write to void.
func (b *block) learn(result bool) []fact {
	if b.effect {
		return nil
	}
	facts := b.facts
	if len(facts) == maxFacts {
		facts = facts[1:]
	}
	return append(facts[:len(facts):len(facts)], fact{b.code, b.op, b.value, b.byX, result})
}

// meet keeps the facts that all ways to b agree about.
func (b *block) meet(facts []fact) {
	if !b.reached {
		b.reached, b.facts = true, facts
		return
	}
	var both []fact
	for _, f := range b.facts {
		for _, g := range facts {
			if f == g {
				both = append(both, f)
				break
			}
		}
	}
	b.facts = both
}

// unwritten gives the slots of scratch memory that some way from root reads before it
// writes them, which the kernel allows none: in "geneve or tcp" the second word looks
// where the first would have said.
func (g *graph) unwritten(root *block) []int {
	var slots []int
	written := map[*block]uint{root: 0}
	for i := len(g.blocks) - 1; i >= 0; i-- {
		b := g.blocks[i]
		w, reached := written[b]
		if !reached || b.condition == nil {
			continue
		}
		for _, in := range b.condition.code {
			switch in := in.(type) {
			case bpf.LoadScratch:
				if w&(1<<in.N) == 0 && !slices.Contains(slots, in.N) {
					slots = append(slots, in.N)
				}
			case bpf.StoreScratch:
				w |= 1 << in.N
			}
		}
		for side, next := range b.next {
			if b.effect && side == 0 {
				continue // it only leads one way
			}
			before, seen := written[next]
			if !seen {
				before = w
			}
			written[next] = before & w
		}
	}
	return slots
}
