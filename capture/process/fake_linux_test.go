package process

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"sockscope/capture"
	"sockscope/capture/poller"
)

// A fakeSource tells the events that a test gives it.
type fakeSource struct {
	events  []event
	missing uint64
}

func (s *fakeSource) fd() int                 { return -1 }
func (s *fakeSource) patience() time.Duration { return poller.Forever }
func (s *fakeSource) lost() uint64            { return s.missing }
func (s *fakeSource) tellsExits() bool        { return true }
func (s *fakeSource) tellsAll() bool          { return true }
func (s *fakeSource) close()                  {}

func (s *fakeSource) read(f func(*event)) {
	for i := range s.events {
		f(&s.events[i])
	}
	s.events = nil
}

// faked is a watch whose events come from a test.
func faked(t *testing.T) (*Watch, *fakeSource) {
	t.Helper()
	w := watching(t, Config{NoEBPF: true, NoTrace: true})
	s := &fakeSource{}
	w.mu.Lock()
	w.source, w.images.told = s, true
	w.mu.Unlock()
	return w, s
}

const nobody = 1 << 30 // no process has this number

var (
	fakeLocal  = netip.MustParseAddrPort("127.0.0.1:4001")
	fakeRemote = netip.MustParseAddrPort("127.0.0.1:4002")
)

// connects are the events of a process that connects.
func connects(w *Watch, cookie uint64, pid int, name string) []event {
	e := event{protocol: unix.IPPROTO_TCP, cookie: cookie, netns: w.own, time: sinceBoot()}
	create, tuple := e, e
	create.kind, create.pid, create.thread, create.name, create.user, create.uid = eventCreate, pid, pid, name, true, 4711
	tuple.kind, tuple.local, tuple.remote = eventTuple, fakeLocal, fakeRemote
	return []event{create, tuple}
}

func wantOwner(t *testing.T, w *Watch, first, last capture.Timestamp, pid int, name string) {
	t.Helper()
	o := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, first, last)
	switch {
	case pid == 0 && o.Known():
		t.Errorf("owner %+v, want none", *o.Process)
	case pid != 0 && !o.Known():
		t.Errorf("no owner, want %d", pid)
	case pid != 0 && (o.PID != pid || o.Name != name || o.Basis != capture.BasisExact):
		t.Errorf("owner %v %+v, want %d %q", o.Basis, *o.Process, pid, name)
	}
}

// When a process is gone, what the kernel told of it stays.
func TestGone(t *testing.T) {
	w, s := faked(t)
	s.events = connects(w, 1<<40, nobody, "curl")
	wantOwner(t, w, now(), now(), nobody, "curl")
	o := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, now(), now())
	if !o.HasUID || o.UID != 4711 || o.Command != "" || o.Netns != w.ownInode {
		t.Errorf("%+v", *o.Process)
	}
	if again := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, now(), now()); again.Process != o.Process {
		t.Error("a second Process for the same process")
	}
}

// When events were lost, a socket that is not there any more has no later connections.
func TestLostEvents(t *testing.T) {
	w, s := faked(t)
	before := now()
	s.events = connects(w, 1<<40, nobody, "curl")
	wantOwner(t, w, now(), now(), nobody, "curl")
	during := now()
	refresh(t, w)
	wantOwner(t, w, now(), now(), nobody, "curl") // nothing was lost
	s.missing = 5
	refresh(t, w)
	wantOwner(t, w, before, during, nobody, "curl")
	later := now() + slack + 1
	wantOwner(t, w, later, later, 0, "")
	if n := w.Counters().LostEvents; n != 5 {
		t.Errorf("%d events lost", n)
	}
}

func refresh(t *testing.T, w *Watch) {
	t.Helper()
	if _, err := w.refresh(); err != nil {
		t.Fatal(err)
	}
}

// Who connects a socket counts more than who made it.
func TestConnectCounts(t *testing.T) {
	w, s := faked(t)
	s.events = connects(w, 1<<40, nobody, "parent")
	connect := s.events[0]
	connect.kind, connect.pid, connect.thread, connect.name = eventConnect, nobody-1, nobody-1, "child"
	s.events = []event{s.events[0], connect, s.events[1]}
	wantOwner(t, w, now(), now(), nobody-1, "child")
}

// A process with the number of one that ended is another one.
func TestEnded(t *testing.T) {
	w, s := faked(t)
	first := now()
	s.events = connects(w, 1<<40, nobody, "same")
	one := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, first, now())
	release := event{kind: eventRelease, cookie: 1 << 40, pid: nobody, thread: nobody, name: "same", user: true, uid: 4711, netns: w.own, time: sinceBoot()}
	s.events = append([]event{{kind: eventExit, pid: nobody, time: sinceBoot()}, release}, connects(w, 1<<41, nobody, "same")...)
	last := now()
	two := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, now(), now())
	if !one.Known() || !two.Known() || one.Process == two.Process {
		t.Errorf("%p %+v, %p %+v", one.Process, one.Process, two.Process, two.Process)
	}
	if o := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, first, last); o.Process != one.Process {
		t.Error("the first connection's process changed")
	}
}

// The last to close an accepted socket may be a child that is about to run another
// program: it counts only as the listener's own process.
func TestAcceptedAndClosed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		closer int
		basis  capture.Basis
	}{
		{"closed by the listener", nobody, capture.BasisExact},
		{"closed by another", nobody - 1, capture.BasisListener},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, s := faked(t)
			e := event{protocol: unix.IPPROTO_TCP, netns: w.own, time: sinceBoot(), local: fakeLocal}
			create, listen, accept := e, e, e
			create.kind, create.cookie, create.pid, create.thread, create.name, create.user = eventCreate, 1<<40, nobody, nobody, "server", true
			listen.kind, listen.cookie = eventListen, 1<<40
			accept.kind, accept.cookie, accept.remote = eventAccept, 1<<41, fakeRemote
			release := create
			release.kind, release.cookie, release.pid, release.thread = eventRelease, 1<<41, tt.closer, tt.closer
			s.events = []event{create, listen, accept}
			first := now()
			if o := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, first, now()); !o.Known() || o.PID != nobody || o.Basis != capture.BasisListener {
				t.Errorf("open: %v %+v", o.Basis, o.Process)
			}
			release.time = sinceBoot()
			s.events = []event{release}
			if o := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, first, now()); !o.Known() || o.PID != nobody || o.Basis != tt.basis {
				t.Errorf("closed: %v %+v", o.Basis, o.Process)
			}
		})
	}
}

// Of a socket that no process can be found for, its control group may say something.
func TestOnlyTheControlGroup(t *testing.T) {
	w, _ := faked(t)
	w.groups.root = t.TempDir()
	dir := filepath.Join(w.groups.root, "system.slice", "nginx.service")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	number := func(name string) uint64 {
		var stat unix.Stat_t
		if err := unix.Stat(name, &stat); err != nil {
			t.Fatal(err)
		}
		return stat.Ino
	}
	for _, tt := range []struct {
		name   string
		cgroup uint64
		want   capture.Owner
	}{
		{"a service's", number(dir), capture.Owner{Process: &capture.Process{Unit: "nginx.service"}, Basis: capture.BasisCgroup}},
		{"one whose name says nothing", number(w.groups.root), capture.Owner{}},
		{"not known", 1 << 60, capture.Owner{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := readClock()
			r := &reading{clock: at, after: at.now}
			s := &diagSocket{protocol: unix.IPPROTO_TCP, state: 1, local: fakeLocal, remote: fakeRemote, cgroup: tt.cgroup, inode: 1}
			w.mu.Lock()
			w.enter(r, s, tt.cgroup, w.own, w.ownInode, at.now)
			w.mu.Unlock()
			got := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, at.now, now())
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// When links cannot be read, that is said where an owner would be.
func TestHiddenLinks(t *testing.T) {
	cfg := Config{NoEBPF: true, NoTrace: true, Links: func(int) ([]capture.Link, error) { return nil, &HiddenError{3, 4} }}
	w := watching(t, cfg)
	server := serveTCP(t, "127.0.0.1:0")
	h, err := w.Host()
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(h.Sockets, func(s capture.Socket) bool { return s.Local == server })
	if n < 0 || len(h.Sockets[n].Owners) != 0 || h.Sockets[n].Unavailable != "no permission to look into 3 of 4 processes (try as root)" {
		t.Errorf("socket %d of %+v", n, h.Sockets)
	}
	if want := "no permission to look into 3 of 4 processes"; h.Hidden != want || len(h.Incomplete) > 0 {
		t.Errorf("hidden %q, incomplete %q", h.Hidden, h.Incomplete)
	}
	if s := w.Sources(); !strings.HasSuffix(s, "; no permission to look into 3 of 4 processes") {
		t.Errorf("sources %q", s)
	}
}

// What /proc says of a process is not said of one that had its number before.
func TestYounger(t *testing.T) {
	w, s := faked(t)
	events := connects(w, 1<<40, 0, "exe")
	time.Sleep(2 * tick)
	younger := newActor(t, nil, "unshared", "-")
	events[0].pid, events[0].thread = younger.pid(), younger.pid()
	s.events = events
	o := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, now(), now())
	if !o.Known() || o.PID != younger.pid() || o.Name != "exe" || o.Command != "" || o.UID != 4711 {
		t.Errorf("%+v", o.Process)
	}
}

// Where the kernel does not tell when processes end, a number stays with one as long as
// it surely is not given to another, and no longer.
func TestEndsNotTold(t *testing.T) {
	w, s := faked(t)
	w.mu.Lock()
	w.images.told = false
	w.mu.Unlock()
	owner := func(cookie uint64, after time.Duration) *capture.Process {
		t.Helper()
		s.events = connects(w, cookie, nobody, "same")
		for i := range s.events {
			s.events[i].time += after
		}
		at := now() + capture.Timestamp(after)
		o := w.Owner(unix.IPPROTO_TCP, fakeLocal, fakeRemote, at, at)
		if !o.Known() {
			t.Fatal("no owner")
		}
		return o.Process
	}
	first := owner(1<<40, 0)
	if soon := owner(1<<41, certain/2); soon != first {
		t.Error("soon after it was another process")
	}
	if late := owner(1<<42, 10*time.Second); late == first {
		t.Error("long after it was the same process")
	}
}
