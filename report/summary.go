// Package report folds connections into a Summary and writes it, and the
// connections themselves, as text, json, ndjson, csv, markdown and Zeek logs.
package report

import (
	"net/netip"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A Summary is everything a report shows. It is made once, by Builder.Summary,
// and never changes; every format is a function of it alone.
type Summary struct {
	Inputs []capture.Input

	// Interfaces, which Connection.Interface indexes: their names, and how many digits times have.
	Interfaces []capture.Interface

	Links    []LinkCount       // by link type, most frames first
	First    capture.Timestamp // earliest frame time, or Unknown
	Last     capture.Timestamp // latest
	Frames   uint64
	Bytes    uint64 // on the wire
	Captured uint64 // kept by the snap length
	Drops    uint64 // lost by the capturing side, as far as the input says

	Total    Tally        // of all connections
	Ranges   []Range      // by the server's port range: well-known, registered, dynamic, and "none" where protocols without ports were seen
	Clients  []RangeCount // client ports by range
	Host     *Host        // what this host's kernel said; nil for files
	Roles    []RoleCount  // how client and server were told apart
	Services []Service    // most connections first
	Trouble  []Trouble    // worst first, at most MaxTrouble; empty when nothing is wrong
	Worse    uint64       // lines of trouble beyond MaxTrouble: no worse than those told
	Doors    Doors        // what a port and a socket are, in this capture
	Tunnels  []TunnelCount
	Timeline Timeline

	Connections []Row  // the top ones by Sort, or all
	Sort        string // the column they are sorted by
	Top         int    // how many were asked for; 0 means all

	Ledger Ledger

	// Problems counts frames whose headers are wrong, cut off or beyond a limit of the
	// decoder, by what is wrong first, in the decoder's words. Most of these frames are
	// in a connection all the same.
	Problems []capture.Count
}

// A Row is a connection with what the registry of services says of it.
type Row struct {
	flow.Connection
	Service      string // IANA's name, or what the payload proves; "" unknown
	ServiceBasis string // "payload", "port" or ""

	Owners [2]capture.Owner // the client's and the server's process, as far as they are known

	Event flow.Event // what the row tells of the connection, where rows are events
}

// A LinkCount counts the frames of one link type.
type LinkCount struct {
	Link   capture.LinkType
	Frames uint64
}

// A Tally counts a group of connections.
type Tally struct {
	Connections uint64
	Outcomes    [flow.NumOutcomes]uint64
	Failed      uint64 // attempts that came to nothing; see Failed
	Packets     uint64
	Bytes       uint64 // on the wire
	Payload     uint64

	Retransmissions uint64 // TCP segments sent again, of Packets

	// Of Other, the attempts for which memory was short before they had the time to be answered,
	// by their outcomes.
	UndecidedUnanswered, UndecidedHalfOpen uint64
}

// OK is the number of connections that worked: complete, implied or answered.
func (t *Tally) OK() uint64 {
	return t.Outcomes[flow.Complete] + t.Outcomes[flow.Implied] + t.Outcomes[flow.Answered]
}

// Other is the number of connections that neither worked nor failed as far as the
// capture tells: those it joined midstream, replies without a request, one-way
// datagrams that ask for no answer, attempts that were evicted too early to tell.
func (t *Tally) Other() uint64 { return t.Connections - t.OK() - t.Failed }

// A Range is the line of one port range (RFC 6335 §6).
type Range struct {
	Name    string // "well-known", "registered", "dynamic", "none"
	Low     uint16
	High    uint16
	Tally   Tally
	Share   float64  // of all connections' bytes, 0 to 1
	Busiest []string // services by connections, at most 3; "~" marks a name that only the port suggests
	SYNRTT  Quantiles
}

// A RangeCount counts connections whose client port lies in a range.
type RangeCount struct {
	Name        string
	Connections uint64
}

// A RoleCount counts connections whose client and server were told apart so.
type RoleCount struct {
	Basis       flow.RoleBasis
	Connections uint64
}

// A Service is the line of one service.
type Service struct {
	Name     string // "" unknown
	Proven   bool   // by payload; else only the port suggests it
	Protocol string // tcp, udp, sctp, icmp …
	Port     uint16 // of the server; the busiest one when there are several
	HasPort  bool
	Others   []uint16 // the next busiest ports, at most 2
	Ports    uint64   // how many server ports were used
	Clients  uint64   // distinct client addresses
	Servers  uint64   // distinct server addresses

	ClientsApproximate bool // Clients is an estimate, within some percent
	ServersApproximate bool

	Tally Tally
	Setup Quantiles // SYN to ACK, what connect() felt

	ClientProcesses Processes // of connections whose client's process is known
	ServerProcesses Processes // likewise
}

// Doors counts the server endpoints of a capture, the address:port pairs that clients
// knocked at, and names the busiest one.
type Doors struct {
	Endpoints   uint64 // distinct (protocol, server address, server port)
	Entered     uint64 // of them, those with connections that worked
	Open        uint64 // of them, those that worked or at least sent a SYN-ACK
	Approximate bool   // these are lower bounds: there were too many to keep

	Busiest            netip.AddrPort // the endpoint with the most connections that worked; invalid when none did
	Protocol           string         // of Busiest: "tcp", "udp" …
	Service            string         // of Busiest, "~" before a name that only the port suggests; "" unknown
	Connections        uint64         // through Busiest that worked
	Clients            uint64         // distinct client addresses of them
	ClientsApproximate bool           // Clients is an estimate, within some percent
}

// Quantiles of durations. N is 0 when there was none.
type Quantiles struct {
	N             uint64
	P50, P95, P99 time.Duration
	Approximate   bool // within 1 %: there were too many samples to keep
}

// MaxTrouble is the number of lines of trouble that a Summary holds.
const MaxTrouble = 500

// A Severity orders trouble.
type Severity uint8

const (
	Note Severity = iota
	Warning
	Problem
)

// String is "note", "warning" or "problem".
func (s Severity) String() string { return [...]string{"note", "warning", "problem"}[s] }

// A Trouble is one line of what is wrong.
type Trouble struct {
	Kind     string // fixed word: "refused", "unanswered", "syn-flood", "port-scan", "host-scan", "unreachable", "reset", …
	Severity Severity
	Subject  string            // what it is about: an endpoint or a source, e.g. "tcp 192.0.2.1:443 (~https)"
	Text     string            // one sentence with the numbers
	Count    uint64            // connections concerned (frames for "damage", "drops", "undecodable"; of "kernel-incomplete" what is missing)
	AtLeast  bool              // Count is a lower bound: there was more trouble than could be kept apart
	Since    capture.Timestamp // when the first of them began

	// Until is when the last of them began; where the verdict comes with a later packet (refused, unreachable,
	// reset, aborted, mismatched, injected, zero window, packet too big), when the last of them ended.
	Until capture.Timestamp

	Frames []uint64 // evidence, at most 5

	Processes Processes // whose connections are concerned, or who is to blame, as far as that is known
}

// A TunnelCount sums the frames of the connections inside one tunnel. Beyond 1,000
// tunnels the rest is summed by kind, without addresses.
type TunnelCount struct {
	Kind   string     // "vxlan", "gre" …
	A, B   netip.Addr // outer addresses; invalid where the tunnel has none
	ID     uint32
	HasID  bool
	Frames uint64
	Bytes  uint64
}

// A Timeline is what happened when: equal intervals from first to last frame.
type Timeline struct {
	Start   capture.Timestamp
	Step    time.Duration
	Buckets []Bucket
}

// A Bucket is one interval of a Timeline, by the time of a connection's first packet.
type Bucket struct {
	Connections uint64
	Failed      uint64 // see Failed
}

// A Ledger shows that every frame and connection was counted exactly once
// (conservation: frames read = Σ of the lines below).
type Ledger struct {
	Frames      uint64
	Lines       []LedgerLine // in a fixed order, zero lines left out
	Connections uint64
	Outcomes    [flow.NumOutcomes]uint64
	Balanced    bool

	// Of the connections, when memory was short: how many were evicted and between which times,
	// how many times memory was short for these, and how many were over and told early.
	Evicted                    uint64
	EvictedSince, EvictedUntil capture.Timestamp // Unknown when there is none
	Shortages                  uint64
	Outlived                   uint64

	// DistinctTuples is about how many there were (protocol, both ends, virtual network) when
	// connections were evicted, with the standard error flow.TuplesError; else 0. What goes on
	// after it was evicted is another connection, but no other tuple.
	DistinctTuples uint64
}

// A LedgerLine is one way in which frames were counted.
type LedgerLine struct {
	Group  string // "tcp", "udp", "sctp", "icmp", "other-ip", "non-ip", "undecodable", "fragments", "filtered"
	Name   string // protocol, EtherType, reason; "" for the group as a whole
	Frames uint64
	Bytes  uint64
}
