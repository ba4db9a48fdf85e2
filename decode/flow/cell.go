package flow

import (
	"sockscope/capture"
	"sockscope/decode"
)

// A cell is what a packet of an established connection touches: one cache line without
// pointers. What is needed less often stands in meta and, for TCP and SCTP, in
// handshake.
type cell struct {
	key    key
	latest capture.Timestamp // of the last packet
	sent   [2]counts         // of the key's first and second endpoint
	next   [2]uint32         // TCP: the sequence number that each side sends next
	acked  [2]uint32         // TCP: the highest acknowledgment that each side sent
	window [2]uint16         // TCP: what each side announced last, unscaled
	bits   facts
}

// meta is what a connection needs when it starts, when something unusual happens,
// and when it is reported.
type meta struct {
	firstFrame uint64
	first      capture.Timestamp // the earliest time of its packets
	last       capture.Timestamp // the latest, when times ran backwards: else cell.latest tells
	iface      uint32
	tunnels    uint32 // 1 + index of its tunnel chain
	evidence   uint32 // 1 + index of what payloads proved
	icmp       uint32 // 1 + index of the ICMP error that quotes it
	big        uint32 // 1 + index of what its counts did not hold
	vlan       uint16
	hasVLAN    bool
	firstDir   uint8 // who sent the first packet
}

// A stream is what TCP and SCTP need beside their cell: four cache lines, of which
// the first holds what segments of the long way touch.
type stream struct {
	handshake handshake
	meta      meta
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

// handshake is what a TCP connection needs beside its cell, in SYN, FIN and RST
// and whenever something is not as expected. SCTP's INIT stands for SYN, INIT ACK
// for SYN-ACK, COOKIE ECHO for the ACK. What any segment touches that goes the long way
// comes first, in one cache line.
type handshake struct {
	isn        [2]uint32
	finEnd     [2]uint32 // sequence number after the FIN
	waits      uint32    // 1 + index of the waits between SYNs
	spill      uint32    // 1 + index of the history beyond the fixed part
	rare       uint32    // 1 + index of what few connections need
	quality    uint32    // 1 + index of what was amiss, of both sides
	roundTrips [2]uint32 // 1 + index of each side's, when they are measured
	flags      uint16    // FlagSet
	synFlags   uint16    // TCP flags of the client's first SYN
	fins       [2]uint16 // saturating
	rsts       [2]uint16
	ttl        [2]uint8 // of each side's first packet
	state      [2]State
	zeek       zeekStates
	verdict    verdict
	finFirst   uint8 // 1 + side of the first FIN or RST
	complete   uint8 // Wireshark's completeness
	historyLen uint8
	ambiguous  bool    // a retransmission makes a round trip a guess
	afterFIN   bool    // the RST that ended it came after a FIN
	guessed    [2]bool // isn is the number before the first segment seen, not a SYN's
	spoken     [2]bool // something that is no RST was sent
	badSYNACK  [2]bool // a SYN-ACK was sent that acknowledges something else
	history    [14]uint8

	syns        [2]uint16 // saturating
	synacks     [2]uint16
	chunks      [2]uint16 // SCTP: set of chunk types that each side sent
	synCount    uint32    // of the client
	synackCount uint32    // of the server
	synData     uint32    // payload bytes in the client's first SYN
	offered     [2]offer
	fits        [2]bool // data or a FIN were sent that acknowledge what may follow the other side's SYN

	synFrame, synackFrame, ackFrame, verdictFrame                 uint64
	firstSYN, lastSYN, synBefore, synackTime, lastSYNACK, ackTime capture.Timestamp
}

// begin sets what is not known to be so.
func (h *handshake) begin() {
	h.firstSYN, h.lastSYN, h.synBefore = capture.Unknown, capture.Unknown, capture.Unknown
	h.synackTime, h.lastSYNACK, h.ackTime = capture.Unknown, capture.Unknown, capture.Unknown
}

// rare is what few TCP connections need beside their handshake.
type rare struct {
	resent    [2]uint32 // payload segments below next, for the history
	rstSeq    [2]uint32 // of each side's last RST
	synackSeq [2]uint32 // of each side's last SYN-ACK that was not the accepted one
	other     otherSYNACK
	early     earlyACK
}

// earlyACK is the client's first ACK, when it was captured while there was no SYN-ACK.
type earlyACK struct {
	ack   uint32
	frame uint64 // 0: there is none
	time  capture.Timestamp
}

// otherSYNACK is the latest SYN-ACK that fits the SYN but has another ISN than the
// accepted one; the client's ACK tells which of the two it took.
type otherSYNACK struct {
	isn   uint32
	frame uint64 // 0: there is none
	time  capture.Timestamp
}

// offer is what a side's SYN or SYN-ACK offered.
type offer struct {
	has    decode.OptionSet
	mss    uint16
	scale  uint8
	cookie uint8
	seen   bool
}

// A verdict is what happened to an attempt before anything better did.
type verdict uint8

const (
	noVerdict verdict = iota
	wasRefused
	wasUnreachable
	wasAborted
)

// span widens the times of cell n, which is c, by when. Times may run backwards.
func (t *Table) span(n uint32, c *cell, when capture.Timestamp) {
	m := t.meta(n)
	if when.Known() && (when < m.first || !m.first.Known()) {
		m.first = when
	}
	m.last = max(m.last, when, c.latest) // Unknown is below all times
}

// last is the latest time of cell n's packets.
func (t *Table) last(n uint32) capture.Timestamp {
	latest := t.cells.at(n).latest
	if t.knocks.of(n) != nil {
		return latest
	}
	return max(t.meta(n).last, latest)
}
