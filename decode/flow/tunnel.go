package flow

import (
	"bytes"

	"sockscope/decode"
)

// A chain is the tunnels around a packet, as a map key.
type chain struct {
	tunnels [decode.MaxTunnels]decode.Tunnel
	n       uint8
}

// chain is 1 + the number of a chain of tunnels.
func (t *Table) chain(tunnels []decode.Tunnel) uint32 {
	k := chain{n: uint8(len(tunnels))}
	copy(k.tunnels[:], tunnels)
	if i, ok := t.chains[k]; ok {
		return i
	}
	t.tunnels = append(t.tunnels, append([]decode.Tunnel(nil), k.tunnels[:k.n]...))
	i := uint32(len(t.tunnels))
	t.chains[k] = i
	return i
}

// A TunnelKey names one tunnel, both directions together: A is the lower address.
type TunnelKey struct {
	Kind    decode.TunnelKind
	Version uint8
	HasID   bool
	ID      uint32
	A, B    decode.Addr
}

// sumAllTunnels counts each connection in the tunnels around it.
func (t *Table) sumAllTunnels(sums map[TunnelKey]Volume) {
	if len(t.tunnels) == 0 {
		return
	}
	for n := range t.numbers() {
		t.sumTunnels(n, sums)
	}
}

// sumTunnels counts connection n in the tunnels around it.
func (t *Table) sumTunnels(n uint32, sums map[TunnelKey]Volume) {
	if t.knocks.of(n) != nil {
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
	for _, u := range t.tunnels[m.tunnels-1] {
		k := tunnelKey(&u)
		v := sums[k]
		v.add(volume)
		sums[k] = v
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
