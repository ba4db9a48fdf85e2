package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/capture/ring"
)

func captureView() *view {
	return &view{
		name:     "capture",
		synopsis: "-w FILE -i IFACE | -r FILE [flags] [capture filter]",
		summary:  "write packets to capture files (pcapng, pcap)",
		examples: []example{
			{"sockscope capture -i eth0 -w out.pcapng", "until Ctrl-C"},
			{"sockscope capture -r in.pcap -w web.pcapng tcp port 443", "a part of a file"},
		},
		maxArgs: anyWords,
		define:  defineCapture,
	}
}

func defineCapture(fs *pflag.FlagSet) action {
	source := addSourceFlags(fs)
	source.addLiveFlags(fs)
	source.addFilterFlags(fs)
	output := addOutputFlags(fs)
	source.addInputFlags(fs)
	var show displayFlags
	show.addMessageFlags(fs)
	hide(fs, "snapshot-length", "buffer-size", "direction", "no-promiscuous-mode", "immediate-mode",
		"filter-file", "max-input", "progress", "no-names", "time-stamp-precision", "verbose", "relinquish-privileges", "no-processes")

	return func(ctx context.Context, p *program, args []string) error {
		show.apply(p)
		source.words = args
		names, err := output.check(p, fs, source)
		if err != nil {
			return err
		}
		if err := source.check(p); err != nil {
			return err
		}
		filter, err := p.newFrameFilter(source.words, source.filter)
		if err != nil {
			return err
		}
		return output.write(ctx, p, source, filter, names)
	}
}

// write writes the packets of the source that pass the filter.
func (f *outputFlags) write(ctx context.Context, p *program, source *sourceFlags, filter *frameFilter, names *naming) error {
	d := &dump{names: names, each: f.each, most: source.limit(), bytes: source.live.stop.bytes}
	cfg := pcapfile.EncoderConfig{PCAP: f.format.value == "pcap", Application: "sockscope", System: systemName(),
		Stats: func() capture.Stats { return d.src.Stats() }}
	if filter != nil {
		cfg.Filter = filter.text
	}
	cfg.Resolution = map[string]time.Duration{"micro": time.Microsecond, "nano": 1}[f.resolution.value]
	d.encoder = pcapfile.NewEncoder(cfg)

	var into *folder
	if names != nil {
		var err error
		if into, names.template, err = openFolder(f.name, f.force); err != nil {
			return notStarted(p, f.name, err)
		}
		defer into.root.Close()
	}
	r, closeSource, err := f.open(ctx, p, source, filter, d, into)
	if err != nil {
		return err
	}
	defer closeSource()
	if err := f.sameAsInput(p, into, d); err != nil {
		return err
	}
	d.saver = newSaver(d.encoder, into, p.stdout)
	stop := func() {}
	if read, ok := d.src.(*pcapfile.Reader); ok && source.progress.value == "auto" {
		stop = p.showProgress(read)
	}
	if d.live { // files are looked at before anything is made of them
		d.begin(time.Now())
	}
	if d.refused == nil {
		if d.live {
			source.live.announce(p, d.end)
		}
		err = d.run(ctx)
	}
	r.stats = d.src.Stats()
	if err == nil && !r.unusable() {
		d.begin(time.Now())
	}
	failed := d.close()
	stop()
	if d.refused != nil {
		return notStarted(p, d.path(into), d.refused)
	}
	if errors.Is(err, ring.ErrGone) {
		r.ended, err = err, nil
	}
	f.tell(p, d, into)
	switch {
	case err != nil:
		return err
	case errors.Is(failed, syscall.EPIPE):
		return &failure{status: exitDone} // the reader has seen enough
	case failed != nil:
		return &failure{exitOutput, fmt.Errorf("%s: %s; %s saved, %d not", p.escape(d.path(into)), p.escape(failed.Error()),
			packets(d.saver.saved.Load()), d.unsaved())}
	}
	if err := r.verdict(p); err != nil {
		return err
	}
	if !d.live && ctx.Err() != nil {
		return &failure{exitInterrupted, fmt.Errorf("interrupted: %s written", packets(d.packets))}
	}
	return nil
}

// open opens the source for d, and gives what closes it.
func (f *outputFlags) open(ctx context.Context, p *program, source *sourceFlags, filter *frameFilter, d *dump, into *folder) (*reading, func(), error) {
	if source.isLive() {
		writable := ""
		if into != nil {
			writable = into.path
		}
		s, err := source.openLive(ctx, p, filter, writable)
		if err != nil {
			return nil, nil, err
		}
		d.src, d.filter, d.end, d.live = attribute(s.src, s.who, s.filter), s.filter, s.end, true
		return &reading{filter: s.filter}, s.close, nil
	}
	src, err := pcapfile.Open(ctx, source.files, pcapfile.Config{MaxInput: source.maxInput.value, Stdin: p.stdin})
	if err != nil {
		return nil, nil, err
	}
	d.src, d.filter = src, filter
	return &reading{filter: filter, named: source.files}, func() { src.Close() }, nil
}

// sameAsInput refuses an output that is one of the inputs, by whatever name.
func (f *outputFlags) sameAsInput(p *program, into *folder, d *dump) error {
	if d.live {
		return nil
	}
	var out os.FileInfo
	var err error
	if into != nil {
		out, err = into.root.Stat(d.names.template)
	} else if file, ok := p.stdout.(*os.File); ok {
		out, err = file.Stat()
	}
	writes := err == nil && out != nil && out.Mode().IsRegular()
	for _, in := range d.src.Stats().Inputs {
		var info os.FileInfo
		var err error
		if file, ok := p.stdin.(*os.File); in.Name != "-" {
			info, err = os.Stat(in.Name)
		} else if ok {
			info, err = file.Stat()
		}
		if err != nil || info == nil {
			continue
		}
		if into != nil { // its names change, and it writes to others first
			into.inputs = append(into.inputs, info)
		}
		if writes && os.SameFile(info, out) {
			return usage("%s %w", p.escape(in.Name), errInput)
		}
	}
	return nil
}

// path is the file that is being written, for messages.
func (d *dump) path(into *folder) string {
	switch {
	case into == nil:
		return "standard output"
	case d.saver.name == "":
		return into.in(d.names.template)
	}
	return into.in(d.saver.name)
}

// notStarted is the failure of an output that cannot be begun.
func notStarted(p *program, name string, err error) error {
	return &failure{exitNotStarted, fmt.Errorf("%s: %s", p.escape(name), p.escape(err.Error()))}
}

// tell tells how many packets there were, and what they lack.
func (f *outputFlags) tell(p *program, d *dump, into *folder) {
	if d.live {
		p.captured(d.src.Stats(), d.packets)
	}
	if d.dropped > 0 {
		p.say("", fmt.Sprintf("%s dropped because %s could not be written fast enough", packets(d.dropped), p.escape(d.path(into))))
	}
	if a, ok := d.src.(*attributed); ok && a.left > 0 {
		p.say("", fmt.Sprintf("%s without their owner: there were too many processes", packets(a.left)))
	}
	if n := d.encoder.Untimed(); n > 0 {
		p.remark("", fmt.Sprintf("%s without a time that the format can express: they have 1970-01-01", packets(n)))
	}
	if d.live && d.names != nil && d.names.enough() {
		p.remark("", fmt.Sprintf("the limit of files is reached: %d", d.names.count))
	}
}
