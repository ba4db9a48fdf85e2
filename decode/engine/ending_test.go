package engine

import (
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// attempts is a Source of n refused connections, each of its own tuple and two frames, a
// hundred microseconds apart; then there are quiet blocks without frames, ten a second.
type attempts struct {
	n, perBlock int
	quiet       int

	sent    int // connections
	blocks  uint64
	started capture.Timestamp
}

const apart = 100_000 // ns

func (a *attempts) Next(b *capture.Block) error {
	b.Number, b.First, b.Now = a.blocks, uint64(2*a.sent)+1, 0
	b.Frames = b.Frames[:0]
	a.blocks++
	now := a.started + capture.Timestamp(a.sent*apart)
	if a.sent == a.n {
		if a.quiet == 0 {
			return io.EOF
		}
		a.quiet--
		a.started += 1e8
		b.Now = now
		return nil
	}
	const size = 40
	if b.Memory == nil {
		b.Memory = make([]byte, 2*a.perBlock*size)
	}
	for i := 0; i < a.perBlock && a.sent < a.n; i++ {
		syn, rst := b.Memory[2*i*size:][:size], b.Memory[(2*i+1)*size:][:size]
		for _, d := range [][]byte{syn, rst} {
			d[0], d[3], d[8], d[9], d[32] = 0x45, size, 64, 6, 5<<4
			at := 12
			if &d[0] == &rst[0] {
				at = 16
			}
			binary.BigEndian.PutUint32(d[at:], 10<<24|uint32(a.sent)) // the client
			binary.BigEndian.PutUint32(d[28-at:], 192<<24|1)
			binary.BigEndian.PutUint16(d[20+(at-12)/2:], 40000)
			binary.BigEndian.PutUint16(d[22-(at-12)/2:], 80)
		}
		syn[33], rst[33] = 2, 4|16
		rst[31] = 1 // acknowledges the SYN, whose number is 0
		when := a.started + capture.Timestamp(a.sent*apart)
		for _, d := range [][]byte{syn, rst} {
			b.Frames = append(b.Frames, capture.Frame{Data: d, Length: size, Link: capture.LinkRaw, Time: when})
		}
		a.sent++
	}
	return nil
}

func (a *attempts) Release(*capture.Block) {}
func (a *attempts) Stats() capture.Stats   { return capture.Stats{} }
func (a *attempts) Close() error           { return nil }

func newAttempts(n int) *attempts {
	return &attempts{n: n, perBlock: 1000, started: 1_700_000_000_000_000_000}
}

// Memory follows the open connections, not all there were.
func TestEndingKeepsMemoryFlat(t *testing.T) {
	const limit = 64 << 20
	n := 5_000_000
	if testing.Short() {
		n = 1_500_000 // which would take more than twice the limit
	}
	var before, m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	told, most := 0, uint64(0)
	cfg := Config{Workers: 1, Every: 10 * time.Second, Look: func() View {
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		return nil
	}}
	cfg.Flow.Ending = &flow.Ending{Tell: func(flow.Event, *flow.Connection) { told++ }}
	r, err := Run(t.Context(), newAttempts(n), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if told+r.Len() != n || r.Len() > 50_000 {
		t.Errorf("%d ended and %d open, want %d, nearly all of them ended", told, r.Len(), n)
	}
	t.Logf("at most %d MiB of heap, %d before", most>>20, before.HeapAlloc>>20)
	if most == 0 || most > before.HeapAlloc+limit {
		t.Errorf("%d MiB of heap, want less than %d more than before", most>>20, limit>>20)
	}
}

// A link that is quiet ends its connections, too: its source tells the time.
func TestEndingOnAQuietLink(t *testing.T) {
	for _, workers := range []int{1, 3} {
		src := newAttempts(10)
		src.quiet = 40
		told := 0
		cfg := Config{Workers: workers}
		cfg.Flow.Ending = &flow.Ending{Tell: func(flow.Event, *flow.Connection) { told++ }}
		r, err := Run(t.Context(), src, cfg)
		if err != nil || told != 10 || r.Len() != 0 {
			t.Errorf("%d workers: %d ended, %d open, %v; want 10 and none", workers, told, r.Len(), err)
		}
	}
}

// A view is a View made of functions.
type view struct {
	open func(*flow.Connection)
	done func(*flow.Totals)
}

func (v *view) Open(c *flow.Connection)  { v.open(c) }
func (v *view) Done(totals *flow.Totals) { v.done(totals) }

// The number of workers changes nothing, and whoever looks sees all that was read, once.
func TestLookSeesEverythingOnce(t *testing.T) {
	word := func(c *flow.Connection) string {
		return fmt.Sprint(c.FirstFrame, c.Client, c.Outcome, c.ToServer.Packets, c.ToClient.Packets, c.Last)
	}
	run := func(workers int) []string {
		var all []string
		var ended uint64 // packets of connections that ended
		looks, done, unwanted := 0, 0, 0
		cfg := Config{Workers: workers, Every: time.Second, Look: func() View {
			if looks == 2 && unwanted == 0 { // nobody wants to see it: that is no look
				unwanted++
				return nil
			}
			looks++
			packets := ended
			return &view{
				open: func(c *flow.Connection) {
					if c.ID != c.FirstFrame {
						t.Fatalf("connection %d began with frame %d", c.ID, c.FirstFrame)
					}
					packets += c.ToServer.Packets + c.ToClient.Packets
				},
				done: func(totals *flow.Totals) {
					done++
					if packets != totals.Frames || totals.Connections.Frames != packets || packets == 0 {
						t.Fatalf("%d workers, look %d: connections of %d packets, %d read", workers, looks, packets, totals.Frames)
					}
				},
			}
		}}
		cfg.Flow.Ending = &flow.Ending{Tell: func(_ flow.Event, c *flow.Connection) {
			ended += c.ToServer.Packets + c.ToClient.Packets
			all = append(all, word(c))
		}}
		r, err := Run(t.Context(), newAttempts(55_000), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if looks < 3 || done != looks || len(all) < 10_000 {
			t.Errorf("%d workers: %d looks, %d done, %d ended", workers, looks, done, len(all))
		}
		for c := range r.Connections() {
			all = append(all, word(c))
		}
		slices.Sort(all)
		return all
	}
	want := run(1)
	for _, workers := range []int{1, 2, 5} {
		if diff := cmp.Diff(want, run(workers)); diff != "" {
			t.Fatalf("%d workers: %s", workers, diff)
		}
	}
}
