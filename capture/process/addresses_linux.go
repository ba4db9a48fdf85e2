package process

import (
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

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
