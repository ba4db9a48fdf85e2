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
	k := keyOf(protocol, local, remote)
	return w.ends(k, [2]bool{true, false}, first, last)[0]
}

// Owners is Owner of both ends of a connection between a and b, of which often none is here.
func (w *Watch) Owners(protocol uint8, a, b netip.AddrPort, first, last capture.Timestamp) [2]capture.Owner {
	return w.ends(keyOf(protocol, a, b), [2]bool{true, true}, first, last)
}

// ends is Owner of the ends of k that are wanted.
func (w *Watch) ends(k key, wanted [2]bool, first, last capture.Timestamp) (owners [2]capture.Owner) {
	if k.protocol != unix.IPPROTO_TCP && k.protocol != unix.IPPROTO_UDP {
		return owners
	}
	var ours [2]bool
	local := w.local.Load()
	for i, address := range [2][16]byte{k.local, k.remote} {
		if wanted[i] {
			wanted[i], ours[i] = local.has(address)
		}
	}
	if wanted == [2]bool{} {
		return owners // cheaply, for most that are not this host's
	}
	var found [2]answer
	var fresh []*image
	w.mu.Lock()
	if last > w.drained || !last.Known() { // else all that happened until then is known
		fresh = w.drain()
	}
	for i := range found {
		if wanted[i] {
			found[i] = w.find(k, ours[i], first, last)
		}
		k.local, k.remote, k.localPort, k.remotePort = k.remote, k.local, k.remotePort, k.localPort
	}
	w.mu.Unlock()
	w.resolve(fresh)
	for i := range found {
		owners[i] = w.owner(&found[i])
	}
	return owners
}

// Listens tells which ends of a TCP connection between a and b, whose last packet came at a
// time, are those of sockets of this host that wait for others to connect: as far as events
// and tables told until now, for this reads neither.
func (w *Watch) Listens(a, b netip.AddrPort, last capture.Timestamp) (listens [2]bool) {
	k := keyOf(unix.IPPROTO_TCP, a, b)
	local := w.local.Load()
	for i := range listens {
		if there, ours := local.has(k.local); there {
			w.mu.Lock()
			netns := w.own
			if r := w.book.find(k, last, last); r != nil {
				netns, ours = r.netns, true
			}
			listens[i] = ours && w.book.listens(k, netns, last)
			w.mu.Unlock()
		}
		k.local, k.remote, k.localPort, k.remotePort = k.remote, k.local, k.remotePort, k.localPort
	}
	return listens
}

// An answer is what the book has of an end of a connection.
type answer struct {
	image   *image // nil when the process is not known
	basis   capture.Basis
	cgroup  uint64 // of the socket, when nothing else is known; 0 when that is not
	unnamed bool   // there is a socket of which the tables may tell more
}

// owner is the answer for those who want to read it.
func (w *Watch) owner(a *answer) capture.Owner {
	switch {
	case a.image != nil:
		return capture.Owner{Process: w.identity.resolve(a.image), Basis: a.basis}
	case a.cgroup != 0:
		if p := w.groups.process(a.cgroup); p != nil {
			return capture.Owner{Process: p, Basis: capture.BasisCgroup}
		}
	}
	return capture.Owner{}
}

// find is what the book has of k's local end, which is an address of this network namespace
// if isOurs. w.mu is held.
func (w *Watch) find(k key, isOurs bool, first, last capture.Timestamp) answer {
	r := w.book.find(k, first, last)
	if r != nil {
		if i := r.process(); i != nil {
			return answer{image: i, basis: capture.BasisExact}
		}
	}
	var at *record
	switch {
	case r == nil && isOurs:
		at = w.book.waiting(k, w.own, false, first, last)
	case r != nil && k.protocol == unix.IPPROTO_TCP:
		at = w.book.waiting(k, r.netns, true, r.found, r.found)
	}
	if at != nil {
		if i := at.process(); i != nil && k.protocol == unix.IPPROTO_UDP {
			return answer{image: i, basis: capture.BasisExact}
		} else if i != nil && at.listen {
			if r != nil && r.closer != nil && r.closer.pid == i.pid {
				return answer{image: r.closer, basis: capture.BasisExact}
			}
			return answer{image: i, basis: capture.BasisListener, unnamed: r != nil}
		}
	}
	switch {
	case r != nil:
		return answer{cgroup: r.cgroup, unnamed: true}
	case at != nil:
		return answer{cgroup: at.cgroup, unnamed: true}
	}
	return answer{}
}
