package explain

import (
	"io"
	"strings"

	"sockscope/report/words"
)

// TextOptions say how text looks.
type TextOptions struct {
	Words *words.Printer
	Width int  // in columns of a terminal; less than 60 is taken for 60
	Color bool // by escape sequences (ECMA-48 §8.3.117)
	ASCII bool // draw without box drawing characters; English only has ASCII then
}

const minWidth, maxWidth = 60, 120

// A colour is an SGR sequence that starts a colour or weight; plain is none.
type colour string

const (
	plain  colour = ""
	bold   colour = "\x1b[1m"
	faint  colour = "\x1b[2m"
	red    colour = "\x1b[31m"
	green  colour = "\x1b[32m"
	yellow colour = "\x1b[33m"

	endColour = "\x1b[0m"
)

// A text is a page of lines.
type text struct {
	TextOptions
	out strings.Builder
}

// WriteText writes a conversation for people to read.
func WriteText(w io.Writer, c *Conversation, o TextOptions) error {
	o.Width = min(max(o.Width, minWidth), maxWidth)
	t := &text{TextOptions: o}
	t.paragraph("", c.Title(o.Words), bold)
	t.paragraph("  ", c.Word(), t.severity(c))
	t.heading("explain.who")
	for i := range c.Header {
		t.note("  ", &c.Header[i])
	}
	t.heading("explain.ladder")
	l := newLadder(t, c)
	l.draw()
	t.heading("explain.verdict")
	for i := range c.Verdict {
		t.note("  ", &c.Verdict[i])
	}
	_, err := io.WriteString(w, t.out.String())
	return err
}

// severity is the colour of the outcome.
func (t *text) severity(c *Conversation) colour {
	if c.Connection.Outcome.Failed() {
		return red
	}
	return green
}

func (t *text) heading(key string) {
	t.out.WriteByte('\n')
	t.paragraph("", t.Words.Say(key), bold)
}

// note writes a sentence and where that is written.
func (t *text) note(indent string, n *Note) { t.bullet(indent, "- ", t.sentence(n)) }

// sentence is a note with its RFC.
func (t *text) sentence(n *Note) string {
	s := n.Say(t.Words)
	if n.RFC != "" {
		s += " (" + strings.ReplaceAll(n.RFC, " ", unbroken) + ")"
	}
	return s
}

// unbroken is a space at which no line is broken, until wrap makes a space of it.
const unbroken = "\ue000"

// wrap breaks s into lines.
func (t *text) wrap(s string, width int) []string {
	lines := words.Wrap(t.plain(s), width)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], unbroken, " ")
	}
	return lines
}

func (t *text) bullet(indent, mark, s string) {
	for i, line := range t.wrap(s, t.Width-len(indent)-len(mark)) {
		if i > 0 {
			mark = strings.Repeat(" ", len(mark))
		}
		t.out.WriteString(indent + mark + line + "\n")
	}
}

func (t *text) paragraph(indent, s string, c colour) {
	for _, line := range t.wrap(s, t.Width-len(indent)) {
		t.out.WriteString(indent + t.paint(line, c) + "\n")
	}
}

func (t *text) paint(s string, c colour) string {
	if !t.Color || c == plain || s == "" {
		return s
	}
	return string(c) + s + endColour
}

// asASCII writes the characters of our own texts that are none of ASCII's.
var asASCII = strings.NewReplacer("§", "section ", "→", "->", "…", "...", "×", "x", "µ", "u",
	"│", "|", "─", "-", "╌", "-", "▶", ">", "◀", "<", "┆", ":")

// plain is s as it may be written.
func (t *text) plain(s string) string {
	if t.ASCII {
		return asASCII.Replace(s)
	}
	return s
}
