package pcapfile

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type countMap = map[string]uint64

// TestBadInput holds what is said about damaged and odd files, and what is kept.
func TestBadInput(t *testing.T) {
	le := ngSpec{}
	p := pcapSpec{}
	one := le.packet(0, 1e6, 4, []byte("abcd"))
	start := join(le.section(), le.iface(1, 0))
	longLength := func(kind, length uint32, body int) []byte {
		return join(le.words(kind, length), make([]byte, body))
	}
	wrongTrailer := bytes.Clone(one)
	binary.LittleEndian.PutUint32(wrongTrailer[len(wrongTrailer)-4:], 40)
	unpadded := le.block(blockPacket, le.words(0, 0, 1e6, 2, 2), []byte("ab"))
	binary.LittleEndian.PutUint32(unpadded[4:], uint32(len(unpadded)-2))
	binary.LittleEndian.PutUint32(unpadded[len(unpadded)-4:], uint32(len(unpadded)-2))

	tests := []inputTest{
		{name: "an empty file is no capture", damage: []string{"empty file, not a capture"}, unread: true},
		{name: "one byte of a file header", content: plain()[:1],
			damage: []string{"offset 0: file header cut short (have 1, need 24)"}, unread: true},
		{name: "23 bytes of a file header", content: plain()[:23],
			damage: []string{"offset 0: file header cut short (have 23, need 24)"}, unread: true},
		{name: "12 bytes of a section header", content: le.section()[:12],
			damage: []string{"offset 0: file header cut short (have 12, need 28)"}, unread: true},
		{name: "a file header alone", content: plain(), notes: []string{"no packets"}},
		{name: "not a capture", content: []byte("\xde\xad\xbe\xef and more, much more than a header"),
			damage: []string{"not pcap, pcapng or gzip (first bytes de ad be ef)"}, unread: true},
		{name: "two bytes that are no magic", content: []byte("%P"),
			damage: []string{"not pcap, pcapng or gzip (first bytes 25 50)"}, unread: true},
		{name: "record header cut", content: plain(62, 62)[:105],
			damage: []string{"record 2, offset 102: header cut short (have 3 of 16 bytes); 1 record kept"}, frames: 1},
		{name: "record data cut", content: plain(62, 62)[:102+16+57],
			damage: []string{"record 2, offset 102: data cut short (have 57 of 62 bytes); 1 record kept"}, frames: 1},
		{name: "captured length over the limit", content: join(plain(62), p.record(1, 1, math.MaxUint32, 60, make([]byte, 100))),
			damage: []string{"record 2, offset 102: captured length 4294967295 exceeds 262144; reading stopped, 1 record kept"}, frames: 1},
		{name: "captured length of a GiB, as the snap length has it", content: join(pcapSpec{snap: 1 << 30}.header(), p.record(1, 1, 1<<30, 1<<30, make([]byte, 100))),
			damage: []string{"record 1, offset 24: captured length 1073741824 exceeds 262144; reading stopped, 0 records kept"}},
		{name: "snap length below captured length", content: join(pcapSpec{snap: 10}.header(), p.record(1, 1, 20, 20, make([]byte, 20))),
			frames: 1, counts: countMap{"caplen-over-snaplen": 1}},
		{name: "captured length over the length on the wire", content: join(p.header(), p.record(1, 1, 20, 10, make([]byte, 20))),
			frames: 1, counts: countMap{"caplen-over-length": 1}},
		{name: "unsupported version", content: pcapSpec{major: 9, minor: 4}.header(),
			damage: []string{"unsupported pcap version 9.4"}, unread: true},
		{name: "later minor version", content: join(pcapSpec{major: 2, minor: 9}.header(), p.record(1, 1, 1, 1, []byte{1})),
			frames: 1, counts: countMap{"unknown-minor-version": 1}},
		{name: "more microseconds than a second has", content: join(p.header(), p.record(1, 2e6, 1, 1, []byte{1})),
			frames: 1, counts: countMap{"fraction-overflow": 1}},
		{name: "zero-length packets", content: plain(0, 0, 0), frames: 3},
		{name: "garbage after the last record", content: join(plain(10), bytes.Repeat([]byte("garbage"), 9)),
			damage: []string{"record 2, offset 50: captured length 1633841761 exceeds 262144; reading stopped, 1 record kept"}, frames: 1},
		{name: "captured length beyond the block", content: join(start, le.block(blockEnhancedPacket, le.words(0, 0, 0, math.MaxUint32, 60), make([]byte, 64)), one),
			damage: []string{"block 3, offset 48: packet length 4294967295 exceeds block length 96; 0 records kept"},
			frames: 1, counts: countMap{"packet-dropped": 1}},
		{name: "packet before any interface", content: join(le.section(), one, le.iface(1, 0), one),
			damage: []string{"block 2, offset 28: packet before any interface description; 0 records kept"},
			frames: 1, counts: countMap{"packet-dropped": 1}},
		{name: "packet of an interface that is not there", content: join(start, one, le.packet(99, 1, 1, []byte{1}), one),
			damage: []string{"block 4, offset 84: interface 99 of 1; 1 record kept"},
			frames: 2, counts: countMap{"packet-dropped": 1}},
		{name: "interface block too short", content: join(le.section(), le.block(blockInterface, le.words(1)), one, le.iface(1, 0), le.packet(1, 1, 1, []byte{1})),
			damage: []string{
				"block 2, offset 28: block length 16 too short for an interface; 0 records kept",
				"block 3, offset 44: interface 0 has no description; 0 records kept"},
			frames: 1, counts: countMap{"packet-dropped": 1}},
		{name: "packet block too short", content: join(start, le.block(blockEnhancedPacket, le.words(0)), one),
			damage: []string{"block 3, offset 48: block length 16 too short for a packet; 0 records kept"}, frames: 1},
		{name: "block length 0", content: join(start, one, longLength(6, 0, 20)),
			damage: []string{"block 4, offset 84: block length 0, less than 12; reading stopped, 1 record kept"}, frames: 1},
		{name: "block length 11", content: join(start, one, longLength(6, 11, 20)),
			damage: []string{"block 4, offset 84: block length 11, less than 12; reading stopped, 1 record kept"}, frames: 1},
		{name: "block length not a multiple of 4", content: join(start, one, longLength(6, 14, 20)),
			damage: []string{"block 4, offset 84: block length 14, not a multiple of 4; reading stopped, 1 record kept"}, frames: 1},
		{name: "block length without its padding, as the first draft had it", content: join(start, unpadded, unpadded),
			frames: 2, counts: countMap{"unpadded-block-length": 2}},
		{name: "block length 4 GiB", content: join(start, one, longLength(6, math.MaxUint32-3, 20)),
			damage: []string{"block 4, offset 84: block length 4294967292 exceeds 16777216; reading stopped, 1 record kept"}, frames: 1},
		{name: "block length beyond the file", content: join(start, one, longLength(6, 1<<20, 20)),
			damage: []string{"block 4, offset 84: block cut short (have 28 of 1048576 bytes); 1 record kept"}, frames: 1},
		{name: "block header cut", content: join(start, one, one[:5]),
			damage: []string{"block 4, offset 84: header cut short (have 5 of 12 bytes); 1 record kept"}, frames: 1},
		{name: "section header length too short", content: join(le.words(blockSection, 24, byteOrderMagic, 1), make([]byte, 20)),
			damage: []string{"block 1, offset 0: section header length 24, less than 28; reading stopped, 0 records kept"}},
		{name: "section of 4 GiB", content: join(start, one, longLength(blockSection, math.MaxUint32-3, 0), le.words(byteOrderMagic, 1, 0, 0)),
			damage: []string{"block 4, offset 84: block length 4294967292 exceeds 16777216; reading stopped, 1 record kept"}, frames: 1},
		{name: "trailing length differs and a block follows", content: join(start, wrongTrailer, one),
			damage: []string{"block 3, offset 48: block length 36 before and 40 after the block; 0 records kept"}, frames: 2},
		{name: "trailing length differs at the end of the file", content: join(start, wrongTrailer),
			damage: []string{"block 3, offset 48: block length 36 before and 40 after the block; 0 records kept"}, frames: 1},
		{name: "trailing length differs and no block follows", content: join(start, wrongTrailer, []byte("something else")),
			damage: []string{"block 3, offset 48: block length 36 before and 40 after the block; reading stopped, 0 records kept"}, frames: 1},
		{name: "clock too fine to tell the time", content: join(le.section(), le.iface(1, 0, le.option(optTSResol, []byte{127})), one, one),
			damage: []string{"block 3, offset 56: time unknown (1000000 units of 10^-127 s); 0 records kept"},
			frames: 2, counts: countMap{"time-unknown": 2}},
		{name: "binary clock too fine to tell the time", content: join(le.section(), le.iface(1, 0, le.option(optTSResol, []byte{255})), one),
			damage: []string{"block 3, offset 56: time unknown (1000000 units of 2^-127 s); 0 records kept"},
			frames: 1, counts: countMap{"time-unknown": 1}},
		{name: "clock offset -2^63 s", content: join(le.section(), le.iface(1, 0, le.option(optTSOffset, le.u64(1<<63))), one),
			damage: []string{"block 3, offset 60: time unknown (1000000 units of 10^-6 s and offset -9223372036854775808 s); 0 records kept"},
			frames: 1, counts: countMap{"time-unknown": 1}},
		{name: "time 2^64-1", content: join(start, le.packet(0, math.MaxUint64, 1, []byte{1})),
			damage: []string{"block 3, offset 48: time unknown (18446744073709551615 units of 10^-6 s); 0 records kept"},
			frames: 1, counts: countMap{"time-unknown": 1}},
		{name: "option length over the block", content: join(start, le.packet(0, 1, 4, []byte("abcd"), []byte{1, 0, 0xff, 0xff}), one),
			damage: []string{"block 3, offset 48: option 1: length 65535 exceeds block (0 bytes left); 1 record kept"},
			frames: 2, counts: countMap{"option-dropped": 1}},
		{name: "blocks that hold no packets are counted", content: join(start,
			le.block(blockNameResolution, le.words(0)), le.block(blockStatistics, le.words(0, 0, 0)), le.block(blockJournal),
			le.block(blockCustom, le.words(1)), le.block(blockCustomNoCopy, le.words(1)), le.block(77), one),
			frames: 1, counts: countMap{"name-resolution-block": 1, "statistics-block": 1, "journal-block": 1,
				"custom-block": 2, "unknown-block": 1}, notes: []string{numberedBlocks}},
		{name: "TLS secrets", content: join(start, le.block(blockSecrets, le.words(0x544c534b, 4), []byte("SECR")), one),
			frames: 1, counts: countMap{"secrets-block": 1}, notes: []string{"file holds TLS secrets"}},
		{name: "bad byte-order magic", content: le.block(blockSection, []byte("\xde\xad\xbe\xef"), make([]byte, 12)),
			damage: []string{"offset 0: bad byte-order magic deadbeef"}, unread: true},
		{name: "bad byte-order magic of a second section", content: join(start, one, le.block(blockSection, []byte("\xde\xad\xbe\xef"), make([]byte, 12))),
			damage: []string{"block 4, offset 84: bad byte-order magic deadbeef; reading stopped, 1 record kept"}, frames: 1},
		{name: "unsupported pcapng version", content: le.block(blockSection, le.words(byteOrderMagic, 0x0100), make([]byte, 8)),
			damage: []string{"unsupported pcapng version 256.0"}, unread: true},
		{name: "captures one after another", content: join(plain(5), plain(6), start, one, plain(7)),
			frames: 4, counts: countMap{"further-capture": 3},
			notes: []string{"several captures one after another in one stream"}},
		{name: "snoop after captures of other formats", content: join(plain(5), snooped(6), start, one, snooped(7),
			pcapSpec{order: binary.BigEndian}.header(), snooped(8), ngSpec{order: binary.BigEndian}.section(), snooped(9)),
			frames: 6, counts: countMap{"further-capture": 7},
			notes: []string{"several captures one after another in one stream"}},
		{name: "second file header cut short", content: join(plain(5), plain()[:20]),
			damage: []string{"offset 45: file header cut short (have 20, need 24); 1 record kept"},
			frames: 1, counts: countMap{"further-capture": 1}, notes: []string{"several captures one after another in one stream"}},
	}
	for _, test := range tests {
		t.Run(test.name, test.check)
	}
}

// TestFormatsOneAfterAnother: captures of all formats follow one another in all orders.
func TestFormatsOneAfterAnother(t *testing.T) {
	ng := join(ngSpec{}.section(), ngSpec{}.iface(1, 0), ngSpec{}.packet(0, 1, 1, []byte{1}))
	formats := map[string][]byte{"pcap": plain(5), "pcapng": ng, "snoop": snooped(6), "netmon": netmonitored(7), "netxray": netxrayed(8)}
	for first, a := range formats {
		for second, b := range formats {
			frames, in, _ := read(t, join(a, b, a))
			if len(frames) != 3 || len(in.Damage) > 0 {
				t.Errorf("%s, %s, %s: %d frames, %q", first, second, first, len(frames), messages(in))
			}
		}
	}
}

// TestDamageIsBounded: a million bad blocks are a few entries and a number.
func TestDamageIsBounded(t *testing.T) {
	le := ngSpec{}
	bad := le.packet(7, 1, 1, []byte{1})
	_, in, _ := read(t, join(le.section(), le.iface(1, 0), bytes.Repeat(bad, 1000)))
	if len(in.Damage) != maxDamage {
		t.Errorf("%d entries, want %d", len(in.Damage), maxDamage)
	}
	want := countMap{"more-damage": 1000 - maxDamage, "packet-dropped": 1000}
	if diff := cmp.Diff(want, counts(in)); diff != "" {
		t.Errorf("anomalies (-want +got):\n%s", diff)
	}
}

// TestNotesAreBounded: as many captures of datalinks without a decoder.
func TestNotesAreBounded(t *testing.T) {
	var b []byte
	for i := range uint32(60_000) {
		b = append(b, snoopFile(1000+i)...)
	}
	if _, in, _ := read(t, b); len(in.Notes) != maxNotes {
		t.Errorf("%d notes, want %d", len(in.Notes), maxNotes)
	}
}

// TestCutAnywhere: whatever the place where a file ends, all whole records before
// it are given, and only a file that ends between records has no damage.
func TestCutAnywhere(t *testing.T) {
	le := ngSpec{}
	files := map[string]struct {
		content []byte
		ends    []int // of the headers and each record
		closed  bool  // the file header says where the file ends: no cut is overlooked
	}{
		"pcap":    {plain(3, 0, 9), []int{24, 43, 59, 84}, false},
		"pcapng":  {join(le.section(), le.iface(1, 0), le.packet(0, 1, 4, []byte("abcd")), le.packet(0, 1, 4, []byte("abcd"))), []int{48, 84, 120}, false},
		"snoop":   {snooped(4, 0, 8), []int{16, 44, 68, 100}, false},
		"netmon":  {netmonitored(4, 0, 8), []int{128, 148, 164, 188}, true},
		"netxray": {netxrayed(4, 0, 8), []int{128, 172, 212, 260}, true},
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			for n := 1; n <= len(file.content); n++ {
				frames, in, _ := read(t, file.content[:n])
				whole, between := -1, n == 28 && name == "pcapng"
				for _, end := range file.ends {
					if n >= end {
						whole++
					}
					between = between || n == end
				}
				if file.closed {
					between = n == len(file.content)
				}
				if len(frames) != max(whole, 0) || between != (len(in.Damage) == 0) {
					t.Errorf("cut at %d: %d frames, damage %q", n, len(frames), messages(in))
				}
				for _, m := range messages(in) {
					if !strings.Contains(m, "cut short") {
						t.Errorf("cut at %d: %s", n, m)
					}
				}
			}
		})
	}
}
