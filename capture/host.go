package capture

import (
	"net/netip"
	"slices"
)

// A Host is what the kernel of this host says of its own sockets at one moment, to be
// held against what the wire showed.
type Host struct {
	Addresses []netip.Addr // of its interfaces
	Sockets   []Socket     // by protocol, local and remote address

	EphemeralLow, EphemeralHigh uint16 // local ports of outgoing connections; 0, 0 when not known

	Netns uint32 // inode of its network namespace; 0 when it is not known or all sockets are of that one

	// Since the capture began, of the whole network namespace.
	ListenOverflows uint64 // connections dropped because nobody accepted those before
	ListenDrops     uint64 // dropped by listeners for any reason, overflows included

	Incomplete []string // what is missing and why; empty when nothing is
	Hidden     string   // why not all owners are known; "" when they are
}

// Unowned reports whether there is a socket that some process holds, but nobody knows which.
func (h *Host) Unowned() bool {
	return slices.ContainsFunc(h.Sockets, func(s Socket) bool { return s.Inode != 0 && len(s.Owners) == 0 })
}

// A Socket is one of this host's.
type Socket struct {
	Type     SocketType
	Protocol uint8 // IP protocol number: 6 or 17, or what a raw socket receives; 0: a packet socket
	IPv6     bool  // of the family AF_INET6, whose sockets may have IPv4 addresses, too
	Only6    bool  // one of these that takes no IPv4
	Local    netip.AddrPort
	Remote   netip.AddrPort // the zero value when it has no peer
	State    string         // RFC 9293's name; UDP: "ESTABLISHED" with a peer, "CLOSED" without; "RAW"
	HasUID   bool
	UID      uint32
	Inode    uint64  // unique on this host; 0 when no process holds the socket any more
	Owners   []Owner // several after a fork; empty when they are not known

	// Unavailable says why Owners is empty: of no process any more, no permission.
	Unavailable string

	Netns     uint32 // inode of its network namespace; 0 when it is this process's own
	Interface string // the only one whose packets it takes; "" when that is any
	EtherType uint16 // what a packet socket receives; 3 (ETH_P_ALL) is everything, 0 nothing

	// A listener: connections that wait to be accepted, and how many may. Others: bytes
	// that were not read, and bytes not yet acknowledged.
	ReceiveQueue, SendQueue uint32

	Retransmits uint8 // of the segment that is being sent again and again; TCP only
}

// Listens reports whether s waits for peers: a TCP socket in LISTEN, or a bound UDP
// socket without a peer.
func (s *Socket) Listens() bool {
	return s.State == "LISTEN" || s.Protocol == 17 && !s.Remote.IsValid() && s.Local.Port() != 0
}

// A SocketType is the second argument of socket(): what an application gets.
type SocketType uint8

const (
	Stream    SocketType = iota // bytes in order: TCP, SCTP
	Datagram                    // messages, each for itself: UDP, UDP-Lite, ICMP echo
	RawSocket                   // IP packets of one protocol, without ports
	Packet                      // frames as the interface has them (AF_PACKET)
)

// String is "stream", "datagram", "raw" or "packet".
func (t SocketType) String() string { return [...]string{"stream", "datagram", "raw", "packet"}[t] }
