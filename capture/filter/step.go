package filter

import "golang.org/x/net/bpf"

// A step is an instruction as Match runs it. Most of a filter is "load, mask, compare,
// jump", which is one step.
type step struct {
	op      stepOp
	alu     uint8  // of a calculation: bpf.ALUOp without its lowest four bits, which are 0
	yes, no uint16 // the next step of a comparison; yes that of a jump
	k       uint32 // offset, constant, or slot of the scratch memory

	// Of a load with a comparison: what is kept of the loaded in register A, and which
	// bits of it are compared with value.
	keep, mask, value uint32
}

type stepOp uint8

const (
	failStep stepOp = iota // asks for what is not in a frame
	rejectStep
	acceptStep

	// Loads, of 1, 2 and 4 bytes in this order everywhere.
	loadByte
	loadHalf
	loadWord
	indirectByte
	indirectHalf
	indirectWord
	loadHeaderLength // X = 4 * (byte & 15)
	loadLength
	loadConstant // each of these has its sister for X behind it
	loadConstantX
	loadScratch
	loadScratchX
	storeScratch
	storeScratchX
	moveToX
	moveToA

	// Loads with a comparison.
	testByte
	testHalf
	testWord
	testIndirectByte
	testIndirectHalf
	testIndirectWord

	jump
	equal
	greater
	greaterOrEqual
	bitsSet
	equalX
	greaterX
	greaterOrEqualX
	bitsSetX
	calculate
	calculateX
)

// translate makes the steps of instructions.
func (p *Program) translate(instructions []bpf.Instruction) {
	p.steps = make([]step, len(instructions))
	for i, in := range instructions {
		p.steps[i] = p.step(in, i)
	}
	// A way to an end is the end: numbers that no step has.
	for i := range p.steps {
		s := &p.steps[i]
		s.yes, s.no = p.end(s.yes), p.end(s.no)
	}
	for i := range p.steps {
		p.steps[i].join(p.steps[i+1:])
	}
}

// join makes a load and the comparison behind it one step. The comparison stays where
// it is, for the ways that come to it with the loaded value already.
func (s *step) join(behind []step) {
	const all = 0xffffffff
	if s.op < loadByte || s.op > indirectWord || len(behind) < 2 {
		return
	}
	joined := *s
	joined.keep, joined.mask = all, all
	test := behind[0]
	if test.op == calculate && bpf.ALUOp(test.alu)<<4 == bpf.ALUOpAnd {
		joined.keep, joined.mask, test = test.k, test.k, behind[1]
	}
	switch {
	case test.op == equal:
		joined.value, joined.yes, joined.no = test.k, test.yes, test.no
	case test.op == bitsSet:
		joined.mask &= test.k
		joined.yes, joined.no = test.no, test.yes // none of them equals 0
	default:
		return
	}
	joined.op += testByte - loadByte
	*s = joined
}

// Steps that are no steps but ends.
const (
	rejected = 0xfffe
	accepted = 0xffff
)

// end is the end that step i is, or i.
func (p *Program) end(i uint16) uint16 {
	switch p.steps[i].op {
	case acceptStep:
		return accepted
	case rejectStep:
		return rejected
	}
	return i
}

// step is the instruction at a place of the program.
func (p *Program) step(in bpf.Instruction, at int) step {
	sized := func(op stepOp, size int) stepOp { return op + stepOp(size>>1) }
	sister := func(op stepOp, r bpf.Register) stepOp {
		if r == bpf.RegX {
			return op + 1
		}
		return op
	}
	target := func(skip uint32) uint16 { return uint16(at + 1 + int(skip)) }
	comparison := func(cond bpf.JumpTest, yes, no uint8) step {
		s := step{op: equal, yes: target(uint32(yes)), no: target(uint32(no))}
		switch cond {
		case bpf.JumpGreaterThan:
			s.op = greater
		case bpf.JumpGreaterOrEqual:
			s.op = greaterOrEqual
		case bpf.JumpBitsSet:
			s.op = bitsSet
		}
		return s
	}
	switch in := in.(type) {
	case bpf.RetConstant:
		if in.Val != 0 {
			return step{op: acceptStep}
		}
		return step{op: rejectStep}
	case bpf.LoadAbsolute:
		return step{op: sized(loadByte, in.Size), k: in.Off}
	case bpf.LoadIndirect:
		return step{op: sized(indirectByte, in.Size), k: in.Off}
	case bpf.LoadMemShift:
		return step{op: loadHeaderLength, k: in.Off}
	case bpf.LoadExtension:
		if in.Num == bpf.ExtLen {
			return step{op: loadLength}
		}
	case bpf.LoadConstant:
		return step{op: sister(loadConstant, in.Dst), k: in.Val}
	case bpf.LoadScratch:
		p.scratch = true
		return step{op: sister(loadScratch, in.Dst), k: uint32(in.N)}
	case bpf.StoreScratch:
		p.scratch = true
		return step{op: sister(storeScratch, in.Src), k: uint32(in.N)}
	case bpf.TAX:
		return step{op: moveToX}
	case bpf.TXA:
		return step{op: moveToA}
	case bpf.Jump:
		return step{op: jump, yes: target(in.Skip)}
	case bpf.JumpIf:
		s := comparison(in.Cond, in.SkipTrue, in.SkipFalse)
		s.k = in.Val
		return s
	case bpf.JumpIfX:
		s := comparison(in.Cond, in.SkipTrue, in.SkipFalse)
		s.op += equalX - equal
		return s
	case bpf.ALUOpConstant:
		return step{op: calculate, alu: uint8(in.Op >> 4), k: in.Val}
	case bpf.ALUOpX:
		return step{op: calculateX, alu: uint8(in.Op >> 4)}
	}
	return step{op: failStep}
}
