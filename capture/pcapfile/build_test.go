package pcapfile

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// A pcapSpec says what kind of pcap file to build; the zero value is version 2.4,
// little endian, microseconds, Ethernet.
type pcapSpec struct {
	magic        uint32
	order        binary.AppendByteOrder
	major, minor uint16
	snap         uint32
	link         uint32
}

func (s pcapSpec) header() []byte {
	if s.order == nil {
		s.order = binary.LittleEndian
	}
	if s.magic == 0 {
		s.magic = magicMicro
	}
	if s.major == 0 {
		s.major, s.minor = 2, 4
	}
	if s.snap == 0 {
		s.snap = maxCaptured
	}
	if s.link == 0 {
		s.link = 1
	}
	b := s.order.AppendUint32(nil, s.magic)
	b = s.order.AppendUint16(b, s.major)
	b = s.order.AppendUint16(b, s.minor)
	b = append(b, make([]byte, 8)...)
	b = s.order.AppendUint32(b, s.snap)
	return s.order.AppendUint32(b, s.link)
}

// record is a record with the words of its header in the file's order.
func (s pcapSpec) record(sec, frac, first, second uint32, data []byte) []byte {
	if s.order == nil {
		s.order = binary.LittleEndian
	}
	var b []byte
	for _, v := range []uint32{sec, frac, first, second} {
		b = s.order.AppendUint32(b, v)
	}
	if s.magic == magicModified {
		b = append(b, 1, 2, 3, 4, 5, 6, 7, 8)
	}
	return append(b, data...)
}

// plain is a microsecond pcap with frames of the given sizes, a second apart.
func plain(sizes ...int) []byte {
	b := pcapSpec{}.header()
	for i, n := range sizes {
		b = append(b, pcapSpec{}.record(uint32(i+1), 5, uint32(n), uint32(n), frame(i, n))...)
	}
	return b
}

// frame is n bytes that tell which frame they are of.
func frame(i, n int) []byte {
	b := make([]byte, n)
	for j := range b {
		b[j] = byte(i + j)
	}
	return b
}

// An ngSpec builds pcapng blocks; the zero value is little endian.
type ngSpec struct {
	order binary.AppendByteOrder
}

func (s ngSpec) o() binary.AppendByteOrder {
	if s.order == nil {
		return binary.LittleEndian
	}
	return s.order
}

func (s ngSpec) words(v ...uint32) []byte {
	var b []byte
	for _, w := range v {
		b = s.o().AppendUint32(b, w)
	}
	return b
}

// block is a block of the kind with the parts as its body, padded.
func (s ngSpec) block(kind uint32, parts ...[]byte) []byte {
	body := join(parts...)
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	n := uint32(len(body) + blockOverhead)
	return join(s.words(kind, n), body, s.words(n))
}

func (s ngSpec) section() []byte {
	b := s.words(byteOrderMagic)
	b = s.o().AppendUint16(b, 1)
	b = s.o().AppendUint16(b, 0)
	return s.block(blockSection, b, s.words(0xffffffff, 0xffffffff))
}

func (s ngSpec) option(code uint16, value []byte) []byte {
	b := s.o().AppendUint16(nil, code)
	b = s.o().AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func (s ngSpec) iface(link uint16, snap uint32, options ...[]byte) []byte {
	b := s.o().AppendUint16(nil, link)
	b = s.o().AppendUint16(b, 0)
	return s.block(blockInterface, b, s.words(snap), join(options...))
}

func (s ngSpec) packet(iface uint32, units uint64, length uint32, data []byte, options ...[]byte) []byte {
	head := s.words(iface, uint32(units>>32), uint32(units), uint32(len(data)), length)
	body := join(head, data)
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	return s.block(blockEnhancedPacket, body, join(options...))
}

func (s ngSpec) u64(v uint64) []byte { return s.o().AppendUint64(nil, v) }

// join is parts one after another, in memory of its own.
func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// A got is a frame with its own memory.
type got struct {
	Time   capture.Timestamp
	Data   string
	Length uint32
	Iface  uint32
	Link   capture.LinkType

	Unsummed  bool
	Direction capture.Direction
	Owner     uint32
}

// drain reads r to its end through a few blocks in turn, as an engine does, and
// closes it.
func drain(tb testing.TB, r *Reader) ([]got, capture.Stats) {
	tb.Helper()
	var all []got
	var blocks [3]capture.Block
	for i := 0; ; i++ {
		b := &blocks[i%len(blocks)]
		err := r.Next(b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatalf("Next: %v", err)
		}
		if b.Number != uint64(i) || b.First != uint64(len(all)+1) {
			tb.Fatalf("block %d from frame %d, want %d from %d", b.Number, b.First, i, len(all)+1)
		}
		all = append(all, kept(b.Frames)...)
		r.Release(b)
	}
	s := r.Stats()
	if err := r.Close(); err != nil {
		tb.Fatalf("Close: %v", err)
	}
	return all, s
}

// readFiles reads the named files.
func readFiles(tb testing.TB, cfg Config, names ...string) ([]got, capture.Stats) {
	tb.Helper()
	r, err := Open(context.Background(), names, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return drain(tb, r)
}

// read reads content as a file.
func read(tb testing.TB, content []byte) ([]got, capture.Input, []capture.Interface) {
	tb.Helper()
	frames, s := readFiles(tb, Config{}, write(tb, "input", content))
	return frames, s.Inputs[0], s.Interfaces
}

func write(tb testing.TB, name string, content []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	writeFile(tb, path, content)
	return path
}

// messages are the damage of an input as the user reads it.
func messages(in capture.Input) []string {
	var m []string
	for _, d := range in.Damage {
		m = append(m, d.String())
	}
	return m
}

func counts(in capture.Input) map[string]uint64 {
	m := map[string]uint64{}
	for _, c := range in.Anomalies {
		m[c.Name] = c.N
	}
	return m
}

func writeFile(tb testing.TB, path string, content []byte) {
	tb.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// An inputTest says what must be told of an input.
type inputTest struct {
	name    string
	content []byte
	damage  []string
	frames  int
	unread  bool
	counts  countMap
	notes   []string
}

func (test *inputTest) check(t *testing.T) {
	frames, in, _ := read(t, test.content)
	if diff := cmp.Diff(test.damage, messages(in)); diff != "" {
		t.Errorf("damage (-want +got):\n%s", diff)
	}
	if len(frames) != test.frames || in.Frames != uint64(test.frames) {
		t.Errorf("%d frames, %d counted, want %d", len(frames), in.Frames, test.frames)
	}
	if len(in.Damage) == 1 && in.Damage[0].Unread != test.unread {
		t.Errorf("unread %v, want %v", in.Damage[0].Unread, test.unread)
	}
	want := test.counts
	if want == nil {
		want = countMap{}
	}
	if diff := cmp.Diff(want, counts(in)); diff != "" {
		t.Errorf("anomalies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(test.notes, in.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
