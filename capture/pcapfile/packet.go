package pcapfile

import (
	"encoding/binary"
	"math"
	"math/bits"

	"sockscope/capture"
)

// enhancedPacket reads the body of an enhanced packet block (§4.3).
func (w *pcapng) enhancedPacket(body []byte, cut bool, frames []capture.Frame) []capture.Frame {
	const fixed = 20
	if len(body) < fixed {
		w.damage("packet-block-short", false, "block length %d too short for a packet", w.length)
		return frames
	}
	d := w.captured(w.u32(body))
	if d == nil {
		return frames
	}
	units := uint64(w.u32(body[4:]))<<32 | uint64(w.u32(body[8:]))
	frames, options := w.frame(d, units, w.u32(body[12:]), w.u32(body[16:]), body[fixed:], frames)
	if len(options) >= optHeader {
		w.packetOptions(d, options, cut, &frames[len(frames)-1])
	}
	return frames
}

// packet reads the body of an obsolete packet block (draft-tuexen-opsawg-pcapng
// appendix A), as files before 2006 have it.
func (w *pcapng) packet(body []byte, cut bool, frames []capture.Frame) []capture.Frame {
	const fixed = 20
	if len(body) < fixed {
		w.damage("packet-block-short", false, "block length %d too short for a packet", w.length)
		return frames
	}
	d := w.captured(uint32(w.u16(body)))
	if d == nil {
		return frames
	}
	if drops := w.u16(body[2:]); drops != unknownDrops {
		w.lost(d, uint64(drops))
	}
	units := uint64(w.u32(body[4:]))<<32 | uint64(w.u32(body[8:]))
	frames, options := w.frame(d, units, w.u32(body[12:]), w.u32(body[16:]), body[fixed:], frames)
	w.options(options, cut, func(code uint16, value []byte) {
		if code == optFlags && len(value) >= 4 {
			w.setFlags(&frames[len(frames)-1], w.u32(value))
		}
	})
	return frames
}

// simplePacket reads the body of a simple packet block (§4.4): of the first
// interface, without a time; how much was captured follows from the snap length.
func (w *pcapng) simplePacket(body []byte, frames []capture.Frame) []capture.Frame {
	const fixed = 4
	if len(body) < fixed {
		w.damage("packet-block-short", false, "block length %d too short for a packet", w.length)
		return frames
	}
	d := w.captured(0)
	if d == nil {
		return frames
	}
	length := w.u32(body)
	captured := length
	if d.snap != 0 {
		captured = min(captured, d.snap)
	}
	captured = min(captured, w.length-blockOverhead-fixed)
	if captured > maxCaptured {
		w.overLimit(captured)
		return frames
	}
	w.in.count("time-unknown")
	return w.give(frames, capture.Frame{Data: body[fixed:][:captured:captured], Time: capture.Unknown,
		Length: length, Interface: d.number, Link: d.link})
}

// captured is the interface a packet was captured on, nil when there is none: the
// packet is lost, but not those after it.
func (w *pcapng) captured(id uint32) *described {
	switch {
	case len(w.interfaces) == 0:
		w.in.count("packet-dropped")
		w.damage("unknown-interface", false, "packet before any interface description")
	case id >= uint32(len(w.interfaces)):
		w.in.count("packet-dropped")
		w.damage("unknown-interface", false, "interface %d of %d", id, len(w.interfaces))
	case w.interfaces[id].broken:
		w.in.count("packet-dropped")
		w.damage("unknown-interface", false, "interface %d has no description", id)
	default:
		return &w.interfaces[id]
	}
	return nil
}

// frame adds the packet at the start of data, which goes to the end of the block,
// and returns the options behind it.
func (w *pcapng) frame(d *described, units uint64, captured, length uint32, data []byte, frames []capture.Frame) ([]capture.Frame, []byte) {
	const before = 8 + 20 // of the block
	switch {
	case captured > w.length-before-4:
		w.in.count("packet-dropped")
		w.damage("packet-length-over-block", false, "packet length %d exceeds block length %d", captured, w.length)
		return frames, nil
	case captured > maxCaptured:
		w.overLimit(captured)
		return frames, nil
	}
	if captured > length {
		length = captured
		w.in.count("caplen-over-length")
	}
	if captured > d.snap && d.snap != 0 {
		w.in.count("caplen-over-snaplen")
	}
	time := d.clock.time(units)
	if time == capture.Unknown {
		w.in.count("time-unknown")
		if !d.timeless {
			d.timeless = true
			w.damage("time-unknown", false, "time unknown (%d units of %v)", units, &d.clock)
		}
	}
	frames = w.give(frames, capture.Frame{Data: data[:captured:captured], Time: time,
		Length: length, Interface: d.number, Link: d.link})
	return frames, data[min((int(captured)+3)&^3, len(data)):]
}

func (w *pcapng) give(frames []capture.Frame, f capture.Frame) []capture.Frame {
	w.frames++
	return append(frames, f)
}

func (w *pcapng) overLimit(captured uint32) {
	w.in.count("packet-dropped")
	w.damage("captured-length-over-limit", false, "captured length %d exceeds %d", captured, maxCaptured)
}

// lost adds frames that a packet block says were lost before it.
func (w *pcapng) lost(d *described, n uint64) {
	if !d.counted && n <= math.MaxUint32 {
		w.dropped(d, d.drops+n)
	}
}

// plainPackets walks the packet blocks at the start of data as long as nothing
// about them is odd, which is nearly always, and frames has room; what is left is
// for block. It returns how much that was.
func (w *pcapng) plainPackets(data []byte, frames []capture.Frame) ([]capture.Frame, int) {
	const fixed = 28 // type, length and the fixed part of an enhanced packet block
	pos, n := 0, len(frames)
	room := frames[:cap(frames)]
	for n < len(room) && len(data)-pos >= fixed+4 {
		header := data[pos : pos+fixed]
		first, id := binary.LittleEndian.Uint64(header), binary.LittleEndian.Uint32(header[8:])
		units, lengths := binary.LittleEndian.Uint64(header[12:]), binary.LittleEndian.Uint64(header[20:])
		written := uint32(first >> 32) // the length in the file's byte order
		if w.swap {
			first, id = swapPair(first), bits.ReverseBytes32(id)
			units, lengths = swapPair(units), swapPair(lengths)
		}
		kind, length := uint32(first), uint32(first>>32)
		captured, wire := uint32(lengths), uint32(lengths>>32)
		units = bits.RotateLeft64(units, 32) // the upper half comes first
		if kind != blockEnhancedPacket || length%4 != 0 || length > lookAtBlock || captured > wire || id >= uint32(len(w.interfaces)) {
			break
		}
		d := &w.interfaces[id]
		next, end := pos+int(length), pos+fixed+int(captured)
		options := pos + fixed + (int(captured)+3)&^3
		if captured >= d.plain || units > d.clock.limit || next > len(data) || options > next-4 ||
			binary.LittleEndian.Uint32(data[next-4:]) != written {
			break
		}
		f := &room[n]
		if options < next-4 {
			flags, plain := w.plainOptions(data[options : next-4])
			if !plain {
				break
			}
			w.setFlags(f, flags)
		}
		f.Data = data[pos+fixed : end : end]
		f.Time = capture.Timestamp(units * d.clock.scale)
		f.Length, f.Interface, f.Link = wire, d.number, d.link
		pos = next
		n++
	}
	w.blocks += uint64(n - len(frames))
	w.frames += uint64(n - len(frames))
	return room[:n], pos
}
