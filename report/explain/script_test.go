package explain

import (
	"encoding/binary"
	"strconv"
	"strings"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/decode"
)

// A script writes the frames of one TCP connection from words, 10 ms apart. Upper case is the
// client (192.0.2.1:40000), lower case the server (198.51.100.1:80):
//
//	S s  SYN    H h  SYN-ACK    A a  ACK    D d  10 bytes, ACK    F f  FIN, ACK    R r  RST
//	P p  one byte that there is no room for
//
// Behind the letter: "=" sends the last such segment again, "0" announces a zero window, "k"
// is a keep-alive, ">" skips 1000 bytes that are not in the capture, "^" takes part in no
// arithmetic: it acknowledges what was never sent. "/" and a number announce that window. A word between segments: "1s" waits.
type script struct {
	t      testing.TB
	now    time.Duration
	next   [2]uint32
	opened [2]bool
	last   map[byte][]byte
	frames []capture.Frame
}

// first are both sides' first sequence numbers. The server's numbers go past 2^32.
var first = [2]uint32{1000, 1<<32 - 5}

// play turns words into frames.
func play(t testing.TB, words string) []capture.Frame {
	t.Helper()
	s := &script{t: t, next: first, last: map[byte][]byte{}}
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
	w, room, sized := strings.Cut(w, "/")
	letter, mods, side := w[0], w[1:], 0
	if letter >= 'a' {
		letter, side = letter-'a'+'A', 1
	}
	has := func(m string) bool { return strings.Contains(mods, m) }
	if has("=") {
		s.emit(s.last[w[0]])
		return
	}
	if !s.opened[side] && letter != 'S' && letter != 'H' && letter != 'R' {
		s.next[side]++ // its SYN is not in the capture
	}
	s.opened[side] = true
	if has(">") {
		s.next[side] += 1000
	}
	seq, ack, window, data := s.next[side], s.next[side^1], uint16(1000), 0
	var flags uint16
	switch letter {
	case 'S':
		flags, ack = decode.SYN, 0
	case 'H':
		flags = decode.SYN | decode.ACK
		if s.next[side] == first[side]+1 { // simultaneous open: the SYN once more
			seq--
			s.next[side]--
		}
	case 'A':
		flags = decode.ACK
	case 'D':
		flags, data = decode.ACK|decode.PSH, 10
	case 'P':
		flags, data = decode.ACK, 1
	case 'F':
		flags = decode.FIN | decode.ACK
	case 'R':
		if flags, window = decode.RST, 0; seq == first[side] { // it answers a SYN
			flags, seq = decode.RST|decode.ACK, 0
		}
	default:
		s.t.Fatalf("unknown word %q", w)
	}
	if has("0") {
		window = 0
	}
	if sized {
		n, err := strconv.ParseUint(room, 10, 16)
		if err != nil {
			s.t.Fatal(err)
		}
		window = uint16(n)
	}
	if has("^") {
		ack += 7777
	}
	switch {
	case has("k"):
		seq--
	case letter != 'P' && letter != 'R':
		s.next[side] += uint32(data)
		if flags&(decode.SYN|decode.FIN) != 0 {
			s.next[side]++
		}
	}
	b := make([]byte, 40+data)
	b[0], b[8], b[9] = 0x45, 64, protoTCP
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	hosts, ports := [2][4]byte{{192, 0, 2, 1}, {198, 51, 100, 1}}, [2]uint16{40000, 80}
	copy(b[12:], hosts[side][:])
	copy(b[16:], hosts[side^1][:])
	binary.BigEndian.PutUint16(b[20:], ports[side])
	binary.BigEndian.PutUint16(b[22:], ports[side^1])
	binary.BigEndian.PutUint32(b[24:], seq)
	if flags&decode.ACK != 0 {
		binary.BigEndian.PutUint32(b[28:], ack)
	}
	binary.BigEndian.PutUint16(b[32:], 5<<12|flags)
	binary.BigEndian.PutUint16(b[34:], window)
	s.last[w[0]] = b
	s.emit(b)
}

func (s *script) emit(b []byte) {
	const epoch = 1_768_467_600_000_000_000 // 2026-01-15T09:00:00Z
	s.frames = append(s.frames, capture.Frame{Data: b, Length: uint32(len(b)), Link: capture.LinkRaw, Time: epoch + capture.Timestamp(s.now)})
	s.now += 10 * time.Millisecond
}

// follow gives the conversations of frames.
func follow(frames []capture.Frame, cfg Config) []Conversation {
	t := NewTracer(cfg, nil)
	for i := range frames {
		t.Frame(uint64(i+1), &frames[i])
	}
	return t.Conversations()
}

// followOne gives the only conversation of a script.
func followOne(t testing.TB, words string, cfg Config) *Conversation {
	t.Helper()
	all := follow(play(t, words), cfg)
	if len(all) != 1 {
		t.Fatalf("%s: %d conversations, want 1", words, len(all))
	}
	return &all[0]
}
