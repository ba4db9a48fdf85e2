package flow

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/decode"
)

// rounds is how often a test of random input repeats it: n times, but less often with -short,
// as with the race detector.
func rounds(n int) int {
	if testing.Short() {
		return n / 5
	}
	return n
}

// fewer are all that a test goes through, or the first n of them with -short.
func fewer[T any](all []T, n int) []T {
	if testing.Short() {
		return all[:n]
	}
	return all
}

// A script writes the frames of one TCP connection from words. Upper case is the
// client (192.0.2.1:40000), lower case the server (198.51.100.1:80):
//
//	S s  SYN             H h  SYN-ACK          A a  ACK
//	D d  10 bytes, ACK   F f  FIN, ACK         R r  RST (with ACK when it answers a SYN)
//	P p  one byte that there is no room for
//
// After the letter: "=" sends the last such segment again, "!" acknowledges
// something that was never sent, "*" takes a new ISN, "^" has another TTL, "0"
// announces a zero window, "k" is a keep-alive, "w" lies outside of the window,
// "+" carries 10 bytes (SYN), "~" takes the data of the SYN (SYN-ACK), "-" does not yet
// acknowledge the other side's FIN, ">" skips 1000 bytes that are not in the capture, "<" sends the first of
// these after all (A: acknowledges what was before them). A word between segments: "1s", "20ms" waits.
type script struct {
	t      testing.TB
	now    time.Duration
	isn    [2]uint32
	next   [2]uint32
	opened [2]bool
	hole   [2]uint32 // where the last skipped bytes begin
	last   map[byte][]byte
	frames []capture.Frame
}

var (
	scriptEpoch = capture.Timestamp(1_768_467_600_000_000_000) // 2026-01-15T09:00:00Z
	scriptHosts = [2][4]byte{{192, 0, 2, 1}, {198, 51, 100, 1}}
	scriptPorts = [2]uint16{40000, 80}
)

func newScript(t testing.TB) *script {
	return &script{t: t, isn: [2]uint32{1000, 5000}, last: map[byte][]byte{}}
}

// play turns words into frames, 10 ms apart.
func play(t testing.TB, words string) []capture.Frame {
	t.Helper()
	s := newScript(t)
	for _, w := range strings.Fields(words) {
		if d, err := time.ParseDuration(w); err == nil {
			s.now += d - 10*time.Millisecond
			continue
		}
		s.word(w)
	}
	return s.frames
}

func (s *script) word(w string) {
	letter, mods := w[0], w[1:]
	side := 0
	if letter >= 'a' {
		side = 1
		letter -= 'a' - 'A'
	}
	has := func(m string) bool { return strings.Contains(mods, m) }
	if has("=") {
		s.emit(s.last[w[0]])
		return
	}
	if has("*") {
		s.isn[side] += 100_000
		s.opened[side] = false
	}
	if !s.opened[side] {
		s.next[side] = s.isn[side]
		if letter != 'S' && letter != 'H' {
			s.next[side]++ // the SYN is not in the capture
		}
		s.opened[side] = true
	}
	if has(">") {
		s.hole[side] = s.next[side]
		s.next[side] += 1000
	}
	h := segmentWords{side: side, seq: s.next[side], ack: s.next[side^1], window: 1000, ttl: 64}
	switch letter {
	case 'S':
		h.flags, h.ack = syn, 0
	case 'H':
		h.flags = syn | ack
	case 'A':
		h.flags = ack
	case 'D':
		h.flags, h.data = ack|decode.PSH, 10
	case 'P':
		h.flags, h.data = ack, 1
	case 'F':
		h.flags = fin | ack
	case 'R':
		h.flags, h.window = rst, 0
		if side == 1 && s.next[1] == s.isn[1]+1 { // nothing sent before: it answers a SYN
			h.flags |= ack
			if !s.opened[0] {
				h.ack = s.isn[0] + 1
			}
		}
	default:
		s.t.Fatalf("unknown word %q", w)
	}
	if letter == 'H' && !has("~") {
		h.ack = s.isn[side^1] + 1 // data in the SYN is not taken
		if s.next[side] == s.isn[side]+1 {
			h.seq = s.isn[side] // simultaneous open: the SYN once more, now with ACK
			s.next[side]--
		}
	}
	if has("+") {
		h.data = 10
	}
	if has("!") {
		h.ack += 7777
	}
	if has("-") {
		h.ack--
	}
	if has("^") {
		h.ttl = 50
	}
	if has("0") {
		h.window = 0
	}
	if has("w") {
		h.seq += 500_000
	}
	if has("<") && letter == 'A' {
		h.ack = s.hole[side^1]
	} else if has("<") {
		h.seq = s.hole[side]
	} else if has("k") {
		h.seq--
	} else if !has("w") && letter != 'P' {
		s.next[side] += uint32(h.data)
		if h.flags&(syn|fin) != 0 {
			s.next[side]++
		}
	}
	b := h.frame()
	s.last[w[0]] = b
	s.emit(b)
}

func (s *script) emit(b []byte) {
	s.frames = append(s.frames, capture.Frame{
		Data: b, Length: uint32(len(b)), Link: capture.LinkRaw, Time: scriptEpoch + capture.Timestamp(s.now),
	})
	s.now += 10 * time.Millisecond
}

// segmentWords are the header fields of a segment that a test cares about.
type segmentWords struct {
	side     int
	seq, ack uint32
	flags    uint16
	window   uint16
	ttl      uint8
	data     int
}

// frame is the segment as a raw IPv4 packet.
func (h *segmentWords) frame() []byte {
	b := make([]byte, 40+h.data)
	b[0], b[8], b[9] = 0x45, h.ttl, protoTCP
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[12:], scriptHosts[h.side][:])
	copy(b[16:], scriptHosts[h.side^1][:])
	binary.BigEndian.PutUint16(b[20:], scriptPorts[h.side])
	binary.BigEndian.PutUint16(b[22:], scriptPorts[h.side^1])
	binary.BigEndian.PutUint32(b[24:], h.seq)
	if h.flags&ack != 0 {
		binary.BigEndian.PutUint32(b[28:], h.ack)
	}
	binary.BigEndian.PutUint16(b[32:], 5<<12|h.flags)
	binary.BigEndian.PutUint16(b[34:], h.window)
	return b
}

// run takes frames through a recorder and parts tables and gives the connections
// in the order of their first frames.
func run(frames []capture.Frame, parts int, cfg Config) ([]Connection, Totals) {
	return runWith((*Table).Apply, frames, parts, cfg)
}

func runWith(apply func(*Table, *Batch), frames []capture.Frame, parts int, cfg Config) ([]Connection, Totals) {
	seed := NewSeed()
	r := NewRecorder(seed)
	tables := make([]*Table, parts)
	for i := range tables {
		tables[i] = NewTable(cfg, seed)
	}
	batches := make([]Batch, parts)
	perBlock := []int{7, stretch, 1, 2*stretch + 3} // in turn: borders fall everywhere
	for i, n := 0, 0; i < len(frames); n++ {
		block := capture.Block{Number: uint64(n), First: uint64(i) + 1, Frames: frames[i:min(i+perBlock[n%len(perBlock)], len(frames))]}
		i += len(block.Frames)
		r.Record(&block, batches)
		for p := range batches {
			tables[p].few = n / len(perBlock) % 2 * fewConnections // both ways in turn
			apply(tables[p], &batches[p])
		}
	}
	var all []Connection
	for _, t := range tables {
		for _, s := range t.Sequences() {
			for i := range s.Len() {
				var c Connection
				s.Connection(i, &c)
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b Connection) int { return cmp.Compare(a.FirstFrame, b.FirstFrame) })
	for i := range all {
		all[i].ID = uint64(i + 1)
	}
	totals := r.Totals
	for _, t := range tables {
		t.Finish()
		totals.Add(&t.Totals)
	}
	return all, totals
}

// words is a connection in the words of the tables below.
func words(c *Connection) string {
	s := c.Outcome.String()
	if c.Close != Never && c.Close != NoClose {
		s += " " + c.Close.String()
	}
	if c.ClosedBy != Neither {
		s += " by " + c.ClosedBy.String()
	}
	for _, f := range c.Flags.Names() {
		s += " +" + f
	}
	return s
}

func allWords(cs []Connection) string {
	var s []string
	for i := range cs {
		s = append(s, words(&cs[i]))
	}
	return strings.Join(s, "; ")
}
