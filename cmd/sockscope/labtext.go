package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"sockscope/capture"
	"sockscope/capture/lab"
	"sockscope/report"
	lang "sockscope/report/words"
)

// writeLabs lists the labs.
func (p *program) writeLabs(w io.Writer, say *lang.Printer) error {
	t := &labText{p: p, say: say, width: p.labWidth()}
	t.paragraph(0, say.Say("lab.list"))
	t.line("")
	const column = 27
	for _, name := range lab.Names() {
		for i, part := range t.wrap(say.Say("lab."+name), t.width-column-2) {
			if i > 0 {
				name = ""
			}
			t.line("  " + lang.Pad(name, column) + part)
		}
	}
	t.line("")
	t.paragraph(0, say.Say("lab.list-how", "sockscope lab handshake"))
	return t.writeTo(w)
}

// labWidth is how wide the text is: ladders that are wider are hard to follow.
func (p *program) labWidth() int { return min(max(outputWidth(p.stdout, os.Getenv), 60), 120) }

// A labText draws a lab as a ladder: the client's calls beside the line at the left, the
// server's beside that at the right, and the frames between them, by time.
//
//	 0.026228  │ connect(15, 192.0.2.2:80)                    │
//	           │── SYN ──────────────────────────────────────▶│
//	frame 1    │   seq 0  :38184 → :80                        │
type labText struct {
	p     *program
	say   *lang.Printer
	buf   bytes.Buffer
	width int
	began capture.Timestamp
	apart bool // an empty line is to come before the ladder goes on
	said  map[string]bool
}

// gutter is the columns in front of the ladder.
const gutter = 11

// line writes a line, without the spaces at its end.
func (t *labText) line(s string) { t.buf.WriteString(strings.TrimRight(s, " ") + "\n") }

// paragraph writes text between words into lines behind a margin.
func (t *labText) paragraph(margin int, text string) {
	for _, part := range t.wrap(text, t.width-margin) {
		t.line(strings.Repeat(" ", margin) + part)
	}
}

// row writes a line of the ladder.
func (t *labText) row(front, content string) {
	if t.apart {
		t.line("")
		t.apart = false
	}
	t.buf.WriteString(lang.Pad(front, gutter) + "│" + lang.Pad(content, t.inner()) + "│\n")
}

// inner is the columns between both lines of the ladder.
func (t *labText) inner() int { return t.width - gutter - len("||") }

// beside writes something beside the line of an end.
func (t *labText) beside(front, left, right string) {
	gap := t.inner() - 2 - lang.Width(left) - lang.Width(right)
	if gap < 2 && left != "" && right != "" {
		t.beside(front, left, "")
		t.beside("", "", right)
		return
	}
	t.row(front, " "+left+strings.Repeat(" ", max(0, gap))+right)
}

// What a terminal has that shows ASCII only: words have another width then, and so are
// replaced before lines are laid out.
var (
	asciiWords  = strings.NewReplacer("↩", "=>", "→", "->", "…", "...", "×", "x", "§", "section ", "µ", "u")
	asciiLadder = strings.NewReplacer("│", "|", "─", "-", "▶", ">", "◀", "<")
)

// plain is s as the terminal can show it.
func (t *labText) plain(s string) string {
	if t.p.ascii {
		return asciiWords.Replace(s)
	}
	return s
}

// wrap breaks s into lines of that width.
func (t *labText) wrap(s string, width int) []string { return lang.Wrap(t.plain(s), width) }

func (t *labText) writeTo(w io.Writer) error {
	text := strings.ReplaceAll(t.buf.String(), unbroken, " ")
	if t.p.ascii {
		text = asciiLadder.Replace(text)
	}
	_, err := io.WriteString(w, text)
	return err
}

// writeText writes a lab for people to read.
func (d *labDocument) writeText(w io.Writer, p *program, say *lang.Printer) error {
	t := &labText{p: p, say: say, width: p.labWidth(), said: map[string]bool{}}
	t.paragraph(0, d.title(say))
	t.paragraph(0, d.origin(say))
	t.line("")
	client, server := say.Say("lab.client", lab.ClientAddress), say.Say("lab.server", lab.ServerAddress)
	t.line(strings.Repeat(" ", gutter) + client + strings.Repeat(" ", max(1, t.width-gutter-lang.Width(client)-lang.Width(server))) + server)
	events := d.Events()
	if len(events) > 0 {
		t.began = events[0].Time
	}
	for _, e := range events {
		switch {
		case e.Table != nil:
			t.table(e.Table)
		case e.Call != nil:
			t.call(e)
		default:
			t.frame(d, e)
		}
	}
	t.line("")
	t.line(say.Say("lab.verdict"))
	for _, text := range d.verdicts(say) {
		for i, part := range t.wrap(text, t.width-4) {
			t.line([]string{"  - ", "    "}[min(i, 1)] + part)
		}
	}
	t.line("")
	t.line(say.Say("lab.point"))
	t.paragraph(2, say.Say("lab."+d.Name+".point"))
	if d.written != "" {
		t.line("")
		t.paragraph(0, d.kept(say, p.escape))
	}
	return t.writeTo(w)
}

// time is when something happened, in seconds since the lab began.
func (t *labText) time(at capture.Timestamp) string {
	return fmt.Sprintf("%.6f", float64(at-t.began)/1e9)
}

// call writes a call at its end's side.
func (t *labText) call(e lab.Event) {
	time, text := t.time(e.Time), callText(t.say, e)
	room := t.inner() - 2
	if e.Call.End == lab.Network {
		t.row(time, strings.Repeat(" ", max(0, (t.inner()-lang.Width(text))/2))+text)
		return
	}
	for _, part := range t.wrap(report.EscapeText(text), room) {
		if e.Call.End == lab.Server {
			t.beside(time, "", part)
		} else {
			t.beside(time, part, "")
		}
		time = ""
	}
}

// callText is a call, or what it returns.
func callText(say *lang.Printer, e lab.Event) string {
	c := e.Call
	switch {
	case c.End == lab.Network:
		return say.Say("lab.network-" + c.Name)
	case e.Whole && c.Result != "":
		return c.Text + " = " + c.Result
	case e.Returns:
		return "↩ " + c.Text + " = " + c.Result
	}
	return c.Asked
}

// frame writes a frame as an arrow from side to side, what it says, and what it changes.
func (t *labText) frame(d *labDocument, e lab.Event) {
	f, step := &d.Frames[e.Frame-1], d.steps[e.Frame-1]
	head := " " + t.plain(d.head(t.say, e.Frame)) + " "
	dashes := strings.Repeat("─", max(0, t.inner()-len("--")-len(">")-lang.Width(head)))
	if f.Direction == capture.Inbound {
		t.row(t.time(e.Time), "◀"+dashes+head+"──")
	} else {
		t.row(t.time(e.Time), "──"+head+dashes+"▶")
	}
	const indent = 3
	front := t.say.Say("explain.frame", fmt.Sprint(e.Frame))
	texts := []string{d.numbers(e.Frame)}
	if step.Step != nil && !d.brief {
		for i := range step.Notes {
			text := noteText(t.say, &step.Notes[i])
			if t.said[text] { // as it is when there are several connections
				continue
			}
			t.said[text] = true
			texts = append(texts, text)
		}
	}
	for _, text := range texts {
		if text == "" {
			continue
		}
		for _, part := range t.wrap(text, t.inner()-2*indent) {
			t.row(front, strings.Repeat(" ", indent)+part)
			front = ""
		}
	}
	if step.Step != nil {
		client, server := step.states()
		if client+server != "" {
			t.beside(front, t.plain(client), t.plain(server))
		}
	}
}

// table writes the sockets of an end.
func (t *labText) table(table *lab.Table) {
	const margin = 2
	t.line("")
	t.apart = true
	t.paragraph(margin, tableTitle(t.say, table))
	if len(table.Sockets) == 0 {
		return
	}
	rows := tableRows(t.say, table)
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], lang.Width(cell))
		}
	}
	for _, row := range rows {
		line := strings.Repeat(" ", margin)
		for i, cell := range row {
			if i > 0 {
				line += "  "
			}
			if i >= firstNumber {
				line += strings.Repeat(" ", widths[i]-lang.Width(cell)) + cell
			} else {
				line += lang.Pad(cell, widths[i])
			}
		}
		t.line(line)
	}
}
