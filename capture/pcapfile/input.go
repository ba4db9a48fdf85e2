package pcapfile

import (
	"context"
	"slices"
	"strings"

	"sockscope/capture"
)

// An input is one operand: what is known of it, whatever is open or closed at
// the moment, and what was found in it.
type input struct {
	operand
	ctx     context.Context // ends reads that wait
	reader  *Reader
	index   int   // in the Source's Inputs
	ahead   bool  // decompress in a goroutine of its own
	sniffed bool  // info.Compression is known
	growing bool  // the file was longer at its end than when it was found
	seen    int64 // bytes of the file that Progress knows

	info          capture.Input
	counts        map[string]uint64
	interfaces    int    // of this input so far
	lastInterface uint32 // number in the Source
}

func newInput(ctx context.Context, r *Reader, op operand) *input {
	return &input{operand: op, ctx: ctx, reader: r, index: len(r.inputs), info: capture.Input{Name: op.name}}
}

// plain reports whether the input is a file whose size is known, and not compressed:
// nothing is to be learned by passing over what is in it.
func (in *input) plain() bool { return in.size >= 0 && in.info.Compression == "" }

// damage notes d. A hostile file can have millions: from a number on they are
// only counted.
func (in *input) damage(d capture.Damage) {
	if len(in.info.Damage) >= maxDamage {
		in.count("more-damage")
		return
	}
	if in.growing && strings.HasSuffix(d.Code, "cut-short") {
		d.What += ", still being written?"
	}
	in.info.Damage = append(in.info.Damage, d)
}

// unusable notes that nothing of the input can be used.
func (in *input) unusable(code, what string, off int64) {
	in.damage(capture.Damage{Code: code, Offset: off, What: what, Unread: true})
}

// count counts an accepted oddity. The names are a fixed list:
//
//	caplen-over-length, caplen-over-snaplen, fraction-overflow, snaplen-zero,
//	unknown-minor-version, further-capture, interface-limit,
//	more-damage (entries beyond the limit)
//
// of snoop padding-cut-short, padding-long; of Network Monitor pseudo-frame,
// frame-table-order, time-unknown; of NetXRay circular-capture, time-unknown;
//
// and of pcapng
//
//	unknown-block, custom-block, journal-block, name-resolution-block,
//	secrets-block, statistics-block, statistics-block-short,
//	statistics-unknown-interface, unpadded-block-length, option-dropped,
//	packet-dropped, time-unknown, owner-limit
func (in *input) count(name string) {
	if in.counts == nil {
		in.counts = make(map[string]uint64)
	}
	in.counts[name]++
}

// note tells the user something once. A hostile file could have it tell ever new
// things; what comes after too many is dropped.
func (in *input) note(text string) {
	if len(in.info.Notes) < maxNotes && !slices.Contains(in.info.Notes, text) {
		in.info.Notes = append(in.info.Notes, text)
	}
}

// addInterface gives an interface of this input its number in the Source. When
// there are too many it is not added: its frames go under the last one's number.
func (in *input) addInterface(i capture.Interface) (number uint32, added bool) {
	if in.interfaces >= maxInterfaces {
		in.count("interface-limit")
		return in.lastInterface, false
	}
	i.Input = in.index
	in.interfaces++
	in.reader.interfaces = append(in.reader.interfaces, i)
	in.lastInterface = uint32(len(in.reader.interfaces) - 1)
	return in.lastInterface, true
}

// given counts frames that leave the Source.
func (in *input) given(frames []capture.Frame) {
	var bytes, captured uint64
	for i := range frames {
		bytes += uint64(frames[i].Length)
		captured += uint64(len(frames[i].Data))
	}
	in.info.Frames += uint64(len(frames))
	in.info.Bytes += bytes
	in.info.Captured += captured
}

// read tells Progress that the file has been read up to pos. What is read twice
// counts once.
func (in *input) read(pos int64) {
	if pos > in.seen {
		in.reader.done.Add(pos - in.seen)
		in.seen = pos
	}
}

// snapshot is a copy of what is known so far.
func (in *input) snapshot() capture.Input {
	s := in.info
	s.Damage = slices.Clone(s.Damage)
	s.Notes = slices.Clone(s.Notes)
	s.Anomalies = nil
	for name, n := range in.counts {
		s.Anomalies = append(s.Anomalies, capture.Count{Name: name, N: n})
	}
	slices.SortFunc(s.Anomalies, func(a, b capture.Count) int { return strings.Compare(a.Name, b.Name) })
	return s
}
