package pcapfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

func TestPcapFormats(t *testing.T) {
	for _, magic := range []struct {
		word uint32
		frac uint32
		unit time.Duration
	}{{magicMicro, 7, time.Microsecond}, {magicNano, 7000, 1}, {magicModified, 7, time.Microsecond}} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			t.Run(fmt.Sprintf("%08x %v", magic.word, order), func(t *testing.T) {
				s := pcapSpec{magic: magic.word, order: order, snap: 96}
				frames, in, ifaces := read(t, join(s.header(),
					s.record(1, magic.frac, 3, 60, []byte("abc")),
					s.record(1<<32-1, 0, 2, 2, []byte("de"))))
				want := []got{
					{Time: 1_000_007_000, Data: "abc", Length: 60, Link: capture.LinkEthernet},
					{Time: (1<<32 - 1) * 1e9, Data: "de", Length: 2, Link: capture.LinkEthernet},
				}
				if diff := cmp.Diff(want, frames); diff != "" {
					t.Errorf("frames (-want +got):\n%s", diff)
				}
				wantInterface := []capture.Interface{{Link: capture.LinkEthernet, SnapLength: 96, Resolution: magic.unit}}
				if diff := cmp.Diff(wantInterface, ifaces); diff != "" {
					t.Errorf("interfaces (-want +got):\n%s", diff)
				}
				in.Name = ""
				wantInput := capture.Input{Format: "pcap", Frames: 2, Bytes: 62, Captured: 5}
				if diff := cmp.Diff(wantInput, in); diff != "" {
					t.Errorf("input (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestPcapLengthOrder: which of a record header's lengths is the captured one
// depends on the version.
func TestPcapLengthOrder(t *testing.T) {
	tests := []struct {
		name          string
		major, minor  uint16
		first, second uint32
	}{
		{"2.4 captured first", 2, 4, 3, 60},
		{"2.3 captured first", 2, 3, 3, 60},
		{"2.3 captured second when the first is longer", 2, 3, 60, 3},
		{"2.2 captured second", 2, 2, 60, 3},
		{"2.0 captured second", 2, 0, 60, 3},
		{"543.0 captured second", 543, 0, 60, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := pcapSpec{major: test.major, minor: test.minor}
			frames, in, _ := read(t, join(s.header(), s.record(1, 0, test.first, test.second, []byte("abc"))))
			want := []got{{Time: 1e9, Data: "abc", Length: 60, Link: capture.LinkEthernet}}
			if diff := cmp.Diff(want, frames); diff != "" || len(in.Damage) > 0 {
				t.Errorf("frames (-want +got):\n%s%v", diff, in.Damage)
			}
		})
	}
}

// TestPcapLinkWord: the upper bits tell of frame check sequences and are no part
// of the link type.
func TestPcapLinkWord(t *testing.T) {
	for word, want := range map[uint32]capture.LinkType{1: 1, 0x1400_0001: 1, 0x0000_0114: capture.LinkSLL2, 65000: 65000, 0x2000_0065: capture.LinkRaw} {
		s := pcapSpec{link: word}
		frames, _, _ := read(t, join(s.header(), s.record(1, 0, 1, 1, []byte{1})))
		if len(frames) != 1 || frames[0].Link != want {
			t.Errorf("link word %08x: %v, want link %v", word, frames, want)
		}
	}
}

func TestPcapFractionIsCarriedOver(t *testing.T) {
	s := pcapSpec{}
	frames, _, _ := read(t, join(s.header(), s.record(5, 2_500_000, 1, 1, []byte{1})))
	if len(frames) != 1 || frames[0].Time != 7_500_000_000 {
		t.Errorf("%v, want one frame at 7.5 s", frames)
	}
}

// TestLongestFrame: the longest frame allowed is read wherever it lies, also
// when it is longer than a block.
func TestLongestFrame(t *testing.T) {
	for name, write := range map[string]func(sizes ...int) []byte{"pcap": plain, "snoop": snooped, "netmon": netmonitored} {
		frames, in, _ := read(t, write(100, maxCaptured, 101, maxCaptured-1, 100, maxCaptured, 7))
		if len(frames) != 7 || len(in.Damage) > 0 {
			t.Fatalf("%s: %d frames, damage %v", name, len(frames), in.Damage)
		}
		for i, f := range frames {
			if want := string(frame(i, len(f.Data))); f.Data != want {
				t.Errorf("%s: frame %d of %d bytes has other bytes", name, i, len(f.Data))
			}
		}
	}
}

// TestFileLimit: files one after another are an interface each, up to the
// limit; the frames of those beyond it are kept.
func TestFileLimit(t *testing.T) {
	for name, one := range map[string][]byte{"pcap": plain(1), "snoop": snooped(1), "netmon": netmonitored(1), "netxray": netxrayed(1)} {
		frames, in, ifaces := read(t, bytes.Repeat(one, maxInterfaces+2))
		if len(frames) != maxInterfaces+2 || len(ifaces) != maxInterfaces || counts(in)["interface-limit"] != 2 {
			t.Errorf("%s: %d frames of %d interfaces, anomalies %v", name, len(frames), len(ifaces), in.Anomalies)
		}
		if last := frames[len(frames)-1]; last.Iface != maxInterfaces-1 {
			t.Errorf("%s: last frame of interface %d", name, last.Iface)
		}
	}
}
