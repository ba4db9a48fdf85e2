package filter

import (
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
)

// A state is what the registers hold where a block begins, as numbers of codes; 0 is
// unknown. Known is false until a way to the block has been seen.
type state struct {
	known bool
	a, x  int
}

// layOut gives the instructions of the blocks that are reached from root. It writes
// from the end, so that the targets of every jump are known.
func (g *graph) layOut(root *block, snap uint32) ([]bpf.Instruction, error) {
	g.findStates(root)
	var out []bpf.Instruction // in reverse order
	for _, b := range g.blocks {
		if !b.entry.known {
			continue
		}
		switch {
		case b.condition == nil:
			value := uint32(0)
			if b.accepts {
				value = snap
			}
			out = append(out, bpf.RetConstant{Val: value})
		case b.effect:
			if to := len(out) - b.next[1].toEnd; to > 0 {
				out = append(out, bpf.Jump{Skip: uint32(to)})
			}
		default:
			out = appendJump(out, b)
		}
		if b.condition != nil {
			code := b.condition.code[b.kept(g):]
			for i := len(code) - 1; i >= 0; i-- {
				out = append(out, code[i])
			}
		}
		b.toEnd = len(out)
	}
	if len(out) > maxProgram {
		return nil, fmt.Errorf("the filter needs %d instructions, the kernel takes no more than %d", len(out), maxProgram)
	}
	slices.Reverse(out)
	return out, nil
}

// appendJump writes the jump of b, in reverse order. It reaches no further than 255
// instructions, so that some need a jump without a condition on their way.
func appendJump(out []bpf.Instruction, b *block) []bpf.Instruction {
	const far = 255
	yes, no := b.next[1].toEnd, b.next[0].toEnd
	if n := len(out) - yes; n > far-1 {
		out = append(out, bpf.Jump{Skip: uint32(n)})
		yes = len(out)
	}
	if n := len(out) - no; n > far {
		out = append(out, bpf.Jump{Skip: uint32(n)})
		no = len(out)
	}
	skipYes, skipNo := uint8(len(out)-yes), uint8(len(out)-no)
	if b.byX {
		return append(out, bpf.JumpIfX{Cond: b.op, SkipTrue: skipYes, SkipFalse: skipNo})
	}
	return append(out, bpf.JumpIf{Cond: b.op, Val: b.value, SkipTrue: skipYes, SkipFalse: skipNo})
}

// findStates finds out what the registers hold where each block begins.
func (g *graph) findStates(root *block) {
	root.entry.known = true
	for i := len(g.blocks) - 1; i >= 0; i-- {
		b := g.blocks[i]
		if !b.entry.known || b.condition == nil {
			continue
		}
		after := b.after(g)
		b.next[1].entry.meet(after)
		if !b.effect { // which only leads one way
			b.next[0].entry.meet(after)
		}
	}
}

// meet keeps what s and another way's state have in common.
func (s *state) meet(other state) {
	switch {
	case !s.known:
		*s = other
		return
	case s.a != other.a:
		s.a = 0
	}
	if s.x != other.x {
		s.x = 0
	}
}

// kept is how many instructions of b's code can be left out at its beginning, because
// the registers hold their results.
func (b *block) kept(g *graph) int {
	if b.effect {
		return 0
	}
	if b.entry.a == b.code {
		return len(b.condition.code)
	}
	if x := g.firstX(b); x != 0 && x == b.entry.x {
		return 1
	}
	return 0
}

// firstX is the number of the first instruction of b's code when that sets register
// X and no other does; else 0.
func (g *graph) firstX(b *block) int {
	x := 0
	for i, in := range b.condition.code {
		switch in := in.(type) {
		case bpf.LoadMemShift:
			x++
		case bpf.LoadScratch:
			if in.Dst == bpf.RegX {
				x++
			}
		case bpf.LoadConstant:
			if in.Dst == bpf.RegX {
				x++
			}
		case bpf.TAX:
			x++
		}
		if i == 0 && x == 0 || x > 1 {
			return 0
		}
	}
	if x == 0 {
		return 0
	}
	return g.number(b.condition.code[:1])
}

// after is what the registers hold behind b.
func (b *block) after(g *graph) state {
	if b.effect {
		return state{known: true}
	}
	if b.entry.a == b.code {
		return b.entry
	}
	x := b.entry.x
	if g.setsX(b) {
		x = g.firstX(b)
	}
	return state{known: true, a: b.code, x: x}
}

// setsX reports whether b's code changes register X.
func (g *graph) setsX(b *block) bool {
	return slices.ContainsFunc(b.condition.code, func(in bpf.Instruction) bool {
		switch in := in.(type) {
		case bpf.LoadMemShift, bpf.TAX:
			return true
		case bpf.LoadScratch:
			return in.Dst == bpf.RegX
		case bpf.LoadConstant:
			return in.Dst == bpf.RegX
		}
		return false
	})
}
