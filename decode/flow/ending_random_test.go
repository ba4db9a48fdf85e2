package flow

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sockscope/capture"
)

// A chaos makes up traffic of many connections at a time, whose numbers are used again and
// again.
type chaos struct {
	*rand.Rand
	t      testing.TB
	frames []capture.Frame
	id     uint16 // of IP packets
}

// lives are connections in a script's words, without a silence that ends them.
var lives = []string{
	"S h A D d F f A", "S h A D d D d D d f F a", "S r", "S 500ms S= 500ms S= 500ms S=", "S h", "h", "D d D d",
	"S h A D> d D< d F f A", "S h A D0 d A d D F f A", "S h A R", "S h A D r", "S h! A", "S h A D> D> d d= d= D< d F",
	"S h A D D= D= d d= D0 d0 Dk dk D> d> A F f f= A", "S+ h~ A D d F f A", "S s H h A a D d", "S h H A D S* h* A D",
	"S H h D d S* S= r", "A d", "R", "S h A F f A F= f= A=",
}

// stream adds frames of a new TCP connection between two ports.
func (x *chaos) stream(start time.Duration, port uint16) {
	words := lives[x.IntN(len(lives))]
	if x.IntN(3) == 0 { // soup
		letters, mods := "ShADdFfArRsHaPp", "=*^0k+~-><!w"
		words = "S"
		for range 1 + x.IntN(25) {
			words += " " + string(letters[x.IntN(len(letters))])
			if x.IntN(3) == 0 {
				words += string(mods[x.IntN(len(mods))])
			}
		}
		words = strings.ReplaceAll(words, "=", "") // of something that was never sent
	}
	for _, f := range play(x.t, words) {
		b := f.Data
		for at := 20; at < 24; at += 2 { // the script's client has port 40000
			if p := b[at : at+2]; binary.BigEndian.Uint16(p) == scriptPorts[0] {
				binary.BigEndian.PutUint16(p, port)
			}
		}
		for i := 40; i < len(b); i++ {
			b[i] = byte(port >> (i % 2 * 8))
		}
		f.Time += capture.Timestamp(start)
		if x.IntN(40) == 0 {
			x.add(f.Time+5e6, ipv4(1, router, scriptHosts[0], 1, 0, false, icmp(3, byte(x.IntN(3)), b[:28])))
		}
		switch port % 5 {
		case 0: // in a tunnel, and wide
			b = ipv4(17, hostA, hostB, 1, 0, false, udp(9999, 4789, vxlan(uint32(port%3), b)))
		case 1: // over IPv6
			var src, dst [16]byte
			copy(src[:], b[12:16])
			copy(dst[:], b[16:20])
			src[0], dst[0] = 0x20, 0x20
			b = ipv6(6, src, dst, b[20:])
		}
		x.add(f.Time, b)
	}
}

// datagrams adds frames of a conversation, some of them in fragments.
func (x *chaos) datagrams(start time.Duration, port uint16) {
	at := scriptEpoch + capture.Timestamp(start)
	for range 1 + x.IntN(5) {
		src, dst, from, to := hostA, hostB, port, uint16(53)
		if x.IntN(2) == 0 {
			src, dst, from, to = dst, src, to, from
		}
		x.id++
		if x.IntN(4) > 0 {
			x.add(at, ipv4(17, src, dst, x.id, 0, false, udp(from, to, []byte{byte(port), 1, byte(port >> 8)})))
		} else {
			parts := [][]byte{
				ipv4(17, src, dst, x.id, 0, true, udp(from, to, make([]byte, 16))),
				ipv4(17, src, dst, x.id, 24, true, make([]byte, 8)),
				ipv4(17, src, dst, x.id, 32, false, make([]byte, 8)),
			}
			x.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			for i, b := range parts[x.IntN(2):] {
				x.add(at+capture.Timestamp(i)*1e7, b)
			}
		}
		at += capture.Timestamp(x.IntN(900)) * 1e6
	}
}

func (x *chaos) add(at capture.Timestamp, b []byte) {
	x.frames = append(x.frames, capture.Frame{Data: b, Length: uint32(len(b)), Link: capture.LinkRaw, Time: at})
}

// sorted are all frames in the order of their times.
func (x *chaos) sorted() []capture.Frame {
	slices.SortStableFunc(x.frames, func(a, b capture.Frame) int { return cmp.Compare(a.Time, b.Time) })
	return x.frames
}

// provenBy is a Classify that proves something else of each connection.
func provenBy(_ uint8, payload []byte, f *Finding) {
	h := fnv.New32()
	h.Write(payload)
	f.Service = "x"
	f.ServerName, f.ALPN = fmt.Appendf(nil, "%x", h.Sum32()), fmt.Append(nil, len(payload))
}

// A table that uses numbers again finds what one finds that never does, as long as no
// connection is silent for too long.
func TestEndingChangesNothing(t *testing.T) {
	for seed := range uint64(3) {
		x := &chaos{Rand: rand.New(rand.NewPCG(seed, 1)), t: t}
		for i := range 2000 {
			start := time.Duration(x.IntN(400_000)) * time.Millisecond
			x.stream(start, uint16(20000+i))
		}
		for port := range uint16(40) { // the same tuples again and again
			for at := x.IntN(9000); at < 400_000; at += 9000 + x.IntN(20_000) {
				x.datagrams(time.Duration(at)*time.Millisecond, 1024+port)
			}
		}
		frames := x.sorted()
		cfg := Config{UDPIdle: 2 * time.Second, Classify: provenBy, RoundTrips: seed%2 == 0}
		want, wantTotals := run(frames, 1, cfg)
		for _, parts := range []int{1, 3} {
			d, totals := runEnding(t, frames, parts, cfg, seed%3 == 0, 0)
			got := d.all()
			if d.most > len(want)/3 {
				t.Errorf("seed %d: %d connections at a time, of %d", seed, d.most, len(want))
			}
			if len(d.ended) < len(want)/3 {
				t.Errorf("seed %d: only %d of %d ended", seed, len(d.ended), len(want))
			}
			if len(got) != len(want) {
				t.Errorf("seed %d, %d parts: %d connections, want %d", seed, parts, len(got), len(want))
			}
			for i := range min(len(got), len(want)) {
				if !reflect.DeepEqual(want[i], got[i]) {
					t.Fatalf("seed %d, %d parts: connection %d: %s", seed, parts, i,
						gocmp.Diff(want[i], got[i], cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{})))
				}
			}
			if diff := gocmp.Diff(wantTotals, totals); diff != "" {
				t.Fatalf("seed %d, %d parts: %s", seed, parts, diff)
			}
		}
	}
}

// With silences, sums are the same; what ended while it was silent is in several records.
func TestEndingKeepsSums(t *testing.T) {
	for _, seed := range fewer([]uint64{1, 0, 2}, 1) {
		x := &chaos{Rand: rand.New(rand.NewPCG(seed, 2)), t: t}
		for range 2000 {
			x.stream(time.Duration(x.IntN(4_000_000))*time.Millisecond, uint16(20000+x.IntN(100)))
			x.datagrams(time.Duration(x.IntN(4_000_000))*time.Millisecond, uint16(1024+x.IntN(20)))
		}
		frames := x.sorted()
		for i := range frames { // late ones
			if x.IntN(50) == 0 {
				frames[i].Time += capture.Timestamp(x.IntN(300)) * 1e9
			}
		}
		frames = x.sorted()
		cfg := Config{UDPIdle: 30 * time.Second}
		var wantSum, gotSum [2]volume
		want, wantTotals := run(frames, 1, cfg)
		for i := range want {
			addDirections(&wantSum, &want[i])
		}
		d, totals := runEnding(t, frames, 1+int(seed%2), cfg, false, 0)
		for _, c := range d.all() {
			addDirections(&gotSum, &c)
		}
		// A fragment whose connection has ended is nobody's.
		nobodys := totals.Fragments.Frames - wantTotals.Fragments.Frames
		if nobodys == 0 {
			t.Errorf("seed %d: no fragment came too late", seed)
		}
		sum := func(v *[2]volume) volume { v[0].add(v[1]); return v[0] }
		w, g := sum(&wantSum), sum(&gotSum)
		if w.packets != g.packets+nobodys || w.payload != g.payload || w.bytes != g.bytes+totals.Fragments.Bytes-wantTotals.Fragments.Bytes {
			t.Errorf("seed %d: sum %+v and %d fragments, want %+v", seed, g, nobodys, w)
		}
		counted := totals.Connections.Frames + totals.ICMP.Frames + totals.Fragments.Frames
		if totals.Frames != counted {
			t.Errorf("seed %d: %d frames, %d counted", seed, totals.Frames, counted)
		}
	}
}

// FuzzEnding takes any bytes as frames, with silences between them: sums are kept, and
// nothing that was given up is lost or used twice.
func FuzzEnding(f *testing.F) {
	mark := []byte{0xff, 0xfe}
	var seedFrames [][]byte
	for _, fr := range mixture(12, 3) {
		seedFrames = append(seedFrames, fr.Data)
	}
	f.Add(bytes.Join(seedFrames, mark), uint64(1))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		frames := raws(bytes.SplitN(data, mark, 64)...)
		now := scriptEpoch
		for i := range frames {
			frames[i].Time = now
			now += capture.Timestamp(r.Int64N(1 << (20 + r.IntN(15)))) // up to 17 s
		}
		d, totals := runEnding(t, frames, 1+int(seed%3), Config{UDPIdle: 5 * time.Second, Classify: provenBy}, seed%2 == 0, 0)
		conserved(t, frames, d.all(), &totals)
	})
}

func addDirections(sum *[2]volume, c *Connection) {
	for i, d := range []*Direction{&c.ToServer, &c.ToClient} {
		sum[i].add(volume{d.Packets, d.Bytes, d.IPBytes, d.Payload})
	}
}

// checkNumbers checks that all that was given up is free, and that what is in use is in
// use once.
func checkNumbers(t testing.TB, table *Table) {
	t.Helper()
	used := map[string]map[uint32]bool{}
	count := func(what string, i uint32) {
		switch {
		case i == 0:
		case used[what] == nil:
			used[what] = map[uint32]bool{i: true}
		case used[what][i]:
			t.Errorf("%s %d is used twice", what, i)
		default:
			used[what][i] = true
		}
	}
	for n := range table.numbers() {
		c := table.cells.at(n)
		if c.bits&replaced == 0 {
			count("slot", n)
			if table.place(table.seed.hash(c.key), n) == nil {
				t.Errorf("connection %d has no slot", n)
			}
		}
		if table.isKnock(n) {
			continue
		}
		if x := table.roundTripsOf(n); x != nil {
			count("round trips", *table.trips.at(n))
			count("sketch", x.timed[0].sketch)
			count("sketch", x.timed[1].sketch)
		}
		m := table.meta(n)
		if count("rare", m.rare); m.rare != 0 {
			x := table.rares.at(m.rare - 1)
			count("icmp", x.icmp)
			count("big", x.big)
			count("waits", x.waits)
			count("spill", x.spill)
			count("course", x.course)
			count("odd", x.odd)
		}
		if count("proof", m.evidence); m.evidence != 0 {
			p := table.proofs.at(m.evidence - 1)
			if p.nameLength > 0 {
				count("text", p.name+1)
			}
			if p.alpnLength > 0 {
				count("text", p.alpn+1)
			}
		}
		if h := table.streams.at(n); h != nil {
			if count("quality", h.quality); h.quality != 0 {
				both := table.quality.at(h.quality - 1)
				count("holes", both[0].holes)
				count("holes", both[1].holes)
			}
		}
	}
	if texts := &table.proofs.texts; !texts.apart { // they lie in chunks that know how much of them is in use
		delete(used, "text")
		var live, want int
		for _, n := range texts.live {
			live += int(n)
		}
		for n := range table.numbers() {
			if !table.isKnock(n) && table.meta(n).evidence != 0 {
				p := table.proofs.at(table.meta(n).evidence - 1)
				want += int(p.nameLength) + int(p.alpnLength)
			}
		}
		if live != want {
			t.Errorf("%d bytes of texts are in use, but %d are not free", want, live)
		}
	}
	for _, of := range []struct {
		what string
		n    int
	}{
		{"slot", table.live}, {"icmp", table.icmp.len()}, {"big", table.big.len()}, {"proof", table.proofs.len()},
		{"text", table.proofs.texts.single.len()}, {"waits", len(table.waits) - len(table.freeWaits)}, {"spill", len(table.spill) - len(table.freeSpill)},
		{"rare", table.rares.len()}, {"course", table.courses.len()}, {"odd", table.odds.len()}, {"holes", table.holes.len()}, {"quality", table.quality.len()}, {"round trips", table.roundTrips.len()}, {"sketch", table.sketches.len()},
	} {
		if len(used[of.what]) != of.n {
			t.Errorf("%d of %s are in use, but %d are not free", len(used[of.what]), of.what, of.n)
		}
	}
}

// len is how many values were added and not given up.
func (a *arena[T]) len() int { return a.n - len(a.free) }
