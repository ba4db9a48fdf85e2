package filter

import "golang.org/x/net/bpf"

// A condition is what a frame is asked, in the order in which it is asked: tests
// joined by and, or and not. Tests have the frame's bytes loaded anew each; what is
// already known is left out later, when the order of the program is.
//
// A load beyond the end of the frame ends the program: the frame does not match,
// whatever "not" is before the test.
type condition struct {
	kind conditionKind
	x, y *condition // of and, or; x of not

	// A test runs code, which leaves a value in register A, and compares that.
	code   []bpf.Instruction
	op     bpf.JumpTest
	value  uint32
	byX    bool // compare with register X, not with value
	effect bool // the code is there for what it stores: no comparison, always true
}

type conditionKind uint8

const (
	testCondition conditionKind = iota
	andCondition
	orCondition
	notCondition
	trueCondition
	falseCondition
)

var (
	always = &condition{kind: trueCondition}
	never  = &condition{kind: falseCondition}
)

// and is true when all of list are, asked in order up to the first that is not.
func and(list ...*condition) *condition {
	all := always
	for _, c := range list {
		switch {
		case all.kind == trueCondition:
			all = c
		case c.kind == trueCondition:
		case all.kind == falseCondition || c.kind == falseCondition:
			return never
		default:
			all = &condition{kind: andCondition, x: all, y: c}
		}
	}
	return all
}

// or is true when one of list is, asked in order up to the first that is.
func or(list ...*condition) *condition {
	one := never
	for _, c := range list {
		switch {
		case one.kind == falseCondition:
			one = c
		case c.kind == falseCondition:
		case one.kind == trueCondition || c.kind == trueCondition:
			return always
		default:
			one = &condition{kind: orCondition, x: one, y: c}
		}
	}
	return one
}

func not(c *condition) *condition {
	switch c.kind {
	case trueCondition:
		return never
	case falseCondition:
		return always
	case notCondition:
		return c.x
	}
	return &condition{kind: notCondition, x: c}
}

// effect runs code for what it stores.
func effect(code ...bpf.Instruction) *condition {
	return &condition{code: code, effect: true}
}

// when runs code if c is true, and goes on either way.
func when(c *condition, code ...bpf.Instruction) *condition {
	return or(not(c), effect(code...))
}

// test compares what code leaves in register A.
func test(code []bpf.Instruction, op bpf.JumpTest, value uint32) *condition {
	return &condition{code: code, op: op, value: value}
}

// masked compares the bits in mask.
func masked(code []bpf.Instruction, mask, value uint32) *condition {
	switch {
	case mask == 0:
		if value == 0 {
			return always
		}
		return never
	case mask == 0xffffffff:
		return test(code, bpf.JumpEqual, value)
	case value == 0:
		return not(test(code, bpf.JumpBitsSet, mask))
	case value == mask && mask&(mask-1) == 0:
		return test(code, bpf.JumpBitsSet, mask)
	}
	code = append(code[:len(code):len(code)], bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
	return test(code, bpf.JumpEqual, value)
}

// reads reports whether a test in c reads a slot of scratch memory.
func (c *condition) reads(slot int) bool {
	switch {
	case c == nil:
		return false
	case c.kind != testCondition:
		return c.x.reads(slot) || c.y.reads(slot)
	}
	for _, i := range c.code {
		if l, ok := i.(bpf.LoadScratch); ok && l.N == slot {
			return true
		}
	}
	return false
}
