package main

import (
	"context"
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
	columns := &words{choices: report.ColumnNames()}
	fs.Var(columns, "columns", "columns, separated by commas, in this order")
	show := addDisplayFlags(fs)
	source.addReadingFlags(fs)
	show.addMessageFlags(fs)

	return func(ctx context.Context, p *program, _ []string) error {
		show.apply(p)
		if len(columns.value) > 0 && format.value == "zeek" {
			return usage("--columns and --format zeek contradict each other: a conn.log has fixed columns")
		}
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
			for c := range r.result.Connections() {
				row := report.NewRow(c)
				if err := cw.Write(&row); err != nil {
					return err
				}
			}
			return cw.Close()
		})
	}
}
