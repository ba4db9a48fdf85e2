package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"sockscope/report"
)

func connectionsView() *view {
	return &view{
		name:     "connections",
		synopsis: "-r FILE [flags]",
		summary:  "one line for each connection",
		examples: []example{
			{"sockscope connections -r capture.pcapng", "all connections as text"},
			{"sockscope connections -r capture.pcapng --format ndjson | jq .outcome", "for programs"},
		},
		define: defineConnections,
	}
}

func defineConnections(fs *pflag.FlagSet) action {
	source := addSourceFlags(fs)
	format := choiceFlag(fs, "format", report.ConnectionFormats(), "output as text, ndjson, csv, zeek (conn.log)")
	columns := &words{choices: append(report.ColumnNames(), report.ColumnAliases()...)}
	fs.Var(columns, "columns", "columns, in this order; help: their names")
	sort := &choice{"start", report.Sorts()}
	fs.Var(sort, "sort", "order by this column")
	top := numberFlag(fs, "top", 0, 1, 1_000_000, "only the first `N`")
	all := fs.Bool("all", false, "all connections (as without --top)")
	show := addDisplayFlags(fs)
	source.addReadingFlags(fs)
	show.addMessageFlags(fs)

	return func(ctx context.Context, p *program, _ []string) error {
		show.apply(p)
		if columns.help {
			return p.write(func(w io.Writer) error { return writeWords(w, report.ColumnNames()) })
		}
		if len(columns.value) > 0 && format.value == "zeek" {
			return usage("--columns and --format zeek contradict each other: a conn.log has fixed columns")
		}
		if *all && fs.Changed("top") {
			return usage("--all and --top contradict each other")
		}
		shown := columns.value
		if len(shown) == 0 && (format.value == "ndjson" || format.value == "csv") {
			shown = report.ColumnNames()
		}
		source.roundTrips = report.NeedsRoundTrips(shown)
		r, err := source.read(ctx, p)
		if err != nil {
			return err
		}
		d := show.display(p)
		return r.present(p, func(w io.Writer) error {
			cw, err := report.NewConnectionWriter(w, format.value, report.ConnectionOptions{
				Columns:    columns.value,
				Width:      d.width,
				Color:      d.color,
				ASCII:      d.ascii,
				Location:   d.location,
				Interfaces: r.stats.Interfaces,
			})
			if err != nil {
				return err
			}
			write := func(row *report.Row) error { return cw.Write(row) }
			if fs.Changed("sort") || fs.Changed("top") {
				err = writeSorted(r, sort.value, top.value, write)
			} else {
				err = writeInOrder(r, write)
			}
			if err != nil {
				return err
			}
			return cw.Close()
		})
	}
}

// writeWords writes words in lines that fit the help's width.
func writeWords(w io.Writer, words []string) error {
	line := words[0]
	for _, word := range words[1:] {
		if len(line)+1+len(word) > helpWidth {
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
			line = word
			continue
		}
		line += " " + word
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

// writeInOrder gives all connections in the order of their first packets.
func writeInOrder(r *reading, write func(*report.Row) error) error {
	var row report.Row
	for c := range r.result.Connections() {
		row = report.NewRow(c)
		if err := write(&row); err != nil {
			return err
		}
	}
	return nil
}

// writeSorted gives the first top connections by a column, 0: all.
func writeSorted(r *reading, column string, top int, write func(*report.Row) error) error {
	b := report.NewBuilder(report.Config{Sort: column, Top: top, All: top == 0})
	for c := range r.result.Connections() {
		b.Add(c)
	}
	s := b.Summary(r.stats, &r.result.Totals)
	for i := range s.Connections {
		if err := write(&s.Connections[i]); err != nil {
			return err
		}
	}
	return nil
}
