package flow

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/decode"
)

// synFrom is a bare SYN to port 80, or 20 bytes of TCP with other flags.
func synFrom(sport uint16, flags uint16) []byte {
	tcp := make([]byte, 20)
	binary.BigEndian.PutUint16(tcp, sport)
	tcp[3], tcp[12], tcp[13] = 80, 5<<4, byte(flags)
	return tcp
}

func addressOf(n uint32) (a [4]byte) {
	binary.BigEndian.PutUint32(a[:], n)
	return a
}

// An opener makes the first packet number i that a source sends, each of a connection of its
// own.
var openers = []struct {
	what   string
	packet func(source uint32, i uint32) []byte
}{
	{"IPv4", func(source, i uint32) []byte {
		return ipv4(protoTCP, addressOf(10<<24+source), addressOf(11<<24+i), 1, 0, false, synFrom(1024, syn))
	}},
	{"IPv4 to lower addresses", func(source, i uint32) []byte {
		return ipv4(protoUDP, addressOf(10<<24+source), addressOf(9<<24+i), 1, 0, false, udp(1024, 53, make([]byte, 16)))
	}},
	{"IPv6 from all over a /64", func(source, i uint32) []byte {
		src, dst := [16]byte{0: 0x20, 1: 1, 15: 1}, [16]byte{0: 0x20, 1: byte(i % 3), 15: 2}
		binary.BigEndian.PutUint32(src[4:], source)
		binary.BigEndian.PutUint32(src[8:], i*0x9e3779b9)
		binary.BigEndian.PutUint32(src[12:], i)
		return ipv6(protoTCP, src, dst, synFrom(uint16(i), syn))
	}},
	{"one address in virtual networks", func(source, i uint32) []byte {
		inner := ipv4(protoTCP, hostA, addressOf(9<<24+i), 1, 0, false, synFrom(1024, syn))
		return ipv4(protoUDP, hostA, router, uint16(i), 0, false, udp(4000, 4789, vxlan(source, inner)))
	}},
}

// A flood of one source evicts its own connections: none of the handshakes of others that are
// under way, though these are silent for longer.
func TestFloodOfOneSourceEvictsItsOwn(t *testing.T) {
	const others, flood, source = 400, 12_000, 77
	for _, o := range openers {
		var packets [][]byte
		for i := range uint32(others) {
			packets = append(packets, o.packet(1000+i, i))
		}
		for i := range uint32(flood) {
			packets = append(packets, o.packet(source, others+i))
		}
		frames := raws(packets...)
		var want []uint64
		for _, parts := range []int{1, 2, 3} {
			all, _, totals := runRelieved(t, frames, parts, Config{}, 1_000_000, 200)
			var evicted []uint64
			for i := range all {
				if all[i].Close == Evicted {
					evicted = append(evicted, all[i].ID)
				}
			}
			if len(evicted) < flood/8 || uint64(len(evicted)) != totals.Evicted {
				t.Errorf("%s, %d tables: %d evicted, counted %d", o.what, parts, len(evicted), totals.Evicted)
			}
			if first := slices.Min(append(evicted, flood)); first <= others {
				t.Errorf("%s, %d tables: connection %d of another source was evicted", o.what, parts, first)
			}
			if want == nil {
				want = evicted
			}
			if !slices.Equal(evicted, want) {
				t.Errorf("%s, %d tables: others are evicted than with one", o.what, parts)
			}
		}
	}
}

// modelled is what a connection is to a relief.
type modelled struct {
	frame  uint64
	last   capture.Timestamp
	tier   tier
	weight int64
	source string
}

// sourceOf is who sent a frame, in words.
func sourceOf(f *capture.Frame) string {
	var p decode.Packet
	p.Decode(f.Data, f.Length, f.Link)
	part := 4
	if p.Version == 6 {
		part = 8
	}
	where := ""
	for _, tunnel := range p.Tunnels[:p.NumTunnels] {
		where += fmt.Sprint(tunnel.Kind, tunnel.ID)
	}
	return fmt.Sprintf("%d %x %s", p.Version, p.Src[:part], where)
}

// inOrderOfSilence are connections, those first that have been silent for longest.
func inOrderOfSilence(list []modelled) []modelled {
	return slices.SortedFunc(slices.Values(list), func(a, b modelled) int {
		return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.frame, b.frame))
	})
}

// modelExcess does what sortOutExcess does, and tells of how many sources.
func modelExcess(list []modelled) (sources int) {
	var all int64
	of := map[string]int64{}
	for _, c := range list {
		if c.tier == unproven {
			all += c.weight
			of[c.source] += c.weight
		}
	}
	beyond := map[uint64]bool{}
	for source, weight := range of {
		if 4*weight <= all {
			continue
		}
		sources++
		for _, c := range inOrderOfSilence(list) {
			if c.tier == unproven && c.source == source && 4*weight > all {
				beyond[c.frame] = true
				weight -= c.weight
			}
		}
	}
	for i := range list {
		if beyond[list[i].frame] {
			list[i].tier = excess
		}
	}
	return sources
}

// What a relief picks is what one finds who sorts all connections and adds them up source by
// source.
func TestReliefPicksAsAModelDoes(t *testing.T) {
	// Of the connections, in percent, by source; the rest are of many.
	shares := [][]int{{}, {15, 10, 20}, {40}, {90}, {35, 45}, {60, 10, 10, 20}, {30, 30, 30, 10}, {33, 33, 33}, {25, 25, 25, 25}, {100}}
	var beyond [mostSuspects + 1]int // how often so many sources were beyond their share
	for seed := range uint64(rounds(10)) {
		for _, share := range shares {
			x := rand.New(rand.NewPCG(seed, 7))
			opener := func() func(uint32, uint32) []byte { return openers[x.IntN(len(openers))].packet }
			kinds := [4]func(uint32, uint32) []byte{opener(), opener(), opener(), opener()}
			anyone := opener()
			tick := []time.Duration{1, time.Millisecond, time.Second}[x.IntN(3)] // how exact times are
			var frames []capture.Frame
			add := func(b []byte, at time.Duration) {
				frames = append(frames, capture.Frame{Data: b, Length: uint32(len(b)), Link: capture.LinkRaw, Time: scriptEpoch + capture.Timestamp(at/tick*tick)})
			}
			n := 800 + x.IntN(800)
			at := time.Duration(0)
			for i := range uint32(n) {
				at += time.Duration(x.Int64N(int64(90*time.Second) / int64(n))) // some are over
				from := opensFrom(x.IntN(100), share)
				if from < 0 {
					add(anyone(1000+i, i), at)
				} else {
					add(kinds[from](uint32(from), i), at)
				}
				switch x.IntN(20) {
				case 0: // a handshake under way
					a, b := addressOf(12<<24+i), addressOf(9<<24)
					add(ipv4(protoTCP, a, b, 1, 0, false, synFrom(1024, syn)), at)
					tcp := synFrom(0, syn|ack)
					tcp[0], tcp[1], tcp[2], tcp[3], tcp[11] = 0, 80, 4, 0, 1
					add(ipv4(protoTCP, b, a, 1, 0, false, tcp), at)
				case 1: // proven
					a, b := addressOf(10<<24), addressOf(13<<24+i)
					add(ipv4(protoUDP, a, b, 1, 0, false, udp(5000, 53, make([]byte, 16))), at)
					add(ipv4(protoUDP, b, a, 1, 0, false, udp(53, 5000, make([]byte, 16))), at)
				}
			}
			bound := 5 + x.Int64N(7) // tenths of what is used
			var first []uint64
			for _, parts := range []int{1, 2, 3} {
				picked, found := pickAsModel(t, frames, parts, bound)
				beyond[found]++
				if first == nil {
					first = picked
				}
				if !slices.Equal(picked, first) {
					t.Errorf("seed %d, %d, %d tables: others are picked than with one", seed, share, parts)
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d, %d", seed, share)
			}
		}
	}
	if slices.Contains(beyond[:], 0) {
		t.Errorf("%d times so many sources were beyond their share", beyond)
	}
}

// opensFrom is whose turn it is by a number below 100, or -1.
func opensFrom(number int, percent []int) int {
	for i, p := range percent {
		if number -= p; number < 0 {
			return i
		}
	}
	return -1
}

// pickAsModel lets a relief pick of the connections of frames, and compares. It gives the
// first frames of what was picked, and how many sources were beyond their share.
func pickAsModel(t *testing.T, frames []capture.Frame, parts int, bound int64) (picked []uint64, sources int) {
	seed := NewSeed()
	recorder, batches := NewRecorder(seed), make([]Batch, parts)
	cfg := Config{Ending: &Ending{MemoryOnly: true, Tell: func(Event, *Connection) {}}}
	now := recorder.Record(&capture.Block{First: 1, Frames: frames}, batches)
	var tables []*Table
	for i := range batches {
		table := NewTable(cfg, seed)
		table.Apply(&batches[i])
		table.Sweep(now)
		tables = append(tables, table)
	}
	relief := NewRelief(tables, 0, 0)
	used := relief.Used()
	relief.bound = used / 10 * bound
	relief.pick(used)
	isPicked := map[uint64]bool{}
	for _, p := range relief.left {
		picked, isPicked[p.frame] = append(picked, p.frame), true
	}

	var list []modelled
	var all int64
	for _, table := range tables {
		for n := range table.numbers() {
			c := table.cells.at(n)
			frame := table.firstFrame(n)
			class := c.key.class()
			isKnock := table.isKnock(n)
			if isKnock {
				class = class&^hasStream | hasKnock
			}
			m := modelled{frame, c.latest, table.tier(n, c, isKnock), class.weight(), sourceOf(&frames[frame-1])}
			list = append(list, m)
			all += m.weight
		}
	}
	sources = modelExcess(list)
	share := func(percent int64) int64 {
		return int64(float64(all) / float64(used) * float64(relief.bound) * float64(percent) / 100)
	}
	left := all
	for k := over; k <= proven; k++ {
		want := left - share(70)
		if k == proven && left <= share(80) {
			want = 0
		}
		var gone, heaviest int64
		var next uint64 // is not picked
		for _, c := range inOrderOfSilence(list) {
			if c.tier != k {
				continue
			}
			if heaviest = max(heaviest, c.weight); isPicked[c.frame] {
				if gone += c.weight; next != 0 {
					t.Errorf("%d tables, tier %d: %d is picked, and %d is not, which is silent for longer", parts, k, c.frame, next)
				}
			} else if next == 0 {
				next = c.frame
			}
		}
		switch {
		case gone < want && next != 0:
			t.Errorf("%d tables, tier %d: %d bytes picked, of %d wanted", parts, k, gone, want)
		case gone > max(0, want)+max(want/8, heaviest), gone > 0 && want <= 0:
			t.Errorf("%d tables, tier %d: %d bytes picked, only %d wanted", parts, k, gone, want)
		}
		left -= gone
	}
	return picked, sources
}

// All sources that have more than a share are among the suspects, whatever comes in which
// order.
func TestSuspects(t *testing.T) {
	for seed := range uint64(rounds(2000)) {
		x := rand.New(rand.NewPCG(seed, 8))
		var found suspects
		var all int64
		of := map[source]int64{}
		sources, heavy := 4+x.Uint64N(20), x.Uint64N(4)
		for range 20 + x.IntN(200) {
			from, weight := source{x.Uint64N(sources), 4 << 56}, int64(1)<<x.IntN(10)
			if heavy > 0 && x.IntN(3) > 0 {
				from.address = x.Uint64N(heavy)
			}
			found.add(from, weight)
			all += weight
			of[from] += weight
		}
		for from, weight := range of {
			if 100*weight > sourceShare*all && found.place(from) < 0 {
				t.Fatalf("seed %d: a source with %d of %d is not among %v", seed, weight, all, found)
			}
		}
	}
}
