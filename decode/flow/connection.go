package flow

import (
	"net/netip"
	"time"

	"sockscope/capture"
	"sockscope/decode"
)

// NoDuration marks a duration that is not known.
const NoDuration time.Duration = -1 << 63

// A Connection is the record of one connection or attempt: both directions of
// one tuple from its first packet to its end. Numbers named "Frame" count frames
// of the whole input from 1; 0 means there is none.
type Connection struct {
	ID         uint64 // 1-based, in the order of the first packets; where connections end during the run: FirstFrame
	FirstFrame uint64
	PartOf     uint64         // ID of the record that this one goes on from: it was told before this one's first packet came; 0: none
	Protocol   uint8          // IP protocol number
	Client     netip.AddrPort // port 0 when HasPorts is false
	Server     netip.AddrPort
	HasPorts   bool
	Role       RoleBasis

	Tunnels   []decode.Tunnel // outermost first; shared, do not modify
	VLAN      uint16          // first VLAN id seen
	HasVLAN   bool
	Interface uint32 // of the first packet, index into capture.Stats.Interfaces

	Evidence Evidence // what the payload proves; zero when nothing

	Outcome  Outcome
	Flags    FlagSet
	Close    Close
	ClosedBy Side

	ConnState    string // Zeek's conn_state
	History      string // Zeek's history
	Completeness uint8  // Wireshark's tcp.completeness, or 0 where it shows none; TCP only

	SYNFrame, SYNACKFrame, ACKFrame, VerdictFrame uint64
	SYNCount, SYNACKCount                         uint32
	SYNWaits                                      []time.Duration // between SYNs; at most 8
	HasICMP                                       bool            // an ICMP error quotes this connection
	ICMPType, ICMPCode                            uint8
	ICMPFrom                                      netip.Addr

	IsICMP     bool  // an ICMP conversation
	Type, Code uint8 // of its first query, or of its first message

	First, Last capture.Timestamp // of its packets, earliest and latest; Unknown when none has a time
	Silence     time.Duration     // of an evicted one, how long nothing had come of it; else 0
	SYNRTT      time.Duration     // first valid SYN-ACK − the last SYN before it, or NoDuration
	ACKRTT      time.Duration     // the ACK − the last SYN-ACK before it, or NoDuration
	Setup       time.Duration     // the ACK − the first SYN, or NoDuration
	Ambiguous   bool              // a retransmission makes SYNRTT or ACKRTT a guess

	// Owners are the processes at the client's and the server's end: for each, as
	// Frame.Owner tells it, the first that was known.
	Owners [2]uint32

	ToServer, ToClient Direction

	ClientState, ServerState State // RFC 9293 names, at the end; TCP only
}

// A Direction is what one side sent.
type Direction struct {
	Packets uint64
	Bytes   uint64 // on the wire, link headers included
	IPBytes uint64
	Payload uint64 // transport payload, as the headers' lengths say

	ZeroWindows         uint64 // announcements of a zero window
	ZeroWindowFrame     uint64 // the first of them, or 0
	KeepAlives          uint64
	Retransmissions     uint64
	RetransmissionFrame uint64 // the first of them, or 0
	OutOfOrder          uint64 // segments that others overtook
	DupACKs             uint64
	Missing             uint64 // payload bytes that the other side acknowledged and the capture lacks

	RoundTrips RoundTrips // of its data, when Config asks for them

	SYNs, SYNACKs, FINs, RSTs uint32 // segments with these flags; a SYN-ACK is no SYN here

	Options Options // of its SYN or SYN-ACK
}

// Options is what one side's SYN or SYN-ACK offered.
type Options struct {
	Known         bool // the SYN or SYN-ACK was seen
	Cut           bool // but not all of its options: what is not there may have been offered
	ISN           uint32
	HasMSS        bool
	MSS           uint16
	HasScale      bool
	WindowScale   uint8 // as sent
	SACKPermitted bool
	Timestamps    bool
	HasFastOpen   bool
	CookieLen     uint8 // Fast Open cookie in bytes; 0 is a request
	MPTCP         bool
}

// Evidence is what a payload proves about the service spoken.
type Evidence struct {
	Service    string // IANA's name where there is one: "tls", "http", "domain", "ssh"; "" for nothing
	FromClient bool   // only a client sends this message
	FromServer bool   // only a server sends it
	ServerName string // SNI, Host or DNS question, unescaped
	ALPN       string // first protocol offered, unescaped
}

// A Side is one end of a connection.
type Side uint8

const (
	Neither Side = iota
	ClientSide
	ServerSide
)

// String is "client", "server" or "".
func (s Side) String() string { return [...]string{"", "client", "server"}[s] }

// A RoleBasis says how client and server were told apart, strongest first after Unset.
type RoleBasis uint8

const (
	RoleSYN RoleBasis = iota
	RoleSYNACK
	RolePayload
	RoleListener
	RoleRegistry
	RoleRange
	RoleFirst
	NumRoleBases
)

// String is the word of the column role_basis.
func (r RoleBasis) String() string {
	return [...]string{"syn", "syn-ack", "payload", "listener", "registry", "range", "first"}[r]
}

// An Outcome is the one word for each attempt.
type Outcome uint8

const (
	Complete Outcome = iota
	Refused
	Unreachable
	Unanswered
	HalfOpen
	Aborted
	Mismatched
	ReplyOnly
	Implied
	Midstream
	Answered // connectionless traffic: both directions seen
	NumOutcomes
)

// String is the word of the column outcome.
func (o Outcome) String() string {
	return [...]string{"complete", "refused", "unreachable", "unanswered", "half-open", "aborted",
		"mismatched", "reply-only", "implied", "midstream", "answered"}[o]
}

// Failed reports whether the attempt did not lead to a connection.
func (o Outcome) Failed() bool {
	switch o {
	case Refused, Unreachable, Unanswered, HalfOpen, Aborted, Mismatched:
		return true
	}
	return false
}

// A Close says how a connection ended.
type Close uint8

const (
	NoClose       Close = iota // not applicable: connectionless
	Fin                        // both FINs sent and acknowledged
	HalfClose                  // one FIN only, or not all acknowledged, at the end
	Reset                      // RST after the handshake
	ResetAfterFin              // RST after a FIN
	Open                       // still open at the end of the input
	Idle                       // timed out
	Evicted                    // the memory limit ended it
	Never                      // not established
	NumCloses
)

// String is the word of the column close; "" for NoClose.
func (c Close) String() string {
	return [...]string{"", "fin", "half-close", "reset", "reset-after-fin", "open", "idle", "evicted", "never"}[c]
}

// A FlagSet is the set of words beside the outcome.
type FlagSet uint32

const (
	FastOpen FlagSet = 1 << iota
	FastOpenIgnored
	Simultaneous
	Reordered
	MPTCP
	ECN
	SYNRetransmitted
	SYNACKRetransmitted
	ReusedOpen
	OneWay
	Wrapped
	RSTInjected
	ZeroWindow
	KeepAlive
	SYNACKMismatch
	NumFlags = iota
)

var flagNames = [NumFlags]string{"fast-open", "fast-open-ignored", "simultaneous", "reordered", "mptcp", "ecn",
	"syn-retransmitted", "synack-retransmitted", "reused-open", "one-way", "wrapped", "rst-injected?",
	"zero-window", "keep-alive", "synack-mismatch"}

// Names are the words of the set, in a fixed order.
func (f FlagSet) Names() []string {
	var names []string
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// A State is an end's TCP state (RFC 9293 §3.3.2), as an observer infers it.
type State uint8

const (
	StateNone State = iota // not known
	Closed
	Listen
	SYNSent
	SYNReceived
	Established
	FINWait1
	FINWait2
	CloseWait
	Closing
	LastACK
	TimeWait
	NumStates
)

// String is the RFC's name; "" for StateNone.
func (s State) String() string {
	return [...]string{"", "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
		"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"}[s]
}
