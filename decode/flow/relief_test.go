package flow

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// runRelieved is run with a bound on what connections take, looked at every so many frames.
func runRelieved(t testing.TB, frames []capture.Frame, parts int, cfg Config, bound int64, every int) (all []Connection, tables []*Table, totals Totals) {
	t.Helper()
	seed := NewSeed()
	r := NewRecorder(seed)
	cfg.Ending = &Ending{MemoryOnly: true, Tell: func(_ Event, c *Connection) { all = append(all, *c) }}
	for range parts {
		tables = append(tables, NewTable(cfg, seed))
	}
	relief := NewRelief(tables, bound, 1000)
	batches := make([]Batch, parts)
	for i := 0; i < len(frames); i += every {
		block := capture.Block{First: uint64(i) + 1, Frames: frames[i:min(i+every, len(frames))]}
		now := r.Record(&block, batches)
		for p, table := range tables {
			table.few ^= fewConnections // both ways in turn
			table.Apply(&batches[p])
			table.Sweep(now)
		}
		relief.Relieve(block.First + uint64(len(block.Frames)) - 1)
	}
	told := len(all)
	totals = r.Totals
	for _, table := range tables {
		all = append(all, openIn(table)...)
		checkNumbers(t, table)
		table.Finish()
		totals.Add(&table.Totals)
	}
	slices.SortFunc(all[told:], byFirstFrame)
	return all, tables, totals
}

// What is told when memory is short does not depend on how many tables there are, sums are
// exact, each record that goes on from another one names it, and what tables hold stays
// within the bound.
func TestReliefIsTheSameForAnyNumberOfTables(t *testing.T) {
	for seed := range uint64(2) {
		x := &chaos{Rand: rand.New(rand.NewPCG(seed, 5)), t: t}
		for i := range 6000 {
			x.stream(time.Duration(x.IntN(400_000))*time.Millisecond, uint16(20000+i))
		}
		for port := range uint16(40) {
			for at := x.IntN(9000); at < 400_000; at += 9000 + x.IntN(20_000) {
				x.datagrams(time.Duration(at)*time.Millisecond, 1024+port)
			}
		}
		frames := x.sorted()
		cfg := Config{UDPIdle: 2 * time.Minute, Classify: provenBy, RoundTrips: seed == 1}
		const bound = 500_000
		var wantSum volume
		_, wantTotals := run(frames, 1, cfg)
		wantSum.bytes = wantTotals.Connections.Bytes + wantTotals.ICMP.Bytes
		var first []Connection
		for _, parts := range []int{1, 2, 5} {
			got, tables, totals := runRelieved(t, frames, parts, cfg, bound, 200)
			if totals.Frames != totals.Connections.Frames+totals.ICMP.Frames+totals.Fragments.Frames || totals.Frames != uint64(len(frames)) {
				t.Errorf("seed %d, %d tables: %d frames, %+v", seed, parts, totals.Frames, totals)
			}
			var packets, evicted, silent uint64
			began := map[uint64]*Connection{}
			for i := range got {
				began[got[i].ID] = &got[i]
			}
			ofParts := 0
			for i := range got {
				c := &got[i]
				packets += c.ToServer.Packets + c.ToClient.Packets
				if c.Close == Evicted {
					evicted++
					if c.Silence > 0 {
						silent++
					}
				}
				if c.Silence < 0 || c.Silence > 0 && c.Close != Evicted {
					t.Errorf("seed %d: silent for %v: %+v", seed, c.Silence, c)
				}
				if c.PartOf == 0 {
					continue
				}
				ofParts++
				if e := began[c.PartOf]; e == nil || e.Protocol != c.Protocol || e.FirstFrame >= c.FirstFrame ||
					!sameEnds(e, c) || e.Last > c.First {
					t.Errorf("seed %d: %+v is part of %+v", seed, c, e)
				}
			}
			if packets != totals.Connections.Frames+totals.ICMP.Frames {
				t.Errorf("seed %d, %d tables: connections of %d packets, want %d", seed, parts, packets, totals.Connections.Frames+totals.ICMP.Frames)
			}
			if evicted != totals.Evicted || evicted == 0 || silent < evicted/2 || ofParts == 0 || totals.Outlived == 0 {
				t.Errorf("seed %d, %d tables: %d evicted, counted %d, %d parts, %d over", seed, parts, evicted, totals.Evicted, ofParts, totals.Outlived)
			}
			var used int64
			for _, table := range tables {
				used += table.Used()
			}
			if used > bound*2 {
				t.Errorf("seed %d, %d tables: %d bytes used in the end", seed, parts, used)
			}
			if first == nil {
				first = got
			}
			if len(first) != len(got) {
				t.Fatalf("seed %d, %d tables: %d records, want %d", seed, parts, len(got), len(first))
			}
			for i := range got {
				if a, b := inWords(&first[i]), inWords(&got[i]); a != b {
					t.Fatalf("seed %d, %d tables, record %d:\n got %s\nwant %s", seed, parts, i, b, a)
				}
			}
		}
	}
}

func sameEnds(a, b *Connection) bool {
	return a.Client == b.Client && a.Server == b.Server || a.Client == b.Server && a.Server == b.Client
}

func inWords(c *Connection) string {
	b := *c
	b.Tunnels = nil
	return strings.Join(strings.Fields(gocmp.Diff(Connection{}.Close, b.Close)+words(&b)+b.History+b.Evidence.ServerName+
		b.First.Time().String()+b.Client.String()+b.Server.String()), " ")
}

// Chunks that a flood of one class has filled serve another class when they are compacted,
// and nothing but their numbers changes.
func TestCompactingMovesOnly(t *testing.T) {
	x := &chaos{Rand: rand.New(rand.NewPCG(1, 6)), t: t}
	for i := range 12_000 {
		x.stream(time.Duration(x.IntN(60_000))*time.Millisecond, uint16(20000+i))
	}
	for port := range uint16(3000) {
		x.datagrams(time.Duration(x.IntN(60_000))*time.Millisecond, 1024+port)
	}
	frames := x.sorted()
	cfg := Config{Classify: provenBy, RoundTrips: true, Ending: &Ending{MemoryOnly: true, Tell: func(Event, *Connection) {}}}
	table := NewTable(cfg, NewSeed())
	r := NewRecorder(table.seed)
	batches := make([]Batch, 1)
	apply := func(from, to int) {
		block := capture.Block{First: uint64(from) + 1, Frames: frames[from:to]}
		r.Record(&block, batches)
		table.Apply(&batches[0])
	}
	apply(0, len(frames)*3/4)
	for _, n := range slices.Collect(table.numbers()) {
		if n%5 != 0 {
			table.end(n, table.cells.at(n))
		}
	}
	before := all(table)
	room := table.room()
	table.compact()
	if got := table.room(); got > room/2 {
		t.Errorf("%d bytes of chunks, before %d", got, room)
	}
	checkNumbers(t, table)
	if diff := gocmp.Diff(before, all(table)); diff != "" {
		t.Error(diff)
	}
	apply(len(frames)*3/4, len(frames))
	checkNumbers(t, table)
}

// all are the words of all connections of a table, in order.
func all(t *Table) []string {
	var list []string
	for n := range t.numbers() {
		var c Connection
		t.connection(n, &c)
		list = append(list, inWords(&c))
	}
	slices.Sort(list)
	return list
}

// What comes of a connection that was told and forgotten is in a record that says so; what
// begins another one is not.
func TestPartOf(t *testing.T) {
	for _, tt := range []struct{ rule, script, late, want string }{
		{"a FIN sent again", "S h A D F f A", "F", "part"},
		{"an RST behind a refusal", "S r", "r", "part"},
		{"another SYN", "S h A F f A", "S*", "new"},
		{"the same SYN", "S r", "S=", "part"},
	} {
		frames := play(t, tt.script+" "+tt.late)
		split := len(play(t, tt.script))
		for i := split; i < len(frames); i++ {
			frames[i].Time += 3e9
		}
		for _, steps := range []bool{false, true} {
			d, _ := runEnding(t, frames, 1, Config{}, steps, time.Minute)
			list := d.all()
			if len(list) != 2 {
				t.Errorf("%s: %d records", tt.rule, len(list))
				continue
			}
			got := "new"
			if list[1].PartOf != 0 {
				got = "part"
			}
			if got != tt.want || got == "part" && list[1].PartOf != list[0].FirstFrame {
				t.Errorf("%s: %s of %d, want %s", tt.rule, got, list[1].PartOf, tt.want)
			}
		}
	}
}

// Whether a connection ends is a matter of the time between its packets, not of when the
// table is swept.
func TestSilenceIsMeasuredByPackets(t *testing.T) {
	for _, tt := range []struct {
		gap  time.Duration
		want int
	}{{1900 * time.Millisecond, 1}, {2100 * time.Millisecond, 2}} {
		frames := play(t, "S h A F f A F")
		frames[len(frames)-1].Time = frames[len(frames)-2].Time + capture.Timestamp(tt.gap)
		told := 0
		table := NewTable(Config{Ending: &Ending{Tell: func(Event, *Connection) { told++ }}}, NewSeed())
		r := NewRecorder(table.seed)
		batches := make([]Batch, 1)
		r.Record(&capture.Block{First: 1, Frames: frames}, batches)
		table.Apply(&batches[0]) // all at once: nobody sweeps between
		if got := told + table.Len(); got != tt.want {
			t.Errorf("after %v: %d records, want %d", tt.gap, got, tt.want)
		}
	}
}

// datagramOf is a frame of 28 bytes.
func datagramOf(src, dst uint32, sport, dport uint16) capture.Frame {
	d := []byte{0: 0x45, 3: 28, 8: 64, 9: 17, 25: 8, 27: 0}
	binary.BigEndian.PutUint32(d[12:], src)
	binary.BigEndian.PutUint32(d[16:], dst)
	binary.BigEndian.PutUint16(d[20:], sport)
	binary.BigEndian.PutUint16(d[22:], dport)
	return capture.Frame{Data: d, Length: uint32(len(d)), Link: capture.LinkRaw, Time: 1_700_000_000e9}
}

// What a paced relief has picked and not yet finished is spared when it is answered meanwhile.
func TestPacedReliefSparesWhatIsAnswered(t *testing.T) {
	const many, one, server = 10 << 24, 12 << 24, 11 << 24
	t.Run("of many sources", func(t *testing.T) {
		testPacedRelief(t, func(i uint32) (from, to uint32) { return many + i, server })
	})
	t.Run("of one beyond its share", func(t *testing.T) {
		testPacedRelief(t, func(i uint32) (from, to uint32) { return one, server + i })
	})
}

// testPacedRelief tests it with datagrams between ends, number by number.
func testPacedRelief(t *testing.T, ends func(i uint32) (from, to uint32)) {
	const n = 20_000
	var told []uint64
	seed := NewSeed()
	table := NewTable(Config{Ending: &Ending{Tell: func(_ Event, c *Connection) { told = append(told, c.ID) }}}, seed)
	r, batches := NewRecorder(seed), make([]Batch, 1)
	frames := func(first int, all []capture.Frame) {
		for i := 0; i < len(all); i += 500 {
			block := capture.Block{First: uint64(first + i), Frames: all[i:min(i+500, len(all))]}
			now := r.Record(&block, batches)
			table.Apply(&batches[0])
			table.Sweep(now)
		}
	}
	var all, answers []capture.Frame
	for i := range uint32(n) {
		from, to := ends(i)
		all = append(all, datagramOf(from, to, 5000, 53))
		if i >= leastPart {
			answers = append(answers, datagramOf(to, from, 53, 5000))
		}
	}
	frames(1, all)
	relief := NewRelief([]*Table{table}, table.Used()/2, 1000)
	relief.Relieve(n)
	if len(told) != leastPart || !relief.Pending() {
		t.Fatalf("%d told in one go, want %d and more to come", len(told), leastPart)
	}
	frames(n+1, answers)
	for range n {
		if !relief.Pending() {
			break
		}
		relief.Relieve(uint64(n + len(answers)))
	}
	if len(told) != leastPart || relief.Pending() {
		t.Errorf("%d told, want the first %d alone; pending: %v", len(told), leastPart, relief.Pending())
	}
	for i, id := range told {
		if id != uint64(i+1) {
			t.Fatalf("connection %d told as number %d", id, i+1)
		}
	}
}
