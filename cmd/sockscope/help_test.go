package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// fitsScreen reports why text does not fit a screen of that many columns and
// lines, whose last line the shell's prompt takes.
func fitsScreen(text, columns, lines string) error {
	width, err := strconv.Atoi(columns)
	if err != nil {
		return err
	}
	height, err := strconv.Atoi(lines)
	if err != nil {
		return err
	}
	all := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(all) > height {
		return fmt.Errorf("%d lines, want at most %d", len(all), height)
	}
	for _, line := range all {
		if n := utf8.RuneCountInString(line); n > width {
			return fmt.Errorf("%d columns, want at most %d: %s", n, width, line)
		}
	}
	return nil
}

func TestHelpFitsAScreen(t *testing.T) {
	texts := map[string]func(io.Writer) error{"overview": writeOverview}
	for _, v := range views() {
		texts[v.name] = func(w io.Writer) error { return writeViewHelp(w, v) }
	}
	for name, write := range texts {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			if err := fitsScreen(b.String(), "80", "24"); err != nil {
				t.Errorf("%v\n%s", err, b.String())
			}
		})
	}
}

func TestEveryViewHasTwoExamples(t *testing.T) {
	for _, v := range views() {
		if len(v.examples) != 2 {
			t.Errorf("%s has %d examples", v.name, len(v.examples))
		}
		for _, e := range v.examples {
			if !strings.Contains(e.command, "sockscope "+v.name) && !strings.Contains(e.command, "sockscope --"+v.name) {
				t.Errorf("example of %s: %s", v.name, e.command)
			}
		}
	}
}

// TestEveryFlagIsCompletedAndDocumented also shows that defining the flags of no
// view panics, as pflag does for a letter given twice.
func TestEveryFlagIsCompletedAndDocumented(t *testing.T) {
	outputs := map[string]string{}
	for name, args := range map[string][]string{
		"bash": {"completion", "bash"}, "zsh": {"completion", "zsh"}, "fish": {"completion", "fish"}, "man": {"man"},
	} {
		status, stdout, stderr := runProgram(t, args...)
		if status != exitDone || stderr != "" {
			t.Fatalf("%v: status %d, %s", args, status, stderr)
		}
		outputs[name] = stdout
	}
	for _, v := range views() {
		flagsOf(v).VisitAll(func(f *pflag.Flag) {
			for name, want := range map[string]string{
				"bash": "--" + f.Name, "zsh": "--" + f.Name, "fish": "-l " + f.Name, "man": `\-\-` + strings.ReplaceAll(f.Name, "-", `\-`),
			} {
				if !strings.Contains(outputs[name], want) {
					t.Errorf("%s lacks %s of %s", name, want, v.name)
				}
			}
		})
	}
}
