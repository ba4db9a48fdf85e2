package flow

import (
	"encoding/binary"
	"slices"
	"unsafe"
)

// Whoever floods must not push out the handshakes that others have under way. So when
// unproven connections are to be finished, a source that has more than its share of them
// loses what is beyond, its oldest, before any of the others' are touched.
//
// Proven connections have no such share, though whoever writes a file can fake them: he
// writes both ends, so that each may be of a source of its own. In what was really captured
// a source with many of them is a proxy or a network behind one address, and what they may
// take together is bounded. That is also how the rule is written: a share of the unproven.

const (
	sourceShare  = 25                  // percent of what unproven connections weigh
	mostSuspects = 100/sourceShare - 1 // so many can have more than that at a time
)

// A source is who opens connections: an IPv4 address, or the first half of an IPv6 address,
// the other half of which a host can choose as it likes (RFC 4291 §2.5.1), in its virtual
// network.
type source struct {
	address uint64 // the first 64 bits; IPv4: followed by zeros
	within  uint64 // IP version, kind and id of the virtual network: 8, 24, 32 bits
}

// source is who sent the first packet of connection n, which is c, as the network has it:
// what stands for an address in a wide key is another one in each run.
func (t *Table) source(n uint32, c *cell) source {
	var side uint8
	if k := t.knockAt(n); k != nil {
		side = k.dir()
	} else {
		side = t.meta(n).firstDir()
	}
	if !c.key.wide() {
		return source{uint64(c.key.address(side)) << 32, 4 << 56}
	}
	w := t.networks.at(n)
	a := &w.a
	if side == 1 {
		a = &w.b
	}
	return source{binary.BigEndian.Uint64(a[:8]), uint64(c.key.version())<<56 | uint64(w.tunnel)<<32 | uint64(w.id)}
}

// sourceGroups are what the sources weigh that fall into one group together. Where no group
// has more than a share no source has, and mostly that is all there is to do.
type sourceGroups [1 << sourceGroupBits]int64

const sourceGroupBits = 12

// group is the group of s, by multiplicative hashing (D. Knuth, The Art of Computer
// Programming, vol. 3, 6.4). Who makes many sources fall into one gains nothing: in a heavy
// group each is looked at.
func (s source) group() uint64 {
	const odd = 0x9e3779b97f4a7c15 // 2^64 by the golden ratio
	return (s.address ^ s.within*odd) * odd >> (64 - sourceGroupBits)
}

// suspects are the sources that may have more than a share of what was added: all that do are
// among them. Whoever finds no place among them takes as much from each of them as is taken
// from him, and there is not enough for that to happen to a whole share (J. Misra, D. Gries:
// Finding repeated elements, Science of Computer Programming 2, 1982).
type suspects [mostSuspects]struct {
	source
	weight int64 // what was not taken; 0: the place is free
}

// add adds what a connection of a source weighs.
func (s *suspects) add(from source, weight int64) {
	if i := s.place(from); i >= 0 {
		s[i].weight += weight
		return
	}
	for weight > 0 {
		last := 0
		for i := range s {
			if s[i].weight < s[last].weight {
				last = i
			}
		}
		if s[last].weight == 0 {
			s[last].source, s[last].weight = from, weight
			return
		}
		taken := min(weight, s[last].weight)
		for i := range s {
			s[i].weight -= taken
		}
		weight -= taken
	}
}

// place is the index of a source, or -1.
func (s *suspects) place(of source) int {
	for i := range s {
		if s[i].source == of {
			return i
		}
	}
	return -1
}

// sortOutExcess moves unproven connections that are beyond their sources' shares to the tier
// excess: of each such source the oldest, no more than needed. groups are of all unproven ones.
func (r *Relief) sortOutExcess(sums *[numTiers]tierSum, groups *sourceGroups) {
	share := sums[unproven].weight * sourceShare / 100
	if slices.Max(groups[:]) <= share {
		return
	}
	var found suspects
	for _, t := range r.tables {
		t.findSuspects(&found, groups, share)
	}
	var of [mostSuspects]tierSum // all that each has
	for i := range of {
		of[i] = emptyTier
	}
	for _, t := range r.tables {
		t.sortOutSuspects(&found, &of)
	}
	for i := range of {
		if of[i].weight == 0 {
			continue
		}
		k, until := suspect+tier(i), beginningOfTime
		if want := of[i].weight - share; want > 0 {
			const lessThanOne = int64(unsafe.Sizeof(cell{})) // than any connection weighs
			until = r.until(k, want, lessThanOne, of[i].low, of[i].high)
		}
		for _, t := range r.tables {
			t.cutOff(k, until, sums)
		}
	}
}

// findSuspects finds the sources that may have more than their share: they are in groups that
// have more.
func (t *Table) findSuspects(found *suspects, groups *sourceGroups, share int64) {
	for n, c := range t.ofTier(unproven) {
		if from := t.source(n, c); groups[from.group()] > share {
			found.add(from, t.weight(n))
		}
	}
}

// sortOutSuspects gives the unproven connections of each suspect a tier of their own, and adds
// them up.
func (t *Table) sortOutSuspects(found *suspects, of *[mostSuspects]tierSum) {
	for n, c := range t.ofTier(unproven) {
		if s := found.place(t.source(n, c)); s >= 0 {
			*t.tierAt(n) = suspect + tier(s)
			of[s].add(t.weight(n), c.latest)
		}
	}
}

// cutOff makes the connections of a tier excess, up to a moment, and the others unproven again.
func (t *Table) cutOff(k tier, until moment, sums *[numTiers]tierSum) {
	for n, c := range t.ofTier(k) {
		if !until.reaches(t, n, c) {
			*t.tierAt(n) = unproven
			continue
		}
		*t.tierAt(n) = excess
		weight := t.weight(n)
		sums[excess].add(weight, c.latest)
		sums[unproven].weight -= weight
	}
}
