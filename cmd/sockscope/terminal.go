package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// displayFlags say how text is shown.
type displayFlags struct {
	color   *choice
	utc     bool
	quiet   bool
	verbose bool
}

func addDisplayFlags(fs *pflag.FlagSet) *displayFlags {
	f := &displayFlags{}
	f.color = choiceFlag(fs, "color", []string{"auto", "always", "never"}, "colour in text: auto, always, never")
	fs.BoolVar(&f.utc, "utc", false, "times in UTC instead of local time (text)")
	return f
}

// addMessageFlags adds how much is said, the last of a view's flags.
func (f *displayFlags) addMessageFlags(fs *pflag.FlagSet) {
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "say only what went wrong, no remarks")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "also count what was odd in the inputs")
	fs.CountP("no-names", "n", "as in tcpdump; names are never looked up anyway")
}

// A display is what standard output can show.
type display struct {
	width    int // in terminal cells
	color    bool
	ascii    bool
	location *time.Location
}

// display finds out what standard output can show, within what f says.
func (f *displayFlags) display(p *program) display {
	d := display{
		width:    outputWidth(p.stdout, os.Getenv),
		ascii:    p.ascii,
		location: time.Local,
	}
	if f.utc {
		d.location = time.UTC
	}
	switch f.color.value {
	case "always":
		d.color = true
	case "auto":
		d.color = isTerminal(p.stdout) && os.Getenv("NO_COLOR") == "" && capable(os.Getenv)
	}
	return d
}

// apply sets how much p says.
func (f *displayFlags) apply(p *program) { p.quiet, p.verbose = f.quiet, f.verbose && !f.quiet }

// capable reports whether the terminal understands escape sequences.
func capable(getenv func(string) string) bool {
	name := getenv("TERM")
	return name != "" && name != "dumb"
}

// isTerminal reports whether stream, a standard stream, is a terminal. It does
// not call Fd, which would take away that waiting reads can be ended.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	terminal := false
	err = raw.Control(func(fd uintptr) { terminal = term.IsTerminal(int(fd)) })
	return err == nil && terminal
}

// Widths of text where the terminal does not tell. A pipe or file is wider than
// a terminal's 80: what reads it next can cut or scroll, but cannot bring back
// columns that were left out.
const (
	minWidth      = 40
	terminalWidth = 80
	pipeWidth     = 120
)

// outputWidth is how wide text may be: the terminal's width; where that is not
// known, COLUMNS; else a fixed width, so that the same input gives the same bytes.
func outputWidth(w io.Writer, getenv func(string) string) int {
	width := pipeWidth
	if isTerminal(w) {
		width = terminalWidth
		if n, _, err := term.GetSize(int(w.(*os.File).Fd())); err == nil && n > 0 {
			return max(n, minWidth)
		}
	}
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n > 0 {
		width = min(n, 10_000)
	}
	return max(width, minWidth)
}

// utf8Locale reports whether the user's locale can show more than ASCII. The
// first of the variables that is set decides, as in setlocale(3); none set is
// the locale C.
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
