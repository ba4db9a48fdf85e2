package pcapfile

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// snoopFile is the header of a snoop file of a datalink type.
func snoopFile(datalink uint32) []byte {
	b := append([]byte(snoopMagic), 0, 0, 0, snoopVersion)
	return binary.BigEndian.AppendUint32(b, datalink)
}

// snoopPacket is a record of whole data, padded as RFC 1761 has it.
func snoopPacket(sec, micro uint32, data []byte) []byte {
	n := uint32(len(data))
	return join(snoopWords(n, n, (snoopRecord+n+3)&^3, 0, sec, micro), data, make([]byte, -n&3))
}

// snoopWords are words in the byte order of the format.
func snoopWords(v ...uint32) []byte { return ngSpec{order: binary.BigEndian}.words(v...) }

// snooped is a snoop file with frames of the given sizes, a second apart.
func snooped(sizes ...int) []byte {
	b := snoopFile(4)
	for i, n := range sizes {
		b = append(b, snoopPacket(uint32(i+1), 5, frame(i, n))...)
	}
	return b
}

// TestSnoop: lengths, times and the count of lost frames, of which the last one
// stands for all.
func TestSnoop(t *testing.T) {
	frames, in, ifaces := read(t, join(snoopFile(4),
		snoopWords(60, 3, 28, 2, 1, 7), []byte("abc\x00"),
		snoopWords(4, 4, 28, 9, 1<<32-1, 999_999), []byte("defg"),
		snoopWords(0, 0, 24, 9, 2, 0)))
	want := []got{
		{Time: 1_000_007_000, Data: "abc", Length: 60, Link: capture.LinkEthernet},
		{Time: (1<<32-1)*1e9 + 999_999_000, Data: "defg", Length: 4, Link: capture.LinkEthernet},
		{Time: 2e9, Link: capture.LinkEthernet},
	}
	if diff := cmp.Diff(want, frames); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
	wantInterface := []capture.Interface{{Link: capture.LinkEthernet, Resolution: time.Microsecond, Drops: 9}}
	if diff := cmp.Diff(wantInterface, ifaces); diff != "" {
		t.Errorf("interfaces (-want +got):\n%s", diff)
	}
	in.Name = ""
	wantInput := capture.Input{Format: "snoop", Frames: 3, Bytes: 64, Captured: 7}
	if diff := cmp.Diff(wantInput, in); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
}

func TestSnoopDatalink(t *testing.T) {
	for datalink, want := range map[uint32]capture.LinkType{
		0: capture.LinkEthernet, 2: capture.LinkTokenRing, 4: capture.LinkEthernet, 8: capture.LinkFDDI,
		9: noLinkType, 1 << 16: noLinkType, 1<<32 - 1: noLinkType,
	} {
		frames, in, _ := read(t, join(snoopFile(datalink), snoopPacket(1, 1, []byte("abcd"))))
		if len(frames) != 1 || frames[0].Link != want || (want == noLinkType) != (len(in.Notes) == 1) {
			t.Errorf("datalink %d: %v, notes %q; want link %v", datalink, frames, in.Notes, want)
		}
	}
}

// TestSnoopBadInput holds what is said about damaged and odd snoop files, and
// what is kept.
func TestSnoopBadInput(t *testing.T) {
	one := snoopPacket(1, 1, frame(0, 62)) // 88 bytes, from offset 16
	start := join(snoopFile(4), one)
	later := bytes.Clone(snoopFile(4))
	later[11] = 3
	ng := ngSpec{}
	concatenated := []string{"several captures one after another in one stream"}
	tests := []inputTest{
		{name: "one byte of a file header", content: start[:1],
			damage: []string{"offset 0: file header cut short (have 1, need 16)"}, unread: true},
		{name: "15 bytes of a file header", content: start[:15],
			damage: []string{"offset 0: file header cut short (have 15, need 16)"}, unread: true},
		{name: "a file header alone", content: start[:16], notes: []string{"no packets"}},
		{name: "another word that begins alike", content: []byte("snoopy is not a capture file"),
			damage: []string{"not pcap, pcapng or gzip (first bytes 73 6e 6f 6f)"}, unread: true},
		{name: "unsupported version", content: later,
			damage: []string{"unsupported snoop version 3"}, unread: true},
		{name: "record header cut", content: join(start, one[:3]),
			damage: []string{"record 2, offset 104: header cut short (have 3 of 24 bytes); 1 record kept"}, frames: 1},
		{name: "record data cut", content: join(start, one[:24+57]),
			damage: []string{"record 2, offset 104: data cut short (have 57 of 62 bytes); 1 record kept"}, frames: 1},
		{name: "padding of the last record cut", content: join(start, one[:24+63]), frames: 2, counts: countMap{"padding-cut-short": 1}},
		{name: "last record without padding", content: join(start, one[:24+62]), frames: 2, counts: countMap{"padding-cut-short": 1}},
		{name: "padding that is not needed", content: join(snoopFile(4), snoopWords(1, 1, 36, 0, 1, 1), make([]byte, 12), one),
			frames: 2, counts: countMap{"padding-long": 1}},
		{name: "padding to 8 bytes, as Solaris has it", content: join(snoopFile(4), snoopWords(1, 1, 32, 0, 1, 1), make([]byte, 8), one), frames: 2},
		{name: "record length without padding", content: join(snoopFile(4), snoopWords(1, 1, 25, 0, 1, 1), []byte{1}, one), frames: 2},
		{name: "captured length over the limit", content: join(start, snoopWords(1<<32-1, 1<<32-1, 23, 0, 1, 1)),
			damage: []string{"record 2, offset 104: captured length 4294967295 exceeds 262144; reading stopped, 1 record kept"}, frames: 1},
		{name: "record length of 4 GiB", content: join(start, snoopWords(60, 60, 1<<32-4, 0, 1, 1), frame(0, 60)),
			damage: []string{"record 2, offset 104: record length 4294967292 exceeds 262176; reading stopped, 1 record kept"}, frames: 1},
		{name: "record length below the data's", content: join(start, snoopWords(60, 60, 80, 0, 1, 1), frame(0, 60)),
			damage: []string{"record 2, offset 104: record length 80, less than 84 of header and data; reading stopped, 1 record kept"}, frames: 1},
		{name: "record length 0", content: join(start, snoopWords(0, 0, 0, 0, 1, 1)),
			damage: []string{"record 2, offset 104: record length 0, less than 24 of header and data; reading stopped, 1 record kept"}, frames: 1},
		{name: "garbage after the last record", content: join(start, bytes.Repeat([]byte("garbage"), 9)),
			damage: []string{"record 2, offset 104: captured length 1634166119 exceeds 262144; reading stopped, 1 record kept"}, frames: 1},
		{name: "captured length over the length on the wire", content: join(snoopFile(4), snoopWords(2, 4, 28, 0, 1, 1), []byte("abcd")),
			frames: 1, counts: countMap{"caplen-over-length": 1}},
		{name: "more microseconds than a second has", content: join(snoopFile(4), snoopWords(4, 4, 28, 0, 1, 2e6), []byte("abcd")),
			frames: 1, counts: countMap{"fraction-overflow": 1}},
		{name: "after snoop another, pcap of both orders and pcapng of both orders",
			content: join(start, start, plain(5), start, pcapSpec{order: binary.BigEndian}.header(), start,
				ng.section(), ng.iface(1, 0), start, ngSpec{order: binary.BigEndian}.section(), start),
			frames: 7, counts: countMap{"further-capture": 9}, notes: concatenated},
	}
	for _, test := range tests {
		t.Run(test.name, test.check)
	}
}

// TestSnoopCompressed: the format does not matter to what is around it.
func TestSnoopCompressed(t *testing.T) {
	want, _, _ := read(t, snooped(60, 70, 0))
	frames, in, _ := read(t, pack(t, "gzip", snooped(60, 70, 0)))
	if diff := cmp.Diff(want, frames); diff != "" || in.Compression != "gzip" || in.Format != "snoop" {
		t.Errorf("%s in %s, frames (-want +got):\n%s", in.Format, in.Compression, diff)
	}
}

func FuzzSnoop(f *testing.F) {
	f.Add(snooped(60, 0, 5))
	f.Add(join(snooped(4), snooped(7), plain(3)))
	f.Add(join(snoopFile(8), snoopWords(60, 3, 28, 2, 1, 2e6), []byte("abc\x00"), snoopWords(2, 3, 40, 1, 1, 1), make([]byte, 16)))
	f.Add(join(snooped(9), snoopWords(60, 60, 80, 0, 1, 1), frame(0, 60)))
	f.Fuzz(func(t *testing.T, content []byte) { check(t, content) })
}
