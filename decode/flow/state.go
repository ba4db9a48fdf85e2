package flow

// An event is what a segment means to one end: it sent it, or it received it.
// Receiving is inferred: the segment passed the observer on its way.
type event uint8

const (
	sendSYN event = iota
	recvSYN
	sendSYNACK
	recvSYNACK
	sendACK // acknowledges the other side's SYN
	recvACK
	sendFIN
	ackFIN // acknowledges the other side's FIN: it has received it
	recvFINACK
	sendRST
	recvRST
	sendSegment // of a connection whose beginning is not in the capture
	recvSegment
	noEvent // nothing that this end is known to have noticed
	numEvents
)

// transitions is the observer's table of RFC 9293 §3.3.2: what an end's state is
// after an event. An absent entry (StateNone) means that it stays.
//
// An end that answers a SYN was listening; that it was is known only then. A
// client is established when it acknowledges the SYN-ACK, not when the SYN-ACK
// passes the observer, for it may yet be lost. So it is with a FIN: whoever
// acknowledges it has it.
//
// A SYN that an end receives in SYN-SENT is the other one's of a simultaneous open
// (RFC 9293 §3.5, figure 8). Only these bring an end to SYN-RECEIVED before it has
// sent a SYN-ACK, and so may be seen to acknowledge or send something else there.
var transitions = [NumStates][numEvents]State{
	StateNone: {sendSYN: SYNSent, sendSYNACK: SYNReceived, recvSYNACK: SYNSent, sendRST: Closed,
		recvRST: Closed, sendSegment: Established, recvSegment: Established, sendFIN: FINWait1, ackFIN: CloseWait},
	Listen:      {sendSYNACK: SYNReceived, sendRST: Closed},
	SYNSent:     {recvSYN: SYNReceived, sendACK: Established, sendSYNACK: SYNReceived, sendRST: Closed, recvRST: Closed, sendSegment: Established, sendFIN: FINWait1},
	SYNReceived: {sendACK: Established, recvACK: Established, recvSYNACK: Established, sendFIN: FINWait1, ackFIN: CloseWait, sendRST: Closed, recvRST: Closed, sendSegment: Established},
	Established: {sendFIN: FINWait1, ackFIN: CloseWait, sendRST: Closed, recvRST: Closed},
	FINWait1:    {recvFINACK: FINWait2, ackFIN: Closing, sendRST: Closed, recvRST: Closed},
	FINWait2:    {ackFIN: TimeWait, sendRST: Closed, recvRST: Closed},
	CloseWait:   {sendFIN: LastACK, sendRST: Closed, recvRST: Closed},
	Closing:     {recvFINACK: TimeWait, sendRST: Closed, recvRST: Closed},
	LastACK:     {recvFINACK: Closed, sendRST: Closed, recvRST: Closed},
	TimeWait:    {recvRST: Closed},
	Closed:      {sendSYN: SYNSent},
}

// next is the state after an event.
func (s State) next(e event) State {
	if n := transitions[s][e]; n != StateNone {
		return n
	}
	return s
}

// step moves both ends by a segment that side sent.
func (h *handshake) step(side uint8, sent, received event) {
	h.state[side] = h.state[side].next(sent)
	h.state[side^1] = h.state[side^1].next(received)
}
