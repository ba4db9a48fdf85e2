package flow

import (
	"math/rand/v2"
	"testing"
)

// Whatever the sizes, the two ways of counting together lose nothing.
func TestCountsLoseNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sizes := []uint32{0, 1, 14, 40, 1448, 1<<headerBits - 1, 1 << headerBits, 1<<payloadBits - 1, 1 << payloadBits, 1<<32 - 1}
	seed := NewSeed()
	table := NewTable(Config{}, seed)
	n := table.number(0)
	c := table.cells.at(n)
	var want [2]volume
	for range 100_000 {
		r := record{dir: uint8(random.IntN(2)), wire: sizes[random.IntN(len(sizes))],
			ip: sizes[random.IntN(len(sizes))], payload: sizes[random.IntN(len(sizes))]}
		if random.IntN(2) == 0 { // a packet as it should be
			r.payload = random.Uint32N(1460)
			r.ip = r.payload + 52
			r.wire = r.ip + 14
		}
		want[r.dir].add(volume{1, uint64(r.wire), uint64(r.ip), uint64(r.payload)})
		table.count(n, c, &r)
		if got := table.volumes(n); got != want {
			t.Fatalf("after %+v: %+v, want %+v", r, got, want)
		}
	}
}
