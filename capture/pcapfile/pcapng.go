package pcapfile

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"sockscope/capture"
)

// Block types of pcapng files (draft-ietf-opsawg-pcapng §11.1).
const (
	blockInterface      = 1
	blockPacket         = 2 // obsolete
	blockSimplePacket   = 3
	blockNameResolution = 4
	blockStatistics     = 5
	blockEnhancedPacket = 6
	blockJournal        = 9
	blockSecrets        = 10
	blockCustom         = 0x00000bad
	blockCustomNoCopy   = 0x40000bad
	blockSection        = 0x0a0d0d0a
)

const (
	byteOrderMagic  = 0x1a2b3c4d
	sectionHeader   = 28 // the shortest section header block
	blockOverhead   = 12 // type, length and the length again
	lookAtBlock     = 384 << 10
	nextBlockHeader = 8
)

// numberedBlocks is the note on blocks that are no packets, and that one known
// program gives frame numbers nevertheless.
const numberedBlocks = "Wireshark also gives custom and journal blocks frame numbers: its numbers run ahead of these"

// A pcapng walks the blocks of a pcapng file, through all its sections.
type pcapng struct {
	in     *input
	kept   *uint64 // frames of the stream before this walk
	base   uint64  // the same, when this walker began
	swap   bool    // the section has the other byte order than little endian
	blocks uint64  // that are done with
	frames uint64  // that this walker found
	section

	// Of a block longer than lookAtBlock, the rest goes by without being kept.
	rest   int64  // bytes before its trailing length
	tail   bool   // the trailing length is next
	length uint32 // of this block
	start  int64  // offset of this block
}

func newPcapNG(in *input, kept *uint64) *pcapng {
	return &pcapng{in: in, kept: kept, base: *kept, section: section{in: in}}
}

func (w *pcapng) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if w.swap {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (w *pcapng) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if w.swap {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (w *pcapng) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if w.swap {
		v = bits.ReverseBytes64(v)
	}
	return v
}

// walk implements walker.
func (w *pcapng) walk(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	pos := 0
	for {
		rest := data[pos:]
		var p progress
		switch {
		case w.rest > 0:
			p = w.pass(rest, eof)
		case w.tail:
			if p = w.trailer(rest, 0, eof); p.need == 0 {
				w.tail = false
				w.blocks++
			}
		default:
			var n int
			frames, n = w.plainPackets(rest, frames)
			pos += n
			w.start = off + int64(pos)
			frames, p = w.block(rest[n:], eof, frames)
		}
		pos += p.used
		if p.ended || p.next != nil || p.need > 0 {
			p.used = pos
			return frames, p
		}
	}
}

// block reads the block at the start of data. It needs the first lookAtBlock
// bytes of it at once, which holds the longest packet and a good deal of options.
func (w *pcapng) block(data []byte, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	if len(data) < blockOverhead {
		if eof && len(data) > 0 {
			w.damage("header-cut-short", false, "header cut short (have %d of %d bytes)", len(data), blockOverhead)
			return frames, progress{used: len(data), ended: true}
		}
		return frames, progress{need: blockOverhead}
	}
	kind := w.u32(data)
	if kind == blockSection {
		order := binary.LittleEndian.Uint32(data[8:])
		if order != byteOrderMagic && bits.ReverseBytes32(order) != byteOrderMagic {
			w.damage("bad-byte-order-magic", true, "bad byte-order magic %x", data[8:12])
			return frames, progress{ended: true}
		}
		w.swap = order != byteOrderMagic
	}
	length := w.u32(data[4:])
	if kind != blockSection && (length < blockOverhead || length > maxBlock || length%4 != 0 || isSnoopHeader(data) || isNetmonHeader(data)) && isCaptureHeader(data) {
		return frames, progress{next: further(w.in, w.kept)}
	}
	if length < blockOverhead || length > maxBlock {
		if length > maxBlock {
			w.damage("block-length-over-limit", true, "block length %d exceeds %d", length, maxBlock)
		} else {
			w.damage("bad-block-length", true, "block length %d, less than %d", length, blockOverhead)
		}
		return frames, progress{ended: true}
	}
	if kind == blockSection && length < sectionHeader {
		w.damage("bad-block-length", true, "section header length %d, less than %d", length, sectionHeader)
		return frames, progress{ended: true}
	}
	w.length = length
	padded := int(length+3) &^ 3
	look := min(padded, lookAtBlock)
	if len(data) < look {
		if eof {
			w.damage("data-cut-short", false, "block cut short (have %d of %d bytes)", len(data), length)
			return frames, progress{used: len(data), ended: true}
		}
		return frames, progress{need: look}
	}
	if padded != int(length) {
		// Files of 2005's draft have the padding in the block and not in its length.
		if padded > lookAtBlock || w.u32(data[padded-4:]) != length {
			w.damage("bad-block-length", true, "block length %d, not a multiple of 4", length)
			return frames, progress{ended: true}
		}
		w.in.count("unpadded-block-length")
	}
	if kind == blockSection && w.u16(data[12:]) != 1 {
		w.damage("unsupported-version", true, "unsupported pcapng version %d.%d", w.u16(data[12:]), w.u16(data[14:]))
		return frames, progress{ended: true}
	}
	if padded > look {
		frames = w.body(kind, data[8:look-4], true, frames)
		w.rest, w.tail = int64(padded-look), true
		return frames, progress{used: look - 4}
	}
	p := w.trailer(data, padded-4, eof)
	if p.need > 0 {
		return frames, p
	}
	frames = w.body(kind, data[8:padded-4], false, frames)
	w.blocks++
	return frames, p
}

// pass lets the rest of a long block go by.
func (w *pcapng) pass(data []byte, eof bool) progress {
	n := min(int64(len(data)), w.rest)
	w.rest -= n
	if w.rest > 0 {
		if eof {
			w.damage("data-cut-short", false, "block cut short (have %d of %d bytes)",
				int64(w.length)-4-w.rest, w.length)
			return progress{used: int(n), ended: true}
		}
		return progress{used: int(n), need: 1}
	}
	return progress{used: int(n)}
}

// trailer compares the length after a block, at data[at:], with that before it.
// When they differ the first one counts, if something like a block follows there.
func (w *pcapng) trailer(data []byte, at int, eof bool) progress {
	end := at + 4
	if len(data) < end {
		if eof {
			w.damage("data-cut-short", false, "block cut short (have %d of %d bytes)",
				int(w.length)-4+len(data), w.length)
			return progress{used: len(data), ended: true}
		}
		return progress{need: end}
	}
	again := w.u32(data[at:])
	if again == w.length {
		return progress{used: end}
	}
	if len(data) < end+nextBlockHeader && !eof {
		return progress{need: end + nextBlockHeader}
	}
	stop := !w.plausible(data[end:])
	w.damage("block-length-mismatch", stop, "block length %d before and %d after the block", w.length, again)
	return progress{used: end, ended: stop}
}

// plausible reports whether data begins like a block, or is the end of the file.
func (w *pcapng) plausible(data []byte) bool {
	if len(data) < nextBlockHeader {
		return len(data) == 0
	}
	kind, length := w.u32(data), w.u32(data[4:])
	switch kind {
	case blockSection:
		return true
	case blockInterface, blockPacket, blockSimplePacket, blockNameResolution, blockStatistics,
		blockEnhancedPacket, blockJournal, blockSecrets, blockCustom, blockCustomNoCopy:
		return length >= blockOverhead && length <= maxBlock && length%4 == 0
	}
	return false
}

// body reads a block's body. cut says that only its first part is there.
func (w *pcapng) body(kind uint32, body []byte, cut bool, frames []capture.Frame) []capture.Frame {
	switch kind {
	case blockEnhancedPacket:
		return w.enhancedPacket(body, cut, frames)
	case blockPacket:
		return w.packet(body, cut, frames)
	case blockSimplePacket:
		return w.simplePacket(body, frames)
	case blockSection:
		w.newSection()
	case blockInterface:
		w.interfaceDescription(body, cut)
	case blockStatistics:
		w.in.count("statistics-block")
		w.statistics(body, cut)
	case blockNameResolution:
		w.in.count("name-resolution-block")
	case blockJournal:
		w.in.count("journal-block")
		w.in.note(numberedBlocks)
	case blockSecrets:
		w.in.count("secrets-block")
		w.in.note("file holds TLS secrets")
	case blockCustom, blockCustomNoCopy:
		w.in.count("custom-block")
		w.in.note(numberedBlocks)
	default:
		w.in.count("unknown-block")
	}
	return frames
}

// damage tells of the block that is being read.
func (w *pcapng) damage(code string, stopped bool, format string, args ...any) {
	w.in.damage(capture.Damage{Code: code, Unit: "block", Record: w.blocks + 1, Offset: w.start,
		What: fmt.Sprintf(format, args...), Kept: w.base + w.frames, Stopped: stopped})
}
