package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

func manView() *view {
	return &view{
		name:    "man",
		summary: "the manual page (troff)",
		examples: []example{
			{"sockscope man | man -l -", "read it"},
			{"sockscope man > /usr/local/share/man/man1/sockscope.1", "install it"},
		},
		extra:  true,
		define: defineMan,
	}
}

func defineMan(*pflag.FlagSet) action {
	return func(_ context.Context, p *program, _ []string) error { return p.write(writeManual) }
}

// writeManual writes a manual page in the man(7) macros.
func writeManual(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString(".TH SOCKSCOPE 1 \"\" \"sockscope\" \"User Commands\"\n")
	b.WriteString(".SH NAME\nsockscope \\- packet captures by port, service and connection\n")
	b.WriteString(".SH SYNOPSIS\n.B sockscope\n.I VIEW\n[flags]\n")
	b.WriteString(".SH DESCRIPTION\n" + troff("Reads captured packets (pcap, pcapng, snoop, Network Monitor and NetXRay files, plain or compressed) and tells what "+
		"happened on each port and socket: which connections came to be, which were refused or never answered, "+
		"which services were spoken, and where the evidence is.") + "\n.SH VIEWS\n")
	for _, v := range views() {
		fmt.Fprintf(&b, ".SS sockscope %s\n%s\n", troff(strings.TrimRight(v.name+" "+v.synopsis, " ")), troff(sentence(v.summary)))
		flagsOf(v).VisitAll(func(f *pflag.Flag) {
			value, meaning := pflag.UnquoteUsage(f)
			name := strings.Join(flagSpellings(f), ", ")
			if takesValue(f) {
				fmt.Fprintf(&b, ".TP\n\\fB%s\\fR \\fI%s\\fR\n", troff(name), troff(value))
			} else {
				fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n", troff(name))
			}
			b.WriteString(troff(sentence(meaning)))
			if choices := strings.Join(choicesOf(f), ", "); !strings.Contains(meaning, choices) {
				b.WriteString("\n" + troff("One of: "+choices+"."))
			}
			if takesValue(f) && f.DefValue != "" && f.DefValue != "[]" {
				b.WriteString("\n" + troff("Default: "+f.DefValue+"."))
			}
			b.WriteString("\n")
		})
		b.WriteString(".PP\nExamples:\n.nf\n")
		for _, e := range v.examples {
			fmt.Fprintf(&b, "%s\n", troff("    "+e.command))
		}
		b.WriteString(".fi\n")
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, s := range []struct{ status, meaning string }{
		{"0", "Done."},
		{"1", "Results are given, but an input was damaged."},
		{"3", "A source cannot be used: missing, no permission, not a capture."},
		{"4", "An output failed."},
		{"5", "A live capture ended before it was asked to."},
		{"64", "Wrong usage."},
		{"130", "Interrupted before the end of a file."},
	} {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", s.status, troff(s.meaning))
	}
	b.WriteString(".SH ENVIRONMENT\n")
	for _, s := range []struct{ name, meaning string }{
		{"COLUMNS", "Width of text where the terminal does not tell it, and in pipes and files."},
		{"NO_COLOR", "When set, text has no colour unless --color always asks for it."},
		{"LC_ALL, LC_CTYPE, LANG", "Without UTF-8 in the first of them that is set, text has ASCII characters only."},
		{"TZ", "Time zone of the times in text."},
	} {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", s.name, troff(s.meaning))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// troff makes text safe as input of troff.
func troff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// sentence is s with a capital letter and a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}
