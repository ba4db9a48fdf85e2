package lab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// patience is how long a call may wait: longer than all that a lab waits for.
const patience = 8 * time.Second

// An experiment is a lab while it runs.
type experiment struct {
	ctx            context.Context
	network        *network
	tap            *tap
	client, server *end
	began          time.Time // when its first call was made, or could be

	mu     sync.Mutex
	calls  []*Call
	tables []Table
}

// Run runs a lab with real sockets: errors.Is(err, os.ErrPermission) when the system does
// not allow it. When ctx is done it ends early, with ctx's error.
func Run(ctx context.Context, name string) (*Record, error) {
	steps, ok := scenarios[name]
	if !ok {
		return nil, &NameError{name}
	}
	n, err := newNetwork()
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	defer n.close()
	x := &experiment{ctx: ctx, network: n, began: time.Now()}
	if x.tap, err = newTap(n.client.space); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	x.client, x.server = &end{x: x, name: Client, host: n.client}, &end{x: x, name: Server, host: n.server}
	steps(x)
	x.pause(settled)
	frames, err := x.tap.close() // before the sockets are closed, which is not part of the lab
	x.client.closeAll()
	x.server.closeAll()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	r := &Record{Name: name, Frames: frames, Tables: x.tables}
	for _, c := range x.calls {
		r.Calls = append(r.Calls, *c)
	}
	return r, nil
}

// now is the time by the clock of frames.
func now() capture.Timestamp { return capture.Timestamp(time.Now().UnixNano()) }

// begin records a call that is about to be made.
func (x *experiment) begin(c Call) *Call {
	c.Done = capture.Unknown
	x.mu.Lock()
	defer x.mu.Unlock()
	c.Begin = now()
	x.calls = append(x.calls, &c)
	return &c
}

// pause waits, not longer than the lab goes on.
func (x *experiment) pause(d time.Duration) {
	select {
	case <-x.ctx.Done():
	case <-time.After(d):
	}
}

// until waits until the frames that have been seen are as seen wants them.
func (x *experiment) until(seen func([]capture.Frame) bool) {
	for end := time.Now().Add(patience); !x.tap.have(seen) && x.ctx.Err() == nil && time.Now().Before(end); {
		x.pause(time.Millisecond)
	}
	x.pause(settled)
}

// more is for until: n more frames than there are now.
func (x *experiment) more(n int) func([]capture.Frame) bool {
	var now int
	x.tap.have(func(frames []capture.Frame) bool { now = len(frames); return true })
	return func(frames []capture.Frame) bool { return len(frames) >= now+n }
}

// lose makes the network lose what the client sends from now on, though it is sent: the
// frames are for another hardware address than the server's.
func (x *experiment) lose() { x.wire("lose", nobodyHardware) }

// deliver undoes lose.
func (x *experiment) deliver() { x.wire("deliver", serverHardware) }

func (x *experiment) wire(what string, hardware net.HardwareAddr) {
	x.network.client.kernel.do(func() {
		c := x.begin(Call{End: Network, Name: what})
		link, err := netlink.LinkByName(Client)
		if err == nil {
			err = setNeighbour(link.Attrs().Index, serverAddress, hardware)
		}
		if err != nil {
			c.Result = err.Error()
		}
		c.Done = now()
	})
}

// hold makes that frames from one end to the other wait, until what it returns is called:
// the neighbour is not known, and does not answer when it is asked.
func (e *end) hold() (release func()) {
	x, to, hardware := e.x, serverAddress, serverHardware
	other := x.server
	if e == x.server {
		to, hardware, other = clientAddress, clientHardware, x.client
	}
	other.kernel.do(func() { writeSetting("ipv4/conf/all/arp_ignore", "8") })
	change := func(f func(*netlink.Neigh) error, n netlink.Neigh) {
		e.kernel.do(func() {
			if link, err := netlink.LinkByName(e.name); err == nil {
				n.LinkIndex, n.Family, n.IP = link.Attrs().Index, unix.AF_INET, to.AsSlice()
				_ = f(&n)
			}
		})
	}
	change(netlink.NeighDel, netlink.Neigh{})
	return func() {
		change(netlink.NeighSet, netlink.Neigh{State: netlink.NUD_PERMANENT, HardwareAddr: hardware})
	}
}

// table records which sockets an end has now.
func (x *experiment) table(e *end) {
	x.pause(settled)
	e.kernel.do(func() {
		t := Table{End: e.name, Time: now(), Sockets: readSockets()}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.tables = append(x.tables, t)
	})
	x.pause(settled)
}

// An end is one of the two hosts, with a program that makes one call after the other.
type end struct {
	x    *experiment
	name string
	*host
	started chan struct{} // closed when the next call is made; nil: nobody waits for that
	sockets []int         // that are open
}

// later makes a call that waits, and gives what waits for it: meanwhile the other end goes
// on.
func (e *end) later(call func()) (wait func()) {
	done, started := make(chan struct{}), make(chan struct{})
	e.started = started
	e.program.jobs <- func() { defer close(done); call() }
	select {
	case <-started:
	case <-done:
	}
	e.x.pause(settled)
	return func() { <-done; e.x.pause(settled) }
}

// now makes a call and waits until what it causes is over.
func (e *end) now(call func()) {
	e.program.do(call)
	e.x.pause(settled)
}

// record makes a call on the end's own thread: f gives its result, and the text of the
// arguments through which it gave something.
func (e *end) record(c Call, f func() (result, text string)) {
	c.End = e.name
	c.Text = c.Asked
	r := e.x.begin(c)
	if e.started != nil {
		close(e.started)
		e.started = nil
	}
	if e.x.ctx.Err() != nil {
		return
	}
	result, text := f()
	done := now()
	e.x.mu.Lock()
	defer e.x.mu.Unlock()
	r.Result, r.Done = result, done
	if text != "" {
		r.Text = text
	}
}

// patiently calls f again as long as all that it says is that it has waited.
func (e *end) patiently(f func() error) error {
	for end := time.Now().Add(patience); ; {
		err := f()
		switch err {
		case unix.EINTR, unix.EAGAIN, unix.EINPROGRESS, unix.EALREADY:
			if e.x.ctx.Err() == nil && time.Now().Before(end) {
				continue
			}
		}
		return err
	}
}

// outcome is the result of a call in strace's words.
func outcome(n int, err error) string {
	if errno, ok := err.(unix.Errno); ok {
		return fmt.Sprintf("-1 %s (%s)", unix.ErrnoName(errno), errno.Error())
	}
	if err != nil {
		return "-1 " + err.Error()
	}
	return fmt.Sprint(n)
}

// closeAll closes what the lab has left open.
func (e *end) closeAll() {
	for _, fd := range e.sockets {
		_ = unix.Close(fd)
	}
	e.sockets = nil
}

// opened remembers a socket and bounds how long its calls wait without looking whether the
// lab goes on; see patiently.
func (e *end) opened(fd int) {
	e.sockets = append(e.sockets, fd)
	wait := unix.NsecToTimeval(int64(50 * time.Millisecond))
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait)
}

func (e *end) forget(fd int) {
	e.sockets = slices.DeleteFunc(e.sockets, func(s int) bool { return s == fd })
}

// sockaddr is an address as the kernel takes it.
func sockaddr(a netip.AddrPort) unix.Sockaddr {
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

// addrPort is an address as the kernel gives it.
func addrPort(s unix.Sockaddr) netip.AddrPort {
	if a, ok := s.(*unix.SockaddrInet4); ok {
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}
