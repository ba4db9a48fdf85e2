package flow

import "sockscope/capture"

// A cell is what a packet of an established connection touches: one cache line without
// pointers. What is needed less often stands in meta and, for TCP and SCTP, in
// handshake.
//
// Of a connection that isKnock says is one, only key, latest and bits are what they are called:
// the other places hold what knock's methods tell.
type cell struct {
	key    key
	latest capture.Timestamp // of the last packet
	sent   [2]counts         // of the key's first and second endpoint
	next   [2]uint32         // TCP: the sequence number that each side sends next
	acked  [2]uint32         // TCP: the highest acknowledgment that each side sent
	window [2]uint16         // TCP: what each side announced last, unscaled
	bits   facts
}

// facts are known of a connection. Those of a side stand twice: fact<<side.
type facts uint32

const (
	sawData    facts            = 1 << (2 * iota) // payload was sent
	sawAck                                        // a pure acknowledgment was sent
	sawSYN                                        // a bare SYN was sent
	sawSYNACK                                     // a valid SYN-ACK was sent
	ackedSYN                                      // the other side's SYN was acknowledged, by arithmetic
	sawFIN                                        // a FIN was sent
	ackedFIN                                      // the other side's FIN was acknowledged
	sawRST                                        // an RST was sent
	knownSeq                                      // next is known
	knownISN                                      // isn is known or follows from what the other side acknowledged
	knownAck                                      // acked is known
	goesOn                                        // segments that are neither SYN nor RST were sent
	closed                                        // both FINs were acknowledged (side 0); an RST in window ended it (side 1)
	clientIs                                      // the client, when SYN or SYN-ACK told
	isSelf     = facts(1) << 28                   // both endpoints are one: what it sends is side 0's
	replaced   = facts(1) << 29                   // a later connection has its key
	steady     = facts(1) << 30                   // handshake over and no end in sight: the short way is enough
	lastSecond = facts(1) << 31                   // the key's second endpoint sent the last packet
)

// of is fact for one side.
func (f facts) of(side uint8) facts { return f << side }

// both is fact for both sides.
func (f facts) both() facts { return f | f<<1 }

// has reports whether any of the facts is true.
func (c *cell) has(f facts) bool { return c.bits&f != 0 }

// lastSender is the side that sent the last packet.
func (c *cell) lastSender() uint8 { return uint8(c.bits >> 31) }

// client is the side that SYN or SYN-ACK showed to be the client.
func (c *cell) client() (side uint8, known bool) {
	switch {
	case c.has(clientIs.of(0)):
		return 0, true
	case c.has(clientIs.of(1)):
		return 1, true
	}
	return 0, false
}
