package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"sockscope/capture"
	"sockscope/capture/lab"
	"sockscope/report"
	lang "sockscope/report/words"
)

// markdownCell keeps text from being Markdown.
var markdownCell = strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "`", "'")

// writeMarkdown writes a lab as tables: a column for each end, and one for what is between
// them.
func (d *labDocument) writeMarkdown(w io.Writer, say *lang.Printer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%s\n", d.title(say), d.origin(say))
	inTable := false
	row := func(e lab.Event, began capture.Timestamp, left, between, right string) {
		if !inTable {
			fmt.Fprintf(&b, "\n| %s | %s | | %s |\n| ---: | :--- | :--- | ---: |\n", say.Say("explain.column-time"),
				say.Say("lab.client", lab.ClientAddress), say.Say("lab.server", lab.ServerAddress))
			inTable = true
		}
		fmt.Fprintf(&b, "| %.6f | %s | %s | %s |\n", float64(e.Time-began)/1e9, left, between, right)
	}
	events := d.Events()
	for _, e := range events {
		began := events[0].Time
		switch {
		case e.Table != nil:
			inTable = false
			writeMarkdownTable(&b, say, e.Table)
		case e.Call != nil && e.Call.End == lab.Network:
			row(e, began, "", callText(say, e), "")
		case e.Call != nil:
			text := "`" + strings.ReplaceAll(report.EscapeText(callText(say, e)), "|", `\|`) + "`"
			if e.Call.End == lab.Server {
				row(e, began, "", "", text)
			} else {
				row(e, began, text, "", "")
			}
		default:
			d.markdownFrame(say, e, func(left, between, right string) { row(e, began, left, between, right) })
		}
	}
	fmt.Fprintf(&b, "\n## %s\n\n", say.Say("lab.verdict"))
	for _, text := range d.verdicts(say) {
		fmt.Fprintf(&b, "- %s\n", markdownCell.Replace(text))
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n", say.Say("lab.point"), markdownCell.Replace(say.Say("lab."+d.Name+".point")))
	_, err := io.WriteString(w, strings.ReplaceAll(b.String(), unbroken, " "))
	return err
}

// markdownFrame gives the cells of a frame to row.
func (d *labDocument) markdownFrame(say *lang.Printer, e lab.Event, row func(left, between, right string)) {
	step := d.steps[e.Frame-1]
	arrow := "→"
	if d.Frames[e.Frame-1].Direction == capture.Inbound {
		arrow = "←"
	}
	texts := []string{fmt.Sprintf("%s **%s** (%s)", arrow, d.head(say, e.Frame), say.Say("explain.frame", fmt.Sprint(e.Frame)))}
	if numbers := d.numbers(e.Frame); numbers != "" {
		texts = append(texts, numbers)
	}
	left, right := "", ""
	if step.Step != nil {
		left, right = step.states()
		for i := range step.Notes {
			if !d.brief {
				texts = append(texts, markdownCell.Replace(noteText(say, &step.Notes[i])))
			}
		}
	}
	row(left, strings.Join(texts, "<br>"), right)
}

// writeMarkdownTable writes the sockets of an end.
func writeMarkdownTable(b *bytes.Buffer, say *lang.Printer, t *lab.Table) {
	fmt.Fprintf(b, "\n%s\n", tableTitle(say, t))
	if len(t.Sockets) == 0 {
		return
	}
	for i, row := range tableRows(say, t) {
		for j := range row {
			row[j] = markdownCell.Replace(row[j])
		}
		if i == 0 {
			fmt.Fprintf(b, "\n| %s |\n|%s%s\n", strings.Join(row, " | "), strings.Repeat(" :--- |", firstNumber), strings.Repeat(" ---: |", len(row)-firstNumber))
			continue
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}
