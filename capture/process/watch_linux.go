package process

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
	"sockscope/capture/poller"
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
	tellsAll bool   // it does
	diag     *diag
	routes   *routes
	netstat  *os.File
	raw      []*os.File // tables of raw sockets
	identity identity
	own      uint64 // cookie of our network namespace
	ownInode uint32
	groups   groups

	local    atomic.Pointer[addresses]
	appeared chan key
	doubtful chan struct{} // events were lost: what is known may be over

	mu        sync.Mutex // of what follows
	book      *book
	images    images
	lost      uint64
	drained   capture.Timestamp // when the events were read last
	take      func(*event)
	clock     clock             // of the events that are being taken
	fresh     []*image          // of them
	overflow  [2]uint64         // ListenOverflows and ListenDrops when the watch began
	hidden    string            // why not all links can be read
	refreshed capture.Timestamp // when the tables were last read
	toured    capture.Timestamp // when those of other network namespaces were

	refreshing   sync.Mutex // held while the tables are read
	foreignAfter time.Time  // when those of other namespaces may be read again
	refreshes    atomic.Uint64

	stop    context.CancelFunc
	wake    int            // an eventfd
	poller  *poller.Poller // for the source's events and wake; nil without a source
	running sync.WaitGroup
}

// A source tells what happens while it happens.
type source interface {
	fd() int
	patience() time.Duration // to wait for fd, which does not tell of every event; poller.Forever when it does
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
		cfg.Links = func(pid int) ([]capture.Link, error) { return ReadLinks(proc, pid) }
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
	w.ownInode = ownNetns(cfg.Proc)
	if w.own = w.diag.netnsCookie(); w.own == 0 {
		w.own = foreignMark | uint64(w.ownInode) // before Linux 5.14; no event tells a cookie there
	}
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
	w.refreshed, w.toured = beginOfTime, beginOfTime
	w.openSource()
	w.tellsAll = w.source != nil && w.source.tellsAll()
	if w.source != nil {
		if w.poller, err = poller.New(); err != nil {
			return nil, err
		}
		for _, fd := range []int{w.source.fd(), w.wake} {
			if err = w.poller.Add(fd, unix.EPOLLIN); err != nil {
				return nil, err
			}
		}
	}
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
	fresh := w.drain()
	c := Counters{LostEvents: w.lost, Evicted: w.book.evicted, Refreshes: w.refreshes.Load()}
	if w.source != nil {
		c.LostEvents = w.source.lost()
	}
	w.mu.Unlock()
	w.resolve(fresh)
	return c
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
	if w.poller != nil {
		w.poller.Close()
	}
	if w.wake >= 0 {
		_ = unix.Close(w.wake)
	}
	w.poller = nil
	w.source, w.diag, w.routes, w.raw, w.netstat, w.wake = nil, nil, nil, nil, nil, -1
}

// Appeared says that a connection between a and b was seen for the first time. It never
// blocks, and costs little when neither is an address of this host, or where the kernel
// tells of all sockets.
func (w *Watch) Appeared(protocol uint8, a, b netip.AddrPort) {
	if w.tellsAll || protocol != unix.IPPROTO_TCP && protocol != unix.IPPROTO_UDP {
		return
	}
	local := w.local.Load()
	for range 2 {
		if here, _ := local.has(a.Addr().As16()); here && len(w.appeared) < cap(w.appeared) {
			select {
			case w.appeared <- keyOf(protocol, a, b):
			default: // the next reading of the tables serves for all
			}
		}
		a, b = b, a
	}
}

// keepFresh reads the tables when a connection appeared that is not known; where the kernel
// tells of all sockets, when one is there of which it did not tell the process.
func (w *Watch) keepFresh(ctx context.Context) {
	share := time.Duration(10) // of a core at most one in so many parts
	if w.tellsAll {
		share = 50 // little is left to be told
	}
	runtime.LockOSThread() // the thread's time is that of a reading
	defer runtime.UnlockOSThread()
	const turn = 5 * time.Second // for what does not appear: addresses, and connections of other namespaces
	ticker := time.NewTicker(turn)
	defer ticker.Stop()
	const tries = 3
	var latest key // of those that a reading was for
	left := 0      // readings: it may not have been accepted yet
	for {
		if !w.tellsAll || left == 0 || !w.wanted(latest) {
			left = 0
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if w.tellsAll {
					w.readAddresses()
					continue
				}
			case <-w.doubtful:
			case latest = <-w.appeared:
				if !w.wanted(latest) {
					continue
				}
				left = tries
			}
		}
		before := threadTime()
		r, err := w.refresh()
		took := threadTime() - before
		if err == nil {
			took -= min(took, r.foreignTook) // which has a share of its own
		}
		left = max(left-1, 0)
		for len(w.appeared) > 0 { // these the reading has served
			latest, left = <-w.appeared, tries-1
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(time.Second/time.Duration(w.cfg.Rate), (share-1)*took)):
		}
	}
}

// threadTime is the CPU time that the calling thread has used.
func threadTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_THREAD, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// wanted reports whether a reading of the tables may tell more of a connection.
func (w *Watch) wanted(k key) bool {
	w.mu.Lock()
	fresh := w.drain()
	now := readClock().now
	_, isOurs := w.local.Load().has(k.local)
	a := w.find(k, isOurs, now, now)
	w.mu.Unlock()
	w.resolve(fresh)
	if w.tellsAll {
		return a.unnamed
	}
	return a.image == nil || a.basis == capture.BasisListener
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

// Readable are the directories, beside procfs, that the watch reads later on. A nil Watch
// reads none.
func (w *Watch) Readable() []string {
	if w == nil || w.groups.root == "" {
		return nil
	}
	return []string{w.groups.root}
}
