package process

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// A Watch follows which processes open sockets on this host. All its methods may be
// called from any goroutine.
//
// The process of a socket is the one that created it, or connected it when another did
// that; its name is what it was called then. A process that got the socket from it later
// is not told.
type Watch struct {
	cfg      Config
	source   source // nil without one
	sourced  string // what it is, or why there is none
	diag     *diag
	routes   *routes
	netstat  *os.File
	raw      []*os.File // tables of raw sockets
	identity identity
	own      uint64 // cookie of our network namespace
	ownInode uint32
	groups   groups

	local    atomic.Pointer[map[netip.Addr]bool] // addresses here; true: of our network namespace
	appeared chan key
	doubtful chan struct{} // events were lost: what is known may be over

	mu       sync.Mutex // of what follows
	book     *book
	images   images
	lost     uint64
	take     func(*event)
	clock    clock     // of the events that are being taken
	fresh    []*image  // of them
	overflow [2]uint64 // ListenOverflows and ListenDrops when the watch began
	hidden   string    // why not all links can be read

	refreshing sync.Mutex        // held while the tables are read
	refreshed  capture.Timestamp // when the tables were last read; of refreshing
	refreshes  atomic.Uint64

	stop    context.CancelFunc
	wake    int // an eventfd
	running sync.WaitGroup
}

// A source tells what happens while it happens.
type source interface {
	fd() int
	patience() int // ms to wait for fd, which does not tell of every event; -1 when it does
	read(func(*event))
	lost() uint64
	tellsExits() bool
	tellsAll() bool // of every socket and its end
	close()
}

// Open begins to watch in the network namespace of the calling thread. It opens all that
// it will need, so that it goes on when the process has given up its capabilities.
func Open(ctx context.Context, cfg Config) (_ *Watch, err error) {
	cfg.Proc = cmp.Or(cfg.Proc, "/proc")
	cfg.Rate = cmp.Or(cfg.Rate, defaultRate)
	cfg.Sockets = cmp.Or(cfg.Sockets, defaultSockets)
	if cfg.Links == nil {
		proc := cfg.Proc
		cfg.Links = func(pid int) ([]Link, error) { return ReadLinks(proc, pid) }
	}
	w := &Watch{cfg: cfg, appeared: make(chan key, 256), doubtful: make(chan struct{}, 1), wake: -1}
	w.take = w.taken
	defer func() {
		if err != nil {
			w.release()
			err = fmt.Errorf("process: watch: %w", err)
		}
	}()
	if w.diag, err = openDiag(); err != nil {
		return nil, err
	}
	if w.routes, err = openRoutes(); err != nil {
		return nil, err
	}
	if w.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, err
	}
	w.own = w.diag.netnsCookie()
	w.ownInode = ownNetns(cfg.Proc)
	w.identity = identity{proc: cfg.Proc, links: cfg.Links}
	w.groups.root, _ = cgroupRoot(cfg.Proc)
	w.netstat, _ = os.Open(filepath.Join(cfg.Proc, "thread-self/net/netstat"))
	for _, name := range []string{"raw", "raw6"} {
		if f, err := os.Open(filepath.Join(cfg.Proc, "thread-self/net", name)); err == nil {
			w.raw = append(w.raw, f)
		}
	}
	w.overflow[0], w.overflow[1] = w.listenCounters()
	w.book = newBook(cfg.Sockets, w.own)
	w.openSource()
	w.images = images{identity: &w.identity, own: w.own, ownInode: w.ownInode,
		told: w.source != nil && w.source.tellsExits(), byPID: make(map[int][]*image)}
	if _, err = w.refresh(); err != nil {
		return nil, err
	}
	ctx, w.stop = context.WithCancel(ctx)
	if w.source != nil {
		w.running.Go(func() { w.listen(ctx) })
	}
	w.running.Go(func() { w.keepFresh(ctx) })
	return w, nil
}

// openSource takes the best source that the kernel and our capabilities allow.
func (w *Watch) openSource() {
	noEBPF, noTrace := errors.New("not wanted"), errors.New("not wanted")
	if !w.cfg.NoEBPF {
		var s *bpfSource
		if s, noEBPF = openBPF(w.cfg.Proc); noEBPF == nil {
			w.source, w.sourced = s, "eBPF and sock_diag"
			return
		}
	}
	if !w.cfg.NoTrace {
		var s *traceSource
		if s, noTrace = openTrace(&w.identity, w.own, w.ownInode); noTrace == nil {
			w.source, w.sourced = s, fmt.Sprintf("trace events and sock_diag (no eBPF: %v)", noEBPF)
			return
		}
	}
	w.sourced = fmt.Sprintf("sock_diag (no eBPF: %v; no trace events: %v)", noEBPF, noTrace)
}

// Sources says in one line what the answers come from, and what is missing.
func (w *Watch) Sources() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hidden != "" {
		return w.sourced + "; " + w.hidden
	}
	return w.sourced
}

// Counters tells how well the watch keeps up.
func (w *Watch) Counters() Counters {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drain()
	lost := w.lost
	if w.source != nil {
		lost = w.source.lost()
	}
	return Counters{LostEvents: lost, Evicted: w.book.evicted, Refreshes: w.refreshes.Load()}
}

// Close ends the watch. Later calls know what was known then.
func (w *Watch) Close() error {
	w.stop()
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	w.mu.Lock()
	if w.wake >= 0 {
		_, _ = unix.Write(w.wake, one[:])
	}
	w.mu.Unlock()
	w.running.Wait()
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.release()
	return nil
}

func (w *Watch) release() {
	if w.source != nil {
		w.source.close()
	}
	if w.diag != nil {
		w.diag.close()
	}
	if w.routes != nil {
		w.routes.close()
	}
	for _, f := range append(w.raw, w.netstat) {
		_ = f.Close() // nil when there is none
	}
	if w.wake >= 0 {
		_ = unix.Close(w.wake)
	}
	w.source, w.diag, w.routes, w.raw, w.netstat, w.wake = nil, nil, nil, nil, nil, -1
}

// Appeared says that a connection between a and b was seen for the first time. It never
// blocks, and costs little when neither is an address of this host.
func (w *Watch) Appeared(protocol uint8, a, b netip.AddrPort) {
	if protocol != unix.IPPROTO_TCP && protocol != unix.IPPROTO_UDP {
		return
	}
	for range 2 {
		if w.isLocal(a.Addr()) && len(w.appeared) < cap(w.appeared) {
			select {
			case w.appeared <- keyOf(protocol, a, b):
			default: // the next reading of the tables serves for all
			}
		}
		a, b = b, a
	}
}

// isLocal reports whether a is an address of this host, or of a namespace in it.
func (w *Watch) isLocal(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	_, ok := (*w.local.Load())[a.Unmap().WithZone("")]
	return ok
}

// isOurs reports whether a is an address of our network namespace.
func (w *Watch) isOurs(a netip.Addr) bool {
	return a.IsLoopback() || (*w.local.Load())[a.Unmap().WithZone("")]
}

// listen takes the kernel's events as they come, so that processes can be asked for what
// only they know before they end.
func (w *Watch) listen(ctx context.Context) {
	const pause = 2 * time.Millisecond // between two turns: a flood of events does not cost a wake-up each
	waiting := []unix.PollFd{{Fd: int32(w.source.fd()), Events: unix.POLLIN}, {Fd: int32(w.wake), Events: unix.POLLIN}}
	for ctx.Err() == nil {
		if _, err := unix.Poll(waiting, w.source.patience()); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		w.mu.Lock()
		fresh := w.drain()
		w.images.sweep()
		if w.source.lost() != w.lost {
			select {
			case w.doubtful <- struct{}{}:
			default:
			}
		}
		w.mu.Unlock()
		for _, i := range fresh {
			w.identity.resolve(i)
		}
		time.Sleep(pause)
	}
}

// drain takes the events that there are, and returns the processes that are new. w.mu is
// held.
func (w *Watch) drain() (fresh []*image) {
	if w.source == nil {
		return nil
	}
	w.clock, w.fresh = clock{}, nil
	w.source.read(w.take)
	return w.fresh
}

// taken is what w.take does with an event.
func (w *Watch) taken(e *event) {
	if w.clock.zero() {
		w.clock = readClock()
	}
	if i := w.apply(e, w.clock.timestamp(e.time)); i != nil {
		w.fresh = append(w.fresh, i)
	}
}

// apply takes an event that happened at t. It returns the process when it is new.
func (w *Watch) apply(e *event, t capture.Timestamp) (fresh *image) {
	if e.kind == eventExit {
		w.images.end(e.pid, e.time)
		return nil
	}
	r := w.book.open(e.cookie, e.netns, t)
	r.events = true
	if w.acts(e, r) {
		i, isFresh := w.images.actor(e)
		if isFresh {
			fresh = i
		}
		if e.kind == eventRelease {
			r.closer = i
		} else {
			r.maker, r.cgroup = i, e.cgroup
		}
	}
	switch e.kind {
	case eventTuple, eventAccept:
		w.book.name(r, keyOf(e.protocol, e.local, e.remote), t)
	case eventListen:
		r = w.book.name(r, keyOf(e.protocol, e.local, netip.AddrPort{}).alone(), t)
		r.listen = true
	case eventBind:
		r = w.book.name(r, keyOf(e.protocol, e.local, e.remote), t)
		r.dual = r.dual || e.four
	case eventRelease:
		w.book.close(r, t)
	}
	return fresh
}

// acts reports whether e tells of the process that r is to be known by. Who connects a
// socket counts more than who made it; a worker of the kernel does it for somebody else.
func (w *Watch) acts(e *event, r *record) bool {
	switch e.kind {
	case eventConnect, eventRelease:
		return e.pid != 0
	case eventTuple, eventListen:
		return e.pid != 0 && r.maker == nil && !w.identity.isKernels(e.pid)
	}
	return e.pid != 0 && r.maker == nil
}

// Owner tells who held local in a connection with remote from first to last; the zero
// value when that is not known. Of what happened before it is called all is known that
// ever will be, except what a reading of the tables tells, for which Appeared asks.
func (w *Watch) Owner(protocol uint8, local, remote netip.AddrPort, first, last capture.Timestamp) capture.Owner {
	if protocol != unix.IPPROTO_TCP && protocol != unix.IPPROTO_UDP {
		return capture.Owner{}
	}
	w.mu.Lock()
	w.drain()
	i, basis, cgroup := w.find(keyOf(protocol, local, remote), local.Addr(), first, last)
	w.mu.Unlock()
	switch {
	case i != nil:
		return capture.Owner{Process: w.identity.resolve(i), Basis: basis}
	case cgroup != 0:
		if p := w.groups.process(cgroup); p != nil {
			return capture.Owner{Process: p, Basis: capture.BasisCgroup}
		}
	}
	return capture.Owner{}
}

// find is Owner for w.mu's holder: the process, or the control group of the socket.
func (w *Watch) find(k key, local netip.Addr, first, last capture.Timestamp) (*image, capture.Basis, uint64) {
	r := w.book.find(k, first, last)
	if r != nil {
		if i := r.process(); i != nil {
			return i, capture.BasisExact, 0
		}
	}
	var at *record
	switch {
	case r == nil && w.isOurs(local):
		at = w.book.waiting(k, w.own, false, first, last)
	case r != nil && k.protocol == unix.IPPROTO_TCP:
		at = w.book.waiting(k, r.netns, true, r.found, r.found)
	}
	if at != nil {
		if i := at.process(); i != nil && k.protocol == unix.IPPROTO_UDP {
			return i, capture.BasisExact, 0
		} else if i != nil && at.listen {
			if r != nil && r.closer != nil && r.closer.pid == i.pid {
				return r.closer, capture.BasisExact, 0
			}
			return i, capture.BasisListener, 0
		}
	}
	switch {
	case r != nil:
		return nil, capture.NoBasis, r.cgroup
	case at != nil:
		return nil, capture.NoBasis, at.cgroup
	}
	return nil, capture.NoBasis, 0
}

// keepFresh reads the tables when a connection appeared that is not known.
func (w *Watch) keepFresh(ctx context.Context) {
	const share = 10 // of a core at most one in so many parts
	addresses := time.NewTicker(5 * time.Second)
	defer addresses.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-addresses.C:
			w.readAddresses()
			continue
		case <-w.doubtful:
		case k := <-w.appeared:
			if !w.wanted(k) {
				continue
			}
		}
		began := time.Now()
		_, _ = w.refresh()
		took := time.Since(began)
		for len(w.appeared) > 0 { // these the reading has served
			<-w.appeared
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(time.Second/time.Duration(w.cfg.Rate), (share-1)*took)):
		}
	}
}

// wanted reports whether a reading of the tables may tell more of a connection.
func (w *Watch) wanted(k key) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drain()
	now := readClock().now
	i, basis, _ := w.find(k, netip.AddrFrom16(k.local).Unmap(), now, now)
	return i == nil || basis == capture.BasisListener
}

// A clock puts times since boot on the clock of captures.
type clock struct {
	now  capture.Timestamp
	boot time.Duration
}

// readClock reads both clocks at the same moment: again when the process was interrupted
// in between.
func readClock() clock {
	const good, tries = 2 * time.Microsecond, 10
	var best clock
	least := time.Duration(1 << 62)
	for range tries {
		before := sinceBoot()
		now := capture.Timestamp(time.Now().UnixNano())
		after := sinceBoot()
		if gap := after - before; gap < least {
			least, best = gap, clock{now, before + gap/2}
		}
		if least <= good {
			break
		}
	}
	return best
}

func sinceBoot() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t)
	return time.Duration(t.Nano())
}

func (c clock) zero() bool { return c.boot == 0 }

func (c clock) timestamp(boot time.Duration) capture.Timestamp {
	return c.now + capture.Timestamp(boot-c.boot)
}

// ownNetns is the inode of the network namespace of the calling thread; 0 when it is not
// known.
func ownNetns(proc string) uint32 {
	target, err := os.Readlink(filepath.Join(proc, "thread-self/ns/net"))
	if err != nil {
		return 0
	}
	inode, _ := linkInode([]byte(target), "net:[", 32)
	return uint32(inode)
}

// listenCounters reads how many connections listeners of our namespace turned away.
func (w *Watch) listenCounters() (overflows, drops uint64) {
	if w.netstat == nil {
		return 0, 0
	}
	var b [16 << 10]byte
	n, _ := w.netstat.ReadAt(b[:], 0)
	return extended(b[:n], "ListenOverflows"), extended(b[:n], "ListenDrops")
}

// extended is a counter of TCP in /proc/net/netstat: a line of names, then one of numbers.
func extended(content []byte, name string) uint64 {
	var names [][]byte
	for line := range bytes.Lines(content) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || string(fields[0]) != "TcpExt:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i, f := range fields {
			if i < len(names) && string(names[i]) == name {
				return number(f)
			}
		}
	}
	return 0
}
