package pcapfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// at is a pcap with a frame at each of the times, which hold the name and the
// time.
func at(name string, times ...uint32) []byte {
	b := pcapSpec{}.header()
	for _, sec := range times {
		data := fmt.Sprintf("%s%d", name, sec)
		b = append(b, pcapSpec{}.record(sec, 0, uint32(len(data)), uint32(len(data)), []byte(data))...)
	}
	return b
}

func TestMergeOrder(t *testing.T) {
	le := ngSpec{}
	simple := func(s string) []byte { return le.block(blockSimplePacket, le.words(uint32(len(s))), []byte(s)) }
	tests := []struct {
		name   string
		inputs [][]byte
		want   string
	}{
		{"by time", [][]byte{at("a", 2, 4, 6), at("b", 1, 3, 7), at("c", 5)}, "b1 a2 b3 a4 c5 a6 b7"},
		{"ties by the order of inputs", [][]byte{at("a", 1, 2), at("b", 1, 1, 2), at("c", 1)}, "a1 b1 b1 c1 a2 b2"},
		{"an input's own order stays", [][]byte{at("a", 5, 1, 6), at("b", 2, 7)}, "b2 a5 a1 a6 b7"},
		{"one after the other", [][]byte{at("b", 3, 4), at("a", 1, 2)}, "a1 a2 b3 b4"},
		{"an empty and a broken one", [][]byte{at("a"), at("b", 1), []byte("no capture")}, "b1"},
		{"unknown times go with the frame before", [][]byte{
			at("a", 1, 3), join(le.section(), le.iface(1, 0), simple("x"), le.packet(0, 2e6, 2, []byte("b2")), simple("y"), le.packet(0, 4e6, 2, []byte("b4")))},
			"x a1 b2 y a3 b4"},
		{"compressed", [][]byte{pack(t, "gzip", at("a", 1, 3)), pack(t, "zstd", at("b", 2)), pack(t, "xz", at("c", 2, 4)), pack(t, "lz4", at("d", 3))}, "a1 b2 c2 a3 d3 c4"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frames, s := readFiles(t, Config{}, writeAll(t, test.inputs)...)
			var order []string
			for _, f := range frames {
				order = append(order, f.Data)
			}
			if diff := cmp.Diff(test.want, strings.Join(order, " ")); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
			var sum uint64
			for i, in := range s.Inputs {
				alone, one, _ := read(t, test.inputs[i])
				in.Name, one.Name = "", ""
				if diff := cmp.Diff(one, in); diff != "" {
					t.Errorf("input %d alone and merged (-alone +merged):\n%s", i, diff)
				}
				sum += uint64(len(alone))
			}
			if sum != uint64(len(frames)) {
				t.Errorf("%d frames, %d one by one", len(frames), sum)
			}
		})
	}
}

func writeAll(tb testing.TB, inputs [][]byte) []string {
	var names []string
	for i, content := range inputs {
		names = append(names, write(tb, fmt.Sprint(i), content))
	}
	return names
}

// TestMergeInterfaces: a merged frame's interface is its own input's.
func TestMergeInterfaces(t *testing.T) {
	le := ngSpec{}
	ng := func(name string, sec uint64) []byte {
		return join(le.section(), le.iface(1, 0, le.option(optName, []byte(name))), le.packet(0, sec*1e6, 1, []byte(name)))
	}
	frames, s := readFiles(t, Config{}, writeAll(t, [][]byte{ng("x", 3), ng("y", 1), at("z", 2)})...)
	var order []string
	for _, f := range frames {
		i := s.Interfaces[f.Iface]
		order = append(order, fmt.Sprintf("%s %q %d", f.Data, i.Name, i.Input))
	}
	if diff := cmp.Diff([]string{`y "y" 1`, `z2 "" 2`, `x "x" 0`}, order); diff != "" {
		t.Errorf("frames and interfaces (-want +got):\n%s", diff)
	}
}

// TestMergeRandom compares the merge of random files with a stable sort, with
// many more files than may be open, and frames of all sizes.
func TestMergeRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const files, packed = 3 * maxOpen, 10 // every tenth is compressed
	var want []got
	dir := t.TempDir()
	for i := range files {
		content := pcapSpec{}.header()
		sec := rng.Uint32N(100)
		for range rng.IntN(60) {
			data := frame(i, rng.IntN(2000))
			content = append(content, pcapSpec{}.record(sec, 0, uint32(len(data)), uint32(len(data)), data)...)
			want = append(want, got{Time: capture.Timestamp(sec) * 1e9, Data: string(data), Length: uint32(len(data)), Link: 1})
			sec += rng.Uint32N(3)
		}
		if i%packed == 0 {
			content = pack(t, "gzip", content)
		}
		name := filepath.Join(dir, fmt.Sprintf("%04d", i))
		writeFile(t, name, content)
	}
	slices.SortStableFunc(want, func(a, b got) int { return int(a.Time - b.Time) })
	before := openFiles()
	r, err := Open(context.Background(), []string{dir}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var frames []got
	most := 0
	b := newBlock()
	for {
		err := r.Next(b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range b.Frames {
			frames = append(frames, got{Time: f.Time, Data: string(f.Data), Length: f.Length, Link: f.Link})
		}
		most = max(most, openFiles()-before)
	}
	if diff := cmp.Diff(len(want), len(frames)); diff != "" {
		t.Fatalf("frames (-want +got):\n%s", diff)
	}
	for i := range want {
		if want[i] != frames[i] {
			t.Fatalf("frame %d is at %d with %d bytes, want %d with %d", i+1, frames[i].Time, len(frames[i].Data), want[i].Time, len(want[i].Data))
		}
	}
	if limit := maxOpen + files/packed + 1; most > limit {
		t.Errorf("%d files open at once, limit %d", most, limit)
	}
	for _, in := range r.Stats().Inputs {
		if len(in.Damage) > 0 {
			t.Errorf("%s: %q", in.Name, messages(in))
		}
	}
}

// TestMergeInTurns: files that follow each other, overlap a little, or have clocks that go
// back, are read in many small pieces; what a block has stays while later ones are filled.
// Some blocks are given, others are copied.
func TestMergeInTurns(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var given, copied int
	for round := range 50 {
		var contents [][]byte
		var inputs [][]got
		sec := uint32(1000)
		for i := range 1 + rng.IntN(6) {
			content, frames := pcapSpec{}.header(), []got(nil)
			if rng.IntN(2) == 0 {
				sec -= rng.Uint32N(50)
			}
			longest := []int{10, 500}[rng.IntN(2)]
			for range rng.IntN(400) {
				data := frame(i, 1+rng.IntN(longest))
				content = append(content, pcapSpec{}.record(sec, 0, uint32(len(data)), uint32(len(data)), data)...)
				frames = append(frames, got{Time: capture.Timestamp(sec) * 1e9, Data: string(data), Length: uint32(len(data)), Link: 1})
				if sec += rng.Uint32N(3); rng.IntN(50) == 0 {
					sec -= rng.Uint32N(20)
				}
			}
			contents, inputs = append(contents, content), append(inputs, frames)
		}
		r, err := Open(t.Context(), writeAll(t, contents), Config{})
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := r.next.(*merge); ok {
			m.block, m.wide, m.buffer = minBuffer, rng.IntN(2)*(wideInputs-2), minBuffer
		}
		var frames []got
		var out, spare []*capture.Block // not yet looked at, and to be filled again
		for ended := false; !ended || len(out) > 0; {
			if !ended {
				b := newBlock()
				if len(spare) > 0 {
					b, spare = spare[0], spare[1:]
				}
				if err := r.Next(b); err == nil {
					out = append(out, b)
					if cap(b.Memory) >= mergedMemory {
						copied++
					} else {
						given++
					}
				} else if ended = true; err != io.EOF {
					t.Fatal(err)
				}
			}
			if len(out) > 0 && (ended || len(out) == 4) {
				for _, f := range out[0].Frames {
					frames = append(frames, got{Time: f.Time, Data: string(f.Data), Length: f.Length, Link: f.Link})
				}
				out, spare = out[1:], append(spare, out[0])
			}
		}
		if diff := cmp.Diff(inTurns(inputs), frames); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
	}
	if given == 0 || copied == 0 {
		t.Errorf("%d blocks given, %d copied", given, copied)
	}
}

// TestMergeOfManyOpen: however many inputs are open, their buffers share what there is, though
// each has frames that come before all others.
func TestMergeOfManyOpen(t *testing.T) {
	const files, bursts, burst = 400, 5, 300 // frames
	var contents [][]byte
	for i := range files {
		content := pcapSpec{}.header()
		for n := range bursts {
			for range burst {
				data := frame(i, 10)
				content = append(content, pcapSpec{}.record(uint32(n*files+i), 0, uint32(len(data)), uint32(len(data)), data)...)
			}
		}
		contents = append(contents, content)
	}
	r, err := Open(t.Context(), writeAll(t, contents), Config{})
	if err != nil {
		t.Fatal(err)
	}
	m := r.next.(*merge)
	m.wide, m.buffer, m.pool.limit = wideInputs, minBuffer, files
	blocks := make([]capture.Block, 4)
	frames := 0
	for i := 0; ; i++ {
		b := &blocks[i%len(blocks)]
		if err := r.Next(b); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		frames += len(b.Frames)
		held := 0
		for _, h := range m.heads {
			held += cap(h.memory)
		}
		if held > files*m.buffer || cap(b.Memory) < mergedMemory { // else that may be in a buffer next
			t.Fatalf("%d bytes in buffers, want at most %d; a block of %d was given", held, files*m.buffer, cap(b.Memory))
		}
	}
	if frames != files*bursts*burst {
		t.Errorf("%d frames", frames)
	}
}

// inTurns takes the first frame of an input again and again, always the one with the lowest
// time.
func inTurns(inputs [][]got) []got {
	var all []got
	for {
		best := -1
		for i := range inputs {
			if len(inputs[i]) > 0 && (best < 0 || inputs[i][0].Time < inputs[best][0].Time) {
				best = i
			}
		}
		if best < 0 {
			return all
		}
		all = append(all, inputs[best][0])
		inputs[best] = inputs[best][1:]
	}
}

// TestManyFiles: ten thousand files, one of them broken.
func TestManyFiles(t *testing.T) {
	files := 10_000
	if testing.Short() {
		files = 500
	}
	dir := t.TempDir()
	for i := range files {
		content := at("f", uint32(i), uint32(i+2))
		if i == files/2 {
			content = []byte("not a capture, just a file among the others")
		}
		writeFile(t, filepath.Join(dir, fmt.Sprintf("%06d", i)), content)
	}
	frames, s := readFiles(t, Config{}, dir+"/*")
	if len(frames) != 2*(files-1) || len(s.Inputs) != files {
		t.Errorf("%d frames of %d inputs", len(frames), len(s.Inputs))
	}
	if !slices.IsSortedFunc(frames, func(a, b got) int { return int(a.Time - b.Time) }) {
		t.Error("not in time order")
	}
	for i, in := range s.Inputs {
		if (len(in.Damage) > 0) != (i == files/2) {
			t.Errorf("%s: %q", in.Name, messages(in))
		}
	}
}
