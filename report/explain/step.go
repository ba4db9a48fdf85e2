package explain

import (
	"time"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// A Step is one frame of a conversation, or a Run of several.
type Step struct {
	Frame      uint64            // number of the frame in the whole input, from 1
	Time       capture.Timestamp // of the capture, or Unknown
	FromClient bool
	Kind       Kind
	Marks      Mark

	// TCP, as in the header; Rel… are counted from each side's first sequence number, where
	// that is known.
	Flags          uint16
	Seq, Ack       uint32
	Window         uint16 // unscaled
	Scaled         uint32 // what that means in bytes, where both ends agreed on a scale
	NewWindow      bool   // it is not what the sender said last
	HasRelSeq      bool
	HasRelAck      bool
	RelSeq, RelAck uint32
	Options        decode.TCPOptions

	Payload uint32 // bytes of transport payload, as the headers say
	Length  uint32 // bytes on the wire
	More    bool   // it is a first fragment: the rest of its payload follows

	// What its numbers are made of: Continues is its sequence number, by the sender's segment
	// that it follows, and Acks its acknowledgment, by the other end's segment that it covers
	// last. nil where that segment is not in the capture.
	Continues, Acks *Sum

	// The states of both ends before and after it; TCP only.
	Before, After Ends

	Calls []Call // that it was caused by or that it releases, as far as that can be told from outside
	Notes []Note // what it is for, and what is special about it

	ICMP  *Message // Kind Echo, Other and ICMPError
	SCTP  *Chunks  // Kind Packet
	Outer bool     // it is an ICMP error's: the frame is one of another conversation, with the router at one end

	Run *Run // Kind Folded
}

// Ends are the states of both ends (RFC 9293 §3.3.2).
type Ends struct{ Client, Server flow.State }

// A Kind is what a step is.
type Kind uint8

const (
	Segment   Kind = iota // TCP: Flags say more
	Datagram              // UDP, and protocols without a handshake
	Packet                // SCTP
	ICMP                  // a message of an ICMP conversation
	ICMPError             // about this conversation, from whoever could not deliver it
	Fragment              // a later one: the transport header is in the first
	Cut                   // TCP whose header is not in the capture
	Folded                // a Run
)

// A Mark is something special about a step.
type Mark uint32

const (
	Handshake      Mark = 1 << iota // completes the handshake
	Retransmitted                   // sent before
	OutOfOrder                      // later ones overtook it
	DuplicateACK                    // acknowledges the same once more
	KeepAlive                       // asks whether the other end is still there
	KeepAliveACK                    // answers that
	ZeroWindow                      // there is no more room
	WindowOpens                     // there is room again
	Probe                           // asks whether there is room again
	Gap                             // something before it is not in the capture
	Simultaneous                    // both ends opened at once
	EarlyData                       // a SYN that carries data (TCP Fast Open)
	EarlyDataTaken                  // a SYN-ACK that acknowledges these
	EarlyDataLeft                   // one that does not
	Mismatch                        // a SYN-ACK that acknowledges something else
	Refuses                         // a RST that answers a SYN
	Decides                         // an ICMP error that decides the outcome
	AcksFIN                         // acknowledges the other end's FIN
	WindowUpdate                    // says only that there is more room than before
	Delivers                        // nothing is missing before its data, so the receiver's program can have them
	Ordinary                        // nothing of the above, and no state changes: it may be folded
)

// Has reports whether one of marks is set.
func (s *Step) Has(marks Mark) bool { return s.Marks&marks != 0 }

// room is how many bytes the sender has room for, as far as the scale is known.
func (s *Step) room() uint32 { return max(s.Scaled, uint32(s.Window)) }

// HasFlags reports whether all of flags are set.
func (s *Step) HasFlags(flags uint16) bool { return s.Flags&flags == flags }

// Sender is who sent the step.
func (s *Step) Sender() flow.Side {
	if s.FromClient {
		return flow.ClientSide
	}
	return flow.ServerSide
}

// Receiver is who the step is for.
func (s *Step) Receiver() flow.Side {
	if s.FromClient {
		return flow.ServerSide
	}
	return flow.ClientSide
}

// A Message is what an ICMP message says (RFC 792, RFC 4443).
type Message struct {
	Version    uint8 // of IP, which it is of
	Type, Code uint8
	From       string // address of who sent it
}

// Chunks is what an SCTP packet has (RFC 9260 §3).
type Chunks struct {
	Bits uint16 // set of chunk types 0–14, bit = type
	Tag  uint32 // verification tag
	Init uint32 // initiate tag of INIT and INIT ACK, else 0
}

// A Run is a phase of a conversation in one Step, whose Frame and Time are its first frame's.
type Run struct {
	LastFrame uint64
	LastTime  capture.Timestamp
	ToServer  Amount
	ToClient  Amount
	DupACKs   uint64 // of the segments, those that acknowledge the same once more
}

// An Amount is how much there was in one direction.
type Amount struct {
	Segments uint64 `json:"segments"`
	WithData uint64 `json:"with_data"`
	Payload  uint64 `json:"payload"` // in bytes
}

// Segments is how many segments or datagrams the run has.
func (r *Run) Segments() uint64 { return r.ToServer.Segments + r.ToClient.Segments }

// Payload is how many bytes of payload.
func (r *Run) Payload() uint64 { return r.ToServer.Payload + r.ToClient.Payload }

// Took is how long it took; false when that is not known.
func (r *Run) Took(first capture.Timestamp) (time.Duration, bool) { return r.LastTime.Sub(first) }
