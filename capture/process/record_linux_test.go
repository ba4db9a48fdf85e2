package process

import (
	"net/netip"
	"testing"

	"sockscope/capture"
)

const (
	ours   = 7 // cookies of network namespaces
	theirs = 8
	others = 9
)

const second = capture.Timestamp(1e9)

// A socketCase is a socket of a book: times are in seconds, 0 for open ended.
type socketCase struct {
	pid           int
	netns         uint64
	local, remote string // "" for none
	from, closed  capture.Timestamp
	dual          bool
}

func bookOf(sockets []socketCase) *book {
	b := newBook(1000, ours)
	for i, s := range sockets {
		r := b.open(uint64(i+1), s.netns, s.from*second)
		r.events, r.dual = true, s.dual
		if s.pid != 0 {
			r.maker = &image{pid: s.pid}
		}
		var remote netip.AddrPort
		if s.remote != "" {
			remote = netip.MustParseAddrPort(s.remote)
		}
		r = b.name(r, keyOf(6, netip.MustParseAddrPort(s.local), remote), s.from*second)
		r.dual = s.dual
		if s.closed != 0 {
			b.close(r, s.closed*second)
		}
	}
	return b
}

func TestFind(t *testing.T) {
	const a, b = "10.0.0.1:1000", "10.0.0.2:2000"
	tests := []struct {
		name          string
		sockets       []socketCase
		local, remote string
		first, last   capture.Timestamp
		want          int // the PID; 0 for none
	}{
		{"open", []socketCase{{pid: 1, netns: ours, local: a, remote: b, from: 10}}, a, b, 11, 12, 1},
		{"the other end is not it", []socketCase{{pid: 1, netns: ours, local: a, remote: b, from: 10}}, b, a, 11, 12, 0},
		{"closed during the connection", []socketCase{{1, ours, a, b, 10, 15, false}}, a, b, 11, 20, 1},
		{"closed before", []socketCase{{1, ours, a, b, 10, 15, false}}, a, b, 16, 20, 0},
		{"opened after", []socketCase{{pid: 1, netns: ours, local: a, remote: b, from: 10}}, a, b, 5, 8, 0},
		{"accepted after the first packet", []socketCase{{pid: 1, netns: ours, local: a, remote: b, from: 10}}, a, b, 9, 12, 1},
		{"used twice: the first", []socketCase{{1, ours, a, b, 10, 15, false}, {2, ours, a, b, 20, 25, false}}, a, b, 11, 14, 1},
		{"used twice: the second", []socketCase{{1, ours, a, b, 10, 15, false}, {2, ours, a, b, 20, 25, false}}, a, b, 21, 24, 2},
		{"used twice, seen as one: who began", []socketCase{{1, ours, a, b, 10, 15, false}, {2, ours, a, b, 20, 25, false}}, a, b, 11, 24, 1},
		{"another namespace's, by an address that may leave it", []socketCase{{pid: 1, netns: theirs, local: a, remote: b, from: 10}}, a, b, 11, 12, 1},
		{"ours before another namespace's", []socketCase{{pid: 1, netns: ours, local: a, remote: b, from: 10}, {pid: 2, netns: theirs, local: a, remote: b, from: 10}}, a, b, 11, 12, 1},
		{"two other namespaces'", []socketCase{{pid: 1, netns: others, local: a, remote: b, from: 10}, {pid: 2, netns: theirs, local: a, remote: b, from: 10}}, a, b, 11, 12, 0},
		{"another namespace's loopback", []socketCase{{pid: 1, netns: theirs, local: "127.0.0.1:1", remote: "127.0.0.1:2", from: 10}}, "127.0.0.1:1", "127.0.0.1:2", 11, 12, 0},
		{"IPv4 in an IPv6 socket", []socketCase{{pid: 1, netns: ours, local: "[::ffff:10.0.0.1]:1000", remote: "[::ffff:10.0.0.2]:2000", from: 10}}, a, b, 11, 12, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := bookOf(tt.sockets).find(keyOf(6, netip.MustParseAddrPort(tt.local), netip.MustParseAddrPort(tt.remote)), tt.first*second, tt.last*second)
			if got := pidOf(r); got != tt.want {
				t.Errorf("process %d, want %d", got, tt.want)
			}
		})
	}
}

func pidOf(r *record) int {
	if r == nil || r.process() == nil {
		return 0
	}
	return r.process().pid
}

func TestWaitingRecord(t *testing.T) {
	tests := []struct {
		name    string
		sockets []socketCase
		local   string
		want    int
	}{
		{"the address itself", []socketCase{{pid: 1, netns: ours, local: "10.0.0.1:80"}, {pid: 2, netns: ours, local: "0.0.0.0:80"}}, "10.0.0.1:80", 1},
		{"every address", []socketCase{{pid: 1, netns: ours, local: "10.0.0.1:80"}, {pid: 2, netns: ours, local: "0.0.0.0:80"}}, "10.0.0.2:80", 2},
		{"another port", []socketCase{{pid: 2, netns: ours, local: "0.0.0.0:80"}}, "10.0.0.2:81", 0},
		{"IPv6 that takes IPv4", []socketCase{{pid: 1, netns: ours, local: "[::]:80", dual: true}}, "10.0.0.1:80", 1},
		{"IPv6 of which that is not known", []socketCase{{pid: 1, netns: ours, local: "[::]:80"}}, "10.0.0.1:80", 0},
		{"IPv6 for IPv6", []socketCase{{pid: 1, netns: ours, local: "[::]:80"}}, "[2001:db8::1]:80", 1},
		{"IPv4 not for IPv6", []socketCase{{pid: 1, netns: ours, local: "0.0.0.0:80"}}, "[2001:db8::1]:80", 0},
		{"another namespace's", []socketCase{{pid: 1, netns: theirs, local: "0.0.0.0:80"}}, "10.0.0.1:80", 0},
		{"shared by two processes", []socketCase{{pid: 1, netns: ours, local: "0.0.0.0:80"}, {pid: 2, netns: ours, local: "0.0.0.0:80"}}, "10.0.0.1:80", 0},
		{"shared by two sockets of one", []socketCase{{pid: 1, netns: ours, local: "0.0.0.0:80"}, {pid: 1, netns: ours, local: "0.0.0.0:80"}}, "10.0.0.1:80", 1},
		{"one after the other", []socketCase{{1, ours, "0.0.0.0:80", "", 1, 2, false}, {pid: 2, netns: ours, local: "0.0.0.0:80", from: 3}}, "10.0.0.1:80", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := keyOf(6, netip.MustParseAddrPort(tt.local), netip.MustParseAddrPort("10.0.0.9:9"))
			if got := pidOf(bookOf(tt.sockets).waiting(k, ours, false, 10*second, 11*second)); got != tt.want {
				t.Errorf("process %d, want %d", got, tt.want)
			}
		})
	}
}

// The sockets that closed first are forgotten first, open ones never.
func TestForget(t *testing.T) {
	const limit, sockets = 100, 5000
	b := newBook(limit, ours)
	keyNumber := func(i int) key { // every fourth has the same addresses
		port := uint16(i)
		if i%4 == 0 {
			port = 0
		}
		return key{localPort: port, remotePort: 1, protocol: 6}
	}
	for i := range sockets {
		r := b.open(uint64(i+1), ours, capture.Timestamp(i))
		r.events = true
		b.name(r, keyNumber(i), capture.Timestamp(i))
	}
	for i := range sockets / 2 {
		b.close(b.byCookie[uint64(i+1)], sockets)
	}
	if b.evicted != sockets/2-limit {
		t.Errorf("%d forgotten, want %d", b.evicted, sockets/2-limit)
	}
	if want := sockets/2 + limit; len(b.byCookie) != want {
		t.Errorf("%d sockets, want %d", len(b.byCookie), want)
	}
	for i := range sockets {
		if _, ok := b.byCookie[uint64(i+1)]; ok != (i >= sockets/2-limit) {
			t.Fatalf("socket %d: %v", i, ok)
		}
	}
	longest := 0
	for _, r := range b.byKey {
		n := 0
		for ; r != nil; r = r.older {
			n++
		}
		longest = max(longest, n)
	}
	if longest < mostAlike || longest > 2*mostAlike+1 {
		t.Errorf("%d sockets with one key", longest)
	}
}
