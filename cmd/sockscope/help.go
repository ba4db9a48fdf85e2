package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"
)

// helpWidth is the width of the help, so that it fits the smallest usual terminal.
const helpWidth = 80

func helpView() *view {
	return &view{
		name:     "help",
		synopsis: "[VIEW]",
		summary:  "this text, or a view's flags and examples",
		examples: []example{
			{"sockscope help report", "the same as sockscope report --help"},
			{"sockscope help", "all views"},
		},
		extra:   true,
		maxArgs: 1,
		define:  defineHelp,
	}
}

func defineHelp(*pflag.FlagSet) action {
	return func(_ context.Context, p *program, args []string) error {
		if len(args) == 0 {
			return p.write(writeOverview)
		}
		v := findView(args[0])
		if v == nil {
			return p.noSuchView(args[0])
		}
		return p.write(func(w io.Writer) error { return writeViewHelp(w, v) })
	}
}

func versionView() *view {
	return &view{
		name:    "version",
		summary: "the version of this program",
		examples: []example{
			{"sockscope version", "with the commit it was built from"},
			{"sockscope --version", "the same"},
		},
		extra: true,
		define: func(*pflag.FlagSet) action {
			return func(_ context.Context, p *program, _ []string) error { return p.write(writeVersion) }
		},
	}
}

func writeVersion(w io.Writer) error {
	version, commit := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(w, "sockscope %s%s %s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// writeOverview writes the help of the whole program.
func writeOverview(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("sockscope reads packet captures, or interfaces, and tells what happened on each\nport and socket.\n\n")
	b.WriteString("Usage: sockscope VIEW [flags]\n\nViews:\n")
	var also []string // in one line, so that all fits a screen
	for _, v := range views() {
		if v.extra {
			also = append(also, v.name)
			continue
		}
		fmt.Fprintf(&b, "  %-13s %s\n", v.name, v.summary)
	}
	fmt.Fprintf(&b, "\nAlso: %s\n", strings.Join(also, ", "))
	b.WriteString(`
Examples:
  sockscope report -r capture.pcapng       what is wrong, and which services ran
  sockscope connections -r capture.pcapng  one line for each connection

Flags of a view: sockscope VIEW --help
`)
	_, err := w.Write(b.Bytes())
	return err
}

// writeViewHelp writes the help of one view.
func writeViewHelp(w io.Writer, v *view) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "sockscope %s: %s\n\nUsage: %s\n", v.name, v.summary, strings.TrimRight("sockscope "+v.name+" "+v.synopsis, " "))
	if fs := flagsOf(v); fs.HasFlags() {
		b.WriteString("\nFlags:\n")
		more := 0
		fs.VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				more++
				return
			}
			b.WriteString(flagLine(f))
		})
		if more > 0 {
			fmt.Fprintf(&b, "  %d more, mostly tcpdump's letters: sockscope man | man -l -\n", more)
		}
	}
	b.WriteString("\nExamples:\n")
	for _, e := range v.examples {
		if line := fmt.Sprintf("  %-36s  %s", e.command, e.purpose); len(line) <= helpWidth {
			b.WriteString(line + "\n")
		} else {
			fmt.Fprintf(&b, "  %s\n", e.command)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// flagLine is one line of help: letter, name, value, meaning, default.
func flagLine(f *pflag.Flag) string {
	value, meaning := pflag.UnquoteUsage(f)
	name := "    --" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", --" + f.Name
	}
	if takesValue(f) {
		name += " " + value
	}
	line := fmt.Sprintf("  %-22s %s", name, meaning)
	if takesValue(f) && f.DefValue != "" && f.DefValue != "[]" {
		line += " (" + f.DefValue + ")"
	}
	return strings.TrimRight(line, " ") + "\n"
}

// takesValue reports whether f needs a value after it.
func takesValue(f *pflag.Flag) bool { return f.NoOptDefVal == "" }

// choicesOf are the words that f's value may be, nil when it is not such a flag.
func choicesOf(f *pflag.Flag) []string {
	switch v := f.Value.(type) {
	case *choice:
		return v.choices
	case *words:
		return v.choices
	}
	return nil
}
