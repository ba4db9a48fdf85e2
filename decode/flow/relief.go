package flow

import (
	"iter"
	"math/bits"

	"sockscope/capture"
)

// A Relief keeps what the tables of a run take within a bound, by finishing connections
// before their time: first those that are over by what silence says (see ending.go), then
// the unproven ones, of which only one side was captured or the handshake is not done, and
// proven ones only when these alone take too much; in each of these groups those first that
// were silent for the longest time. Of the unproven ones those go first with which a source
// has more than its share (see excess.go).
//
// What it decides depends on what connections there are and on nothing else: not on how many
// tables they are in, nor on where they lie. So its answers are the same for any number of
// workers, as long as it is asked behind the same frames. In a run that ends connections by
// silence, too, it finishes them a part at a time.
type Relief struct {
	tables []*Table
	bound  int64 // in bytes; more than that is too much
	spare  uint64
	order  uint64 // departures so far

	picked, sorting []beginning // room

	// Of a run that tells connections as they end there is a reader who must not get more at
	// once than he can take.
	paced bool
	left  []beginning // picked, and not yet finished
	last  uint64      // the frame behind which some were finished
	most  int64       // with more than that used, all that is left is finished at once

	began   bool
	counted bool   // among the shortages, since connections were picked
	touched uint64 // what was read only to have it in the cache; it means nothing
}

// ahead is how many connections' slots are read from memory together.
const ahead = 64

// NewRelief makes a Relief for the tables of a run, which have Config.Ending: more than
// bound bytes by Table.Used are too much. It remembers up to remember connections that
// departed.
func NewRelief(tables []*Table, bound int64, remember int) *Relief {
	for _, t := range tables {
		t.departed.limit = remember
		if t.bySilence { // some may be gone when memory is short for the first time
			t.Totals.Tuples = new(Tuples)
		}
	}
	return &Relief{tables: tables, bound: bound, spare: uint64(remember), paced: tables[0].bySilence}
}

// Used is what all tables use.
func (r *Relief) Used() int64 {
	var used int64
	for _, t := range r.tables {
		used += t.Used()
	}
	return used
}

// Pending reports whether connections are still to be finished, behind the next block.
func (r *Relief) Pending() bool { return len(r.left) > 0 }

// Began reports whether connections were finished.
func (r *Relief) Began() bool { return r.began }

// The shares of the bound, in percent: what is left behind a relief, and what proven
// connections may take before they are finished, too.
const (
	relieved   = 70
	provenMost = 80
	provenLeft = 70
)

// How many connections a paced relief finishes behind a block of frames: twice as many as
// these can begin, so that they become fewer, but together with those that silence ended not
// more than sweepEnds; and some when there is no traffic.
const (
	perFrame    = 2
	leastPart   = 1 << 10
	beyondShare = 16 // one part in so many of the bound may come meanwhile
)

// A tier is what stands in the order in which connections are finished.
type tier uint8

const (
	nothing tier = iota // no connection
	over                // by silence
	excess              // unproven, and beyond the share of its source
	unproven
	proven
	numTiers

	// This and those behind are of unproven connections, of one source each, while it is asked
	// how much that has.
	suspect = numTiers
)

// Relieve finishes connections when there are too many, behind the frame with number last,
// and tells them in the order of their first packets. If connections end by silence, too, a
// call finishes only a part of them, by how many frames came since the last one. Nobody else
// may be at work on the tables.
func (r *Relief) Relieve(last uint64) {
	for _, t := range r.tables {
		t.fragments.forget(t, last) // which a table does when it needs to, else
	}
	used := r.Used()
	if len(r.left) == 0 {
		if used <= r.bound {
			return
		}
		r.pick(used)
		r.most, r.last = used+r.bound/beyondShare, last
	}
	part := len(r.left)
	if r.paced && used <= r.most {
		ended := 0
		for _, t := range r.tables {
			ended += t.ending.swept
		}
		part = min(part, max(leastPart, min(perFrame*int(last-r.last), sweepEnds-ended)))
	}
	r.last = last
	r.finish(r.left[:part])
	if r.left = r.left[part:]; len(r.left) > 0 {
		return
	}
	var room int64
	for _, t := range r.tables {
		room += t.room()
	}
	if room > r.bound/8*9 { // chunks of one class do not serve another
		for _, t := range r.tables {
			t.compact()
		}
	}
}

// pick finds out which connections are to be finished, of what uses so much.
func (r *Relief) pick(used int64) {
	var sums [numTiers]tierSum
	for k := range sums {
		sums[k] = emptyTier
	}
	var groups sourceGroups
	for _, t := range r.tables {
		t.sortOut(&sums, &groups)
	}
	all := sums[over].weight + sums[unproven].weight + sums[proven].weight
	if all == 0 {
		return
	}
	// Connections have more than what their class has; what it is is spread over them.
	share := func(percent int64) int64 {
		return int64(float64(all) / float64(used) * float64(r.bound) * float64(percent) / 100)
	}
	picked := r.picked[:0]
	left := all
	for k := over; k < numTiers && left > share(relieved); k++ {
		if k == excess {
			r.sortOutExcess(&sums, &groups)
		}
		want := left - share(relieved)
		if k == proven {
			if left <= share(provenMost) {
				break
			}
			want = left - share(provenLeft)
		}
		until := everything
		if want < sums[k].weight {
			until = r.until(k, want, want/8, sums[k].low, sums[k].high)
		}
		for i, t := range r.tables {
			var weight int64
			picked, weight = t.pick(picked, uint32(i), k, until)
			left -= weight
		}
	}
	r.picked, r.sorting = sortBeginnings(picked, r.sorting)
	r.left, r.counted = r.picked, false
}

// finish finishes connections, but for those that ended or became worth more since they were
// picked.
func (r *Relief) finish(picked []beginning) {
	if !r.began && len(picked) > 0 {
		r.begin()
	}
	last := r.order + uint64(len(picked))
	var oldest uint64 // departures up to this one are forgotten
	if last > r.spare {
		oldest = last - r.spare
	}
	if oldest > 0 {
		for _, t := range r.tables {
			t.departed.forget(oldest)
		}
	}
	for i, p := range picked {
		if i%ahead == 0 {
			r.touch(picked[i:min(i+ahead, len(picked))])
		}
		r.order++
		if t := r.tables[p.table]; t.isStill(p) && t.evict(p.number, r.order, r.order > oldest) && !r.counted {
			r.counted = true
			r.tables[0].Totals.Shortages++ // it is one of all
		}
	}
}

// begin notes that connections are going to be finished: from now on their tuples are counted
// when they go, and in the end those of all that are left.
func (r *Relief) begin() {
	r.began = true
	for _, t := range r.tables {
		if t.Totals.Tuples == nil {
			t.Totals.Tuples = new(Tuples)
		}
	}
}

// isStill reports whether what was picked is there and stands no higher in the order in which
// connections are finished. How much its source has meanwhile is not asked again.
func (t *Table) isStill(p beginning) bool {
	c := t.cells.at(p.number)
	was := *t.tierAt(p.number)
	if was == excess {
		was = unproven
	}
	return c.key != (key{}) && t.firstFrame(p.number) == p.frame && t.tier(p.number, c, t.isKnock(p.number)) <= was
}

// A moment is a place in the order of silence: the time of a connection's last packet, and
// among those with the same its first frame.
type moment struct {
	last  capture.Timestamp
	frame uint64
}

var (
	everything      = moment{last: 1<<63 - 1, frame: 1<<64 - 1}
	beginningOfTime = moment{last: -1 << 63} // no frame has the number 0
)

// reaches reports whether connection n of t, which is c, is not behind m.
func (m moment) reaches(t *Table, n uint32, c *cell) bool {
	return c.latest < m.last || c.latest == m.last && t.firstFrame(n) <= m.frame
}

// until is up to which moment the connections of a tier must be finished to have, by weight,
// what is wanted of them, and more by no more than the tolerance. Their last packets came from
// low to high, as ordinals.
func (r *Relief) until(k tier, want, tolerance int64, low, high uint64) moment {
	last, rest := r.narrow(k, want, tolerance, low, high, nil)
	at := timeOf(last)
	if rest < 0 {
		return moment{at, everything.frame}
	}
	frame, _ := r.narrow(k, rest, tolerance, 0, 1<<63, &at)
	return moment{at, frame}
}

// narrow is the least value from low to high up to which there is what is wanted by weight,
// or one with which it is more by no more than the tolerance. rest is what is wanted of that
// value alone, when it has far more than that; else it is negative. Values are ordinals of the
// last packets' times or, of the connections with one of these, numbers of their first frames.
func (r *Relief) narrow(k tier, want, tolerance int64, low, high uint64, at *capture.Timestamp) (value uint64, rest int64) {
	const bucketBits = 12
	for {
		shift := max(0, bits.Len64(high-low)-bucketBits)
		var sums [1 << bucketBits]int64
		for _, t := range r.tables {
			t.addUp(&sums, k, low, high, shift, at)
		}
		b := 0
		for sums[b] < want && b < len(sums)-1 {
			want -= sums[b]
			b++
		}
		low += uint64(b) << shift
		high = low + min(high-low, 1<<shift-1) // low+1<<shift may be more than 64 bits
		if sums[b]-want <= tolerance {
			return high, -1
		}
		if low == high {
			return low, want
		}
	}
}

// addUp adds the weights of a tier's connections to sums by their values' distance from low.
func (t *Table) addUp(sums *[1 << 12]int64, k tier, low, high uint64, shift int, at *capture.Timestamp) {
	for n, c := range t.ofTier(k) {
		value := ordinal(c.latest)
		if at != nil {
			if c.latest != *at {
				continue
			}
			value = t.firstFrame(n)
		}
		if low <= value && value <= high {
			sums[(value-low)>>shift] += t.weight(n)
		}
	}
}

// ordinal is a time as a number in the same order.
func ordinal(at capture.Timestamp) uint64 { return uint64(at) ^ 1<<63 }

func timeOf(ordinal uint64) capture.Timestamp { return capture.Timestamp(ordinal ^ 1<<63) }

// touch reads what is needed to finish connections, at most ahead, one behind the other.
func (r *Relief) touch(picked []beginning) {
	var hashes [ahead]uint32
	for i := range picked {
		t, n := r.tables[picked[i].table], picked[i].number
		hashes[i] = t.seed.hash(t.cells.at(n).key)
	}
	for i := range picked {
		t, hash := r.tables[picked[i].table], hashes[i]
		r.touched += uint64(t.look(hash))
		if d := &t.departed; len(d.slots) > 0 {
			r.touched += uint64(d.slots[hash&uint32(len(d.slots)-1)])
		}
	}
}

// ofTier gives the connections of a tier, chunk by chunk, which may get another one meanwhile.
func (t *Table) ofTier(k tier) iter.Seq2[uint32, *cell] {
	return func(yield func(uint32, *cell) bool) {
		for class := range t.numbering {
			for _, chunk := range t.numbering[class].chunks {
				cells := t.cells[chunk]
				for i, is := range t.tiers[chunk] {
					if is == k && !yield(chunk<<chunkBits|uint32(i), &cells[i]) {
						return
					}
				}
			}
		}
	}
}

// tierAt is where the tier of connection n is kept.
func (t *Table) tierAt(n uint32) *tier { return &t.tiers[n>>chunkBits][n%chunkLen] }

// weight is that of connection n's class.
func (t *Table) weight(n uint32) int64 { return t.classes[n>>chunkBits].weight() }

// weights are those of the classes.
func (t *Table) weights() (of [classes]int64) {
	for k := range of {
		of[k] = class(k).weight()
	}
	return of
}

// pick appends the connections of a tier, up to a moment, and tells what they weigh.
func (t *Table) pick(to []beginning, table uint32, k tier, until moment) (_ []beginning, weight int64) {
	for n, c := range t.ofTier(k) {
		if until.reaches(t, n, c) {
			to = append(to, beginning{t.firstFrame(n), n, table})
			weight += t.weight(n)
		}
	}
	return to, weight
}

// A tierSum is what the connections of a tier weigh, and between which times, as ordinals,
// their last packets came.
type tierSum struct {
	weight    int64
	low, high uint64
}

var emptyTier = tierSum{low: ^uint64(0)}

// add adds a connection, by its weight and the time of its last packet.
func (s *tierSum) add(weight int64, last capture.Timestamp) {
	at := ordinal(last)
	s.weight += weight
	s.low, s.high = min(s.low, at), max(s.high, at)
}

// sortOut finds the tiers of all connections, and adds them up, unproven ones by groups of
// sources, too.
func (t *Table) sortOut(sums *[numTiers]tierSum, groups *sourceGroups) {
	t.tiers = append(t.tiers, make([][]tier, len(t.cells)-len(t.tiers))...)
	for k := range t.numbering {
		w := class(k).weight()
		for _, chunk := range t.numbering[k].chunks {
			tiers := t.tiers[chunk]
			if tiers == nil {
				tiers = make([]tier, chunkLen)
			}
			clear(tiers)
			for i := range t.cells[chunk] {
				c := &t.cells[chunk][i]
				if c.key == (key{}) {
					continue
				}
				n := chunk<<chunkBits | uint32(i)
				is := t.tier(n, c, class(k)&hasKnock != 0)
				sums[is].add(w, c.latest)
				if is == unproven {
					groups[t.source(n, c).group()] += w
				}
				tiers[i] = is
			}
			t.tiers[chunk] = tiers
		}
	}
}

// tier is that of connection n, which is c.
func (t *Table) tier(n uint32, c *cell, isKnock bool) tier {
	silence := t.ending.silence(c.latest)
	if isKnock && c.bits&replaced == 0 {
		if silence > attemptSilence {
			return over
		}
		return unproven
	}
	if c.bits&(steady|replaced) == steady && silence <= idleSilence {
		return proven
	}
	limit := t.patience(n, c)
	switch {
	case limit > 0 && silence > limit && t.ending.silence(t.last(n)) > limit:
		return over
	case !t.isOver(n, c) && t.isProven(n, c):
		return proven
	}
	return unproven
}

// isProven reports whether both ends of connection n, which is c, have shown that they are
// there: with a handshake, or packets in both directions.
func (t *Table) isProven(n uint32, c *cell) bool {
	if t.isKnock(n) {
		return false
	}
	switch c.key.protocol() {
	case protoTCP:
		return c.bits&ackedSYN.both() == ackedSYN.both() || c.bits&goesOn.both() == goesOn.both()
	case protoSCTP:
		h := t.handshake(n)
		return h.chunks[0] != 0 && h.chunks[1] != 0 && (h.chunks[0]|h.chunks[1])&(chunkCookieAck|chunkSACK) != 0
	}
	sent := t.volumes(n)
	return sent[0].packets != 0 && sent[1].packets != 0
}
