package bits

import (
	"io"
	"strings"
)

// WriteMarkdown writes d with its drawings in blocks of code, and a table of each header's
// fields.
func (d *Drawing) WriteMarkdown(out io.Writer, o Options) error {
	w := newWriter(out, o)
	w.line("# " + inMarkdown(d.title(w.say)))
	for i := range d.Headers {
		h := &d.Headers[i]
		w.line("")
		w.line("## " + inMarkdown(heading(w.say, h, w.reference(h.RFC))))
		w.line("")
		if h.Length > 0 {
			w.line("```")
			w.body(h)
			w.line("```")
		}
		for _, note := range remarks(w.say, h) {
			w.line("")
			w.line(inMarkdown(note))
		}
		if len(h.Fields) > 0 {
			w.table(h)
		}
	}
	return w.Flush()
}

// table writes a header's fields as a table.
func (w *writer) table(h *Header) {
	w.line("")
	row := func(cells ...string) { w.line("| " + strings.Join(cells, " | ") + " |") }
	row(w.say.Say("bits.column.field"), w.say.Say("bits.column.value"), w.say.Say("bits.column.place"), w.say.Say("bits.column.bytes"),
		w.say.Say("bits.column.meaning"), "RFC")
	row("---", "---", "---", "---", "---", "---")
	for i := range h.Fields {
		f := &h.Fields[i]
		row(inMarkdown(f.Label), inMarkdown(f.full(w.say)), place(h, f), "`"+digits(h, f)+"`", inMarkdown(w.say.Say(f.Key)), inMarkdown(w.reference(f.RFC)))
	}
}

// inMarkdown is text in which nothing is taken for a mark.
func inMarkdown(text string) string { return markdown.Replace(text) }

var markdown = strings.NewReplacer("\\", "\\\\", "|", "\\|", "*", "\\*", "_", "\\_", "`", "\\`", "<", "&lt;", "[", "\\[", "]", "\\]")
