package pcapfile

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"sockscope/capture"
)

// A netxraySpec says what kind of NetXRay file to build; the zero value is version
// 2.002, Ethernet by NDIS, microseconds.
type netxraySpec struct {
	version       string // "old" has none
	network, plus byte
	unit, kind    byte
	rate          uint32 // of the clock
	zero          uint64 // ticks at the start
	first, end    uint32 // 0 means where the records are
}

const netxrayStart = 1_151_586_854

func (s netxraySpec) name() string {
	switch s.version {
	case "":
		return "002.002"
	case "old":
		return ""
	}
	return s.version
}

// header is a file header for the given number of bytes of records.
func (s netxraySpec) header(size int) []byte {
	if s.first == 0 {
		s.first = netxrayHeader
	}
	if s.end == 0 {
		s.end = uint32(netxrayHeader + size)
	}
	b := make([]byte, netxrayHeader)
	copy(b, netxrayMagic+s.name())
	if s.version == "old" {
		copy(b, netxrayMagicOld)
	}
	binary.LittleEndian.PutUint32(b[12:], netxrayStart)
	binary.LittleEndian.PutUint32(b[24:], s.first)
	binary.LittleEndian.PutUint32(b[28:], s.end)
	b[44], b[45], b[48], b[84] = s.network, s.plus, s.unit, s.kind
	binary.LittleEndian.PutUint64(b[52:], s.zero)
	binary.LittleEndian.PutUint32(b[76:], s.rate)
	return b
}

// record is a record. The bytes of its header whose meaning is not known are 0,
// but for those that more gives, from the first one on.
func (s netxraySpec) record(ticks uint64, length uint16, data []byte, more ...byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, ticks)
	b = binary.LittleEndian.AppendUint16(b, length)
	if s.version != "old" {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	}
	b = append(b, more...)
	b = append(b, make([]byte, max(netxrayVersions[s.name()].record-len(b), 0))...)
	return append(b, data...)
}

func (s netxraySpec) file(records ...[]byte) []byte {
	body := join(records...)
	return join(s.header(len(body)), body)
}

// netxrayed is a file with frames of the given sizes, a second apart.
func netxrayed(sizes ...int) []byte {
	var records [][]byte
	for i, n := range sizes {
		records = append(records, netxraySpec{}.record(uint64(i)*1e6, uint16(n), frame(i, n)))
	}
	return netxraySpec{}.file(records...)
}

// TestNetxrayTime: the length of a tick by version, network and kind of capture.
func TestNetxrayTime(t *testing.T) {
	const start = netxrayStart * capture.Timestamp(1e9)
	tests := []struct {
		name  string
		spec  netxraySpec
		ticks uint64
		want  capture.Timestamp
		unit  time.Duration
	}{
		{"before versions, milliseconds", netxraySpec{version: "old"}, 1500, start + 1.5e9, time.Millisecond},
		{"1.000, milliseconds", netxraySpec{version: "001.000"}, 1500, start + 1.5e9, time.Millisecond},
		{"1.100, microseconds", netxraySpec{version: "001.100"}, 1_500_000, start + 1.5e9, time.Microsecond},
		{"2.000, unit 0", netxraySpec{version: "002.000"}, 1 << 32, start + (1<<32)*1e3, time.Microsecond},
		{"ticks at the start", netxraySpec{version: "001.100", zero: 1_000_000}, 1_500_000, start + 5e8, time.Microsecond},
		{"before the start", netxraySpec{version: "001.100", zero: 1_500_000}, 1_000_000, start - 5e8, time.Microsecond},
		{"Ethernet, unit 1", netxraySpec{unit: 1}, 1_193_000, start + 1e9, 838},
		{"Ethernet, unit 2, by the rate of the clock", netxraySpec{unit: 2, rate: 3_579_545}, 3_579_545 * 3, start + 3e9, 279},
		{"token ring, unit 2", netxraySpec{network: 1, unit: 2, rate: 5}, 1_193_182, start + 1e9, 838},
		{"gigabit pod", netxraySpec{kind: 2}, 5, start + 5, 1},
		{"gigabit pod, unit 2, start not counted", netxraySpec{kind: 2, unit: 2, zero: 7}, 31_250_000, start + 1e9, 32},
		{"gigabit pod of 2.001, start counted", netxraySpec{version: "002.001", kind: 2, zero: 5}, 7, start + 2, 1},
		{"other pod, unit 2", netxraySpec{kind: 3, unit: 2}, 1_250_000, start + 1e9, 800},
		{"second other pod", netxraySpec{kind: 5}, 1e6, start + 1e9, time.Microsecond},
		{"gigabit blade, unit 2", netxraySpec{kind: 6, unit: 2}, 20_000_000, start + 1e9, 50},
		{"fractions of a nanosecond are cut off", netxraySpec{unit: 1}, 1, start + 838, 838},
		{"unit that is not known", netxraySpec{unit: 3}, 1, capture.Unknown, 1},
		{"kind of capture that is not known", netxraySpec{kind: 7}, 1, capture.Unknown, 1},
		{"clock that stands still", netxraySpec{unit: 2}, 1, capture.Unknown, 1},
		{"centuries later", netxraySpec{}, 1 << 63, capture.Unknown, time.Microsecond},
		{"as late as can be told", netxraySpec{}, (1<<63-1)/1000 - netxrayStart*1e6, 1<<63 - 1 - 807, time.Microsecond},
		{"later than can be told", netxraySpec{}, (1<<63-1)/1000 - netxrayStart*1e6 + 1, capture.Unknown, time.Microsecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frames, in, ifaces := read(t, test.spec.file(test.spec.record(test.ticks, 4, []byte("abcd"))))
			if len(frames) != 1 || frames[0].Time != test.want || ifaces[0].Resolution != test.unit {
				t.Fatalf("%v, interfaces %v, want %d", frames, ifaces, test.want)
			}
			if unknown := test.want == capture.Unknown; unknown != (len(in.Damage) == 1) || unknown != (counts(in)["time-unknown"] == 1) {
				t.Errorf("damage %q, anomalies %v", messages(in), in.Anomalies)
			}
		})
	}
}

func TestNetxrayNetwork(t *testing.T) {
	tests := []struct {
		spec netxraySpec
		want capture.LinkType
	}{
		{netxraySpec{network: 0}, capture.LinkEthernet}, {netxraySpec{network: 1}, capture.LinkTokenRing},
		{netxraySpec{network: 2}, capture.LinkFDDI}, {netxraySpec{network: 8}, capture.LinkATM},
		{netxraySpec{network: 9}, capture.LinkWiFi}, {netxraySpec{network: 4}, noLinkType}, {netxraySpec{network: 255}, noLinkType},
		{netxraySpec{network: 1, plus: 2}, capture.LinkEthernet}, {netxraySpec{network: 0, plus: 1}, noLinkType},
		{netxraySpec{network: 3, version: "001.100"}, capture.LinkEthernet}, {netxraySpec{network: 3, version: "old"}, capture.LinkEthernet},
		{netxraySpec{network: 3, kind: 3}, capture.LinkPPPHDLC}, {netxraySpec{network: 3, kind: 4}, capture.LinkFrameRelay},
		{netxraySpec{network: 3, kind: 19}, capture.LinkCHDLC}, {netxraySpec{network: 3, kind: 6}, noLinkType}, {netxraySpec{network: 3}, noLinkType},
	}
	for _, test := range tests {
		frames, in, _ := read(t, test.spec.file(test.spec.record(1, 4, []byte("abcd"))))
		if len(frames) != 1 || frames[0].Link != test.want || frames[0].Data != "abcd" || (test.want == noLinkType) != (len(in.Notes) == 1) {
			t.Errorf("%+v: %v, notes %q; want link %v", test.spec, frames, in.Notes, test.want)
		}
	}
}

// TestNetxrayJunk: which frames lose the four bytes of no meaning at their end.
func TestNetxrayJunk(t *testing.T) {
	const fcs = 0x123400 // the clock's rate of captures with frame check sequences
	flagged, plain := []byte{0, 0, 0xff, 0xff}, []byte{0xff, 0xff, 0xff, 0}
	tests := []struct {
		name string
		spec netxraySpec
		more []byte
		want string
	}{
		{"Ethernet", netxraySpec{}, flagged, "abcd"},
		{"Ethernet, not flagged", netxraySpec{}, plain, "abcdefgh"},
		{"Ethernet with frame check sequences", netxraySpec{rate: fcs}, flagged, "abcdefgh"},
		{"Ethernet of version 1", netxraySpec{version: "001.100"}, flagged, "abcdefgh"},
		{"WiFi", netxraySpec{network: 9}, flagged, "abcd"},
		{"frame relay with frame check sequences", netxraySpec{network: 3, kind: 4, rate: fcs}, flagged, "abcd"},
		{"PPP", netxraySpec{network: 3, kind: 3}, flagged, "abcdefgh"},
		{"token ring", netxraySpec{network: 1}, flagged, "abcdefgh"},
	}
	for _, test := range tests {
		frames, _, _ := read(t, test.spec.file(test.spec.record(1, 60, []byte("abcdefgh"), test.more...)))
		if len(frames) != 1 || frames[0].Data != test.want || int(frames[0].Length) != 60-8+len(test.want) {
			t.Errorf("%s: %v, want %q", test.name, frames, test.want)
		}
	}
	frames, _, _ := read(t, netxraySpec{}.file(netxraySpec{}.record(1, 3, []byte("abc"), flagged...)))
	if len(frames) != 1 || frames[0].Data != "" || frames[0].Length != 0 {
		t.Errorf("a frame shorter than the junk: %v", frames)
	}
}

// TestNetxrayStretch: the records are where the file header says.
func TestNetxrayStretch(t *testing.T) {
	var records [][]byte // of 41 bytes
	for i := range 4 {
		records = append(records, netxraySpec{}.record(uint64(i), 1, []byte{byte('a' + i)}))
	}
	file := func(first, end uint32) []byte { return netxraySpec{first: first, end: end}.file(records...) }
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"all", file(0, 0), "abcd"},
		{"from the second on", file(169, 0), "bcd"},
		{"up to the third", file(0, 251), "abc"},
		{"what follows is not read", join(file(0, 0), make([]byte, 1000)), "abcd"},
		{"circular: in the order of the file", file(251, 169), "ad"},
		{"not finished: to the end of the file", file(0, 1), "abcd"},
		{"first one inside of the file header", file(1, 0), "abcd"},
	}
	for _, test := range tests {
		frames, in, _ := read(t, test.content)
		var data string
		for _, f := range frames {
			data += f.Data
		}
		if data != test.want || len(in.Damage) > 0 {
			t.Errorf("%s: %q, damage %q, want %q", test.name, data, messages(in), test.want)
		}
	}
}

func TestNetxrayBadInput(t *testing.T) {
	s := netxraySpec{}
	one := s.record(1, 62, frame(0, 62)) // 102 bytes
	two := s.file(one, one)
	concatenated := []string{"several captures one after another in one stream"}
	circular := []string{"circular capture: the oldest frames stand last"}
	tests := []inputTest{
		{name: "one byte of a file header", content: two[:1],
			damage: []string{"offset 0: file header cut short (have 1, need 128)"}, unread: true},
		{name: "127 bytes of a file header", content: two[:127],
			damage: []string{"offset 0: file header cut short (have 127, need 128)"}, unread: true},
		{name: "no records", content: s.file(), notes: []string{"no packets"}},
		{name: "unsupported version", content: netxraySpec{version: "003.000"}.file(),
			damage: []string{`unsupported NetXRay version "003.000"`}, unread: true},
		{name: "no version", content: join([]byte(netxrayMagic), make([]byte, 200)),
			damage: []string{`unsupported NetXRay version ""`}, unread: true},
		{name: "version of other bytes", content: join([]byte(netxrayMagic+"\x1b[2J\xff"), make([]byte, 200)),
			damage: []string{`unsupported NetXRay version "\x1b[2J\xff"`}, unread: true},
		{name: "record header cut", content: two[:230+3],
			damage: []string{"record 2, offset 230: header cut short (have 3 of 40 bytes); 1 record kept"}, frames: 1},
		{name: "record header not there", content: two[:230],
			damage: []string{"record 2, offset 230: header cut short (have 0 of 40 bytes); 1 record kept"}, frames: 1},
		{name: "data cut", content: two[:230+40+57],
			damage: []string{"record 2, offset 230: data cut short (have 57 of 62 bytes); 1 record kept"}, frames: 1},
		{name: "record over the end", content: netxraySpec{end: 331}.file(one, one),
			damage: []string{"record 2, offset 230: record of 102 bytes, 101 left before the end of the records; reading stopped, 1 record kept"}, frames: 1},
		{name: "record header over the end", content: netxraySpec{end: 269}.file(one, one),
			damage: []string{"record 2, offset 230: record of 40 bytes, 39 left before the end of the records; reading stopped, 1 record kept"}, frames: 1},
		{name: "records beyond the end of the file", content: netxraySpec{first: 1 << 30, end: 1<<30 + 100}.file(one),
			damage: []string{"record 1, offset 230: header cut short (have 0 of 40 bytes); 0 records kept"}},
		{name: "circular capture without its oldest frames", content: netxraySpec{first: 1 << 30, end: 230}.file(one, one),
			damage: []string{"record 2, offset 332: header cut short (have 0 of 40 bytes); 1 record kept"}, frames: 1,
			counts: countMap{"circular-capture": 1}, notes: circular},
		{name: "captured length over the length on the wire", content: s.file(s.record(1, 2, []byte("abcd"))),
			frames: 1, counts: countMap{"caplen-over-length": 1}},
		{name: "the damage of a second capture has its own place", content: join(two, two[:230+3]),
			damage: []string{"record 4, offset 562: header cut short (have 3 of 40 bytes); 3 records kept"},
			frames: 3, counts: countMap{"further-capture": 1}, notes: concatenated},
		{name: "behind the records bytes that are no capture", content: join(two, bytes.Repeat([]byte("crud"), 1000)), frames: 2},
	}
	for _, test := range tests {
		t.Run(test.name, test.check)
	}
}

func FuzzNetxray(f *testing.F) {
	s := netxraySpec{}
	f.Add(netxrayed(60, 0, 5))
	f.Add(join(netxrayed(4), netxrayed(7), plain(3)))
	f.Add(netxraySpec{version: "old"}.file(netxraySpec{version: "old"}.record(1, 4, []byte("abcd"))))
	f.Add(netxraySpec{version: "001.100", zero: 5}.file(netxraySpec{version: "001.100"}.record(1, 4, []byte("abcd"))))
	f.Add(netxraySpec{unit: 2, rate: 3_579_545}.file(s.record(1, 60, []byte("abcdef"), 0, 0, 0xff, 0xff)))
	f.Add(netxraySpec{first: 170, end: 129}.file(s.record(1, 1, []byte{1}), s.record(2, 1, []byte{2})))
	f.Fuzz(func(t *testing.T, content []byte) { check(t, content) })
}
