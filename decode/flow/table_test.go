package flow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sockscope/capture"
)

// brief is a connection in one line.
func brief(c *Connection) string {
	return fmt.Sprintf("%d %v>%v %s %d/%d by %s", c.Protocol, c.Client, c.Server, words(c), c.ToServer.Packets, c.ToClient.Packets, c.Role)
}

func briefs(frames []capture.Frame, cfg Config) string {
	cs, _ := run(frames, 1, cfg)
	var s []string
	for i := range cs {
		s = append(s, brief(&cs[i]))
	}
	return strings.Join(s, "\n")
}

func TestConversations(t *testing.T) {
	ask := func(src, dst [4]byte, sport, dport uint16) []byte {
		return ipv4(17, src, dst, 1, 0, false, udp(sport, dport, []byte("x")))
	}
	six := func(last byte) (a [16]byte) { a[0], a[1], a[15] = 0x20, 1, last; return a }
	tcpSYN := (&segmentWords{flags: syn, seq: 7}).frame()
	tests := []struct {
		rule   string
		cfg    Config
		frames []capture.Frame
		want   string
	}{
		{"question and answer are one conversation", Config{},
			raws(ask(hostA, hostB, 5000, 53), ask(hostB, hostA, 53, 5000)),
			"17 10.0.0.1:5000>10.0.0.2:53 answered 1/1 by registry"},
		{"the port below 1024 is the server's, whoever came first", Config{},
			raws(ask(hostB, hostA, 53, 5000)),
			"17 10.0.0.1:5000>10.0.0.2:53 reply-only 0/1 by registry"},
		{"a group of hosts is no client", Config{},
			raws(ask(hostB, [4]byte{224, 0, 0, 251}, 53, 5000)),
			"17 10.0.0.2:53>224.0.0.251:5000 unanswered 1/0 by first"},
		{"a registered port is the server's", Config{Registered: func(_ uint8, p uint16) bool { return p == 5000 }},
			raws(ask(hostA, hostB, 5000, 6000)),
			"17 10.0.0.2:6000>10.0.0.1:5000 reply-only 0/1 by registry"},
		{"a dynamic port is the client's", Config{}, raws(ask(hostA, hostB, 5000, 60000)),
			"17 10.0.0.2:60000>10.0.0.1:5000 reply-only 0/1 by range"},
		{"else the first sender is the client", Config{}, raws(ask(hostB, hostA, 5000, 6000)),
			"17 10.0.0.2:5000>10.0.0.1:6000 unanswered 1/0 by first"},
		{"what only a client says decides before the ports", Config{Classify: func(_ uint8, p []byte) Evidence {
			return Evidence{Service: "x", FromClient: true}
		}}, raws(ask(hostB, hostA, 53, 5000)),
			"17 10.0.0.2:53>10.0.0.1:5000 unanswered 1/0 by payload"},
		{"IPv6", Config{}, raws(ipv6(17, six(1), six(2), udp(5000, 53, nil)), ipv6(17, six(2), six(1), udp(53, 5000, nil))),
			"17 [2001::1]:5000>[2001::2]:53 answered 1/1 by registry"},
		{"an ICMP error decides a question without answer, and is a conversation of its own", Config{},
			raws(ask(hostA, hostB, 5000, 53), ipv4(1, router, hostA, 1, 0, false, icmp(3, 3, ask(hostA, hostB, 5000, 53)[:28]))),
			"17 10.0.0.1:5000>10.0.0.2:53 unreachable 1/0 by registry\n1 10.0.0.1:0>10.0.0.254:0 reply-only 0/1 by payload"},
		{"an answered question stays answered", Config{},
			raws(ask(hostA, hostB, 5000, 53), ask(hostB, hostA, 53, 5000), ipv4(1, hostA, hostB, 1, 0, false, icmp(3, 3, ask(hostB, hostA, 53, 5000)[:28]))),
			"17 10.0.0.1:5000>10.0.0.2:53 answered 1/1 by registry\n1 10.0.0.2:0>10.0.0.1:0 reply-only 0/1 by payload"},
		{"an ICMP error that quotes the SYN", Config{},
			raws(tcpSYN, ipv4(1, router, scriptHosts[0], 1, 0, false, icmp(3, 1, tcpSYN[:28]))),
			"6 192.0.2.1:40000>198.51.100.1:80 unreachable 1/0 by syn\n1 192.0.2.1:0>10.0.0.254:0 reply-only 0/1 by payload"},
		{"too big is no refusal", Config{},
			raws(tcpSYN, ipv4(1, router, scriptHosts[0], 1, 0, false, icmp(3, 4, tcpSYN[:28]))),
			"6 192.0.2.1:40000>198.51.100.1:80 unanswered 1/0 by syn\n1 192.0.2.1:0>10.0.0.254:0 reply-only 0/1 by payload"},
		{"later fragments follow the first", Config{},
			raws(ipv4(17, hostA, hostB, 9, 0, true, udp(5000, 53, make([]byte, 16))), ipv4(17, hostA, hostB, 9, 24, false, make([]byte, 8))),
			"17 10.0.0.1:5000>10.0.0.2:53 unanswered 2/0 by registry"},
		{"also those that come before it", Config{},
			raws(ipv4(17, hostA, hostB, 9, 24, false, make([]byte, 8)), ipv4(17, hostA, hostB, 9, 0, true, udp(5000, 53, make([]byte, 16)))),
			"17 10.0.0.1:5000>10.0.0.2:53 unanswered 2/0 by registry"},
		{"a fragment of another datagram is nobody's", Config{},
			raws(ipv4(17, hostA, hostB, 9, 0, true, udp(5000, 53, make([]byte, 16))), ipv4(17, hostA, hostB, 10, 24, false, make([]byte, 8))),
			"17 10.0.0.1:5000>10.0.0.2:53 unanswered 1/0 by registry"},
		{"the same tuple in two virtual networks is two connections", Config{},
			raws(ipv4(17, hostA, hostB, 1, 0, false, udp(9999, 4789, vxlan(7, ask(hostA, hostB, 5000, 53)))),
				ipv4(17, hostA, hostB, 1, 0, false, udp(9999, 4789, vxlan(8, ask(hostA, hostB, 5000, 53))))),
			"17 10.0.0.1:5000>10.0.0.2:53 unanswered 1/0 by registry\n17 10.0.0.1:5000>10.0.0.2:53 unanswered 1/0 by registry"},
		{"SCTP association", Config{}, raws(
			ipv4(132, hostA, hostB, 1, 0, false, sctpPacket(5000, 5001, 1)), ipv4(132, hostB, hostA, 1, 0, false, sctpPacket(5001, 5000, 2)),
			ipv4(132, hostA, hostB, 1, 0, false, sctpPacket(5000, 5001, 10)), ipv4(132, hostB, hostA, 1, 0, false, sctpPacket(5001, 5000, 11))),
			"132 10.0.0.1:5000>10.0.0.2:5001 complete open 2/2 by syn"},
		{"an echo's asker is the client", Config{}, raws(ipv4(1, hostB, hostA, 1, 0, false, icmp(0, 0, nil)), ipv4(1, hostA, hostB, 1, 0, false, icmp(8, 0, nil))),
			"1 10.0.0.1:0>10.0.0.2:0 answered 1/1 by payload"},
		{"SCTP refused", Config{}, raws(
			ipv4(132, hostA, hostB, 1, 0, false, sctpPacket(5000, 5001, 1)), ipv4(132, hostB, hostA, 1, 0, false, sctpPacket(5001, 5000, 6))),
			"132 10.0.0.1:5000>10.0.0.2:5001 refused by server 1/1 by syn"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, briefs(tt.frames, tt.cfg)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSilenceSplitsConversations(t *testing.T) {
	q := ipv4(17, hostA, hostB, 1, 0, false, udp(5000, 53, nil))
	frames := raws(q, q, q)
	frames[2].Time = frames[1].Time + capture.Timestamp(3*time.Minute)
	for _, tt := range []struct {
		idle time.Duration
		want int
	}{{0, 1}, {2 * time.Minute, 2}, {3 * time.Minute, 1}} {
		cs, _ := run(frames, 1, Config{UDPIdle: tt.idle})
		if len(cs) != tt.want {
			t.Errorf("idle %v: %d conversations, want %d", tt.idle, len(cs), tt.want)
		}
	}
}

// mixture is n frames of several hundred connections of all kinds, fragments and
// errors among them, in an order that the seed decides.
func mixture(n int, seed uint64) []capture.Frame {
	r := rand.New(rand.NewPCG(seed, 1))
	var packets [][]byte
	for len(packets) < n {
		a, b := [4]byte{10, 0, 0, byte(r.IntN(12))}, [4]byte{10, 0, 1, byte(r.IntN(12))}
		if r.IntN(2) == 0 {
			a, b = b, a
		}
		sport, dport := uint16(r.IntN(9)), uint16(r.IntN(9))
		switch r.IntN(8) {
		case 0:
			packets = append(packets, ipv4(17, a, b, uint16(r.IntN(3)), 0, r.IntN(2) == 0, udp(sport, dport, make([]byte, r.IntN(30)))))
		case 1:
			packets = append(packets, ipv4(17, a, b, uint16(r.IntN(3)), 24, r.IntN(2) == 0, make([]byte, 8)))
		case 2:
			inner := ipv4(17, b, a, 1, 0, false, udp(dport, sport, nil))
			packets = append(packets, ipv4(1, a, b, 1, 0, false, icmp(3, 3, inner)))
		case 3:
			packets = append(packets, []byte{0x45, 0})
		default:
			h := segmentWords{seq: r.Uint32N(4), ack: r.Uint32N(4), flags: uint16(r.Uint32N(64)), window: uint16(r.IntN(2)), ttl: 64, data: r.IntN(3)}
			p := h.frame()
			copy(p[12:], a[:])
			copy(p[16:], b[:])
			binary.BigEndian.PutUint16(p[20:], sport)
			binary.BigEndian.PutUint16(p[22:], dport)
			packets = append(packets, p)
		}
	}
	return raws(packets...)
}

// The number of partitions changes nothing, and neither does the hash's seed.
func TestPartitionsChangeNothing(t *testing.T) {
	frames := mixture(20_000, 1)
	want, wantTotals := run(frames, 1, Config{})
	for _, parts := range []int{1, 2, 3, 8} {
		got, totals := run(frames, parts, Config{})
		if diff := cmp.Diff(want, got, cmp.Comparer(sameConnection)); diff != "" {
			t.Errorf("%d partitions: %s", parts, diff)
		}
		if diff := cmp.Diff(wantTotals, totals, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%d partitions: totals %s", parts, diff)
		}
	}
}

// theLongWay applies a batch without any short cut for connections in their steady state.
func theLongWay(t *Table, b *Batch) {
	for i := range b.records() {
		r := &b.records()[i]
		if r.kind() > datagram {
			t.record(b, r, &guess{cell: t.cells.at(noConnection)})
			continue
		}
		n, c := t.find(b, r)
		if c != nil {
			c.bits &^= steady
		}
		t.packet(b, r, n, c)
	}
}

// The short ways of segments say what the long one says, whatever happens on a connection.
func TestTheShortWaySaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	words := strings.Fields("D D D D d d d d A A a a D> d> D< d< D= d= A= Ak ak a0 A0 P p a< 50ms -50ms Dw d^ F f R r S h s")
	begins := strings.Fields("S,h,A S,h,A,D,d S,h D,d A,d S,S=,h,A,D,a,d,A S,A,D")
	for range 1500 {
		script := strings.ReplaceAll(begins[r.IntN(len(begins))], ",", " ")
		script += " D a d A" // so that each has been sent once
		for range 3 + r.IntN(40) {
			// Mostly what happens on a good connection, so that it is in its steady state.
			script += " " + words[min(r.IntN(len(words)), r.IntN(len(words)), r.IntN(len(words)))]
		}
		frames := play(t, script)
		for range r.IntN(4) {
			spoil(r, frames)
		}
		short, _ := run(frames, 1, Config{})
		long, _ := runWith(theLongWay, frames, 1, Config{})
		if diff := cmp.Diff(long, short, cmp.Comparer(sameConnection)); diff != "" {
			t.Fatalf("%s: the short way +:\n%s", script, diff)
		}
	}
}

// Two networks whose addresses have equal stand-ins are two connections.
func TestEqualKeys(t *testing.T) {
	var seed Seed // all zero: so are all stand-ins
	r, table := NewRecorder(&seed), NewTable(Config{}, &seed)
	server := [16]byte{0x30, 15: 1}
	a := [16]byte{0x20, 1, 0xd, 0xb8, 15: 0xff}
	clients := [][16]byte{a, a, a}
	clients[1][7], clients[2][15] = 2, 0xfe // differ in either half
	var frames []capture.Frame
	for range 2 {
		for _, client := range clients {
			segment := make([]byte, 20)
			binary.BigEndian.PutUint32(segment, 1000<<16|2000)
			segment[12], segment[13] = 5<<4, byte(syn)
			frame := append([]byte{12: 0x86, 13: 0xdd}, ipv6(protoTCP, client, server, segment)...)
			frames = append(frames, capture.Frame{Data: frame, Length: uint32(len(frame)), Link: capture.LinkEthernet})
		}
	}
	batches := make([]Batch, 1)
	r.Record(&capture.Block{First: 1, Frames: frames}, batches)
	table.Apply(&batches[0])
	if table.Len() != len(clients) {
		t.Errorf("%d connections, want %d", table.Len(), len(clients))
	}
}

// What needs the long way gets it, though all that came before was in order.
func TestTheLongWayIsTaken(t *testing.T) {
	t.Run("a SYN captured late may yet be acknowledged", func(t *testing.T) {
		frames := play(t, "S s A D d D d A")
		late := frames[1]
		frames = append(append(append([]capture.Frame{}, frames[0]), frames[2:6]...), late, frames[6], frames[7])
		if cs, _ := run(frames, 1, Config{}); len(cs) != 1 || cs[0].Outcome != Complete {
			t.Errorf("%s, want complete", allWords(cs))
		}
	})
	t.Run("ports alone are no data", func(t *testing.T) {
		const data = 8 // in Wireshark's completeness
		frames := play(t, "S h A D D= a")
		frames[3].Data = frames[3].Data[:24]
		cs, _ := run(frames[:4], 1, Config{})
		if cs[0].Completeness&data != 0 {
			t.Errorf("completeness %d before any data was seen", cs[0].Completeness)
		}
		if cs, _ = run(frames, 1, Config{}); cs[0].Completeness&data == 0 {
			t.Errorf("completeness %d after data", cs[0].Completeness)
		}
	})
	t.Run("the first time that is known is the first", func(t *testing.T) {
		frames := play(t, "S h A D d D d D d")
		for i := range frames[:6] {
			frames[i].Time = capture.Unknown
		}
		cs, _ := run(frames, 1, Config{})
		if c := &cs[0]; c.First != frames[6].Time || c.Last != frames[8].Time {
			t.Errorf("from %d to %d, want %d to %d", c.First, c.Last, frames[6].Time, frames[8].Time)
		}
	})
	t.Run("data that was acknowledged before it came was sent again", func(t *testing.T) {
		for _, begin := range []string{"S h A D a d A ", "D a d A "} { // with the handshake and without
			frames := play(t, begin+"D a D a")
			n := len(frames)
			frames[n-1].Data, frames[n-2].Data = frames[n-2].Data, frames[n-1].Data
			cs, _ := run(frames, 1, Config{})
			if got := cs[0].ToServer.Retransmissions; got != 1 {
				t.Errorf("%s: %d segments sent again, want 1 as tshark has it", begin, got)
			}
		}
	})
}

// spoil does to some frame what captures do.
func spoil(r *rand.Rand, frames []capture.Frame) {
	i := r.IntN(len(frames))
	f := &frames[i]
	switch r.IntN(5) {
	case 0, 1: // captured before the one before it
		if i > 0 {
			before := &frames[i-1]
			*f, *before = *before, *f
			f.Time, before.Time = before.Time, f.Time
		}
	case 2: // only the ports are left
		f.Data = f.Data[:min(len(f.Data), 24)]
	case 3: // more behind the packet than counts can hold
		f.Length += 1 << linkBits
	case 4:
		f.Time = capture.Unknown
	}
}

func sameConnection(a, b Connection) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }

// conserved checks that each frame was counted once (spec, section 9).
func conserved(t testing.TB, frames []capture.Frame, cs []Connection, totals *Totals) {
	t.Helper()
	var packets, bytes, outcomes uint64
	var known [NumOutcomes]uint64
	for i := range cs {
		packets += cs[i].ToServer.Packets + cs[i].ToClient.Packets
		bytes += cs[i].ToServer.Bytes + cs[i].ToClient.Bytes
		known[cs[i].Outcome]++
	}
	for _, n := range known {
		outcomes += n
	}
	var wire uint64
	for i := range frames {
		wire += uint64(frames[i].Length)
	}
	conversations := totals.Connections
	conversations.add(totals.ICMP)
	for _, v := range totals.OtherIP {
		conversations.add(v)
	}
	all := conversations
	all.add(totals.Fragments)
	for _, v := range totals.Undecoded {
		all.add(v)
	}
	for _, v := range totals.NonIP {
		all.add(v)
	}
	for _, v := range totals.UnknownLink {
		all.add(v)
	}
	if (Volume{packets, bytes}) != conversations {
		t.Errorf("connections have %d packets, %d bytes; counted %+v", packets, bytes, conversations)
	}
	if want := (Volume{uint64(len(frames)), wire}); all != want || totals.Frames != want.Frames || totals.Bytes != want.Bytes {
		t.Errorf("counted %+v (%d frames read), want %+v", all, totals.Frames, want)
	}
	if outcomes != uint64(len(cs)) {
		t.Errorf("%d outcomes of %d connections", outcomes, len(cs))
	}
}

func TestConservation(t *testing.T) {
	frames := mixture(20_000, 2)
	cs, totals := run(frames, 3, Config{UDPIdle: time.Second})
	conserved(t, frames, cs, &totals)
	if totals.Fragments.Frames == 0 || totals.ICMP.Frames == 0 || len(cs) < 500 {
		t.Errorf("the mixture is too plain: %d connections, %+v", len(cs), totals.Fragments)
	}
}

// Whoever crafts tuples gains nothing: they spread as random ones do.
func TestCraftedTuplesSpread(t *testing.T) {
	seed := NewSeed()
	const n = 40_000
	longest := func(make func(i uint32) key) int {
		slots := map[uint32]int{}
		most := 0
		for i := range uint32(n) {
			k := make(i)
			s := seed.hash(k) & (1<<17 - 1)
			slots[s]++
			most = max(most, slots[s])
		}
		return most
	}
	sameXOR := longest(func(i uint32) key {
		k, _ := narrow(endpoint(i, uint16(i)), endpoint(i^0xdeadbeef, uint16(i)^0x1234), protoTCP)
		return k
	})
	counting := longest(func(i uint32) key {
		k, _ := narrow(endpoint(1, uint16(i)), endpoint(2, uint16(i>>16)), protoTCP)
		return k
	})
	if sameXOR > 12 || counting > 12 {
		t.Errorf("up to %d and %d of %d crafted tuples share a slot", sameXOR, counting, n)
	}
}

// A data segment of a connection in its steady state costs no memory.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	seed := NewSeed()
	r, table := NewRecorder(seed), NewTable(Config{}, seed)
	parts := make([]Batch, 1)
	frames := play(t, "S h A D a d A D a d A D a d A")
	block := capture.Block{First: 1, Frames: frames}
	round := func() {
		r.Record(&block, parts)
		table.Apply(&parts[0])
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkApply(b *testing.B) {
	for _, tt := range []struct {
		name, script string
	}{{"data", "S h A" + strings.Repeat(" D a d A", 60)}, {"handshakes", strings.Repeat("S* h* A R ", 60)}} {
		b.Run(tt.name, func(b *testing.B) {
			frames := play(b, tt.script)
			block := capture.Block{First: 1, Frames: frames}
			seed := NewSeed()
			r := NewRecorder(seed)
			parts := make([]Batch, 1)
			r.Record(&block, parts)
			b.ReportAllocs()
			b.SetBytes(int64(len(frames)))
			for b.Loop() {
				table := NewTable(Config{}, seed)
				for range 20 {
					table.Apply(&parts[0])
				}
			}
		})
	}
}

func BenchmarkRecord(b *testing.B) {
	block := capture.Block{First: 1, Frames: play(b, "S h A"+strings.Repeat(" D a d A", 60))}
	r := NewRecorder(NewSeed())
	parts := make([]Batch, 1)
	b.ReportAllocs()
	for b.Loop() {
		r.Record(&block, parts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(block.Frames)), "ns/frame")
}

// FuzzTable takes any bytes as frames, cut at a marker, and checks conservation and
// that partitions change nothing.
func FuzzTable(f *testing.F) {
	mark := []byte{0xff, 0xfe}
	var seedFrames [][]byte
	for _, fr := range mixture(12, 3) {
		seedFrames = append(seedFrames, fr.Data)
	}
	f.Add(bytes.Join(seedFrames, mark))
	f.Add([]byte("E00000 \x000\x060000000000")) // TCP without a header
	f.Fuzz(func(t *testing.T, data []byte) {
		frames := raws(bytes.Split(data, mark)...)
		one, totals := run(frames, 1, Config{UDPIdle: time.Millisecond})
		conserved(t, frames, one, &totals)
		three, _ := run(frames, 3, Config{UDPIdle: time.Millisecond})
		if diff := cmp.Diff(one, three, cmp.Comparer(sameConnection)); diff != "" {
			t.Error(diff)
		}
	})
}

// Fragments that come before the first count for the connection's beginning, and how
// many wait does not depend on the partitions.
func TestManyFragments(t *testing.T) {
	var packets [][]byte
	for i := range 9000 {
		packets = append(packets, ipv4(17, hostA, [4]byte{10, 9, byte(i % 5), 1}, uint16(i), 0, true, udp(5000, 53, make([]byte, 16))))
	}
	for i := range 9000 {
		packets = append(packets, ipv4(17, hostA, [4]byte{10, 9, byte(i % 5), 1}, uint16(i), 24, false, make([]byte, 8)))
	}
	for _, parts := range []int{1, 3} {
		if _, totals := run(raws(packets...), parts, Config{}); totals.Fragments.Frames != 0 {
			t.Errorf("%d partitions: %d fragments belong to nobody", parts, totals.Fragments.Frames)
		}
	}
	late := raws(ipv4(17, hostA, hostB, 9, 24, false, make([]byte, 8)), ipv4(17, hostA, hostB, 9, 0, true, udp(5000, 53, make([]byte, 16))))
	if cs, _ := run(late, 1, Config{}); cs[0].First != late[0].Time {
		t.Errorf("begins at %v, want the first fragment seen, %v", cs[0].First, late[0].Time)
	}
}

// A data segment in fragments is attributed also when the connection is established.
func TestFragmentsOfEstablishedConnection(t *testing.T) {
	frames := play(t, "S h A D a D a")
	first := frames[5].Data // the second D, of which the rest follows in another fragment
	first[6] |= 0x20
	rest := ipv4(6, scriptHosts[0], scriptHosts[1], 0, len(first)-20, false, make([]byte, 8))
	later := capture.Frame{Data: rest, Length: uint32(len(rest)), Link: capture.LinkRaw, Time: frames[5].Time}
	frames = slices.Insert(frames, 6, later)
	cs, totals := run(frames, 1, Config{})
	if len(cs) != 1 || cs[0].ToServer.Packets != 5 || totals.Fragments.Frames != 0 {
		t.Errorf("%s; %d fragments belong to nobody", briefs(frames, Config{}), totals.Fragments.Frames)
	}
}

// A TCP or SCTP packet without ports is no connection.
func TestNoTransportHeader(t *testing.T) {
	frames := raws(ipv4(6, hostA, hostB, 1, 0, false, nil), ipv4(6, hostA, hostB, 1, 0, false, []byte{1, 2, 3}), ipv4(132, hostA, hostB, 1, 0, false, nil))
	cs, totals := run(frames, 1, Config{})
	conserved(t, frames, cs, &totals)
	if len(cs) != 0 {
		t.Errorf("%d connections: %s", len(cs), briefs(frames, Config{}))
	}
}

// A snap length that leaves only the ports: the packets count, nothing is guessed.
func TestPortsAloneAreMidstream(t *testing.T) {
	frames := play(t, "S h A")
	for i := range frames {
		frames[i].Data = frames[i].Data[:24]
	}
	want := "6 192.0.2.1:40000>198.51.100.1:80 midstream open 2/1 by registry"
	if got := briefs(frames, Config{}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Fragments that never find a first one cost the same however many there are.
func BenchmarkFragments(b *testing.B) {
	var packets [][]byte
	for i := range 200_000 {
		packets = append(packets, ipv4(17, hostA, [4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}, 1, 24, true, make([]byte, 8)))
	}
	frames := raws(packets...)
	b.ReportAllocs()
	for b.Loop() {
		run(frames, 1, Config{})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(frames)), "ns/frame")
}

// An ICMP conversation keeps the type and code of its first query.
func TestICMPTypeAndCode(t *testing.T) {
	frames := raws(ipv4(1, hostB, hostA, 1, 0, false, icmp(3, 9, nil)), ipv4(1, hostA, hostB, 1, 0, false, icmp(13, 0, nil)),
		ipv4(1, hostA, hostB, 1, 0, false, icmp(8, 0, nil)))
	for n, want := range [][2]uint8{1: {3, 9}, 2: {13, 0}, 3: {13, 0}} {
		if n == 0 {
			continue
		}
		cs, _ := run(frames[:n], 1, Config{})
		if got := [2]uint8{cs[0].Type, cs[0].Code}; !cs[0].IsICMP || got != want {
			t.Errorf("after %d messages: type and code %v, want %v", n, got, want)
		}
	}
}

// A priority tag names no VLAN.
func TestPriorityTagIsNoVLAN(t *testing.T) {
	frame := func(tags ...byte) capture.Frame {
		b := make([]byte, 12)
		for _, id := range tags {
			b = append(b, 0x81, 0, 0xe0, id)
		}
		b = append(append(b, 8, 0), ipv4(17, hostA, hostB, 1, 0, false, udp(5000, 53, nil))...)
		return capture.Frame{Data: b, Length: uint32(len(b)), Link: capture.LinkEthernet, Time: scriptEpoch}
	}
	for _, tt := range []struct {
		tags []byte
		id   uint16
		has  bool
	}{{nil, 0, false}, {[]byte{0}, 0, false}, {[]byte{7}, 7, true}, {[]byte{0, 7}, 7, true}, {[]byte{5, 6}, 5, true}} {
		cs, _ := run([]capture.Frame{frame(tt.tags...)}, 1, Config{})
		if cs[0].VLAN != tt.id || cs[0].HasVLAN != tt.has {
			t.Errorf("tags %v: VLAN %d %v, want %d %v", tt.tags, cs[0].VLAN, cs[0].HasVLAN, tt.id, tt.has)
		}
	}
}

// The first and the last time of a connection are the earliest and the latest, whichever
// way times run.
func TestTimesRunBackwards(t *testing.T) {
	frames := play(t, "S h A D a")
	times := []capture.Timestamp{50, 40, 30, 90, 20}
	for i := range frames {
		frames[i].Time = times[i]
	}
	frames = append(frames, frames[3])
	frames[5].Time = 10 // the client's again, before all others
	cs, _ := run(frames, 1, Config{})
	if cs[0].First != 10 || cs[0].Last != 90 {
		t.Errorf("from %d to %d, want 10 to 90", cs[0].First, cs[0].Last)
	}
}

// What fills an Ethernet frame up to 60 bytes is no payload.
func TestPaddingProvesNothing(t *testing.T) {
	packet := ipv4(protoUDP, hostA, hostB, 1, 0, false, udp(1000, 53, []byte("abc")))
	frame := append(append(make([]byte, 12), 8, 0), packet...)
	frame = append(frame, make([]byte, 60-len(frame))...)
	var got []string
	run([]capture.Frame{{Data: frame, Length: 60, Link: capture.LinkEthernet}}, 1, Config{
		Classify: func(_ uint8, payload []byte) Evidence {
			got = append(got, string(payload))
			return Evidence{}
		}})
	if len(got) != 1 || got[0] != "abc" {
		t.Errorf("payloads %q", got)
	}
}

// Connections are told apart by their keys, whatever their hashes.
func TestEqualHashes(t *testing.T) {
	seed := NewSeed()
	seed[2] = 0 // makes all hashes 0
	r, table := NewRecorder(seed), NewTable(Config{}, seed)
	batches := make([]Batch, 1)
	for range 2 {
		frames := play(t, "S h A D a F f A")
		other := play(t, "S h A D a F f A")
		for i := range other {
			other[i].Data = slices.Clone(other[i].Data)
			other[i].Data[15]++ // last byte of an address
		}
		r.Record(&capture.Block{First: 1, Frames: append(frames, other...)}, batches)
		table.Apply(&batches[0])
	}
	if table.Len() < 2 {
		t.Errorf("%d connections", table.Len())
	}
}
