package flow

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"sockscope/decode"
)

// A key names a connection within a run: protocol, two endpoints and, inside a
// virtual network, its id. The lower endpoint stands first, so that both
// directions have the same key.
//
// It has no pointers and no gaps: it compares as one block of memory, and tables
// of keys are nothing to the garbage collector. An IPv6 address is represented by
// a keyed hash; whoever finds an equal key compares the addresses themselves (see
// Table.slot).
type key struct {
	a, b    uint32 // IPv4 addresses, or hashes of IPv6 addresses
	pa, pb  uint16 // ports; 0 for protocols without
	proto   uint8  // IP protocol number
	version uint8  // 4 or 6
	tunnel  uint16 // kind of the tunnel that keeps tenants apart, or 0
	vni     uint32 // its network's id: one private tuple in two tenants is two connections
}

// addressPair holds the IPv6 addresses of a key, in its order.
type addressPair struct{ a, b decode.Addr }

// A Seed keys the hashes of a run. Tuples come from the network, so whoever
// writes packets must not be able to choose tuples that collide.
type Seed [6]uint64

// NewSeed is a random Seed.
func NewSeed() *Seed {
	var s Seed
	for i := range s {
		s[i] = rand.Uint64() | 1
	}
	return &s
}

// fold multiplies and mixes the two halves of the product, so that each bit of
// the result depends on all bits of both factors.
func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}

// hash is the table's hash of k.
func (s *Seed) hash(k *key) uint32 {
	addrs := uint64(k.a) | uint64(k.b)<<32
	rest := uint64(k.pa) | uint64(k.pb)<<16 | uint64(k.proto)<<32 | uint64(k.version)<<40
	h := fold(addrs^s[0], rest^s[1])
	h = fold(h^(uint64(k.vni)|uint64(k.tunnel)<<32), s[2])
	return uint32(h) ^ uint32(h>>32)
}

// partition is the part of n that k's address pair belongs to: a connection, the
// ICMP errors that quote it and its fragments share it.
func (s *Seed) partition(k *key, n int) int {
	if n == 1 {
		return 0
	}
	h := fold((uint64(k.a)|uint64(k.b)<<32)^s[3], s[4])
	return int(h >> 32 % uint64(n))
}

// address is the 32-bit stand-in of an IPv6 address in a key.
func (s *Seed) address(a *decode.Addr) uint32 {
	hi := binary.BigEndian.Uint64(a[:8])
	lo := binary.BigEndian.Uint64(a[8:])
	h := fold(fold(hi^s[5], s[3])^lo, s[1])
	return uint32(h) ^ uint32(h>>32)
}

// orient makes the key of a packet from src to dst. dir is 0 when src is the
// key's first endpoint, else 1.
func (s *Seed) orient(k *key, src, dst *decode.Addr, sport, dport uint16) (dir uint8) {
	if k.version == 4 {
		a, b := binary.BigEndian.Uint32(src[:4]), binary.BigEndian.Uint32(dst[:4])
		if a < b || a == b && sport <= dport {
			k.a, k.b, k.pa, k.pb = a, b, sport, dport
			return 0
		}
		k.a, k.b, k.pa, k.pb = b, a, dport, sport
		return 1
	}
	a, b := s.address(src), s.address(dst)
	if lowerFirst(src, dst, sport, dport) {
		k.a, k.b, k.pa, k.pb = a, b, sport, dport
		return 0
	}
	k.a, k.b, k.pa, k.pb = b, a, dport, sport
	return 1
}

// lowerFirst reports whether endpoint a is not above endpoint b.
func lowerFirst(a, b *decode.Addr, pa, pb uint16) bool {
	for i := 0; i < 16; i += 8 {
		x, y := binary.BigEndian.Uint64(a[i:]), binary.BigEndian.Uint64(b[i:])
		if x != y {
			return x < y
		}
	}
	return pa <= pb
}
