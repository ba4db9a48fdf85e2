package ring

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// A target is an interface that was asked for by name, with what the kernel said
// of it last; its index is 0 while there is none.
type target struct {
	name string
	link
	lost uint64 // frames that the interface missed while captured from
}

// listen makes the socket receive from t.
func (s *source) listen(t *target) error {
	if !s.cfg.NoPromiscuous {
		if err := joinPromiscuous(s.socket, t.index); err != nil {
			return fmt.Errorf("promiscuous mode: %w", err)
		}
	}
	if len(s.targets) == 1 {
		return bind(s.socket, t.index, unix.ETH_P_ALL)
	}
	return s.filter()
}

// refresh asks how many frames the interfaces have missed.
func (s *source) refresh() {
	if s.links == nil || s.ending != nil {
		return
	}
	for i := range s.targets {
		if index := s.targets[i].index; index != 0 {
			_ = s.links.ask(index, 0)
		}
	}
	// An error shows itself again when the messages are read the next time.
	_ = s.links.read(s.changed)
}

// changed heeds what happened to an interface.
func (s *source) changed(c change) {
	if s.ending != nil {
		return
	}
	if len(s.targets) == 0 {
		s.tally.changed(c)
		return
	}
	for i := range s.targets {
		t := &s.targets[i]
		switch {
		case c.is == nil && c.was.index == t.index:
			s.lost(i)
		case c.is == nil:
		case c.is.index == t.index:
			s.tell(t, c.is)
			if c.is.missed > t.missed { // a driver may start again at 0
				t.lost += c.is.missed - t.missed
			}
			t.link = *c.is
		case t.index == 0 && c.is.called(t.name):
			s.found(i, c.is)
		}
	}
}

// lost notes that t was deleted or moved away. The socket, if it was bound to it, is
// bound to nothing now, and says nothing about that.
func (s *source) lost(i int) {
	t := &s.targets[i]
	t.link = link{}
	s.notes.at("%s is gone: deleted or moved to another network namespace", t.name)
	if l := s.links.find(t.name); l != nil { // another has taken the name meanwhile
		s.found(i, l)
		return
	}
	if s.cfg.Follow {
		return
	}
	var names []string
	for i := range s.targets {
		if s.targets[i].index != 0 {
			return
		}
		names = append(names, quote(s.targets[i].name))
	}
	s.stop(fmt.Errorf("%w (gone: %s)", ErrGone, strings.Join(names, ", ")))
}

// found takes l as the target that was gone. It may be gone again already: then the
// message about that is on its way.
func (s *source) found(i int, l *link) {
	t := &s.targets[i]
	t.link = *l
	s.tally.found(i, l.index)
	s.notes.at("%s is back", t.name)
	if err := s.listen(t); err != nil && !errors.Is(err, unix.ENODEV) {
		s.notes.at("cannot capture from %s: %v", t.name, err)
	}
	if !t.up {
		s.notes.at("%s is down", t.name)
	}
}

// tell notes what is new about t. None of it stops the socket for good.
func (s *source) tell(t *target, is *link) {
	if is.name != t.link.name {
		s.notes.at("%s is named %s now", t.link.name, is.name)
	}
	switch {
	case is.up && !t.up:
		s.notes.at("%s is up", t.name)
	case t.up && !is.up:
		s.notes.at("%s is down", t.name)
	}
	if is.mtu != t.mtu {
		s.notes.at("%s has an MTU of %d instead of %d", t.name, is.mtu, t.mtu)
	}
}
