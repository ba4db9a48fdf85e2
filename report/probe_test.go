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
		var a attempt
		a.set(c)
		together.add(a)
		var one probe
		one.add(a)
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
	for tried, want := range map[uint64]string{4: " in 3 s", 3: " in 4 attempts within 3 s"} {
		if got := merged.within(share{n: 4}, tried); got != want {
			t.Errorf("%d things tried: %q", tried, got)
		}
	}
	if got := resultList(&merged.results); got != " (1 unanswered, 1 other, 1 refused, 1 open)" {
		t.Error(got)
	}
}

func TestPortsCountWithTheirBestResult(t *testing.T) {
	type tried struct {
		port uint16
		result
	}
	for name, c := range map[string]struct {
		tries []tried
		want  [numResults]uint64
	}{
		"all silent":                  {[]tried{{1, silentResult}, {2, silentResult}, {1, silentResult}}, [numResults]uint64{silentResult: 2}},
		"the first port got better":   {[]tried{{1, silentResult}, {1, refusedResult}, {2, silentResult}}, [numResults]uint64{silentResult: 1, refusedResult: 1}},
		"the first port got worse":    {[]tried{{1, openResult}, {1, silentResult}, {2, silentResult}}, [numResults]uint64{silentResult: 1, openResult: 1}},
		"another port got better":     {[]tried{{1, silentResult}, {2, silentResult}, {2, openResult}}, [numResults]uint64{silentResult: 1, openResult: 1}},
		"the first port again, later": {[]tried{{1, otherResult}, {2, silentResult}, {1, refusedResult}}, [numResults]uint64{silentResult: 1, refusedResult: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var p hostProbe
			for _, x := range c.tries {
				p.add(x.port, attempt{result: x.result, tries: oneTry})
			}
			var got [numResults]uint64
			p.addResults(&got)
			if got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
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
			if got := p.when(c.since, c.until, at(0)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
