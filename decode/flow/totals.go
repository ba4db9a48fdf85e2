package flow

import (
	"sockscope/capture"
)

// Totals counts every frame exactly once (conservation), by what became of it.
// Connections' frames are counted in the connections.
type Totals struct {
	Frames, Bytes, Captured uint64            // read: number, wire lengths, captured lengths
	First, Last             capture.Timestamp // earliest and latest frame time, Unknown when there is none

	Connections Volume                      // in TCP, UDP, SCTP connections
	ICMP        Volume                      // ICMP and ICMPv6, errors included
	OtherIP     [256]Volume                 // by IP protocol, not counted above
	NonIP       map[uint16]Volume           // by EtherType (LSAPs for 802.3)
	Undecoded   [256]Volume                 // by decode.Error
	UnknownLink map[capture.LinkType]Volume // link types without a decoder
	Fragments   Volume                      // later fragments whose first was not seen
	Filtered    Volume

	Links    map[capture.LinkType]uint64 // frames by link type
	Problems [256]uint64                 // frames of any class by decode.Error: decoded partly, limits reached
	Tunnels  TunnelSums                  // the connections inside of each tunnel; a connection counts in all around its first packet

	// Of the connections, where memory bounds their number: how many were evicted, and between
	// which times by the frames' clock; how many times memory was short for these; and how many
	// were over and told before the end.
	Evicted                    uint64
	EvictedSince, EvictedUntil capture.Timestamp // Unknown when there is none
	Shortages                  uint64
	Outlived                   uint64

	// Tuples has the tuples of all connections, when some are not there any more because memory
	// was short; else it may be nil.
	Tuples *Tuples

	// ClockJumps is how often the frames' clock was set forward by more than an hour, where
	// connections end while the run goes on.
	ClockJumps uint64
}

// A Volume is a number of frames and their bytes on the wire.
type Volume struct{ Frames, Bytes uint64 }

// Add counts one frame of n bytes.
func (v *Volume) Add(n uint32) { v.Frames++; v.Bytes += uint64(n) }
