package pcapfile

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"sockscope/capture"
)

// An EncoderConfig says what an Encoder makes; the zero value, but for Stats, is pcapng.
type EncoderConfig struct {
	PCAP        bool          // the older format: frames of one link type, nothing about interfaces and owners
	Resolution  time.Duration // of times, 1 µs or 1 ns; 0: 1 µs in pcap, each interface's own in pcapng
	Filter      string        // that the frames passed; "" when there was none
	Application string        // that makes the file
	System      string        // that it runs on

	// Stats is the frames' source's. It is asked when a file begins, when it ends, and for
	// each interface and owner that was not there before.
	Stats func() capture.Stats
}

// An Encoder turns frames into the bytes of one capture file after another. It appends
// to memory of the caller, so that whole records are written, and decides nothing about
// files. All is in little endian.
type Encoder struct {
	cfg   EncoderConfig
	stats capture.Stats // when asked last

	begun bool             // pcap: the file header is there
	link  capture.LinkType // of all frames of a pcap file
	last  capture.Timestamp

	numbers []uint32                 // of the source's interfaces in the file, as far as they are described
	others  map[interfaceLink]uint32 // likewise, of those with frames of another link type than they have
	outs    []out                    // the interfaces in the file
	told    []uint64                 // drops that earlier files tell of, by the source's number
	owners  [][]byte                 // options of packets, by Frame.Owner-1; nil until needed
	untimed uint64
}

// allInterfaces is the name of the pseudo interface of a capture from all.
const allInterfaces = "any"

// undescribed stands for the number of an interface that is not in the file.
const undescribed = ^uint32(0)

// interfaceLink is an interface and the link type of some of its frames.
type interfaceLink struct {
	number uint32
	link   capture.LinkType
}

// out is an interface in the file.
type out struct {
	capture.Interface
	number  uint32 // of the source
	scale   uint64 // nanoseconds in a unit
	packets uint64
	lost    uint64 // frames that the caller could not encode
	first   capture.Timestamp
}

// A LinkTypeError is Frame's error for a frame that does not fit a pcap file, which has
// one link type.
type LinkTypeError struct{ Has, Frame capture.LinkType }

func (e *LinkTypeError) Error() string {
	return fmt.Sprintf("a frame of link type %v after %v: a pcap file has one link type, pcapng has many", e.Frame, e.Has)
}

// NewEncoder makes an Encoder.
func NewEncoder(cfg EncoderConfig) *Encoder { return &Encoder{cfg: cfg} }

// Untimed is how many frames had a time that the format cannot express, and have 1970
// instead.
func (e *Encoder) Untimed() uint64 { return e.untimed }

// Begin appends the beginning of a file to b. A pcap file of a source whose link type is
// not known yet begins with its first frame.
func (e *Encoder) Begin(b []byte) []byte {
	e.ask()
	e.begun, e.last = false, capture.Unknown
	e.numbers, e.others, e.outs = e.numbers[:0], nil, e.outs[:0]
	if e.cfg.PCAP {
		if len(e.stats.Interfaces) > 0 {
			b = e.pcapHeader(b, e.stats.Interfaces[0].Link)
		}
		return b
	}
	b = e.section(b)
	if i := e.stats.Interfaces; len(i) == 1 && i[0].Name != allInterfaces {
		b = e.describe(b, 0) // a reader need not wait for the first frame
	}
	return b
}

// Frame appends f, before which lost frames of its interface could not be encoded. On an
// error b is as it was.
func (e *Encoder) Frame(b []byte, f *capture.Frame, lost uint64) ([]byte, error) {
	if e.cfg.PCAP {
		return e.record(b, f)
	}
	return e.packet(b, f, lost), nil
}

// End appends the end of the file, with what is known about the interfaces. lost frames of
// the first one could not be encoded after the last Frame.
func (e *Encoder) End(b []byte, lost uint64) []byte {
	e.ask()
	if e.cfg.PCAP {
		if !e.begun {
			link := capture.LinkEthernet
			if len(e.stats.Interfaces) > 0 {
				link = e.stats.Interfaces[0].Link
			}
			b = e.pcapHeader(b, link)
		}
		return b
	}
	for len(e.told) < len(e.stats.Interfaces) {
		e.told = append(e.told, 0)
	}
	for i := range e.stats.Interfaces {
		s := &e.stats.Interfaces[i]
		if !e.live(s) || s.Drops > e.told[i] || len(e.stats.Interfaces) == 1 {
			b = e.describe(b, uint32(i))
		}
	}
	if len(e.outs) > 0 {
		e.outs[0].lost += lost
	}
	for id := range e.outs {
		b = e.statistics(b, uint32(id))
	}
	for i := range e.stats.Interfaces {
		e.told[i] = e.stats.Interfaces[i].Drops
	}
	return b
}

// live reports whether an interface is one that is captured from now.
func (e *Encoder) live(i *capture.Interface) bool {
	return i.Input < len(e.stats.Inputs) && e.stats.Inputs[i.Input].Format == "live"
}

// ask asks the source for its interfaces and owners.
func (e *Encoder) ask() {
	if e.cfg.Stats != nil {
		e.stats = e.cfg.Stats()
	}
}

// pcapHeader appends the file header of a pcap file.
func (e *Encoder) pcapHeader(b []byte, link capture.LinkType) []byte {
	magic, snap := uint32(magicMicro), uint32(maxCaptured)
	if e.cfg.Resolution == 1 {
		magic = magicNano
	}
	if len(e.stats.Interfaces) == 1 && e.stats.Interfaces[0].SnapLength != 0 {
		snap = e.stats.Interfaces[0].SnapLength
	}
	e.begun, e.link = true, link
	b = words(b, magic, 2|4<<16, 0, 0, snap, uint32(link))
	return b
}

// record appends a record of a pcap file.
func (e *Encoder) record(b []byte, f *capture.Frame) ([]byte, error) {
	if !e.begun {
		e.ask()
		b = e.pcapHeader(b, f.Link)
	}
	if f.Link != e.link {
		return b, &LinkTypeError{e.link, f.Link}
	}
	sec, frac := f.Time/1e9, f.Time%1e9
	if f.Time < 0 || sec > math.MaxUint32 {
		sec, frac = 0, 0
		e.untimed++
	}
	if e.cfg.Resolution != 1 {
		frac /= 1e3
	}
	b = words(b, uint32(sec), uint32(frac), uint32(len(f.Data)), f.Length)
	return append(b, f.Data...), nil
}

// words appends 32-bit words.
func words(b []byte, v ...uint32) []byte {
	b = slices.Grow(b, 4*len(v))
	for _, v := range v {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}
