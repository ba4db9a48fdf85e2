package main

import (
	"sync"

	"sockscope/report"
)

// besides is how many batches may be under way between who fills and who enters them.
const besides = 4

// enterBeside has a goroutine enter what is added to b into its tables, beside the one
// that adds, until the function that it gives is called.
func enterBeside(b *report.Builder) (finish func()) {
	full, empty := make(chan *report.Batch, besides), make(chan *report.Batch, besides)
	for range besides {
		empty <- b.NewBatch()
	}
	var entering sync.WaitGroup
	entering.Go(func() {
		for batch := range full {
			batch.Enter()
			empty <- batch
		}
	})
	b.HandOver(func(batch *report.Batch) *report.Batch {
		full <- batch
		return <-empty
	})
	return func() {
		b.HandOver(nil)
		close(full)
		entering.Wait()
	}
}
