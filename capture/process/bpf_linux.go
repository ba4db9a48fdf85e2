package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"sockscope/capture/poller"
)

const (
	eventsSize = 4 << 20 // bytes of events that may wait to be read
	toldSize   = 1 << 16 // UDP sockets whose address is remembered as told
)

// programMaps are what the programs share with us.
type programMaps struct {
	events *ebpf.Map
	lost   *ebpf.Map // one number: events that found no room
	told   *ebpf.Map // a UDP socket's cookie → ports that were told
}

// A bpfSource reads what our programs in the kernel tell.
type bpfSource struct {
	maps     programMaps
	programs []*ebpf.Program
	links    []link.Link
	reader   *ringbuf.Reader
	record   ringbuf.Record
	event    event
	exits    bool // the end of processes is told
}

// openBPF loads the programs and attaches them to the root of the control groups. They
// vanish with this process, however it ends.
func openBPF(proc string) (_ *bpfSource, err error) {
	root, err := cgroupRoot(proc)
	if err != nil {
		return nil, err
	}
	// Elsewhere the programs tell numbers that mean nothing to us, or not of all.
	for _, first := range []struct{ name, target, what string }{
		{"pid", "pid:[4026531836]", "PID"},
		{"cgroup", "cgroup:[4026531835]", "control group"},
	} {
		if target, err := os.Readlink(path.Join(proc, "self/ns", first.name)); err != nil || target != first.target {
			return nil, fmt.Errorf("not in the first %s namespace", first.what)
		}
	}
	group, err := os.Open(root)
	if err != nil {
		return nil, errors.New(reason(err))
	}
	defer group.Close()
	// Kernels before 5.11 count maps as locked memory; loading says what is wrong with that. The
	// package that is made for it makes a map whenever the program starts.
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	s := &bpfSource{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for _, m := range []struct {
		to   **ebpf.Map
		spec ebpf.MapSpec
	}{
		{&s.maps.events, ebpf.MapSpec{Name: "sockscope", Type: ebpf.RingBuf, MaxEntries: eventsSize}},
		{&s.maps.lost, ebpf.MapSpec{Name: "sockscope_lost", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1}},
		{&s.maps.told, ebpf.MapSpec{Name: "sockscope_told", Type: ebpf.LRUHash, KeySize: 8, ValueSize: 8, MaxEntries: toldSize}},
	} {
		if *m.to, err = ebpf.NewMap(&m.spec); err != nil {
			return nil, bpfReason(err)
		}
	}
	for _, p := range programs {
		if err = s.attach(group, p); err != nil {
			return nil, err
		}
	}
	s.exits = s.attachExit() == nil
	s.reader, err = ringbuf.NewReader(s.maps.events)
	if err != nil {
		return nil, bpfReason(err)
	}
	s.reader.SetDeadline(time.Unix(1, 0)) // it never waits
	return s, nil
}

func (s *bpfSource) attach(group *os.File, p program) error {
	spec := ebpf.ProgramSpec{
		Name: "sockscope_" + p.name, Type: p.kind, AttachType: p.attach, Instructions: p.write(&s.maps), License: "GPL",
	}
	loaded, err := ebpf.NewProgram(&spec)
	if err != nil && p.plain != nil {
		spec.Instructions = p.plain(&s.maps)
		loaded, err = ebpf.NewProgram(&spec)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, bpfReason(err))
	}
	s.programs = append(s.programs, loaded)
	l, err := link.AttachRawLink(link.RawLinkOptions{Target: int(group.Fd()), Program: loaded, Attach: p.attach})
	if errors.Is(err, unix.EPERM) { // it was loaded
		return fmt.Errorf("attach %s: needs CAP_NET_ADMIN, and no other program that wants to be alone", p.name)
	}
	if err != nil {
		return fmt.Errorf("attach %s: %w", p.name, bpfReason(err))
	}
	s.links = append(s.links, l)
	return nil
}

// attachExit needs CAP_PERFMON, which may be missing; the rest works without.
func (s *bpfSource) attachExit() error {
	loaded, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "sockscope_exit", Type: ebpf.RawTracepoint, Instructions: ofExit(&s.maps), License: "GPL",
	})
	if err != nil {
		return err
	}
	s.programs = append(s.programs, loaded)
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "sched_process_exit", Program: loaded})
	if err != nil {
		return err
	}
	s.links = append(s.links, l)
	return nil
}

// bpfReason is why the kernel refused, in one line.
func bpfReason(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return errors.New("needs CAP_BPF and CAP_NET_ADMIN")
	case errors.Is(err, unix.EINVAL), errors.Is(err, ebpf.ErrNotSupported):
		return errors.New("the kernel is too old (5.15 is needed)")
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}

func (s *bpfSource) close() {
	if s.reader != nil {
		_ = s.reader.Close()
	}
	for _, l := range s.links {
		_ = l.Close()
	}
	for _, p := range s.programs {
		_ = p.Close()
	}
	for _, m := range []*ebpf.Map{s.maps.events, s.maps.lost, s.maps.told} {
		if m != nil {
			_ = m.Close()
		}
	}
}

// fd can be polled for events.
func (s *bpfSource) fd() int { return s.maps.events.FD() }

func (s *bpfSource) patience() time.Duration { return poller.Forever }

// lost counts the events that found no room so far.
func (s *bpfSource) lost() uint64 {
	var n uint64
	_ = s.maps.lost.Lookup(uint32(0), &n)
	return n
}

// tellsExits reports whether the end of processes is told.
func (s *bpfSource) tellsExits() bool { return s.exits }

func (s *bpfSource) tellsAll() bool { return true }

// read calls f for each event there is, which is f's until it returns.
func (s *bpfSource) read(f func(*event)) {
	for s.reader.AvailableBytes() > 0 {
		if err := s.reader.ReadInto(&s.record); err != nil {
			return
		}
		if s.event.decode(s.record.RawSample) {
			f(&s.event)
		}
	}
}

// An event is what the kernel told of a socket or a process.
type event struct {
	kind          uint32
	protocol      uint8
	cookie        uint64        // of the socket, unique on this host
	netns         uint64        // cookie of its network namespace; 0 when not known
	time          time.Duration // since boot
	pid, thread   int
	user          bool // uid was told
	uid           uint32
	cgroup        uint64
	name          string         // of the thread; "" when it was not told
	local, remote netip.AddrPort // remote is the zero value without a peer
	four          bool           // it sent a packet of IPv4
}

// decode reads b as a program wrote it.
func (e *event) decode(b []byte) bool {
	if len(b) < eventSize {
		return false
	}
	ne := binary.NativeEndian
	name, _, _ := bytes.Cut(b[atName:atName+16], []byte{0})
	*e = event{
		kind:     ne.Uint32(b[atKind:]),
		protocol: uint8(ne.Uint32(b[atProtocol:])),
		cookie:   ne.Uint64(b[atCookie:]),
		netns:    ne.Uint64(b[atNetns:]),
		time:     time.Duration(ne.Uint64(b[atTime:])),
		pid:      int(ne.Uint64(b[atTask:]) >> 32),
		thread:   int(uint32(ne.Uint64(b[atTask:]))),
		user:     len(name) > 0, // told together
		uid:      uint32(ne.Uint64(b[atUser:])),
		cgroup:   ne.Uint64(b[atCgroup:]),
		name:     string(name),
	}
	four := ne.Uint32(b[atFamily:]) == unix.AF_INET
	e.local = addrPort(b[atLocal:atLocal+16], four, uint16(ne.Uint32(b[atLocalPort:])))
	if port := binary.BigEndian.Uint16(b[atRemotePort+2:]); port != 0 {
		e.remote = addrPort(b[atRemote:atRemote+16], four, port)
	}
	e.four = four || binary.BigEndian.Uint16(b[atPacket:]) == unix.ETH_P_IP
	return true
}

// addrPort is an address as the kernel keeps it. An IPv4-mapped one stays: to be bound
// to ::ffff:0.0.0.0 is not to be bound to 0.0.0.0, which no IPv6 socket can be.
func addrPort(b []byte, four bool, port uint16) netip.AddrPort {
	var a netip.Addr
	if four {
		a = netip.AddrFrom4([4]byte(b))
	} else {
		a = netip.AddrFrom16([16]byte(b))
	}
	return netip.AddrPortFrom(a, port)
}

// cgroupRoot is where the second version of control groups is mounted.
func cgroupRoot(proc string) (string, error) {
	b, err := os.ReadFile(path.Join(proc, "self/mountinfo"))
	if err != nil {
		return "", errors.New(reason(err))
	}
	for line := range strings.Lines(string(b)) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if len(fields) > 4 && fields[3] == "/" && strings.HasPrefix(after, "cgroup2 ") {
			return unescapeMount(fields[4]), nil
		}
	}
	return "", errors.New("control groups version 2 are not mounted")
}

// unescapeMount puts back the blanks that mountinfo writes in octal.
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
