package flow

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sockscope/capture"
)

// Few samples are exact; of many, the quantiles are near the true ones, whatever the
// distribution and the order.
func TestRoundTripQuantiles(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	millis := func(ms float64) time.Duration { return time.Duration(ms * 1e6) }
	tests := []struct {
		name   string
		sample func(i, n int) time.Duration
	}{
		{"log-normal", func(_, _ int) time.Duration { return millis(20 * math.Exp(random.NormFloat64()/2)) }},
		{"exponential", func(_, _ int) time.Duration { return millis(1 + random.ExpFloat64()) }},
		{"two paths", func(_, _ int) time.Duration {
			if random.IntN(10) == 0 {
				return millis(40 + random.Float64())
			}
			return millis(1 + random.Float64()/10)
		}},
		{"stalls", func(_, _ int) time.Duration {
			if random.IntN(50) == 0 {
				return millis(100 + 3000*random.Float64())
			}
			return millis(0.05 + random.Float64()/10)
		}},
		{"growing", func(i, n int) time.Duration { return millis(10 + 20*float64(i)/float64(n)) }},
		{"falling", func(i, n int) time.Duration { return millis(30 - 20*float64(i)/float64(n)) }},
		{"all the same", func(_, _ int) time.Duration { return millis(7) }},
	}
	for _, tt := range tests {
		for _, n := range []int{1, 2, 5, maxRanks, 100, 1000, 20_000} {
			var x sketch
			var all []time.Duration
			for i := range n {
				d := tt.sample(i, n)
				x.sample(d)
				all = append(all, d)
			}
			slices.Sort(all)
			got := x.summary()
			if got.Samples != uint64(n) || got.Min != all[0] || got.Max != all[n-1] {
				t.Errorf("%s: of %d samples %+v, want %v to %v", tt.name, n, got, all[0], all[n-1])
			}
			off := 0.0
			if n > maxRanks {
				off = 0.2
			}
			for _, q := range []struct {
				got  time.Duration
				rank float64
			}{{got.P50, 0.50}, {got.P95, 0.95}} {
				want := all[int(math.Ceil(q.rank*float64(n)))-1]
				if e := math.Abs(float64(q.got-want)) / float64(want); e > off {
					t.Errorf("%s: quantile %v of %d samples is %v, want %v", tt.name, q.rank, n, q.got, want)
				}
			}
		}
	}
}

// Which round trips of data there are, client and server.
func TestRoundTrips(t *testing.T) {
	tests := []struct {
		rule, script string
		want         string
	}{
		{"a handshake is none", "S 20ms h 20ms A", ""},
		{"data and its acknowledgment", "S h A D 30ms a", "client 1 of 30ms"},
		{"an answer acknowledges", "S h A D 30ms d 5ms A", "client 1 of 30ms; server 1 of 5ms"},
		{"an acknowledgment of two segments answers the second", "S h A D D 30ms a", "client 1 of 30ms"},
		{"each acknowledgment", "S h A D 30ms a D 40ms a", "client 2 of 30ms to 40ms"},
		{"the same acknowledgment again", "S h A D 30ms a a", "client 1 of 30ms"},
		{"sent again", "S h A D 200ms D= 30ms a", ""},
		{"sent again, then new data", "S h A D 200ms D= 30ms a D 20ms a", "client 1 of 20ms"},
		{"what waits for what was lost", "S h A D a D> D 200ms D< 30ms a", "client 1 of 10ms"},
		{"a probe into a closed window", "S h A D 20ms a0 P 1s a", "client 1 of 20ms"},
		{"a keep-alive", "S h A D 20ms a Ak 30ms a", "client 1 of 20ms"},
		{"a FIN is no data", "S h A F 30ms a", ""},
		{"data and a FIN before it is acknowledged", "S h A D F 30ms a f A", "client 1 of 30ms"},
		{"midstream", "D 30ms a", "client 1 of 30ms"},
		{"more under way than are timed", "S h A D D D D D D D D D 30ms a D 20ms a", "client 2 of 20ms to 30ms"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			cs, _ := run(play(t, tt.script), 1, Config{RoundTrips: true})
			got := ""
			for _, s := range []struct {
				name string
				r    RoundTrips
			}{{"client", cs[0].ToServer.RoundTrips}, {"server", cs[0].ToClient.RoundTrips}} {
				if s.r.Samples == 0 {
					continue
				}
				if got != "" {
					got += "; "
				}
				got += fmt.Sprintf("%s %d of %v", s.name, s.r.Samples, s.r.Min)
				if s.r.Max != s.r.Min {
					got += fmt.Sprintf(" to %v", s.r.Max)
				}
			}
			if got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.script, got, tt.want)
			}
		})
	}
}

// A bulk transfer has samples all the time, whatever its window and however many segments
// one acknowledgment stands for.
func TestRoundTripsOfABulkTransfer(t *testing.T) {
	const segments, length = 2000, 10
	for _, window := range []int{2, 4, 10, 40} {
		for _, each := range []int{1, 2, 3, 7} {
			if each > window {
				continue
			}
			s := newScript(t)
			for _, w := range []string{"S", "h", "A"} {
				s.word(w)
			}
			base := s.next[1]
			for sent, acked := 0, 0; acked < segments; {
				for ; sent < acked+window; sent++ {
					s.now -= 10*time.Millisecond - 100*time.Microsecond // these come 100 µs apart
					s.emit((&segmentWords{side: 1, seq: base + uint32(sent*length), ack: s.next[0], window: 1000, ttl: 64, flags: ack, data: length}).frame())
				}
				acked += each
				s.emit((&segmentWords{side: 0, seq: s.next[0], ack: base + uint32(acked*length), window: 1000, ttl: 64, flags: ack}).frame())
			}
			cs, _ := run(s.frames, 1, Config{RoundTrips: true})
			got := cs[0].ToClient.RoundTrips
			if trips := segments / window; got.Samples < uint64(trips)/10 {
				t.Errorf("window %d, an acknowledgment for %d: %d samples in %d round trips", window, each, got.Samples, trips)
			}
		}
	}
}

// What an acknowledgment does not end with, it does not answer.
func TestRoundTripsOfOddAcknowledgments(t *testing.T) {
	frames := func(words string, without int) []capture.Frame {
		f := play(t, words)
		return append(f[:without-1:without-1], f[without:]...)
	}
	swapped := play(t, "S h A D a D a 5s d a d")
	swapped[5].Data, swapped[6].Data = swapped[6].Data, swapped[5].Data
	within := newScript(t)
	for _, w := range []string{"S", "h", "A", "D", "a", "D"} {
		within.word(w)
	}
	large := segmentWords{side: 0, seq: within.next[0], ack: within.next[1], window: 1000, ttl: 64, flags: ack, data: 3000}
	within.emit(large.frame())
	half := segmentWords{side: 1, seq: within.next[1], ack: within.next[0] + 1500, window: 1000, ttl: 64, flags: ack}
	within.emit(half.frame())
	fragmented := play(t, "S h A D a D 200ms D= 30ms a")
	fragmented[6].Data = slices.Clone(fragmented[6].Data)
	fragmented[6].Data[6] |= 0x20 // more fragments
	tests := []struct {
		rule    string
		frames  []capture.Frame
		samples uint64
		max     time.Duration
	}{
		{"the data is not in the capture", frames("S h A D a D 5s D 30ms a", 7), 1, 10 * time.Millisecond},
		{"within a segment", within.frames, 1, 10 * time.Millisecond},
		{"captured before its data", swapped, 1, 10 * time.Millisecond},
		{"sent again in fragments", fragmented, 1, 10 * time.Millisecond},
	}
	for _, tt := range tests {
		cs, _ := run(tt.frames, 1, Config{RoundTrips: true})
		if got := cs[0].ToServer.RoundTrips; got.Samples != tt.samples || got.Max != tt.max {
			t.Errorf("%s: %+v, want %d of at most %v", tt.rule, got, tt.samples, tt.max)
		}
	}
}
