package pcapfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

// curl and nginx are owners as a capture finds them.
var (
	curl = capture.Owner{Basis: capture.BasisExact, Process: &capture.Process{
		PID: 4242, Name: "curl", Command: "curl -s http://192.0.2.1/", HasUID: true, UID: 1000, User: "jane", Netns: 4026531840}}
	nginx = capture.Owner{Basis: capture.BasisListener, Process: &capture.Process{
		PID: 80, Name: "nginx: worker", Command: "nginx: worker process", HasUID: true, Unit: "nginx.service",
		Container: "0123456789abcdef"}}
	slice = capture.Owner{Basis: capture.BasisCgroup, Process: &capture.Process{Unit: "backup.service"}}
)

// encode is one file of frames.
func encode(t testing.TB, cfg EncoderConfig, stats capture.Stats, frames []capture.Frame) []byte {
	t.Helper()
	cfg.Stats = func() capture.Stats { return stats }
	e := NewEncoder(cfg)
	b := e.Begin(nil)
	var err error
	for i := range frames {
		if b, err = e.Frame(b, &frames[i], 0); err != nil {
			t.Fatal(err)
		}
	}
	return e.End(b, 0)
}

// ethernet is the Stats of one live interface.
func ethernet(name string) capture.Stats {
	return capture.Stats{Inputs: []capture.Input{{Name: name, Format: "live"}},
		Interfaces: []capture.Interface{{Name: name, Link: capture.LinkEthernet, SnapLength: maxCaptured, Resolution: 1}}}
}

func TestEncodeFormats(t *testing.T) {
	const when = capture.Timestamp(1_768_467_600_123_456_789)
	frames := []capture.Frame{
		{Data: frame(1, 60), Time: when, Length: 60, Link: capture.LinkEthernet},
		{Data: frame(2, 61), Time: when + 1e9, Length: 1500, Link: capture.LinkEthernet},
	}
	micro := when / 1000 * 1000
	for _, test := range []struct {
		name string
		cfg  EncoderConfig
		time capture.Timestamp // of the first frame, as it is read
		unit time.Duration
	}{
		{"pcap has microseconds", EncoderConfig{PCAP: true}, micro, time.Microsecond},
		{"pcap has nanoseconds when told", EncoderConfig{PCAP: true, Resolution: 1}, when, 1},
		{"pcapng has the interface's", EncoderConfig{}, when, 1},
		{"pcapng has microseconds when told", EncoderConfig{Resolution: time.Microsecond}, micro, time.Microsecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, in, interfaces := read(t, encode(t, test.cfg, ethernet("eth0"), frames))
			want := kept(frames)
			want[0].Time, want[1].Time = test.time, test.time+1e9
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
			if len(in.Damage) > 0 || len(interfaces) != 1 || interfaces[0].Resolution != test.unit || interfaces[0].SnapLength != maxCaptured {
				t.Errorf("%+v\n%+v", in, interfaces)
			}
		})
	}
}

// Whatever a frame says of itself is read again.
func TestEncodedIsReadAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		stats := capture.Stats{Owners: []capture.Owner{curl, nginx, slice}}
		links := []capture.LinkType{capture.LinkEthernet, capture.LinkRaw, capture.LinkSLL2}
		for i := range 1 + r.IntN(4) {
			stats.Interfaces = append(stats.Interfaces, capture.Interface{
				Name: fmt.Sprint("if", i)[:r.IntN(3)], Description: strings.Repeat("x", r.IntN(6)), Link: links[r.IntN(3)],
				SnapLength: uint32(r.IntN(2) * 500), Resolution: []time.Duration{1, 100, 1000}[r.IntN(3)], Drops: uint64(r.IntN(3))})
		}
		var frames []capture.Frame
		for i := range r.IntN(30) {
			number := r.IntN(len(stats.Interfaces))
			f := capture.Frame{Data: frame(i, r.IntN(70)), Time: capture.Timestamp(1e18 + r.Int64N(1e15)*1000), Interface: uint32(number),
				Link: stats.Interfaces[number].Link, Direction: capture.Direction(r.IntN(3)), Unsummed: r.IntN(4) == 0, Owner: uint32(r.IntN(4))}
			f.Length = uint32(len(f.Data) + r.IntN(2)*1000)
			frames = append(frames, f)
		}
		content := encode(t, EncoderConfig{Filter: "tcp"}, stats, frames)
		got, in := check(t, content)
		if len(in.Inputs[0].Damage) > 0 {
			t.Fatalf("damage %q", messages(in.Inputs[0]))
		}
		owners := in.Owners
		in.Inputs, in.Owners = nil, nil
		if diff := cmp.Diff(stats.Interfaces, in.Interfaces); diff != "" {
			t.Fatalf("interfaces (-want +got):\n%s", diff)
		}
		want := kept(frames)
		for i := range want {
			// Owners are numbered in the order of their first packets.
			o, again := want[i].Owner, got[i].Owner
			if (o == 0) != (again == 0) || o != 0 && cmp.Diff(stats.Owners[o-1], owners[again-1]) != "" {
				t.Fatalf("frame %d has owner %d, read %d of %+v", i+1, o, again, owners)
			}
			want[i].Owner = again
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("frames (-want +got):\n%s", diff)
		}
	}
}

// The bytes of a packet, against what the draft says (draft-ietf-opsawg-pcapng §4.3).
func TestEncodedPacketBlock(t *testing.T) {
	stats := ethernet("eth0")
	stats.Owners = []capture.Owner{curl}
	e := NewEncoder(EncoderConfig{Stats: func() capture.Stats { return stats }})
	e.Begin(nil)
	f := capture.Frame{Data: []byte("abcde"), Time: 5<<32 + 6, Length: 60, Link: capture.LinkEthernet,
		Direction: capture.Outbound, Unsummed: true, Owner: 1}
	got, err := e.Frame([]byte("before"), &f, 3)
	if err != nil {
		t.Fatal(err)
	}
	s := ngSpec{}
	want := s.packet(0, 5<<32+6, 60, []byte("abcde"),
		s.option(2, s.words(1<<9|2)),
		s.option(4, s.u64(3)),
		s.option(1, []byte("PID: 4242\nCmd: curl\nArgs: curl -s http://192.0.2.1/")),
		s.option(1, []byte("UserId: 1000\nUser: jane\nNetns: 4026531840\nBasis: exact")),
		s.option(8, s.words(4242, 0)),
		s.option(0, nil))
	if diff := cmp.Diff(append([]byte("before"), want...), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Interfaces and their link types come while frames do.
func TestEncodeInterfacesThatAppear(t *testing.T) {
	stats := ethernet("any")
	e := NewEncoder(EncoderConfig{Stats: func() capture.Stats { return stats }})
	b := e.Begin(nil)
	stats.Interfaces = append(stats.Interfaces[:1:1], capture.Interface{Name: "tun0", Link: capture.LinkRaw, Resolution: 1},
		capture.Interface{Name: "eth0", Link: capture.LinkEthernet, Resolution: 1}, capture.Interface{Name: "idle"})
	frames := []capture.Frame{
		{Data: frame(1, 20), Time: 1, Length: 20, Interface: 1, Link: capture.LinkRaw},
		{Data: frame(2, 20), Time: 2, Length: 20, Interface: 1, Link: capture.LinkSLL2},
		{Data: frame(3, 20), Time: 3, Length: 20, Interface: 1, Link: capture.LinkSLL2},
		{Data: frame(4, 20), Time: 4, Length: 20, Interface: 2, Link: capture.LinkEthernet},
	}
	var err error
	for i := range frames {
		if b, err = e.Frame(b, &frames[i], 0); err != nil {
			t.Fatal(err)
		}
	}
	stats.Interfaces[0].Drops = 7
	first := e.End(b, 2)
	got, _, interfaces := read(t, first)
	var have []string
	for _, f := range got {
		i := interfaces[f.Iface]
		have = append(have, fmt.Sprintf("%s/%v", i.Name, f.Link))
	}
	if want := "tun0/RAW tun0/LINUX_SLL2 tun0/LINUX_SLL2 eth0/EN10MB"; strings.Join(have, " ") != want {
		t.Errorf("%v, want %s", have, want)
	}
	// Frames lost on the way to the file are the first interface's.
	if n := len(interfaces); n != 4 || interfaces[n-1].Name != "any" || interfaces[n-1].Drops != 7 || interfaces[n-1].Link != interfaces[0].Link || interfaces[0].Drops != 2 {
		t.Errorf("%+v", interfaces)
	}
	// The next file tells what was lost since.
	stats.Interfaces[0].Drops = 8
	if _, _, interfaces := read(t, e.End(e.Begin(nil), 0)); len(interfaces) != 1 || interfaces[0].Drops != 1 {
		t.Errorf("second file: %+v", interfaces)
	}
}

func TestEncodePCAPTakesOneLinkType(t *testing.T) {
	e := NewEncoder(EncoderConfig{PCAP: true})
	b, err := e.Frame(e.Begin(nil), &capture.Frame{Data: frame(1, 20), Time: 1, Length: 20, Link: capture.LinkRaw}, 0)
	if err != nil {
		t.Fatal(err)
	}
	again, err := e.Frame(b, &capture.Frame{Data: frame(1, 20), Time: 1, Length: 20, Link: capture.LinkSLL2}, 0)
	var wrong *LinkTypeError
	if !errors.As(err, &wrong) || len(again) != len(b) {
		t.Errorf("error %v, %d bytes after %d", err, len(again), len(b))
	}
}

func TestEncodeTimesThatDoNotFit(t *testing.T) {
	for name, test := range map[string]struct {
		pcap bool
		time capture.Timestamp
		want uint64
	}{
		"pcap, unknown":                 {true, capture.Unknown, 1},
		"pcapng, unknown":               {false, capture.Unknown, 1},
		"pcap, before 1970":             {true, -1, 1},
		"pcapng, before 1970":           {false, -1, 1},
		"pcap, the last second":         {true, (1<<32)*1e9 - 1000, 0},
		"pcap, the second after":        {true, (1 << 32) * 1e9, 1},
		"pcapng, after pcap's last one": {false, (1 << 32) * 1e9, 0},
	} {
		t.Run(name, func(t *testing.T) {
			stats := ethernet("eth0")
			e := NewEncoder(EncoderConfig{PCAP: test.pcap, Stats: func() capture.Stats { return stats }})
			b, err := e.Frame(e.Begin(nil), &capture.Frame{Data: frame(1, 20), Time: test.time, Length: 20, Link: 1}, 0)
			if err != nil || e.Untimed() != test.want {
				t.Errorf("error %v, %d without a time, want %d", err, e.Untimed(), test.want)
			}
			got, in, _ := read(t, e.End(b, 0))
			want := test.time
			if test.want > 0 {
				want = 0
			}
			if len(got) != 1 || got[0].Time != want || len(in.Damage) > 0 {
				t.Errorf("read %+v %q, want time %d", got, messages(in), want)
			}
		})
	}
}

// tcpdump reads the files without a complaint, and the same frames.
func TestTcpdumpReadsWhatIsEncoded(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("needs tcpdump")
	}
	stats := ethernet("eth0")
	stats.Owners = []capture.Owner{curl, nginx, slice}
	var frames []capture.Frame
	for i := range 50 {
		frames = append(frames, capture.Frame{Data: frame(i, 60+i), Time: capture.Timestamp(i) * 1e9, Length: uint32(60 + i),
			Link: capture.LinkEthernet, Direction: capture.Direction(i % 3), Owner: uint32(i % 4)})
	}
	for name, cfg := range map[string]EncoderConfig{"pcap": {PCAP: true}, "pcap, ns": {PCAP: true, Resolution: 1}, "pcapng": {Filter: "ip", Application: "test", System: "Linux"}} {
		path := write(t, "file", encode(t, cfg, stats, frames))
		var out, errs bytes.Buffer
		cmd := exec.Command("tcpdump", "-Z", "root", "-nn", "-tt", "-r", path)
		cmd.Env = append(os.Environ(), "TZ=UTC")
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		if lines := strings.Count(errs.String(), "\n"); err != nil || lines != 1 || !strings.HasPrefix(errs.String(), "reading from file") {
			t.Errorf("%s: %v\n%s", name, err, &errs)
		}
		if n := bytes.Count(out.Bytes(), []byte(", length ")); n != len(frames) {
			t.Errorf("%s: %d packets, want %d\n%s", name, n, len(frames), &out)
		}
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	stats := ethernet("eth0")
	stats.Owners = []capture.Owner{curl}
	e := NewEncoder(EncoderConfig{Stats: func() capture.Stats { return stats }})
	b := e.Begin(make([]byte, 0, 1<<16))
	f := capture.Frame{Data: frame(1, 60), Time: 1, Length: 60, Link: capture.LinkEthernet, Direction: capture.Inbound, Owner: 1}
	b, _ = e.Frame(b, &f, 0)
	if n := testing.AllocsPerRun(100, func() { e.Frame(b, &f, 1) }); n > 0 {
		t.Errorf("%v allocations for a frame", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	stats := ethernet("eth0")
	for name, cfg := range map[string]EncoderConfig{"pcap": {PCAP: true}, "pcapng": {}} {
		b.Run(name, func(b *testing.B) {
			cfg.Stats = func() capture.Stats { return stats }
			e := NewEncoder(cfg)
			buffer := e.Begin(make([]byte, 0, 1<<16))
			f := capture.Frame{Data: frame(1, 700), Time: 1, Length: 700, Link: capture.LinkEthernet, Direction: capture.Inbound}
			b.SetBytes(700)
			b.ReportAllocs()
			for b.Loop() {
				e.Frame(buffer, &f, 0)
			}
		})
	}
}

func TestWhole(t *testing.T) {
	stats := ethernet("eth0")
	for name, cfg := range map[string]EncoderConfig{"pcap": {PCAP: true}, "pcapng": {}} {
		t.Run(name, func(t *testing.T) {
			cfg.Stats = func() capture.Stats { return stats }
			e := NewEncoder(cfg)
			b := e.Begin(nil)
			ends := []int{0, len(b)}
			if !cfg.PCAP {
				ends = []int{0, len(e.section(nil)), len(b)}
			}
			before := len(ends) - 1
			for i := range 3 {
				b, _ = e.Frame(b, &capture.Frame{Data: frame(i, 5+i), Length: 60, Link: 1}, 0)
				ends = append(ends, len(b))
			}
			for n := range len(b) + 1 {
				bytes, frames := e.Whole(b[:n], true)
				i := len(ends) - 1
				for ends[i] > n {
					i--
				}
				if want := max(i-before, 0); bytes != ends[i] || frames != want {
					t.Fatalf("of %d bytes %d are whole, %d frames; want %d, %d", n, bytes, frames, ends[i], want)
				}
			}
			if bytes, frames := e.Whole(b[ends[before]:], false); bytes != len(b)-ends[before] || frames != 3 {
				t.Errorf("%d bytes, %d frames", bytes, frames)
			}
		})
	}
}
