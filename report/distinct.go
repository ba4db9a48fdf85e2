package report

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"net/netip"
)

const (
	exactAddrs = 4096 // kept as they are; beyond that only a sketch
	sketchBits = 12   // 4,096 registers: a standard error of 1.6 %
)

// addrSeed keeps anybody from choosing addresses that collide in a set.
var addrSeed = rand.Uint64()

// A distinct counts distinct addresses: exactly up to exactAddrs, then with a
// HyperLogLog sketch (Flajolet et al. 2007) of fixed size. The zero value works; it
// is small, since most endpoints have one client.
type distinct struct {
	last   netip.Addr   // connections of one client come in runs
	n      int          // in table; or 1 without a table: only last
	table  []netip.Addr // open addressing, at most half full; its length is a power of two
	sketch *[1 << sketchBits]uint8
}

// add takes one address; the zero Addr is none.
func (d *distinct) add(a netip.Addr) {
	if a == d.last || !a.IsValid() {
		return
	}
	first := d.last
	d.last = a
	switch {
	case d.sketch != nil:
		d.mark(a)
	case d.n == 0:
		d.n = 1
	default:
		if d.table == nil {
			d.grow(8)
			d.enter(first)
		}
		if d.enter(a) {
			d.n++
		}
		switch {
		case d.n > exactAddrs:
			d.spill()
		case 2*d.n > len(d.table):
			d.grow(2 * len(d.table))
		}
	}
}

// enter puts a into the table and reports whether it is new there.
func (d *distinct) enter(a netip.Addr) bool {
	mask := uint64(len(d.table) - 1)
	for i := hashAddr(a, addrSeed) & mask; ; i = (i + 1) & mask {
		switch d.table[i] {
		case a:
			return false
		case netip.Addr{}:
			d.table[i] = a
			return true
		}
	}
}

// grow makes the table anew, with n places.
func (d *distinct) grow(n int) {
	old := d.table
	d.table = make([]netip.Addr, n)
	for _, a := range old {
		if a.IsValid() {
			d.enter(a)
		}
	}
}

// spill turns the set into a sketch.
func (d *distinct) spill() {
	d.sketch = new([1 << sketchBits]uint8)
	for a := range d.all {
		d.mark(a)
	}
	d.table = nil
}

// mark enters a into the sketch: the hash's upper bits choose a register, which
// keeps the longest run of zeros seen in the rest.
func (d *distinct) mark(a netip.Addr) {
	h := hashAddr(a, 0) // an estimate must be the same for the same input
	register := h >> (64 - sketchBits)
	run := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1))) + 1
	if run > d.sketch[register] {
		d.sketch[register] = run
	}
}

// merge adds another set's addresses.
func (d *distinct) merge(o *distinct) {
	if o.sketch == nil {
		for a := range o.all {
			d.add(a)
		}
		return
	}
	if d.sketch == nil {
		d.spill()
	}
	for i, run := range o.sketch {
		d.sketch[i] = max(d.sketch[i], run)
	}
}

// exact reports whether count and all are the whole truth.
func (d *distinct) exact() bool { return d.sketch == nil }

// all yields the addresses, in no particular order, as long as the set is exact.
func (d *distinct) all(yield func(netip.Addr) bool) {
	if d.table == nil && d.n == 1 {
		yield(d.last)
		return
	}
	for _, a := range d.table {
		if a.IsValid() && !yield(a) {
			return
		}
	}
}

// count is the number of distinct addresses.
func (d *distinct) count() uint64 {
	if d.sketch != nil {
		return d.estimate()
	}
	return uint64(d.n)
}

// estimate is HyperLogLog's: the harmonic mean of the registers. The set is far
// larger than the registers' number, but for linear counting at the lower end.
func (d *distinct) estimate() uint64 {
	const m = 1 << sketchBits
	var counts [66]uint32
	for _, run := range d.sketch {
		counts[run]++
	}
	var sum float64
	for run, n := range counts {
		sum += math.Ldexp(float64(n), -run)
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if zeros := counts[0]; e < 2.5*m && zeros > 0 {
		e = m * math.Log(m/float64(zeros))
	}
	return uint64(e + 0.5)
}

// hashAddr mixes an address and a seed into 64 bits.
func hashAddr(a netip.Addr, seed uint64) uint64 {
	b := a.As16()
	hi, lo := binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
	if a.Is4() {
		hi ^= 0x9e3779b97f4a7c15 // 1.2.3.4 is not ::ffff:1.2.3.4
	}
	x, y := bits.Mul64(hi^0xa0761d6478bd642f^seed, lo^0xe7037ed1a0b428db)
	x, y = bits.Mul64(x^y^0x8ebc6af09c88c6e3, lo^hi^0x589965cc75374cc3^seed)
	h := x ^ y
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}
