package report

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"net/netip"
)

// addrSeed keeps anybody from choosing addresses that collide in a table.
var addrSeed = rand.Uint64()

// An ip is an IP address as a number, whose IP version stands elsewhere: IPv4's are
// below 1<<32. Unlike a netip.Addr it has no pointer: it compares as two words, and the
// garbage collector never looks inside tables of them. A zone is no part of it: there is
// none on the wire.
type ip struct{ hi, lo uint64 }

// IP versions, as they stand beside an ip.
const (
	noIP = 0 // there is no address
	ip4  = 4
	ip6  = 6
)

// addr is the address.
func (n ip) addr(version uint8) netip.Addr {
	switch version {
	case ip4:
		return addr4(uint32(n.lo))
	case ip6:
		var b [16]byte
		binary.BigEndian.PutUint64(b[:8], n.hi)
		binary.BigEndian.PutUint64(b[8:], n.lo)
		return netip.AddrFrom16(b)
	}
	return netip.Addr{}
}

func addr4(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

func number4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func number6(a netip.Addr) ip {
	b := a.As16()
	return ip{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// An addrNumber is an IP address in a table of addresses of one IP version.
type addrNumber interface{ uint32 | ip }

// An addrTable is a set of the addresses of one IP version: open addressing, at most
// three quarters full.
type addrTable[N addrNumber] struct {
	n      int32
	zero   bool // the address 0 is in the set; in places it means that there is none
	places []N  // the length is a power of two
}

// add enters a, whose hash is given.
func (t *addrTable[N]) add(a N, hash uint64) {
	var none N
	if a == none {
		if !t.zero {
			t.zero = true
			t.n++
		}
		return
	}
	if 4*int(t.n) >= 3*len(t.places) {
		t.grow()
	}
	if t.enter(a, hash) {
		t.n++
	}
}

// enter puts a into the places and reports whether it is new there.
func (t *addrTable[N]) enter(a N, hash uint64) bool {
	var none N
	mask := uint64(len(t.places) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch t.places[i] {
		case a:
			return false
		case none:
			t.places[i] = a
			return true
		}
	}
}

// has reports whether a, whose hash is given, is in the set.
func (t *addrTable[N]) has(a N, hash uint64) bool {
	var none N
	if a == none || len(t.places) == 0 {
		return a == none && t.zero
	}
	mask := uint64(len(t.places) - 1)
	for i := hash & mask; t.places[i] != none; i = (i + 1) & mask {
		if t.places[i] == a {
			return true
		}
	}
	return false
}

// grow doubles the places.
func (t *addrTable[N]) grow() {
	var none N
	old := t.places
	t.places = make([]N, max(8, 2*len(old)))
	for _, a := range old {
		if a != none {
			t.enter(a, hashNumber(a))
		}
	}
}

// touch reads the place where an address with that hash may be, so that it is in the
// cache when it is needed. The number means nothing.
func (t *addrTable[N]) touch(hash uint64) uint64 {
	var none N
	if len(t.places) == 0 || t.places[hash&uint64(len(t.places)-1)] == none {
		return 0
	}
	return 1
}

// all yields the addresses, in no particular order.
func (t *addrTable[N]) all(yield func(N) bool) {
	var none N
	if t.zero && !yield(none) {
		return
	}
	for _, a := range t.places {
		if a != none && !yield(a) {
			return
		}
	}
}

// An end is the address of one end of a connection with its hash, which many tables
// need: it is computed once.
type end struct {
	ip
	hash    uint64 // hashNumber's
	version uint8
}

func endOf(a netip.Addr) end {
	n, version := ipOf(a)
	return n.end(version)
}

// ipOf is an address as a number, with its version.
func ipOf(a netip.Addr) (n ip, version uint8) {
	switch {
	case a.Is4():
		return ip{lo: uint64(number4(a))}, ip4
	case a.IsValid():
		return number6(a), ip6
	}
	return ip{}, noIP
}

// compare orders addresses of one version.
func (n ip) compare(o ip) int { return cmp.Or(cmp.Compare(n.hi, o.hi), cmp.Compare(n.lo, o.lo)) }

// end is the address with its hash; that of no address is 0.
func (n ip) end(version uint8) end {
	switch version {
	case ip4:
		return end{n, hash4(uint32(n.lo)), version}
	case ip6:
		return end{n, hash6(n), version}
	}
	return end{}
}

// with is the hash of a key that has more than the address.
func (e end) with(rest uint64) uint64 { return mix(e.hash^rest, 0x8ebc6af09c88c6e3^addrSeed) }

// hashNumber mixes an address into 64 bits that nobody outside can foresee.
func hashNumber[N addrNumber](a N) uint64 {
	switch a := any(a).(type) {
	case uint32:
		return hash4(a)
	case ip:
		return hash6(a)
	}
	return 0
}

func hash4(n uint32) uint64 { return mix(uint64(n)^addrSeed, 0xa0761d6478bd642f) }

func hash6(n ip) uint64 {
	return mix(mix(n.hi^addrSeed, 0xa0761d6478bd642f)^n.lo, 0xe7037ed1a0b428db)
}

// sketchHash mixes an address into 64 bits, always the same ones: a sketch that is filled
// with them gives the same estimate for the same input.
func sketchHash(a ip, version uint8) uint64 {
	hi, lo := bits.ReverseBytes64(a.hi), bits.ReverseBytes64(a.lo)
	if version == ip4 {
		hi, lo = 0x9e3779b97f4a7c15, lo|0xffff<<16 // 1.2.3.4 is not ::ffff:1.2.3.4
	}
	x, y := bits.Mul64(hi^0xa0761d6478bd642f, lo^0xe7037ed1a0b428db)
	x, y = bits.Mul64(x^y^0x8ebc6af09c88c6e3, lo^hi^0x589965cc75374cc3)
	h := x ^ y
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// mix folds a product of 128 bits into 64.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
