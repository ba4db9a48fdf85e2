package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/pflag"

	"sockscope/report"
	"sockscope/report/page"
)

func reportView() *view {
	return &view{
		name:     "report",
		synopsis: "-r FILE | -i IFACE [flags] [capture filter]",
		summary:  "ports, services, trouble and top connections at a glance",
		examples: []example{
			{"sockscope report -r capture.pcapng", "the summary as text"},
			{"sockscope report -r capture.pcapng --format html > report.html", "the same as a web page"},
		},
		maxArgs: anyWords,
		define:  defineReport,
	}
}

// pageTop is how many connections a page lists unless told otherwise: it can be
// searched and sorted, so it is no trouble to have many.
const pageTop = 5000

func defineReport(fs *pflag.FlagSet) action {
	source := addSourceFlags(fs)
	source.addLiveFlags(fs)
	source.addFilterFlags(fs)
	format := choiceFlag(fs, "format", []string{"text", "json", "csv", "markdown", "html"}, "output as text, json, csv, markdown, html")
	sorts := report.Sorts()
	sort := &choice{"bytes", sorts}
	fs.Var(sort, "sort", "order the connections by this column")
	top := numberFlag(fs, "top", 10, 1, 1_000_000, "list the first `N` connections")
	all := fs.Bool("all", false, "list all connections")
	show := addDisplayFlags(fs)
	source.addReadingFlags(fs)
	show.addMessageFlags(fs)
	hide(fs, seldom...)

	return func(ctx context.Context, p *program, args []string) error {
		show.apply(p)
		source.words = args
		if *all && fs.Changed("top") {
			return usage("--all and --top contradict each other")
		}
		source.roundTrips = format.value == "json" // the only format with all columns
		r, err := source.read(ctx, p)
		if err != nil {
			return err
		}
		if format.value == "html" && !fs.Changed("top") {
			top.value = pageTop
		}
		b := r.builder(report.Config{Sort: sort.value, Top: top.value, All: *all})
		for c := range r.result.Connections() {
			b.Add(c)
		}
		s := b.Summary(r.stats, &r.result.Totals)
		err = r.present(p, func(w io.Writer) error { return writeSummary(w, s, format.value, show.display(p)) })
		if err == nil && !s.Ledger.Balanced {
			return &failure{exitDamaged, errors.New("the ledger does not balance: an error of this program, please report it")}
		}
		return err
	}
}

func writeSummary(w io.Writer, s *report.Summary, format string, d display) error {
	switch format {
	case "json":
		return report.WriteJSON(w, s)
	case "csv":
		return report.WriteCSV(w, s)
	case "markdown":
		return report.WriteMarkdown(w, s)
	case "html":
		return page.Write(w, s)
	}
	return report.WriteText(w, s, report.TextOptions{Width: d.width, Color: d.color, ASCII: d.ascii, Location: d.location})
}
