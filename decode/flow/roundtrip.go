package flow

import (
	"math"
	"slices"
	"time"

	"sockscope/capture"
)

// roundTrips are the round trips of the data of a TCP connection, by side: from
// a segment to the acknowledgment that ends with it. One that ends elsewhere, within a
// segment or behind what the capture has, answers nothing known. By Karn's rule (RFC 6298 §3)
// data that was sent again gives no sample, nor does what was under way behind it: its
// acknowledgment waits for what was lost.
//
// Most connections have few: so it has room for as many as are kept as they are, in a
// cache line for each side, and what does not fit is in a sketch.
type roundTrips struct {
	timed   [2]timed
	_       [2]uint64 // so that these begin a cache line
	samples [2][maxRanks]uint32
	_       [2]uint64
}

// A timed is what one side sent and is timed. Of what is under way, these are the first
// segments, the newest and one between.
type timed struct {
	times  [maxTimed]capture.Timestamp
	ends   [maxTimed]uint32 // sequence number after the segment, its FIN included
	sketch uint32           // 1 + index of the sketch that has all samples
	n      uint8
	kept   uint8 // samples, when there is no sketch
}

const maxTimed = 4

// roundTrip takes any segment, before it changes anything.
func (t *Table) roundTrip(r *record, n uint32, c *cell) {
	d := r.side()
	i := t.trips.at(n)
	if *i == 0 {
		if r.payload == 0 || r.flags&(syn|rst) != 0 {
			return // nothing was ever under way
		}
		n, _ := t.roundTrips.add()
		*i = n + 1
	}
	x := t.roundTrips.at(*i - 1)
	if r.flags&ack != 0 && x.timed[d^1].n != 0 {
		if trip, ok := x.timed[d^1].acknowledged(r.ack, r.time); ok {
			t.sample(x, d^1, trip)
		}
	}
	w := &x.timed[d]
	end, ok := w.end(r)
	if !ok || c.probes(r) {
		return
	}
	if c.has(knownSeq.of(d)) && after(c.next[d], r.seq) { // sent again, or overtaken
		w.forget(r.seq)
		return
	}
	if c.has(knownAck.of(d^1)) && !after(end, c.acked[d^1]) { // its acknowledgment was captured before it
		return
	}
	w.time(end, r.time)
}

// end is the sequence number that acknowledges r; there is none when r has no round trip. A
// FIN counts only while data is under way: the acknowledgment of both answers it.
func (w *timed) end(r *record) (end uint32, ok bool) {
	end = r.seq + r.payload
	if r.flags&fin != 0 {
		end++
	}
	return end, r.flags&(syn|rst) == 0 && end != r.seq && (r.payload != 0 || w.n != 0)
}

// time notes a segment that is under way from now on.
func (w *timed) time(end uint32, when capture.Timestamp) {
	const newest, some = maxTimed - 1, maxTimed - 2
	if w.n == maxTimed {
		if end*0x9e3779b1>>30 == 0 { // one of four: a fixed choice could miss all acknowledgments
			w.times[some], w.ends[some] = w.times[newest], w.ends[newest]
		}
		w.n = newest
	}
	w.times[w.n%maxTimed], w.ends[w.n%maxTimed] = when, end
	w.n++
}

// acknowledged takes an acknowledgment of the other side, and gives the round trip that it
// ends, if any. One that covers several segments answers the last of them.
func (w *timed) acknowledged(ack uint32, when capture.Timestamp) (trip time.Duration, ok bool) {
	covered := uint8(0)
	for covered < w.n && !after(w.ends[covered%maxTimed], ack) {
		covered++
	}
	if covered == 0 {
		return 0, false
	}
	last := (covered - 1) % maxTimed
	if ack == w.ends[last] {
		trip, ok = when.Sub(w.times[last])
		ok = ok && trip >= 0 // clocks may run backwards
	}
	w.n -= covered
	for i := range w.n {
		w.times[i%maxTimed], w.ends[i%maxTimed] = w.times[(covered+i)%maxTimed], w.ends[(covered+i)%maxTimed]
	}
	return trip, ok
}

// forget drops what ends after seq.
func (w *timed) forget(seq uint32) {
	for w.n > 0 && after(w.ends[(w.n-1)%maxTimed], seq) {
		w.n--
	}
}

// sample adds a round trip of a side's data.
func (t *Table) sample(x *roundTrips, side uint8, trip time.Duration) {
	w := &x.timed[side]
	if w.sketch == 0 {
		if w.kept < maxRanks && trip <= math.MaxUint32 { // ns: four seconds
			x.samples[side][w.kept] = uint32(trip)
			w.kept++
			return
		}
		n, s := t.sketches.add()
		w.sketch = n + 1
		for _, trip := range x.samples[side][:w.kept] {
			s.sample(time.Duration(trip))
		}
	}
	t.sketches.at(w.sketch - 1).sample(trip)
}

// touchRoundTrips does for round trips what touch does for the rest.
func (t *Table) touchRoundTrips(records []record, guesses []guess) (touched uint32) {
	var of [stretch]*roundTrips
	for i := range guesses {
		if chunk := t.trips.at(guesses[i].entry.number()); chunk != nil && *chunk != 0 {
			of[i%stretch] = t.roundTrips.at(*chunk - 1)
		}
	}
	for _, x := range of[:len(guesses)] {
		if x != nil {
			touched += uint32(x.timed[0].n) + uint32(x.timed[1].n)
		}
	}
	// Of those that are acknowledged now there is going to be a sample.
	for i, x := range of[:len(guesses)] {
		if x == nil {
			continue
		}
		side := records[i].side() ^ 1
		w := &x.timed[side]
		if w.n == 0 || after(w.ends[0], records[i].ack) {
			continue
		}
		if w.sketch == 0 {
			touched += x.samples[side][0]
		} else {
			s := t.sketches.at(w.sketch - 1)
			touched += uint32(s.min) + uint32(s.ranks[maxRanks/2]) + s.weights[0] + s.weights[maxRanks]
		}
	}
	return touched
}

// roundTripsOf are the round trips of connection n, or nil.
func (t *Table) roundTripsOf(n uint32) *roundTrips {
	if i := t.trips.at(n); i != nil && *i != 0 {
		return t.roundTrips.at(*i - 1)
	}
	return nil
}

// dropRoundTrips gives up those of connection n.
func (t *Table) dropRoundTrips(n uint32) {
	if x := t.roundTripsOf(n); x != nil {
		t.sketches.drop(x.timed[0].sketch)
		t.sketches.drop(x.timed[1].sketch)
		t.roundTrips.drop(*t.trips.at(n))
		*t.trips.at(n) = 0
	}
}

// A RoundTrips is how long the acknowledgments of one side's data took, as seen where the
// capture was made.
type RoundTrips struct {
	Samples            uint64
	Min, P50, P95, Max time.Duration // valid when there are samples; P50 and P95 of more than 14 are estimates
}

// summary is x in numbers, for a side's data.
func (t *Table) summary(x *roundTrips, side uint8) RoundTrips {
	w := &x.timed[side]
	switch {
	case w.sketch != 0:
		return t.sketches.at(w.sketch - 1).summary()
	case w.kept == 0:
		return RoundTrips{}
	}
	sorted := x.samples[side]
	n := int(w.kept)
	slices.Sort(sorted[:n])
	at := func(rank int) time.Duration { return time.Duration(sorted[rank-1]) }
	return RoundTrips{Samples: uint64(n), Min: at(1), P50: at((n + 1) / 2), P95: at(n - n/20), Max: at(n)}
}
