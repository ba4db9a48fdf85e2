package flow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
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
	from8443 := func(b []byte) []byte { binary.BigEndian.PutUint16(b[20:], 8443); return b }
	data := func(side int) []byte {
		return (&segmentWords{side: side, flags: ack, seq: 7, ack: 8, window: 9, data: 10}).frame()
	}
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
		{"who listens is the server, whatever the ports are", Config{
			Registered: func(_ uint8, p uint16) bool { return p == 80 },
			Listens: func(a, b netip.AddrPort, _ capture.Timestamp) [2]bool {
				return [2]bool{a.Port() == 40000, b.Port() == 40000}
			}},
			raws(data(0), data(1)),
			"6 198.51.100.1:80>192.0.2.1:40000 midstream open 1/1 by listener"},
		{"when both listen, the ports tell", Config{
			Registered: func(_ uint8, p uint16) bool { return p == 80 },
			Listens:    func(a, b netip.AddrPort, _ capture.Timestamp) [2]bool { return [2]bool{true, true} }},
			raws(data(0), data(1)),
			"6 192.0.2.1:40000>198.51.100.1:80 midstream open 1/1 by registry"},
		{"a dynamic port is the client's", Config{}, raws(ask(hostA, hostB, 5000, 60000)),
			"17 10.0.0.2:60000>10.0.0.1:5000 reply-only 0/1 by range"},
		{"so is one of TCP that Linux lends, though it may be registered", Config{Registered: func(uint8, uint16) bool { return true }},
			raws(from8443(data(1))),
			"6 192.0.2.1:40000>198.51.100.1:8443 midstream open +one-way 0/1 by range"},
		{"else the first sender is the client", Config{}, raws(ask(hostB, hostA, 5000, 6000)),
			"17 10.0.0.2:5000>10.0.0.1:6000 unanswered 1/0 by first"},
		{"what only a client says decides before the ports", Config{Classify: func(_ uint8, p []byte, f *Finding) {
			f.Service, f.FromClient = "x", true
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
		if !slices.EqualFunc(want, got, sameConnection) { // a Diff of so many takes seconds
			t.Errorf("%d partitions: %.4000s", parts, cmp.Diff(want, got, cmp.Comparer(sameConnection)))
		}
		if diff := cmp.Diff(wantTotals, totals, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%d partitions: totals %s", parts, diff)
		}
	}
}

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
	const many = 10_000 // so that the memory of a table counts for little
	for _, tt := range []struct {
		name, script string
		cfg          Config
	}{
		{"data", "S h A" + strings.Repeat(" D a d A", many), Config{}},
		{"handshakes", strings.Repeat("S* h* A R ", many), Config{}},
		{"round trips", "S h A" + strings.Repeat(" D a d A", many), Config{RoundTrips: true}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			frames := play(b, tt.script)
			block := capture.Block{First: 1, Frames: frames}
			seed := NewSeed()
			r := NewRecorder(seed)
			parts := make([]Batch, 1)
			r.Record(&block, parts)
			b.ReportAllocs()
			for b.Loop() {
				NewTable(tt.cfg, seed).Apply(&parts[0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(frames)), "ns/frame")
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
		Classify: func(_ uint8, payload []byte, _ *Finding) { got = append(got, string(payload)) }})
	if len(got) != 1 || got[0] != "abc" {
		t.Errorf("payloads %q", got)
	}
}
