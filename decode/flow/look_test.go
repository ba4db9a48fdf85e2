package flow

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sockscope/capture"
)

// openIn are the connections of a table by their first frames.
func openIn(table *Table) (all []Connection) {
	for _, s := range table.Sequences() {
		for i := range s.Len() {
			var c Connection
			s.Connection(i, &c)
			c.ID = c.FirstFrame
			all = append(all, c)
		}
	}
	slices.SortFunc(all, byFirstFrame)
	return all
}

func byFirstFrame(a, b Connection) int { return cmp.Compare(a.FirstFrame, b.FirstFrame) }

// What a Look shows while frames go on, a few connections at a time, is what there was when
// it began: all connections once, and the totals. That is so when memory is short, too.
func TestLookShowsOneMoment(t *testing.T) {
	for _, seed := range fewer([]uint64{0, 3, 1, 2}, 2) {
		x := &chaos{Rand: rand.New(rand.NewPCG(seed, 3)), t: t}
		for i := range 6000 {
			x.stream(time.Duration(x.IntN(100_000))*time.Millisecond, uint16(20000+i%3000))
		}
		for port := range uint16(200) {
			for at := x.IntN(900); at < 100_000; at += 900 + x.IntN(2000) {
				x.datagrams(time.Duration(at)*time.Millisecond, 1024+port)
			}
		}
		frames := x.sorted()
		hashes := NewSeed()
		cfg := Config{UDPIdle: 2 * time.Second, Classify: provenBy, RoundTrips: seed%2 == 0}
		cfg.Ending = &Ending{Tell: func(Event, *Connection) {}}
		table, recorder, batches := NewTable(cfg, hashes), NewRecorder(hashes), make([]Batch, 1)

		bound := int64(1 << 40)
		if seed >= 2 {
			bound = 400_000
		}
		relief := NewRelief([]*Table{table}, bound, 1000)

		var look *Look
		var shown, want []Connection
		var totals, wantTotals Totals
		looks, between, most := 0, 0, 0
		for i, n := 0, 0; i < len(frames); n++ {
			size := min(1+x.IntN(300), len(frames)-i)
			block := capture.Block{Number: uint64(n), First: uint64(i) + 1, Frames: frames[i : i+size]}
			i += size
			recorder.Record(&block, batches)
			table.few ^= fewConnections // both ways in turn
			table.Apply(&batches[0])
			table.Sweep(frames[i-1].Time)
			relief.Relieve(uint64(i))
			if look == nil && n%5 == 0 {
				shown, want, looks = nil, openIn(table), looks+1
				totals, wantTotals = NewTotals(), totalsOf(table)
				most = max(most, len(want))
				look = table.Look(&totals, func(c *Connection) { shown = append(shown, *c) })
				continue
			}
			if look == nil {
				continue
			}
			between++
			if look.Show(1 + x.IntN(60)) {
				continue
			}
			look = nil
			slices.SortFunc(shown, byFirstFrame)
			if len(shown) != len(want) {
				t.Fatalf("seed %d, look %d: %d connections, want %d", seed, looks, len(shown), len(want))
			}
			for i := range want {
				if !reflect.DeepEqual(want[i], shown[i]) {
					t.Fatalf("seed %d, look %d, connection %d: %s", seed, looks, i,
						gocmp.Diff(want[i], shown[i], cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{})))
				}
			}
			if diff := gocmp.Diff(wantTotals, totals); diff != "" {
				t.Fatalf("seed %d, look %d: %s", seed, looks, diff)
			}
		}
		if relief.Began() != (seed >= 2) {
			t.Errorf("seed %d: memory was not what it should be", seed)
		}
		parts := 4 // for each look
		if relief.Began() {
			parts = 1 // those that are ended are shown before
		}
		if looks < 5 || between <= parts*looks || most < 300 {
			t.Errorf("seed %d: %d looks in %d parts at %d connections or less", seed, looks, between, most)
		}
	}
}

// Connections that move together while they are being shown are shown once.
func TestLookBeforeCompacting(t *testing.T) {
	x := &chaos{Rand: rand.New(rand.NewPCG(1, 9)), t: t}
	for i := range 12_000 {
		x.stream(time.Duration(x.IntN(60_000))*time.Millisecond, uint16(20000+i))
	}
	seed := NewSeed()
	table := NewTable(Config{Ending: &Ending{MemoryOnly: true, Tell: func(Event, *Connection) {}}}, seed)
	batches := make([]Batch, 1)
	NewRecorder(seed).Record(&capture.Block{First: 1, Frames: x.sorted()}, batches)
	table.Apply(&batches[0])
	for _, n := range slices.Collect(table.numbers()) {
		if n%5 != 0 {
			table.end(n, table.cells.at(n))
		}
	}
	want, room := openIn(table), table.room()
	var shown []Connection
	totals := NewTotals()
	look := table.Look(&totals, func(c *Connection) { shown = append(shown, *c) })
	look.Show(len(want) / 2)
	some := len(shown)
	table.compact()
	if some < len(want)/4 || some > len(want)/2 || table.room() > room/2 {
		t.Fatalf("%d of %d shown before, %d of %d bytes left", some, len(want), table.room(), room)
	}
	for look.Show(100) {
	}
	slices.SortFunc(shown, byFirstFrame)
	if diff := gocmp.Diff(want, shown, gocmp.Comparer(sameConnection)); diff != "" {
		t.Error(diff)
	}
}

// totalsOf are what table would have after Finish.
func totalsOf(table *Table) Totals {
	totals := NewTotals()
	totals.Add(&table.Totals)
	for _, e := range table.fragments.entries {
		totals.Fragments.add(Volume{e.waiting.packets, e.waiting.bytes})
	}
	table.sumAllTunnels(&totals.Tunnels)
	table.countAllTuples(totals.Tuples)
	return totals
}

// A Look that is given up leaves the table as it would be without.
func TestLookStops(t *testing.T) {
	seed := NewSeed()
	table, recorder, batches := NewTable(Config{}, seed), NewRecorder(seed), make([]Batch, 1)
	frames := mixture(300, 1)
	totals, n := NewTotals(), 0
	for i := range frames {
		recorder.Record(&capture.Block{Number: uint64(i), First: uint64(i) + 1, Frames: frames[i : i+1]}, batches)
		table.Apply(&batches[0])
		if i == len(frames)/2 {
			table.Look(&totals, func(*Connection) { n++ }).Show(1)
			table.looking.Stop()
			n = 0
		}
	}
	if n != 0 || table.looking != nil {
		t.Errorf("%d connections were shown to nobody", n)
	}
}
