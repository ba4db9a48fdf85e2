package process

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// Owner tells who held local in a connection with remote from first to last; the zero
// value when that is not known. Of what happened before it is called all is known that
// ever will be, except what a reading of the tables tells, for which Appeared asks.
func (w *Watch) Owner(protocol uint8, local, remote netip.AddrPort, first, last capture.Timestamp) capture.Owner {
	if protocol != unix.IPPROTO_TCP && protocol != unix.IPPROTO_UDP {
		return capture.Owner{}
	}
	if here, _ := w.local.Load().has(local.Addr()); !here {
		return capture.Owner{} // cheaply, for the other end of every connection
	}
	w.mu.Lock()
	var fresh []*image
	if last > w.drained || !last.Known() { // else all that happened until then is known
		fresh = w.drain()
	}
	i, basis, cgroup := w.find(keyOf(protocol, local, remote), local.Addr(), first, last)
	w.mu.Unlock()
	w.resolve(fresh)
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
	_, isOurs := w.local.Load().has(local)
	switch {
	case r == nil && isOurs:
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
