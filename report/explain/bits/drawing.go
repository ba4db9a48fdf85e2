// Package bits takes one frame apart, header by header and field by field, and draws its
// headers as RFCs draw them, with the real values in the fields and the bytes they come
// from. Headers are tables of fields; what has no table is shown as bytes, under the name
// that gopacket has for it.
package bits

import "sockscope/capture"

// A Drawing is a frame taken apart. Its headers follow each other without a gap and
// account for each captured byte once. It refers to the frame's data.
type Drawing struct {
	Number  uint64 // of the frame, 1 is the first of the input
	Link    capture.LinkType
	Data    []byte
	Length  int // on the wire, in bytes
	Headers []Header
}

// A Kind is what a stretch of a frame is.
type Kind uint8

const (
	Fields  Kind = iota // a header with a table
	Layer               // a header without
	Payload             // what the innermost header carries
	Trailer             // what follows a packet within the one around: padding, a check sequence
)

// An End is why a header ends before it should.
type End uint8

const (
	Complete    End = iota
	CaptureEnds     // the snap length cut it off
	PacketEnds      // the packet is shorter than the header's own length
	QuoteEnds       // an error message quotes no more
)

// A Header is a stretch of the frame.
type Header struct {
	Kind   Kind
	Name   string
	RFC    string
	Offset int // in the frame, in bytes
	Length int // what was captured, in bytes
	Want   int // what there should be; more than Length unless End is Complete
	End    End
	Fields []Field // in order; they cover Length
	Notes  []Note
	data   []byte // of the frame, Length bytes
}

// A Field is one field with its real value.
type Field struct {
	Key      string // of its sentence
	Label    string // as in the RFC
	RFC      string
	At, Bits int    // from the header's first bit
	Value    string // digits and Latin letters
	Short    string // the same where there is little room
	Cut      bool   // not all of it was captured: it has no value
}

// first and last are the offsets in the frame of the bytes that f lies in.
func (h *Header) first(f *Field) int { return h.Offset + f.At/8 }
func (h *Header) last(f *Field) int  { return h.Offset + (f.At+f.Bits-1)/8 }

// A Note is a sentence that is true of this header only.
type Note struct {
	Key  string
	Args []any
}

// Of takes a frame apart.
func Of(f *capture.Frame, number uint64) *Drawing {
	d := &Drawing{Number: number, Link: f.Link, Data: f.Data, Length: max(int(f.Length), len(f.Data))}
	w := &walk{Drawing: d, data: f.Data, end: len(f.Data), missing: d.Length - len(f.Data), unsummed: f.Unsummed}
	next := linkStep(f.Link)
	if next == nil {
		next = deepLink(f.Link)
	}
	w.run(next)
	for i := range d.Headers {
		h := &d.Headers[i]
		h.data = d.Data[h.Offset : h.Offset+h.Length]
	}
	return d
}
