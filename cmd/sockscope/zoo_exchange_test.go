package main

import (
	"net/netip"
	"time"
)

// An exchange is one connection of a scenario while its script is played: what
// both ends would send next if they followed RFC 9293, RFC 768 or RFC 9260.
type exchange struct {
	proto          string // tcp, udp, sctp, icmp, esp
	client, server end
	router         netip.Addr // sends the ICMP errors that neither end sends
	clock          time.Duration
	last           *end // sender of the packet before
	timestamps     bool // TCP segments carry the option of RFC 7323
	path           path
	expect         []string // waits for the next frame, which its record begins with
}

// An end is one side of an exchange.
type end struct {
	addr     netip.AddrPort
	ttl      uint8
	isn      uint32 // or SCTP's initiate tag
	next     uint32 // sequence number (TSN) of its next segment
	ipID     uint16
	packet   []byte // its last IP packet, for ICMP errors to quote
	stamp    uint32 // TSval of its last segment
	pending  []byte // payload that "rest" goes on with
	question uint16 // id of its last DNS message
}

// A path says what wraps the packets of an exchange and where they were captured.
type path struct {
	vlan  uint16 // 0 is untagged
	over  []encapsulation
	iface int
}

// An encapsulation is one tunnel around a packet.
type encapsulation struct {
	kind string // vxlan, gre, ipip
	id   uint32 // VNI or key
}

// A recording is the frames of a scenario, in the order they were captured.
type recording struct {
	frames []recorded
}

// A recorded frame, and the expectations of the record that begins with it.
type recorded struct {
	at     time.Duration // since the beginning of the scenario
	iface  int
	data   []byte
	expect []string
}

// Default delays: the capture is taken near the client.
const (
	clientDelay = 200 * time.Microsecond // after a packet of the server
	serverDelay = 20 * time.Millisecond  // after a packet of the client
	sameDelay   = 50 * time.Microsecond  // after a packet of the same end
)

func (x *exchange) peer(e *end) *end {
	if e == &x.client {
		return &x.server
	}
	return &x.client
}

// delay is how long after the packet before e sends, when the script does not say.
func (x *exchange) delay(e *end) time.Duration {
	switch {
	case x.last == nil:
		return 0
	case x.last == e:
		return sameDelay
	case e == &x.client:
		return clientDelay
	}
	return serverDelay
}

// advance moves e's next sequence number to seq, never back.
func (e *end) advance(seq uint32) {
	if int32(seq-e.next) > 0 {
		e.next = seq
	}
}

// restart gives both ends of x new initial sequence numbers, for a SYN that
// begins the tuple's next connection.
func (x *exchange) restart(isn uint32) {
	x.client.isn, x.client.next = isn, isn
	x.server.isn += 0x01000000
	x.server.next = x.server.isn
	x.client.pending, x.server.pending = nil, nil
}
