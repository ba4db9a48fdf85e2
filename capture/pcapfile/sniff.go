package pcapfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"sockscope/capture"
)

// A sniffer walks to the end of the first header and finds out who goes on.
type sniffer struct {
	in   *input
	kept *uint64 // frames of captures before this one in the stream
}

// further looks at the capture that begins in the middle of a stream.
func further(in *input, kept *uint64) *sniffer {
	in.count("further-capture")
	in.note("several captures one after another in one stream")
	return &sniffer{in: in, kept: kept}
}

// walk implements walker.
func (s *sniffer) walk(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	if len(data) == 0 && eof {
		s.in.unusable("empty", "empty file, not a capture", -1)
		return frames, progress{ended: true}
	}
	if len(data) < pcapHeader && !eof {
		return frames, progress{need: pcapHeader}
	}
	word := firstWord(data)
	if _, _, ok := pcapMagic(word); ok {
		return s.pcap(data, off, frames)
	}
	if word == blockSection {
		return s.pcapng(data, off, frames)
	}
	if begins(data, snoopMagic) {
		return s.snoop(data, off, frames)
	}
	if begins(data, netmonMagic1) || begins(data, netmonMagic2) {
		return s.netmon(data, off, eof, frames)
	}
	if begins(data, netxrayMagic) || begins(data, netxrayMagicOld) {
		return s.netxray(data, off, eof, frames)
	}
	if compressionOf(data) != "" {
		s.in.unusable("nested-compression", "nested compression not supported", -1)
		return frames, progress{ended: true}
	}
	s.in.unusable("not-a-capture", fmt.Sprintf("not pcap, pcapng or gzip (first bytes % x)", data[:min(4, len(data))]), -1)
	return frames, progress{ended: true}
}

func (s *sniffer) pcap(data []byte, off int64, frames []capture.Frame) ([]capture.Frame, progress) {
	s.in.info.Format = "pcap"
	if len(data) < pcapHeader {
		s.cut(off, len(data), pcapHeader)
		return frames, progress{used: len(data), ended: true}
	}
	w, unsupported := newPcap(s.in, data, s.kept)
	if unsupported != "" {
		return frames, s.refuse("unsupported-version", off, -1, unsupported)
	}
	return frames, progress{used: pcapHeader, next: w}
}

func (s *sniffer) pcapng(data []byte, off int64, frames []capture.Frame) ([]capture.Frame, progress) {
	s.in.info.Format = "pcapng"
	if len(data) < 16 {
		s.cut(off, len(data), sectionHeader)
		return frames, progress{used: len(data), ended: true}
	}
	var order binary.ByteOrder = binary.LittleEndian
	if order.Uint32(data[8:]) != byteOrderMagic {
		order = binary.BigEndian
	}
	if order.Uint32(data[8:]) != byteOrderMagic {
		return frames, s.refuse("bad-byte-order-magic", off, off, fmt.Sprintf("bad byte-order magic %x", data[8:12]))
	}
	if major := order.Uint16(data[12:]); major != 1 {
		return frames, s.refuse("unsupported-version", off, -1,
			fmt.Sprintf("unsupported pcapng version %d.%d", major, order.Uint16(data[14:])))
	}
	return frames, progress{next: newPcapNG(s.in, s.kept)}
}

func (s *sniffer) snoop(data []byte, off int64, frames []capture.Frame) ([]capture.Frame, progress) {
	s.in.info.Format = "snoop"
	if len(data) < snoopHeader {
		s.cut(off, len(data), snoopHeader)
		return frames, progress{used: len(data), ended: true}
	}
	w, unsupported := newSnoop(s.in, data, s.kept)
	if unsupported != "" {
		return frames, s.refuse("unsupported-version", off, -1, unsupported)
	}
	return frames, progress{used: snoopHeader, next: w}
}

func (s *sniffer) netmon(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	s.in.info.Format = "netmon"
	if p := s.whole(data, off, netmonHeader, eof); p.used > 0 || p.need > 0 {
		return frames, p
	}
	w, code, what := newNetmon(s.in, data, off, s.kept)
	if code != "" {
		return frames, s.refuse(code, off, -1, what)
	}
	return frames, progress{used: netmonHeader, next: w}
}

func (s *sniffer) netxray(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	s.in.info.Format = "netxray"
	if p := s.whole(data, off, netxrayHeader, eof); p.used > 0 || p.need > 0 {
		return frames, p
	}
	w, unsupported := newNetxray(s.in, data, off, s.kept)
	if unsupported != "" {
		return frames, s.refuse("unsupported-version", off, -1, unsupported)
	}
	return frames, progress{used: netxrayHeader, next: w}
}

// begins reports whether data begins with magic, or is shorter and the beginning
// of it.
func begins(data []byte, magic string) bool {
	n := min(len(data), len(magic))
	return string(data[:n]) == magic[:n]
}

// whole sees to it that a file header of need bytes is all there: the progress is
// empty when it is.
func (s *sniffer) whole(data []byte, off int64, need int, eof bool) progress {
	switch {
	case len(data) >= need:
		return progress{}
	case !eof:
		return progress{need: need}
	}
	s.cut(off, len(data), need)
	return progress{used: len(data), ended: true}
}

// refuse tells of a file header, at off, that cannot be used; told is the offset to
// tell. Behind the first header of the input some of it has been used.
func (s *sniffer) refuse(code string, off, told int64, what string) progress {
	s.in.damage(capture.Damage{Code: code, Offset: told, What: what, Kept: *s.kept, Unread: off == 0,
		Stopped: off != 0})
	return progress{ended: true}
}

// firstWord is the first word of data in little endian. When data is shorter, it
// is that of the magic number it is the beginning of, or 0.
func firstWord(data []byte) uint32 {
	if len(data) >= 4 {
		return binary.LittleEndian.Uint32(data)
	}
	for _, magic := range [...]uint32{magicMicro, magicNano, magicModified, blockSection} {
		for _, order := range [...]binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			if b := order.AppendUint32(nil, magic); bytes.HasPrefix(b, data) {
				return binary.LittleEndian.Uint32(b)
			}
		}
	}
	return 0
}

// cut tells of a file header that is not all there.
func (s *sniffer) cut(off int64, have, need int) {
	s.in.damage(capture.Damage{Code: "file-header-cut-short", Offset: off, Kept: *s.kept, Unread: off == 0,
		What: fmt.Sprintf("file header cut short (have %d, need %d)", have, need)})
}

// isCaptureHeader reports whether data, at the place of a record, begins another
// capture: concatenated files, compressed or not, are one stream. It looks at the
// first captureHeader bytes.
func isCaptureHeader(data []byte) bool {
	if len(data) < captureHeader {
		return false
	}
	word := binary.LittleEndian.Uint32(data)
	if _, swap, ok := pcapMagic(word); ok {
		major, minor := binary.LittleEndian.Uint16(data[4:]), binary.LittleEndian.Uint16(data[6:])
		if swap {
			major, minor = binary.BigEndian.Uint16(data[4:]), binary.BigEndian.Uint16(data[6:])
		}
		return major == 2 && minor <= 4
	}
	if isSnoopHeader(data) || isNetmonHeader(data) || isNetxrayHeader(data) {
		return true
	}
	order := binary.LittleEndian.Uint32(data[8:])
	return word == blockSection && (order == byteOrderMagic || bits.ReverseBytes32(order) == byteOrderMagic)
}

// isSnoopHeader is isCaptureHeader for a snoop file alone. It is not inlined: the
// walk over plain records would pay for what it never does.
//
//go:noinline
func isSnoopHeader(data []byte) bool {
	return len(data) >= captureHeader && string(data[:8]) == snoopMagic && binary.BigEndian.Uint32(data[8:]) == snoopVersion
}

// isNetmonHeader is isCaptureHeader for a Network Monitor file alone. Behind pcap
// records it is looked for where their lengths are odd, which they are not always:
// captures of January to March look like a record of up to 200 KB there.
func isNetmonHeader(data []byte) bool {
	if len(data) < captureHeader {
		return false
	}
	major, month := data[5], binary.LittleEndian.Uint16(data[10:])
	return (string(data[:4]) == netmonMagic1 && major == 1 || string(data[:4]) == netmonMagic2 && major == 2) &&
		month >= 1 && month <= 12
}

// isNetxrayHeader is isCaptureHeader for a NetXRay file alone, except for those
// that have no version.
func isNetxrayHeader(data []byte) bool {
	if len(data) < captureHeader || string(data[:4]) != netxrayMagic {
		return false
	}
	_, ok := netxrayVersions[string(data[4:11])]
	return ok && data[11] == 0
}
