package process

import (
	"bytes"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sockscope/capture"
)

// An image is a process as it was when it acted on a socket: PID and the time of its
// beginning name a process; with its name they name the program that it ran.
type image struct {
	pid   int
	user  bool // uid is known
	uid   uint32
	name  string        // of the thread that acted; "" when it is not known
	main  bool          // that thread was the process's first, whose name is the process's
	netns uint64        // cookie of the namespace of its sockets
	inode uint32        // of that namespace; 0 when not known
	first time.Duration // since boot: when it was first known to live
	at    time.Duration // since boot: when it was last known to live
	ended time.Duration // since boot; 0 while it lives

	once    sync.Once
	process *capture.Process
}

// An identity reads who processes are. What it reads needs no capability.
type identity struct {
	proc  string
	links func(pid int) ([]capture.Link, error)

	mu    sync.Mutex
	names map[uint32]string // of users
}

// tick is the unit of a process's beginning in /proc/PID/stat.
const tick = 10 * time.Millisecond

// resolve reads what /proc says of the process, once. When it is gone, or another has
// got its number, what the kernel told with the socket stays.
func (d *identity) resolve(i *image) *capture.Process {
	i.once.Do(func() {
		p := &capture.Process{PID: i.pid, Name: i.name, HasUID: i.user, UID: i.uid, Netns: i.inode}
		defer func() {
			if p.HasUID {
				p.User = d.user(p.UID)
			}
			i.process = p
		}()
		began, ok := d.began(i.pid)
		if !ok || began > i.first {
			return
		}
		name := d.comm(i.pid)
		command := d.command(i.pid)
		content, _ := os.ReadFile(d.path(i.pid, "cgroup"))
		uid, hasUID := d.effective(i.pid)
		netns := i.inode
		if netns == 0 {
			netns = d.netns(i.pid)
		}
		if again, ok := d.began(i.pid); !ok || again != began {
			return // not all of this was of the same process
		}
		p.Unit, p.Container = cgroupNames(string(content))
		p.Netns = netns
		if hasUID {
			p.HasUID, p.UID = true, uid
		}
		if !i.main {
			p.Name = name
		}
		if p.Name == name { // else it runs another program by now
			p.Command = command
		}
	})
	return i.process
}

func (d *identity) path(pid int, name string) string {
	return filepath.Join(d.proc, strconv.Itoa(pid), name)
}

// began is when the process began, since boot, at most a tick too early.
func (d *identity) began(pid int) (time.Duration, bool) {
	began, _, ok := d.stat(pid)
	return began, ok
}

// isKernels reports whether a thread is one of the kernel's own.
func (d *identity) isKernels(pid int) bool {
	b, _ := os.ReadFile(d.path(pid, "stat"))
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	const flags, kthread = 9 - 3, 0x200000 // PF_KTHREAD
	return len(fields) > flags && number(fields[flags])&kthread != 0
}

// stat also tells its parent.
func (d *identity) stat(pid int) (began time.Duration, parent int, ok bool) {
	b, err := os.ReadFile(d.path(pid, "stat"))
	if err != nil {
		return 0, 0, false
	}
	// The name in parentheses may hold anything, parentheses too.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	const ppid, start = 4 - 3, 22 - 3 // the state is the third field
	if len(fields) <= start {
		return 0, 0, false
	}
	parent, _ = strconv.Atoi(string(fields[ppid]))
	ticks, err := strconv.ParseUint(string(fields[start]), 10, 53)
	return time.Duration(ticks) * tick, parent, err == nil
}

// comm is the name of a process; "" when it has ended.
func (d *identity) comm(pid int) string {
	b, err := os.ReadFile(d.path(pid, "comm"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b), "\n")
}

// netns is the network namespace of a process; 0 when it cannot be read.
func (d *identity) netns(pid int) uint32 {
	if target, err := os.Readlink(d.path(pid, "ns/net")); err == nil {
		inode, _ := linkInode([]byte(target), "net:[", 32)
		return uint32(inode)
	}
	if links, _ := d.links(pid); len(links) > 0 {
		return links[0].Netns
	}
	return 0
}

// command is the arguments of a process, with spaces between them.
func (d *identity) command(pid int) string {
	const most = 4096
	f, err := os.Open(d.path(pid, "cmdline"))
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, most)
	n, _ := f.Read(b)
	return strings.ReplaceAll(strings.TrimRight(string(b[:n]), "\x00"), "\x00", " ")
}

// effective is the user with whose rights a process runs.
func (d *identity) effective(pid int) (uint32, bool) {
	b, err := os.ReadFile(d.path(pid, "status"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if numbers, ok := strings.CutPrefix(line, "Uid:"); ok {
			if f := strings.Fields(numbers); len(f) > 1 {
				uid, err := strconv.ParseUint(f[1], 10, 32)
				return uint32(uid), err == nil
			}
		}
	}
	return 0, false
}

// user is the name of a user; "" when it has none.
func (d *identity) user(uid uint32) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	name, ok := d.names[uid]
	if !ok {
		if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
			name = u.Username
		}
		if d.names == nil {
			d.names = make(map[uint32]string)
		}
		d.names[uid] = name
	}
	return name
}

// images are the processes seen, by PID.
type images struct {
	identity *identity
	own      uint64 // cookie of our network namespace
	ownInode uint32
	told     bool // the kernel tells when processes end
	byPID    map[int][]*image
	limit    int // of byPID before it is swept
}

// certain is how long a PID cannot have been given to another process, if the kernel
// does not tell of ends: all the others are given out first.
const certain = 250 * time.Millisecond

// actor is the image of the process that e tells of.
func (m *images) actor(e *event) (i *image, fresh bool) {
	list := m.byPID[e.pid]
	for _, i := range list {
		if i.netns != e.netns || e.user && i.user && i.uid != e.uid {
			continue
		}
		// A process closes its last sockets after it is said to end.
		if i.ended != 0 && (e.kind != eventRelease || e.time-i.ended > certain) {
			continue
		}
		if e.thread == e.pid && e.name != "" && i.name != e.name {
			continue
		}
		if !m.told && e.time-i.at > certain {
			if began, ok := m.identity.began(i.pid); !ok || began > i.at {
				continue
			}
		}
		i.at = max(i.at, e.time)
		return i, false
	}
	i = &image{pid: e.pid, user: e.user, uid: e.uid, name: e.name, main: e.thread == e.pid && e.name != "", netns: e.netns, first: e.time, at: e.time}
	m.add(i)
	return i, true
}

// facts are what /proc says of a process at one moment.
type facts struct {
	began  time.Duration
	parent int
	name   string
	uid    uint32
}

// read reads the facts of a process that lived at a time; false when it is gone, or
// another has its number.
func (d *identity) read(pid int, at time.Duration) (f facts, ok bool) {
	if f.began, f.parent, ok = d.stat(pid); !ok || f.began > at {
		return f, false
	}
	f.name = d.comm(pid)
	f.uid, ok = d.effective(pid)
	again, alive := d.began(pid)
	return f, ok && alive && again == f.began
}

// holder is the image of a process that lived at a time, of which f was read.
func (m *images) holder(pid int, f facts, netns uint64, inode uint32, at time.Duration) *image {
	for _, i := range m.byPID[pid] {
		if i.netns == netns && i.inode == inode && i.ended == 0 && i.first >= f.began && i.name == f.name {
			i.at = max(i.at, at)
			return i
		}
	}
	i := &image{pid: pid, user: true, uid: f.uid, name: f.name, main: true, netns: netns, inode: inode, first: at, at: at}
	m.add(i)
	return i
}

func (m *images) add(i *image) {
	const most = 8 // of one process: in several namespaces, with several names
	if i.netns == m.own && i.inode == 0 {
		i.inode = m.ownInode
	}
	list := slices.DeleteFunc(m.byPID[i.pid], func(i *image) bool { return i.ended != 0 })
	if len(list) == most {
		list = slices.Delete(list, 0, 1)
	}
	m.byPID[i.pid] = append(list, i)
}

// end marks the images of a process that ended.
func (m *images) end(pid int, at time.Duration) {
	for _, i := range m.byPID[pid] {
		i.ended = at
	}
}

// sweep forgets processes that are gone. Sockets keep their own images.
func (m *images) sweep() {
	if len(m.byPID) < max(m.limit, 1024) {
		return
	}
	for pid, list := range m.byPID {
		if began, ok := m.identity.began(pid); !ok || began > list[len(list)-1].at {
			delete(m.byPID, pid)
		}
	}
	m.limit = 2 * len(m.byPID)
}
