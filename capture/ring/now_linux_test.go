package ring

import (
	"testing"
	"time"

	"sockscope/capture"
)

// A block without frames says what time it is, by the clock of frames; one with frames has
// their times.
func TestQuietBlockTellsTheTime(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	src, err := Open(t.Context(), Config{Interfaces: []string{"in"}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var b capture.Block
	next := func(want func() bool) {
		t.Helper()
		for begun := time.Now(); ; src.Release(&b) {
			if err := src.Next(&b); err != nil {
				t.Fatal(err)
			}
			if want() {
				return
			}
			if time.Since(begun) > 20*time.Second {
				t.Fatal("no such block")
			}
		}
	}
	before := capture.Timestamp(time.Now().UnixNano())
	next(func() bool { return len(b.Frames) == 0 })
	if after := capture.Timestamp(time.Now().UnixNano()); b.Now < before || b.Now > after {
		t.Errorf("a quiet block at %d, between %d and %d", b.Now, before, after)
	}
	quiet := b.Now
	src.Release(&b)
	s.send(datagram(1))
	next(func() bool { return len(b.Frames) > 0 })
	if sent := b.Frames[0].Time; b.Now != 0 || sent < quiet || sent > quiet+capture.Timestamp(20*time.Second) {
		t.Errorf("a frame at %d after a quiet block at %d, in a block at %d", sent, quiet, b.Now)
	}
	src.Release(&b)
}
