package pcapfile

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"sockscope/capture"
)

// Magic words of Microsoft Network Monitor files, of versions 1.x and 2.x.
const (
	netmonMagic1 = "RTSS"
	netmonMagic2 = "GMBU"
)

const (
	netmonHeader  = 128 // bytes of the file header with its padding
	netmonRecord1 = 8   // bytes of a frame's header in version 1.x
	netmonRecord2 = 16
	tableEntry    = 4 // bytes of an offset in the frame table
)

// netmonTrailers are the bytes behind a frame by minor version of 2.x: its network
// type, the number of its process, its time in UTC and the number of a time zone.
var netmonTrailers = [...]int{0, 2, 2 + 4, 2 + 4 + 8 + 1}

// netmonUTC is the place of the time in a trailer.
const netmonUTC = 2 + 4

// Network types that need a word.
const (
	netmonATM          = 4
	netmonWiFi         = 6
	netmonPcap         = 0xe000 // to 0xefff: a registered link type
	netmonAnalyzer     = 0xe080 // from here on Message Analyzer's own types instead; the first is WiFi
	netmonAnalyzerLast = 0xe08a
	netmonPseudo       = 0xffe0 // from here on frames are no packets: events, adapters, filters, names
)

// netmonLinks are the link types of network types.
var netmonLinks = map[uint16]capture.LinkType{
	0:              capture.LinkEthernet, // of single frames
	1:              capture.LinkEthernet,
	2:              capture.LinkTokenRing,
	3:              capture.LinkFDDI,
	netmonATM:      capture.LinkATM,
	netmonWiFi:     capture.LinkWiFi,
	7:              capture.LinkRaw, // tunnels
	8:              capture.LinkRaw, // mobile networks
	9:              capture.LinkRaw,
	netmonAnalyzer: capture.LinkWiFi,
}

// numberedPseudo is the note on pseudo-frames of the kinds that have frame numbers
// in Wireshark.
const numberedPseudo = "Wireshark also gives Network Monitor's events, adapters and filters frame numbers: its numbers run ahead of these"

// A netmon walks the frames of a Network Monitor file. All its words are little
// endian.
//
// Frames stand one after another from the file header to the frame table, which
// lists their offsets. As the table comes last, a stream is walked without it; what
// it lists is compared then. Wireshark goes by the table alone: it reads beyond a
// gap between frames, where this stops, and has the frames in the table's order
// where this has them in the file's.
type netmon struct {
	in       *input
	version  uint8         // the major one
	header   int           // bytes before a frame's data
	trailer  int           // bytes behind them
	utc      bool          // the trailer has a time
	unit     time.Duration // of times
	network  uint16
	begin    int64 // of the capture, in ticks since 1970
	start    int64 // of the file in the stream; the table counts from there
	table    int64 // offset of the frame table in the stream
	end      int64 // behind its last whole entry
	length   int64 // in bytes, of the table
	medium   *netmonMedium
	media    map[uint16]*netmonMedium
	walked   frameOffsets
	listed   frameOffsets
	timeless bool    // damage has been told of
	records  uint64  // of the stream so far, pseudo-frames among them
	frames   uint64  // of the stream so far
	kept     *uint64 // the same, as the cursor counts
}

// A netmonMedium is what a network type stands for.
type netmonMedium struct {
	network uint16
	link    capture.LinkType
	iface   uint32
}

// frameOffsets is how many frames there are, and where: enough to tell whether
// two lists have the same ones without keeping them.
type frameOffsets struct {
	n, sum, last uint64
	back         bool // some are before the one listed before
}

func (o *frameOffsets) add(offset uint64) {
	o.back = o.back || offset < o.last
	o.n, o.sum, o.last = o.n+1, o.sum+offset, offset
}

// newNetmon reads the file header at the start of data, which has at least
// netmonHeader bytes and is at off in the stream. Of one that cannot be used it
// returns what is wrong and its code.
func newNetmon(in *input, data []byte, off int64, kept *uint64) (w *netmon, code, what string) {
	minor, major := data[4], data[5]
	w = &netmon{in: in, version: major, header: netmonRecord1, unit: time.Millisecond, network: binary.LittleEndian.Uint16(data[6:]),
		begin: systemTime(data[8:]), start: off, media: make(map[uint16]*netmonMedium),
		records: *kept, frames: *kept, kept: kept}
	switch major {
	case 1:
	case 2:
		w.header, w.unit = netmonRecord2, time.Microsecond
		w.trailer = netmonTrailers[min(int(minor), len(netmonTrailers)-1)]
		if w.trailer > netmonUTC {
			w.utc, w.unit = true, tick
		}
		if int(minor) >= len(netmonTrailers) {
			in.count("unknown-minor-version")
		}
	default:
		return nil, "unsupported-version", fmt.Sprintf("unsupported Network Monitor version %d.%d", major, minor)
	}
	table := binary.LittleEndian.Uint32(data[24:])
	if table < netmonHeader {
		return nil, "bad-frame-table", fmt.Sprintf("frame table at %d, inside the file header", table)
	}
	w.length = int64(binary.LittleEndian.Uint32(data[28:]))
	w.table = off + int64(table)
	w.end = w.table + w.length&^3
	return w, "", ""
}

// walk implements walker.
func (w *netmon) walk(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	pos := 0
	for {
		at := off + int64(pos)
		var p progress
		switch {
		case at < w.table:
			frames, p = w.record(data[pos:], at, eof, frames)
		case at == w.table && w.walked.n != uint64(w.end-w.table)/tableEntry:
			p = w.miscounted()
		case at < w.end:
			p = w.list(data[pos:], at, eof)
		default:
			w.compare()
			p.next = &tail{in: w.in, kept: w.kept}
		}
		pos += p.used
		if p.ended || p.next != nil || p.need > 0 {
			p.used = pos
			return frames, p
		}
	}
}

// record reads the frame at the start of data.
func (w *netmon) record(data []byte, at int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	left := w.table - at
	if left < int64(w.header) {
		return frames, w.over(at, w.header, left)
	}
	if len(data) < w.header {
		switch {
		case !eof:
			return frames, progress{need: w.header}
		case len(data) == 0:
			w.tableCut(at, 0)
		default:
			w.damage("header-cut-short", at, false, "header cut short (have %d of %d bytes)", len(data), w.header)
		}
		return frames, progress{used: len(data), ended: true}
	}
	var length, captured uint32
	if w.version == 1 {
		length, captured = uint32(binary.LittleEndian.Uint16(data[4:])), uint32(binary.LittleEndian.Uint16(data[6:]))
	} else {
		length, captured = binary.LittleEndian.Uint32(data[8:]), binary.LittleEndian.Uint32(data[12:])
	}
	if captured > maxCaptured {
		w.damage("captured-length-over-limit", at, true, "captured length %d exceeds %d", captured, maxCaptured)
		return frames, progress{ended: true}
	}
	end := w.header + int(captured)
	next := end + w.trailer
	if int64(next) > left {
		return frames, w.over(at, next, left)
	}
	if len(data) < next {
		if eof {
			w.damage("data-cut-short", at, false, "data cut short (have %d of %d bytes)", len(data)-w.header, next-w.header)
			return frames, progress{used: len(data), ended: true}
		}
		return frames, progress{need: next}
	}
	w.walked.add(uint64(at - w.start))
	network := w.network
	if w.trailer > 0 {
		network = binary.LittleEndian.Uint16(data[end:])
	}
	if network >= netmonPseudo && w.trailer > 0 {
		w.pseudo(network)
		w.records++
		return frames, progress{used: next}
	}
	if captured > length {
		length = captured
		w.in.count("caplen-over-length")
	}
	m := w.mediumOf(network)
	skip := m.before(data[w.header:end])
	if len(frames) == cap(frames) {
		frames = slices.Grow(frames, 1)
	}
	frames = frames[:len(frames)+1]
	f := &frames[len(frames)-1]
	f.Data = data[w.header+skip : end : end]
	f.Time = w.time(data, data[end:next], at)
	f.Length, f.Interface, f.Link = length-uint32(skip), m.iface, m.link
	w.records++
	w.frames++
	return frames, progress{used: next}
}

// pseudo counts a frame that is no packet.
func (w *netmon) pseudo(network uint16) {
	const payload, adapters, names = 0xfffc, 0xfffd, 0xfffe // Wireshark skips them too
	w.in.count("pseudo-frame")
	if network < payload || network > names {
		w.in.note(numberedPseudo)
	}
}

// mediumOf is the medium of a network type, with an interface of its own.
func (w *netmon) mediumOf(network uint16) *netmonMedium {
	if w.medium != nil && w.medium.network == network {
		return w.medium
	}
	m := w.media[network]
	if m == nil {
		m = &netmonMedium{network: network, link: netmonLink(network)}
		if m.link == noLinkType {
			w.in.note(fmt.Sprintf("Network Monitor network type %d has no decoder", network))
		}
		m.iface, _ = w.in.addInterface(capture.Interface{Link: m.link, Resolution: w.unit})
		w.media[network] = m
	}
	w.medium = m
	return m
}

// netmonLink is the link type of a network type.
func netmonLink(network uint16) capture.LinkType {
	if link, ok := netmonLinks[network]; ok {
		return link
	}
	if network&0xf000 == netmonPcap && (network < netmonAnalyzer || network > netmonAnalyzerLast) {
		return capture.LinkType(network &^ netmonPcap)
	}
	return noLinkType
}

// before is how many bytes of data are the capturing side's: two addresses and a
// circuit before an ATM frame, what the radio knew before a WiFi frame.
func (m *netmonMedium) before(data []byte) int {
	n := 0
	switch {
	case m.network == netmonATM:
		n = 6 + 6 + 2 + 2
	case m.network == netmonWiFi && len(data) >= 3: // a version, then the length
		n = int(binary.LittleEndian.Uint16(data[1:]))
	}
	return min(n, len(data))
}

// time is the time of the frame whose header and trailer are given.
func (w *netmon) time(header, trailer []byte, at int64) capture.Timestamp {
	var t capture.Timestamp
	switch {
	case w.version == 1: // milliseconds
		t = tickTime(w.begin, int64(binary.LittleEndian.Uint32(header))*(ticksPerSec/1000))
	case w.utc && binary.LittleEndian.Uint64(trailer[netmonUTC:]) != 0:
		t = tickTime(0, int64(binary.LittleEndian.Uint64(trailer[netmonUTC:])-uint64(fileTimeEpoch)))
	default:
		// Microseconds; times ten they are a signed number, as Network Monitor's help
		// has it: frames can be before the start.
		t = tickTime(w.begin, int64(binary.LittleEndian.Uint64(header)*10))
	}
	if t == capture.Unknown {
		w.in.count("time-unknown")
		if !w.timeless {
			w.timeless = true
			w.damage("time-unknown", at, false, "time unknown (before 1677 or after 2262)")
		}
	}
	return t
}

// over tells of a frame that needs more bytes than are left before the frame table.
func (w *netmon) over(at int64, need int, left int64) progress {
	w.damage("record-over-end", at, true, "frame of %d bytes, %d left before the frame table", need, left)
	return progress{ended: true}
}

// list reads the entries of the frame table at the start of data.
func (w *netmon) list(data []byte, at int64, eof bool) progress {
	n := min(int64(len(data)), w.end-at) &^ (tableEntry - 1)
	for pos := int64(0); pos < n; pos += tableEntry {
		w.listed.add(uint64(binary.LittleEndian.Uint32(data[pos:])))
	}
	switch {
	case n > 0:
		return progress{used: int(n)}
	case eof:
		w.tableCut(at, at-w.table+int64(len(data)))
		return progress{used: len(data), ended: true}
	}
	return progress{need: tableEntry}
}

// miscounted tells of a frame table that is of more or fewer frames than were
// walked. Where it says that it ends is of no use then.
func (w *netmon) miscounted() progress {
	w.tableDamage("frame-table-differs", w.table, true, "frame table lists %d frames, %d stand before it", w.length/tableEntry, w.walked.n)
	return progress{ended: true}
}

// compare tells whether the frame table, which is of as many frames, lists those
// that were walked.
func (w *netmon) compare() {
	switch {
	case w.listed.sum != w.walked.sum:
		w.tableDamage("frame-table-differs", w.table, false, "frame table lists other places than those of the %d frames before it", w.walked.n)
	case w.listed.back:
		w.in.count("frame-table-order")
		w.in.note("frames are in the order of the file, the frame table has another")
	}
}

// tableCut tells of a file that ends before its frame table does.
func (w *netmon) tableCut(at, have int64) {
	w.tableDamage("frame-table-cut-short", at, false, "frame table cut short (have %d of %d bytes)", have, w.length)
}

// tableDamage tells of the frame table.
func (w *netmon) tableDamage(code string, at int64, stopped bool, format string, args ...any) {
	w.in.damage(capture.Damage{Code: code, Offset: at, What: fmt.Sprintf(format, args...), Kept: w.frames, Stopped: stopped})
}

// damage tells of the record after the ones walked so far.
func (w *netmon) damage(code string, at int64, stopped bool, format string, args ...any) {
	w.in.damage(capture.Damage{Code: code, Unit: "record", Record: w.records + 1, Offset: at,
		What: fmt.Sprintf(format, args...), Kept: w.frames, Stopped: stopped})
}
