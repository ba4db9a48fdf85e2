package flow

import (
	"bytes"
	"slices"

	"sockscope/decode"
)

// A chain is the tunnels around a packet, as a map key.
type chain struct {
	tunnels [decode.MaxTunnels]decode.Tunnel
	n       uint8
}

func newChain(tunnels []decode.Tunnel) chain {
	k := chain{n: uint8(len(tunnels))}
	copy(k.tunnels[:], tunnels)
	return k
}

// chains are the tunnel chains of a table's connections. One that no connection has any
// more is forgotten.
type chains struct {
	numbers map[chain]uint32 // 1 + index into list
	list    []usedChain
	free    []uint32 // of list, by 1 + index
	used    int      // connections that have one
}

type usedChain struct {
	tunnels []decode.Tunnel // never changed: whoever was given them keeps them
	by      int             // connections
}

func newChains() chains { return chains{numbers: map[chain]uint32{}} }

// use is 1 + the number of a chain, for one more connection.
func (s *chains) use(tunnels []decode.Tunnel) uint32 {
	k := newChain(tunnels)
	i, ok := s.numbers[k]
	if !ok {
		if last := len(s.free) - 1; last >= 0 {
			i, s.free = s.free[last], s.free[:last]
		} else {
			s.list = append(s.list, usedChain{})
			i = uint32(len(s.list))
		}
		s.numbers[k] = i
		s.list[i-1].tunnels = slices.Clone(tunnels)
	}
	s.list[i-1].by++
	s.used++
	return i
}

// drop gives up a connection's chain, by 1 + its number; 0 is none.
func (s *chains) drop(i uint32) {
	if i == 0 {
		return
	}
	u := &s.list[i-1]
	u.by--
	s.used--
	if u.by == 0 {
		delete(s.numbers, newChain(u.tunnels))
		*u = usedChain{}
		s.free = append(s.free, i)
	}
}

// at is the chain with 1 + its number.
func (s *chains) at(i uint32) []decode.Tunnel { return s.list[i-1].tunnels }

// A TunnelKey names one tunnel, both directions together: A is the lower address.
type TunnelKey struct {
	Kind    decode.TunnelKind
	Version uint8
	HasID   bool
	ID      uint32
	A, B    decode.Addr
}

// sumAllTunnels counts each connection in the tunnels around it.
func (t *Table) sumAllTunnels(sums *TunnelSums) {
	if t.chains.used == 0 {
		return
	}
	for n := range t.numbers() {
		t.sumTunnels(n, sums)
	}
}

// sumTunnels counts connection n in the tunnels around it.
func (t *Table) sumTunnels(n uint32, sums *TunnelSums) {
	if t.isKnock(n) {
		return // none is around it
	}
	m := t.meta(n)
	if m.tunnels == 0 {
		return
	}
	sent := t.volumes(n)
	volume := Volume{
		Frames: sent[0].packets + sent[1].packets,
		Bytes:  sent[0].bytes + sent[1].bytes,
	}
	for _, u := range t.chains.at(m.tunnels) {
		sums.Add(tunnelKey(&u), volume)
	}
}

func tunnelKey(u *decode.Tunnel) TunnelKey {
	k := TunnelKey{Kind: u.Kind, Version: u.Version, HasID: u.HasID, ID: u.ID, A: u.Src, B: u.Dst}
	if bytes.Compare(k.A[:], k.B[:]) > 0 {
		k.A, k.B = k.B, k.A
	}
	if u.Kind == decode.GTPU || u.Kind == decode.PPTP {
		k.HasID, k.ID = false, 0 // each direction has an id of its own
	}
	return k
}
