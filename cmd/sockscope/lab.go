package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"sockscope/capture/lab"
	"sockscope/capture/privilege"
	lang "sockscope/report/words"
)

func labView() *view {
	return &view{
		name:     "lab",
		synopsis: "[NAME] [-w FILE] [flags]",
		summary:  "study: make traffic with real sockets, and show it",
		examples: []example{
			{"sockscope lab", "the labs that there are"},
			{"sockscope lab handshake -w handshake.pcapng", "run one, and keep its packets"},
		},
		maxArgs: 1,
		define:  defineLab,
	}
}

// labFlags say which lab is run, and how it is shown.
type labFlags struct {
	made   bool
	brief  bool
	write  string
	force  bool
	format *choice
	lang   *choice
}

func defineLab(fs *pflag.FlagSet) action {
	f := &labFlags{}
	fs.StringVarP(&f.write, "write", "w", "", "write the packets to `FILE` (pcapng)")
	fs.BoolVar(&f.force, "force", false, "replace FILE when it is there")
	fs.BoolVar(&f.made, "made", false, "make the packets instead of running real sockets")
	fs.BoolVar(&f.brief, "brief", false, "calls, frames and states without sentences")
	f.format = choiceFlag(fs, "format", []string{"text", "markdown", "json"}, "output as text, markdown, json")
	f.lang = addLanguageFlag(fs)
	messages := &displayFlags{}
	messages.addMessageFlags(fs)

	return func(ctx context.Context, p *program, args []string) error {
		messages.apply(p)
		say := p.printerFor(f.lang)
		if fs.Changed("write") && (f.write == "" || f.write == "-") {
			return usage("-w %s: a lab writes to a file", p.quote(f.write))
		}
		if len(args) == 0 {
			if f.write != "" {
				return usage("-w %s: of which lab? name one, as in: sockscope lab handshake -w %[1]s", p.escape(f.write))
			}
			return p.write(func(w io.Writer) error { return p.writeLabs(w, say) })
		}
		return f.run(ctx, p, say, args[0])
	}
}

// run runs a lab and shows it.
func (f *labFlags) run(ctx context.Context, p *program, say *lang.Printer, name string) error {
	var into *folder
	file := ""
	if f.write != "" { // before anything is run for which there is no place
		var err error
		if into, file, err = openFolder(f.write, f.force); err != nil {
			return notStarted(p, f.write, err)
		}
		defer into.root.Close()
		if err := unix.Access(into.path, unix.W_OK|unix.X_OK); err != nil {
			return notStarted(p, f.write, err)
		}
		if err := into.vacate(file); err != nil {
			return notStarted(p, f.write, err)
		}
	}
	r, err := f.record(ctx, p, name)
	if err != nil {
		return err
	}
	give := privilege.Config{}
	if into != nil {
		give.Writable = []string{into.path}
	}
	if lab.OnlyUser() {
		give.User = "root" // who is the user outside
	}
	if err := p.dropPrivileges(give, "not needed"); err != nil {
		return err
	}
	d := newLabDocument(r)
	d.brief = f.brief
	if into != nil {
		if err := writeLabFile(p, into, file, r); err != nil {
			return err
		}
		d.written = f.write
	}
	switch f.format.value {
	case "json":
		return p.write(func(w io.Writer) error { return d.writeJSON(w, say) })
	case "markdown":
		return p.write(func(w io.Writer) error { return d.writeMarkdown(w, say) })
	}
	return p.write(func(w io.Writer) error { return d.writeText(w, p, say) })
}

// record runs a lab, in another process when this one may not, and makes it where no
// process may.
func (f *labFlags) record(ctx context.Context, p *program, name string) (*lab.Record, error) {
	if f.made {
		return p.labNamed(lab.Make(name))
	}
	r, err := lab.Run(ctx, name)
	var unknown *lab.NameError
	switch {
	case err == nil, errors.As(err, &unknown):
		return p.labNamed(r, err)
	case ctx.Err() != nil:
		return nil, &failure{exitInterrupted, errors.New("interrupted before the lab's end: no results")}
	}
	if errors.Is(err, os.ErrPermission) && p.again != nil {
		status, failed := p.again(ctx)
		if failed == nil {
			return nil, &failure{status: status} // it has told all
		}
		if ctx.Err() != nil {
			return nil, &failure{status: exitInterrupted}
		}
	}
	p.remark("", p.escape(err.Error())+": the packets are made instead (real ones need root, or user namespaces)")
	return p.labNamed(lab.Make(name))
}

// labNamed turns the error for a name that no lab has into one with the nearest.
func (p *program) labNamed(r *lab.Record, err error) (*lab.Record, error) {
	var unknown *lab.NameError
	if errors.As(err, &unknown) {
		return nil, usage("unknown lab %s%s", p.quote(cut(unknown.Name, 80)), p.suggest(unknown.Name, lab.Names(), "sockscope lab"))
	}
	return r, err
}
