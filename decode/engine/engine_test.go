package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// packets is a Source of n raw IPv4/UDP packets among a few hosts, in blocks of
// perBlock. It counts what is out and fails as told.
type packets struct {
	n, perBlock int
	fail        error // given instead of io.EOF at the end

	hesitates time.Duration // before each block

	sent   int
	blocks uint64
	most   int           // blocks not released when another one came
	out    chan struct{} // one for each block not released
}

func newPackets(n, perBlock int) *packets {
	return &packets{n: n, perBlock: perBlock, out: make(chan struct{}, 1<<16)}
}

func (p *packets) Next(b *capture.Block) error {
	b.Frames = b.Frames[:0]
	time.Sleep(p.hesitates)
	p.most = max(p.most, len(p.out))
	if p.sent == p.n {
		if p.fail != nil {
			return p.fail
		}
		return io.EOF
	}
	b.Number, b.First = p.blocks, uint64(p.sent)+1
	p.blocks++
	b.Memory = b.Memory[:0]
	for len(b.Frames) < p.perBlock && p.sent < p.n {
		i := p.sent
		p.sent++
		d := make([]byte, 28)
		d[0], d[3], d[8], d[9] = 0x45, 28, 64, 17
		d[12], d[15], d[16], d[19] = 10, byte(i%7), 10, byte(i%11)
		d[20], d[21], d[23], d[25] = 200, byte(i%5), byte(i%3), 8
		b.Frames = append(b.Frames, capture.Frame{Data: d, Length: 28, Link: capture.LinkRaw, Time: capture.Timestamp(i)})
	}
	p.out <- struct{}{}
	return nil
}

func (p *packets) Release(*capture.Block) { <-p.out }
func (p *packets) Stats() capture.Stats   { return capture.Stats{} }
func (p *packets) Close() error           { return nil }

// connections is everything that a run found, in words.
func connections(r *Result) []string {
	var all []string
	for c := range r.Connections() {
		all = append(all, fmt.Sprintf("%+v", *c))
	}
	return all
}

func TestWorkersChangeNothing(t *testing.T) {
	run := func(workers, perBlock int, ahead bool) ([]string, flow.Totals) {
		src := newPackets(5000, perBlock)
		r, err := Run(t.Context(), src, Config{Workers: workers, Ahead: ahead})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(src.out); n != 0 {
			t.Errorf("%d workers: %d blocks not released", workers, n)
		}
		return connections(r), r.Totals
	}
	want, wantTotals := run(1, 100, false)
	if len(want) < 100 {
		t.Fatalf("only %d connections", len(want))
	}
	for _, workers := range []int{1, 2, 3, 8} {
		for _, perBlock := range []int{1, 7, 1000, 5000} {
			got, totals := run(workers, perBlock, perBlock != 7)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%d workers, %d frames a block: %s", workers, perBlock, diff)
			}
			if diff := cmp.Diff(wantTotals, totals); diff != "" {
				t.Fatalf("%d workers, %d frames a block: totals %s", workers, perBlock, diff)
			}
		}
	}
}

// What came is applied while its source waits for more. In the bubble no time goes by while a
// worker has work, so that what is out after the wait is what workers keep back.
func TestWhatCameIsAppliedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newPackets(20_000, 100)
		src.hesitates = time.Millisecond
		if _, err := Run(t.Context(), src, Config{Workers: 2}); err != nil {
			t.Fatal(err)
		}
		// Who reads could not apply what the other one decoded meanwhile.
		if src.most > 1 {
			t.Errorf("%d blocks were kept while another one was waited for", src.most)
		}
	})
}

func TestSourceErrorEndsTheRun(t *testing.T) {
	broken := errors.New("broken")
	for _, workers := range []int{1, 4} {
		src := newPackets(1000, 10)
		src.fail = broken
		r, err := Run(t.Context(), src, Config{Workers: workers})
		if !errors.Is(err, broken) {
			t.Errorf("%d workers: error %v, want %v", workers, err, broken)
		}
		if r.Totals.Frames != 1000 {
			t.Errorf("%d workers: %d frames counted before the error, want 1000", workers, r.Totals.Frames)
		}
	}
}

// A cancelled run ends with what it has, every block released.
func TestCancelIsANormalEnd(t *testing.T) {
	for _, workers := range []int{1, 4} {
		ctx, cancel := context.WithCancel(t.Context())
		src := newPackets(1<<40, 10)
		stop := &stopping{packets: src, after: 100, cancel: cancel}
		r, err := Run(ctx, stop, Config{Workers: workers})
		if err != nil {
			t.Errorf("%d workers: %v", workers, err)
		}
		if r.Totals.Frames < 1000 || r.Totals.Frames > 1000+10*uint64(workers) {
			t.Errorf("%d workers: %d frames, want about 1000", workers, r.Totals.Frames)
		}
		if n := len(src.out); n != 0 {
			t.Errorf("%d workers: %d blocks not released", workers, n)
		}
	}
}

// stopping cancels after some blocks.
type stopping struct {
	*packets
	after  uint64
	cancel func()
}

func (s *stopping) Next(b *capture.Block) error {
	err := s.packets.Next(b)
	if s.blocks == s.after {
		s.cancel()
	}
	return err
}

func BenchmarkRun(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			const frames = 200_000
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Run(b.Context(), newPackets(frames, 1500), Config{Workers: workers}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(frames*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mframes/s")
		})
	}
}
