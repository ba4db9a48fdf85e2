package process

import "net/netip"

// A key names a socket's addresses. It has no pointers: the garbage collector never
// looks inside a table of them.
type key struct {
	local, remote         [16]byte // IPv4 as IPv4-mapped
	localPort, remotePort uint16
	protocol              uint8
}

// keyOf makes a key; remote is the zero value for a socket without a peer.
func keyOf(protocol uint8, local, remote netip.AddrPort) key {
	return key{local.Addr().As16(), remote.Addr().As16(), local.Port(), remote.Port(), protocol}
}

var unspecified4 = netip.IPv4Unspecified().As16()

// alone is k without its peer.
func (k key) alone() key {
	return key{local: k.local, localPort: k.localPort, protocol: k.protocol}
}

// everywhere is k without its peer and bound to no address: of IPv4, or of IPv6, which
// takes IPv4, too.
func (k key) everywhere(four bool) key {
	e := key{localPort: k.localPort, protocol: k.protocol}
	if four {
		e.local = unspecified4
	}
	return e
}

// isIPv4 reports whether the local address is one of IPv4.
func (k key) isIPv4() bool { return netip.AddrFrom16(k.local).Is4In6() }

// onLoopback reports whether the connection cannot leave its network namespace.
func (k key) onLoopback() bool { return netip.AddrFrom16(k.local).Unmap().IsLoopback() }
