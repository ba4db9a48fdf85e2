package bits

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"sync"

	"sockscope/report/words"
)

//go:embed page.html section.html section.css
var files embed.FS

// pages are parsed when somebody wants one: most views never do.
var pages = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(files, "*.html")) })

// styleSheet is the same for all drawings.
var styleSheet = sync.OnceValue(func() template.CSS {
	text, err := files.ReadFile("section.css")
	if err != nil {
		panic(err) // it is part of the program
	}
	return template.CSS(text)
})

// WriteHTML writes d as a page that needs nothing else.
func (d *Drawing) WriteHTML(out io.Writer, o Options) error {
	return pages().ExecuteTemplate(out, "page.html", d.section(o))
}

// HTML is d as a section of a page, its style included. A page may have several frames.
func (d *Drawing) HTML(o Options) (template.HTML, error) {
	var s strings.Builder
	if err := pages().ExecuteTemplate(&s, "section.html", d.section(o)); err != nil {
		return "", err
	}
	return template.HTML(s.String()), nil
}

// A section is what the templates show.
type section struct {
	Lang, ID, Title            string
	Choose, Bytes, All         string
	Field, Value, Place, Means string
	Style                      template.CSS
	Headers                    []sectionHeader
	Dump                       []dumpRow
	More                       string // how much of the frame is not in Dump
	Marks                      []mark
}

type sectionHeader struct {
	Heading string
	Fields  []sectionField
	Cells   []sectionCell
	Notes   []string
	Bits    []int // of the ruler
}

type sectionField struct {
	ID, Class, Label, Value, Place, Digits, Sentence, RFC string
}

// A sectionCell is a cell in a grid of 32 columns.
type sectionCell struct {
	Href, Class, Label, Value, Title string
	Row, Column, Span                int
	Narrow, Continued                bool
	Skipped                          string // instead of all that: how many rows are left out
}

// A dumpRow is a line of the frame's bytes.
type dumpRow struct {
	Offset int
	Bytes  []dumpByte
}

type dumpByte struct{ Class, Hex, Letter string }

// A mark is the class of all that shows one field: they are marked together.
type mark string

func (d *Drawing) section(o Options) *section {
	say := words.New(o.Language)
	id := "frame" + strconv.FormatUint(d.Number, 10)
	s := &section{
		Lang: o.Language.String(), ID: id, Title: d.title(say), Style: styleSheet(),
		Choose: say.Say("bits.choose"), Bytes: say.Say("bits.page"), All: say.Say("bits.all"),
		Field: say.Say("bits.column.field"), Value: say.Say("bits.column.value"), Place: say.Say("bits.column.place"), Means: say.Say("bits.column.meaning"),
	}
	classes := make([]string, min(len(d.Data), d.dumped()))
	for i := range d.Headers {
		h := &d.Headers[i]
		shown := sectionHeader{Heading: heading(say, h, h.RFC), Notes: remarks(say, h)}
		first := len(s.Marks)
		for j := range h.Fields {
			f := &h.Fields[j]
			class := fmt.Sprintf("%s-f%d", id, len(s.Marks))
			s.Marks = append(s.Marks, mark(class))
			shown.Fields = append(shown.Fields, sectionField{class, class, f.Label, f.full(say), place(h, f), digits(h, f), say.Say(f.Key), f.RFC})
			for at := h.first(f); at <= h.last(f) && at < len(classes); at++ {
				classes[at] += " " + class
			}
		}
		for at := h.Offset; at < h.Offset+h.Length && at < len(classes); at++ {
			classes[at] += [...]string{Fields: "", Layer: " layer", Payload: " payload", Trailer: " trailer"}[h.Kind]
		}
		shown.grid(h, s.Marks[first:], say)
		s.Headers = append(s.Headers, shown)
	}
	s.dump(d, classes, say)
	return s
}

// grid lays the cells of a header out.
func (s *sectionHeader) grid(h *Header, marks []mark, say *words.Printer) {
	for i := range min(rowBits, h.Length*8) {
		if len(h.Fields) > 0 {
			s.Bits = append(s.Bits, i)
		}
	}
	line := 1 // the ruler's
	for row, skipped := range visible(cells(h)) {
		line++
		for i := range row {
			c := &row[i]
			f, class := c.field, string(marks[c.index])
			cell := sectionCell{Href: "#" + class, Class: class, Row: line, Column: c.from + 1, Span: c.bits,
				Title: f.statement(say), Continued: f.At < c.row*rowBits}
			if c.first {
				cell.Label, cell.Value, cell.Narrow = f.Label, shown(f, c.width()*3/2, say.Say("bits.cut")), c.bits <= 3
				if c.bits < 4 {
					cell.Value = shown(f, c.width()+1, "~")
				}
			}
			s.Cells = append(s.Cells, cell)
		}
		if skipped > 0 {
			line++
			s.Cells = append(s.Cells, sectionCell{Row: line, Column: 1, Span: rowBits, Skipped: fmt.Sprintf("%d × 4", skipped)})
		}
	}
}

// dumped is how many of the frame's bytes are shown: all headers, within reason, and the
// beginning of what follows.
func (d *Drawing) dumped() int {
	const most = 2048
	n := dumpBytes
	for i := range d.Headers {
		if h := &d.Headers[i]; h.Kind == Fields {
			n = h.Offset + h.Length + dumpBytes
		}
	}
	return min(n, most)
}

// dump shows the frame's bytes, each with the classes of its fields.
func (s *section) dump(d *Drawing, classes []string, say *words.Printer) {
	for at := 0; at < len(classes); at += lineBytes {
		row := dumpRow{Offset: at}
		for i := at; i < min(len(classes), at+lineBytes); i++ {
			b := d.Data[i : i+1]
			row.Bytes = append(row.Bytes, dumpByte{strings.TrimPrefix(classes[i], " "), spaced(b), letters(b)})
		}
		s.Dump = append(s.Dump, row)
	}
	if rest := len(d.Data) - len(classes); rest > 0 {
		s.More = say.Say("bits.more", rest)
	}
}
