package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/capture/privilege"
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
	fs.StringVarP(&l.user, "relinquish-privileges", "Z", "", "become `USER` instead of nobody when run as root")
}

// seldom are the flags of a source that few need.
var seldom = []string{"snapshot-length", "buffer-size", "direction", "no-promiscuous-mode", "immediate-mode",
	"relinquish-privileges", "filter-file", "max-input", "workers", "progress", "no-names"}

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
		if err != nil || !(seconds > 0 && seconds <= 1e9) {
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

// listen captures until the user or a condition ends it: that is a normal end.
func (f *sourceFlags) listen(ctx context.Context, p *program, filter *frameFilter) (*reading, error) {
	if f.live.stop.bytes > 0 {
		return nil, usage("-a filesize:N is for the view that writes files: capture")
	}
	if !f.live.given("snapshot-length") {
		f.live.snap.value = viewLength
	}
	chosen := filter != nil || f.live.direction.value != "inout"
	src, filter, end, err := f.openLive(ctx, filter)
	if err != nil {
		return nil, err
	}
	defer end()
	defer src.Close()
	helper, missing := p.helper()
	defer helper.Close()
	if err := p.dropPrivileges(privilege.Config{User: f.live.user}, missing); err != nil {
		return nil, err
	}
	f.live.announce(p)
	var from capture.Source = src
	if f.tap != nil {
		from = f.tap.open(src)
	}
	if n := f.limit(); n > 0 {
		from = &limited{Source: from, left: n, filter: filter, reached: end}
	}
	if f.workers.value == 0 {
		// One worker takes more frames than the kernel puts into a ring, and without those
		// that wait for each other a frame costs a third less.
		f.workers.value = 1
	}
	// The source drains what came before the end; nothing else is to be cut short.
	result, err := f.run(context.WithoutCancel(ctx), from, filter)
	r := &reading{
		result: result, stats: src.Stats(), filter: filter,
		chosen: chosen, everywhere: slices.Contains(f.live.interfaces, "any"),
	}
	p.captured(r.stats, r.result.Totals.Frames-r.result.Totals.Filtered.Frames)
	if n := r.result.Totals.ClockJumps; n > 0 {
		p.remark("", fmt.Sprintf("the clock was set forward by more than an hour, %d times: silence is not counted across that", n))
	}
	if errors.Is(err, ring.ErrGone) {
		r.ended = err
		return r, nil
	}
	return r, err
}

// openLive begins to capture until end is called, or ctx or the time is over. rest is what
// the kernel does not do of the filter.
func (f *sourceFlags) openLive(ctx context.Context, filter *frameFilter) (src capture.Source, rest *frameFilter, end func(), err error) {
	if f.live.stop.duration > 0 {
		ctx, end = context.WithTimeout(ctx, f.live.stop.duration)
	} else {
		ctx, end = context.WithCancel(ctx)
	}
	cfg, filtered := f.live.config(filter)
	if src, err = ring.Open(ctx, cfg); err != nil {
		end()
		return nil, nil, nil, err
	}
	if filtered {
		filter = nil
	}
	return src, filter, end, nil
}

// announce tells that frames are received from now on.
func (l *liveFlags) announce(p *program) {
	p.remark("", fmt.Sprintf("listening on %s, Ctrl-C ends it", p.escape(strings.Join(l.interfaces, ", "))))
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
