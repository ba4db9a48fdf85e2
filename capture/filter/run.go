package filter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
)

// A step is an instruction as Match runs it. Most of a filter is "load, compare,
// jump": that is one step.
type step struct {
	op      stepOp
	test    bpf.JumpTest
	k       uint32 // offset, constant or slot
	value   uint32 // that a load is compared with
	yes, no uint16 // the next step of a comparison
}

type stepOp uint8

const (
	returnStep stepOp = iota
	byteEqual         // load from a fixed offset and compare
	halfEqual
	wordEqual
	loadByte
	loadHalf
	loadWord
	indirectByte
	indirectHalf
	indirectWord
	headerLength // X = 4 * (byte & 15)
	loadLength
	loadConstant
	loadConstantX
	loadScratch
	loadScratchX
	storeScratch
	storeScratchX
	copyToX
	copyToA
	negate
	jump
	compare
	compareX
	calculate
	calculateX
	failStep // what is not in a frame
)

// translate makes the steps.
func (p *Program) translate(instructions []bpf.Instruction) {
	// A load that is always followed by its comparison is one step with it. Where it
	// begins stays where it was; the comparison's own step stays too, for jumps to it.
	p.steps = make([]step, len(instructions))
	for i, in := range instructions {
		p.steps[i] = p.step(in, i)
	}
	for i := len(p.steps) - 2; i >= 0; i-- {
		s, next := &p.steps[i], p.steps[i+1]
		if s.op >= loadByte && s.op <= loadWord && next.op == compare && next.test == bpf.JumpEqual {
			s.op -= loadByte - byteEqual
			s.value, s.yes, s.no = next.k, next.yes, next.no
		}
	}
}

func (p *Program) step(in bpf.Instruction, at int) step {
	sized := func(op stepOp, size int) stepOp { return op + stepOp(size>>1) } // 1, 2, 4 → 0, 1, 2
	target := func(skip int) uint16 { return uint16(at + 1 + skip) }
	toX := func(r bpf.Register, op stepOp) stepOp {
		if r == bpf.RegX {
			return op + 1
		}
		return op
	}
	switch in := in.(type) {
	case bpf.RetConstant:
		return step{op: returnStep, k: in.Val}
	case bpf.LoadAbsolute:
		return step{op: sized(loadByte, in.Size), k: in.Off}
	case bpf.LoadIndirect:
		return step{op: sized(indirectByte, in.Size), k: in.Off}
	case bpf.LoadMemShift:
		return step{op: headerLength, k: in.Off}
	case bpf.LoadExtension:
		if in.Num == bpf.ExtLen {
			return step{op: loadLength}
		}
	case bpf.LoadConstant:
		return step{op: toX(in.Dst, loadConstant), k: in.Val}
	case bpf.LoadScratch:
		p.scratch = true
		return step{op: toX(in.Dst, loadScratch), k: uint32(in.N)}
	case bpf.StoreScratch:
		p.scratch = true
		return step{op: toX(in.Src, storeScratch), k: uint32(in.N)}
	case bpf.TAX:
		return step{op: copyToX}
	case bpf.TXA:
		return step{op: copyToA}
	case bpf.NegateA:
		return step{op: negate}
	case bpf.Jump:
		return step{op: jump, yes: target(int(in.Skip))}
	case bpf.JumpIf:
		return step{op: compare, test: in.Cond, k: in.Val, yes: target(int(in.SkipTrue)), no: target(int(in.SkipFalse))}
	case bpf.JumpIfX:
		return step{op: compareX, test: in.Cond, yes: target(int(in.SkipTrue)), no: target(int(in.SkipFalse))}
	case bpf.ALUOpConstant:
		return step{op: calculate, test: bpf.JumpTest(in.Op >> 4), k: in.Val}
	case bpf.ALUOpX:
		return step{op: calculateX, test: bpf.JumpTest(in.Op >> 4)}
	}
	return step{op: failStep}
}

// Match reports whether a frame of the program's link type matches. WireLength is
// what "len" is: the frame's length before the capture cut it off. Nothing is
// allocated.
func (p *Program) Match(frame []byte, wireLength uint32) bool {
	if p.scratch {
		var memory [scratchSlots]uint32
		return p.run(frame, wireLength, &memory)
	}
	return p.run(frame, wireLength, nil)
}

// run runs the steps. A load from beyond the frame and a division by zero end the
// program: the frame does not match.
func (p *Program) run(frame []byte, wireLength uint32, memory *[scratchSlots]uint32) bool {
	var a, x uint32
	steps := p.steps
	for i := 0; i < len(steps); {
		s := &steps[i]
		i++
		switch s.op {
		case returnStep:
			return s.k != 0
		case byteEqual:
			if uint64(s.k) >= uint64(len(frame)) {
				return false
			}
			a = uint32(frame[s.k])
			if i = int(s.no); a == s.value {
				i = int(s.yes)
			}
		case halfEqual:
			end := int(s.k) + 2
			if end > len(frame) {
				return false
			}
			a = uint32(binary.BigEndian.Uint16(frame[s.k:end]))
			if i = int(s.no); a == s.value {
				i = int(s.yes)
			}
		case wordEqual:
			end := int(s.k) + 4
			if end > len(frame) {
				return false
			}
			a = binary.BigEndian.Uint32(frame[s.k:end])
			if i = int(s.no); a == s.value {
				i = int(s.yes)
			}
		case loadByte, loadHalf, loadWord:
			v, ok := load(frame, uint64(s.k), s.op-loadByte)
			if !ok {
				return false
			}
			a = v
		case indirectByte, indirectHalf, indirectWord:
			v, ok := load(frame, uint64(x)+uint64(s.k), s.op-indirectByte)
			if !ok {
				return false
			}
			a = v
		case headerLength:
			if uint64(s.k) >= uint64(len(frame)) {
				return false
			}
			x = uint32(frame[s.k]&0xf) * 4
		case loadLength:
			a = wireLength
		case loadConstant:
			a = s.k
		case loadConstantX:
			x = s.k
		case loadScratch:
			a = memory[s.k&(scratchSlots-1)]
		case loadScratchX:
			x = memory[s.k&(scratchSlots-1)]
		case storeScratch:
			memory[s.k&(scratchSlots-1)] = a
		case storeScratchX:
			memory[s.k&(scratchSlots-1)] = x
		case copyToX:
			x = a
		case copyToA:
			a = x
		case negate:
			a = -a
		case jump:
			i = int(s.yes)
		case compare:
			if i = int(s.no); jumps(s.test, a, s.k) {
				i = int(s.yes)
			}
		case compareX:
			if i = int(s.no); jumps(s.test, a, x) {
				i = int(s.yes)
			}
		case calculate, calculateX:
			y := s.k
			if s.op == calculateX {
				y = x
			}
			op := bpf.ALUOp(s.test) << 4
			if y == 0 && (op == bpf.ALUOpDiv || op == bpf.ALUOpMod) {
				return false
			}
			a = compute(op, a, y)
		default:
			return false
		}
	}
	return false
}

// load reads 1, 2 or 4 bytes, for size 0, 1 or 2.
func load(frame []byte, offset uint64, size stepOp) (uint32, bool) {
	if offset+1<<size > uint64(len(frame)) {
		return 0, false
	}
	switch b := frame[offset:]; size {
	case 0:
		return uint32(b[0]), true
	case 1:
		return uint32(binary.BigEndian.Uint16(b)), true
	default:
		return binary.BigEndian.Uint32(b), true
	}
}
