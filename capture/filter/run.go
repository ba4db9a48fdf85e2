package filter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
)

// A step is an instruction as Match runs it. Most of a filter is "load, compare,
// jump", which is one step.
type step struct {
	op      stepOp
	alu     uint8  // of a calculation: bpf.ALUOp without its lowest four bits, which are 0
	yes, no uint16 // the next step of a comparison; yes that of a jump
	k       uint32 // offset, constant, or slot of the scratch memory
	value   uint32 // what the loaded is compared with
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

	// A load at a fixed offset, a comparison with value.
	byteEqual
	halfEqual
	wordEqual

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
	// A load and its comparison become one step. The comparison stays where it is, for
	// the ways that come to it with the loaded value already.
	for i := range p.steps[:len(p.steps)-1] {
		s, next := &p.steps[i], p.steps[i+1]
		if s.op >= loadByte && s.op <= loadWord && next.op == equal {
			s.op += byteEqual - loadByte
			s.value, s.yes, s.no = next.k, next.yes, next.no
		}
	}
}

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

// Match reports whether a frame of the program's link type matches. WireLength is
// what "len" is: the frame's length before the capture cut it off. Nothing is
// allocated.
func (p *Program) Match(frame []byte, wireLength uint32) bool {
	if p.scratch {
		var memory [scratchSlots]uint32
		return run(p.steps, frame, wireLength, &memory)
	}
	return run(p.steps, frame, wireLength, nil)
}

// run runs steps. A load from beyond the frame and a division by zero end them: the
// frame does not match.
func run(steps []step, frame []byte, wireLength uint32, memory *[scratchSlots]uint32) bool {
	var a, x uint32
	for i := 0; i < len(steps); {
		s := &steps[i]
		i++
		met := false // of a comparison
		switch s.op {
		case acceptStep:
			return true
		case byteEqual:
			k := int(s.k)
			if k >= len(frame) {
				return false
			}
			a = uint32(frame[k])
			met = a == s.value
		case halfEqual:
			k := int(s.k)
			if k+2 > len(frame) {
				return false
			}
			a = uint32(binary.BigEndian.Uint16(frame[k : k+2]))
			met = a == s.value
		case wordEqual:
			k := int(s.k)
			if k+4 > len(frame) {
				return false
			}
			a = binary.BigEndian.Uint32(frame[k : k+4])
			met = a == s.value
		case equal:
			met = a == s.k
		case greater:
			met = a > s.k
		case greaterOrEqual:
			met = a >= s.k
		case bitsSet:
			met = a&s.k != 0
		case equalX:
			met = a == x
		case greaterX:
			met = a > x
		case greaterOrEqualX:
			met = a >= x
		case bitsSetX:
			met = a&x != 0
		case loadByte, indirectByte:
			k := uint64(s.k)
			if s.op == indirectByte {
				k += uint64(x)
			}
			if k >= uint64(len(frame)) {
				return false
			}
			a = uint32(frame[k])
			continue
		case loadHalf, indirectHalf:
			k := uint64(s.k)
			if s.op == indirectHalf {
				k += uint64(x)
			}
			if k+2 > uint64(len(frame)) {
				return false
			}
			a = uint32(binary.BigEndian.Uint16(frame[k : k+2]))
			continue
		case loadWord, indirectWord:
			k := uint64(s.k)
			if s.op == indirectWord {
				k += uint64(x)
			}
			if k+4 > uint64(len(frame)) {
				return false
			}
			a = binary.BigEndian.Uint32(frame[k : k+4])
			continue
		case loadHeaderLength:
			if uint64(s.k) >= uint64(len(frame)) {
				return false
			}
			x = uint32(frame[s.k]&0xf) * 4
			continue
		case loadLength:
			a = wireLength
			continue
		case loadConstant:
			a = s.k
			continue
		case loadConstantX:
			x = s.k
			continue
		case loadScratch:
			a = memory[s.k&(scratchSlots-1)]
			continue
		case loadScratchX:
			x = memory[s.k&(scratchSlots-1)]
			continue
		case storeScratch:
			memory[s.k&(scratchSlots-1)] = a
			continue
		case storeScratchX:
			memory[s.k&(scratchSlots-1)] = x
			continue
		case moveToX:
			x = a
			continue
		case moveToA:
			a = x
			continue
		case jump:
			i = int(s.yes)
			continue
		case calculate, calculateX:
			y := s.k
			if s.op == calculateX {
				y = x
			}
			op := bpf.ALUOp(s.alu) << 4
			if y == 0 && (op == bpf.ALUOpDiv || op == bpf.ALUOpMod) {
				return false
			}
			a = compute(op, a, y)
			continue
		default:
			return false
		}
		if i = int(s.no); met {
			i = int(s.yes)
		}
	}
	return false
}
