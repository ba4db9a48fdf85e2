package flow

import (
	"encoding/binary"
	"math"
	"math/bits"

	"sockscope/decode"
)

// Tuples tells about how many distinct tuples there were, of any number, in 16 KiB: it is a
// HyperLogLog (Flajolet et al. 2007). Where memory bounds the connections, one that goes on
// after it was evicted is told again, so that their number is not that.
//
// The upper bits of a tuple's hash choose a register, which keeps 1 + the longest run of zeros
// that was seen behind these. The registers of several tables merge by their maximum: as if all
// had been entered into one.
type Tuples [1 << tupleBits]uint8

const (
	tupleBits = 14
	runBits   = 64 - tupleBits // a run of zeros can be so long
)

// TuplesError is the standard error of an estimate of many tuples, as a part of them: 1.04 by
// the root of the registers' number. That of few is less.
const TuplesError = 0.0081

// add adds a tuple that has a hash.
func (s *Tuples) add(hash uint64) {
	run := uint8(bits.LeadingZeros64(hash<<tupleBits|1<<(tupleBits-1))) + 1
	register := &s[hash>>runBits]
	*register = max(*register, run)
}

// merge adds what was added to o.
func (s *Tuples) merge(o *Tuples) {
	for i, run := range o {
		s[i] = max(s[i], run)
	}
}

// Estimate is about how many distinct tuples were added. It is Ertl's estimator (New cardinality
// estimation algorithms for HyperLogLog sketches, 2017, algorithm 6), which is as good for few as
// for many and needs no tables. What it does for registers at their end is left out: that
// takes 2^60 tuples. s may be nil: there were none.
func (s *Tuples) Estimate() uint64 {
	if s == nil {
		return 0
	}
	var counts [runBits + 2]int
	for _, run := range s {
		counts[run]++
	}
	const m = 1 << tupleBits
	sum := m * sigma(float64(counts[0])/m)
	for run, n := range counts[1:] {
		sum += math.Ldexp(float64(n), -run-1)
	}
	return uint64(m*m/(2*math.Ln2*sum) + 0.5)
}

// sigma is what registers stand for that are still empty, by their share: x + Σ x^(2^k) 2^(k-1)
// for k from 1, which is infinite when all are.
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	sum, weight := x, 1.0
	for {
		x *= x
		before := sum
		if sum += x * weight; sum == before {
			return sum
		}
		weight *= 2
	}
}

// countTuple adds the tuple of connection n to s, unless that is nil: connections that are still
// in their tables can be counted later.
func (t *Table) countTuple(s *Tuples, n uint32) {
	if s != nil {
		s.add(t.tuple(n))
	}
}

// countAllTuples adds those of all connections.
func (t *Table) countAllTuples(s *Tuples) {
	if s == nil {
		return
	}
	for k := range t.numbering {
		for _, chunk := range t.numbering[k].chunks {
			for i := range t.cells[chunk] {
				if t.cells[chunk][i].key != (key{}) {
					t.countTuple(s, chunk<<chunkBits|uint32(i))
				}
			}
		}
	}
}

// tuple is a hash of connection n's protocol, ends and virtual network. Other than Seed.hash it
// is the same in all runs, as an estimate has to be that is made of it. So who writes packets can
// choose such that make it wrong; they make nothing slow.
func (t *Table) tuple(n uint32) uint64 {
	k := t.cells.at(n).key
	h := scramble(uint64(k.port(0))<<48 | uint64(k.port(1))<<32 | uint64(k.protocol())<<8 | uint64(k.version()))
	if !k.wide() {
		return scramble(h ^ (uint64(k.address(0))<<32 | uint64(k.address(1))))
	}
	w := t.networks.at(n)
	for _, a := range [...]*decode.Addr{&w.a, &w.b} {
		h = scramble(h ^ binary.BigEndian.Uint64(a[:8]))
		h = scramble(h ^ binary.BigEndian.Uint64(a[8:]))
	}
	return scramble(h ^ (uint64(w.tunnel)<<32 | uint64(w.id)))
}

// scramble makes each bit of its result depend on all of x's (the finalizer of SplitMix64:
// Steele, Lea and Flood 2014). Other values have other results.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
