package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

var update = flag.Bool("update", false, "rewrite the captures and golden files of testdata")

// testdata is where the captures are, seen from this package.
const testdata = "../../testdata"

// A scenario is one capture: a script, and what our records of it must say.
type scenario struct {
	name   string
	rule   string // of the specification, that it shows
	format fileFormat
	link   layers.LinkType // 0 means Ethernet
	snap   int             // snap length; 0 means none
	script string

	// unsorted keeps the order of the script, whatever the times are: a clock may be set
	// back.
	unsorted bool

	// portless says that the expectations speak of conversations without ports, too.
	portless bool

	// unsaid names columns that every expectation has to give, but where the
	// rules leave more than one answer.
	unsaid []string
}

type fileFormat int

const (
	pcap fileFormat = iota
	pcapNano
	pcapng
)

// begin is the time of each scenario's beginning.
var begin = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

// zoo is all scenarios by file name below testdata.
func zoo() map[string]scenario {
	all := map[string]scenario{
		"handshakes.pcap": {name: "handshakes", rule: "half a minute at the edge of a small office", script: story()},
	}
	for _, group := range [][]scenario{attempts, ends, flagged, losses, lossy, reuse, icmpErrors, connectionless, associations, paths, services, crowds} {
		for _, s := range group {
			ext := ".pcap"
			if s.format == pcapng {
				ext = ".pcapng"
			}
			all["zoo/"+s.name+ext] = s
		}
	}
	return all
}

// zooFiles is zoo's file names in order.
func zooFiles() []string {
	var names []string
	for name := range zoo() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// record plays the scenario's script.
func (s scenario) record(t *testing.T) *recording {
	t.Helper()
	link := map[layers.LinkType]linkLayer{0: ethernet, layers.LinkTypeRaw: rawIP, layers.LinkTypeLinuxSLL: cooked}[s.link]
	rec, err := play(s.script, link)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	if !s.unsorted {
		sort.SliceStable(rec.frames, func(i, j int) bool { return rec.frames[i].at < rec.frames[j].at })
	}
	return rec
}

// file is the capture file of a recording.
func (s scenario) file(t *testing.T, rec *recording) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.write(&b, rec); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return b.Bytes()
}

// A packetWriter is what pcapgo's writers have in common.
type packetWriter interface {
	WritePacket(ci gopacket.CaptureInfo, data []byte) error
}

func (s scenario) write(b *bytes.Buffer, rec *recording) error {
	link, snap := s.link, s.snap
	if link == 0 {
		link = layers.LinkTypeEthernet
	}
	if snap == 0 {
		snap = 262144
	}
	var w packetWriter
	flush := func() error { return nil }
	if s.format == pcapng {
		first := pcapgo.NgInterface{Name: "eth0", LinkType: link, SnapLength: uint32(snap), TimestampResolution: 9}
		second := first
		second.Name, second.Description = "eth1", "to the resolver"
		ng, err := pcapgo.NewNgWriterInterface(b, first, pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Comment: s.rule}})
		if err != nil {
			return err
		}
		if _, err := ng.AddInterface(second); err != nil {
			return err
		}
		w, flush = ng, ng.Flush
	} else {
		pw := pcapgo.NewWriter(b)
		if s.format == pcapNano {
			pw = pcapgo.NewWriterNanos(b)
		}
		if err := pw.WriteFileHeader(uint32(snap), link); err != nil {
			return err
		}
		w = pw
	}
	for _, f := range rec.frames {
		kept := f.data[:min(len(f.data), snap)]
		ci := gopacket.CaptureInfo{Timestamp: begin.Add(f.at), CaptureLength: len(kept), Length: len(f.data), InterfaceIndex: f.iface}
		if err := w.WritePacket(ci, kept); err != nil {
			return err
		}
	}
	return flush()
}

// expectations are the lines of all records, in the order of their first frames.
func (r *recording) expectations() []string {
	var lines []string
	for _, f := range r.frames {
		lines = append(lines, f.expect...)
	}
	return lines
}

// The committed captures and expect.txt are what the scripts say today.
func TestZooIsCurrent(t *testing.T) {
	var expect strings.Builder
	fmt.Fprintln(&expect, "# What each capture shows, and what its records must say, in the order of their first frames.")
	fmt.Fprintln(&expect, "# Written by go test ./cmd/sockscope -run ZooIsCurrent -update; columns that are not named are not checked.")
	all := zoo()
	for _, name := range zooFiles() {
		s := all[name]
		rec := s.record(t)
		golden(t, filepath.Join(testdata, name), s.file(t, rec))
		fmt.Fprintf(&expect, "\n# %s\n", s.rule)
		for _, line := range rec.expectations() {
			fmt.Fprintf(&expect, "%s\t%s\n", name, line)
		}
		if len(rec.expectations()) == 0 {
			fmt.Fprintf(&expect, "%s\tno connection\n", name)
		}
	}
	golden(t, filepath.Join(testdata, "zoo", "expect.txt"), []byte(expect.String()))

	files, err := filepath.Glob(filepath.Join(testdata, "zoo", "*.pcap*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := all["zoo/"+filepath.Base(file)]; !ok {
			t.Errorf("%s has no scenario", file)
		}
	}
}

// golden compares got with a committed file, or writes the file with -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(want, got) {
		return
	}
	if strings.HasSuffix(path, ".pcap") || strings.HasSuffix(path, ".pcapng") {
		t.Errorf("%s differs from its scenario (rewrite with -update)", path)
		return
	}
	t.Errorf("%s differs (-committed +now, rewrite with -update):\n%s", path, cmp.Diff(string(want), string(got)))
}
