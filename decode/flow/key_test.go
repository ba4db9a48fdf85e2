package flow

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// The lower endpoint is the one with the lower address, then with the lower port.
func TestLowerFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		var n network
		for i := range n.a { // often equal, mostly in the first bytes
			n.a[i], n.b[i] = byte(r.IntN(2)), byte(r.IntN(2))
			if r.IntN(8) > 0 {
				n.b[i] = n.a[i]
			}
		}
		pa, pb := uint16(r.IntN(3))*0x7fff, uint16(r.IntN(3))*0x7fff
		want := pa <= pb
		if c := bytes.Compare(n.a[:], n.b[:]); c != 0 {
			want = c < 0
		}
		if got := lowerFirst(&n.a, &n.b, pa, pb); got != want {
			t.Fatalf("lowerFirst(%x, %x, %d, %d) = %v", n.a, n.b, pa, pb, got)
		}
	}
}

// Networks are the same when nothing in them differs.
func TestNetworkIs(t *testing.T) {
	n := network{tunnel: 3, id: 7}
	for i := range n.a {
		n.a[i], n.b[i] = byte(i), byte(255-i)
	}
	m := n
	if !n.is(&m) {
		t.Error("a copy is another one")
	}
	for i := range n.a {
		for _, change := range []func(m *network){
			func(m *network) { m.a[i] ^= 0x80 },
			func(m *network) { m.b[i] ^= 1 },
			func(m *network) { m.tunnel ^= 1 << i },
			func(m *network) { m.id ^= 1 << (31 - i) },
		} {
			m := n
			change(&m)
			if n.is(&m) || m.is(&n) {
				t.Fatalf("%+v is taken for %+v", m, n)
			}
		}
	}
}

// What a segment needs of the connection depends on who sent it and whether it has payload.
func TestSteadyFacts(t *testing.T) {
	for _, payload := range []uint32{0, 1, 1448, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		for dir := range uint8(2) {
			want := steady | sawData.of(dir)
			if payload == 0 {
				want = steady | sawAck.of(dir)
			}
			r := record{payload: payload, dir: dir}
			if got := r.steadyFacts(); got != want {
				t.Errorf("%d bytes, side %d: %b, want %b", payload, dir, got, want)
			}
		}
	}
}
