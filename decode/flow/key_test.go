package flow

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"sockscope/capture"
)

// The lower endpoint, which is the key's first, is the one with the lower address, then with
// the lower port. Both directions have the same key and network.
func TestLowerFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seed := NewSeed()
	for range 10_000 {
		var n network
		for i := range n.a { // often equal, mostly in the first bytes
			n.a[i], n.b[i] = byte(r.IntN(2)), byte(r.IntN(2))
			if r.IntN(8) > 0 {
				n.b[i] = n.a[i]
			}
		}
		src, dst := n.a, n.b
		back := network{a: n.b, b: n.a}
		pa, pb := uint16(r.IntN(3))*0x7fff, uint16(r.IntN(3))*0x7fff
		above := pa > pb
		if c := bytes.Compare(n.a[:], n.b[:]); c != 0 {
			above = c > 0
		}
		k, dir := seed.wide(&n, pa, pb, 6, 6)
		if (dir == 1) != above {
			t.Fatalf("from %x %d to %x %d: direction %d", src, pa, dst, pb, dir)
		}
		if above {
			src, dst, pa, pb = dst, src, pb, pa
		}
		if n != (network{a: src, b: dst}) || k.port(0) != pa || k.port(1) != pb {
			t.Fatalf("key %x of %+v, want ports %d and %d and %x, %x", k, n, pa, pb, src, dst)
		}
		if other, _ := seed.wide(&back, k.port(dir^1), k.port(dir), 6, 6); other != k || back != n {
			t.Fatalf("backwards %x %+v, want %x %+v", other, back, k, n)
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

// Two networks whose addresses have equal stand-ins are two connections.
func TestEqualKeys(t *testing.T) {
	var seed Seed // all zero: so are all stand-ins
	r, table := NewRecorder(&seed), NewTable(Config{}, &seed)
	server := [16]byte{0x30, 15: 1}
	a := [16]byte{0x20, 1, 0xd, 0xb8, 15: 0xff}
	clients := [][16]byte{a, a, a}
	clients[1][7], clients[2][15] = 2, 0xfe // differ in either half
	var frames []capture.Frame
	for range 2 {
		for _, client := range clients {
			segment := make([]byte, 20)
			binary.BigEndian.PutUint32(segment, 1000<<16|1000)
			segment[12], segment[13] = 5<<4, byte(syn)
			frame := append([]byte{12: 0x86, 13: 0xdd}, ipv6(protoTCP, client, server, segment)...)
			frames = append(frames, capture.Frame{Data: frame, Length: uint32(len(frame)), Link: capture.LinkEthernet})
		}
	}
	batches := make([]Batch, 1)
	r.Record(&capture.Block{First: 1, Frames: frames}, batches)
	table.Apply(&batches[0])
	if table.Len() != len(clients) {
		t.Errorf("%d connections, want %d", table.Len(), len(clients))
	}
	for n := range table.numbers() {
		if table.cells.at(n).has(isSelf) {
			t.Errorf("connection %d is taken for one of a socket to itself", n)
		}
	}
}

// Whoever crafts tuples gains nothing: they spread as random ones do.
func TestCraftedTuplesSpread(t *testing.T) {
	seed := NewSeed()
	const n = 40_000
	longest := func(make func(i uint32) key) int {
		slots := map[uint32]int{}
		most := 0
		for i := range uint32(n) {
			k := make(i)
			s := seed.hash(k) & (1<<17 - 1)
			slots[s]++
			most = max(most, slots[s])
		}
		return most
	}
	sameXOR := longest(func(i uint32) key {
		k, _ := narrow(endpoint(i, uint16(i)), endpoint(i^0xdeadbeef, uint16(i)^0x1234), protoTCP)
		return k
	})
	counting := longest(func(i uint32) key {
		k, _ := narrow(endpoint(1, uint16(i)), endpoint(2, uint16(i>>16)), protoTCP)
		return k
	})
	if sameXOR > 12 || counting > 12 {
		t.Errorf("up to %d and %d of %d crafted tuples share a slot", sameXOR, counting, n)
	}
}

// Connections are told apart by their keys, whatever their hashes.
func TestEqualHashes(t *testing.T) {
	seed := NewSeed()
	seed[2] = 0 // makes all hashes 0
	r, table := NewRecorder(seed), NewTable(Config{}, seed)
	batches := make([]Batch, 1)
	for range 2 {
		frames := play(t, "S h A D a F f A")
		other := play(t, "S h A D a F f A")
		for i := range other {
			other[i].Data = slices.Clone(other[i].Data)
			other[i].Data[15]++ // last byte of an address
		}
		r.Record(&capture.Block{First: 1, Frames: append(frames, other...)}, batches)
		table.Apply(&batches[0])
	}
	if table.Len() < 2 {
		t.Errorf("%d connections", table.Len())
	}
}
