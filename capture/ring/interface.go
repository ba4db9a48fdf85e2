// Package ring has the host's interfaces: what can be captured from, and what
// each of them is like.
package ring

import (
	"errors"
	"net"
	"net/netip"
)

// ErrIncomplete comes together with interfaces: the kernel's list changed again
// and again while it was read, so some may be missing or listed with old values.
var ErrIncomplete = errors.New("the list of interfaces kept changing while it was read: it may be incomplete")

// An Interface is one of the host's network interfaces.
type Interface struct {
	Name         string // as the kernel has it, unescaped
	Index        int    // the kernel's number; 0 for the pseudo interface "any"
	Kind         string // "loopback", "ethernet", "none" (no link header), …; "any"
	Up           bool   // the administrator's state: only then frames can be captured
	Running      bool   // there is a carrier
	MTU          int    // in bytes; 0 for "any"
	HardwareAddr net.HardwareAddr
	Addresses    []netip.Prefix // in the kernel's order
}

// Interfaces lists the host's interfaces by index, and after them, on Linux,
// "any", which stands for all of them. Only ErrIncomplete comes with a list.
func Interfaces() ([]Interface, error) { return interfaces() }
