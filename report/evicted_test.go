package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/decode/flow"
)

// evictedAfter makes it a connection that memory was short for, so long after its last packet.
func evictedAfter(silence time.Duration) func(c *flow.Connection) {
	return func(c *flow.Connection) { c.Close, c.Silence = flow.Evicted, silence }
}

// goesOn makes it what came of a connection after that was evicted.
func goesOn(c *flow.Connection) { c.PartOf = 1 }

// evictedSummary is the Summary where memory was short.
func (s *scene) evictedSummary() *Summary {
	t := s.totals()
	for _, c := range s.connections {
		if c.Close == flow.Evicted {
			t.Evicted++
		}
	}
	return s.builder(Config{}).Summary(s.stats(), t)
}

func TestEvictedTooEarlyIsNotFailed(t *testing.T) {
	const client, server, young = "10.0.0.1:50000", "192.0.2.1:443", answerTime - 1
	evicted := func(n int, what string) string {
		return fmt.Sprintf("warning evicted %d []: capture: memory was short: %d connections ended before the time "+
			"and may go on in records of their own; sums are exact%s", n, n, what)
	}
	flood := func(s *scene, silence time.Duration) {
		for i := range 60 {
			outcome := flow.Unanswered
			if i%3 == 0 {
				outcome = flow.HalfOpen
			}
			s.tcp(fmt.Sprintf("10.0.0.%d:1000", i), server, outcome, time.Millisecond, evictedAfter(silence))
		}
	}
	tests := []struct {
		name  string
		build func(s *scene)
		want  []string
	}{
		{"handshakes that are fast", func(s *scene) {
			flood(s, young)
			for i := range 60 {
				s.tcp(fmt.Sprintf("10.0.0.%d:1000", i), server, flow.Midstream, 0, goesOn, func(c *flow.Connection) { c.ToClient.Packets = 1 })
			}
		}, []string{evicted(60, "; 40 unanswered and 20 half-open ones had waited less than 1 s: what became of these is not known")}},
		{"handshakes evicted twice", func(s *scene) {
			for i := range 60 {
				c := fmt.Sprintf("10.0.0.%d:1000", i)
				s.tcp(c, server, flow.Unanswered, 0, evictedAfter(0))
				s.tcp(c, server, flow.ReplyOnly, 0, evictedAfter(0)) // as when it is not remembered what it goes on from
				s.tcp(c, server, flow.Midstream, 0, goesOn, func(c *flow.Connection) { c.Flags = flow.OneWay })
				s.tcp(c, server, flow.ReplyOnly, 0, goesOn, func(c *flow.Connection) { c.Flags = flow.OneWay })
			}
		}, []string{evicted(120, "; 60 unanswered ones had waited less than 1 s: what became of these is not known")}},
		{"a sweep of hosts that answer", func(s *scene) {
			for i := range 2 * scanHosts {
				s.tcp(client, fmt.Sprintf("192.0.2.%d:443", i), flow.Unanswered, 0, evictedAfter(young))
				s.udp(client, fmt.Sprintf("192.0.2.%d:53", i), flow.Unanswered, 0, evictedAfter(young))
				s.udp(client, fmt.Sprintf("192.0.2.%d:514", i), flow.Unanswered, 0, evictedAfter(young)) // asks for nothing
				s.udp(client, fmt.Sprintf("192.0.2.%d:53", i), flow.Unanswered, 0, goesOn)
			}
		}, []string{evicted(60, "; 40 unanswered ones had waited less than 1 s: what became of these is not known")}},
		{"a flood that stays for long enough", func(s *scene) { flood(s, answerTime); s.later(time.Minute) }, []string{
			"problem syn-flood 60 [2 3 4 6 7]: tcp 192.0.2.1:443 (~https): got 60 SYNs whose handshake was never finished " +
				"(20 answered) from 60 addresses within 59 ms: a SYN flood",
			evicted(60, ""),
		}},
		{"a flood of which the end stays for long enough", func(s *scene) {
			flood(s, 0)
			for i := range 60 {
				s.tcp(fmt.Sprintf("10.0.1.%d:1000", i), server, flow.Unanswered, time.Millisecond)
			}
			s.later(time.Minute)
		}, []string{
			"problem syn-flood 60 [2 3 4 6 7]: tcp 192.0.2.1:443 (~https): got 60 SYNs whose handshake was never finished " +
				"and 60 evicted too early to tell from 120 addresses within 119 ms: a SYN flood",
			evicted(60, "; 40 unanswered and 20 half-open ones had waited less than 1 s: what became of these is not known"),
		}},
		{"clients that sent their SYN before are no flood", func(s *scene) {
			for i := range 60 {
				s.tcp(fmt.Sprintf("10.0.0.%d:1000", i), server, flow.Unanswered, 0, goesOn)
			}
		}, []string{"problem unanswered 60 [1 2 3 4 5]: tcp 192.0.2.1:443 (~https): left all 60 connections from 60 clients unanswered: host down or filtered"}},
		{"one that had its time before its last packet, and one that gave up", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0, evictedAfter(young), func(c *flow.Connection) { c.Last += 2; c.SYNCount = 2 })
			s.tcp(client, "192.0.2.2:443", flow.Unanswered, 0, evictedAfter(0), func(c *flow.Connection) { c.ToServer.RSTs = 1 })
		}, []string{
			evicted(2, ""),
			"problem unanswered 1 [1]: tcp 192.0.2.1:443 (~https): left the only connection from 10.0.0.1 unanswered (2 SYNs): host down or filtered",
			"note unanswered 1 [2]: tcp 192.0.2.2:443 (~https): left the only connection from 10.0.0.1 unanswered: the client gave up after 0 s",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene()
			test.build(s)
			got := told(s.evictedSummary())
			slices.Sort(got)
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEvictedTooEarlyIsOther(t *testing.T) {
	const server = "192.0.2.1:443"
	s := newScene()
	s.tcp("10.0.0.1:1", server, flow.Unanswered, 0, evictedAfter(0))
	s.tcp("10.0.0.2:1", server, flow.HalfOpen, 0, evictedAfter(0))
	s.tcp("10.0.0.3:1", server, flow.HalfOpen, 0, evictedAfter(answerTime))
	s.tcp("10.0.0.4:1", server, flow.Unanswered, 0)
	s.udp("10.0.0.4:1", "192.0.2.1:514", flow.Unanswered, 0)
	s.tcp("10.0.0.5:1", server, flow.Complete, 0)
	sum := s.evictedSummary()
	if all := sum.Total; all.Failed != 2 || all.OK() != 1 || all.Other() != 3 || !sum.Ledger.Balanced {
		t.Errorf("%d failed, %d ok, %d other, balanced: %t", all.Failed, all.OK(), all.Other(), sum.Ledger.Balanced)
	}
	if n := sum.Timeline.Buckets[0].Failed; n != 2 {
		t.Errorf("%d failed in the timeline", n)
	}
	for i, want := range []bool{false, false, true, true, false, false} {
		if r := NewRow(s.connections[i]); r.Failed() != want {
			t.Errorf("connection %d: failed is %t", i+1, r.Failed())
		}
	}
	var text bytes.Buffer
	if err := WriteText(&text, sum, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"At least 2 of 6 connections failed: 1 unanswered, 1 half-open; 2 more were evicted too early to tell.",
		"3 unanswered (1 of them not asking for an answer, 1 evicted too early to tell)",
		"2 half-open (1 evicted too early to tell)",
	} {
		if words := strings.Join(strings.Fields(text.String()), " "); !strings.Contains(words, want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
}

// Every format tells when memory was short, how often, and about how many tuples there were.
func TestWhenMemoryWasShort(t *testing.T) {
	s := newScene()
	for i := range 20 {
		s.tcp(fmt.Sprintf("10.0.0.%d:1000", i), "192.0.2.1:443", flow.Unanswered, time.Millisecond, evictedAfter(0))
	}
	totals := s.totals()
	totals.Evicted, totals.Outlived, totals.Shortages = 20, 3, 2
	totals.EvictedSince, totals.EvictedUntil = totals.First+1e9, totals.First+9e9
	totals.Tuples = new(flow.Tuples)
	for i := range 1500 {
		totals.Tuples[i] = 1
	}
	summary := s.builder(Config{}).Summary(s.stats(), totals)
	for name, tt := range map[string]struct {
		write func(io.Writer, *Summary) error
		want  string
	}{
		"text": {func(w io.Writer, s *Summary) error { return WriteText(w, s, TextOptions{Width: 200}) },
			"\n  Memory was short 2 times, 23:59:59–2024-03-01 00:00:07: 20 connections evicted, 3 over and told early; about 1,570 distinct tuples in all (± 0.8 %)\n"},
		"ascii": {func(w io.Writer, s *Summary) error { return WriteText(w, s, TextOptions{Width: 200, ASCII: true}) },
			"; about 1,570 distinct tuples in all (+- 0.8 %)\n"},
		"markdown": {WriteMarkdown, "\n\nMemory was short 2 times, 2024-02-29T23:59:59.001000Z to 2024-03-01T00:00:07.001000Z: 20 connections evicted, " +
			"3 over and told early; about 1,570 distinct tuples in all (± 0.8 %).\n"},
		"markdown's trouble": {WriteMarkdown, " is not known (2024-02-29T23:59:59.001000Z to 2024-03-01T00:00:07.001000Z)\n"},
		"json": {WriteJSON, `"balanced":true,"evicted":20,"over_early":3,"evicted_since":"2024-02-29T23:59:59.001000Z",` +
			`"evicted_until":"2024-03-01T00:00:07.001000Z","shortages":2,"distinct_tuples_estimate":1570}`},
		"csv": {WriteCSV, "\nledger,,shortages,2\nledger,,distinct_tuples_estimate,1570\n"},
	} {
		var out bytes.Buffer
		if err := tt.write(&out, summary); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: no %q in\n%s", name, tt.want, &out)
		}
	}
}

// What is not known of a shortage of memory is left out.
func TestMemoryShort(t *testing.T) {
	for _, tt := range []struct {
		ledger Ledger
		want   string
	}{
		{Ledger{}, ""},
		{Ledger{Outlived: 1}, "Memory was short: 0 connections evicted, 1 over and told early"},
		{Ledger{Evicted: 1, Shortages: 1}, "Memory was short 1 time, then: 1 connection evicted, 0 over and told early"},
	} {
		if got := tt.ledger.MemoryShort("then"); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.ledger, got, tt.want)
		}
	}
}
