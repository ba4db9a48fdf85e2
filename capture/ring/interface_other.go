//go:build !linux

package ring

import (
	"fmt"
	"net"
	"net/netip"
)

func interfaces() ([]Interface, error) {
	devices, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("ring: list interfaces: %w", err)
	}
	list := make([]Interface, 0, len(devices))
	for _, d := range devices {
		i := Interface{
			Name:         d.Name,
			Index:        d.Index,
			Kind:         kind(d),
			Up:           d.Flags&net.FlagUp != 0,
			Running:      d.Flags&net.FlagRunning != 0,
			MTU:          d.MTU,
			HardwareAddr: d.HardwareAddr,
		}
		addresses, err := d.Addrs()
		if err != nil {
			return nil, fmt.Errorf("ring: addresses of %q: %w", d.Name, err)
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				i.Addresses = append(i.Addresses, p)
			}
		}
		list = append(list, i)
	}
	return list, nil
}

func kind(d net.Interface) string {
	switch {
	case d.Flags&net.FlagLoopback != 0:
		return "loopback"
	case len(d.HardwareAddr) == 6:
		return "ethernet"
	}
	return "unknown"
}
