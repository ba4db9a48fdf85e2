package process

import (
	"context"
	"net/netip"
	"time"

	"sockscope/capture"
)

// listen takes the kernel's events as they come, so that processes can be asked for what
// only they know before they end.
func (w *Watch) listen(ctx context.Context) {
	const pause = 2 * time.Millisecond // between two turns: a flood of events does not cost a wake-up each
	for ctx.Err() == nil {
		if _, err := w.poller.Wait(w.source.patience()); err != nil {
			return
		}
		w.mu.Lock()
		fresh := w.drain()
		w.images.sweep()
		if w.source.lost() != w.lost {
			select {
			case w.doubtful <- struct{}{}:
			default:
			}
		}
		w.mu.Unlock()
		w.resolve(fresh)
		time.Sleep(pause)
	}
}

// resolve asks who new processes are, while they may still be there. w.mu is not held.
func (w *Watch) resolve(fresh []*image) {
	for _, i := range fresh {
		w.identity.resolve(i)
	}
}

// drain takes the events that there are, and returns the processes that are new, which
// its caller resolves. w.mu is held.
func (w *Watch) drain() (fresh []*image) {
	if w.source == nil {
		return nil
	}
	w.clock, w.fresh = clock{}, nil
	w.drained = capture.Timestamp(time.Now().UnixNano())
	w.source.read(w.take)
	return w.fresh
}

// taken is what w.take does with an event.
func (w *Watch) taken(e *event) {
	if w.clock.zero() {
		w.clock = readClock()
	}
	if i := w.apply(e, w.clock.timestamp(e.time)); i != nil {
		w.fresh = append(w.fresh, i)
	}
}

// apply takes an event that happened at t. It returns the process when it is new.
func (w *Watch) apply(e *event, t capture.Timestamp) (fresh *image) {
	if e.kind == eventExit {
		w.images.end(e.pid, e.time)
		return nil
	}
	r := w.book.open(e.cookie, e.netns, t)
	r.events = true
	if w.acts(e, r) {
		i, isFresh := w.images.actor(e)
		if isFresh {
			fresh = i
		}
		if e.kind == eventRelease {
			r.closer = i
		} else {
			r.maker, r.cgroup = i, e.cgroup
		}
	}
	switch e.kind {
	case eventTuple, eventAccept:
		if here, _ := w.local.Load().has(e.local.Addr().As16()); !here { // a new one, perhaps of a new namespace
			select {
			case w.doubtful <- struct{}{}:
			default:
			}
		}
		w.book.name(r, keyOf(e.protocol, e.local, e.remote), t)
	case eventListen:
		r = w.book.name(r, keyOf(e.protocol, e.local, netip.AddrPort{}).alone(), t)
		r.listen = true
	case eventBind:
		r = w.book.name(r, keyOf(e.protocol, e.local, e.remote), t)
		r.dual = r.dual || e.four
	case eventRelease:
		w.book.close(r, t)
		return fresh
	}
	if w.tellsAll && r.named && r.process() == nil { // accepted, or made before we began
		select {
		case w.appeared <- r.key:
		default:
		}
	}
	return fresh
}

// acts reports whether e tells of the process that r is to be known by. Who connects a
// socket counts more than who made it; a worker of the kernel does it for somebody else.
func (w *Watch) acts(e *event, r *record) bool {
	switch e.kind {
	case eventConnect, eventRelease:
		return e.pid != 0
	case eventTuple, eventListen:
		return e.pid != 0 && r.maker == nil && !w.identity.isKernels(e.pid)
	}
	return e.pid != 0 && r.maker == nil
}
