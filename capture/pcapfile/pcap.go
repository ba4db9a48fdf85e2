package pcapfile

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"

	"sockscope/capture"
)

// Magic numbers of pcap files, as the writer's byte order has them
// (draft-ietf-opsawg-pcap §4).
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // Kuznetzov: 24-byte record headers
)

const (
	pcapHeader         = 24
	pcapRecord         = 16
	pcapRecordModified = 24
)

// lengthOrder says where a record header has its captured length: before
// version 2.3 it came second, and 2.3 was written both ways.
type lengthOrder uint8

const (
	lengthsPlain lengthOrder = iota
	lengthsSwapped
	lengthsEither
)

// A pcap walks the records of a pcap file.
type pcap struct {
	in      *input
	swap    bool // the file has the other byte order than little endian
	header  int  // bytes of a record header
	unit    capture.Timestamp
	perSec  uint32 // fractions in a second
	snap    uint32
	order   lengthOrder
	link    capture.LinkType
	iface   uint32
	records uint64  // of the stream so far
	kept    *uint64 // the same, as the cursor counts
}

// pcapMagic recognizes the first word of a pcap file, read in little endian.
func pcapMagic(word uint32) (magic uint32, swap, ok bool) {
	for _, w := range [...]uint32{word, bits.ReverseBytes32(word)} {
		switch w {
		case magicMicro, magicNano, magicModified:
			return w, w != word, true
		}
	}
	return 0, false, false
}

// newPcap reads the file header at the start of data, which has at least
// pcapHeader bytes.
func newPcap(in *input, data []byte, kept *uint64) (w *pcap, unsupported string) {
	magic, swap, _ := pcapMagic(binary.LittleEndian.Uint32(data))
	w = &pcap{in: in, swap: swap, header: pcapRecord, records: *kept, kept: kept,
		unit: capture.Timestamp(time.Microsecond), perSec: 1e6}
	switch magic {
	case magicNano:
		w.unit, w.perSec = 1, 1e9
	case magicModified:
		w.header = pcapRecordModified
	}
	var order binary.ByteOrder = binary.LittleEndian
	if swap {
		order = binary.BigEndian
	}
	major, minor := order.Uint16(data[4:]), order.Uint16(data[6:])
	switch {
	case major == 2 && minor < 3, major == 543 && minor == 0: // 543: DG/UX tcpdump
		w.order = lengthsSwapped
	case major == 2 && minor == 3:
		w.order = lengthsEither
	case major == 2 && minor == 4:
	case major == 2:
		in.count("unknown-minor-version")
	default:
		return nil, fmt.Sprintf("unsupported pcap version %d.%d", major, minor)
	}
	w.snap = order.Uint32(data[16:])
	// The upper half of the word tells of frame check sequences, or was reserved.
	w.link = capture.LinkType(order.Uint32(data[20:]))
	w.iface, _ = in.addInterface(capture.Interface{Link: w.link, SnapLength: w.snap, Resolution: time.Duration(w.unit)})
	if w.snap == 0 {
		w.snap = ^uint32(0)
		in.count("snaplen-zero")
	}
	return w, ""
}

// walk implements walker.
func (w *pcap) walk(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	pos := 0
	for {
		var n int
		frames, n = w.plainRecords(data[pos:], frames)
		pos += n
		var p progress
		frames, p = w.record(data[pos:], off+int64(pos), eof, frames)
		pos += p.used
		if p.ended || p.next != nil || p.need > 0 {
			p.used = pos
			return frames, p
		}
	}
}

// plainRecords walks the records at the start of data as long as nothing about
// them is odd, which is nearly always, and frames has room; what is left is for
// record. It returns how much that was.
//
// The place of a record depends on the length of the one before. So that little
// else is to be waited for, pos is all that a record leaves to the next one.
func (w *pcap) plainRecords(data []byte, frames []capture.Frame) ([]capture.Frame, int) {
	if w.header != pcapRecord || w.order != lengthsPlain {
		return frames, 0
	}
	pos, n := 0, len(frames)
	room := frames[:cap(frames)]
	longest := min(w.snap, maxCaptured)
	for n < len(room) && len(data)-pos >= pcapRecord {
		header := data[pos : pos+pcapRecord]
		when, lengths := binary.LittleEndian.Uint64(header), binary.LittleEndian.Uint64(header[8:])
		if w.swap {
			when, lengths = swapPair(when), swapPair(lengths)
		}
		sec, frac := uint32(when), uint32(when>>32)
		captured, length := uint32(lengths), uint32(lengths>>32)
		next := pos + pcapRecord + int(captured)
		// captured-1 is a large number when nothing was captured.
		if captured-1 >= longest || captured > length || frac >= w.perSec || next > len(data) {
			break
		}
		f := &room[n]
		f.Data = data[pos+pcapRecord : next : next]
		f.Time = capture.Timestamp(sec)*1e9 + capture.Timestamp(frac)*w.unit
		f.Length, f.Interface, f.Link = length, w.iface, w.link
		pos = next
		n++
	}
	w.records += uint64(n - len(frames))
	return room[:n], pos
}

// swapPair swaps the bytes of both 32-bit words of a pair.
func swapPair(pair uint64) uint64 { return bits.RotateLeft64(bits.ReverseBytes64(pair), 32) }

// record reads the record at the start of data, whatever it is like.
func (w *pcap) record(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	if len(data) < w.header {
		if eof && len(data) > 0 {
			w.damage("header-cut-short", off, false,
				"header cut short (have %d of %d bytes)", len(data), w.header)
			return frames, progress{used: len(data), ended: true}
		}
		return frames, progress{need: w.header}
	}
	sec := binary.LittleEndian.Uint32(data)
	frac := binary.LittleEndian.Uint32(data[4:])
	captured := binary.LittleEndian.Uint32(data[8:])
	length := binary.LittleEndian.Uint32(data[12:])
	if w.swap {
		sec, frac = bits.ReverseBytes32(sec), bits.ReverseBytes32(frac)
		captured, length = bits.ReverseBytes32(captured), bits.ReverseBytes32(length)
	}
	if w.order != lengthsPlain && (w.order == lengthsSwapped || captured > length) {
		captured, length = length, captured
	}
	if captured == 0 || captured > maxCaptured {
		// Another capture's file header may follow, in a stream of several.
		if isCaptureHeader(data) {
			return frames, progress{next: further(w.in, w.kept)}
		}
		if captured != 0 {
			w.damage("captured-length-over-limit", off, true,
				"captured length %d exceeds %d", captured, maxCaptured)
			return frames, progress{used: len(data), ended: true}
		}
	}
	end := w.header + int(captured)
	if len(data) < end {
		if eof {
			w.damage("data-cut-short", off, false,
				"data cut short (have %d of %d bytes)", len(data)-w.header, captured)
			return frames, progress{used: len(data), ended: true}
		}
		return frames, progress{need: end}
	}
	if captured > length {
		length = captured
		w.in.count("caplen-over-length")
	}
	if captured > w.snap {
		w.in.count("caplen-over-snaplen")
	}
	if frac >= w.perSec {
		if isSnoopHeader(data) { // which has lengths of 2 and 4, in big endian
			return frames, progress{next: further(w.in, w.kept)}
		}
		w.in.count("fraction-overflow") // carried over into the seconds
	}
	w.records++
	return append(frames, capture.Frame{Data: data[w.header:end:end],
		Time:   capture.Timestamp(sec)*1e9 + capture.Timestamp(frac)*w.unit,
		Length: length, Interface: w.iface, Link: w.link}), progress{used: end}
}

// damage tells of the record after the ones walked so far.
func (w *pcap) damage(code string, off int64, stopped bool, format string, args ...any) {
	w.in.damage(capture.Damage{Code: code, Unit: "record", Record: w.records + 1, Offset: off,
		What: fmt.Sprintf(format, args...), Kept: w.records, Stopped: stopped})
}
