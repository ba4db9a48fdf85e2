package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/decode/flow"
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
	steps := fs.Bool("all-events", false, "-i: also when one opens and is established")
	show := addDisplayFlags(fs)
	source.addReadingFlags(fs)
	show.addMessageFlags(fs)
	hide(fs, append(seldom, "all", "udp-idle")...)

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
		sorted := fs.Changed("sort") || fs.Changed("top")
		options := func() report.ConnectionOptions {
			d := show.display(p)
			return report.ConnectionOptions{Columns: columns.value, Width: d.width, Color: d.color, ASCII: d.ascii, Location: d.location, Events: *steps}
		}
		switch {
		case *steps && len(source.files) > 0:
			return usage("--all-events needs -i: of files each connection is known as a whole")
		case *steps && sorted:
			return usage("--all-events contradicts --sort and --top, which wait for the end")
		case *steps && format.value == "zeek":
			return usage("--all-events and --format zeek contradict each other: a conn.log has fixed columns")
		case source.isLive() && !sorted:
			return streamConnections(ctx, p, source, *steps, options(), format.value)
		}
		rows := &fileRows{format: format.value, options: options}
		if sorted {
			r, list, err := source.readInto(ctx, p, report.Config{Sort: sort.value, Top: top.value, All: top.value == 0})
			if err != nil {
				return err
			}
			return r.present(p, func(w io.Writer) error {
				if err := rows.open(w, r.stats, r.owners != nil); err != nil {
					return err
				}
				return rows.end(writeSorted(r, list, rows.write))
			})
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		source.early = func(stats func() capture.Stats, c *flow.Connection) {
			if err := rows.early(p.out, stats, c); err != nil {
				stop() // whoever writes next gets the same error
			}
		}
		r, err := source.read(ctx, p)
		if err != nil {
			return err
		}
		rows.owners.stats = func() capture.Stats { return r.stats }
		return r.present(p, func(w io.Writer) error {
			if rows.writer == nil {
				if err := rows.open(w, r.stats, r.owners != nil); err != nil {
					return err
				}
			}
			return rows.end(writeInOrder(r, rows.write))
		})
	}
}

// fileRows writes the connections of files: those that memory is short for as they are
// finished, the others at the end.
type fileRows struct {
	format  string
	options func() report.ConnectionOptions

	writer report.ConnectionWriter // nil until the first row
	facts  facts                   // for early rows
	owners ownersSoFar             // of these
	row    report.Row
	err    error // of early rows
}

// open begins to write. Text has a column for processes when some are known by now.
func (f *fileRows) open(w io.Writer, stats capture.Stats, processes bool) (err error) {
	o := f.options()
	o.Interfaces, o.Processes = stats.Interfaces, processes
	if f.owners.stats != nil {
		o.MoreInterfaces = func() []capture.Interface { return f.owners.stats().Interfaces }
	}
	f.writer, err = report.NewConnectionWriter(w, f.format, o)
	return err
}

// early writes a connection before the end of the input.
func (f *fileRows) early(w io.Writer, stats func() capture.Stats, c *flow.Connection) error {
	f.owners.stats = stats
	if f.writer == nil && f.err == nil {
		s := stats()
		f.facts.owners = f.owners.of // a later file may name some
		f.err = f.open(w, s, len(s.Owners) > 0)
	}
	if f.err == nil {
		f.facts.setRow(&f.row, c)
		f.err = f.write(&f.row)
	}
	return f.err
}

func (f *fileRows) write(row *report.Row) error { return f.writer.Write(row) }

// end ends the output, unless there was an error.
func (f *fileRows) end(err error) error {
	if err = cmp.Or(f.err, err); err != nil {
		return err
	}
	return f.writer.Close()
}

// writeInOrder gives all connections that are left in the order of their first packets.
func writeInOrder(r *reading, write func(*report.Row) error) error {
	var row report.Row
	for c := range r.result.Connections() {
		r.setRow(&row, c)
		if err := write(&row); err != nil {
			return err
		}
	}
	return nil
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

// writeSorted gives what b lists of the connections of r.
func writeSorted(r *reading, b *report.Builder, write func(*report.Row) error) error {
	s := b.Summary(r.stats, &r.result.Totals)
	for i := range s.Connections {
		if err := write(&s.Connections[i]); err != nil {
			return err
		}
	}
	return nil
}
