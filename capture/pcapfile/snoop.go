package pcapfile

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"sockscope/capture"
)

// snoopMagic begins a snoop file, Solaris's capture format (RFC 1761).
const snoopMagic = "snoop\x00\x00\x00"

const (
	snoopVersion = 2
	snoopHeader  = 16
	snoopRecord  = 24 // bytes of a record header
	snoopPadding = 8  // bytes after the data: to a multiple of 4 by the RFC, of 8 in practice
	snoopLongest = snoopRecord + maxCaptured + snoopPadding
	noLinkType   = capture.LinkType(0xffff) // of a datalink type without one; nothing decodes it
)

// snoopLinks are the link types of snoop's datalink types. Frames of IEEE 802.3
// have an LLC header where those of Ethernet may have a type: one decoder does both.
var snoopLinks = map[uint32]capture.LinkType{
	0: capture.LinkEthernet,
	2: capture.LinkTokenRing,
	4: capture.LinkEthernet,
	8: capture.LinkFDDI,
}

// A snoop walks the records of a snoop file. All its words are big endian.
type snoop struct {
	in      *input
	link    capture.LinkType
	iface   uint32
	drops   uint32  // as the last record has them
	records uint64  // of the stream so far
	kept    *uint64 // the same, as the cursor counts
}

// newSnoop reads the file header at the start of data, which has at least
// snoopHeader bytes.
func newSnoop(in *input, data []byte, kept *uint64) (w *snoop, unsupported string) {
	if version := binary.BigEndian.Uint32(data[8:]); version != snoopVersion {
		return nil, fmt.Sprintf("unsupported snoop version %d", version)
	}
	datalink := binary.BigEndian.Uint32(data[12:])
	link, ok := snoopLinks[datalink]
	if !ok {
		link = noLinkType
		in.note(fmt.Sprintf("snoop datalink type %d has no decoder", datalink))
	}
	w = &snoop{in: in, link: link, records: *kept, kept: kept}
	w.iface, _ = in.addInterface(capture.Interface{Link: link, Resolution: time.Microsecond})
	return w, ""
}

// walk implements walker.
func (w *snoop) walk(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	pos := 0
	for {
		rest := data[pos:]
		if len(rest) < snoopRecord {
			if eof && len(rest) > 0 {
				w.damage("header-cut-short", off+int64(pos), false,
					"header cut short (have %d of %d bytes)", len(rest), snoopRecord)
				return frames, progress{used: len(data), ended: true}
			}
			return frames, progress{used: pos, need: snoopRecord}
		}
		length := binary.BigEndian.Uint32(rest)
		captured := binary.BigEndian.Uint32(rest[4:])
		whole := binary.BigEndian.Uint32(rest[8:]) // header, data and padding
		drops := binary.BigEndian.Uint32(rest[12:])
		sec := binary.BigEndian.Uint32(rest[16:])
		micro := binary.BigEndian.Uint32(rest[20:])
		if captured > maxCaptured || whole > snoopLongest || whole < snoopRecord+captured {
			return frames, w.odd(rest, off+int64(pos), progress{used: pos})
		}
		end := snoopRecord + int(captured)
		if len(rest) < end {
			if eof {
				w.damage("data-cut-short", off+int64(pos), false,
					"data cut short (have %d of %d bytes)", len(rest)-snoopRecord, captured)
				return frames, progress{used: len(data), ended: true}
			}
			return frames, progress{used: pos, need: int(whole)}
		}
		next := int(whole)
		if len(rest) < next {
			if !eof {
				return frames, progress{used: pos, need: next}
			}
			// The frame is all there, only padding is missing.
			w.in.count("padding-cut-short")
			next = len(rest)
		}
		if int(whole)-end >= snoopPadding {
			w.in.count("padding-long")
		}
		if captured > length {
			length = captured
			w.in.count("caplen-over-length")
		}
		if micro >= 1e6 {
			w.in.count("fraction-overflow") // carried over into the seconds
		}
		if drops != w.drops {
			w.drops = drops
			w.in.reader.interfaces[w.iface].Drops = uint64(drops) // since the capture began
		}
		w.records++
		if len(frames) == cap(frames) {
			frames = slices.Grow(frames, 1)
		}
		frames = frames[:len(frames)+1]
		f := &frames[len(frames)-1]
		f.Data = rest[snoopRecord:end:end]
		f.Time = capture.Timestamp(sec)*1e9 + capture.Timestamp(micro)*1e3
		f.Length, f.Interface, f.Link = length, w.iface, w.link
		pos += next
	}
}

// odd tells why the lengths at the start of rest cannot be those of a record, or
// finds another capture there. p is the progress up to there.
func (w *snoop) odd(rest []byte, at int64, p progress) progress {
	if isCaptureHeader(rest) {
		p.next = further(w.in, w.kept)
		return p
	}
	captured, whole := binary.BigEndian.Uint32(rest[4:]), binary.BigEndian.Uint32(rest[8:])
	switch {
	case captured > maxCaptured:
		w.damage("captured-length-over-limit", at, true, "captured length %d exceeds %d", captured, maxCaptured)
	case whole > snoopLongest:
		w.damage("record-length-over-limit", at, true, "record length %d exceeds %d", whole, snoopLongest)
	default:
		w.damage("record-length-short", at, true, "record length %d, less than %d of header and data", whole, snoopRecord+captured)
	}
	p.ended = true
	return p
}

// damage tells of the record after the ones walked so far.
func (w *snoop) damage(code string, off int64, stopped bool, format string, args ...any) {
	w.in.damage(capture.Damage{Code: code, Unit: "record", Record: w.records + 1, Offset: off,
		What: fmt.Sprintf(format, args...), Kept: w.records, Stopped: stopped})
}
