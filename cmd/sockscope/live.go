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
}

// addLiveFlags adds what is for interfaces only.
func (f *sourceFlags) addLiveFlags(fs *pflag.FlagSet) {
	l := &f.live
	fs.StringArrayVarP(&l.interfaces, "interface", "i", nil, "capture from `IFACE`, any: from all (repeatable)")
	fs.VarP(&l.stop, "autostop", "a", "end a capture at duration:SECONDS or packets:N")
	l.snap = &number{0, 0, 262_144}
	fs.VarP(l.snap, "snapshot-length", "s", "keep `N` bytes of a frame, 0: all")
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
	default:
		return errors.New("must be duration:SECONDS or packets:N")
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
	if f.live.stop.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.live.stop.duration)
		defer cancel()
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	chosen := filter != nil || f.live.direction.value != "inout"
	cfg, filtered := f.live.config(filter)
	src, err := ring.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	helper, missing := p.helper()
	defer helper.Close()
	if err := p.dropPrivileges(privilege.Config{User: f.live.user}, missing); err != nil {
		return nil, err
	}
	p.remark("", fmt.Sprintf("listening on %s, Ctrl-C ends it", p.escape(strings.Join(f.live.interfaces, ", "))))
	var from capture.Source = src
	if filtered {
		filter = nil
	}
	if n := f.limit(); n > 0 {
		from = &limited{Source: src, left: n, filter: filter, reached: end}
	}
	// The source drains what came before the end; nothing else is to be cut short.
	result, err := f.run(context.WithoutCancel(ctx), from, filter)
	r := &reading{
		result: result, stats: src.Stats(), filter: filter,
		chosen: chosen, everywhere: slices.Contains(f.live.interfaces, "any"),
	}
	r.captured(p)
	if errors.Is(err, ring.ErrGone) {
		r.ended = err
		return r, nil
	}
	return r, err
}

// captured tells how many frames there were, in tcpdump's three lines.
func (r *reading) captured(p *program) {
	var frames, drops uint64
	for _, in := range r.stats.Inputs {
		frames += in.Frames
	}
	for _, i := range r.stats.Interfaces {
		drops += i.Drops
	}
	for _, line := range []struct {
		n    uint64
		what string
	}{
		{r.result.Totals.Frames - r.result.Totals.Filtered.Frames, "captured"},
		{frames + drops, "received by filter"},
		{drops, "dropped by kernel"},
	} {
		unit := "packets"
		if line.n == 1 {
			unit = "packet"
		}
		p.remark("", fmt.Sprintf("%d %s %s", line.n, unit, line.what))
	}
}
