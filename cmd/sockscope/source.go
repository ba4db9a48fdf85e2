package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/decode/engine"
	"sockscope/decode/flow"
	"sockscope/report/service"
)

// sourceFlags say what is read and how.
type sourceFlags struct {
	files    []string
	live     liveFlags
	words    []string // the capture filter
	filter   string   // the file that has it
	count    *number
	maxInput *size
	workers  *number
	memory   *memory
	bound    int64 // what memory is, in bytes, once the source is read
	beside   int64 // of it, what the view itself takes; 0: the usual
	udpIdle  *span
	progress *choice

	roundTrips bool // the view shows those of data
	tap        *tap // what the view takes of a capture while it goes on; nil: nothing
	early      early
	appeared   appearedFunc
	listens    listensFunc
	keep       *kept // what keeps the frames of a source that can be read only once; nil: nobody needs them
}

// addSourceFlags adds what names the source, the first of a view's flags.
func addSourceFlags(fs *pflag.FlagSet) *sourceFlags {
	f := &sourceFlags{}
	fs.StringArrayVarP(&f.files, "read", "r", nil, "read `FILE`: capture, directory, glob or - (repeatable)")
	return f
}

// addFilterFlags adds what chooses frames: the words behind the flags, or a file's.
func (f *sourceFlags) addFilterFlags(fs *pflag.FlagSet) {
	f.count = &number{0, 1, 1_000_000_000}
	fs.VarP(f.count, "packets", "c", "stop after `N` frames that pass the filter")
	fs.StringVarP(&f.filter, "filter-file", "F", "", "take the capture filter from `FILE`")
}

// addReadingFlags adds how the source is read, which comes after the view's own flags.
func (f *sourceFlags) addReadingFlags(fs *pflag.FlagSet) {
	f.udpIdle = spanFlag(fs, "udp-idle", 2*time.Minute, "split UDP after this silence, 0: never")
	f.memory = memoryFlag(fs, "for connections, as in 2G; half of the machine's")
	f.workers = numberFlag(fs, "workers", 0, 0, 1024, "`N` threads, 0: one for each core, live one")
	f.addInputFlags(fs)
}

// addInputFlags adds how files are read.
func (f *sourceFlags) addInputFlags(fs *pflag.FlagSet) {
	f.maxInput = sizeFlag(fs, "max-input", 1<<40, "stop an input after this many bytes")
	f.progress = choiceFlag(fs, "progress", []string{"auto", "never"}, "progress bar on a terminal: auto, never")
}

// A listensFunc tells which ends of a connection listen; nil: nobody knows.
type listensFunc = func(a, b netip.AddrPort, last capture.Timestamp) [2]bool

// An appearedFunc is told of new connections; nil: nobody wants to know.
type appearedFunc = func(protocol uint8, a, b netip.AddrPort)

// A reading is what was found in a source.
type reading struct {
	result *engine.Result
	stats  capture.Stats
	named  []string // inputs as the user named them

	interrupted bool         // the user ended it before the inputs did
	ended       error        // a capture ended before anybody asked
	filter      *frameFilter // nil: none, or the kernel's

	facts
}

// check refuses sources that make no sense, before anything is opened.
func (f *sourceFlags) check(p *program) error {
	switch {
	case len(f.files) == 0 && len(f.live.interfaces) == 0 && len(f.words) > 0 && isFile(f.words[0]):
		return p.forgotR(f.words[0])
	case len(f.files) == 0 && len(f.live.interfaces) == 0:
		return usage("nothing to read: name a capture with -r FILE (- is standard input), or an interface with -i IFACE")
	case len(f.files) > 0 && len(f.live.interfaces) > 0:
		return usage("-r and -i contradict each other: read files, or capture")
	}
	stdin := 0
	for _, name := range f.files {
		if name == "" {
			return usage("-r needs the name of a file")
		}
		if name == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return usage("-r - was given twice: standard input can be read only once")
	}
	if stdin > 0 && isTerminal(p.stdin) {
		return usage("refusing to read a capture from a terminal")
	}
	return nil
}

// isLive reports whether the source is a capture that goes on.
func (f *sourceFlags) isLive() bool { return len(f.files) == 0 && len(f.live.interfaces) > 0 }

// read reads the source to its end. When it fails, the user has been told what
// is wrong with each input.
func (f *sourceFlags) read(ctx context.Context, p *program) (*reading, error) {
	if err := f.check(p); err != nil {
		return nil, err
	}
	filter, err := p.newFrameFilter(f.words, f.filter)
	if err != nil {
		return nil, err
	}
	f.bound = f.memory.bytes() // a capture may not ask for it any more once it runs
	if len(f.live.interfaces) > 0 {
		return f.listen(ctx, p, filter)
	}
	src, err := pcapfile.Open(ctx, f.files, pcapfile.Config{MaxInput: f.maxInput.value, Stdin: p.stdin})
	if err != nil {
		return nil, f.failed(ctx, err)
	}
	defer src.Close()

	stop := func() {}
	if f.progress.value == "auto" {
		stop = p.showProgress(src)
	}
	var from capture.Source = src
	if n := f.limit(); n > 0 {
		from = &limited{Source: src, left: n, filter: filter}
	}
	from = f.keep.from(from, filter)
	_, total := src.Progress()
	result, err := f.run(ctx, from, filter, p, total > 0) // files never wait
	stop()
	interrupted := ctx.Err() != nil
	if err != nil || interrupted && result.Totals.Frames == 0 {
		return nil, f.failed(ctx, err)
	}
	r := &reading{result: result, stats: src.Stats(), named: f.files, interrupted: interrupted, filter: filter}
	r.owners = ownersIn(&r.stats)
	if r.unusable() {
		return nil, r.verdict(p)
	}
	return r, nil
}

// run takes the frames of src that pass the filter apart; ahead is as in engine.Config.
func (f *sourceFlags) run(ctx context.Context, src capture.Source, filter *frameFilter, p *program, ahead bool) (*engine.Result, error) {
	cfg := engine.Config{Workers: f.workers.value, Ahead: ahead, Memory: f.bound, Beside: f.beside, Flow: f.flowConfig()}
	if filter != nil {
		cfg.Filter = filter.match
	}
	if f.tap != nil {
		f.tap.configure(&cfg)
	} else if f.early != nil {
		cfg.Flow.Ending = &flow.Ending{MemoryOnly: true, Tell: func(_ flow.Event, c *flow.Connection) { f.early(src.Stats, c) }}
	}
	if f.bound > 0 && cfg.Flow.Ending != nil {
		cfg.Workers = workersWithin(f.bound, cfg.Workers, runtime.GOMAXPROCS(0))
		if p.limitMemory != nil {
			p.limitMemory(runtimeMemory(f.bound))
		}
	}
	result, err := engine.Run(ctx, src, cfg)
	if result != nil {
		p.evictions(&result.Totals, f.bound)
	}
	return result, err
}

// flowConfig is how connections are told from each other.
func (f *sourceFlags) flowConfig() flow.Config {
	return flow.Config{
		UDPIdle:    f.udpIdle.value,
		Classify:   classify,
		Registered: service.Registered,
		RoundTrips: f.roundTrips,
		Appeared:   f.appeared,
		Listens:    f.listens,
	}
}

// limit is after how many frames to stop; 0: never.
func (f *sourceFlags) limit() int {
	n := f.live.stop.packets
	if f.count != nil && f.count.value > 0 && (n == 0 || f.count.value < n) {
		n = f.count.value
	}
	return n
}

// failed is the failure of a source that could not be read to its end.
func (f *sourceFlags) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &failure{exitInterrupted, errors.New("interrupted before the first frame: no results")}
	}
	return err
}

// unusable reports whether none of the inputs could be used.
func (r *reading) unusable() bool {
	return !slices.ContainsFunc(r.stats.Inputs, func(in capture.Input) bool { return !isUnread(in) })
}

func isUnread(in capture.Input) bool {
	return slices.ContainsFunc(in.Damage, func(d capture.Damage) bool { return d.Unread })
}

// verdict tells the user what is wrong with the inputs, and gives the failure
// that this leads to, or nil. A file that the user named must be readable; one
// that was found in a directory or by a pattern is only damage.
func (r *reading) verdict(p *program) error {
	status := exitDone
	if r.unusable() {
		status = exitNotStarted
	}
	for _, in := range r.stats.Inputs {
		for _, note := range in.Notes {
			p.remark(in.Name, p.escape(note))
		}
		for _, d := range in.Damage {
			p.say(in.Name, p.escape(d.String()))
			if d.Unread && slices.Contains(r.named, in.Name) {
				status = exitNotStarted
			}
			status = max(status, exitDamaged)
		}
		for _, a := range in.Anomalies {
			if p.verbose {
				p.remark(in.Name, fmt.Sprintf("odd but accepted: %s (%d)", p.escape(a.Name), a.N))
			}
		}
	}
	if r.filter != nil {
		for _, remark := range r.filter.remarks() {
			p.say("", p.escape(remark))
		}
	}
	if r.ended != nil {
		return &failure{exitEnded, errors.New(p.escape(r.ended.Error()))}
	}
	if r.interrupted {
		return &failure{exitInterrupted, fmt.Errorf("interrupted: the results are those of the first %d frames", r.result.Totals.Frames)}
	}
	if status == exitDone {
		return nil
	}
	return &failure{status: status}
}

// present writes results and then tells what was wrong with the inputs. Where memory was short,
// what only the reading needed is given back first: results can be as long.
func (r *reading) present(p *program, write func(io.Writer) error) error {
	if r.result != nil && r.result.Totals.Evicted+r.result.Totals.Outlived > 0 {
		runtime.GC()
	}
	if err := p.write(write); err != nil {
		return err
	}
	return r.verdict(p)
}
