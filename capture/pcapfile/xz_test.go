package pcapfile

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// xzWithFilters gives an .xz file whose first block header says something else.
func xzWithFilters(t *testing.T, flags byte, filters ...byte) []byte {
	t.Helper()
	whole := pack(t, "xz", plain(60))
	old := 4 * (int(whole[xzStreamHeader]) + 1)
	header := append([]byte{0, flags}, filters...)
	for len(header)%4 != 0 {
		header = append(header, 0)
	}
	header[0] = byte(len(header) / 4)
	header = binary.LittleEndian.AppendUint32(header, crc32.ChecksumIEEE(header))
	return join(whole[:xzStreamHeader], header, whole[xzStreamHeader+old:])
}

// TestXZFilters: filters for programs are told apart from broken data.
func TestXZFilters(t *testing.T) {
	const unsupported = "xz filter not supported"
	tests := []struct {
		name    string
		flags   byte
		filters []byte
		want    string
	}{
		{"x86 before LZMA2", 1, []byte{4, 0, xzFilterLZMA2, 1, 22}, unsupported},
		{"delta before LZMA2", 1, []byte{3, 1, 0, xzFilterLZMA2, 1, 22}, unsupported},
		{"another last filter", 0, []byte{0x30, 1, 22}, unsupported},
		{"reserved flag", 4, []byte{xzFilterLZMA2, 1, 22}, "xz data corrupt near compressed offset 24"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			content := xzWithFilters(t, test.flags, test.filters...)
			frames, in, _ := read(t, content)
			if diff := cmp.Diff([]string{test.want}, messages(in)); diff != "" || len(frames) != 0 || !in.Damage[0].Unread {
				t.Errorf("%d frames, unread %v, damage (-want +got):\n%s", len(frames), in.Damage[0].Unread, diff)
			}
			_, in, _ = read(t, join(pack(t, "xz", plain(60)), content))
			if in.Frames != 1 || len(in.Damage) != 1 || in.Damage[0].Unread || !in.Damage[0].Stopped {
				t.Errorf("behind a stream: %d frames, damage %+v", in.Frames, in.Damage)
			}
		})
	}
}

// TestXZIndex: an index of more or fewer blocks than there were is corrupt, and
// not read on for as long as it says.
func TestXZIndex(t *testing.T) {
	whole := pack(t, "xz", plain(60))
	index := len(whole) - xzFooter - 4*(int(binary.LittleEndian.Uint32(whole[len(whole)-8:]))+1)
	for _, records := range []byte{0, 2, 0x7f} {
		whole[index+1] = records
		frames, in, _ := read(t, whole)
		if len(frames) != 1 || len(in.Damage) != 1 || in.Damage[0].Code != "xz-corrupt" {
			t.Errorf("%d blocks: %d frames, damage %q", records, len(frames), messages(in))
		}
	}
}
