package process

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"sockscope/capture"
)

// Host tells what the kernel says of the sockets of our network namespace now.
func (w *Watch) Host() (*capture.Host, error) {
	r, err := w.refresh()
	if err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	h := &capture.Host{Addresses: r.addresses, Incomplete: r.incomplete}
	if r.links != nil {
		h.Hidden = lacking(r.links)
	}
	if h.EphemeralLow, h.EphemeralHigh, err = EphemeralRange(w.cfg.Proc); err != nil {
		h.Incomplete = append(h.Incomplete, err.Error())
	}
	overflows, drops := w.listenCounters()
	h.ListenOverflows, h.ListenDrops = overflows-min(overflows, w.overflow[0]), drops-min(drops, w.overflow[1])
	for i := range r.sockets {
		s := r.sockets[i].socket()
		s.Owners = w.owners(r, s.Inode, r.sockets[i].cookie)
		if len(s.Owners) == 0 {
			s.Unavailable = r.unavailable(s.Inode)
		}
		h.Sockets = append(h.Sockets, s)
	}
	for i := range r.raw {
		raw := &r.raw[i]
		s := capture.Socket{
			Type: capture.RawSocket, Protocol: raw.protocol, IPv6: raw.local.Addr().Is6(), Local: raw.local, Remote: raw.remote, State: "RAW", HasUID: true, UID: raw.uid, Inode: raw.inode,
			Owners: w.owners(r, raw.inode, 0), ReceiveQueue: raw.receive, SendQueue: raw.send,
		}
		if len(s.Owners) == 0 {
			s.Unavailable = r.unavailable(s.Inode)
		}
		h.Sockets = append(h.Sockets, s)
	}
	slices.SortFunc(h.Sockets, func(a, b capture.Socket) int {
		return cmp.Or(
			cmp.Compare(a.Protocol, b.Protocol),
			a.Local.Compare(b.Local),
			a.Remote.Compare(b.Remote),
			cmp.Compare(a.Inode, b.Inode),
		)
	})
	return h, nil
}

func (r *reading) unavailable(inode uint64) string {
	switch {
	case inode == 0:
		return "no process holds it: any more, or before accept()"
	case r.links != nil:
		return unavailable(r.links)
	}
	return unavailable(nil)
}

// owners are the processes that have a socket open; or the one that is known to have
// made it, when no link could be read.
func (w *Watch) owners(r *reading, inode, cookie uint64) []capture.Owner {
	w.mu.Lock()
	var held []*image
	for _, pid := range r.holders[inode] {
		held = append(held, w.images.holder(pid, r.facts[pid], w.own, w.ownInode, r.clock.boot))
	}
	if len(held) == 0 && inode != 0 && r.links != nil {
		if known := w.book.byCookie[cookie]; known != nil && known.process() != nil {
			held = append(held, known.process())
		}
	}
	w.mu.Unlock()
	var owners []capture.Owner
	for _, i := range held {
		owners = append(owners, capture.Owner{Process: w.identity.resolve(i), Basis: capture.BasisExact})
	}
	return owners
}

// listenCounters reads how many connections listeners of our namespace turned away.
func (w *Watch) listenCounters() (overflows, drops uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
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
