package main

import (
	"cmp"
	"net/netip"
	"slices"

	"sockscope/capture"
)

// A socketTree arranges a host's sockets as one thinks of them: a process, its ports, and at
// each port the sockets.
type socketTree struct {
	host    *capture.Host
	holders []*holder // by namespace, this one first; in each processes by name and PID, then the others
}

// A holding says who has a socket.
type holding uint8

const (
	byProcess holding = iota
	byKernel          // no process any more, or not yet
	byHidden          // a process that may not be looked into
	byNobody          // none that can be seen: the kernel's own, or one in a container around this one
)

// String is the word of the JSON document.
func (h holding) String() string { return [...]string{"process", "kernel", "hidden", "unknown"}[h] }

// A holder is a process with sockets, or stands for those that no process is known for.
type holder struct {
	holding
	netns   uint32
	process *capture.Process   // byProcess only
	sharing []*capture.Process // that have its waiting sockets, too; by PID
	doors   []*door            // by type, the waiting ones first, protocol and number
}

// A doorKey names a port of a holder.
type doorKey struct {
	holder   *holder
	kind     capture.SocketType
	protocol uint8
	number   uint16
}

// A door is a port of a holder with all sockets at it. A raw socket has no port: its protocol
// has the same part. A packet socket has what it receives: the EtherType.
type door struct {
	doorKey
	waiting   int // sockets that take whoever comes: they have no peer
	connected int
	unused    int               // stream sockets that were bound and do neither
	lent      bool              // by this host's range, it was the kernel that chose the number
	sockets   []*capture.Socket // the waiting ones first, then by peer
}

// waits reports whether s has no peer, and so takes whoever comes.
func waits(s *capture.Socket) bool {
	return s.State == "LISTEN" || s.Type != capture.Stream && !s.Remote.IsValid()
}

// count counts d's sockets.
func (d *door) count() {
	d.waiting, d.connected, d.unused = 0, 0, 0
	for _, s := range d.sockets {
		switch {
		case waits(s):
			d.waiting++
		case s.Remote.IsValid():
			d.connected++
		default:
			d.unused++
		}
	}
}

// holdingOf says who has s.
func holdingOf(h *capture.Host, s *capture.Socket) holding {
	switch {
	case len(s.Owners) > 0:
		return byProcess
	case s.Inode == 0:
		return byKernel
	case h.Hidden != "":
		return byHidden
	}
	return byNobody
}

// A place is where sockets wait: several may, at different addresses.
type place struct {
	netns    uint32
	protocol uint8
	port     uint16
}

// newSocketTree arranges the sockets of h.
func newSocketTree(h *capture.Host) *socketTree {
	b := &treeBuilder{host: h, holders: make(map[holderKey]*holder), doors: make(map[doorKey]*door), listeners: make(map[place][]*listener)}
	for i := range h.Sockets {
		if s := &h.Sockets[i]; waits(s) {
			d := b.door(b.holder(s), s)
			if s.Type <= capture.Datagram {
				at := place{s.Netns, s.Protocol, s.Local.Port()}
				b.listeners[at] = append(b.listeners[at], &listener{s, d})
			}
			d.sockets = append(d.sockets, s)
			d.holder.share(s)
		}
	}
	for i := range h.Sockets {
		if s := &h.Sockets[i]; !waits(s) {
			var d *door
			if l := b.listenerOf(s); l != nil {
				d = l.door
			} else {
				d = b.door(b.holder(s), s)
			}
			d.sockets = append(d.sockets, s)
		}
	}
	return b.finish()
}

type treeBuilder struct {
	host      *capture.Host
	holders   map[holderKey]*holder
	doors     map[doorKey]*door
	listeners map[place][]*listener
}

type holderKey struct {
	holding
	netns uint32
	pid   int
}

// A listener is a socket that waits, and its door.
type listener struct {
	*capture.Socket
	door *door
}

// holder is who has s: of several processes the one that the others have it from.
func (b *treeBuilder) holder(s *capture.Socket) *holder {
	key := holderKey{holdingOf(b.host, s), s.Netns, 0}
	var p *capture.Process
	if key.holding == byProcess {
		p = s.Owners[0].Process
		key.pid = p.PID
	}
	h := b.holders[key]
	if h == nil {
		h = &holder{holding: key.holding, netns: s.Netns, process: p}
		b.holders[key] = h
	}
	return h
}

// share adds the other processes that have s.
func (h *holder) share(s *capture.Socket) {
	for _, o := range s.Owners[min(1, len(s.Owners)):] {
		if !slices.ContainsFunc(h.sharing, func(p *capture.Process) bool { return p.PID == o.PID }) {
			h.sharing = append(h.sharing, o.Process)
		}
	}
}

// door is the port of h that s is at.
func (b *treeBuilder) door(h *holder, s *capture.Socket) *door {
	key := doorKey{h, s.Type, s.Protocol, s.Local.Port()}
	switch s.Type {
	case capture.RawSocket:
		key.number = uint16(s.Protocol)
	case capture.Packet:
		key.number = s.EtherType
	}
	d := b.doors[key]
	if d == nil {
		d = &door{doorKey: key}
		b.doors[key] = d
		h.doors = append(h.doors, d)
	}
	return d
}

// listenerOf is the waiting socket whose port s shares, nil when there is none: the one at
// the very address of s rather than one at all addresses, and of several the same process's.
func (b *treeBuilder) listenerOf(s *capture.Socket) *listener {
	var best *listener
	most := 0
	for _, l := range b.listeners[place{s.Netns, s.Protocol, s.Local.Port()}] {
		if l.Type != s.Type {
			continue
		}
		score := 0
		switch a := l.Local.Addr(); {
		case a == s.Local.Addr():
			score = 4
		case a.IsUnspecified() && takesAll(l.Socket, s.Local.Addr()):
			score = 2
		default:
			continue
		}
		if slices.ContainsFunc(l.Owners, func(o capture.Owner) bool { return hasOwner(s, o.PID) }) {
			score++
		}
		if score > most {
			best, most = l, score
		}
	}
	return best
}

// takesAll reports whether a socket bound to no address takes what is for a.
func takesAll(s *capture.Socket, a netip.Addr) bool {
	return a.Is6() && s.IPv6 || a.Is4() && !s.Only6
}

func hasOwner(s *capture.Socket, pid int) bool {
	return slices.ContainsFunc(s.Owners, func(o capture.Owner) bool { return o.PID == pid })
}

// finish puts all in a total order.
func (b *treeBuilder) finish() *socketTree {
	t := &socketTree{host: b.host}
	for _, h := range b.holders {
		if len(h.doors) > 0 {
			t.holders = append(t.holders, h)
		}
		slices.SortFunc(h.sharing, func(p, q *capture.Process) int { return cmp.Compare(p.PID, q.PID) })
		for _, d := range h.doors {
			d.count()
			// The range is this namespace's; others may have one of their own.
			d.lent = d.kind <= capture.Datagram && d.connected == len(d.sockets) && d.protocol != protoICMP && d.protocol != protoICMPv6 && h.netns == 0 &&
				b.host.EphemeralLow <= d.number && d.number <= b.host.EphemeralHigh
			slices.SortStableFunc(d.sockets, func(a, b *capture.Socket) int { // from a total order
				return cmp.Or(-compareBool(waits(a), waits(b)), a.Remote.Compare(b.Remote))
			})
		}
		slices.SortFunc(h.doors, func(d, e *door) int {
			return cmp.Or(
				cmp.Compare(d.kind, e.kind),
				-compareBool(d.waiting > 0, e.waiting > 0),
				cmp.Compare(d.protocol, e.protocol),
				cmp.Compare(d.number, e.number),
			)
		})
	}
	slices.SortFunc(t.holders, func(g, h *holder) int {
		c := cmp.Or(cmp.Compare(g.netns, h.netns), cmp.Compare(g.holding, h.holding))
		if c == 0 && g.process != nil {
			c = cmp.Or(cmp.Compare(g.process.Name, h.process.Name), cmp.Compare(g.process.PID, h.process.PID))
		}
		return c
	})
	return t
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// choose leaves only the sockets that keep is true for, and what holds them.
func (t *socketTree) choose(keep func(*holder, *capture.Socket) bool) {
	t.holders = slices.DeleteFunc(t.holders, func(h *holder) bool {
		h.doors = slices.DeleteFunc(h.doors, func(d *door) bool {
			d.sockets = slices.DeleteFunc(d.sockets, func(s *capture.Socket) bool { return !keep(h, s) })
			d.count()
			return len(d.sockets) == 0
		})
		return len(h.doors) == 0
	})
}

// sockets is how many there are.
func (t *socketTree) sockets() (n int) {
	for _, h := range t.holders {
		for _, d := range h.doors {
			n += len(d.sockets)
		}
	}
	return n
}
