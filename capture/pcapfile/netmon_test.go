package pcapfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// A netmonSpec says what kind of Network Monitor file to build; the zero value is
// version 2.0, Ethernet.
type netmonSpec struct {
	major, minor byte
	network      uint16
	date         []uint16 // a SYSTEMTIME; nil means netmonDate
	table        []uint32 // nil means the offsets of the frames
}

// netmonDate is netmonStart as a SYSTEMTIME, without the day of the week.
var netmonDate = []uint16{2005, 7, 0, 3, 8, 54, 5, 539}

const netmonStart = 1_120_380_845_539_000_000

// header is a file header.
func (s netmonSpec) header(table, length uint32) []byte {
	magic := netmonMagic2
	if s.major == 0 {
		s.major = 2
	}
	if s.network == 0 {
		s.network = 1
	}
	if s.major == 1 {
		magic = netmonMagic1
	}
	b := append([]byte(magic), s.minor, s.major)
	b = binary.LittleEndian.AppendUint16(b, s.network)
	if s.date == nil {
		s.date = netmonDate
	}
	for _, v := range s.date {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	b = append(b, ngSpec{}.words(table, length)...)
	return append(b, make([]byte, netmonHeader-len(b))...)
}

// frame is a frame and what is before and behind it.
func (s netmonSpec) frame(delta uint64, length uint32, data []byte, trailer ...byte) []byte {
	n := uint32(len(data))
	if s.major == 1 {
		return join(ngSpec{}.words(uint32(delta), length&0xffff|n<<16), data)
	}
	return join(ngSpec{}.words(uint32(delta), uint32(delta>>32), length, n), data, trailer)
}

// netmonTrailer is what is behind a frame of version 2.1 to 2.3.
func netmonTrailer(minor int, network uint16, utc uint64) []byte {
	b := binary.LittleEndian.AppendUint16(nil, network)
	b = append(b, 1, 2, 3, 4)
	b = binary.LittleEndian.AppendUint64(b, utc)
	return append(b, 5)[:netmonTrailers[minor]]
}

// file is a file of frames and their table.
func (s netmonSpec) file(frames ...[]byte) []byte {
	var body []byte
	var table []uint32
	for _, f := range frames {
		table = append(table, uint32(netmonHeader+len(body)))
		body = append(body, f...)
	}
	if s.table != nil {
		table = s.table
	}
	return join(s.header(uint32(netmonHeader+len(body)), uint32(4*len(table))), body, ngSpec{}.words(table...))
}

// netmonitored is a file with frames of the given sizes, a second apart.
func netmonitored(sizes ...int) []byte {
	var frames [][]byte
	for i, n := range sizes {
		frames = append(frames, netmonSpec{}.frame(uint64(i)*1e6, uint32(n), frame(i, n)))
	}
	return netmonSpec{}.file(frames...)
}

// TestNetmonVersions: where lengths and times are in each version.
func TestNetmonVersions(t *testing.T) {
	const utc = 133_000_000_000_000_000 // 2022-06-17T22:26:40Z
	const later = capture.Timestamp(1_655_526_400_000_000_000)
	minusOne := ^uint64(0) // microseconds
	ethernet := func(minor int, utc uint64) []byte { return netmonTrailer(minor, 1, utc) }
	tests := []struct {
		name    string
		content []byte
		times   []capture.Timestamp
		unit    time.Duration
	}{
		{"1.1", netmonSpec{major: 1, minor: 1}.file(netmonSpec{major: 1}.frame(7, 60, []byte("abc")), netmonSpec{major: 1}.frame(1<<32-1, 3, []byte("def"))),
			[]capture.Timestamp{netmonStart + 7e6, netmonStart + (1<<32-1)*1e6}, time.Millisecond},
		{"2.0", netmonSpec{}.file(netmonSpec{}.frame(7, 60, []byte("abc")), netmonSpec{}.frame(minusOne, 3, []byte("def"))),
			[]capture.Timestamp{netmonStart + 7e3, netmonStart - 1e3}, time.Microsecond},
		{"2.1", netmonSpec{minor: 1}.file(netmonSpec{}.frame(7, 60, []byte("abc"), ethernet(1, 0)...), netmonSpec{}.frame(8, 3, []byte("def"), ethernet(1, 0)...)),
			[]capture.Timestamp{netmonStart + 7e3, netmonStart + 8e3}, time.Microsecond},
		{"2.2", netmonSpec{minor: 2}.file(netmonSpec{}.frame(7, 60, []byte("abc"), ethernet(2, 0)...), netmonSpec{}.frame(8, 3, []byte("def"), ethernet(2, 0)...)),
			[]capture.Timestamp{netmonStart + 7e3, netmonStart + 8e3}, time.Microsecond},
		{"2.3, of which one frame has no time of its own", netmonSpec{minor: 3}.file(netmonSpec{}.frame(7, 60, []byte("abc"), ethernet(3, utc+1)...), netmonSpec{}.frame(8, 3, []byte("def"), ethernet(3, 0)...)),
			[]capture.Timestamp{later + 100, netmonStart + 8e3}, 100},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frames, in, ifaces := read(t, test.content)
			want := []got{
				{Time: test.times[0], Data: "abc", Length: 60, Link: capture.LinkEthernet},
				{Time: test.times[1], Data: "def", Length: 3, Link: capture.LinkEthernet},
			}
			if diff := cmp.Diff(want, frames); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]capture.Interface{{Link: capture.LinkEthernet, Resolution: test.unit}}, ifaces); diff != "" {
				t.Errorf("interfaces (-want +got):\n%s", diff)
			}
			in.Name = ""
			if diff := cmp.Diff(capture.Input{Format: "netmon", Frames: 2, Bytes: 63, Captured: 6}, in); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNetmonNetwork: what the network types of a file and of a frame stand for.
func TestNetmonNetwork(t *testing.T) {
	radio := "\x02\x20\x00" + string(make([]byte, 29)) + "abcd"
	circuit := string(make([]byte, 16)) + "abcd"
	tests := map[uint16]struct {
		link capture.LinkType
		data string
	}{
		1: {capture.LinkEthernet, "abcd"}, 2: {capture.LinkTokenRing, "abcd"}, 3: {capture.LinkFDDI, "abcd"},
		4: {capture.LinkATM, circuit}, 5: {noLinkType, "abcd"}, 6: {capture.LinkWiFi, radio}, 9: {capture.LinkRaw, "abcd"},
		12: {noLinkType, "abcd"}, 0xdfff: {noLinkType, "abcd"}, 0xe001: {capture.LinkEthernet, "abcd"},
		0xe07f: {capture.LinkRadiotap, "abcd"}, 0xe080: {capture.LinkWiFi, "abcd"}, 0xe081: {noLinkType, "abcd"},
		0xe08a: {noLinkType, "abcd"}, 0xe114: {capture.LinkSLL2, "abcd"}, 0xf001: {noLinkType, "abcd"},
	}
	for network, want := range tests {
		n := uint32(len(want.data))
		for _, content := range [][]byte{
			netmonSpec{network: network}.file(netmonSpec{}.frame(1, n, []byte(want.data))),
			netmonSpec{minor: 1}.file(netmonSpec{}.frame(1, n, []byte(want.data), netmonTrailer(1, network, 0)...)),
		} {
			frames, in, ifaces := read(t, content)
			if len(frames) != 1 || frames[0].Link != want.link || frames[0].Data != "abcd" || frames[0].Length != 4 ||
				len(ifaces) != 1 || ifaces[0].Link != want.link || (want.link == noLinkType) != (len(in.Notes) == 1) {
				t.Errorf("network type %#x: %v, notes %q; want link %v", network, frames, in.Notes, want.link)
			}
		}
	}
}

// TestNetmonPseudoFrames: what is no packet is no frame; each network type is an
// interface.
func TestNetmonPseudoFrames(t *testing.T) {
	s := netmonSpec{minor: 2}
	one := func(network uint16) []byte { return s.frame(1, 4, []byte("abcd"), netmonTrailer(2, network, 0)...) }
	frames, in, ifaces := read(t, s.file(one(0xfffd), one(1), one(0xe071), one(1), one(0xffe0), one(0xffff), one(0xe071), one(0xfffc)))
	var links []capture.LinkType
	for _, f := range frames {
		if ifaces[f.Iface].Link != f.Link {
			t.Errorf("frame %v of interface %v", f, ifaces[f.Iface])
		}
		links = append(links, f.Link)
	}
	if diff := cmp.Diff([]capture.LinkType{1, 113, 1, 113}, links); diff != "" || len(ifaces) != 2 {
		t.Errorf("%d interfaces, links (-want +got):\n%s", len(ifaces), diff)
	}
	if diff := cmp.Diff(countMap{"pseudo-frame": 4}, counts(in)); diff != "" {
		t.Errorf("anomalies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{numberedPseudo}, in.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestNetmonBadInput(t *testing.T) {
	s := netmonSpec{}
	one := s.frame(1, 62, frame(0, 62)) // 78 bytes
	two := s.file(one, one)             // the table at 284
	// headed is a file whose frame table is not where the frames end.
	headed := func(table, length uint32, frames ...[]byte) []byte {
		return join(s.header(table, length), join(frames...))
	}
	other := func(offsets ...uint32) netmonSpec { return netmonSpec{table: offsets} }
	concatenated := []string{"several captures one after another in one stream"}
	unknown := countMap{"time-unknown": 2}
	tests := []inputTest{
		{name: "one byte of a file header", content: two[:1],
			damage: []string{"offset 0: file header cut short (have 1, need 128)"}, unread: true},
		{name: "127 bytes of a file header", content: two[:127],
			damage: []string{"offset 0: file header cut short (have 127, need 128)"}, unread: true},
		{name: "no frames", content: s.file(), notes: []string{"no packets"}},
		{name: "unsupported version", content: netmonSpec{major: 3, minor: 1}.file(one),
			damage: []string{"unsupported Network Monitor version 3.1"}, unread: true},
		{name: "later minor version", content: netmonSpec{minor: 4}.file(s.frame(1, 1, []byte{1}, netmonTrailer(3, 1, 1e17)...)),
			frames: 1, counts: countMap{"unknown-minor-version": 1}},
		{name: "capture that was not finished", content: headed(0, 0, one),
			damage: []string{"frame table at 0, inside the file header"}, unread: true},
		{name: "frame header cut", content: two[:206+3],
			damage: []string{"record 2, offset 206: header cut short (have 3 of 16 bytes); 1 record kept"}, frames: 1},
		{name: "frame cut", content: two[:206+16+57],
			damage: []string{"record 2, offset 206: data cut short (have 57 of 62 bytes); 1 record kept"}, frames: 1},
		{name: "trailer cut", content: netmonSpec{minor: 1}.file(s.frame(1, 4, []byte("abcd"), 1, 0))[:128+16+5],
			damage: []string{"record 1, offset 128: data cut short (have 5 of 6 bytes); 0 records kept"}},
		{name: "file ends before the frame table", content: two[:206],
			damage: []string{"offset 206: frame table cut short (have 0 of 8 bytes); 1 record kept"}, frames: 1},
		{name: "frame table cut", content: two[:len(two)-3],
			damage: []string{"offset 288: frame table cut short (have 5 of 8 bytes); 2 records kept"}, frames: 2},
		{name: "captured length over the limit", content: headed(1<<20, 4, one, ngSpec{}.words(1, 0, 60, math.MaxUint32)),
			damage: []string{"record 2, offset 206: captured length 4294967295 exceeds 262144; reading stopped, 1 record kept"}, frames: 1},
		{name: "frame over the frame table", content: headed(283, 4, one, one),
			damage: []string{"record 2, offset 206: frame of 78 bytes, 77 left before the frame table; reading stopped, 1 record kept"}, frames: 1},
		{name: "frame header over the frame table", content: headed(221, 4, one, one),
			damage: []string{"record 2, offset 206: frame of 16 bytes, 15 left before the frame table; reading stopped, 1 record kept"}, frames: 1},
		{name: "gap before the second frame", content: join(s.header(384, 8), one, bytes.Repeat([]byte{0xee}, 100), one, ngSpec{}.words(128, 306)),
			damage: []string{"record 2, offset 206: captured length 4008636142 exceeds 262144; reading stopped, 1 record kept"}, frames: 1},
		{name: "gap that looks like a frame", content: join(s.header(300, 8), make([]byte, 16), one, one, ngSpec{}.words(144, 222)),
			damage: []string{"offset 300: frame table lists 2 frames, 3 stand before it; reading stopped, 3 records kept"}, frames: 3},
		{name: "frame table lists fewer", content: other(128).file(one, one),
			damage: []string{"offset 284: frame table lists 1 frames, 2 stand before it; reading stopped, 2 records kept"}, frames: 2},
		{name: "frame table lists other places", content: other(128, 128).file(one, one),
			damage: []string{"offset 284: frame table lists other places than those of the 2 frames before it; 2 records kept"}, frames: 2},
		{name: "frame table in another order", content: other(206, 284, 128).file(one, one, one), frames: 3,
			counts: countMap{"frame-table-order": 1}, notes: []string{"frames are in the order of the file, the frame table has another"}},
		{name: "no frame table", content: headed(206, 0, one),
			damage: []string{"offset 206: frame table lists 0 frames, 1 stand before it; reading stopped, 1 record kept"}, frames: 1},
		{name: "frame table of part of an entry more", content: headed(206, 7, one, ngSpec{}.words(128, 0)), frames: 1},
		{name: "captured length over the length on the wire", content: s.file(s.frame(1, 2, []byte("abcd"))),
			frames: 1, counts: countMap{"caplen-over-length": 1}},
		{name: "frame shorter than what the radio knew", content: netmonSpec{network: 6}.file(s.frame(1, 4, []byte{2, 0xff, 0xff, 0}), s.frame(1, 1, []byte{2})), frames: 2},
		{name: "start in the year 0", content: netmonSpec{date: make([]uint16, 8)}.file(one, one), frames: 2, counts: unknown,
			damage: []string{"record 1, offset 128: time unknown (before 1677 or after 2262); 0 records kept"}},
		{name: "start in the year 65535", content: netmonSpec{date: []uint16{65535, 65535, 0, 65535, 65535, 65535, 65535, 65535}}.file(one, one), frames: 2, counts: unknown,
			damage: []string{"record 1, offset 128: time unknown (before 1677 or after 2262); 0 records kept"}},
		{name: "frames centuries apart", content: s.file(s.frame(1<<60, 1, []byte{1}), one, s.frame(-1<<60&(1<<64-1), 1, []byte{1})), frames: 3, counts: unknown,
			damage: []string{"record 1, offset 128: time unknown (before 1677 or after 2262); 0 records kept"}},
		{name: "UTC beyond all years", content: netmonSpec{minor: 3}.file(s.frame(1, 1, []byte{1}, netmonTrailer(3, 1, 1<<64-1)...), s.frame(1, 1, []byte{1}, netmonTrailer(3, 1, 1)...)), frames: 2, counts: unknown,
			damage: []string{"record 1, offset 128: time unknown (before 1677 or after 2262); 0 records kept"}},
		{name: "what follows the frame table is passed over", content: join(two, bytes.Repeat([]byte("comments"), 1000)), frames: 2},
		{name: "the damage of a second capture has its own place", content: join(two, two[:206+3]),
			damage: []string{"record 4, offset 498: header cut short (have 3 of 16 bytes); 3 records kept"},
			frames: 3, counts: countMap{"further-capture": 1}, notes: concatenated},
		{name: "a second capture that cannot be used", content: join(two, headed(0, 0, one)),
			damage: []string{"frame table at 0, inside the file header; reading stopped, 2 records kept"},
			frames: 2, counts: countMap{"further-capture": 1}, notes: concatenated},
	}
	for _, test := range tests {
		t.Run(test.name, test.check)
	}
}

func TestNetmonCompressed(t *testing.T) {
	want, _, _ := read(t, netmonitored(60, 70, 0))
	frames, in, _ := read(t, pack(t, "gzip", netmonitored(60, 70, 0)))
	if diff := cmp.Diff(want, frames); diff != "" || in.Compression != "gzip" || in.Format != "netmon" {
		t.Errorf("%s in %s, frames (-want +got):\n%s", in.Format, in.Compression, diff)
	}
	cut := pack(t, "gzip", join(netmonitored(60), make([]byte, 1000)))
	if _, in, _ := read(t, cut[:len(cut)-4]); len(in.Damage) != 1 {
		t.Errorf("compressed data cut behind the frames: damage %q", messages(in))
	}
}

func FuzzNetmon(f *testing.F) {
	s := netmonSpec{}
	f.Add(netmonitored(60, 0, 5))
	f.Add(join(netmonitored(4), netmonitored(7), plain(3)))
	f.Add(netmonSpec{major: 1, minor: 1}.file(netmonSpec{major: 1}.frame(7, 60, []byte("abc"))))
	f.Add(netmonSpec{minor: 1}.file(s.frame(7, 60, []byte("abc"), 1, 0), s.frame(7, 3, []byte("abc"), 0xff, 0xff)))
	f.Add(netmonSpec{minor: 3}.file(s.frame(7, 60, []byte("abc"), netmonTrailer(3, 0xe071, 133_000_000_000_000_000)...)))
	f.Add(netmonSpec{network: 6, table: []uint32{131, 128}}.file(s.frame(7, 60, []byte("\x02\x05\x00abcd"))))
	f.Fuzz(func(t *testing.T, content []byte) { check(t, content) })
}

// Behind the frame table of a plain file nothing is read, however long the file is.
func TestNothingIsReadBehindTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.cap")
	if err := os.WriteFile(path, netmonSpec{}.file(netmonSpec{}.frame(1, 60, frame(0, 60))), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	r, err := Open(context.Background(), []string{path}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, n := newBlock(), 0
	for err == nil { // takes a quarter of an hour when all is read
		err = r.Next(b)
		n += len(b.Frames)
	}
	if in := r.Stats().Inputs[0]; err != io.EOF || n != 1 || len(in.Damage) != 0 {
		t.Errorf("%d frames, damage %v, %v", n, in.Damage, err)
	}
}
