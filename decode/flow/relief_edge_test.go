package flow

import (
	"math"
	"testing"
	"time"

	"sockscope/capture"
)

// many are n datagrams, each of a conversation of its own, the first behind from.
func many(from, n int) (packets [][]byte) {
	for i := from; i < from+n; i++ {
		packets = append(packets, ipv4(protoUDP, [4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}, hostB, uint16(i), 0, false, udp(5000, 53, make([]byte, 16))))
	}
	return packets
}

// What is evicted does not depend on how tunnels and fragments under way are spread over
// tables.
func TestReliefOfTunnelsAndFragments(t *testing.T) {
	var tunnelled, fragments [][]byte
	for i, inner := range many(0, 12_000) {
		outer := [4]byte{172, 16, 0, byte(i % 100)}
		tunnelled = append(tunnelled, ipv4(protoUDP, outer, router, uint16(i), 0, false, udp(4000, 4789, vxlan(uint32(i%40), inner))))
	}
	later := func(i int) []byte {
		return ipv4(protoUDP, [4]byte{10, 200, byte(i >> 8), byte(i)}, hostB, 1, 24, true, make([]byte, 8))
	}
	for i := range 3000 {
		fragments = append(fragments, later(i))
	}
	for i, p := range many(0, 90_000) {
		if fragments = append(fragments, p); i%20_000 == 0 {
			fragments = append(fragments, later(5000+i))
		}
	}
	for _, tt := range []struct {
		what    string
		packets [][]byte
		bound   int64
	}{{"tunnels", tunnelled, 2_000_000}, {"fragments", fragments, 3_000_000}} {
		frames := raws(tt.packets...)
		var want []uint64
		for _, parts := range []int{1, 2, 5} {
			all, _, totals := runRelieved(t, frames, parts, Config{}, tt.bound, 200)
			if totals.Evicted == 0 || totals.Evicted == uint64(len(all)) {
				t.Fatalf("%s, %d tables: %d of %d evicted", tt.what, parts, totals.Evicted, len(all))
			}
			ids := make([]uint64, len(all))
			for i := range all {
				ids[i] = all[i].ID
			}
			if want == nil {
				want = ids
			}
			for i := range max(len(ids), len(want)) {
				if i >= len(ids) || i >= len(want) || ids[i] != want[i] {
					t.Errorf("%s, %d tables: record %d is another one", tt.what, parts, i)
					break
				}
			}
		}
	}
}

// Tunnels are forgotten with their connections: else these alone would be too much some day,
// and each conversation be cut to pieces.
func TestReliefForgetsTunnels(t *testing.T) {
	var packets [][]byte
	for i, inner := range many(0, 30_000) {
		outer := [4]byte{172, byte(i >> 16), byte(i >> 8), byte(i)}
		packets = append(packets, ipv4(protoUDP, outer, router, uint16(i), 0, false, udp(4000, 4789, vxlan(1, inner))))
	}
	for i := range 2000 { // ten conversations
		a := [4]byte{192, 168, 0, byte(i % 10)}
		if i/10%2 == 0 {
			packets = append(packets, ipv4(protoUDP, a, hostB, uint16(i), 0, false, udp(5000, 53, make([]byte, 16))))
		} else {
			packets = append(packets, ipv4(protoUDP, hostB, a, uint16(i), 0, false, udp(53, 5000, make([]byte, 16))))
		}
	}
	all, tables, totals := runRelieved(t, raws(packets...), 1, Config{}, 2_000_000, 200)
	n := 0
	for i := range all {
		if a := all[i].Client.Addr().As4(); a[0] == 192 || all[i].Server.Addr().As4()[0] == 192 {
			n++
		}
	}
	chains := &tables[0].chains
	if n != 10 || totals.Evicted < 10_000 || len(chains.list) > 10_000 || len(chains.numbers) != len(chains.list)-len(chains.free) {
		t.Errorf("%d records of 10 conversations, %d evicted, %d chains in %d places", n, totals.Evicted, len(chains.numbers), len(chains.list))
	}
}

// A later fragment may come when the connection of the first one is gone, and its number,
// too.
func TestFragmentBehindCompacting(t *testing.T) {
	packets := many(0, 20_000)
	first := func(i int) [4]byte { return [4]byte{10, 0, byte(i >> 8), byte(i)} }
	for i := 0; i < len(packets); i += 200 {
		packets[i] = ipv4(protoUDP, first(i), hostB, uint16(i), 0, true, udp(5000, 53, make([]byte, 16)))
	}
	for i := range 40_000 {
		tcp := make([]byte, 20)
		tcp[0], tcp[3], tcp[12], tcp[13] = 4, 80, 5<<4, byte(syn)
		packets = append(packets, ipv4(protoTCP, [4]byte{11, 1, byte(i >> 8), byte(i)}, hostB, uint16(i), 0, false, tcp))
	}
	for i := 0; i < 20_000; i += 200 {
		packets = append(packets, ipv4(protoUDP, first(i), hostB, uint16(i), 24, false, make([]byte, 8)))
	}
	_, tables, totals := runRelieved(t, raws(packets...), 1, Config{}, 4_000_000, 1000)
	if totals.Fragments.Frames != 100 || totals.Evicted == 0 || len(tables[0].numbering[0].chunks) > 5 {
		t.Errorf("%d fragments of connections that are gone, want 100; %d evicted, %d chunks of UDP left",
			totals.Fragments.Frames, totals.Evicted, len(tables[0].numbering[0].chunks))
	}
}

// Silence that ends UDP is not an end that was said, however short it is.
func TestEvictedWithAShortIdleTime(t *testing.T) {
	frames := raws(many(0, 20_000)...)
	for i := range frames {
		frames[i].Time = scriptEpoch + 1000*capture.Timestamp(i)
	}
	for _, idle := range []time.Duration{closedSilence, 3 * time.Second} {
		_, _, totals := runRelieved(t, frames, 1, Config{UDPIdle: idle}, 1_000_000, 1000)
		if totals.Evicted == 0 || totals.Outlived != 0 {
			t.Errorf("idle after %s: %d evicted, %d over", idle, totals.Evicted, totals.Outlived)
		}
	}
}

// Times may be as late as they can.
func TestReliefAtTheEndOfTime(t *testing.T) {
	frames := raws(many(0, 20_000)...)
	for i := range frames[100:] {
		frames[100+i].Time = math.MaxInt64 - capture.Timestamp(30_000-i)
	}
	const bound = 500_000
	_, tables, totals := runRelieved(t, frames, 1, Config{}, bound, 1000)
	if used := tables[0].Used(); used > 2*bound || totals.Evicted == 0 {
		t.Errorf("%d bytes used, %d evicted", used, totals.Evicted)
	}
}

// A relief forgets none of those that departed before it, unless they are too many.
func TestReliefRemembersTheSilent(t *testing.T) {
	frames := play(t, "S h A F f A F")
	late := &frames[len(frames)-1]
	late.Time = frames[len(frames)-2].Time + 3e9
	flood := raws(many(0, 1000)...)
	for i := range flood {
		flood[i].Time = late.Time - 5e7
	}
	seed := NewSeed()
	table := NewTable(Config{Ending: &Ending{Tell: func(Event, *Connection) {}}}, seed)
	recorder, relief, batches := NewRecorder(seed), NewRelief([]*Table{table}, 100_000, 1000), make([]Batch, 1)
	next := uint64(1)
	apply := func(frames []capture.Frame) {
		now := recorder.Record(&capture.Block{First: next, Frames: frames}, batches)
		next += uint64(len(frames))
		table.Apply(&batches[0])
		table.Sweep(now)
	}
	apply(frames[:len(frames)-1])
	table.Sweep(late.Time - 1e8)
	apply(flood)
	relief.Relieve(next - 1)
	if !relief.Began() {
		t.Fatal("there was memory enough")
	}
	apply(frames[len(frames)-1:])
	for n := range table.numbers() {
		var c Connection
		if table.connection(n, &c); c.Protocol == protoTCP && c.PartOf != 1 {
			t.Errorf("the late FIN is part of %d, want 1", c.PartOf)
		}
	}
}
