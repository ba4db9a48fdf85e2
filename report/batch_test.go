package report

import (
	"iter"
	"sync"
	"testing"

	"sockscope/decode/flow"
)

// inParts gives connections a part at a time, as a Crew asks for them.
func inParts(all []flow.Connection) func(most int) iter.Seq[*flow.Connection] {
	return func(most int) iter.Seq[*flow.Connection] {
		part := all[:min(most, len(all))]
		all = all[len(part):]
		if len(part) == 0 {
			return nil
		}
		return func(yield func(*flow.Connection) bool) {
			var c flow.Connection
			for i := range part {
				c = part[i] // nobody may keep it
				if !yield(&c) {
					return
				}
			}
		}
	}
}

// addAll adds connections with so many workers.
func addAll(b *Builder, workers int, next func(most int) iter.Seq[*flow.Connection]) {
	crew := b.Crew(workers, next)
	var working sync.WaitGroup
	for range max(1, workers) {
		working.Go(crew.Work)
	}
	working.Wait()
	crew.Done()
}

// However many add connections, whether or not some were added before or come later, the
// report is that of adding them one by one.
func TestAllConnectionsMakeTheSameReport(t *testing.T) {
	all := busy()
	for name, cfg := range map[string]Config{"file": {}, "live": onHost(all), "all": {All: true}, "top": {Sort: "failed", Top: 300}} {
		want := documentOf(t, fed(NewBuilder(cfg), all))
		for workers := range 6 {
			for _, before := range []int{0, 100} {
				b := fed(NewBuilder(cfg), all[:before])
				addAll(b, workers, inParts(all[before:len(all)-before]))
				if got := documentOf(t, fed(b, all[len(all)-before:])); got != want {
					t.Errorf("%s: another report with %d workers, %d before and behind", name, workers, before)
				}
			}
		}
		if b := fed(NewBuilder(cfg), all); true {
			if addAll(b, 3, inParts(nil)); documentOf(t, b) != want {
				t.Errorf("%s: nothing that is added changes the report", name)
			}
		}
	}
}
