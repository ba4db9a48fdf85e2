package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
)

func TestProbeTellsOneAttemptAsItTellsMany(t *testing.T) {
	s := newScene()
	s.tcp("10.0.0.1:1", "192.0.2.1:1", flow.Refused, 0)
	s.tcp("10.0.0.1:2", "192.0.2.1:2", flow.Unanswered, time.Second, func(c *flow.Connection) { c.SYNCount = 2 })
	s.tcp("10.0.0.1:3", "192.0.2.1:3", flow.Aborted, time.Second)
	s.tcp("10.0.0.1:4", "192.0.2.1:4", flow.Mismatched, time.Second)

	var together probe
	apart := attempts{span: noSpan}
	for _, c := range s.connections {
		together.add(c)
		var one probe
		one.add(c)
		apart.merge(&one)
	}
	apart.merge(new(probe)) // nothing
	merged := attempts{span: noSpan}
	merged.merge(&together)
	want := attempts{
		span:    span{at(0), at(3e9)},
		results: [numResults]uint64{otherResult: 1, refusedResult: 1, silentResult: 1, openResult: 1},
		retried: 1,
	}
	for _, f := range []uint64{2, 3, 4, 5} {
		want.frames.add(f)
	}
	for name, got := range map[string]attempts{"together": merged, "apart": apart} {
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(attempts{}, span{}, evidence{})); diff != "" {
			t.Error(name, diff)
		}
	}
	if got := merged.outcomes(); got != " in 3 s (1 refused, 1 unanswered, 1 open)" {
		t.Error(got)
	}
}

func TestWhenTroubleWas(t *testing.T) {
	day := capture.Timestamp(24 * time.Hour)
	for name, c := range map[string]struct {
		since, until capture.Timestamp
		want         string
	}{
		"nobody knows":                     {capture.Unknown, capture.Unknown, ""},
		"once":                             {at(0), at(0), "23:59:58"},
		"within a second":                  {at(1e8), at(9e8), "23:59:58"},
		"the end is not known":             {at(0), capture.Unknown, "23:59:58"},
		"for a second":                     {at(0), at(1e9), "23:59:58–23:59:59"},
		"until the next day":               {at(0), at(2e9), "23:59:58–2024-03-01 00:00:00"},
		"on another day":                   {at(2e9), at(3e9), "2024-03-01 00:00:00–00:00:01"},
		"once on another day":              {at(2e9), at(2e9), "2024-03-01 00:00:00"},
		"at the same time of the next day": {at(0), at(0) + day, "23:59:58–2024-03-01 23:59:58"},
		"from another day to a third":      {at(2e9), at(2e9) + day, "2024-03-01 00:00:00–2024-03-02 00:00:00"},
	} {
		t.Run(name, func(t *testing.T) {
			p := printer{location: time.UTC}
			if got := p.when(&Trouble{Since: c.since, Until: c.until}, at(0)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
