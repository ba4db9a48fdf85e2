package flow

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sockscope/capture"
	"sockscope/decode"

	"github.com/google/go-cmp/cmp"
)

// commonFrames are Ethernet frames of every kind that common knows, and some that nearly are.
func commonFrames() [][]byte {
	const mac, vlan = "020000000001 020000000002", "8100 002a"
	const ipv4, ipv6 = "0800 45 00 %s 0007 4000 40 %s 0000 0a000001 0a000002",
		"86dd 60000000 %s %s 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
	const data = "68656c6c6f"
	var frames [][]byte
	for _, tag := range []string{"", vlan} {
		for _, ip := range []struct {
			header string
			len    int
		}{{ipv4, 20}, {ipv6, 0}} {
			for _, transport := range []struct{ protocol, header string }{
				{"06", "9c40 01bb 01020304 05060708 5 018 03e8 0000 0000"},
				{"06", "9c40 01bb 01020304 05060708 5 010 03e8 0000 0000" + data},
				{"06", "01bb 9c40 01020304 05060708 8 118 03e8 0000 0000 0101080a 00000001 00000002" + data},
				{"06", "9c40 01bb 01020304 00000000 a 002 03e8 0000 0000 020405b4 0402080a 00000001 00000000 01030307"},
				{"06", "9c40 01bb 01020304 00000000 8 002 03e8 0000 0000 020405b4 01030308 01010402"},
				{"11", "9c40 0035 000d 0000" + data},
				{"11", "9c40 0035 0020 0000" + strings.Repeat("61", 24)},
				{"11", "9c40 12b5 0020 0000" + strings.Repeat("61", 24)}, // VXLAN
				{"01", "0800 0000 0001 0001" + strings.Repeat("61", 24)},
			} {
				header := unhex(transport.header)
				n := len(header) + ip.len
				length := hex.EncodeToString([]byte{byte(n >> 8), byte(n)})
				ip := strings.Replace(strings.Replace(ip.header, "%s", length, 1), "%s", transport.protocol, 1)
				frame := append(unhex(mac+tag+ip), header...)
				frames = append(frames, frame, append(frame, make([]byte, max(0, 60-len(frame)))...)) // and padded
			}
		}
	}
	return frames
}

func unhex(words string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(words, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// A telling is all that a batch says of its records.
type telling struct {
	Record  record
	Network network
	Options decode.TCPOptions
	Payload string
}

func tell(b *Batch) []telling {
	var all []telling
	for i := range b.records() {
		r := &b.records()[i]
		one := telling{Record: *r, Payload: string(b.payload(r))}
		one.Record.offset, one.Record.wide = 0, 0
		if r.wide != 0 {
			one.Network = b.wide[r.wide-1]
		}
		if r.kind() == segment {
			o := b.options(r)
			one.Options.Has, one.Options.MSS, one.Options.WindowScale = o.Has, 0, 0
			if o.Has&decode.OptMSS != 0 {
				one.Options.MSS = o.MSS
			}
			if o.Has&decode.OptWindowScale != 0 {
				one.Options.WindowScale = o.WindowScale
			}
		}
		all = append(all, one)
	}
	return all
}

// sameRecords checks that Record says of frames what it says when none is taken for a common one,
// and gives the number of those that were.
func sameRecords(t *testing.T, frames []capture.Frame) (commons int) {
	seed := NewSeed()
	quick, general := NewRecorder(seed), NewRecorder(seed)
	block := &capture.Block{First: 1, Frames: frames}
	for _, n := range []int{1, 3} {
		a, b := make([]Batch, n), make([]Batch, n)
		for range 2 { // the second time over what is there
			quick.Record(block, a)
			for i := range b {
				b[i].reset(block)
			}
			for i := range frames {
				general.frame(&frames[i], uint32(i), b)
			}
		}
		for i := range n {
			got, want := tell(&a[i]), tell(&b[i])
			if !slices.Equal(got, want) {
				t.Fatalf("part %d of %d (-general +common):\n%s", i, n, cmp.Diff(want, got, cmp.AllowUnexported(record{}, key{}, network{}, decode.TCPOptions{})))
			}
		}
	}
	if quick.Totals.Connections != general.Totals.Connections || quick.Totals.Problems != general.Totals.Problems ||
		quick.Totals.Undecoded != general.Totals.Undecoded {
		t.Fatalf("totals: %+v, general %+v", quick.Totals, general.Totals)
	}
	for i := range frames {
		if isCommon(&frames[i]) {
			commons++
		}
	}
	return commons
}

func isCommon(f *capture.Frame) bool { return common(f, new(record), NewSeed()) != 0 }

// ethernet makes frames of bytes; each third has an owner, and some were longer on the wire.
func ethernet(r *rand.Rand, frames ...[]byte) []capture.Frame {
	all := make([]capture.Frame, len(frames))
	for i, b := range frames {
		all[i] = capture.Frame{Data: b, Length: uint32(len(b)), Link: capture.LinkEthernet, Time: scriptEpoch + capture.Timestamp(i)}
		if i%3 == 2 {
			all[i].Owner = 1
		}
		if r.IntN(4) == 0 {
			all[i].Length += r.Uint32N(2000)
		}
	}
	return all
}

// Whatever is done to a common frame, its record is what the general way makes.
func TestCommonRecords(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	originals := commonFrames()
	if n := sameRecords(t, ethernet(r, originals...)); n < len(originals)*2/3 {
		t.Errorf("%d of %d frames are common ones", n, len(originals))
	}
	common := 0
	for range 500 {
		var frames [][]byte
		for range 100 {
			b := bytes.Clone(originals[r.IntN(len(originals))])
			for range r.IntN(3) {
				b[r.IntN(min(len(b), 80))] ^= 1 << r.IntN(8)
			}
			if r.IntN(4) == 0 {
				b = b[:r.IntN(len(b)+1)]
			}
			frames = append(frames, slices.Clip(b))
		}
		common += sameRecords(t, ethernet(r, frames...))
	}
	if common < 15_000 || common > 45_000 {
		t.Errorf("%d of 50000 frames are common ones", common)
	}
}

// FuzzCommon is TestCommonRecords for any frame.
func FuzzCommon(f *testing.F) {
	for _, b := range commonFrames() {
		f.Add(b, uint16(0))
	}
	f.Fuzz(func(t *testing.T, b []byte, missing uint16) {
		sameRecords(t, []capture.Frame{{Data: b, Length: uint32(len(b)) + uint32(missing), Link: capture.LinkEthernet}})
	})
}

// BenchmarkCommon is what a record of a common frame costs, in a mixture of them.
func BenchmarkCommon(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	all := commonFrames()
	block := capture.Block{First: 1}
	for len(block.Frames) < 4*stretch {
		f := ethernet(random, all[random.IntN(len(all))])
		if isCommon(&f[0]) {
			block.Frames = append(block.Frames, f...)
		}
	}
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprintf("parts=%d", n), func(b *testing.B) {
			r, parts := NewRecorder(NewSeed()), make([]Batch, n)
			b.ReportAllocs()
			for b.Loop() {
				r.Record(&block, parts)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(block.Frames)), "ns/frame")
		})
	}
}
