package flow

import (
	"math"

	"sockscope/capture"
	"sockscope/decode"
)

// NewTotals are those of nothing.
func NewTotals() Totals {
	return Totals{
		First: capture.Unknown, Last: capture.Unknown,
		EvictedSince: capture.Unknown, EvictedUntil: capture.Unknown,
		NonIP: map[uint16]Volume{}, UnknownLink: map[capture.LinkType]Volume{},
		Links: map[capture.LinkType]uint64{},
	}
}

// read counts frames as read, and gives their volume and the latest of their times, or
// Unknown.
func (t *Totals) read(frames []capture.Frame) (all Volume, last capture.Timestamp) {
	last = capture.Unknown // which is below all times
	if len(frames) == 0 {
		return all, last
	}
	var bytes, captured uint64
	first := capture.Timestamp(math.MaxInt64)
	for i := range frames {
		f := &frames[i]
		bytes += uint64(f.Length)
		captured += uint64(len(f.Data))
		last = max(last, f.Time)
		first = min(first, f.Time-1) // which makes Unknown the latest
	}
	all = Volume{uint64(len(frames)), bytes}
	t.Frames += all.Frames
	t.Bytes += all.Bytes
	t.Captured += captured
	if last.Known() {
		t.see(first+1, last)
	}
	return all, last
}

// common counts common frames, of which there are records (see common).
func (t *Totals) common(v Volume) {
	if v.Frames > 0 {
		t.Connections.add(v)
		t.Links[capture.LinkEthernet] += v.Frames
	}
}

// see widens the span of times by first and last.
func (t *Totals) see(first, last capture.Timestamp) { widen(&t.First, &t.Last, first, last) }

// evict counts n evictions between two times. The span of several tables' is the same as if all
// had been in one, though the frames' clock was set back.
func (t *Totals) evict(n uint64, since, until capture.Timestamp) {
	t.Evicted += n
	widen(&t.EvictedSince, &t.EvictedUntil, since, until)
}

// widen widens the span from first to last by another one. What is Unknown is none.
func widen(first, last *capture.Timestamp, since, until capture.Timestamp) {
	if since.Known() && (since < *first || !first.Known()) {
		*first = since
	}
	if until.Known() && (until > *last || !last.Known()) {
		*last = until
	}
}

// undecoded counts f as a frame of which nothing could be made.
func (t *Totals) undecoded(err decode.Error, f *capture.Frame) {
	if err == decode.UnknownLinkType {
		v := t.UnknownLink[f.Link]
		v.Add(f.Length)
		t.UnknownLink[f.Link] = v
		return
	}
	t.Undecoded[err].Add(f.Length)
}

// Add adds what another worker counted.
func (t *Totals) Add(u *Totals) {
	t.Frames += u.Frames
	t.Bytes += u.Bytes
	t.Captured += u.Captured
	t.see(u.First, u.Last)
	t.Connections.add(u.Connections)
	t.ICMP.add(u.ICMP)
	t.Fragments.add(u.Fragments)
	t.Filtered.add(u.Filtered)
	for i := range u.OtherIP {
		t.OtherIP[i].add(u.OtherIP[i])
	}
	for i := range u.Undecoded {
		t.Undecoded[i].add(u.Undecoded[i])
		t.Problems[i] += u.Problems[i]
	}
	for k, n := range u.Links {
		t.Links[k] += n
	}
	t.evict(u.Evicted, u.EvictedSince, u.EvictedUntil)
	t.Shortages += u.Shortages
	t.Outlived += u.Outlived
	if u.Tuples != nil {
		if t.Tuples == nil {
			t.Tuples = new(Tuples)
		}
		t.Tuples.merge(u.Tuples)
	}
	t.ClockJumps = max(t.ClockJumps, u.ClockJumps) // all workers see all of them
	addVolumes(t.NonIP, u.NonIP)
	addVolumes(t.UnknownLink, u.UnknownLink)
	t.Tunnels.AddAll(&u.Tunnels)
}

func (v *Volume) add(u Volume) {
	v.Frames += u.Frames
	v.Bytes += u.Bytes
}

func addVolumes[K comparable](to, from map[K]Volume) {
	for k, u := range from {
		v := to[k]
		v.add(u)
		to[k] = v
	}
}

// A linkRun counts link types: nearly always a block has one, so the map is
// touched once a run of equal ones.
type linkRun struct {
	totals *Totals
	link   capture.LinkType
	n      uint64
}

func (l *linkRun) count(link capture.LinkType) {
	if link != l.link {
		l.flush()
		l.link = link
	}
	l.n++
}

func (l *linkRun) flush() {
	if l.n > 0 {
		l.totals.Links[l.link] += l.n
		l.n = 0
	}
}
