package pcapfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"sockscope/capture"
)

// overlapping writes n compressed captures over the same time, each of size frames
// of 100 bytes a second apart, and opens their merge.
func overlapping(t *testing.T, n, size int) (*Reader, *merge) {
	t.Helper()
	content := pack(t, "gzip", plain(slices.Repeat([]int{100}, size)...))
	dir := t.TempDir()
	for i := range n {
		writeFile(t, filepath.Join(dir, fmt.Sprintf("%04d", i)), content)
	}
	r, err := Open(context.Background(), []string{dir}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, r.next.(*merge)
}

// TestOverlapWork counts what is decompressed when more compressed inputs overlap
// than may be open.
func TestOverlapWork(t *testing.T) {
	const files, frames = 24, 2000
	const size = pcapHeader + frames*(16+100)
	tests := []struct {
		name    string
		limit   int // of open inputs
		cost    int64
		stretch int
		again   int64 // bytes decompressed again at most
		lost    bool  // some inputs are given up
	}{
		{"all may be open", files, maxDecoders, 4 << 10, 0, false},
		{"one fewer, in long stretches", files - 1, maxDecoders, size / 8, 2 * 8 * size, false},
		{"half, in long stretches", files / 2, maxDecoders, size / 8, files * 8 * size, false},
		{"memory for half, in long stretches", files, files / 2 * decoderCost, size / 8, files * 8 * size, false},
		{"half, in short stretches", files / 2, maxDecoders, 4 << 10, files * maxRedone * size, true},
		{"one", 1, maxDecoders, 4 << 10, files * maxRedone * size, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, m := overlapping(t, files, frames)
			m.pool.packedLimit, m.pool.costLimit = test.limit, test.cost
			m.wide, m.buffer, m.stretch = wideInputs, 4<<10, test.stretch
			before, most := openFiles(), 0
			var given uint64
			var cursors []*cursor
			b := newBlock()
			for {
				err := r.Next(b)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				given += uint64(len(b.Frames))
				most = max(most, openFiles()-before)
				for _, h := range m.heads {
					if h.cursor != nil && !slices.Contains(cursors, h.cursor) {
						cursors = append(cursors, h.cursor)
					}
				}
			}
			if left := openFiles() - before; left > 0 {
				t.Errorf("%d files left open", left)
			}
			var again int64
			for _, c := range cursors {
				again += c.again
			}
			if again > test.again || (again == 0) != (test.again == 0) {
				t.Errorf("%d bytes decompressed again, limit %d", again, test.again)
			}
			if most > test.limit {
				t.Errorf("%d files open, limit %d", most, test.limit)
			}
			lost, kept := 0, uint64(0)
			for _, in := range r.Stats().Inputs {
				kept += in.Frames
				for _, d := range in.Damage {
					lost++
					if want := (capture.Damage{Code: "too-many-open", Offset: -1, What: errOverlap.what, Kept: in.Frames, Stopped: true}); d != want || d.Kept == 0 {
						t.Errorf("damage %+v, want %+v", d, want)
					}
				}
			}
			if (lost > 0) != test.lost || lost > files-test.limit && test.limit > 1 {
				t.Errorf("%d inputs given up", lost)
			}
			if kept != given || lost == 0 && given != files*frames || given < uint64(files-lost)*frames {
				t.Errorf("%d frames, the inputs gave %d", given, kept)
			}
		})
	}
}

// TestPoolClosesTheIdlest: an input whose next frame is far away makes room, so
// that nothing is decompressed twice while it waits.
func TestPoolClosesTheIdlest(t *testing.T) {
	var inputs [][]byte
	gap := func(name string) []byte { return pack(t, "gzip", at(name, 1, 1_000_000)) }
	busy := func(name string) []byte {
		var times []uint32
		for sec := range uint32(3000) {
			times = append(times, 10+sec)
		}
		return pack(t, "gzip", at(name, times...))
	}
	for i := range maxAhead {
		inputs = append(inputs, gap(fmt.Sprint("g", i)))
	}
	inputs = append(inputs, busy("a"), busy("b"))
	r, err := Open(context.Background(), writeAll(t, inputs), Config{})
	if err != nil {
		t.Fatal(err)
	}
	m := r.next.(*merge)
	m.pool.packedLimit, m.wide, m.buffer = 3, wideInputs, 4<<10
	m.begin()
	heads := slices.Clone(m.heads)
	frames, s := drain(t, r)
	if want := 2*maxAhead + 2*3000; len(frames) != want {
		t.Errorf("%d frames, want %d", len(frames), want)
	}
	for _, h := range heads {
		if h.in.index >= maxAhead && h.cursor.again > 0 {
			t.Errorf("input %d: %d bytes decompressed again", h.in.index, h.cursor.again)
		}
		if damage := s.Inputs[h.in.index].Damage; len(damage) > 0 {
			t.Errorf("input %d: damage %q", h.in.index, damage)
		}
	}
}

func TestPoolLimits(t *testing.T) {
	for descriptors, want := range map[int]int{0: 1, 16: 4, 64: 16, 256: 128, 1024: 704, 20_000: 14_936} {
		if p := newPool(descriptors); p.packedLimit != want || p.limit != maxOpen {
			t.Errorf("%d descriptors: %d compressed and %d plain files, want %d and %d", descriptors, p.packedLimit, p.limit, want, maxOpen)
		}
	}
}
