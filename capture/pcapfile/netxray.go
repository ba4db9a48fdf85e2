package pcapfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"sockscope/capture"
)

// Magic words of the files of NetXRay and of Sniffer for Windows.
const (
	netxrayMagic    = "XCP\x00"
	netxrayMagicOld = "VL\x00\x00" // before NetXRay 2.0
)

// netxrayHeader is the bytes of the file header with its padding.
const netxrayHeader = 128

// A netxrayVersion is what differs between versions of the format.
type netxrayVersion struct {
	record int    // bytes of a record header
	ticks  uint64 // in a second; 0: the file header tells
	zero   bool   // ticks of captures by pods are from 0, whatever the file header says
}

// netxrayVersions are the versions by name, "" before there were any.
var netxrayVersions = map[string]netxrayVersion{
	"":        {record: 16, ticks: 1e3},
	"001.000": {record: 28, ticks: 1e3},
	"001.100": {record: 28, ticks: 1e6},
	"002.000": {record: 40},
	"002.001": {record: 40},
	"002.002": {record: 40, zero: true},
	"002.003": {record: 40, zero: true},
}

// netxrayLinks are the link types of network types, in NDIS's numbers.
var netxrayLinks = map[int]capture.LinkType{
	1:          capture.LinkEthernet,
	2:          capture.LinkTokenRing,
	3:          capture.LinkFDDI,
	netxrayWAN: capture.LinkEthernet, // as NDIS shows it; see netxrayWANLinks
	9:          capture.LinkATM,
	10:         capture.LinkWiFi,
}

const netxrayWAN = 4

// netxrayWANLinks are the link types of a WAN's capture types, from version 2 on.
var netxrayWANLinks = map[byte]capture.LinkType{
	3:  capture.LinkPPPHDLC,
	4:  capture.LinkFrameRelay,
	19: capture.LinkCHDLC,
}

// netxrayTicks are the ticks in a second of the time units 0 to 2, where they are
// known, by the capture type of Ethernet: what card or pod was used.
var netxrayTicks = map[byte][3]uint64{
	0: {1e6, 1_193_000, 0}, // 0: as the file header has it
	2: {1e9, 0, 31_250_000},
	3: {1e6, 0, 1_250_000},
	5: {1e6, 0, 0},
	6: {1e9, 0, 20_000_000},
}

// netxrayOtherTicks are those of other networks.
var netxrayOtherTicks = [3]uint64{1e6, 1_193_000, 1_193_182}

// A netxray walks the records of a NetXRay file. All its words are little endian.
//
// The file header tells where the records begin and end. In a circular capture they
// end before they begin: the oldest stand last. Wireshark begins with those; a
// stream is walked as it comes.
type netxray struct {
	in       *input
	record   int    // bytes of a record header
	ticks    uint64 // in a second; 0 when it is not known
	zero     uint64 // ticks at the time begin
	begin    uint32 // of the capture, in seconds since 1970
	junk     bool   // records can have four bytes of no meaning behind the frame
	link     capture.LinkType
	iface    uint32
	from, to int64 // offsets in the stream of the records
	again    int64 // where they go on until the end of the file; 0: nowhere
	timeless bool  // damage has been told of
	records  uint64
	kept     *uint64
}

// newNetxray reads the file header at the start of data, which has at least
// netxrayHeader bytes and is at off in the stream.
func newNetxray(in *input, data []byte, off int64, kept *uint64) (w *netxray, unsupported string) {
	name := ""
	if string(data[:4]) == netxrayMagic {
		name = string(bytes.TrimRight(data[4:12], "\x00"))
	}
	version, ok := netxrayVersions[name]
	if !ok || name == "" && string(data[:4]) == netxrayMagic {
		return nil, fmt.Sprintf("unsupported NetXRay version %q", name)
	}
	w = &netxray{in: in, record: version.record, begin: binary.LittleEndian.Uint32(data[12:]),
		zero: binary.LittleEndian.Uint64(data[52:]), records: *kept, kept: kept}
	w.stretch(off, binary.LittleEndian.Uint32(data[24:]), binary.LittleEndian.Uint32(data[28:]))

	network := int(data[44])
	switch data[45] {
	case 0:
		network++ // NDIS counts from 1
	case 2:
	default:
		network = -1
	}
	kind := data[84] // of capture
	w.link, ok = netxrayLinks[network]
	if network == netxrayWAN && version.ticks == 0 {
		w.link, ok = netxrayWANLinks[kind]
	}
	if !ok {
		w.link = noLinkType
		in.note(fmt.Sprintf("NetXRay network type %d, capture type %d has no decoder", binary.LittleEndian.Uint16(data[44:]), kind))
	}
	w.ticks = version.ticks
	if w.ticks == 0 {
		w.ticks = netxrayUnit(data, network, kind)
		if network == 1 && kind != 0 && version.zero {
			w.zero = 0
		}
		// Where the clock rate has these bytes in its middle the four bytes are the
		// frame check sequence, as Wireshark found.
		fcs := data[77] == 0x34 && data[78] == 0x12
		w.junk = w.link == capture.LinkFrameRelay || !fcs && (w.link == capture.LinkEthernet || w.link == capture.LinkWiFi)
	}
	resolution := time.Duration(1)
	if w.ticks > 0 {
		resolution = max(time.Second/time.Duration(w.ticks), 1)
	}
	w.iface, _ = in.addInterface(capture.Interface{Link: w.link, Resolution: resolution})
	return w, ""
}

// netxrayUnit is how many ticks a second has in the file whose header is given, of
// version 2; 0 when that is not known.
func netxrayUnit(header []byte, network int, kind byte) uint64 {
	unit := header[48]
	switch {
	case unit > 2:
		return 0
	case network != 1:
		return netxrayOtherTicks[unit]
	case kind == 0 && unit == 2:
		return uint64(binary.LittleEndian.Uint32(header[76:]))
	}
	return netxrayTicks[kind][unit]
}

// stretch sets where the records are, from the offsets in the file at off of the
// first one and behind the last one.
func (w *netxray) stretch(off int64, first, end uint32) {
	w.from, w.to = off+max(int64(first), netxrayHeader), off+int64(end)
	switch {
	case end < netxrayHeader: // a capture that was not finished
		w.to = math.MaxInt64
	case first > end:
		w.again, w.from = w.from, off+netxrayHeader
		w.in.count("circular-capture")
		w.in.note("circular capture: the oldest frames stand last")
	}
}

// walk implements walker.
func (w *netxray) walk(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	pos := 0
	for {
		rest, at := data[pos:], off+int64(pos)
		var p progress
		switch {
		case at < w.from && w.in.plain() && w.from > w.in.size: // a hole without end may lie before it
			frames, p = w.walkRecord(nil, w.in.size, true, frames)
		case at < w.from && len(rest) > 0:
			p.used = int(min(w.from-at, int64(len(rest))))
		case at < w.to:
			frames, p = w.walkRecord(rest, at, eof, frames)
		case w.again > 0:
			w.from, w.to, w.again = w.again, math.MaxInt64, 0
		default:
			p.next = &tail{in: w.in, kept: w.kept}
		}
		pos += p.used
		if p.ended || p.next != nil || p.need > 0 {
			p.used = pos
			return frames, p
		}
	}
}

// walkRecord reads the record at the start of data.
func (w *netxray) walkRecord(data []byte, at int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	left := w.to - at
	if left < int64(w.record) {
		return frames, w.over(at, w.record, left)
	}
	if len(data) < w.record {
		if !eof {
			return frames, progress{need: w.record}
		}
		if len(data) > 0 || at < w.from || w.to < math.MaxInt64 {
			w.damage("header-cut-short", at, false, "header cut short (have %d of %d bytes)", len(data), w.record)
		}
		return frames, progress{used: len(data), ended: true}
	}
	length, captured := binary.LittleEndian.Uint16(data[8:]), binary.LittleEndian.Uint16(data[10:])
	if w.record == netxrayVersions[""].record {
		captured = length
	}
	end := w.record + int(captured)
	if int64(end) > left {
		return frames, w.over(at, end, left)
	}
	if len(data) < end {
		if eof {
			w.damage("data-cut-short", at, false, "data cut short (have %d of %d bytes)", len(data)-w.record, captured)
			return frames, progress{used: len(data), ended: true}
		}
		return frames, progress{need: end}
	}
	next := end
	if captured > length {
		length = captured
		w.in.count("caplen-over-length")
	}
	if w.junk && data[14] == 0xff && data[15] == 0xff {
		n := min(captured, 4)
		end, length = end-int(n), length-n
	}
	if len(frames) == cap(frames) {
		frames = slices.Grow(frames, 1)
	}
	frames = frames[:len(frames)+1]
	f := &frames[len(frames)-1]
	f.Data = data[w.record:end:end]
	f.Time = w.time(binary.LittleEndian.Uint64(data), at)
	f.Length, f.Interface, f.Link = uint32(length), w.iface, w.link
	w.records++
	return frames, progress{used: next}
}

// time is the time of the given number of ticks.
func (w *netxray) time(ticks uint64, at int64) capture.Timestamp {
	t, ok := w.exactTime(ticks)
	if !ok {
		w.in.count("time-unknown")
		if !w.timeless {
			w.timeless = true
			w.damage("time-unknown", at, false, "time unknown (%d ticks, %d in a second)", ticks, w.ticks)
		}
		return capture.Unknown
	}
	return t
}

func (w *netxray) exactTime(ticks uint64) (t capture.Timestamp, ok bool) {
	since, before := ticks-w.zero, ticks < w.zero
	if before {
		since = -since
	}
	hi, lo := bits.Mul64(since, nano)
	if hi >= w.ticks {
		return 0, false // ticks of no length, or centuries
	}
	ns, _ := bits.Div64(hi, lo, w.ticks)
	begin := uint64(w.begin) * nano
	switch {
	case before && ns <= math.MaxInt64:
		return capture.Timestamp(begin) - capture.Timestamp(ns), true
	case !before && ns <= math.MaxInt64-begin:
		return capture.Timestamp(begin + ns), true
	}
	return 0, false
}

// over tells of a record that needs more bytes than are left before the records' end.
func (w *netxray) over(at int64, need int, left int64) progress {
	w.damage("record-over-end", at, true, "record of %d bytes, %d left before the end of the records", need, left)
	return progress{ended: true}
}

// damage tells of the record after the ones walked so far.
func (w *netxray) damage(code string, at int64, stopped bool, format string, args ...any) {
	w.in.damage(capture.Damage{Code: code, Unit: "record", Record: w.records + 1, Offset: at,
		What: fmt.Sprintf(format, args...), Kept: w.records, Stopped: stopped})
}
