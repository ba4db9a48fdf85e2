package report

import (
	"sync"
	"testing"
)

// What is entered by another goroutine, while more is added, makes the same report.
func TestBatchesMayBeEnteredElsewhere(t *testing.T) {
	all := busy()
	live := onHost(all)
	for name, cfg := range map[string]Config{"file": {}, "live": live} {
		want := documentOf(t, fed(NewBuilder(cfg), all))
		b := NewBuilder(cfg)
		fed(b, all[:100]) // as far as it went before
		full, empty := make(chan *Batch, 2), make(chan *Batch, 2)
		empty <- b.NewBatch()
		empty <- b.NewBatch()
		var entering sync.WaitGroup
		n := 0
		entering.Go(func() {
			for batch := range full {
				batch.Enter()
				n++
				empty <- batch
			}
		})
		b.HandOver(func(batch *Batch) *Batch {
			full <- batch
			return <-empty
		})
		fed(b, all[100:len(all)-100])
		b.HandOver(nil)
		close(full)
		entering.Wait()
		if n < 3 {
			t.Errorf("%s: %d batches were handed over", name, n)
		}
		if got := documentOf(t, fed(b, all[len(all)-100:])); got != want {
			t.Errorf("%s: another report than without handing over", name)
		}
	}
}
