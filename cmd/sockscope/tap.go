package main

import (
	"sync/atomic"
	"time"

	"sockscope/capture"
	"sockscope/decode/engine"
	"sockscope/decode/flow"
)

// A tap is what a view takes of a capture while it goes on.
type tap struct {
	// begin is told when the capture has begun, and what is known beside its frames.
	begin func(src *tapped, k *facts)

	// tell is told of connections that end, or of all their steps, while the kernel waits:
	// it must be quick. One call at a time.
	tell  func(flow.Event, *flow.Connection)
	steps bool

	// over is told that the source has ended: from then on tell may take its time. nil:
	// nobody wants to know.
	over func()

	// look gives who is to be shown what was found so far, every so often, likewise; nil:
	// nobody.
	every time.Duration
	look  func() engine.View
}

// open is the source of a session as it must be read for t, and begins.
func (t *tap) open(s *session) capture.Source {
	src := newTapped(s.src)
	if t.begin != nil {
		t.begin(src, &s.facts)
	}
	return src
}

// configure makes a run tell t.
func (t *tap) configure(cfg *engine.Config) {
	cfg.Flow.Ending = &flow.Ending{Tell: t.tell, Steps: t.steps}
	cfg.Every, cfg.Look = t.every, t.look
}

// tapped is a source whose interfaces others can ask for while it is read.
type tapped struct {
	capture.Source
	known atomic.Pointer[[]capture.Interface]
}

// newTapped makes a source that nobody reads yet tapped.
func newTapped(src capture.Source) *tapped {
	s := &tapped{Source: src}
	s.note()
	return s
}

// interfaces are those that frames came from so far.
func (s *tapped) interfaces() []capture.Interface { return *s.known.Load() }

func (s *tapped) note() {
	interfaces := s.Source.Stats().Interfaces
	s.known.Store(&interfaces)
}

// Next implements capture.Source.
func (s *tapped) Next(b *capture.Block) error {
	err := s.Source.Next(b)
	if err != nil {
		return err
	}
	known := uint32(len(s.interfaces()))
	for i := range b.Frames {
		if b.Frames[i].Interface >= known {
			s.note()
			break
		}
	}
	return nil
}

// A whole is a source that tells its end, and knows what was counted until then.
type whole struct {
	capture.Source
	over  func() // nil: nobody wants to know
	ended bool
	stats capture.Stats // when it ended
}

// Next implements capture.Source.
func (w *whole) Next(b *capture.Block) error {
	err := w.Source.Next(b)
	if err != nil && !w.ended {
		w.ended, w.stats = true, w.Source.Stats()
		if w.over != nil {
			w.over()
		}
	}
	return err
}

// Stats implements capture.Source.
func (w *whole) Stats() capture.Stats {
	if w.ended {
		return w.stats
	}
	return w.Source.Stats()
}
