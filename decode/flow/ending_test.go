package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sockscope/capture"
)

// heard is what tables that end connections say: each event in the order told, and what is
// open at the end.
type heard struct {
	steps []string     // "open", "established" and how long after its last packet it ended
	ended []Connection // in the order of their first frames
	open  []Connection
	most  int // connections that the tables had at a time
}

// all are all connections, as run gives them.
func (d *heard) all() []Connection {
	all := slices.Concat(d.ended, d.open)
	slices.SortFunc(all, func(a, b Connection) int { return cmp.Compare(a.FirstFrame, b.FirstFrame) })
	for i := range all {
		all[i].ID = uint64(i + 1)
	}
	return all
}

// runEnding is run with connections that end. As a live source does, it gives the time
// ten times a second when there are no frames, for a minute, then each second; at the end it
// waits for rest.
func runEnding(t testing.TB, frames []capture.Frame, parts int, cfg Config, steps bool, rest time.Duration) (*heard, Totals) {
	t.Helper()
	seed := NewSeed()
	r := NewRecorder(seed)
	d := &heard{}
	var now capture.Timestamp
	cfg.Ending = &Ending{Steps: steps, Tell: func(e Event, c *Connection) {
		if c.ID != c.FirstFrame || c.ID == 0 {
			t.Fatalf("%v of connection %d, which began with frame %d", e, c.ID, c.FirstFrame)
		}
		step := e.String()
		if e == Ended {
			d.ended = append(d.ended, *c)
			silence, _ := now.Sub(c.Last)
			step = fmt.Sprintf("%s, after %v", words(c), silence.Truncate(time.Second))
		}
		d.steps = append(d.steps, step)
	}}
	tables := make([]*Table, parts)
	for i := range tables {
		tables[i] = NewTable(cfg, seed)
	}
	batches := make([]Batch, parts)
	sweep := func(when capture.Timestamp) {
		now = when
		n := 0
		for _, table := range tables {
			table.Sweep(when)
			n += table.Len()
		}
		d.most = max(d.most, n)
	}
	wait := func(until capture.Timestamp) {
		step := capture.Timestamp(1e8)
		for began := now; now+step < until; sweep(now + step) {
			if now-began > 70e9 {
				step = 1e9
			}
		}
	}
	for i, n := 0, 0; i < len(frames); n++ {
		if i > 0 && frames[i].Time-now <= capture.Timestamp(maxStep) { // else the clock was set
			wait(frames[i].Time)
		}
		size := 1
		for size < 1+n%40 && i+size < len(frames) && frames[i+size].Time-frames[i].Time < 6e7 {
			size++
		}
		block := capture.Block{Number: uint64(n), First: uint64(i) + 1, Frames: frames[i : i+size]}
		i += size
		r.Record(&block, batches)
		for p := range batches {
			tables[p].few ^= fewConnections // both ways in turn
			tables[p].Apply(&batches[p])
		}
		latest := capture.Unknown
		for _, f := range block.Frames {
			latest = max(latest, f.Time)
		}
		sweep(latest)
	}
	wait(now + capture.Timestamp(rest))
	totals := r.Totals
	for _, table := range tables {
		table.Finish()
		for _, s := range table.Sequences() {
			for i := range s.Len() {
				var c Connection
				s.Connection(i, &c)
				d.open = append(d.open, c)
			}
		}
		checkNumbers(t, table)
		totals.Add(&table.Totals)
	}
	slices.SortFunc(d.ended, func(a, b Connection) int { return cmp.Compare(a.FirstFrame, b.FirstFrame) })
	slices.SortFunc(d.open, func(a, b Connection) int { return cmp.Compare(a.FirstFrame, b.FirstFrame) })
	return d, totals
}

// What ends, and after what silence. The words are a script's; ";" stands between what is
// told, and what is open at the end follows.
func TestEnding(t *testing.T) {
	const long = 2 * time.Hour
	for _, tt := range []struct {
		rule, script string
		rest         time.Duration
		want         string
	}{
		{"closed by both sides: soon", "S h A D d F f A", long, "complete fin by client, after 2s"},
		{"reset: soon", "S h A D d R", long, "complete reset by client, after 2s"},
		{"refused: soon", "S r", long, "refused by server, after 2s"},
		{"given up: soon", "S h R", long, "aborted by client, after 2s"},
		{"what is sent again belongs to it", "S h A F f A 1900ms f= A=", long, "complete fin by client, after 2s"},
		{"but not after that", "S h A F f A 4s f=", 10 * time.Second, "complete fin by client, after 2s; open: midstream half-close by server +one-way"},
		{"an attempt without an answer: when the last SYN is given up", "S", long, "unanswered, after 1m5s"},
		{"its SYNs are one attempt", "S 1s S= 2s S= 4s S= 8s S= 16s S= 32s S=", long, "unanswered +syn-retransmitted, after 1m5s"},
		{"half-open likewise", "S h", long, "half-open, after 1m5s"},
		{"a reply to nothing likewise", "h", long, "reply-only +one-way, after 1m5s"},
		{"an established connection ends by no silence", "S h A D d", long, "open: complete open"},
		{"one that was there before the capture: after an hour", "D d D d", long, "midstream idle, after 1h0m0s"},
		{"of one side only likewise", "S A D", long, "implied idle +one-way, after 1h0m0s"},
		{"what one side has closed likewise", "S h A D d F a", long, "complete half-close by client, after 1h0m0s"},
		{"half an hour is no hour", "D d D d", 30 * time.Minute, "open: midstream open"},
		{"a new connection of the tuple: what was before ends as it stood", "S h A D S*", 10 * time.Second,
			"complete open +reused-open, after 2s; open: unanswered"},
		{"of two with one tuple each ends by itself", "S h A D F f A 1s S* h* A F f A", long,
			"complete fin by client, after 2s; complete fin by client, after 2s"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			for _, parts := range fewer([]int{3, 1}, 1) {
				d, _ := runEnding(t, play(t, tt.script), parts, Config{}, false, tt.rest)
				got := strings.Join(d.steps, "; ")
				if len(d.open) > 0 {
					got = strings.TrimPrefix(got+"; open: "+allWords(d.open), "; ")
				}
				if got != tt.want {
					t.Errorf("%d parts:\n got %s\nwant %s", parts, got, tt.want)
				}
			}
		})
	}
}

// Connectionless traffic ends by Config.UDPIdle alone, SCTP as TCP does.
func TestEndingOthers(t *testing.T) {
	ask := ipv4(17, hostA, hostB, 1, 0, false, udp(5000, 53, []byte("x")))
	answer := ipv4(17, hostB, hostA, 1, 0, false, udp(53, 5000, []byte("x")))
	tcpSYN := (&segmentWords{flags: syn, seq: 7}).frame()
	chunk := func(to int, kind uint8) []byte {
		if to == 1 {
			return ipv4(132, hostA, hostB, 1, 0, false, sctpPacket(5000, 5001, kind))
		}
		return ipv4(132, hostB, hostA, 1, 0, false, sctpPacket(5001, 5000, kind))
	}
	for _, tt := range []struct {
		rule   string
		idle   time.Duration
		frames []capture.Frame
		want   string
	}{
		{"an answered question ends by silence", 30 * time.Second, raws(ask, answer), "answered, after 30s"},
		{"as does one without an answer", 30 * time.Second, raws(ask), "unanswered, after 30s"},
		{"idle of less than a closed connection's", time.Second, raws(ask), "unanswered, after 1s"},
		{"no silence ends it when it is never split", 0, raws(ask), "open: unanswered"},
		{"an ICMP error ends no attempt: the next SYN may follow", 30 * time.Second,
			raws(tcpSYN, ipv4(1, router, scriptHosts[0], 1, 0, false, icmp(3, 1, tcpSYN[:28]))),
			"reply-only, after 30s; unreachable, after 1m5s"},
		{"an association that was shut down ends soon", 0, raws(chunk(1, 1), chunk(0, 2), chunk(1, 10), chunk(0, 11), chunk(1, 7), chunk(0, 8), chunk(1, 14)),
			"complete fin by client, after 2s"},
		{"an association without an answer is an attempt", 0, raws(chunk(1, 1)), "unanswered, after 1m5s"},
		{"a running one ends by no silence", 0, raws(chunk(1, 1), chunk(0, 2), chunk(1, 10), chunk(0, 11)), "open: complete open"},
		{"one that was there before after an hour", 0, raws(chunk(1, 0), chunk(0, 3)), "midstream idle, after 1h0m0s"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			d, _ := runEnding(t, tt.frames, 1, Config{UDPIdle: tt.idle}, false, 2*time.Hour)
			got := strings.Join(d.steps, "; ")
			if len(d.open) > 0 {
				got = strings.TrimPrefix(got+"; open: "+allWords(d.open), "; ")
			}
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Later fragments keep their connection from ending; those that come too late are nobody's,
// though its number is another connection's by then.
func TestEndingFragments(t *testing.T) {
	first := ipv4(17, hostA, hostB, 9, 0, true, udp(5000, 53, make([]byte, 16)))
	later := ipv4(17, hostA, hostB, 9, 24, false, make([]byte, 8))
	other := ipv4(17, hostA, hostB, 10, 0, false, udp(6000, 53, nil))
	at := func(b []byte, after time.Duration) capture.Frame {
		return capture.Frame{Data: b, Length: uint32(len(b)), Link: capture.LinkRaw, Time: scriptEpoch + capture.Timestamp(after)}
	}
	d, _ := runEnding(t, []capture.Frame{at(first, 0), at(later, 20*time.Second)}, 1, Config{UDPIdle: 30 * time.Second}, false, time.Minute)
	if got := strings.Join(d.steps, "; "); got != "unanswered, after 30s" {
		t.Errorf("with a later fragment: %s", got)
	}
	d, totals := runEnding(t, []capture.Frame{at(first, 0), at(other, 33*time.Second), at(later, 34*time.Second)}, 1, Config{UDPIdle: 30 * time.Second}, false, 0)
	if len(d.ended) != 1 || len(d.open) != 1 || d.open[0].ToServer.Packets != 1 || totals.Fragments.Frames != 1 {
		t.Errorf("%d ended, %d open %+v, %d fragments of nobody, want 1 each", len(d.ended), len(d.open), d.open, totals.Fragments.Frames)
	}
}

// All steps are told where they are asked for, each once.
func TestEndingSteps(t *testing.T) {
	for _, tt := range []struct{ rule, script, want string }{
		{"a whole life", "S h A D d F f A", "open; established; complete fin by client, after 2s"},
		{"refused: never established", "S r", "open; refused by server, after 2s"},
		{"from the middle: not established either", "D d", "open"},
		{"trouble in the middle establishes nothing again", "S h A D> d D< a D0 d D", "open; established"},
		{"a new one of the tuple", "S h A S* h* A", "open; established; open; established; complete open +reused-open, after 2s"},
	} {
		d, _ := runEnding(t, play(t, tt.script), 1, Config{}, true, 10*time.Second)
		if got := strings.Join(d.steps, "; "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.rule, got, tt.want)
		}
	}
}

// What the clock does is no silence.
func TestEndingClock(t *testing.T) {
	ask := ipv4(17, hostA, hostB, 1, 0, false, udp(5000, 53, []byte("x")))
	other := ipv4(17, hostA, hostB, 1, 0, false, udp(5001, 53, []byte("x")))
	const day = 24 * time.Hour
	for _, tt := range []struct {
		rule  string
		times []time.Duration // of ask, other, other …
		want  string
		jumps uint64
	}{
		{"half an hour on: silence", []time.Duration{0, 30 * time.Minute}, "unanswered, after 2m0s", 0},
		{"two hours on: the clock was set, and nothing ends", []time.Duration{0, 2 * time.Hour}, "", 1},
		{"silence begins there", []time.Duration{0, 2 * time.Hour, 2*time.Hour + time.Minute, 2*time.Hour + 100*time.Second, 2*time.Hour + 150*time.Second}, "unanswered, after 2h2m0s", 1},
		{"80 years on and back", []time.Duration{0, 80 * 365 * day, time.Second}, "", 1},
		{"a day back: it goes on from there", []time.Duration{0, -day, -day + 100*time.Second}, "", 0},
		{"and is silent in the end", []time.Duration{0, -day, -day + 100*time.Second, -day + 130*time.Second}, "unanswered, after -23h57m59s", 0},
		{"a little back: disorder", []time.Duration{0, 119500 * time.Millisecond, 119 * time.Second, 121 * time.Second}, "unanswered, after 2m0s", 0},
	} {
		frames := []capture.Frame{}
		for i, at := range tt.times {
			b := other
			if i == 0 {
				b = ask
			}
			frames = append(frames, capture.Frame{Data: b, Length: uint32(len(b)), Link: capture.LinkRaw, Time: scriptEpoch + capture.Timestamp(at)})
		}
		d, totals := runEnding(t, frames, 1, Config{UDPIdle: 2 * time.Minute}, false, 0)
		if got := strings.Join(d.steps, "; "); got != tt.want || totals.ClockJumps != tt.jumps {
			t.Errorf("%s: %d jumps\n got %s\nwant %s", tt.rule, totals.ClockJumps, got, tt.want)
		}
	}
}

// Frames whose time is not known end nothing.
func TestEndingWithoutTimes(t *testing.T) {
	frames := play(t, "S h A F f A")
	for i := range frames {
		frames[i].Time = capture.Unknown
	}
	table := NewTable(Config{Ending: &Ending{Tell: func(Event, *Connection) { t.Error("ended") }}}, NewSeed())
	r := NewRecorder(table.seed)
	batches := make([]Batch, 1)
	r.Record(&capture.Block{First: 1, Frames: frames}, batches)
	table.Apply(&batches[0])
	for range 10 {
		table.Sweep(capture.Unknown)
	}
}
