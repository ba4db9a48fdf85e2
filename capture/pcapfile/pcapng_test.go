package pcapfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

func TestPcapNGPackets(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			s := ngSpec{order}
			obsolete := join(order.AppendUint16(order.AppendUint16(nil, 1), 3), s.words(0, 9e6, 2, 50), []byte("gh"))
			frames, in, ifaces := read(t, join(s.section(),
				s.iface(1, 0, s.option(optName, []byte("eth0\x00junk")), s.option(optDescription, []byte("uplink"))),
				s.iface(276, 3, s.option(optTSResol, []byte{9}), s.option(optEnd, nil), []byte("beyond the end")),
				s.packet(0, 7, 60, []byte("abcde"), s.option(1, []byte("a comment")), s.option(optDropCount, s.u64(4))),
				s.packet(1, 7, 4, []byte("fghi")),
				s.block(blockSimplePacket, s.words(5), []byte("klmno")),
				s.block(blockPacket, obsolete),
			))
			want := []got{
				{Time: 7000, Data: "abcde", Length: 60, Link: 1},
				{Time: 7, Data: "fghi", Length: 4, Iface: 1, Link: 276},
				{Time: capture.Unknown, Data: "klmno", Length: 5, Link: 1},
				{Time: 9e6, Data: "gh", Length: 50, Iface: 1, Link: 276},
			}
			if diff := cmp.Diff(want, frames); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
			wantInterfaces := []capture.Interface{
				{Name: "eth0", Description: "uplink", Link: 1, Resolution: time.Microsecond, Drops: 4},
				{Link: 276, SnapLength: 3, Resolution: 1, Drops: 3},
			}
			if diff := cmp.Diff(wantInterfaces, ifaces); diff != "" {
				t.Errorf("interfaces (-want +got):\n%s", diff)
			}
			in.Name = ""
			wantInput := capture.Input{Format: "pcapng", Frames: 4, Bytes: 119, Captured: 16,
				Anomalies: []capture.Count{{Name: "caplen-over-snaplen", N: 1}, {Name: "time-unknown", N: 1}}}
			if diff := cmp.Diff(wantInput, in); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSimplePacketSnapLength: a simple packet's captured length is the first
// interface's snap length when it was longer on the wire.
func TestSimplePacketSnapLength(t *testing.T) {
	s := ngSpec{}
	frames, _, _ := read(t, join(s.section(), s.iface(1, 3), s.block(blockSimplePacket, s.words(90), []byte("abc"))))
	want := []got{{Time: capture.Unknown, Data: "abc", Length: 90, Link: 1}}
	if diff := cmp.Diff(want, frames); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
}

// TestSections: each section has interfaces of its own and its own byte order; an
// interface that comes again is the same in the Source.
func TestSections(t *testing.T) {
	le, be := ngSpec{binary.LittleEndian}, ngSpec{binary.BigEndian}
	name := func(s ngSpec, n string) []byte { return s.option(optName, []byte(n)) }
	frames, in, ifaces := read(t, join(
		le.section(), le.iface(1, 0, name(le, "a")), le.iface(1, 0, name(le, "b")), le.packet(1, 1, 1, []byte("1")),
		be.section(), be.iface(1, 0, name(be, "a")), be.packet(0, 2, 1, []byte("2")), be.packet(1, 2, 1, []byte("lost")),
		le.section(), le.iface(1, 0, name(le, "c")), le.iface(1, 0, name(le, "b")), le.packet(0, 3, 1, []byte("3")), le.packet(1, 4, 1, []byte("4")),
	))
	var order []string
	for _, f := range frames {
		order = append(order, f.Data+ifaces[f.Iface].Name)
	}
	if diff := cmp.Diff([]string{"1b", "2a", "3c", "4b"}, order); diff != "" {
		t.Errorf("frames and their interfaces (-want +got):\n%s", diff)
	}
	if len(ifaces) != 3 {
		t.Errorf("interfaces %v, want three", ifaces)
	}
	if diff := cmp.Diff([]string{"block 8, offset 212: interface 1 of 1; 2 records kept"}, messages(in)); diff != "" {
		t.Errorf("damage (-want +got):\n%s", diff)
	}
}

// TestDrops: the last statistics block of an interface and section counts, more
// than the packets' own counts; sections add up.
func TestDrops(t *testing.T) {
	s := ngSpec{}
	stats := func(drops ...[]byte) []byte { return s.block(blockStatistics, s.words(0, 0, 0), join(drops...)) }
	ifdrop := func(n uint64) []byte { return s.option(optInterfaceDrops, s.u64(n)) }
	osdrop := func(n uint64) []byte { return s.option(optSystemDrops, s.u64(n)) }
	dropped := func(n uint64) []byte { return s.packet(0, 1, 1, []byte{1}, s.option(optDropCount, s.u64(n))) }
	section := join(s.section(), s.iface(1, 0))
	tests := []struct {
		name   string
		blocks []byte
		want   uint64
	}{
		{"no counts", join(section, s.packet(0, 1, 1, nil)), 0},
		{"packets add up", join(section, dropped(2), dropped(3)), 5},
		{"the last statistics block", join(section, stats(ifdrop(5)), stats(ifdrop(7), osdrop(2))), 9},
		{"statistics after packets", join(section, dropped(2), stats(ifdrop(7))), 7},
		{"packets after statistics", join(section, stats(ifdrop(7)), dropped(2)), 7},
		{"statistics without drops leave the packets' counts", join(section, dropped(2), stats()), 2},
		{"sections add up", join(section, stats(ifdrop(7)), section, dropped(2)), 9},
		{"a count that cannot be", join(section, stats(ifdrop(1<<63)), dropped(1<<40)), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, ifaces := read(t, test.blocks)
			if len(ifaces) != 1 || ifaces[0].Drops != test.want {
				t.Errorf("interfaces %v, want one with %d drops", ifaces, test.want)
			}
		})
	}
}

// TestLongBlocks: what a block has beyond what is looked at goes by without
// being kept, and the packet in front is given.
func TestLongBlocks(t *testing.T) {
	s := ngSpec{}
	one := s.packet(0, 1e6, 4, []byte("abcd"))
	comment := s.option(1, bytes.Repeat([]byte("x"), 60_000))
	comments := bytes.Repeat(comment, 100) // 6 MB
	start := join(s.section(), s.iface(1, 0))
	for name, content := range map[string][]byte{
		"packet":    join(start, s.packet(0, 1e6, 4, []byte("abcd"), comments), one),
		"custom":    join(start, one, s.block(blockCustom, comments), one),
		"section":   join(s.block(blockSection, s.words(byteOrderMagic, 1, 0, 0), comments), s.iface(1, 0), one, one),
		"interface": join(s.section(), s.iface(1, 0, comments), one, one),
	} {
		t.Run(name, func(t *testing.T) {
			frames, in, _ := read(t, content)
			if len(frames) != 2 || len(in.Damage) > 0 {
				t.Errorf("%d frames, damage %q", len(frames), messages(in))
			}
			frames, in, _ = read(t, content[:len(content)-len(one)-2])
			if m := strings.Join(messages(in), "|"); !strings.Contains(m, "block cut short (") || len(in.Damage) != 1 {
				t.Errorf("cut: %d frames, damage %q", len(frames), m)
			}
		})
	}
}

func TestInterfaceLimit(t *testing.T) {
	s := ngSpec{}
	_, in, ifaces := read(t, join(s.section(), bytes.Repeat(s.iface(1, 0), 100_000),
		s.packet(maxInterfaces-1, 1, 1, []byte{1}), s.packet(maxInterfaces, 1, 1, []byte{1})))
	if len(ifaces) != maxInterfaces || in.Frames != 1 {
		t.Errorf("%d interfaces, %d frames", len(ifaces), in.Frames)
	}
	if diff := cmp.Diff([]string{"block 100003, offset 2000064: interface 65536 of 65536; 1 record kept"}, messages(in)); diff != "" {
		t.Errorf("damage (-want +got):\n%s", diff)
	}
}

// TestInterfaceLimitAcrossSections: packets of interfaces beyond the limit are
// kept.
func TestInterfaceLimitAcrossSections(t *testing.T) {
	s := ngSpec{}
	var content []byte
	const n = maxInterfaces + 10
	for i := range uint32(n) {
		content = append(content, s.section()...)
		content = append(content, s.iface(1, i+1)...)
		content = append(content, s.packet(0, 1, 1, []byte{1})...)
	}
	_, in, ifaces := read(t, content)
	if len(ifaces) != maxInterfaces || in.Frames != n || len(in.Damage) > 0 {
		t.Errorf("%d interfaces, %d frames, damage %q", len(ifaces), in.Frames, messages(in))
	}
}
