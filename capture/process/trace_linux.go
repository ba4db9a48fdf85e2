package process

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A traceSource follows TCP's states by a tracepoint that is older than the programs of
// bpfSource: what a process connects or listens with is known exactly, if not in which
// process a connection ends that it accepts, and nothing of UDP.
type traceSource struct {
	point   tracepoint
	rings   []*perfRing
	poller  int // an epoll that has all rings
	missing uint64

	own      uint64 // cookie of our network namespace
	ownInode uint32
	identity *identity

	asleep    time.Duration // since boot, which the clock of the records leaves out
	waiting   []traceRecord // newer than the last reading began
	processes map[int]traced
	sockets   map[uint64]uint64 // the kernel's address of one → the number that we gave it
	numbers   uint64
}

// A traced process is one as the kernel told it.
type traced struct {
	name   string
	netns  uint32 // 0 when not known
	kernel bool   // one of the kernel's own
}

// A traceRecord is a record of a ring.
type traceRecord struct {
	time          time.Duration
	kind          uint32
	pid, thread   int
	parent        int
	name          string
	netns         uint32
	socket        uint64
	was, is       int32 // states
	local, remote netip.AddrPort
}

// Kinds of records, of linux/perf_event.h.
const (
	recordLost       = 2
	recordComm       = 3
	recordExit       = 4
	recordFork       = 7
	recordSample     = 9
	recordNamespaces = 16
)

// traceMark tells our numbers for sockets from the kernel's cookies.
const traceMark = 1 << 62

const stateSynSent = 2

// stateFilter keeps the changes of state away that tell nothing.
const stateFilter = "protocol == 6 && (newstate == 2 || oldstate == 2 || newstate == 10 || newstate == 7)"

func openTrace(identity *identity, own uint64, ownInode uint32) (_ *traceSource, err error) {
	format, err := tracepointFormat("sock/inet_sock_set_state")
	if err != nil {
		return nil, err
	}
	s := &traceSource{own: own, ownInode: ownInode, identity: identity, poller: -1,
		processes: make(map[int]traced), sockets: make(map[uint64]uint64)}
	s.point, err = parseTracepoint(format, map[string]int{
		"skaddr": 8, "oldstate": 4, "newstate": 4, "sport": 2, "dport": 2, "family": 2, "protocol": 2,
		"saddr": 4, "daddr": 4, "saddr_v6": 16, "daddr_v6": 16,
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.poller, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	cpus, err := onlineCPUs()
	if err != nil {
		return nil, err
	}
	for _, cpu := range cpus {
		r, err := openPerf(s.point.id, stateFilter, cpu)
		if errors.Is(err, unix.ENODEV) {
			continue // it went away
		}
		if err != nil {
			return nil, err
		}
		s.rings = append(s.rings, r)
		if err = unix.EpollCtl(s.poller, unix.EPOLL_CTL_ADD, r.file, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(r.file)}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *traceSource) close() {
	for _, r := range s.rings {
		r.close()
	}
	if s.poller >= 0 {
		_ = unix.Close(s.poller)
	}
}

func (s *traceSource) fd() int                 { return s.poller }
func (s *traceSource) patience() time.Duration { return 20 * time.Millisecond }
func (s *traceSource) lost() uint64            { return s.missing }
func (s *traceSource) tellsExits() bool        { return true }
func (s *traceSource) tellsAll() bool          { return false }

// read takes the records of all rings in the order of their times. What is newer than
// the beginning waits for the next reading: of its causes some may still be in a ring
// that was read before.
func (s *traceSource) read(f func(*event)) {
	began := sinceBoot()
	if asleep := timeAsleep(); asleep-s.asleep > time.Millisecond {
		s.asleep = asleep // it only grows
	}
	for _, r := range s.rings {
		r.read(func(kind uint32, body []byte) {
			if r, ok := s.decode(kind, body); ok {
				s.waiting = append(s.waiting, r)
			}
		})
	}
	if len(s.waiting) == 0 {
		return
	}
	slices.SortStableFunc(s.waiting, func(a, b traceRecord) int { return cmp.Compare(a.time, b.time) })
	done := 0
	for done < len(s.waiting) && s.waiting[done].time <= began {
		s.apply(&s.waiting[done], f)
		done++
	}
	s.waiting = slices.Delete(s.waiting, 0, done)
}

// timeAsleep is how long the host has slept since it was booted, or 0 when the difference
// of the clocks is too small to say.
func timeAsleep() time.Duration {
	const least, tries = time.Millisecond, 10
	for range tries {
		before := sinceBoot()
		var t unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
		if sinceBoot()-before < 10*time.Microsecond {
			if asleep := before - time.Duration(t.Nano()); asleep > least {
				return asleep
			}
			return 0
		}
	}
	return 0
}

// decode reads a record. All but samples end with the process, the thread and the time.
func (s *traceSource) decode(kind uint32, b []byte) (r traceRecord, ok bool) {
	const trailer = 16
	ne := binary.NativeEndian
	if len(b) < 8+trailer {
		return r, false
	}
	r.kind = kind
	r.time = time.Duration(ne.Uint64(b[len(b)-8:])) + s.asleep
	switch kind {
	case recordLost:
		s.missing += ne.Uint64(b[8:])
		return r, false
	case recordComm:
		name, _, _ := bytes.Cut(b[8:len(b)-trailer], []byte{0})
		r.name = string(name)
		r.pid, r.thread = int(ne.Uint32(b)), int(ne.Uint32(b[4:]))
		return r, r.pid == r.thread
	case recordFork, recordExit:
		r.pid, r.parent, r.thread = int(ne.Uint32(b)), int(ne.Uint32(b[4:])), int(ne.Uint32(b[8:]))
		return r, r.pid == r.thread
	case recordNamespaces:
		if len(b) < 32+trailer {
			return r, false
		}
		r.pid, r.thread = int(ne.Uint32(b)), int(ne.Uint32(b[4:]))
		r.netns = uint32(ne.Uint64(b[24:])) // the first is that of the network
		return r, r.pid == r.thread
	case recordSample:
		return s.decodeSample(b)
	}
	return r, false
}

func (s *traceSource) decodeSample(b []byte) (r traceRecord, ok bool) {
	ne := binary.NativeEndian
	r = traceRecord{kind: recordSample, pid: int(ne.Uint32(b)), thread: int(ne.Uint32(b[4:])), time: time.Duration(ne.Uint64(b[8:])) + s.asleep}
	raw := b[20:min(20+uint64(ne.Uint32(b[16:])), uint64(len(b)))]
	field := func(name string, size int) []byte {
		at := s.point.offsets[name]
		if at+size > len(raw) {
			ok = false
			return make([]byte, size)
		}
		return raw[at : at+size]
	}
	ok = true
	if ne.Uint16(field("protocol", 2)) != unix.IPPROTO_TCP {
		return r, false
	}
	r.socket = ne.Uint64(field("skaddr", 8))
	r.was, r.is = int32(ne.Uint32(field("oldstate", 4))), int32(ne.Uint32(field("newstate", 4)))
	four := ne.Uint16(field("family", 2)) == unix.AF_INET
	local, remote := field("saddr_v6", 16), field("daddr_v6", 16)
	if four {
		local, remote = field("saddr", 4), field("daddr", 4)
	}
	r.local = addrPort(local, four, ne.Uint16(field("sport", 2)))
	if port := ne.Uint16(field("dport", 2)); port != 0 {
		r.remote = addrPort(remote, four, port)
	}
	return r, ok
}

// apply makes events of a record.
func (s *traceSource) apply(r *traceRecord, f func(*event)) {
	const most = 1 << 20 // of what is remembered, should the kernel not tell of ends
	switch r.kind {
	case recordFork:
		if len(s.processes) > most {
			clear(s.processes)
		}
		if p, ok := s.processes[r.parent]; ok {
			s.processes[r.pid] = p
		} else {
			delete(s.processes, r.pid)
		}
	case recordComm:
		p := s.processes[r.pid]
		p.name = r.name
		s.processes[r.pid] = p
	case recordNamespaces:
		p := s.process(r)
		p.netns = r.netns
		s.processes[r.pid] = p
	case recordExit:
		delete(s.processes, r.pid)
		f(&event{kind: eventExit, pid: r.pid, time: r.time})
	case recordSample:
		if len(s.sockets) > most {
			clear(s.sockets)
		}
		s.change(r, f)
	}
}

// change tells of a socket that changed its state.
func (s *traceSource) change(r *traceRecord, f func(*event)) {
	e := event{protocol: unix.IPPROTO_TCP, time: r.time, local: r.local, remote: r.remote}
	number := s.sockets[r.socket]
	if r.is == stateSynSent || r.is == stateListen {
		if number != 0 { // that it ended was lost
			f(&event{kind: eventRelease, cookie: number, time: r.time})
		}
		p := s.process(r)
		if p.kernel {
			delete(s.sockets, r.socket)
			return
		}
		s.numbers++
		number = traceMark | s.numbers
		s.sockets[r.socket] = number
		e.cookie, e.pid, e.thread, e.name = number, r.pid, r.pid, p.name
		switch p.netns {
		case 0:
		case s.ownInode:
			e.netns = s.own
		default:
			e.netns = foreignMark | uint64(p.netns)
		}
		if e.kind = eventListen; r.is == stateSynSent {
			e.kind = eventConnect // its port is chosen after this
		}
		f(&e)
		return
	}
	if number == 0 {
		return
	}
	e.cookie = number
	if r.was == stateSynSent {
		e.kind = eventTuple
		f(&e)
	}
	if r.is == stateClosed {
		e.kind = eventRelease
		f(&e)
		delete(s.sockets, r.socket)
	}
}

// process is what is known of a record's process. Of one that began before us it is read.
func (s *traceSource) process(r *traceRecord) traced {
	p, ok := s.processes[r.pid]
	if ok && p.name != "" && p.netns != 0 {
		return p
	}
	if began, alive := s.identity.began(r.pid); alive && began <= r.time {
		if p.name == "" {
			p.name = s.identity.comm(r.pid)
		}
		p.kernel = s.identity.isKernels(r.pid)
		if p.netns == 0 {
			p.netns = s.identity.netns(r.pid)
		}
		s.processes[r.pid] = p
	}
	return p
}
