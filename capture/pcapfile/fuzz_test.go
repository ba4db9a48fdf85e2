package pcapfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"

	"sockscope/capture"
)

// check reads content and holds what must be so for any input: frames lie inside
// the content, sums balance, damage is bounded, and the sizes of reads don't
// matter.
func check(t *testing.T, content []byte) ([]got, capture.Stats) {
	frames, s := readStream(t, bytes.NewReader(content))
	in := s.Inputs[0]
	var length, captured uint64
	for _, f := range frames {
		length += uint64(f.Length)
		captured += uint64(len(f.Data))
		if uint64(len(f.Data)) > uint64(f.Length) || len(f.Data) > maxCaptured {
			t.Fatalf("%d bytes captured of %d", len(f.Data), f.Length)
		}
		if int(f.Iface) >= len(s.Interfaces) {
			t.Fatalf("interface %d of %d", f.Iface, len(s.Interfaces))
		}
		if in.Compression == "" && !bytes.Contains(content, []byte(f.Data)) {
			t.Fatal("a frame that is not in the content")
		}
	}
	if in.Frames != uint64(len(frames)) || in.Bytes != length || in.Captured != captured {
		t.Fatalf("counted %d frames, %d bytes, %d captured; are %d, %d, %d", in.Frames, in.Bytes, in.Captured, len(frames), length, captured)
	}
	if in.Compression == "" && captured > uint64(len(content)) {
		t.Fatalf("%d bytes captured in %d", captured, len(content))
	}
	if len(in.Damage) > maxDamage || len(s.Interfaces) > maxInterfaces {
		t.Fatalf("%d damages, %d interfaces", len(in.Damage), len(s.Interfaces))
	}
	for i, d := range in.Damage {
		if d.Code == "" || d.What == "" || d.Kept > in.Frames || d.Unread && (in.Frames > 0 || i > 0) || d.Offset > int64(len(content)) && in.Compression == "" {
			t.Fatalf("damage %+v", d)
		}
	}
	single, again := readStream(t, iotest.OneByteReader(bytes.NewReader(content)))
	if !slices.Equal(frames, single) {
		t.Fatalf("%d frames by single bytes, %d in whole", len(single), len(frames))
	}
	if a, b := messages(in), messages(again.Inputs[0]); !slices.Equal(a, b) {
		t.Fatalf("damage by single bytes %q, in whole %q", b, a)
	}
	return frames, s
}

func readStream(t *testing.T, r io.Reader) ([]got, capture.Stats) {
	source, err := Open(context.Background(), []string{"-"}, Config{Stdin: r, MaxInput: 32 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return drain(t, source)
}

func FuzzPcap(f *testing.F) {
	f.Add(plain(60, 0, 5))
	f.Add(join(plain(60), plain(4)))
	f.Add(join(pcapSpec{magic: magicNano, snap: 3}.header(), pcapSpec{}.record(1, 2e9, 5, 4, []byte("abcde"))))
	f.Add(join(pcapSpec{magic: magicModified}.header(), pcapSpec{magic: magicModified}.record(1, 2, 5, 5, []byte("abcde"))))
	f.Add(join(pcapSpec{minor: 2, major: 2}.header(), pcapSpec{}.record(1, 2, 9, 5, []byte("abcde"))))
	f.Fuzz(func(t *testing.T, content []byte) {
		frames, s := check(t, content)
		if len(s.Inputs[0].Anomalies) > 0 || len(s.Inputs[0].Damage) > 0 {
			return // where another reader may differ
		}
		r, err := pcapgo.NewReader(bytes.NewReader(content))
		if err != nil {
			return
		}
		second, err := readAll(r)
		if err == nil {
			agree(t, frames, second)
		}
	})
}

func FuzzPcapNG(f *testing.F) {
	s := ngSpec{}
	start := join(s.section(), s.iface(1, 0, s.option(optTSResol, []byte{9})))
	f.Add(join(start, s.packet(0, 7, 60, []byte("abcde"), s.option(1, []byte("a comment")))))
	f.Add(join(start, s.block(blockSimplePacket, s.words(5), []byte("klmno")), s.block(blockStatistics, s.words(0, 0, 0), s.option(optInterfaceDrops, s.u64(3)))))
	f.Add(join(start, s.block(blockPacket, s.words(0, 0, 9, 2, 50), []byte("gh")), start, plain(4)))
	f.Add(join(s.section(), s.iface(1, 0, s.option(optTSOffset, s.u64(1)), s.option(optTSResol, []byte{0x8a})), s.packet(0, 7, 60, []byte("abcde"))))
	f.Add(join(s.section(), s.iface(1, 0, s.option(optTSResol, []byte{0})), s.packet(0, 7, 60, []byte("abcde"))))
	f.Add(join(start, s.packet(0, 7, 60, []byte("abcde"), s.option(2, s.words(1<<9|1)), s.option(4, s.u64(2)), s.option(8, s.words(9, 8)),
		s.option(1, []byte("PID: 9\nCmd: a\nArgs: a b")), s.option(1, []byte("UserId: 0\nUnit: u\nContainerId: c\nNetns: 4\nBasis: listener")))))
	f.Fuzz(func(t *testing.T, content []byte) {
		frames, stats := check(t, content)
		again(t, frames, stats)
		if len(content) > 4096 || len(stats.Inputs[0].Anomalies) > 0 || len(stats.Inputs[0].Damage) > 0 || stats.Inputs[0].Format != "pcapng" {
			return
		}
		// Its reader divides by zero for some clocks, takes a resolution of 10^0, a
		// second, for none, and allocates what a length says.
		for _, i := range stats.Interfaces {
			if i.Resolution != time.Microsecond && i.Resolution != time.Millisecond {
				return
			}
		}
		if second, ok := secondOpinion(content); ok {
			agree(t, frames, second)
		}
	})
}

// again encodes what was read, and reads that: it is the same, as far as the format goes.
func again(t *testing.T, frames []got, stats capture.Stats) {
	e := NewEncoder(EncoderConfig{Stats: func() capture.Stats { return stats }})
	b := e.Begin(nil)
	want := slices.Clone(frames)
	for i := range want {
		f := &want[i]
		f.Time = max(f.Time, 0)
		b, _ = e.Frame(b, &capture.Frame{Data: []byte(f.Data), Time: f.Time, Length: f.Length, Interface: f.Iface, Link: f.Link,
			Unsummed: f.Unsummed, Direction: f.Direction, Owner: f.Owner}, 0)
	}
	read, s := readStream(t, bytes.NewReader(e.End(b, 0)))
	if len(s.Inputs[0].Damage) > 0 {
		t.Fatalf("damage %q", messages(s.Inputs[0]))
	}
	if len(read) != len(want) || len(s.Interfaces) > len(stats.Interfaces) {
		t.Fatalf("%d frames of %d, %d interfaces of %d", len(read), len(want), len(s.Interfaces), len(stats.Interfaces))
	}
	for i, f := range read {
		f.Owner, f.Iface = want[i].Owner, want[i].Iface // have other numbers
		if f != want[i] {
			t.Fatalf("frame %d is %+v, was %+v", i+1, f, want[i])
		}
		if (read[i].Owner == 0) != (want[i].Owner == 0) {
			t.Fatalf("frame %d has owner %d, had %d", i+1, read[i].Owner, want[i].Owner)
		}
	}
}

// secondOpinion is what pcapgo reads of a pcapng file. It panics on some; that is
// no opinion.
func secondOpinion(content []byte) (frames []got, ok bool) {
	defer func() {
		if recover() != nil {
			frames, ok = nil, false
		}
	}()
	r, err := pcapgo.NewNgReader(bytes.NewReader(content), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		return nil, false
	}
	frames, err = readAll(r)
	return frames, err == nil
}

func FuzzCompressed(f *testing.F) {
	for _, name := range compressions {
		f.Add(pack(f, name, plain(60, 5)))
		f.Add(join(pack(f, name, plain(60, 5)), pack(f, name, plain(7))))
	}
	f.Fuzz(func(t *testing.T, content []byte) { check(t, content) })
}

// reader is what pcapgo's readers have in common.
type reader interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

func readAll(r reader) ([]got, error) {
	var all []got
	for {
		data, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, got{Time: capture.Timestamp(info.Timestamp.UnixNano()), Data: string(data), Length: uint32(info.Length)})
	}
}

// agree compares the frames with those of another reader.
func agree(t *testing.T, frames, second []got) {
	if len(frames) != len(second) {
		t.Fatalf("%d frames, the second opinion has %d", len(frames), len(second))
	}
	for i, f := range frames {
		f = got{Time: f.Time, Data: f.Data, Length: f.Length}
		if f != second[i] {
			t.Fatalf("frame %d is %v, the second opinion %v", i+1, f, second[i])
		}
	}
}
