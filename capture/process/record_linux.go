package process

import (
	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// A record is what is known of one socket while it had certain addresses.
type record struct {
	cookie uint64
	netns  uint64 // cookie of its network namespace; 0 when not known
	key    key
	named  bool // key is known

	// From is the earliest time at which it may have had these addresses, and found and
	// seen are times at which it had them. Closed is 0 as long as it has.
	from, found, seen, closed capture.Timestamp

	events bool // the kernel tells when it is closed: it lives until then
	dual   bool // of IPv6, and known to take IPv4 as well
	listen bool

	maker  *image // created or connected it
	holder *image // had it open when /proc was read
	closer *image // closed it last
	cgroup uint64 // of the socket; 0 when not known

	older *record // with the same key
	depth int     // of them, roughly
}

// grace is how long after a connection's last packet its socket may have been found and
// still be the same one: sooner the kernel gives no process the same two ends again.
const grace = capture.Timestamp(1e9)

// slack is by how much the time of a packet and that of an event may be apart.
const slack = capture.Timestamp(100e3)

// at reports whether r may have been the socket of a connection at a time.
func (r *record) at(t capture.Timestamp) bool {
	return r.from <= t+slack && t <= r.end()+slack
}

// during reports whether r may have been the socket of a connection from first to last.
func (r *record) during(first, last capture.Timestamp) bool {
	return r.found <= last+grace && r.from <= last+slack && first <= r.end()+slack
}

func (r *record) end() capture.Timestamp {
	switch {
	case r.closed != 0:
		return r.closed
	case r.events:
		return endOfTime
	}
	return r.seen
}

const endOfTime = capture.Timestamp(1 << 62)

// A book keeps the records.
type book struct {
	byCookie map[uint64]*record
	byKey    map[key]*record // the newest of each
	closed   []*record       // oldest first, from head on
	head     int
	limit    int // of closed ones
	evicted  uint64
	own      uint64 // cookie of our network namespace

	// What was never there need not be looked for.
	used  ports // local ports that a socket had
	alone ports // likewise, without a peer
}

// ports is a set of local ports by protocol: TCP's, and all others.
type ports [2][1 << 16 / 64]uint64

func (p *ports) place(k *key) (word *uint64, bit uint64) {
	of := 0
	if k.protocol != unix.IPPROTO_TCP {
		of = 1
	}
	return &p[of][k.localPort/64], 1 << (k.localPort % 64)
}

func (p *ports) add(k *key) {
	word, bit := p.place(k)
	*word |= bit
}

func (p *ports) has(k *key) bool {
	word, bit := p.place(k)
	return *word&bit != 0
}

func newBook(limit int, own uint64) *book {
	return &book{byCookie: make(map[uint64]*record), byKey: make(map[key]*record), limit: limit, own: own}
}

// open is the record of a socket, perhaps a new one that begins at t.
func (b *book) open(cookie, netns uint64, t capture.Timestamp) *record {
	r := b.byCookie[cookie]
	if r == nil {
		r = &record{cookie: cookie, netns: netns, from: t, found: t, seen: t}
		b.byCookie[cookie] = r
	}
	if r.netns == 0 {
		r.netns = netns
	}
	return r
}

// name says that r has an address from now on. It returns the record to go on with: what
// a socket was called before stays known.
func (b *book) name(r *record, k key, t capture.Timestamp) *record {
	switch {
	case !r.named:
	case r.key == k:
		r.seen = max(r.seen, t)
		return r
	default:
		next := *r
		next.older, next.from, next.found, next.seen, next.dual = nil, t, t, t, false
		b.close(r, t)
		r = &next
		b.byCookie[r.cookie] = r
	}
	r.key, r.named, r.seen = k, true, max(r.seen, t)
	b.used.add(&k)
	if k.remotePort == 0 {
		b.alone.add(&k)
	}
	r.older = b.byKey[k]
	b.byKey[k] = r
	r.depth = 0
	if r.older != nil {
		r.depth = r.older.depth + 1
	}
	if r.depth >= 2*mostAlike {
		b.shorten(r)
	}
	return r
}

// mostAlike is how many records of one key are sure to be kept, so that a port which is
// opened again and again does not make a long search.
const mostAlike = 64

func (b *book) shorten(newest *record) {
	r := newest
	for n := mostAlike; n > 0; n-- {
		r.depth = n
		r = r.older
	}
	r.depth, r.older = 0, nil
}

// close says that r ended, and forgets the one that ended first when they are too many.
func (b *book) close(r *record, t capture.Timestamp) {
	if r.closed != 0 {
		return
	}
	r.closed = t
	if !r.events { // else a table that was read before may name it once more
		delete(b.byCookie, r.cookie)
	}
	b.closed = append(b.closed, r)
	for len(b.closed)-b.head > b.limit {
		b.forget(b.closed[b.head])
		b.closed[b.head] = nil
		b.head++
		b.evicted++
	}
	if b.head > 1024 && b.head > len(b.closed)/2 {
		b.closed = append(b.closed[:0:0], b.closed[b.head:]...)
		b.head = 0
	}
}

func (b *book) forget(r *record) {
	if b.byCookie[r.cookie] == r {
		delete(b.byCookie, r.cookie)
	}
	newest := b.byKey[r.key]
	if newest == r {
		if r.older == nil {
			delete(b.byKey, r.key)
		} else {
			b.byKey[r.key] = r.older
		}
		return
	}
	for ; newest != nil; newest = newest.older {
		if newest.older == r {
			newest.older = r.older
			return
		}
	}
}

// find is the record of a connection from first to last, by the key of one of its ends;
// nil when there is none, or more than one that is as good. Outside of our network
// namespace the same addresses may be used by several; those of loopback always are.
func (b *book) find(k key, first, last capture.Timestamp) *record {
	if !b.used.has(&k) {
		return nil
	}
	var ours, other *record
	several := false
	for r := b.byKey[k]; r != nil; r = r.older {
		if !r.during(first, last) {
			continue
		}
		switch {
		case r.netns == b.own:
			ours = better(ours, r, first)
		case k.onLoopback():
		case other != nil && r.process() == nil:
		case other != nil && other.process() == nil:
			other = r
		case other != nil && other.netns != r.netns && sameTime(other, r, first) && !sameProcess(other, r):
			several = true
		default:
			other = better(other, r, first)
		}
	}
	switch {
	case ours != nil:
		return ours
	case several:
		return nil
	}
	return other
}

// better is that of two records which fits a connection that began at first: of those
// open at that time the one opened last, else the one opened or closed nearest to it. a may be nil.
func better(a, b *record, first capture.Timestamp) *record {
	if a == nil {
		return b
	}
	aFit, bFit := a.fit(first), b.fit(first)
	switch {
	case bFit < aFit,
		aFit == bFit && aFit == isOpen && b.from > a.from,
		aFit == bFit && aFit == isOpenish && b.distance(first) < a.distance(first),
		aFit == bFit && aFit == opensLater && b.from < a.from:
		return b
	}
	return a
}

// How a record fits a time.
const (
	isOpen     = iota
	isOpenish  // as far as two clocks agree
	opensLater // or it ended before
)

// distance is from t to the time when r was open.
func (r *record) distance(t capture.Timestamp) capture.Timestamp { return max(r.from-t, t-r.end(), 0) }

func (r *record) fit(t capture.Timestamp) int {
	switch {
	case r.from <= t && t <= r.end():
		return isOpen
	case r.at(t):
		return isOpenish
	}
	return opensLater
}

// waiting is the record of the socket without a peer that takes what comes to k's local
// end in a network namespace: the most specific one. It is nil when there is none, or
// when several share the end and belong to different processes.
func (b *book) waiting(k key, netns uint64, proven bool, first, last capture.Timestamp) *record {
	if !b.alone.has(&k) {
		return nil
	}
	four := k.isIPv4()
	for i, at := range [...]key{k.alone(), k.everywhere(four), k.everywhere(false)} {
		var found *record
		for r := b.byKey[at]; r != nil; r = r.older {
			if r.netns != netns || !r.during(first, last) || i == 2 && four && !r.dual && !proven {
				continue
			}
			if found != nil && sameTime(found, r, first) && !sameProcess(found, r) {
				return nil
			}
			found = better(found, r, first)
		}
		if found != nil {
			return found
		}
		if !four && i == 1 {
			break
		}
	}
	return nil
}

// listens reports whether a socket of a network namespace listened at k's local end at a
// time. One that is not known to be closed goes on.
func (b *book) listens(k key, netns uint64, when capture.Timestamp) bool {
	for _, at := range [...]key{k.alone(), k.everywhere(k.isIPv4()), k.everywhere(false)} {
		for r := b.byKey[at]; r != nil; r = r.older {
			if r.listen && r.netns == netns && r.from <= when+slack && (r.closed == 0 || when <= r.closed+grace) {
				return true
			}
		}
	}
	return false
}

// sameTime reports whether both were open at a time.
func sameTime(a, b *record, t capture.Timestamp) bool {
	return a.fit(t) == isOpen && b.fit(t) == isOpen
}

func sameProcess(a, b *record) bool {
	p, q := a.process(), b.process()
	return p != nil && q != nil && p.pid == q.pid
}

// process is the one that surely has the socket; nil when none is known. Who closed an
// accepted one need not have used it: a child that is about to run another program holds
// all that its parent had, for a moment, and may be the last to let go.
func (r *record) process() *image {
	if r.maker != nil {
		return r.maker
	}
	return r.holder
}
