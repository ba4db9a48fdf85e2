package flow

import (
	"slices"
	"testing"

	"sockscope/capture"
)

// Fragments that come before the first count for the connection's beginning, and how
// many wait does not depend on the partitions.
func TestManyFragments(t *testing.T) {
	var packets [][]byte
	for i := range 9000 {
		packets = append(packets, ipv4(17, hostA, [4]byte{10, 9, byte(i % 5), 1}, uint16(i), 0, true, udp(5000, 53, make([]byte, 16))))
	}
	for i := range 9000 {
		packets = append(packets, ipv4(17, hostA, [4]byte{10, 9, byte(i % 5), 1}, uint16(i), 24, false, make([]byte, 8)))
	}
	for _, parts := range []int{1, 3} {
		if _, totals := run(raws(packets...), parts, Config{}); totals.Fragments.Frames != 0 {
			t.Errorf("%d partitions: %d fragments belong to nobody", parts, totals.Fragments.Frames)
		}
	}
	late := raws(ipv4(17, hostA, hostB, 9, 24, false, make([]byte, 8)), ipv4(17, hostA, hostB, 9, 0, true, udp(5000, 53, make([]byte, 16))))
	if cs, _ := run(late, 1, Config{}); cs[0].First != late[0].Time {
		t.Errorf("begins at %v, want the first fragment seen, %v", cs[0].First, late[0].Time)
	}
}

// A data segment in fragments is attributed also when the connection is established.
func TestFragmentsOfEstablishedConnection(t *testing.T) {
	frames := play(t, "S h A D a D a")
	first := frames[5].Data // the second D, of which the rest follows in another fragment
	first[6] |= 0x20
	rest := ipv4(6, scriptHosts[0], scriptHosts[1], 0, len(first)-20, false, make([]byte, 8))
	later := capture.Frame{Data: rest, Length: uint32(len(rest)), Link: capture.LinkRaw, Time: frames[5].Time}
	frames = slices.Insert(frames, 6, later)
	cs, totals := run(frames, 1, Config{})
	if len(cs) != 1 || cs[0].ToServer.Packets != 5 || totals.Fragments.Frames != 0 {
		t.Errorf("%s; %d fragments belong to nobody", briefs(frames, Config{}), totals.Fragments.Frames)
	}
}

// Fragments that never find a first one cost the same however many there are.
func BenchmarkFragments(b *testing.B) {
	var packets [][]byte
	for i := range 200_000 {
		packets = append(packets, ipv4(17, hostA, [4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}, 1, 24, true, make([]byte, 8)))
	}
	frames := raws(packets...)
	b.ReportAllocs()
	for b.Loop() {
		run(frames, 1, Config{})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(frames)), "ns/frame")
}
