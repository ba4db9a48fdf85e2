package pcapfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

var compressions = []string{"gzip", "zstd", "lz4", "xz"}

// pack compresses b.
func pack(tb testing.TB, name string, b []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch name {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out, zstd.WithEncoderCRC(true))
	case "lz4":
		w = lz4.NewWriter(&out)
	case "xz":
		w, err = xz.NewWriter(&out)
	}
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestCompressed(t *testing.T) {
	first, second := plain(60, 70, 80), plain(90)
	for _, name := range compressions {
		t.Run(name, func(t *testing.T) {
			whole := pack(t, name, first)
			tests := []struct {
				name    string
				content []byte
				frames  int
				damage  string // a part of it
				unread  bool
			}{
				{"whole", whole, 3, "", false},
				{"two members with a capture each", join(whole, pack(t, name, second)), 4, "", false},
				{"one capture in two members", join(pack(t, name, first[:50]), pack(t, name, first[50:])), 3, "", false},
				{"garbage behind", join(whole, []byte("garbage garbage")), 3, fmt.Sprintf("garbage after the %s data at compressed offset ", name), false},
				{"cut in its first bytes", whole[:9], 0, fmt.Sprintf("%s data cut short at compressed offset 9", name), true},
				{"compressed twice", pack(t, name, whole), 0, "nested compression not supported", true},
				{"no capture", pack(t, name, []byte("this is not a capture at all")), 0, "not pcap, pcapng or gzip (first bytes 74 68 69 73)", true},
				{"empty inside", pack(t, name, nil), 0, "empty file, not a capture", true},
				{"record cut inside", pack(t, name, first[:len(first)-1]), 2, "record 3, offset 186: data cut short (have 79 of 80 bytes); 2 records kept", false},
			}
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					frames, in, _ := read(t, test.content)
					if in.Compression != name || len(frames) != test.frames {
						t.Errorf("compression %q, %d frames, want %d", in.Compression, len(frames), test.frames)
					}
					got := strings.Join(messages(in), "\n")
					if (test.damage == "") != (got == "") || !strings.Contains(got, test.damage) || len(in.Damage) > 1 {
						t.Errorf("damage %q, want %q", got, test.damage)
					}
					if len(in.Damage) == 1 && in.Damage[0].Unread != test.unread {
						t.Errorf("unread %v", in.Damage[0].Unread)
					}
				})
			}
		})
	}
}

// TestCompressedCut: wherever a compressed file ends, that is told once, and the
// frames are the first ones of the whole file.
func TestCompressedCut(t *testing.T) {
	content := plain(60, 70, 80, 1000)
	want, _, _ := read(t, content)
	for _, name := range compressions {
		whole := pack(t, name, content)
		for n := 6; n < len(whole); n += 17 {
			frames, in, _ := read(t, whole[:n])
			if len(frames) > len(want) || !slices.Equal(want[:len(frames)], frames) {
				t.Fatalf("%s cut at %d: other frames", name, n)
			}
			if name == "zstd" && n >= len(whole)-4 {
				continue // the decoder does not miss the checksum
			}
			if m := fmt.Sprintf("%s data cut short at compressed offset %d", name, n); len(in.Damage) != 1 || !strings.Contains(in.Damage[0].String(), m) {
				t.Fatalf("%s cut at %d: %q", name, n, messages(in))
			}
		}
	}
}

// TestChecksumWrong: the frames before a wrong checksum are kept. The zstd decoder
// keeps the last block, of 128 KiB at most, to itself.
func TestChecksumWrong(t *testing.T) {
	content := plain(60, 70, 100_000, 1<<17, 1<<17)
	kept := map[string]int{"gzip": 5, "zstd": 4, "lz4": 5}
	for name, fromEnd := range map[string]int{"gzip": 5, "zstd": 1, "lz4": 1} {
		whole := pack(t, name, content)
		whole[len(whole)-fromEnd] ^= 1
		frames, in, _ := read(t, whole)
		got := strings.Join(messages(in), "\n")
		if want := fmt.Sprintf("%s checksum wrong at compressed offset ", name); len(frames) != kept[name] || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, fmt.Sprintf("; %d records kept", kept[name])) {
			t.Errorf("%s: %d frames, damage %q", name, len(frames), got)
		}
	}
}

// TestXZChecksum damages the check of the only block: CRC-64, before the index.
func TestXZChecksum(t *testing.T) {
	whole := pack(t, "xz", plain(60, 70, 80))
	backward := 4 * (int(binary.LittleEndian.Uint32(whole[len(whole)-8:])) + 1)
	whole[len(whole)-xzFooter-backward-1] ^= 1
	frames, in, _ := read(t, whole)
	if got := strings.Join(messages(in), "\n"); len(frames) != 3 || !strings.HasPrefix(got, "xz checksum wrong at compressed offset ") {
		t.Errorf("%d frames, damage %q", len(frames), got)
	}
}

// TestWindowLimit: a window that a header asks for and that is too big is refused
// before it is allocated.
func TestWindowLimit(t *testing.T) {
	zstdFrame := func(descriptor byte) []byte {
		return []byte{0x28, 0xb5, 0x2f, 0xfd, 0, descriptor, 1, 0, 0, 0, 0, 0}
	}
	bigXZ := pack(t, "xz", plain(60))
	header := bigXZ[xzStreamHeader:][:4*(int(bigXZ[xzStreamHeader])+1)]
	i := bytes.Index(header, []byte{xzFilterLZMA2, 1})
	header[i+2] = 40 // 4 GiB
	binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
	for name, test := range map[string]struct {
		content []byte
		want    string
	}{
		"zstd 2^31":       {zstdFrame(21 << 3), "window 2^31 exceeds limit"},
		"zstd 2^31 + 1/8": {zstdFrame(21<<3 | 1), "window 2415919104 exceeds limit"},
		"xz 4 GiB":        {bigXZ, "xz window exceeds limit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, in, _ := read(t, test.content)
			if diff := cmp.Diff([]string{test.want}, messages(in)); diff != "" || !in.Damage[0].Unread {
				t.Errorf("damage (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMaxInput(t *testing.T) {
	content := plain(60, 70, 80)
	for name, b := range map[string][]byte{"plain": content, "gzip": pack(t, "gzip", content)} {
		frames, s := readFiles(t, Config{MaxInput: 190}, write(t, "input", b))
		want := []string{"input exceeds the limit of 190 bytes; reading stopped, 2 records kept"}
		if diff := cmp.Diff(want, messages(s.Inputs[0])); diff != "" || len(frames) != 2 {
			t.Errorf("%s: %d frames, damage (-want +got):\n%s", name, len(frames), diff)
		}
	}
}

// TestBomb: 1.3 GB of zeros in 40 KB end soon after the ratio can be seen.
func TestBomb(t *testing.T) {
	if testing.Short() {
		t.Skip("decompresses 1 GiB")
	}
	const block = 128 << 10
	bomb := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3} // a window of a block
	for range 10_000 {
		header := uint32(block<<3 | 1<<1) // one byte repeated
		bomb = append(bomb, byte(header), byte(header>>8), byte(header>>16), 0)
	}
	in := newInput(context.Background(), &Reader{}, examine(write(t, "bomb", bomb)))
	src, err := in.open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	n, err := io.Copy(io.Discard, src)
	var f *fault
	if !errors.As(err, &f) || f.code != "compression-ratio" || n < bombMinimum || n > bombMinimum+blockSize {
		t.Errorf("%d bytes, error %v", n, err)
	}
	if want := "zstd data expand more than 10000:1 at compressed offset "; !strings.HasPrefix(f.Error(), want) {
		t.Errorf("%q, want %q and a number", f, want)
	}
}
