package flow

import (
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/decode"
)

// A flood of tunnels has a bounded number of sums that are as exact as before, and the same
// in any order and in any number of parts.
func TestTunnelSumsAreBounded(t *testing.T) {
	x := rand.New(rand.NewPCG(5, 1))
	exact := map[TunnelKey]Volume{}
	type carried struct {
		key    TunnelKey
		volume Volume
	}
	var all []carried
	for i := range 5 * mostTunnels {
		k := TunnelKey{Kind: decode.GRE + decode.TunnelKind(i%3), Version: 4, HasID: i%2 == 0, ID: uint32(i % 7)}
		binary.BigEndian.PutUint32(k.A[:], uint32(i))
		for range 1 + i%2 {
			v := Volume{1 + uint64(x.IntN(9)), uint64(x.IntN(1000))}
			all = append(all, carried{k, v})
			exact[k] = sumOf(exact[k], v)
		}
	}
	for _, most := range []int{0, 2000} {
		limit := (&TunnelSums{most: most}).limit()
		var before map[TunnelKey]Volume
		for _, parts := range fewer([]int{1, 3, 5}, 2) {
			x.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			sums := make([]TunnelSums, parts)
			for i := range sums {
				sums[i].most = most // not that of the total: it takes it from them
			}
			for _, c := range all {
				sums[x.IntN(parts)].Add(c.key, c.volume)
			}
			var total TunnelSums
			for i := range sums {
				total.AddAll(&sums[i])
			}
			got := maps.Collect(total.All())
			if parts > 1 {
				if diff := cmp.Diff(before, got); diff != "" {
					t.Fatalf("%d parts: %.1000s", parts, diff)
				}
				continue
			}
			before = got
			if n := len(total.sums); n > limit || n < limit/3 {
				t.Errorf("%d tunnels have sums of their own", n)
			}
			want, folded := map[TunnelKey]Volume{}, map[TunnelKey]Volume{}
			for k, v := range exact {
				if _, own := total.sums[k]; own {
					want[k] = v
				} else {
					k = TunnelKey{Kind: k.Kind}
					folded[k] = sumOf(folded[k], v)
				}
			}
			maps.Copy(want, folded)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sums (-exact, +got): %.1000s", diff)
			}
		}
	}
}

func sumOf(v, u Volume) Volume { v.add(u); return v }

// Keys that somebody made so that all have the highest checksum are all folded.
func TestTunnelSumsOfOneChecksum(t *testing.T) {
	var sums TunnelSums
	n := 0
	for i := uint32(0); n <= mostTunnels; i++ {
		k := TunnelKey{Kind: decode.GRE}
		binary.BigEndian.PutUint32(k.A[:], i)
		k.endWith(0xffffffff)
		if k.checksum() != 0xffffffff {
			t.Fatalf("checksum %#x", k.checksum())
		}
		sums.Add(k, Volume{1, 100})
		n++
	}
	want := map[TunnelKey]Volume{{Kind: decode.GRE}: {uint64(n), uint64(n) * 100}}
	if diff := cmp.Diff(want, maps.Collect(sums.All())); diff != "" {
		t.Errorf("(-want, +got): %.1000s", diff)
	}
}

// endWith sets the last 32 bits of B so that k has this checksum: it is linear in each bit.
func (k *TunnelKey) endWith(sum uint32) {
	last := func(bits uint32) { binary.BigEndian.PutUint32(k.B[12:], bits) }
	last(0)
	rest := k.checksum()
	var basis, made [32]uint32 // by highest bit: a change of the checksum, and the bits that make it
	for i := range 32 {
		last(1 << i)
		change, bits := k.checksum()^rest, uint32(1)<<i
		for b := 31; b >= 0 && change != 0; b-- {
			if change>>b&1 == 0 {
				continue
			}
			if basis[b] == 0 {
				basis[b], made[b] = change, bits
				break
			}
			change, bits = change^basis[b], bits^made[b]
		}
	}
	want, bits := sum^rest, uint32(0)
	for b := 31; b >= 0; b-- {
		if want>>b&1 == 1 {
			want, bits = want^basis[b], bits^made[b]
		}
	}
	last(bits)
}
