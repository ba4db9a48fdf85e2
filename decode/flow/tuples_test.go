package flow

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"

	"sockscope/capture"
)

// From one tuple to ten million an estimate is within three standard errors of what was added,
// however often; of few nearly exact.
func TestTuplesFromOneToTenMillion(t *testing.T) {
	s := new(Tuples)
	n := uint64(0)
	for _, until := range []uint64{0, 1, 2, 10, 100, 1000, 10_000, 20_000, 40_000, 60_000, 100_000, 1_000_000, 3_000_000, 10_000_000} {
		for ; n < until; n++ {
			s.add(scramble(n))
			s.add(scramble(n / 2))
		}
		got := s.Estimate()
		most := 3 * TuplesError * float64(n)
		if n <= 1000 {
			most = 1 + float64(n)/200
		}
		if off := math.Abs(float64(got) - float64(n)); off > most {
			t.Errorf("%d tuples: estimated %d", n, got)
		}
	}
	if (*Tuples)(nil).Estimate() != 0 {
		t.Error("of none there are some")
	}
}

// Over many sets of one size the error is what TuplesError says, and its mean is nothing: where
// few registers are empty, too, where Flajolet's estimator is off.
func TestTuplesAreNotBiased(t *testing.T) {
	const sets = 100
	for _, n := range []uint64{100, 5000, 20_000, 40_000, 50_000, 80_000, 200_000} {
		var sum, squares float64
		for set := range uint64(sets) {
			s := new(Tuples)
			for i := range n {
				s.add(scramble(set<<32 | i))
			}
			off := float64(s.Estimate())/float64(n) - 1
			sum, squares = sum+off, squares+off*off
		}
		mean, root := sum/sets, math.Sqrt(squares/sets)
		if math.Abs(mean) > 3*TuplesError/math.Sqrt(sets)+0.5/float64(n) || root > 1.2*TuplesError || n >= 80_000 && root < TuplesError/1.3 {
			t.Errorf("%d tuples: off by %.4f, standard error %.4f", n, mean, root)
		}
	}
}

// The registers of parts merge into those of the whole.
func TestTuplesMerge(t *testing.T) {
	var whole, parts Totals
	whole.Tuples = new(Tuples)
	for part := range uint64(3) {
		one := Totals{Tuples: new(Tuples)}
		for i := range uint64(20_000) {
			hash := scramble(part*15_000 + i)
			one.Tuples.add(hash)
			whole.Tuples.add(hash)
		}
		parts.Add(&one)
		parts.Add(&Totals{})
	}
	if *parts.Tuples != *whole.Tuples {
		t.Errorf("estimated %d, and of the whole %d", parts.Tuples.Estimate(), whole.Tuples.Estimate())
	}
}

// hosts are two IPv6 addresses.
func hosts(i int) (a, b [16]byte) {
	a, b = [16]byte{0x20, 1, 15: 1}, [16]byte{0x20, 1, 15: 2}
	a[9], a[10] = byte(i>>8), byte(i)
	return a, b
}

// bare is a TCP header.
func bare(sport, dport, flags uint16) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b[0:], sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	b[12], b[13] = 5<<4, byte(flags)
	return b
}

// When memory was short the estimate is that of all tuples, whatever went and was told again: of
// either IP version, in a virtual network, and the same for any number of tables and any seed.
func TestReliefCountsTuples(t *testing.T) {
	const n = 6000
	var packets [][]byte
	add := func(inner []byte, vni int) {
		if vni > 0 {
			inner = ipv4(protoUDP, hostA, router, 1, 0, false, udp(4000, 4789, vxlan(uint32(vni), inner)))
		}
		packets = append(packets, inner)
	}
	for i := range n {
		a, b := hosts(i)
		one := [4]byte{10, 1, byte(i >> 8), byte(i)}
		add(ipv6(protoUDP, a, b, udp(5000, 53, make([]byte, 16))), 0)
		add(ipv6(protoTCP, a, b, bare(5000, 53, syn)), 0)
		add(ipv4(protoTCP, one, hostB, 1, 0, false, bare(5000, 53, syn)), 0)
		add(ipv4(protoTCP, one, hostB, 1, 0, false, bare(5001, 53, syn)), 0)
		for vni := 1; vni <= 3; vni++ {
			add(ipv4(protoTCP, one, hostB, 1, 0, false, bare(5000, 53, syn)), vni)
		}
	}
	for i := n - 1; i >= 0; i-- { // most of these are not there any more, and their departures forgotten
		a, b := hosts(i)
		one := [4]byte{10, 1, byte(i >> 8), byte(i)}
		add(ipv6(protoUDP, b, a, udp(53, 5000, make([]byte, 16))), 0)
		add(ipv4(protoTCP, hostB, one, 1, 0, false, bare(53, 5000, syn|ack)), 0)
		add(ipv4(protoTCP, hostB, one, 1, 0, false, bare(53, 5000, syn|ack)), 2)
	}
	frames := raws(packets...)
	var want *Totals
	for _, parts := range []int{1, 2, 5} {
		all, _, totals := runRelieved(t, frames, parts, Config{}, 2_000_000, 200)
		if len(all) < 9*n {
			t.Errorf("%d tables: only %d records", parts, len(all))
		}
		if got := totals.Tuples.Estimate(); got < 7*n*98/100 || got > 7*n*102/100 {
			t.Errorf("%d tables: estimated %d tuples, there were %d", parts, got, 7*n)
		}
		if want == nil {
			want = &totals
		}
		if *totals.Tuples != *want.Tuples {
			t.Errorf("%d tables: estimated %d tuples, before %d", parts, totals.Tuples.Estimate(), want.Tuples.Estimate())
		}
		if totals.Shortages != want.Shortages || totals.Shortages < 5 || totals.Shortages > uint64(len(frames))/200 {
			t.Errorf("%d tables: memory was short %d times, before %d", parts, totals.Shortages, want.Shortages)
		}
	}
	if _, _, totals := runRelieved(t, frames, 2, Config{}, 1<<40, 200); totals.Tuples != nil || totals.Shortages != 0 {
		t.Errorf("with enough memory: %d tuples, %d times", totals.Tuples.Estimate(), totals.Shortages)
	}
}

// A run that ends connections by silence counts those, too, that were over before memory was
// short.
func TestReliefCountsTheSilent(t *testing.T) {
	const silent, flood = 4000, 16_000
	frames := raws(many(0, silent+flood)...)
	for i := range frames {
		frames[i].Time = scriptEpoch + capture.Timestamp(i)*1e5
		if i >= silent {
			frames[i].Time += 60e9
		}
	}
	for _, parts := range []int{1, 3} {
		var told uint64
		seed := NewSeed()
		recorder, batches := NewRecorder(seed), make([]Batch, parts)
		var tables []*Table
		for range parts {
			tables = append(tables, NewTable(Config{UDPIdle: 10 * time.Second, Ending: &Ending{Tell: func(Event, *Connection) { told++ }}}, seed))
		}
		relief := NewRelief(tables, 1_500_000, 100)
		for i := 0; i < len(frames); i += 200 {
			now := recorder.Record(&capture.Block{First: uint64(i) + 1, Frames: frames[i : i+200]}, batches)
			for p, table := range tables {
				table.Apply(&batches[p])
				table.Sweep(now)
			}
			relief.Relieve(uint64(i + 200))
			if i < silent+200 && relief.Began() {
				t.Fatal("memory was short too early")
			}
		}
		totals := NewTotals()
		for _, table := range tables {
			table.Finish()
			totals.Add(&table.Totals)
		}
		if told < silent+flood/4 || totals.Evicted == 0 || totals.Shortages == 0 {
			t.Errorf("%d tables: %d told, %d evicted, %d times", parts, told, totals.Evicted, totals.Shortages)
		}
		if got := totals.Tuples.Estimate(); got < (silent+flood)*98/100 || got > (silent+flood)*102/100 {
			t.Errorf("%d tables: estimated %d tuples, there were %d", parts, got, silent+flood)
		}
	}
}

// Between which times connections were evicted does not depend on how many tables there are,
// though the clock was set back, and back again, between them.
func TestWhenConnectionsWereEvicted(t *testing.T) {
	frames := raws(many(0, 40_000)...)
	for i := range frames {
		switch i / 10_000 {
		case 1, 3:
			frames[i].Time -= 600e9
		}
	}
	var want string
	for _, parts := range []int{1, 2, 5} {
		_, _, totals := runRelieved(t, frames, parts, Config{}, 500_000, 200)
		got := fmt.Sprint(totals.EvictedSince, totals.EvictedUntil, totals.Evicted)
		if d, ok := totals.EvictedUntil.Sub(totals.EvictedSince); !ok || d < 500*time.Second || d > 700*time.Second {
			t.Errorf("%d tables: evicted between %v and %v", parts, totals.EvictedSince.Time(), totals.EvictedUntil.Time())
		}
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d tables: %s, want %s", parts, got, want)
		}
	}
}
