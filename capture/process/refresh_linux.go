package process

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sockscope/capture"
)

const allStates = ^uint32(0)

// A reading is what the tables and the links of all processes say at one moment.
type reading struct {
	clock       clock             // before the sockets were read
	after       capture.Timestamp // when they had been
	sockets     []diagSocket
	foreign     []foreignSocket // nil when they were not read
	foreignTook time.Duration
	raw         []procSocket
	addresses   []netip.Addr
	incomplete  []string
	interrupted map[uint8]bool   // by protocol: the table changed while it was read
	holders     map[uint64][]int // of a socket's inode: the first gave it to the others
	facts       map[int]facts
	links       error // why not all links could be read
}

// A foreignSocket is one in another network namespace.
type foreignSocket struct {
	procSocket
	netns uint32
}

// read reads it all. It takes no lock.
func (w *Watch) read() (*reading, error) {
	r := &reading{clock: readClock()}
	var err error
	if r.sockets, r.interrupted, r.incomplete, err = w.diag.readAll(tables, choice{states: allStates}); err != nil {
		return nil, fmt.Errorf("read the sockets: %w", err)
	}
	r.after = readClock().now
	if r.addresses, err = w.routes.addresses(); err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		r.incomplete = append(r.incomplete, "addresses: "+err.Error())
	}
	at := readClock().boot
	links, err := w.cfg.Links(0)
	r.links = err
	for _, f := range w.raw {
		r.raw = append(r.raw, readRaw(f)...)
	}
	if began := time.Now(); began.After(w.foreignAfter) {
		r.readForeign(w, links)
		r.foreignTook = time.Since(began)
		w.foreignAfter = began.Add(foreignShare * r.foreignTook)
	}
	r.holders = make(map[uint64][]int, len(r.sockets))
	for i := range r.sockets {
		if r.sockets[i].inode != 0 {
			r.holders[r.sockets[i].inode] = nil
		}
	}
	for i := range r.foreign {
		r.holders[r.foreign[i].inode] = nil
	}
	for i := range r.raw {
		r.holders[r.raw[i].inode] = nil
	}
	r.hold(&w.identity, links, at)
	return r, nil
}

// hold finds out which processes hold the sockets of r.holders, by links that were read
// after a time since boot.
func (r *reading) hold(d *identity, links []capture.Link, at time.Duration) {
	r.facts = make(map[int]facts)
	for _, l := range links {
		list, ok := r.holders[l.Inode]
		if !ok || slices.Contains(list, l.PID) {
			continue
		}
		if _, ok := r.facts[l.PID]; !ok {
			f, ok := d.read(l.PID, at)
			if !ok {
				continue // it is gone
			}
			r.facts[l.PID] = f
		}
		r.holders[l.Inode] = append(list, l.PID)
	}
	delete(r.holders, 0)
	for _, list := range r.holders {
		r.sort(list)
	}
}

// lacking says why the links of some processes are not there.
func lacking(err error) string {
	var hidden *HiddenError
	if errors.As(err, &hidden) && os.Geteuid() != 0 {
		return hidden.Error() + " (needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)"
	}
	return reason(err)
}

// foreignShare is the part of a core that the tables of other network namespaces may
// take: for each the kernel goes through the connections of all.
const foreignShare = 30

// readForeign reads the tables of the other network namespaces, each by the first of its
// processes that is still there.
func (r *reading) readForeign(w *Watch, links []capture.Link) {
	r.foreign = []foreignSocket{}
	namespaces := make(map[uint32][]int)
	for _, l := range links {
		if pids := namespaces[l.Netns]; l.Netns != 0 && l.Netns != w.ownInode && !slices.Contains(pids, l.PID) {
			namespaces[l.Netns] = append(pids, l.PID)
		}
	}
	for _, netns := range slices.Sorted(maps.Keys(namespaces)) {
		for _, pid := range namespaces[netns] {
			if r.readNamespace(w.cfg.Proc, netns, pid) {
				break
			}
		}
	}
}

// readNamespace reads the tables of the network namespace of a process.
func (r *reading) readNamespace(proc string, netns uint32, pid int) (ok bool) {
	dir := filepath.Join(proc, strconv.Itoa(pid), "net")
	for _, t := range procTables {
		sockets, err := readProcNet(filepath.Join(dir, t.name), t.protocol)
		if err != nil {
			continue
		}
		ok = true
		for _, s := range sockets {
			r.foreign = append(r.foreign, foreignSocket{s, netns})
		}
	}
	return ok
}

var procTables = []struct {
	name     string
	protocol uint8
}{{"tcp", unix.IPPROTO_TCP}, {"tcp6", unix.IPPROTO_TCP}, {"udp", unix.IPPROTO_UDP}, {"udp6", unix.IPPROTO_UDP}}

// sort puts the process first from which the others have the socket: one that is no
// other's child, and of those the eldest.
func (r *reading) sort(pids []int) {
	slices.SortFunc(pids, func(p, q int) int {
		return cmp.Or(
			cmp.Compare(r.descent(p, pids), r.descent(q, pids)),
			cmp.Compare(r.facts[p].began, r.facts[q].began),
			cmp.Compare(p, q),
		)
	})
}

func (r *reading) descent(pid int, among []int) int {
	if slices.Contains(among, r.facts[pid].parent) {
		return 1
	}
	return 0
}

// foreignMark tells numbers that stand for a socket or a namespace by its inode from the
// kernel's cookies.
const foreignMark = 1 << 63

// refresh reads the tables and enters them into the book.
func (w *Watch) refresh() (*reading, error) {
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	if w.diag == nil {
		return nil, os.ErrClosed
	}
	r, err := w.read()
	if err != nil {
		return nil, err
	}
	w.refreshes.Add(1)
	var foreign []netip.Addr
	if r.foreign == nil && w.local.Load() != nil {
		foreign = w.local.Load().foreign()
	}
	for i := range r.foreign {
		foreign = append(foreign, r.foreign[i].local.Addr())
	}
	w.local.Store(newAddresses(r.addresses, foreign))

	w.mu.Lock()
	fresh := w.drain()
	w.enterAll(r)
	w.mu.Unlock()
	w.resolve(fresh)
	return r, nil
}

// enterAll enters a reading into the book. w.mu is held.
func (w *Watch) enterAll(r *reading) {
	before := w.refreshed
	w.refreshed = r.clock.now
	w.hidden = ""
	if r.links != nil {
		w.hidden = lacking(r.links)
	}
	present := make(map[uint64]bool, len(r.sockets)+len(r.foreign))
	for i := range r.sockets {
		s := &r.sockets[i]
		present[s.cookie] = true
		if s.inode != 0 || s.state == stateListen {
			w.enter(r, s, s.cookie, w.own, w.ownInode, before)
		} else if known := w.book.byCookie[s.cookie]; known != nil && known.closed == 0 {
			known.seen = r.clock.now
		}
	}
	if r.foreign != nil {
		before, w.toured = w.toured, r.clock.now
	}
	for i := range r.foreign {
		f := &r.foreign[i]
		s := diagSocket{protocol: f.protocol, state: f.state, local: f.local, remote: f.remote, inode: f.inode}
		if s.inode == 0 {
			continue
		}
		cookie := foreignMark | s.inode
		present[cookie] = true
		w.enter(r, &s, cookie, foreignMark|uint64(f.netns), f.netns, before)
	}
	w.bury(r, present)
}

const beginOfTime = -endOfTime

// enter enters a socket that was not there at the time before.
func (w *Watch) enter(r *reading, s *diagSocket, cookie, netns uint64, inode uint32, before capture.Timestamp) {
	known := w.book.byCookie[cookie]
	switch {
	case known == nil:
		known = w.book.open(cookie, netns, r.after)
		known.from, known.seen = before, r.clock.now
		known.events = w.source != nil && w.source.tellsAll() && netns == w.own
	case known.closed != 0:
		return // since
	}
	if !known.named || !known.events {
		known = w.book.name(known, s.key(), r.clock.now)
	}
	known.seen = max(known.seen, r.clock.now)
	if known.netns == 0 {
		known.netns = netns
	}
	known.listen = known.listen || s.state == stateListen
	known.dual = known.dual || !s.only6
	if known.cgroup == 0 {
		known.cgroup = s.cgroup
	}
	if list := r.holders[s.inode]; known.holder == nil && len(list) > 0 {
		known.holder = w.images.holder(list[0], r.facts[list[0]], netns, inode, r.clock.boot)
	}
}

// bury closes what is not there any more where no event tells that, or where an event
// that tells it may have been lost. The end of a listening socket below one of MPTCP, as
// servers in Go have them, is told by none.
func (w *Watch) bury(r *reading, present map[uint64]bool) {
	var lost uint64
	if w.source != nil {
		lost = w.source.lost()
	}
	doubt := lost != w.lost
	w.lost = lost
	told := w.tellsAll && !doubt
	for cookie, known := range w.book.byCookie {
		switch {
		case known.closed != 0 || !known.named || present[cookie], told && !known.listen:
		case known.listen && known.events && known.netns == w.own && !r.interrupted[known.key.protocol] &&
			max(known.seen, known.found) < r.clock.now:
			w.book.close(known, r.clock.now)
		case known.events && !doubt, r.foreign == nil && cookie&foreignMark != 0:
		case known.netns != w.own && known.events:
			w.book.close(known, r.clock.now) // not among what was read
		case !r.interrupted[known.key.protocol] && known.seen < r.clock.now:
			w.book.close(known, known.seen)
		}
	}
}
