package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/capture/ring"
)

// liveFlags say which interfaces are captured from, and how. The letters are tcpdump's.
type liveFlags struct {
	interfaces    []string
	snap          *number
	buffer        *number
	direction     *choice
	noPromiscuous bool
	immediate     bool
	user          string
	noProcesses   bool
	stop          autostop

	who   attributor             // nil: frames have no owners
	given func(name string) bool // reports whether the user set a flag
}

// viewLength is how much of a frame is captured for a view unless the user says it: more
// than any message that names a service has before its name. Frames are longer only where
// the kernel or the network card has joined segments, and nearly all of such a frame's cost
// is its copy.
const viewLength = 8192

// addLiveFlags adds what is for interfaces only.
func (f *sourceFlags) addLiveFlags(fs *pflag.FlagSet) {
	l := &f.live
	l.given = fs.Changed
	fs.StringArrayVarP(&l.interfaces, "interface", "i", nil, "capture from `IFACE`, any: from all (repeatable)")
	fs.VarP(&l.stop, "autostop", "a", "end a capture at duration:SECONDS or packets:N")
	l.snap = &number{0, 0, 262_144}
	fs.VarP(l.snap, "snapshot-length", "s", "keep `N` bytes of a frame, 0: all; views: 8,192")
	l.buffer = &number{64 << 10, 2 << 10, 4 << 20}
	fs.VarP(l.buffer, "buffer-size", "B", "`N` KiB that the kernel may fill")
	l.direction = &choice{"inout", []string{"inout", "in", "out"}}
	fs.VarP(l.direction, "direction", "Q", "frames that go in, out or inout")
	fs.BoolVarP(&l.noPromiscuous, "no-promiscuous-mode", "p", false, "only what is meant for this host")
	fs.BoolVar(&l.immediate, "immediate-mode", false, "frames at once, not in blocks")
	fs.BoolVar(&l.noProcesses, "no-processes", false, "do not find out which processes hold sockets")
	fs.StringVarP(&l.user, "relinquish-privileges", "Z", "", "become `USER` instead of nobody when run as root")
}

// seldom are the flags of a source that few need.
var seldom = []string{"snapshot-length", "buffer-size", "direction", "no-promiscuous-mode", "immediate-mode",
	"relinquish-privileges", "no-processes", "filter-file", "max-input", "workers", "progress", "no-names"}

// An autostop is when a capture ends by itself, as tshark's -a has it.
type autostop struct {
	duration time.Duration // 0: never
	packets  int           // likewise
	bytes    int64         // written, for views that write; likewise
}

func (a *autostop) Type() string   { return "COND" }
func (a *autostop) String() string { return "" }

func (a *autostop) Set(text string) error {
	what, value, _ := strings.Cut(text, ":")
	switch what {
	case "duration":
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || !(seconds >= 1e-9 && seconds <= 1e9) {
			return errors.New("needs seconds, more than 0, as in duration:10")
		}
		a.duration = time.Duration(seconds * float64(time.Second))
	case "packets":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return errors.New("needs a number, more than 0, as in packets:100")
		}
		a.packets = n
	case "filesize":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 1e12 {
			return errors.New("needs kB, more than 0, as in filesize:1000")
		}
		a.bytes = int64(n) * 1000
	default:
		return errors.New("must be duration:SECONDS, packets:N or filesize:KB")
	}
	return nil
}

var directions = map[string]ring.Direction{"inout": ring.InOut, "in": ring.In, "out": ring.Out}

// config is what l says, with the filter where the kernel can run it: where all frames
// have one link type that is known beforehand.
func (l *liveFlags) config(f *frameFilter) (cfg ring.Config, filtered bool) {
	cfg = ring.Config{
		Interfaces:    l.interfaces,
		SnapLength:    l.snap.value,
		RingSize:      l.buffer.value << 10,
		NoPromiscuous: l.noPromiscuous,
		Direction:     directions[l.direction.value],
		Immediate:     l.immediate,
	}
	if f == nil || len(l.interfaces) != 1 {
		return cfg, false
	}
	link, ok := linkOf(l.interfaces[0])
	if !ok {
		return cfg, false
	}
	program, err := f.compile(link, true)
	if err != nil {
		return cfg, false
	}
	cfg.Filter = program.Raw()
	return cfg, true
}

// linkOf is the link type of an interface's frames, where that is certain.
func linkOf(name string) (capture.LinkType, bool) {
	list, err := ring.Interfaces()
	if err != nil {
		return 0, false
	}
	i := slices.IndexFunc(list, func(i ring.Interface) bool { return i.Name == name })
	if i < 0 {
		return 0, false
	}
	switch list[i].Kind {
	case "ethernet", "loopback":
		return capture.LinkEthernet, true
	}
	return 0, false
}

// captured tells how many frames there were, in tcpdump's three lines, or four when there
// is something to tell.
func (p *program) captured(stats capture.Stats, captured uint64) {
	var frames, drops, missed uint64
	for _, in := range stats.Inputs {
		frames += in.Frames
	}
	for _, i := range stats.Interfaces {
		drops += i.Drops
		missed += i.Missed
	}
	for _, line := range []struct {
		n    uint64
		what string
	}{
		{captured, "captured"},
		{frames + drops, "received by filter"},
		{drops, "dropped by kernel"},
		{missed, "dropped by interface"},
	} {
		if line.what == "dropped by interface" && line.n == 0 {
			continue
		}
		p.remark("", packets(line.n)+" "+line.what)
	}
}

// packets is "1 packet" or "2 packets".
func packets(n uint64) string {
	if n == 1 {
		return "1 packet"
	}
	return fmt.Sprintf("%d packets", n)
}
