package process

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// addresses are those of this host. It is never changed, so that everybody may look.
type addresses struct {
	slots []address    // a power of two, at most half of them full
	list  []netip.Addr // of other network namespaces
}

// An address is one of this host.
type address struct {
	high, low uint64 // IPv4 as IPv4-mapped
	here      bool   // else the slot is empty
	ours      bool   // of our network namespace, not of another here
}

func newAddresses(ours, foreign []netip.Addr) *addresses {
	a := &addresses{}
	size := 16
	for size < 2*(len(ours)+len(foreign)) {
		size *= 2
	}
	a.slots = make([]address, size)
	for i, list := range [][]netip.Addr{ours, foreign} {
		for _, addr := range list {
			addr = plain(addr)
			if addr.IsLoopback() || addr.IsUnspecified() { // has knows the former, the latter is none
				continue
			}
			if s := a.slot(words(addr.As16())); !s.here {
				s.high, s.low = words(addr.As16())
				s.here, s.ours = true, i == 0
				if i > 0 {
					a.list = append(a.list, addr)
				}
			}
		}
	}
	return a
}

// slot is where an address stands, or would.
func (a *addresses) slot(high, low uint64) *address {
	for i := (high ^ low) * 0x9e3779b97f4a7c15 >> 32; ; i++ {
		s := &a.slots[i&uint64(len(a.slots)-1)]
		if !s.here || s.high == high && s.low == low {
			return s
		}
	}
}

// words is an address as two numbers.
func words(b [16]byte) (high, low uint64) {
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

// plain is an address without a zone, and without the IPv6 around one of IPv4.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// has reports whether a, with IPv4 as IPv4-mapped, is an address here; isOurs, of our
// network namespace.
func (a *addresses) has(address [16]byte) (here, isOurs bool) {
	high, low := words(address)
	const mapped = 0xffff << 32
	if high == 0 && (low>>24 == mapped>>24|127 || low == 1) {
		return true, true // loopback
	}
	s := a.slot(high, low)
	return s.here, s.ours
}

// foreign lists those of other network namespaces.
func (a *addresses) foreign() []netip.Addr { return a.list }

// readAddresses finds out whether our addresses have changed.
func (w *Watch) readAddresses() {
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	if w.routes == nil {
		return
	}
	if ours, err := w.routes.addresses(); err == nil {
		w.local.Store(newAddresses(ours, w.local.Load().foreign()))
	}
}

// routes asks the kernel for the addresses of the interfaces of the network namespace in
// which it was opened.
type routes struct{ handle *nl.SocketHandle }

func openRoutes() (*routes, error) {
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	_ = socket.SetReceiveTimeout(&unix.Timeval{Sec: 10})
	return &routes{&nl.SocketHandle{Socket: socket}}, nil
}

func (r *routes) close() { r.handle.Close() }

// addresses lists them in order. What is there when the dump is interrupted is returned
// with the error.
func (r *routes) addresses() ([]netip.Addr, error) {
	message := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	message.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: r.handle}
	message.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	var list []netip.Addr
	err := message.ExecuteIter(unix.NETLINK_ROUTE, unix.RTM_NEWADDR, func(b []byte) bool {
		if len(b) < unix.SizeofIfAddrmsg {
			return true
		}
		attributes, err := nl.ParseRouteAttr(b[unix.SizeofIfAddrmsg:])
		if err != nil {
			return true
		}
		var own netip.Addr // IFA_ADDRESS is the peer's where the two differ
		for _, a := range attributes {
			switch a.Attr.Type {
			case unix.IFA_LOCAL:
				own, _ = netip.AddrFromSlice(a.Value)
			case unix.IFA_ADDRESS:
				if !own.IsValid() {
					own, _ = netip.AddrFromSlice(a.Value)
				}
			}
		}
		if own.IsValid() {
			list = append(list, own)
		}
		return true
	})
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list), err
}
