package report

import (
	"bufio"
	"io"
	"strings"
	"time"
)

// TextOptions says how WriteText writes; the zero value works.
type TextOptions struct {
	Width    int            // of a line, in terminal cells; 0 means 80, less than 40 means 40
	Color    bool           // use the terminal's colours
	ASCII    bool           // the terminal cannot show UTF-8
	Location *time.Location // of the times shown; nil means the local time zone
}

// WriteText writes s for people to read, worst news first: what was read, whether
// it went well, the trouble with its evidence, then the tables. No line is wider
// than o.Width.
func WriteText(w io.Writer, s *Summary, o TextOptions) error {
	b := bufio.NewWriter(w)
	p := &printer{w: b, width: o.Width, color: o.Color, ascii: o.ASCII, location: o.Location, mark: "…"}
	if p.width == 0 {
		p.width = 80
	}
	p.width = max(p.width, 40)
	if p.location == nil {
		p.location = time.Local
	}
	if p.ascii {
		p.mark = ".."
	}
	p.inputs(s)
	p.verdict(s)
	p.timeline(&s.Timeline)
	p.trouble(s)
	p.ranges(s)
	p.services(s)
	p.listeners(s.Host)
	p.connections(s)
	p.tunnels(s)
	p.ledger(s)
	return b.Flush()
}

// A printer writes lines of text. Its first error stays in w.
type printer struct {
	w        *bufio.Writer
	width    int
	color    bool
	ascii    bool
	mark     string // stands for what was cut off
	location *time.Location
}

// asciiMarks stand for the marks that the report itself uses.
var asciiMarks = strings.NewReplacer("→", "->", "≈", "~", "–", "-", "·", "|", "µ", "u", "…", "..", "×", "x", "±", "+-")

// text makes s safe to print on this terminal: whatever came off the wire can
// neither move the cursor nor turn the line around.
func (p *printer) text(s string) string {
	if p.ascii {
		return EscapeASCII(asciiMarks.Replace(s))
	}
	return EscapeText(s)
}

// paint gives s, already safe to print, a colour.
func (p *printer) paint(c colour, s string) string {
	if !p.color || c == plain || s == "" {
		return s
	}
	return string(c) + s + endColour
}

// line writes one line as it is.
func (p *printer) line(s string) {
	p.w.WriteString(s)
	p.w.WriteByte('\n')
}

// heading starts a section.
func (p *printer) heading(title, remark string) {
	title, remark = p.text(title), p.text(remark)
	p.line("")
	if remark == "" || textWidth(title)+2+textWidth(remark) > p.width {
		p.line(p.paint(bold, shorten(title, p.width, p.mark)))
		if remark != "" {
			p.prose(plain, remark, 2)
		}
		return
	}
	p.line(p.paint(bold, title) + "  " + remark)
}

// prose writes s, already safe to print, over as many lines as it needs, the first
// one at the margin and the others indented by hanging.
func (p *printer) prose(c colour, s string, hanging int) {
	for i, line := range wrap(s, p.width, hanging) {
		if i > 0 {
			p.w.WriteString(strings.Repeat(" ", hanging))
		}
		p.line(p.paint(c, line))
	}
}

// paragraph writes s, not yet safe to print, indented by two as a whole.
func (p *printer) paragraph(c colour, s string) {
	for _, line := range wrap(p.text(s), p.width-2, 0) {
		p.line("  " + p.paint(c, line))
	}
}
