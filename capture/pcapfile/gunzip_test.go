package pcapfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGzipHeader: whatever a member's header has, the data follow it; a header
// that is cut or has a wrong checksum is told.
func TestGzipHeader(t *testing.T) {
	body := pack(t, "gzip", plain(60))[gzipHeader:]
	header := func(flags byte, fields ...[]byte) []byte {
		return append([]byte{0x1f, 0x8b, gzipDeflate, flags, 0, 0, 0, 0, 0, 255}, join(fields...)...)
	}
	text := func(n int) []byte { return append(bytes.Repeat([]byte("\xe9x"), n/2), 0) }
	extra := func(n int) []byte {
		return append(binary.LittleEndian.AppendUint16(nil, uint16(n)), make([]byte, n)...)
	}
	sum := func(b []byte) []byte {
		return binary.LittleEndian.AppendUint16(slices.Clip(b), uint16(crc32.ChecksumIEEE(b)))
	}
	all := header(gzipExtra|gzipName|gzipComment|gzipHeaderCRC, extra(65_535), text(100_000), text(70_000))
	wrong := sum(all)
	wrong[len(wrong)-1] ^= 1
	tests := []struct {
		name   string
		header []byte
		want   string // beginning of the damage
	}{
		{"plain", header(0), ""},
		{"text flag", header(1), ""},
		{"name of 600 bytes", header(gzipName, text(600)), ""},
		{"empty name", header(gzipName, text(0)), ""},
		{"comment of 1 MiB", header(gzipComment, text(1<<20)), ""},
		{"all fields and their checksum", sum(all), ""},
		{"wrong checksum", wrong, "gzip data corrupt near compressed offset "},
		{"reserved flag", header(0x20), "gzip data corrupt near compressed offset 10"},
		{"other method", []byte{0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 255}, "gzip data corrupt near compressed offset 10"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want, kept := []string(nil), 1
			if test.want != "" {
				kept = 0
			}
			frames, in, _ := read(t, join(test.header, body))
			m := messages(in)
			if len(frames) != kept || (test.want == "") != (len(m) == 0) || len(m) == 1 && (!strings.HasPrefix(m[0], test.want) || !in.Damage[0].Unread) {
				t.Errorf("%d frames, damage %q, want %q", len(frames), m, test.want)
			}
			frames, in, _ = read(t, join(header(0), body, test.header, body))
			if len(frames) != 1+kept {
				t.Errorf("as second member: %d frames, damage %q", len(frames), messages(in))
			}
			if test.want != "" {
				return
			}
			for _, n := range []int{3, 9, len(test.header) - 1} {
				want = []string{fmt.Sprintf("gzip data cut short at compressed offset %d", n)}
				_, in, _ := read(t, test.header[:n])
				if diff := cmp.Diff(want, messages(in)); diff != "" {
					t.Errorf("cut at %d (-want +got):\n%s", n, diff)
				}
			}
		})
	}
}

// TestGzipLength: the length in the trailer is checked too.
func TestGzipLength(t *testing.T) {
	whole := pack(t, "gzip", plain(60))
	whole[len(whole)-1] ^= 1
	frames, in, _ := read(t, whole)
	want := []string{fmt.Sprintf("gzip checksum wrong at compressed offset %d; 1 record kept", len(whole))}
	if diff := cmp.Diff(want, messages(in)); diff != "" || len(frames) != 1 {
		t.Errorf("%d frames, damage (-want +got):\n%s", len(frames), diff)
	}
}
