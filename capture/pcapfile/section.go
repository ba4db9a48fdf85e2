package pcapfile

import (
	"math"

	"sockscope/capture"
)

const (
	maxInterfaceName = 255    // bytes of a name or description that are kept
	unknownDrops     = 0xffff // the obsolete packet block's "not known"
)

// A section holds the interfaces that packets refer to by number. pcapng files
// may have many; an interface that appears in several as the same one is one in
// the Source too, or a hundred thousand sections would be as many interfaces.
type section struct {
	in         *input
	interfaces []described // of the current section
	known      []known     // of all sections
	latest     []int32     // index into known of the last interface with an id, or -1
}

// described is an interface of the current section.
type described struct {
	number   uint32 // in the Source
	snap     uint32 // 0 means no limit
	plain    uint32 // packets captured with fewer bytes than this are nothing special
	link     capture.LinkType
	broken   bool // its block was too short
	timeless bool // damage has been told of
	counted  bool // drops come from a statistics block
	drops    uint64
	clock    clock
}

// known is an interface that the Source has; what is not here is there.
type known struct {
	number   uint32
	previous int32 // index into known of another with the same id, or -1
	offset   int64 // if_tsoffset
	resol    uint8 // if_tsresol
}

// maxPrevious is how many interfaces of the same id are compared.
const maxPrevious = 16

// newSection forgets the interfaces.
func (s *section) newSection() { s.interfaces = s.interfaces[:0] }

// add gives the interface the next id of the section.
func (s *section) add(d described, name, description string) {
	id := len(s.interfaces)
	if id >= maxInterfaces {
		s.in.count("interface-limit")
		return
	}
	if id == len(s.latest) {
		s.latest = append(s.latest, -1)
	}
	if !d.broken {
		d.number = s.number(id, &d, name, description)
	}
	s.interfaces = append(s.interfaces, d)
}

// number is the Source's number for d.
func (s *section) number(id int, d *described, name, description string) uint32 {
	k := s.latest[id]
	for range maxPrevious {
		if k < 0 {
			break
		}
		o := &s.known[k]
		if i := &s.in.reader.interfaces[o.number]; i.Link == d.link && i.SnapLength == d.snap &&
			o.offset == d.clock.offset && o.resol == d.clock.resol && i.Name == name && i.Description == description {
			return o.number
		}
		k = o.previous
	}
	n, added := s.in.addInterface(capture.Interface{Name: name, Description: description,
		Link: d.link, SnapLength: d.snap, Resolution: d.clock.resolution()})
	if !added {
		return n
	}
	s.known = append(s.known, known{number: n, previous: s.latest[id], offset: d.clock.offset, resol: d.clock.resol})
	s.latest[id] = int32(len(s.known) - 1)
	return n
}

// dropped sets how many frames were lost on an interface in this section.
func (s *section) dropped(d *described, n uint64) {
	total := &s.in.reader.interfaces[d.number].Drops
	*total += n - d.drops
	d.drops = n
}

// interfaceDescription reads the body of an interface description block (§4.2).
func (w *pcapng) interfaceDescription(body []byte, cut bool) {
	d := described{clock: newClock(defaultTSResol, 0)}
	if len(body) < 8 {
		w.damage("interface-block-short", false, "block length %d too short for an interface", w.length)
		d.broken = true // it still has a number
		w.add(d, "", "")
		return
	}
	d.link, d.snap = capture.LinkType(w.u16(body)), w.u32(body[4:])
	var name, description string
	resol, offset := uint8(defaultTSResol), int64(0)
	w.options(body[8:], cut, func(code uint16, value []byte) {
		switch {
		case code == optName:
			name = text(value)
		case code == optDescription:
			description = text(value)
		case code == optTSResol && len(value) >= 1:
			resol = value[0]
		case code == optTSOffset && len(value) >= 8:
			offset = int64(w.u64(value))
		}
	})
	d.clock = newClock(resol, offset)
	if d.clock.fast {
		d.plain = maxCaptured + 1
		if d.snap != 0 {
			d.plain = min(d.snap, maxCaptured) + 1
		}
	}
	w.add(d, name, description)
}

// statistics reads the body of an interface statistics block (§4.6). The last one
// of an interface counts, and counts for more than the packets' drop counts.
func (w *pcapng) statistics(body []byte, cut bool) {
	if len(body) < 12 {
		w.in.count("statistics-block-short")
		return
	}
	id := w.u32(body)
	if id >= uint32(len(w.interfaces)) {
		w.in.count("statistics-unknown-interface")
		return
	}
	var drops uint64
	var known bool
	w.options(body[12:], cut, func(code uint16, value []byte) {
		if (code == optInterfaceDrops || code == optSystemDrops) && len(value) >= 8 {
			if n := w.u64(value); n <= math.MaxInt64 {
				drops, known = drops+n, true
			}
		}
	})
	if d := &w.interfaces[id]; known {
		d.counted = true
		w.dropped(d, drops)
	}
}

// text is an option's string: without the NUL that some writers count, and not
// longer than a name is.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	return string(b[:min(len(b), maxInterfaceName)])
}
