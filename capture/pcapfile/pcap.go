package pcapfile

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
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
		rest := data[pos:]
		if len(rest) < w.header {
			if eof && len(rest) > 0 {
				w.damage("header-cut-short", off+int64(pos), false,
					"header cut short (have %d of %d bytes)", len(rest), w.header)
				return frames, progress{used: len(data), ended: true}
			}
			return frames, progress{used: pos, need: w.header}
		}
		sec := binary.LittleEndian.Uint32(rest)
		frac := binary.LittleEndian.Uint32(rest[4:])
		captured := binary.LittleEndian.Uint32(rest[8:])
		length := binary.LittleEndian.Uint32(rest[12:])
		if w.swap {
			sec, frac = bits.ReverseBytes32(sec), bits.ReverseBytes32(frac)
			captured, length = bits.ReverseBytes32(captured), bits.ReverseBytes32(length)
		}
		if w.order != lengthsPlain && (w.order == lengthsSwapped || captured > length) {
			captured, length = length, captured
		}
		if captured == 0 || captured > maxCaptured {
			// Another capture's file header may follow, in a stream of several.
			if isCaptureHeader(rest) {
				return frames, progress{used: pos, next: further(w.in, w.kept)}
			}
			if captured != 0 {
				w.damage("captured-length-over-limit", off+int64(pos), true,
					"captured length %d exceeds %d", captured, maxCaptured)
				return frames, progress{used: len(data), ended: true}
			}
		}
		end := w.header + int(captured)
		if len(rest) < end {
			if eof {
				w.damage("data-cut-short", off+int64(pos), false,
					"data cut short (have %d of %d bytes)", len(rest)-w.header, captured)
				return frames, progress{used: len(data), ended: true}
			}
			return frames, progress{used: pos, need: end}
		}
		if captured > length {
			length = captured
			w.in.count("caplen-over-length")
		}
		if captured > w.snap {
			w.in.count("caplen-over-snaplen")
		}
		if frac >= w.perSec {
			if isSnoopHeader(rest) { // which has lengths of 2 and 4, in big endian
				return frames, progress{used: pos, next: further(w.in, w.kept)}
			}
			w.in.count("fraction-overflow") // carried over into the seconds
		}
		w.records++
		if len(frames) == cap(frames) {
			frames = slices.Grow(frames, 1)
		}
		frames = frames[:len(frames)+1]
		f := &frames[len(frames)-1]
		f.Data = rest[w.header:end:end]
		f.Time = capture.Timestamp(sec)*1e9 + capture.Timestamp(frac)*w.unit
		f.Length, f.Interface, f.Link = length, w.iface, w.link
		pos += end
	}
}

// damage tells of the record after the ones walked so far.
func (w *pcap) damage(code string, off int64, stopped bool, format string, args ...any) {
	w.in.damage(capture.Damage{Code: code, Unit: "record", Record: w.records + 1, Offset: off,
		What: fmt.Sprintf(format, args...), Kept: w.records, Stopped: stopped})
}
