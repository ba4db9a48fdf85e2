package pcapfile

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// A walked is what was found by walking through data.
type walked struct {
	Frames   []got
	Records  uint64
	Progress [2]int // used, need
	Input    capture.Input
}

// oddities calls build for packets at the limits of what is nothing special.
func oddities(snap, perSec uint32, build func(frac, wire uint32, data []byte)) {
	for _, captured := range []uint32{0, 1, 59, 60, snap - 1, snap, snap + 1} {
		for _, wire := range []uint32{captured, captured + 1, captured - min(captured, 1)} {
			for _, frac := range []uint32{0, perSec - 1, perSec, 60} {
				build(frac, wire, frame(int(frac), int(captured)))
			}
		}
	}
}

// kept is frames with memory of their own.
func kept(frames []capture.Frame) []got {
	var all []got
	for _, f := range frames {
		all = append(all, got{f.Time, string(f.Data), f.Length, f.Interface, f.Link, f.Unsummed, f.Direction, f.Owner})
	}
	return all
}

func newInputForTest(t *testing.T) *input {
	t.Helper()
	r, err := Open(context.Background(), []string{"-"}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	return r.inputs[0]
}

// The quick walk over plain records finds what the careful one finds.
func TestPlainRecordsAreReadAsAllOthers(t *testing.T) {
	for name, test := range map[string]struct {
		spec   pcapSpec
		perSec uint32
	}{
		"microseconds":            {pcapSpec{snap: 96}, 1e6},
		"nanoseconds":             {pcapSpec{snap: 96, magic: magicNano}, 1e9},
		"big endian":              {pcapSpec{snap: 96, order: binary.BigEndian}, 1e6},
		"other record headers":    {pcapSpec{snap: 96, magic: magicModified}, 1e6},
		"lengths swapped":         {pcapSpec{snap: 96, major: 2, minor: 2}, 1e6},
		"snap length over limit":  {pcapSpec{snap: 1 << 31}, 1e6},
		"longest captured length": {pcapSpec{snap: maxCaptured}, 1e6},
	} {
		t.Run(name, func(t *testing.T) {
			var data []byte
			oddities(min(test.spec.snap, maxCaptured-1), test.perSec, func(frac, wire uint32, b []byte) {
				first, second := uint32(len(b)), wire
				if test.spec.minor == 2 {
					first, second = second, first
				}
				data = append(data, test.spec.record(7, frac, first, second, b)...)
			})
			data = append(data, test.spec.record(7, 0, 60, 60, make([]byte, 50))...) // goes on in the next block
			read := func(walk func(w *pcap) ([]capture.Frame, progress)) walked {
				in := newInputForTest(t)
				w, _ := newPcap(in, test.spec.header(), new(uint64))
				frames, p := walk(w)
				return walked{kept(frames), w.records, [2]int{p.used, p.need}, in.snapshot()}
			}
			quick := read(func(w *pcap) ([]capture.Frame, progress) {
				return w.walk(data, 24, false, make([]capture.Frame, 0, 1000))
			})
			careful := read(func(w *pcap) (frames []capture.Frame, p progress) {
				pos := 0
				for p.need == 0 && !p.ended && p.next == nil {
					frames, p = w.record(data[pos:], int64(24+pos), false, frames)
					pos += p.used
				}
				p.used = pos
				return frames, p
			})
			if diff := cmp.Diff(careful, quick); diff != "" {
				t.Errorf("the quick walk differs (-careful +quick):\n%s", diff)
			}
			if len(quick.Frames) != 7*3*4 {
				t.Errorf("%d frames, want %d", len(quick.Frames), 7*3*4)
			}
		})
	}
}

func TestPlainPacketBlocksAreReadAsAllOthers(t *testing.T) {
	const snap = 96
	for name, s := range map[string]ngSpec{"little endian": {}, "big endian": {order: binary.BigEndian}} {
		t.Run(name, func(t *testing.T) {
			data := join(s.section(), s.iface(1, snap), s.iface(101, 0), s.iface(1, snap, s.option(optTSResol, []byte{9})),
				s.iface(1, snap, s.option(optTSResol, []byte{0x83})), s.iface(1, snap, s.option(optTSOffset, s.u64(5))),
				s.block(blockInterface, s.words(1))) // too short
			want := 0
			oddities(snap, 1<<31, func(frac, wire uint32, b []byte) {
				for iface := range uint32(5) {
					units := uint64(frac) << 33 // beyond what nanoseconds of 64 bits tell, at times
					data = append(data, s.packet(iface, units, wire, b)...)
					data = append(data, s.packet(iface, 7, wire, b, s.option(2, s.words(1)), s.option(optEnd, nil))...)
					data = append(data, s.packet(iface, 7, wire, b, s.option(optDropCount, s.u64(3)))...)
					want += 3
				}
			})
			for _, bad := range [][]byte{
				s.packet(5, 0, 60, frame(0, 60)),
				s.packet(6, 0, 60, frame(0, 60)),
				s.packet(1, 0, 3, frame(0, 3), []byte{0, 0, 0, 9}),
				s.block(blockEnhancedPacket, s.words(1, 0, 0, 5, 5), make([]byte, 4)), // longer than the block
				s.block(blockEnhancedPacket, s.words(1, 0, 0, 0)),
				join(s.words(blockEnhancedPacket, 36, 1, 0, 0, 4, 4), make([]byte, 4), s.words(32)),
				s.packet(1, 0, 60, frame(0, 60))[:60], // goes on in the next block
			} {
				data = append(data, bad...)
			}
			want += 2
			read := func(walk func(w *pcapng) ([]capture.Frame, progress)) walked {
				in := newInputForTest(t)
				w := newPcapNG(in, new(uint64))
				frames, p := walk(w)
				if w.frames != uint64(len(frames)) {
					t.Errorf("counted %d frames of %d", w.frames, len(frames))
				}
				return walked{kept(frames), w.blocks, [2]int{p.used, p.need}, in.snapshot()}
			}
			quick := read(func(w *pcapng) ([]capture.Frame, progress) {
				return w.walk(data, 0, false, make([]capture.Frame, 0, 5000))
			})
			careful := read(func(w *pcapng) (frames []capture.Frame, p progress) {
				pos := 0
				for p.need == 0 && !p.ended && p.next == nil {
					w.start = int64(pos)
					frames, p = w.block(data[pos:], false, frames)
					pos += p.used
				}
				p.used = pos
				return frames, p
			})
			if diff := cmp.Diff(careful, quick); diff != "" {
				t.Errorf("the quick walk differs (-careful +quick):\n%s", diff)
			}
			if len(quick.Frames) != want {
				t.Errorf("%d frames, want %d: %v", len(quick.Frames), want, messages(quick.Input))
			}
		})
	}
}
