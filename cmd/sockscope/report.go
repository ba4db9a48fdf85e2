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
	interval := spanFlag(fs, "interval", 0, "-i: also a report every TIME, 0: none")
	show := addDisplayFlags(fs)
	source.addReadingFlags(fs)
	show.addMessageFlags(fs)
	hide(fs, append(seldom, "udp-idle")...)

	return func(ctx context.Context, p *program, args []string) error {
		show.apply(p)
		source.words = args
		if *all && fs.Changed("top") {
			return usage("--all and --top contradict each other")
		}
		if interval.value > 0 {
			switch {
			case len(source.files) > 0:
				return usage("--interval needs -i: a file is reported as a whole")
			case format.value != "text" && format.value != "json":
				return usage("--interval needs --format text or json: the reports follow each other")
			case interval.value < minInterval:
				return usage("--interval must be at least %v", minInterval)
			}
		}
		source.roundTrips = format.value == "json" // the only format with all columns
		if format.value == "html" && !fs.Changed("top") {
			top.value = pageTop
		}
		cfg := report.Config{Sort: sort.value, Top: top.value, All: *all}
		if interval.value > 0 {
			return reportSeries(ctx, p, source, cfg, interval.value, format.value, show.display(p))
		}
		r, b, err := source.readInto(ctx, p, cfg)
		if err != nil {
			return err
		}
		s := b.Summary(r.stats, &r.result.Totals)
		err = r.present(p, func(w io.Writer) error { return writeSummary(w, s, format.value, show.display(p)) })
		if err == nil {
			err = unbalanced(s)
		}
		return err
	}
}

// unbalanced is the failure of a summary that does not account for all frames, or nil.
func unbalanced(s *report.Summary) error {
	if s.Ledger.Balanced {
		return nil
	}
	return &failure{exitDamaged, errors.New("the ledger does not balance: an error of this program, please report it")}
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
