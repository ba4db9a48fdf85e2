package bits

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sockscope/report/words"
)

// Options say how a drawing is written.
type Options struct {
	Width    int // of text, in columns; 0: 80. Below 80 it does not fit
	Language words.Language
	ASCII    bool // no sign of section
}

const (
	minWidth = 80
	maxWidth = 120
)

// A writer writes a drawing as text. The first error of its output stays there.
type writer struct {
	*bufio.Writer
	say   *words.Printer
	width int
	ascii bool
}

// WriteText writes d for a terminal.
func (d *Drawing) WriteText(out io.Writer, o Options) error {
	w := newWriter(out, o)
	w.paragraph("", d.title(w.say))
	for i := range d.Headers {
		h := &d.Headers[i]
		w.line("")
		w.paragraph("", heading(w.say, h, w.reference(h.RFC)))
		w.body(h)
		w.notes(h, "  ")
		if h.Kind == Fields {
			w.line("")
			for i := range h.Fields {
				w.field(h, &h.Fields[i])
			}
		}
	}
	return w.Flush()
}

func newWriter(out io.Writer, o Options) *writer {
	return &writer{bufio.NewWriter(out), words.New(o.Language), min(max(o.Width, minWidth), maxWidth), o.ASCII}
}

// joint stands for a space at which no line is broken, as long as lines are.
const joint = "\ue000"

func (w *writer) line(s string) {
	w.WriteString(strings.ReplaceAll(strings.TrimRight(s, " "), joint, " "))
	w.WriteByte('\n')
}

// paragraph writes text in lines that begin with an indent.
func (w *writer) paragraph(indent, text string) {
	for _, line := range words.Wrap(text, w.width-len(indent)) {
		w.line(indent + line)
	}
}

// title says which frame it is, and how much of it is there.
func (d *Drawing) title(say *words.Printer) string {
	number := strconv.FormatUint(d.Number, 10)
	if len(d.Data) < d.Length {
		return say.Say("bits.title-cut", d.Length, len(d.Data), number, d.Link.String())
	}
	return say.Say("bits.title", d.Length, number, d.Link.String())
}

// heading says what a header is, where it lies, and where it is defined.
func heading(say *words.Printer, h *Header, reference string) string {
	first, last := strconv.Itoa(h.Offset), strconv.Itoa(h.Offset+h.Length-1)
	if h.Length == 0 {
		return say.Say("bits.header-empty", h.Name, reference)
	}
	switch h.Kind {
	case Fields:
		return say.Say("bits.header", h.Length, h.Name, first, last, reference)
	case Layer:
		return say.Say("bits.layer", h.Length, h.Name, first, last)
	case Payload:
		return say.Say("bits.payload", h.Length, first, last)
	default:
		return say.Say("bits.trailer", h.Length, first, last)
	}
}

// reference is where something is defined, in one piece.
func (w *writer) reference(rfc string) string {
	if w.ascii {
		rfc = strings.ReplaceAll(rfc, "§", "section ")
	}
	return strings.ReplaceAll(rfc, " ", joint)
}

// body draws a header, or dumps what has no fields.
func (w *writer) body(h *Header) {
	if h.Kind != Fields {
		w.dump(h)
		return
	}
	if h.Length == 0 {
		return
	}
	for _, line := range draw(h, "cut") {
		w.line(line)
	}
}

// Bytes that are dumped in a line, and of a stretch.
const (
	lineBytes = 16
	dumpBytes = 64
)

// dump writes the beginning of a stretch as hexadecimal digits and ASCII.
func (w *writer) dump(h *Header) {
	b := h.data[:min(len(h.data), dumpBytes)]
	for i := 0; i < len(b); i += lineBytes {
		part := b[i:min(len(b), i+lineBytes)]
		w.line(fmt.Sprintf("%*d  %-*s  %s", margin, h.Offset+i, 3*lineBytes, spaced(part), letters(part)))
	}
	if rest := len(h.data) - len(b); rest > 0 {
		w.paragraph("  ", w.say.Say("bits.more", rest))
	}
}

// spaced is bytes in hexadecimal digits with spaces between.
func spaced(b []byte) string {
	var s strings.Builder
	for i := range b {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(hex.EncodeToString(b[i : i+1]))
	}
	return s.String()
}

// notes writes what is true of this header only.
func (w *writer) notes(h *Header, indent string) {
	for _, note := range remarks(w.say, h) {
		w.paragraph(indent, note)
	}
}

// remarks are the sentences about a header as a whole.
func remarks(say *words.Printer, h *Header) (all []string) {
	switch h.End {
	case CaptureEnds:
		all = append(all, say.Say("bits.cut-here", h.Length, h.Want, h.Name))
	case PacketEnds:
		all = append(all, say.Say("bits.packet-ends", h.Length, h.Want, h.Name))
	case QuoteEnds:
		all = append(all, say.Say("bits.quote-ends", h.Length, h.Want, h.Name))
	}
	for _, n := range h.Notes {
		all = append(all, say.Say(n.Key, n.Args...))
	}
	return all
}

// field writes what one field says: its value, its bytes, and what it is for.
func (w *writer) field(h *Header, f *Field) {
	const column = 44
	head := "  " + f.statement(w.say)
	where := "[" + place(h, f) + "]  " + digits(h, f)
	switch {
	case words.Width(head) < column && column+len(where) <= w.width:
		w.line(words.Pad(head, column) + where)
	default:
		for _, line := range breakAt(head, w.width) {
			w.line(line)
		}
		w.line("      " + where)
	}
	w.paragraph("      ", w.say.Say(f.Key)+" "+w.reference(f.RFC))
}

// statement is a field's name and value.
func (f *Field) statement(say *words.Printer) string {
	if f.Cut {
		return f.Label + ": " + f.full(say)
	}
	return f.Label + " = " + f.full(say)
}

// full is all of a field's value that is to be read.
func (f *Field) full(say *words.Printer) string {
	switch {
	case f.Cut:
		return say.Say("bits.cut")
	case len(f.Value) > maxDigits:
		return f.Value[:maxDigits] + ".."
	}
	return f.Value
}

// maxDigits is how many hexadecimal digits of a long field are written, and maxBytes how
// many bytes of it.
const (
	maxDigits = 64
	maxBytes  = 16
)

// breakAt cuts text without spaces to lines of a width.
func breakAt(text string, width int) (lines []string) {
	for words.Width(text) > width {
		head := words.Cut(text, width)
		lines = append(lines, head)
		text = "      " + text[len(head):]
	}
	return append(lines, text)
}

// place is where a field lies in the frame: bytes 34-35, or of byte 46 the bits 46.0-3.
func place(h *Header, f *Field) string {
	first, last := h.first(f), h.last(f)
	from, to := f.At%8, (f.At+f.Bits-1)%8
	switch {
	case from == 0 && to == 7 && first == last:
		return fmt.Sprintf("%d", first)
	case from == 0 && to == 7:
		return fmt.Sprintf("%d-%d", first, last)
	case first == last && from == to:
		return fmt.Sprintf("%d.%d", first, from)
	case first == last:
		return fmt.Sprintf("%d.%d-%d", first, from, to)
	}
	return fmt.Sprintf("%d.%d-%d.%d", first, from, last, to)
}

// digits are a field's bytes; bits of a byte in binary digits, dots for the others.
func digits(h *Header, f *Field) string {
	b := h.data[f.At/8 : (f.At+f.Bits+7)/8]
	if f.At%8 == 0 && f.Bits%8 == 0 {
		if len(b) > maxBytes {
			return spaced(b[:maxBytes]) + " .."
		}
		return spaced(b)
	}
	var s strings.Builder
	for i, c := range b {
		if i > 0 {
			s.WriteByte(' ')
		}
		for j := range 8 {
			switch at := f.At/8*8 + 8*i + j; {
			case at < f.At || at >= f.At+f.Bits:
				s.WriteByte('.')
			default:
				s.WriteByte('0' + c>>(7-j)&1)
			}
		}
	}
	return s.String()
}
