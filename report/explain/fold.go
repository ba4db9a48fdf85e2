package explain

import "slices"

// A folder collects steps and puts long phases of ordinary ones together.
type folder struct {
	steps []Step
	left  uint64 // for which there was no room
	plain int    // ordinary steps since the last other one that stand for themselves
	run   *Step  // what was folded since
	held  []Step // ordinary steps that may yet be folded
}

// The first steps of a phase are shown, and the last one. What is between them is folded when
// it is worth a line.
const (
	shownFirst = 4
	foldedMin  = 4
)

// add takes the next step.
func (f *folder) add(s Step, cfg *Config) {
	if cfg.Full || !s.Has(Ordinary) {
		f.flush(cfg)
		f.put(s, cfg)
		return
	}
	if f.plain < shownFirst {
		f.plain++
		f.put(s, cfg)
		return
	}
	f.held = append(f.held, s)
	switch {
	case f.run != nil:
		f.fold(1)
	case len(f.held) > foldedMin:
		f.run = &Step{Kind: Folded, Frame: f.held[0].Frame, Time: f.held[0].Time, Before: f.held[0].Before, Run: &Run{}}
		f.fold(len(f.held) - 1)
	}
}

// fold puts the first n held steps into the run.
func (f *folder) fold(n int) {
	for i := range n {
		s := &f.held[i]
		r := f.run.Run
		a := &r.ToClient
		if s.FromClient {
			a = &r.ToServer
		}
		a.Segments++
		if s.Payload > 0 {
			a.WithData++
			a.Payload += uint64(s.Payload)
		}
		if s.Has(DuplicateACK) {
			r.DupACKs++
		}
		r.LastFrame, r.LastTime, f.run.After = s.Frame, s.Time, s.After
	}
	f.held = slices.Delete(f.held, 0, n)
}

// flush ends a phase.
func (f *folder) flush(cfg *Config) {
	if f.run != nil {
		f.put(*f.run, cfg)
	}
	for _, s := range f.held {
		f.put(s, cfg)
	}
	f.run, f.held, f.plain = nil, f.held[:0], 0
}

// put appends a step while there is room.
func (f *folder) put(s Step, cfg *Config) {
	if len(f.steps) < cfg.MaxSteps {
		f.steps = append(f.steps, s)
		return
	}
	f.left++
	if s.Run != nil {
		f.left += s.Run.Segments() - 1
	}
}
