package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sockscope/capture"
	"sockscope/capture/privilege"
	"sockscope/capture/process"
	"sockscope/capture/ring"
)

// A session is a capture from interfaces, with all that it needs open and what is not
// needed any more given up.
type session struct {
	src    capture.Source
	filter *frameFilter // what the kernel does not do of it
	end    func()       // makes src end, when all that was received is read
	who    attributor   // nil: processes are not known
	facts  facts

	watch  *process.Watch // nil: not wanted, or not possible
	helper *privilege.Helper
}

// openLive begins to capture until ctx is done. Files in writable, a directory,
// can still be made afterwards; "" means none.
func (f *sourceFlags) openLive(ctx context.Context, p *program, filter *frameFilter, writable string) (_ *session, err error) {
	s := &session{who: f.live.who}
	s.facts.chosen = filter != nil || f.live.direction.value != "inout"
	s.facts.everywhere = slices.Contains(f.live.interfaces, "any")
	ctx, s.end = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	cfg, filtered := f.live.config(filter)
	if s.src, err = ring.Open(ctx, cfg); err != nil {
		return nil, err
	}
	if !filtered {
		s.filter = filter
	}
	missing := ""
	if p.watch == nil || f.live.noProcesses {
		missing = "not wanted"
	} else {
		s.helper, missing = p.helper()
		s.follow(p)
	}
	give := privilege.Config{User: f.live.user, Maps: s.watch != nil, Readable: s.watch.Readable()}
	if writable != "" {
		give.Writable = []string{writable}
	}
	return s, p.dropPrivileges(give, missing)
}

// follow begins to follow which processes open sockets. What cannot be followed is not
// known: that is no reason not to capture.
func (s *session) follow(p *program) {
	cfg := process.Config{}
	if s.helper != nil {
		cfg.Links = s.helper.Links
	}
	var err error
	if s.watch, err = p.watch(context.Background(), cfg); err != nil {
		p.remark("", "processes are not known: "+p.escape(err.Error()))
		return
	}
	if p.verbose {
		p.remark("", "processes: "+p.escape(s.watch.Sources()))
	}
	s.who = s.watch
	s.facts.owners = ownersBy(s.watch)
	s.facts.ask = s.ask
	s.facts.local = s.ask()
}

// ask asks the kernel what it says of this host's sockets; nil when it says nothing.
func (s *session) ask() *capture.Host {
	if s.watch == nil {
		return nil
	}
	host, err := s.watch.Host()
	if err != nil {
		return nil
	}
	return host
}

// appeared is told of new connections, so that whose they are is found out in time; nil
// when nobody would.
func (s *session) appeared() appearedFunc {
	if s.who == nil {
		return nil
	}
	return s.who.Appeared
}

// close closes what is open. What is known of processes stays known.
func (s *session) close() {
	s.end()
	if s.src != nil {
		s.src.Close()
	}
	if s.watch != nil {
		s.watch.Close()
	}
	s.helper.Close()
}

// announce tells that frames are received from now on, and lets the time begin to run after
// which the capture ends.
func (l *liveFlags) announce(p *program, end func()) {
	if l.stop.duration > 0 {
		time.AfterFunc(l.stop.duration, end)
	}
	p.remark("", fmt.Sprintf("listening on %s, Ctrl-C ends it", p.escape(strings.Join(l.interfaces, ", "))))
}

// listen captures until the user or a condition ends it: that is a normal end.
func (f *sourceFlags) listen(ctx context.Context, p *program, filter *frameFilter) (*reading, error) {
	if f.live.stop.bytes > 0 {
		return nil, usage("-a filesize:N is for the view that writes files: capture")
	}
	if !f.live.given("snapshot-length") {
		f.live.snap.value = viewLength
	}
	if f.workers.value == 0 {
		// One worker takes more frames than the kernel puts into a ring, and without those
		// that wait for each other a frame costs a third less.
		f.workers.value = 1
	}
	s, err := f.openLive(ctx, p, filter, "")
	if err != nil {
		return nil, err
	}
	defer s.close()
	f.live.announce(p, s.end)
	from := s.src
	if f.tap != nil {
		from = f.tap.open(s)
	}
	if n := f.limit(); n > 0 {
		from = &limited{Source: from, left: n, filter: s.filter, reached: s.end}
	}
	all := &whole{Source: f.keep.from(from, s.filter)}
	if f.tap != nil {
		all.over = f.tap.over
	}
	f.appeared = s.appeared()
	if s.watch != nil {
		f.listens = s.watch.Listens
	}
	// The source drains what came before the end; nothing else is to be cut short.
	result, err := f.run(context.WithoutCancel(ctx), all, s.filter, p, false)
	s.facts.host = s.ask()
	r := &reading{result: result, stats: all.Stats(), filter: s.filter, facts: s.facts}
	p.captured(r.stats, result.Totals.Frames-result.Totals.Filtered.Frames)
	if n := result.Totals.ClockJumps; n > 0 {
		p.remark("", fmt.Sprintf("the clock was set forward by more than an hour, %d times: silence is not counted across that", n))
	}
	if errors.Is(err, ring.ErrGone) {
		r.ended = err
		return r, nil
	}
	return r, err
}
