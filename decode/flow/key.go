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
// It has no pointers and no gaps: it compares as two words, and tables of keys are
// nothing to the garbage collector. Where two IPv4 addresses are not enough (wide), a
// keyed hash stands for each address, and whoever finds an equal key compares the
// networks themselves (see Table.is).
type key struct {
	a uint64 // address, port, protocol, IP version: 32, 16, 8, 8 bits
	b uint64 // address, port, 1 inside a virtual network: 32, 16, 16 bits
}

// A network is what a wide key stands for: the addresses in the key's order and the
// virtual network around them. One private tuple in two tenants is two connections.
type network struct {
	a, b   decode.Addr
	tunnel uint32 // kind of the tunnel that keeps tenants apart, or 0
	id     uint32 // of the virtual network
}

// is reports whether n and m are the same.
func (n *network) is(m *network) bool {
	return differ128(&n.a, &m.a)|differ128(&n.b, &m.b)|uint64(n.tunnel^m.tunnel)|uint64(n.id^m.id) == 0
}

// differ128 is 0 when a and b are the same.
func differ128(a, b *decode.Addr) uint64 {
	return (binary.LittleEndian.Uint64(a[:8]) ^ binary.LittleEndian.Uint64(b[:8])) |
		(binary.LittleEndian.Uint64(a[8:]) ^ binary.LittleEndian.Uint64(b[8:]))
}

func (k key) protocol() uint8 { return uint8(k.a >> 8) }
func (k key) version() uint8  { return uint8(k.a) }
func (k key) hasStream() bool { p := k.protocol(); return p == protoTCP || p == protoSCTP }
func (k key) wide() bool      { return uint8(k.a) != 4 || uint16(k.b) != 0 }

// address is the address of one end, or what stands for it when the key is wide.
func (k key) address(side uint8) uint32 {
	if side == 0 {
		return uint32(k.a >> 32)
	}
	return uint32(k.b >> 32)
}

// port is the port of one end; 0 for protocols without.
func (k key) port(side uint8) uint16 {
	if side == 0 {
		return uint16(k.a >> 16)
	}
	return uint16(k.b >> 16)
}

// withoutPorts is k for what only has addresses.
func (k key) withoutPorts() key {
	const ports = 0xffff << 16
	return key{k.a &^ ports, k.b &^ ports}
}

// endpoint is one of a key: the address, or what stands for it, and the port.
func endpoint(address uint32, port uint16) uint64 { return uint64(address)<<32 | uint64(port)<<16 }

// narrow is the key of a packet from one endpoint to another, over IPv4 and outside of any
// virtual network. dir is 0 when the sender is the key's first endpoint, else 1.
func narrow(from, to uint64, protocol uint8) (k key, dir uint8) {
	if from > to {
		from, to, dir = to, from, 1
	}
	return key{from | uint64(protocol)<<8 | 4, to}, dir
}

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
func (s *Seed) hash(k key) uint32 {
	h := fold(fold(k.a^s[0], k.b^s[1]), s[2])
	return uint32(h) ^ uint32(h>>32)
}

// partition is the part of n that k's address pair belongs to: a connection, the
// ICMP errors that quote it and its fragments share it.
func (s *Seed) partition(k key, n int) int {
	if n == 1 {
		return 0
	}
	h := fold((k.a>>32|k.b>>32<<32)^s[3], s[4])
	return int(h >> 32 * uint64(n) >> 32)
}

// address is the 32-bit stand-in of an address, given as two halves, in a virtual network:
// kind and id of its tunnel, or 0.
func (s *Seed) address(hi, lo, virtual uint64) uint32 {
	h := fold(fold(hi^s[5], s[3])^lo, s[1]^virtual)
	return uint32(h) ^ uint32(h>>32)
}

// wide is the key of a packet in n, which has its source and destination as a and b. It
// puts them in the key's order.
func (s *Seed) wide(n *network, sport, dport uint16, protocol, version uint8) (k key, dir uint8) {
	k, dir = s.between(&n.a, &n.b, uint64(n.tunnel)<<32|uint64(n.id), sport, dport, protocol, version)
	if dir != 0 {
		n.a, n.b = n.b, n.a
	}
	return k, dir
}

// between is the key of a packet between two addresses in a virtual network, as wide makes
// it, without a branch: nobody can guess who sends.
func (s *Seed) between(src, dst *decode.Addr, virtual uint64, sport, dport uint16, protocol, version uint8) (k key, dir uint8) {
	srcHi, srcLo := binary.BigEndian.Uint64(src[:8]), binary.BigEndian.Uint64(src[8:])
	dstHi, dstLo := binary.BigEndian.Uint64(dst[:8]), binary.BigEndian.Uint64(dst[8:])
	_, above := bits.Sub64(uint64(dport), uint64(sport), 0)
	_, above = bits.Sub64(dstLo, srcLo, above)
	_, above = bits.Sub64(dstHi, srcHi, above) // 1: the source's endpoint is above

	from := endpoint(s.address(srcHi, srcLo, virtual), sport)
	to := endpoint(s.address(dstHi, dstLo, virtual), dport)
	differ := (from ^ to) & -above // none, or all
	k = key{from ^ differ | uint64(protocol)<<8 | uint64(version), to ^ differ}
	if virtual>>32 != 0 {
		k.b |= 1
	}
	return k, uint8(above)
}
