package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"sockscope/capture/privilege"
	"sockscope/capture/process"
	"sockscope/report"
)

// A program is one run: its standard streams and what they can show.
type program struct {
	stdin   io.Reader
	out     *bufio.Writer // standard output; its first error stays
	stdout  io.Writer     // the same, to ask whether it is a terminal
	stderr  io.Writer
	ascii   bool // the terminal cannot show UTF-8
	quiet   bool // say only what went wrong
	verbose bool // say what was odd, too

	// What main sets: the process is the program's alone, and its privileges may go.
	watch       func(context.Context, process.Config) (*process.Watch, error) // nil: processes are not known
	limitMemory func(bytes int64)                                             // nil: it is nobody's to bound
	startHelper func() (*privilege.Helper, error)                             // nil: none is started
	drop        func(privilege.Config) (privilege.State, error)               // nil: they stay
	again       func(context.Context) (status int, err error)                 // the same in a user namespace; nil: not wanted

	// interruptAgain is done at a Ctrl-C after the one that ended the context; nil: none comes.
	interruptAgain func() <-chan struct{}
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer) *program {
	return &program{
		stdin:  stdin,
		out:    bufio.NewWriterSize(stdout, 64<<10),
		stdout: stdout,
		stderr: stderr,
		ascii:  !utf8Locale(os.Getenv),
	}
}

// dispatch runs the view that args name.
func (p *program) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		writeOverview(p.stderr)
		return &failure{status: exitUsage}
	}
	switch args[0] {
	case "-h", "--help":
		return p.write(writeOverview)
	case "--version":
		args = []string{"version"}
	case "-D", "--list-interfaces":
		args = append([]string{"interfaces"}, args[1:]...)
	}
	v := findView(args[0])
	if v == nil {
		return p.noSuchView(args[0])
	}
	return p.runView(ctx, v, args[1:])
}

func (p *program) noSuchView(name string) error {
	if strings.HasPrefix(name, "-") {
		return usage("name a view before the flags, as in: sockscope report %s (see: sockscope --help)", p.escape(name))
	}
	return usage("unknown view %s%s", p.quote(name), p.suggest(name, viewNames(), "sockscope --help"))
}

func (p *program) runView(ctx context.Context, v *view, args []string) error {
	fs := newFlagSet(v.name)
	act := v.define(fs)
	switch err := fs.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return p.write(func(w io.Writer) error { return writeViewHelp(w, v) })
	case err != nil:
		return p.flagFailure(fs, err)
	}
	rest := fs.Args()
	if len(rest) > v.maxArgs {
		return p.tooMany(v, args, rest[v.maxArgs:])
	}
	return act(ctx, p, rest)
}

// write gives the output of f to standard output.
func (p *program) write(f func(io.Writer) error) error {
	err := f(p.out)
	if err == nil {
		err = p.out.Flush()
	}
	return outputFailure(err)
}

// finish tells the user about err and gives the exit status.
func (p *program) finish(err error) int {
	if err == nil {
		return exitDone
	}
	var f *failure
	if !errors.As(err, &f) { // from another package, whose words may quote the input
		f = &failure{exitNotStarted, errors.New(p.escape(err.Error()))}
	}
	if f.err != nil {
		p.say("", f.err.Error())
	}
	return f.status
}

// maxMessage is the longest line written to standard error, in bytes, its end included.
const maxMessage = 512

// say writes one message: "sockscope: FILE: TEXT". What is foreign in text has
// been escaped; name is escaped here, and shortened in the middle when the line
// would be too long. An error of standard error cannot be told to anyone.
func (p *program) say(name, text string) {
	const prefix = "sockscope: "
	if name != "" {
		name = p.escape(name)
		if room := max(64, maxMessage-len(prefix)-len(": \n")-len(text)); len(name) > room {
			half := (room - len("...")) / 2
			name = cut(name, half) + "..." + cutFront(name, half)
		}
		text = name + ": " + text
	}
	text = prefix + text
	lines := strings.SplitN(text, "\n", 2) // a caret's lines follow the message
	if len(lines[0]) >= maxMessage {
		lines[0] = cut(lines[0], maxMessage-len("...\n")) + "..."
	}
	io.WriteString(p.stderr, strings.Join(lines, "\n")+"\n")
}

// remark says what is not wrong but should be known.
func (p *program) remark(name, text string) {
	if !p.quiet {
		p.say(name, text)
	}
}

// escape makes foreign text fit to print on this terminal.
func (p *program) escape(s string) string {
	if p.ascii {
		return report.EscapeASCII(s)
	}
	return report.EscapeText(s)
}

// quote is s, escaped, in quotation marks.
func (p *program) quote(s string) string { return `"` + p.escape(s) + `"` }

// cut is the longest prefix of s of at most n bytes that ends between runes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cutFront is the longest suffix of s of at most n bytes that begins a rune.
func cutFront(s string, n int) string {
	if len(s) <= n {
		return s
	}
	i := len(s) - n
	for i < len(s) && !utf8.RuneStart(s[i]) {
		i++
	}
	return s[i:]
}

// usage is a failure of the user's words.
func usage(format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}
