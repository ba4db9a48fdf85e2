package flow

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"iter"
	"maps"
	"math"
)

// mostTunnels bounds the tunnels that are summed one by one, unless Config.Tunnels does: a
// flood may have new outer addresses in every packet.
const mostTunnels = 32768

// TunnelSums are the volumes of tunnels. Up to 32,768 have a sum each, or what Config.Tunnels
// says. When there are more, a share of them keeps theirs, and what the others carried is
// summed by kind only. The share is chosen by a checksum of the key: so it is the same in
// whatever order, and in however many parts, tunnels are summed. The zero value is empty.
type TunnelSums struct {
	sums   map[TunnelKey]Volume
	folded map[TunnelKey]Volume // by kind: the rest of the key is zero
	above  uint64               // only keys whose checksum is not below have a sum
	most   int                  // sums; 0 means mostTunnels
}

// Add adds v to tunnel k.
func (s *TunnelSums) Add(k TunnelKey, v Volume) {
	if uint64(k.checksum()) < s.above {
		s.fold(k, v)
		return
	}
	s.sums = added(s.sums, k, v)
	for len(s.sums) > s.limit() {
		s.halve()
	}
}

// limit is how many sums there may be.
func (s *TunnelSums) limit() int { return cmp.Or(s.most, mostTunnels) }

// fold adds v to what tunnels like k without a sum of their own carried.
func (s *TunnelSums) fold(k TunnelKey, v Volume) {
	s.folded = added(s.folded, TunnelKey{Kind: k.Kind}, v)
}

// added is sums with v more for k; nil is empty.
func added(sums map[TunnelKey]Volume, k TunnelKey, v Volume) map[TunnelKey]Volume {
	if sums == nil {
		sums = map[TunnelKey]Volume{}
	}
	sum := sums[k]
	sum.add(v)
	sums[k] = sum
	return sums
}

// halve lets half as many keys as before have a sum.
func (s *TunnelSums) halve() {
	const all = math.MaxUint32 + 1
	s.above += (all - s.above + 1) / 2 // which ends at all, should all keys have one checksum
	s.drop()
}

// drop folds the sums that have no place any more.
func (s *TunnelSums) drop() {
	for k, v := range s.sums {
		if uint64(k.checksum()) < s.above {
			s.fold(k, v)
			delete(s.sums, k)
		}
	}
}

// AddAll adds what another worker summed.
func (s *TunnelSums) AddAll(u *TunnelSums) {
	s.most = min(s.limit(), u.limit())
	for k, v := range u.folded {
		s.fold(k, v)
	}
	if u.above > s.above {
		s.above = u.above
		s.drop()
	}
	for k, v := range u.sums {
		s.Add(k, v)
	}
}

// All gives each tunnel with its volume, in no order. What was summed by kind only has a
// key that says nothing else.
func (s *TunnelSums) All() iter.Seq2[TunnelKey, Volume] {
	return func(yield func(TunnelKey, Volume) bool) {
		for _, sums := range []map[TunnelKey]Volume{s.sums, s.folded} {
			for k, v := range sums {
				if !yield(k, v) {
					return
				}
			}
		}
	}
}

// checksum spreads keys evenly. Who makes keys with equal ones only gains that these are
// folded together.
func (k *TunnelKey) checksum() uint32 {
	var b [40]byte
	b[0], b[1] = uint8(k.Kind), k.Version
	if k.HasID {
		b[2] = 1
	}
	binary.BigEndian.PutUint32(b[4:], k.ID)
	copy(b[8:], k.A[:])
	copy(b[24:], k.B[:])
	return crc32.Checksum(b[:], castagnoli)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Equal reports whether s and u have the same sums.
func (s TunnelSums) Equal(u TunnelSums) bool {
	return s.above == u.above && maps.Equal(s.sums, u.sums) && maps.Equal(s.folded, u.folded)
}
