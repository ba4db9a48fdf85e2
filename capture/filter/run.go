package filter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
)

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
	i := 0
	for i < len(steps) {
		s := &steps[i]
		i++
		met := false // of a comparison
		switch s.op {
		case acceptStep:
			return true
		case testByte:
			k := uint64(s.k)
			if k >= uint64(len(frame)) {
				return false
			}
			v := uint32(frame[k])
			a, met = v&s.keep, v&s.mask == s.value
		case testIndirectByte:
			k := uint64(s.k) + uint64(x)
			if k >= uint64(len(frame)) {
				return false
			}
			v := uint32(frame[k])
			a, met = v&s.keep, v&s.mask == s.value
		case testHalf:
			k := uint64(s.k)
			if k+2 > uint64(len(frame)) {
				return false
			}
			v := uint32(binary.BigEndian.Uint16(frame[k : k+2]))
			a, met = v&s.keep, v&s.mask == s.value
		case testIndirectHalf:
			k := uint64(s.k) + uint64(x)
			if k+2 > uint64(len(frame)) {
				return false
			}
			v := uint32(binary.BigEndian.Uint16(frame[k : k+2]))
			a, met = v&s.keep, v&s.mask == s.value
		case testWord:
			k := uint64(s.k)
			if k+4 > uint64(len(frame)) {
				return false
			}
			v := binary.BigEndian.Uint32(frame[k : k+4])
			a, met = v&s.keep, v&s.mask == s.value
		case testIndirectWord:
			k := uint64(s.k) + uint64(x)
			if k+4 > uint64(len(frame)) {
				return false
			}
			v := binary.BigEndian.Uint32(frame[k : k+4])
			a, met = v&s.keep, v&s.mask == s.value
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
	return i == accepted
}
