package ring

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
)

// attempts bounds how often an interrupted dump is read again. A dump is
// interrupted when an interface or address changes meanwhile, which is over in
// microseconds except on a host that starts containers all the time.
const attempts = 5

func interfaces() ([]Interface, error) {
	links, linkErr := dump(netlink.LinkList)
	if linkErr != nil && !errors.Is(linkErr, ErrIncomplete) {
		return nil, fmt.Errorf("ring: list interfaces: %w", linkErr)
	}
	addresses, addrErr := dump(func() ([]netlink.Addr, error) {
		return netlink.AddrList(nil, netlink.FAMILY_ALL)
	})
	if addrErr != nil && !errors.Is(addrErr, ErrIncomplete) {
		return nil, fmt.Errorf("ring: list addresses: %w", addrErr)
	}

	byIndex := make(map[int][]netip.Prefix)
	for _, a := range addresses {
		if p, ok := prefix(a.IPNet); ok {
			byIndex[a.LinkIndex] = append(byIndex[a.LinkIndex], p)
		}
	}
	list := make([]Interface, 0, len(links)+1)
	up := false
	for _, l := range links {
		attrs := l.Attrs()
		i := Interface{
			Name:      attrs.Name,
			Index:     attrs.Index,
			Kind:      kind(attrs),
			Up:        attrs.Flags&net.FlagUp != 0,
			Running:   attrs.Flags&net.FlagRunning != 0,
			MTU:       attrs.MTU,
			Addresses: byIndex[attrs.Index],
		}
		if i.Kind != "loopback" { // the kernel gives it an address of zeros
			i.HardwareAddr = attrs.HardwareAddr
		}
		up = up || i.Up
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b Interface) int { return cmp.Compare(a.Index, b.Index) })
	list = append(list, Interface{Name: "any", Kind: "any", Up: up, Running: up})
	return list, cmp.Or(linkErr, addrErr)
}

// dump reads a list from the kernel. The netlink package returns what it has got
// when the list changed meanwhile: dump then reads again and says ErrIncomplete
// with the last list when that does not help.
func dump[T any](read func() ([]T, error)) ([]T, error) {
	var list []T
	for range attempts {
		var err error
		list, err = read()
		if err == nil {
			return list, nil
		}
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return nil, err
		}
	}
	return list, ErrIncomplete
}

// kind is a word for the link layer, that is, for what a frame begins with.
func kind(attrs *netlink.LinkAttrs) string {
	switch {
	case attrs.Flags&net.FlagLoopback != 0:
		return "loopback"
	case attrs.EncapType == "ether":
		return "ethernet"
	case attrs.EncapType == "":
		return "unknown"
	}
	return attrs.EncapType
}

// prefix is n as a netip.Prefix with the host's part kept.
func prefix(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	addr, ok := netip.AddrFromSlice(n.IP)
	if !ok {
		return netip.Prefix{}, false
	}
	ones, _ := n.Mask.Size()
	p := netip.PrefixFrom(addr.Unmap(), ones)
	return p, p.IsValid()
}
