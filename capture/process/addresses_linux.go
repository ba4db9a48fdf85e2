package process

import (
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// addresses are those of this host. It is never changed, so that everybody may look.
type addresses struct {
	last [256]bool           // the last bytes of all: most addresses of others fail here
	ours map[netip.Addr]bool // false: not of our network namespace, but of another here
}

func newAddresses(ours, foreign []netip.Addr) *addresses {
	a := &addresses{ours: make(map[netip.Addr]bool)}
	for _, f := range foreign {
		a.ours[plain(f)] = false
	}
	for _, o := range ours {
		a.ours[plain(o)] = true
	}
	for address := range a.ours {
		if address.IsLoopback() || address.IsUnspecified() {
			delete(a.ours, address) // has knows the former, the latter is none
			continue
		}
		a.last[address.As16()[15]] = true
	}
	return a
}

// plain is an address without a zone, and without the IPv6 around one of IPv4.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// has reports whether a is an address here; isOurs, of our network namespace.
func (a *addresses) has(address netip.Addr) (here, isOurs bool) {
	if address.IsLoopback() {
		return true, true
	}
	if !a.last[address.As16()[15]] {
		return false, false
	}
	isOurs, here = a.ours[plain(address)]
	return here, isOurs
}

// foreign lists those of other network namespaces.
func (a *addresses) foreign() (list []netip.Addr) {
	for address, isOurs := range a.ours {
		if !isOurs {
			list = append(list, address)
		}
	}
	return list
}

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
