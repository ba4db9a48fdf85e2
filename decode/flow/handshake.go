package flow

import "sockscope/decode"

// handshake is what a TCP connection needs beside its cell, in SYN, FIN and RST
// and whenever something is not as expected. SCTP's INIT stands for SYN, INIT ACK
// for SYN-ACK, COOKIE ECHO for the ACK.
//
// It is two cache lines. The first is what any segment touches that goes the long way.
// What does not fit stands in the rare of its meta.
type handshake struct {
	meta
	isn      [2]uint32
	finEnd   [2]uint32 // sequence number after the FIN
	quality  uint32    // 1 + index of what was amiss, of both sides
	flags    uint16    // FlagSet
	marks    marks
	ttl      [2]uint8 // of each side's first packet
	state    [2]State
	zeek     zeekStates
	verdict  verdict
	complete uint8 // Wireshark's completeness
	counts   usualCounts

	letters letters
	tally   tally
	chunks  [2]uint16 // SCTP: set of chunk types that each side sent
	rstSeq  [2]uint32 // of each side's last RST
	offered [2]offer
	usual   usual
	_       [2]uint32 // so that each begins a cache line
}

// marks are known of a handshake. Those of a side stand twice: mark<<side.
type marks uint16

const (
	ambiguous marks = 1 << iota             // a retransmission makes a round trip a guess
	afterFIN                                // the RST that ended it came after a FIN
	asksECN                                 // the client's first SYN asked for ECN
	_                                       //
	guessed   marks = 1 << (2 * (iota - 2)) // isn is the number before the first segment seen, not a SYN's
	spoken                                  // something that is no RST was sent
	badSYNACK                               // a SYN-ACK was sent that acknowledges something else
	fits                                    // data or a FIN were sent that acknowledge what may follow the other side's SYN
	endsIt                                  // the first FIN or RST was sent
)

// of is a mark of one side.
func (m marks) of(side uint8) marks { return m << side }

// has reports whether any of the marks is set.
func (h *handshake) has(m marks) bool { return h.marks&m != 0 }

// A tally counts the segments with SYN, SYN-ACK, FIN and RST of each side: eight numbers
// of four bits.
type tally uint32

// What a tally counts, of side 0; of side 1 it is the next.
const (
	syns = 2 * iota
	synacks
	fins
	rsts
	numTallies
)

const (
	tallyBits = 4
	tallyMost = 1<<tallyBits - 1
)

// any reports whether there was such a segment of a side.
func (s tally) any(kind int, side uint8) bool { return s.of(kind, side) != 0 }

// of is the number of such segments of a side, without those that have been carried away.
func (s tally) of(kind int, side uint8) uint32 {
	return uint32(s>>(tallyBits*(kind+int(side)))) & tallyMost
}

// increment counts a segment. What is full moves to where there is room, all but one.
func (t *Table) increment(h *handshake, kind int, side uint8) {
	one := tally(1) << (tallyBits * (kind + int(side)))
	if h.tally.of(kind, side) < tallyMost {
		h.tally += one
		return
	}
	h.tally -= (tallyMost - 1) * one
	if n := &t.odd(&h.meta).segments[kind+int(side)]; *n < maxSegments {
		*n += tallyMost
	}
}

// maxSegments is how many segments of a kind are counted.
const maxSegments = 1<<16 - 1

// segments fills in how many segments of each kind a side sent.
func (t *Table) segments(h *handshake, side uint8, d *Direction) {
	s := h.tally
	d.SYNs, d.SYNACKs, d.FINs, d.RSTs = s.of(syns, side), s.of(synacks, side), s.of(fins, side), s.of(rsts, side)
	if o := t.oddOf(&h.meta); o != nil {
		more := o.segments[side&1:]
		d.SYNs = min(d.SYNs+more[syns], maxSegments)
		d.SYNACKs = min(d.SYNACKs+more[synacks], maxSegments)
		d.FINs = min(d.FINs+more[fins], maxSegments)
		d.RSTs = min(d.RSTs+more[rsts], maxSegments)
	}
}

// offer is what a side's SYN or SYN-ACK offered.
type offer struct {
	has    decode.OptionSet // and offerSeen
	mss    uint16
	scale  uint8
	cookie uint8
}

// offerSeen tells that the SYN or SYN-ACK was seen. It is none of the options.
const offerSeen decode.OptionSet = 1 << 15

// A verdict is what happened to an attempt before anything better did.
type verdict uint8

const (
	noVerdict verdict = iota
	wasRefused
	wasUnreachable
	wasAborted
)
