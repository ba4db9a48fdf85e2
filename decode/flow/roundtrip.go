package flow

import (
	"math"
	"time"

	"sockscope/capture"
)

// roundTrips are the round trips of the data that one side of a TCP connection sent: from
// a segment to the acknowledgment that ends with it. One that ends elsewhere, within a
// segment or behind what the capture has, answers nothing known. By Karn's rule (RFC 6298 §3)
// data that was sent again gives no sample, nor does what was under way behind it: its
// acknowledgment waits for what was lost.
//
// Of what is under way, the first segments, the newest and one between are timed. Up to
// maxRanks samples are kept as they are; of more, neighbours are joined, those first that are
// near and stand for few, so that quantiles are estimates then (after Ben-Haim and Tom-Tov,
// "A Streaming Parallel Decision Tree Algorithm", 2010; near is meant as a ratio, because
// a stall is a thousand times a round trip). A histogram would take ten times the memory.
type roundTrips struct {
	numTimed int32
	numRanks int32
	ends     [maxTimed]uint32 // sequence number after the segment, its FIN included
	times    [maxTimed]capture.Timestamp

	min, max time.Duration
	ranks    [maxRanks + 1]time.Duration // samples, or means of several, in order
	weights  [maxRanks + 1]uint32        // of how many samples; saturating
}

const (
	maxRanks = 14
	maxTimed = 4
)

// roundTrip takes any segment, before it changes anything.
func (t *Table) roundTrip(r *record, c *cell, h *handshake) {
	d := r.side()
	if i := h.roundTrips[d^1]; i != 0 && r.flags&ack != 0 {
		t.roundTrips.at(i-1).acknowledged(r.ack, r.time)
	}
	x, end := t.roundTripsOf(r, h)
	if x == nil || c.probes(r) {
		return
	}
	if c.has(knownSeq.of(d)) && after(c.next[d], r.seq) { // sent again, or overtaken
		x.forget(r.seq)
		return
	}
	if c.has(knownAck.of(d^1)) && !after(end, c.acked[d^1]) { // its acknowledgment was captured before it
		return
	}
	x.time(end, r.time)
}

// time notes a segment that is under way from now on.
func (x *roundTrips) time(end uint32, when capture.Timestamp) {
	const newest, some = maxTimed - 1, maxTimed - 2
	if x.numTimed == maxTimed {
		if end*0x9e3779b1>>30 == 0 { // one of four: a fixed choice could miss all acknowledgments
			x.times[some], x.ends[some] = x.times[newest], x.ends[newest]
		}
		x.numTimed = newest
	}
	x.times[x.numTimed], x.ends[x.numTimed] = when, end
	x.numTimed++
}

// roundTripsOf is where the round trip of r belongs, nil when it has none, and the sequence
// number that acknowledges it. A FIN counts only while data is under way: the
// acknowledgment of both answers it.
func (t *Table) roundTripsOf(r *record, h *handshake) (x *roundTrips, end uint32) {
	i := &h.roundTrips[r.side()]
	end = r.seq + r.payload
	if r.flags&fin != 0 {
		end++
	}
	switch {
	case r.flags&(syn|rst) != 0 || end == r.seq:
		return nil, 0
	case *i == 0 && r.payload == 0:
		return nil, 0
	case *i == 0:
		n, _ := t.roundTrips.add()
		*i = n + 1
	}
	x = t.roundTrips.at(*i - 1)
	if r.payload == 0 && x.numTimed == 0 {
		return nil, 0
	}
	return x, end
}

// touchRoundTrips does for round trips what touch does for the rest.
func (t *Table) touchRoundTrips(guesses []guess) (touched uint32) {
	for i := range guesses {
		if s := t.streams.of(guesses[i].entry.number()); s != nil {
			touched += s.roundTrips[0]
		}
	}
	for i := range guesses {
		s := t.streams.of(guesses[i].entry.number())
		if s == nil {
			continue
		}
		for _, i := range s.roundTrips {
			if i != 0 {
				touched += uint32(t.roundTrips.at(i - 1).numTimed)
			}
		}
	}
	return touched
}

// acknowledged takes an acknowledgment of the other side. One that covers several segments
// answers the last of them.
func (x *roundTrips) acknowledged(ack uint32, when capture.Timestamp) {
	covered := 0
	for covered < int(x.numTimed) && !after(x.ends[covered], ack) {
		covered++
	}
	if covered == 0 {
		return
	}
	if d, ok := when.Sub(x.times[covered-1]); ok && d >= 0 && ack == x.ends[covered-1] { // clocks may run backwards
		x.sample(d)
	}
	copy(x.times[:], x.times[covered:x.numTimed])
	copy(x.ends[:], x.ends[covered:x.numTimed])
	x.numTimed -= int32(covered)
}

// forget drops what ends after seq.
func (x *roundTrips) forget(seq uint32) {
	for x.numTimed > 0 && after(x.ends[x.numTimed-1], seq) {
		x.numTimed--
	}
}

// sample adds a round trip.
func (x *roundTrips) sample(d time.Duration) {
	if x.numRanks == 0 {
		x.min = d
	}
	x.min, x.max = min(x.min, d), max(x.max, d)
	i := x.numRanks
	for ; i > 0 && x.ranks[i-1] > d; i-- {
		x.ranks[i], x.weights[i] = x.ranks[i-1], x.weights[i-1]
	}
	x.ranks[i], x.weights[i] = d, 1
	x.numRanks++
	if x.numRanks > maxRanks {
		x.join()
	}
}

// join makes one of the two neighbours that lose least by it.
func (x *roundTrips) join() {
	best, least := 0, math.Inf(1)
	for i := range maxRanks {
		ratio := float64(x.ranks[i+1]+1) / float64(x.ranks[i]+1) // a round trip may take 0 ns
		loss := math.Log(ratio) * (float64(x.weights[i]) + float64(x.weights[i+1]))
		if loss < least {
			best, least = i, loss
		}
	}
	a, b := x.weights[best], x.weights[best+1]
	share := float64(b) / (float64(a) + float64(b))
	x.ranks[best] += time.Duration(float64(x.ranks[best+1]-x.ranks[best]) * share)
	x.weights[best] = uint32(min(uint64(a)+uint64(b), math.MaxUint32))
	copy(x.ranks[best+1:], x.ranks[best+2:])
	copy(x.weights[best+1:], x.weights[best+2:])
	x.numRanks--
}

// A RoundTrips is how long the acknowledgments of one side's data took, as seen where the
// capture was made.
type RoundTrips struct {
	Samples            uint64
	Min, P50, P95, Max time.Duration // valid when there are samples; P50 and P95 of more than 14 are estimates
}

// summary is x in numbers. Quantiles are nearest ranks.
func (x *roundTrips) summary() RoundTrips {
	s := RoundTrips{Min: x.min, Max: x.max}
	for _, w := range x.weights[:x.numRanks] {
		s.Samples += uint64(w)
	}
	s.P50, s.P95 = x.quantile((s.Samples+1)/2), x.quantile(s.Samples-s.Samples/20)
	return s
}

// quantile is the sample of that rank, from 1.
func (x *roundTrips) quantile(rank uint64) time.Duration {
	var seen uint64
	for i, w := range x.weights[:x.numRanks] {
		if seen += uint64(w); seen >= rank {
			return x.ranks[i]
		}
	}
	return x.max
}
