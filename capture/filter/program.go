package filter

import "golang.org/x/net/bpf"

// A Program is a filter for one link type. It is immutable: any number of goroutines
// may run it.
type Program struct {
	raw     []bpf.RawInstruction
	steps   []step
	scratch bool // some step uses the scratch memory
}

func newProgram(instructions []bpf.Instruction) (*Program, error) {
	raw, err := bpf.Assemble(instructions)
	if err != nil {
		return nil, &Error{Message: err.Error()}
	}
	p := &Program{raw: raw}
	p.translate(instructions)
	return p, nil
}

// Raw is the program as the kernel takes it. The caller must not change it.
func (p *Program) Raw() []bpf.RawInstruction { return p.raw }
