package pcapfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// skip is a skippable frame's header.
func skip(size uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0x5a, 0x2a, 0x4d, 0x18}, size)
}

// skipFrame is a whole one.
func skipFrame(size int) []byte { return append(skip(uint32(size)), make([]byte, size)...) }

// TestPadding: zeros behind compressed data are passed, up to a limit.
func TestPadding(t *testing.T) {
	const over = "more than 1048576 bytes of zeros after the %s data at compressed offset %d; reading stopped, 1 record kept"
	for _, name := range []string{"gzip", "xz"} {
		first, second := pack(t, name, plain(60)), pack(t, name, plain(70))
		for _, test := range []struct {
			zeros, frames int
			behind        []byte
			want          string // damage
		}{
			{4, 1, nil, ""},
			{1000, 2, second, ""},
			{maxPadding, 2, second, ""},
			{maxPadding, 1, nil, ""},
			{4096, 1, []byte("garbage"), "garbage after the %s data at compressed offset %d; reading stopped, 1 record kept"},
			{maxPadding + 4, 1, second, over},
		} {
			content := join(first, make([]byte, test.zeros), test.behind)
			frames, in, _ := read(t, content)
			var want []string
			if test.want != "" {
				want = []string{fmt.Sprintf(test.want, name, len(first)+test.zeros)}
			}
			if diff := cmp.Diff(want, messages(in)); diff != "" || len(frames) != test.frames {
				t.Errorf("%s and %d zeros: %d frames, damage (-want +got):\n%s", name, test.zeros, len(frames), diff)
			}
		}
	}
	frames, in, _ := read(t, join(pack(t, "xz", plain(60)), make([]byte, 6), pack(t, "xz", plain(70))))
	if m := messages(in); len(frames) != 1 || len(m) != 1 || !strings.HasPrefix(m[0], "garbage after the xz data") {
		t.Errorf("xz and 6 zeros: %d frames, damage %q", len(frames), m)
	}
}

// sparse writes content, a hole and what is behind it.
func sparse(t *testing.T, content []byte, size int64) string {
	t.Helper()
	path := write(t, "sparse", content)
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestHole: a hole of 20 GiB behind the data is not read.
func TestHole(t *testing.T) {
	for _, name := range []string{"gzip", "xz"} {
		begin := time.Now()
		_, s := readFiles(t, Config{}, sparse(t, pack(t, name, plain(60)), 20<<30))
		m := messages(s.Inputs[0])
		if want := "more than 1048576 bytes of zeros after the " + name; len(m) != 1 || !strings.HasPrefix(m[0], want) {
			t.Errorf("damage %q, want %q", m, want)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// holes is a zstd file of one capture and then 64 GiB to skip, and the same with
// the capture behind them.
func holes(t *testing.T) (before, behind string) {
	t.Helper()
	capture := pack(t, "zstd", plain(slices.Repeat([]int{1000}, 1000)...)) // more than what is read ahead at first
	var paths []string
	for _, begin := range [][]byte{capture, nil} {
		path := sparse(t, begin, int64(len(begin)))
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		at := int64(len(begin))
		for range 16 {
			if _, err := f.WriteAt(skip(1<<32-1), at); err != nil {
				t.Fatal(err)
			}
			at += 8 + 1<<32 - 1
		}
		if _, err := f.WriteAt(capture, at); err != nil {
			t.Fatal(err)
		}
		f.Close()
		paths = append(paths, path)
	}
	return paths[0], paths[1]
}

// TestSkippingEnds: the end of the context, or Close, ends a read that finds
// nothing for very long.
func TestSkippingEnds(t *testing.T) {
	const soon = 500 * time.Millisecond // 100 ms on a machine that has nothing else to do
	before, behind := holes(t)
	for name, paths := range map[string][]string{"one": {behind}, "merged": {before, behind}, "many": slices.Repeat([]string{before, behind}, maxAhead)} {
		ctx, cancel := context.WithCancel(context.Background())
		r, err := Open(ctx, paths, Config{})
		if err != nil {
			t.Fatal(err)
		}
		var ended time.Time
		time.AfterFunc(50*time.Millisecond, func() { ended = time.Now(); cancel() })
		b := newBlock()
		for err == nil {
			err = r.Next(b)
		}
		<-ctx.Done()
		if took := time.Since(ended); !errors.Is(err, io.EOF) || took > soon {
			t.Errorf("%s: %v, %v after the context", name, err, took)
		}
		for _, in := range r.Stats().Inputs {
			if len(in.Damage) > 0 {
				t.Errorf("%s: damage %q", name, messages(in))
			}
		}
		r.Close()
	}
	r, err := Open(context.Background(), []string{before}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Next(newBlock()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // until what reads ahead is in a hole
	begin := time.Now()
	r.Close()
	if took := time.Since(begin); took > soon {
		t.Errorf("Close took %v", took)
	}
}

// TestSkippableFrames: zstd and lz4 have the same ones, before and between theirs.
func TestSkippableFrames(t *testing.T) {
	for _, name := range []string{"zstd", "lz4"} {
		whole := pack(t, name, plain(60, 70))
		for what, content := range map[string][]byte{
			"one before":        join(skipFrame(4), whole),
			"an empty one":      join(skip(0), whole),
			"several before":    join(skipFrame(4), skipFrame(100_000), skipFrame(1), whole),
			"one before others": join(skipFrame(4), whole, skipFrame(9), skipFrame(0)),
		} {
			path := write(t, "input", content)
			file, s := readFiles(t, Config{}, path)
			stream, s2 := readFiles(t, Config{Stdin: bytes.NewReader(content)}, "-")
			merged, s3 := readFiles(t, Config{}, path, path)
			for _, in := range append(append(s.Inputs, s2.Inputs...), s3.Inputs...) {
				if in.Compression != name || in.Frames != 2 || len(in.Damage) > 0 {
					t.Errorf("%s, %s: compression %q, %d frames, damage %q", name, what, in.Compression, in.Frames, messages(in))
				}
			}
			if len(file) != 2 || len(stream) != 2 || len(merged) != 4 {
				t.Errorf("%s, %s: %d frames, of a stream %d, of two %d", name, what, len(file), len(stream), len(merged))
			}
		}
	}
	zstd := join(skipFrame(maxSkipped), pack(t, "zstd", plain(60)))
	if frames, in, _ := read(t, zstd); len(frames) != 1 || in.Compression != "zstd" || len(in.Damage) > 0 {
		t.Errorf("behind 16 MiB: %d frames, damage %q", len(frames), messages(in))
	}
	for _, content := range [][]byte{skip(100), skip(0), skip(4)[:6], join(skipFrame(4), []byte("garbage garbage"))} {
		if frames, in, _ := read(t, content); len(frames) != 0 || len(in.Damage) != 1 || !in.Damage[0].Unread {
			t.Errorf("% x: %d frames, damage %q", content, len(frames), messages(in))
		}
	}
}
