package flow

import (
	"fmt"
	"testing"
	"time"

	"sockscope/capture"
)

// What did not run as it should, client and server, in tshark's sense.
func TestQuality(t *testing.T) {
	tests := []struct {
		rule, script string
		want         string // retransmissions, out of order, duplicate ACKs, zero windows, keep-alives, missing bytes
	}{
		{"nothing", "S h A D a d A F f A", ""},
		{"a SYN sent again", "S 1s S= h A", "client retransmissions 1"},
		{"a SYN-ACK sent again", "S h 1s h= A", "server retransmissions 1"},
		{"a FIN sent again", "S h A F 1s F= a f A", "client retransmissions 1"},
		{"data sent again", "S h A D 200ms D= a", "client retransmissions 1"},
		{"data sent again that was acknowledged", "S h A D a D=", "client retransmissions 1"},
		{"a pure ACK sent again", "S h A A", "client dup ACKs 1"},
		{"an ACK that changes the window is no duplicate", "S h A D a a0", "server zero windows 1"},
		{"a copy of the SYN between two ACKs", "S h A S= A", "client retransmissions 1"},
		{"a SYN-ACK with another number skips nothing", "S h h* A", ""},
		{"two duplicates", "S h A D a D a a a", "server dup ACKs 2"},
		{"what was skipped comes within a round trip", "S h A D a D> D< a", "client out of order 1; client missing 990"},
		{"what was skipped comes later", "S h A D a D> 200ms D< a", "client retransmissions 1; client missing 990"},
		{"what duplicate ACKs asked for is sent again", "S 200ms h 200ms A D a D> a< a< D<",
			"client retransmissions 1; server dup ACKs 2"},
		{"one duplicate ACK asks for nothing", "S 200ms h 200ms A D a D> a< D<", "client out of order 1; server dup ACKs 1"},
		{"a duplicate ACK long ago asked for nothing", "S 200ms h 200ms A D a D> a< a< 50ms D<",
			"client out of order 1; server dup ACKs 2"},
		{"more holes than are followed", "S h A D> D> D> D> D> a", "client missing 4000"},
		{"an acknowledgment that others overtook is no duplicate", "S h A D a D a D> a a<", "client missing 1000"},
		{"without a handshake 10 ms are late", "D a D> D< a", "client retransmissions 1; client missing 990"},
		{"an older ACK is the last one, too", "S h A D a D> D a a< a<", "client missing 1000; server dup ACKs 1"},
		{"new data from the last byte on", "S h A D Dk", ""},
		{"data after the hole do not make its filling late", "S 20ms h 20ms A D a D> 30ms D D<", "client out of order 1"},
		{"skipped and acknowledged", "S h A D> a D a", "client missing 1000"},
		{"skipped and not acknowledged", "S h A D a D>", ""},
		{"keep-alive and its answer", "S h A D a Ak a Ak a", "client keep-alives 2"},
		{"two answers to a keep-alive", "S h A D a Ak a a", "client keep-alives 1"},
		{"probes into a closed window", "S h A D a0 P a0 P a0", "server zero windows 3"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			cs, _ := run(play(t, tt.script), 1, Config{})
			got := ""
			add := func(side, what string, n uint64) {
				if n > 0 {
					if got != "" {
						got += "; "
					}
					got += fmt.Sprintf("%s %s %d", side, what, n)
				}
			}
			for _, s := range []struct {
				name string
				d    *Direction
			}{{"client", &cs[0].ToServer}, {"server", &cs[0].ToClient}} {
				add(s.name, "retransmissions", s.d.Retransmissions)
				add(s.name, "out of order", s.d.OutOfOrder)
				add(s.name, "dup ACKs", s.d.DupACKs)
				add(s.name, "zero windows", s.d.ZeroWindows)
				add(s.name, "keep-alives", s.d.KeepAlives)
				add(s.name, "missing", s.d.Missing)
			}
			if got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.script, got, tt.want)
			}
		})
	}
}

// Numbers that lie make holes that overlap: data in all of them cut each in two, which is
// more than are followed.
func TestOverlappingHoles(t *testing.T) {
	s := holes{n: maxHoles}
	for i := range uint32(maxHoles) {
		s.list[i] = hole{10 * i, 10 * i, 1000 + 10*i, 0}
	}
	s.fill(500, 510, 0)
	if want := [maxHoles]hole{{0, 0, 500, 0}, {510, 510, 1000, 0}, {10, 10, 500, 0}, {510, 510, 1010, 0}}; s.list != want || s.n != maxHoles {
		t.Errorf("%d holes: %v, want %v", s.n, s.list, want)
	}
}

// What was missing and is captured late is missing no longer, whichever part it is of.
func TestHolesFilledLate(t *testing.T) {
	for _, fill := range []struct {
		from, to, found uint32
	}{
		{100, 200, 50}, {90, 210, 50}, {100, 110, 10}, {140, 160, 10}, {150, 200, 0}, {160, 170, 0}, {110, 140, 30}, {0, 100, 0}, {200, 300, 0},
	} {
		var s holes
		s.add(hole{100, 100, 200, 0})
		missing := s.acknowledge(150, 0)
		found := s.fill(fill.from, fill.to, 0)
		rest := s.acknowledge(200, 0)
		seen := min(fill.to, 200) - max(fill.from, 100)
		if fill.to <= 100 || fill.from >= 200 {
			seen = 0
		}
		if missing != 50 || found != uint64(fill.found) || missing-found+rest != uint64(100-seen) {
			t.Errorf("%d to %d: %d missing, %d found, %d more missing", fill.from, fill.to, missing, found, rest)
		}
	}
}

// An acknowledged hole makes room for a new one before one that may yet be filled.
func TestHolesMakeRoom(t *testing.T) {
	var s holes
	for i := range uint32(maxHoles) {
		s.add(hole{10 * i, 10 * i, 10*i + 5, 0})
	}
	s.list[2].acked = s.list[2].to
	s.add(hole{100, 100, 105, 0})
	if want := [maxHoles]hole{{0, 0, 5, 0}, {10, 10, 15, 0}, {30, 30, 35, 0}, {100, 100, 105, 0}}; s.list != want {
		t.Errorf("%v, want %v", s.list, want)
	}
}

// A length that lies goes round the numbers, and what was acknowledged long ago does not
// come late: its numbers are used again.
func TestHolesStay(t *testing.T) {
	for _, tt := range []struct {
		from, to uint32
		now      capture.Timestamp
	}{{1095, 1054, 0}, {1095, 1095, 0}, {1001, 1101, capture.Timestamp(2 * time.Second)}, {1001, 1101, capture.Unknown}} {
		var s holes
		s.add(hole{from: 1001, acked: 1001, to: 1101})
		s.acknowledge(1090, 0)
		s.acknowledge(1101, 0)
		if found := s.fill(tt.from, tt.to, tt.now); found != 0 {
			t.Errorf("%d to %d at %d: %d bytes found", tt.from, tt.to, tt.now, found)
		}
	}
}
