package report

import (
	"math"
	"math/bits"
	"net/netip"
	"unsafe"
)

// Addresses that a set keeps as they are; beyond that only a sketch.
const (
	exactAddrs = 4096 // of a service, and of what is told in one line
	exactOfOne = 1024 // of one endpoint or source, of which there are very many
	sketchBits = 12   // 4,096 registers: a standard error of 1.6 %
)

// A distinct counts distinct addresses: exactly up to a bound, then with a
// HyperLogLog sketch (Flajolet et al. 2007) of fixed size. The zero value works; it
// is small, since most endpoints have one client.
type distinct struct {
	one     ip       // the first
	more    *addrSet // all of them, from the second on
	version uint8    // of one
}

// An addrSet is a set of addresses, where one is not the rule. The zero value is empty.
type addrSet struct {
	v4     addrTable[uint32]
	v6     *addrTable[ip] // nil: it is empty
	sketch sketch         // nil, or it replaces the tables
}

// A sketch has registers, each with the longest run of zeros that was seen there. Their
// number is a power of two: 1<<sketchBits, or less where memory is short (see fold).
type sketch []uint8

// add takes one address, to be kept as it is among bound others; the zero end is none.
func (d *distinct) add(a end, bound int) {
	if d.more == nil {
		d.begin(a, bound)
	} else {
		d.more.add(a, bound)
	}
}

// begin is add as long as there is no set.
func (d *distinct) begin(a end, bound int) {
	switch {
	case a.ip == d.one && a.version == d.version || a.version == noIP:
	case d.version == noIP:
		d.one, d.version = a.ip, a.version
	default:
		d.more = new(addrSet)
		d.more.add(endOf(d.first()), bound)
		d.more.add(a, bound)
	}
}

// first is the first address, or the zero Addr.
func (d *distinct) first() netip.Addr { return d.one.addr(d.version) }

func (s *addrSet) add(a end, bound int) {
	switch {
	case a.version == noIP:
		return
	case s.sketch != nil:
		s.sketch.mark(a.ip, a.version)
		return
	case a.version == ip4:
		s.v4.add(uint32(a.lo), a.hash)
	default:
		if s.v6 == nil {
			s.v6 = new(addrTable[ip])
		}
		s.v6.add(a.ip, a.hash)
	}
	if s.size() > bound {
		s.spill()
	}
}

// has reports whether a is in the set, as long as that is exact.
func (s *addrSet) has(a end) bool {
	switch {
	case a.version == ip4:
		return s.v4.has(uint32(a.lo), a.hash)
	case a.version == noIP || s.v6 == nil:
		return false
	}
	return s.v6.has(a.ip, a.hash)
}

// touch reads where a may be, so that it is in the cache when it is needed.
func (s *addrSet) touch(a *end) uint64 {
	switch {
	case s == nil:
		return 0
	case a.version == ip4:
		return s.v4.touch(a.hash)
	case s.v6 == nil:
		return 0
	}
	return s.v6.touch(a.hash)
}

// spill turns the set into a sketch.
func (s *addrSet) spill() {
	marked := make(sketch, 1<<sketchBits)
	for n := range s.v4.all {
		marked.mark(ip{lo: uint64(n)}, ip4)
	}
	if s.v6 != nil {
		for n := range s.v6.all {
			marked.mark(n, ip6)
		}
	}
	*s = addrSet{sketch: marked}
}

// mark enters a into the sketch: the hash's upper bits choose a register, which
// keeps the longest run of zeros seen in the rest.
func (s sketch) mark(a ip, version uint8) {
	h, width := sketchHash(a, version), s.bits()
	register := h >> (64 - width)
	if run := runOf(h<<width, 64-width); run > s[register] {
		s[register] = run
	}
}

// bits is the logarithm of the number of registers.
func (s sketch) bits() int { return bits.TrailingZeros64(uint64(len(s))) }

// runOf is 1 + the number of zeros before the first one among the upper n bits of h.
func runOf(h uint64, n int) uint8 {
	return uint8(bits.LeadingZeros64(h|1<<(63-n))) + 1
}

// fold is s with so many registers, at most as many as it has: as if the addresses had been
// entered there. The less, the less exact: the standard error is 1.04 by their root.
func (s sketch) fold(registers int) sketch {
	folded := make(sketch, registers)
	below := s.bits() - folded.bits()
	for i, run := range s {
		if run == 0 {
			continue
		}
		if within := uint64(i) & (1<<below - 1); within != 0 { // these bits are looked at before the others
			run = runOf(within<<(64-below), below)
		} else {
			run += uint8(below)
		}
		folded[i>>below] = max(folded[i>>below], run)
	}
	return folded
}

// merge adds another set's addresses.
func (d *distinct) merge(o *distinct) {
	if o.more == nil {
		d.add(o.one.end(o.version), exactAddrs)
		return
	}
	if o.exact() {
		for a := range o.all {
			d.add(endOf(a), exactAddrs)
		}
		return
	}
	if d.more == nil {
		d.more = new(addrSet)
		if d.version != noIP {
			d.more.add(endOf(d.first()), exactAddrs)
		}
		d.one, d.version = o.one, o.version
	}
	if d.more.exact() {
		d.more.spill()
	}
	from := o.more.sketch
	switch marked := d.more.sketch; {
	case len(marked) > len(from):
		d.more.sketch = marked.fold(len(from))
	case len(marked) < len(from):
		from = from.fold(len(marked))
	}
	for i, run := range from {
		d.more.sketch[i] = max(d.more.sketch[i], run)
	}
}

// exact reports whether count and all are the whole truth.
func (d *distinct) exact() bool { return d.more == nil || d.more.exact() }

func (s *addrSet) exact() bool { return s.sketch == nil }

// all yields the addresses, in no particular order, as long as the set is exact.
func (d *distinct) all(yield func(netip.Addr) bool) {
	switch {
	case d.more != nil:
		d.more.all(yield)
	case d.version != noIP:
		yield(d.first())
	}
}

func (s *addrSet) all(yield func(netip.Addr) bool) {
	for n := range s.v4.all {
		if !yield(addr4(n)) {
			return
		}
	}
	if s.v6 == nil {
		return
	}
	for n := range s.v6.all {
		if !yield(n.addr(ip6)) {
			return
		}
	}
}

// count is the number of distinct addresses.
func (d *distinct) count() uint64 {
	switch {
	case d.more != nil:
		return d.more.count()
	case d.version != noIP:
		return 1
	}
	return 0
}

func (s *addrSet) count() uint64 {
	if !s.exact() {
		return s.sketch.estimate()
	}
	return uint64(s.size())
}

// size is the number of addresses in the tables.
func (s *addrSet) size() int {
	if s.v6 == nil {
		return int(s.v4.n)
	}
	return int(s.v4.n + s.v6.n)
}

// estimate is HyperLogLog's: the harmonic mean of the registers. The set is far
// larger than the registers' number, but for linear counting at the lower end.
func (s sketch) estimate() uint64 {
	m := float64(len(s))
	var counts [66]uint32
	for _, run := range s {
		counts[run]++
	}
	var sum float64
	for run, n := range counts {
		sum += math.Ldexp(float64(n), -run)
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum // the factor is that of 128 registers or more
	if zeros := counts[0]; e < 2.5*m && zeros > 0 {
		e = m * math.Log(m/float64(zeros))
	}
	return uint64(e + 0.5)
}

// bytes is what d takes beside itself.
func (d *distinct) bytes() int64 {
	if d.more == nil {
		return 0
	}
	return d.more.bytes()
}

func (s *addrSet) bytes() int64 {
	n := int64(unsafe.Sizeof(*s)) + 4*int64(len(s.v4.places)) + int64(len(s.sketch))
	if s.v6 != nil {
		n += int64(unsafe.Sizeof(*s.v6)) + 16*int64(len(s.v6.places))
	}
	return n
}

// lessen makes s take about so many bytes at most, a power of two, by being less exact.
func (s *addrSet) lessen(most int) {
	if s == nil || s.bytes() <= int64(unsafe.Sizeof(*s))+int64(most) {
		return
	}
	if s.exact() {
		s.spill()
	}
	if len(s.sketch) > most {
		s.sketch = s.sketch.fold(most)
	}
}
