package main

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// outputFlags say where captured packets go, and how. The letters are tcpdump's.
type outputFlags struct {
	name       string
	size       *number
	every      *number
	count      *number
	each       bool
	format     *choice
	resolution *choice
	force      bool
}

func addOutputFlags(fs *pflag.FlagSet) *outputFlags {
	f := &outputFlags{}
	fs.StringVarP(&f.name, "write", "w", "", "write to `FILE`, -: to standard output")
	f.size = &number{0, 1, 9_000_000}
	fs.VarP(f.size, "file-size", "C", "the next file after `N` million bytes")
	f.every = &number{0, 1, 1_000_000_000}
	fs.VarP(f.every, "rotate-seconds", "G", "the next file after `N` seconds; FILE has %H%M%S")
	f.count = &number{0, 1, 1_000_000}
	fs.VarP(f.count, "file-count", "W", "-C: a ring of `N` files; -G: end after N")
	fs.BoolVarP(&f.each, "packet-buffered", "U", false, "write each packet as soon as it is there")
	f.format = choiceFlag(fs, "format", []string{"pcapng", "pcap"}, "pcapng, or pcap as for FILE.pcap")
	f.resolution = &choice{"", []string{"micro", "nano"}}
	fs.Var(f.resolution, "time-stamp-precision", "micro or nano: of the times written")
	fs.BoolVar(&f.force, "force", false, "replace files that are there")
	return f
}

// check refuses outputs that make no sense, before anything is opened. It gives the names
// of the files, nil for standard output.
func (f *outputFlags) check(p *program, fs *pflag.FlagSet, source *sourceFlags) (*naming, error) {
	if !fs.Changed("format") && strings.EqualFold(filepath.Ext(f.name), ".pcap") {
		f.format.value = "pcap"
	}
	switch {
	case f.name == "":
		return nil, usage("nowhere to write: name a file with -w FILE (- is standard output)")
	case f.format.value == "pcap" && len(source.live.interfaces) > 1,
		f.format.value == "pcap" && len(source.live.interfaces) == 1 && source.live.interfaces[0] == "any":
		return nil, usage("a pcap file has one link type and does not tell interfaces apart: write pcapng (--format pcapng)")
	case f.count.value > 0 && f.size.value == 0 && f.every.value == 0:
		return nil, usage("-W needs -C or -G")
	case f.count.value > maxMade && f.size.value > 0:
		return nil, usage("-W %d: a ring of files has at most %d", f.count.value, maxMade)
	case f.name == "-" && (f.size.value > 0 || f.every.value > 0):
		return nil, usage("-C and -G need a file: -w - is standard output")
	case f.name == "-" && isTerminal(p.stdout):
		return nil, usage("refusing to write a capture to a terminal")
	case f.name == "-":
		return nil, nil
	}
	dir, name := filepath.Split(f.name)
	names := &naming{template: name, size: int64(f.size.value) * 1e6, every: time.Duration(f.every.value) * time.Second, count: f.count.value}
	if names.every > 0 && strings.Contains(dir, "%") {
		return nil, usage("-w %s: conversions are for the file's name, not for directories", p.escape(f.name))
	}
	if names.every > 0 && f.count.value != 1 && !strings.Contains(strings.ReplaceAll(name, "%%", ""), "%") {
		return nil, usage("-w %s: -G needs a name with a time in it, as in %s-%%H%%M%%S: each file would replace the one before", p.escape(f.name), p.escape(f.name))
	}
	if err := names.check(); err != nil {
		return nil, usage("-w %s: %s", p.escape(f.name), p.escape(err.Error()))
	}
	return names, nil
}
