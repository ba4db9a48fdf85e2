package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"sockscope/report"
)

func connectionsView() *view {
	return &view{
		name:     "connections",
		synopsis: "-r FILE | -i IFACE [flags] [capture filter]",
		summary:  "one line for each connection",
		examples: []example{
			{"sockscope connections -r capture.pcapng", "all connections as text"},
			{"sockscope connections -r capture.pcapng --format ndjson | jq .outcome", "for programs"},
		},
		maxArgs: anyWords,
		define:  defineConnections,
	}
}

func defineConnections(fs *pflag.FlagSet) action {
	source := addSourceFlags(fs)
	source.addLiveFlags(fs)
	source.addFilterFlags(fs)
	format := choiceFlag(fs, "format", report.ConnectionFormats(), "output as text, ndjson, csv, zeek (conn.log)")
	columns := &words{choices: append(report.ColumnNames(), report.ColumnAliases()...)}
	fs.Var(columns, "columns", "columns, in this order; help: what they are")
	sort := &choice{"start", report.Sorts()}
	fs.Var(sort, "sort", "order by start, bytes, packets or others")
	top := numberFlag(fs, "top", 0, 1, 1_000_000, "only the first `N`")
	all := fs.Bool("all", false, "all connections (as without --top)")
	show := addDisplayFlags(fs)
	source.addReadingFlags(fs)
	show.addMessageFlags(fs)
	hide(fs, seldom...)

	return func(ctx context.Context, p *program, args []string) error {
		show.apply(p)
		source.words = args
		if columns.help {
			return p.write(writeColumnHelp)
		}
		if len(columns.value) > 0 && format.value == "zeek" {
			return usage("--columns and --format zeek contradict each other: a conn.log has fixed columns")
		}
		if err := report.CheckColumns(columns.value); err != nil { // aliases may stand for a column that is there already
			return usage("--columns: %v", err)
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
				Processes:  r.owners != nil,
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

// writeColumnHelp explains the columns, in lines that fit the help's width.
func writeColumnHelp(w io.Writer) error {
	const indent = 18
	for _, c := range report.ColumnMeanings() {
		name := c.Names[0]
		for _, other := range c.Names[1:] {
			name += " " + other[strings.LastIndexByte(other, '_'):]
		}
		lines := wrap(c.Meaning, helpWidth-indent)
		if len(name) >= indent {
			lines = append([]string{""}, lines...) // the meaning begins below
		}
		for i, line := range lines {
			if i > 0 {
				name = ""
			}
			if _, err := fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-*s%s", indent, name, line), " ")); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeInOrder gives all connections in the order of their first packets.
func writeInOrder(r *reading, write func(*report.Row) error) error {
	var row report.Row
	for c := range r.result.Connections() {
		row = r.row(c)
		if err := write(&row); err != nil {
			return err
		}
	}
	return nil
}

// writeSorted gives the first top connections by a column, 0: all.
func writeSorted(r *reading, column string, top int, write func(*report.Row) error) error {
	b := r.builder(report.Config{Sort: column, Top: top, All: top == 0})
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
