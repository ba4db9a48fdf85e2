// Package lab makes the traffic of small experiments, each of which shows one thing about
// ports, sockets and connections: the system calls that programs make, and the frames that
// they cause.
//
// A lab runs with real sockets in two network namespaces of its own, a client and a server
// joined by a pair of interfaces, of which nothing is left afterwards. Where the system
// does not allow that, Make makes the same packet by packet from a script: the shape of
// what really happens, which a test compares with what really happens.
package lab

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"sockscope/capture"
)

// names has all labs in the order in which they are best read.
var names = []string{
	"handshake", "refused", "no-reply", "half-open", "simultaneous-open",
	"close", "half-close", "time-wait", "reset", "port-reuse",
	"retransmission", "zero-window",
	"udp", "udp-refused", "raw",
	"one-port-many-sockets", "stream-vs-datagram-vs-raw", "ports-and-ranges",
}

// Names lists the labs in the order in which they are best read.
func Names() []string { return slices.Clone(names) }

// The ends of a lab. Network is none: it is what loses frames, on purpose.
const (
	Client  = "client"
	Server  = "server"
	Network = "network"
)

// The addresses of the ends, of those that are for examples (RFC 5737).
const (
	ClientAddress = "192.0.2.1"
	ServerAddress = "192.0.2.2"
)

// A Record is what happened in a lab. Nothing of it changes any more.
type Record struct {
	Name   string
	Made   bool            // packet by packet from a script: nothing of it happened
	Calls  []Call          // in the order in which they were made
	Frames []capture.Frame // IPv4 as the client's interface saw it, by time; the memory is the Record's
	Tables []Table         // in the order in which they were read
}

// A Call is a system call that an end made. Its arguments are written as strace does,
// addresses shorter.
type Call struct {
	End    string // Client, Server or Network
	Name   string // "connect"; of Network "lose" or "deliver"
	Asked  string // as it was made: "accept(3, …)"; "" of Network
	Text   string // with what it gave through its arguments: "accept(3, 192.0.2.1:40000)"
	Result string // "4", "-1 ECONNREFUSED (connection refused)"; "" when it had not returned at the end
	Waits  bool   // it returns when something has arrived
	Begin  capture.Timestamp
	Done   capture.Timestamp // Unknown when it had not returned at the end
}

// A Table is the sockets of one end at one moment, as its kernel lists them.
type Table struct {
	End     string
	Time    capture.Timestamp
	Sockets []Socket
}

// A Socket is one of them. TIME-WAIT and SYN-RECEIVED are no process's: they have no inode.
type Socket struct {
	Protocol string // "tcp", "udp", "raw"
	State    string // RFC 9293's name; of the others "UNCONNECTED" or "CONNECTED"
	Local    string // address and port, of a raw socket the protocol number in its place
	Remote   string // "*" when there is none
	Received int    // bytes that nobody has read yet; of a listening socket, connections that nobody has accepted
	Sending  int    // bytes that are not acknowledged yet
	Inode    uint64 // 0: none
}

// An Event is one thing that happened, at one moment: exactly one of Call, Frame and Table
// is set.
type Event struct {
	Time    capture.Timestamp
	Call    *Call
	Returns bool // the Call returns; else it is made
	Whole   bool // it also returned before anything else happened, or at a moment that means nothing
	Frame   int  // number of a frame, from 1
	Table   *Table
}

// Events are all that happened, by time.
func (r *Record) Events() []Event {
	var events []Event
	for i := range r.Calls {
		c := &r.Calls[i]
		events = append(events, Event{Time: c.Begin, Call: c, Whole: !c.Waits})
		if c.Waits && c.Done.Known() {
			events = append(events, Event{Time: c.Done, Call: c, Returns: true})
		}
	}
	for i := range r.Frames {
		events = append(events, Event{Time: r.Frames[i].Time, Frame: i + 1})
	}
	for i := range r.Tables {
		events = append(events, Event{Time: r.Tables[i].Time, Table: &r.Tables[i]})
	}
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.Time, b.Time) })
	whole := events[:0]
	for i := 0; i < len(events); i++ {
		e := events[i]
		if c := e.Call; c != nil && i+1 < len(events) && events[i+1].Call == c {
			e.Whole = true
			i++
		}
		whole = append(whole, e)
	}
	return whole
}

// Source gives the frames of r to those who read captures.
func (r *Record) Source() capture.Source { return &source{run: r} }

// A source has one block, with all frames.
type source struct {
	run  *Record
	read bool
}

func (s *source) Next(b *capture.Block) error {
	b.Frames = b.Frames[:0]
	if s.read {
		return io.EOF
	}
	s.read = true
	b.Number, b.First, b.Now = 0, 1, 0
	b.Frames = append(b.Frames, s.run.Frames...)
	return nil
}

func (s *source) Release(*capture.Block) {}
func (s *source) Close() error           { return nil }

func (s *source) Stats() capture.Stats {
	in := capture.Input{Name: "lab " + s.run.Name, Format: "live"}
	description := "lab " + s.run.Name + ": real sockets in a network namespace"
	if s.run.Made {
		in.Format = "made"
		description = "lab " + s.run.Name + ": made packet by packet, nothing of it happened"
	}
	if s.read {
		for i := range s.run.Frames {
			in.Frames++
			in.Bytes += uint64(s.run.Frames[i].Length)
			in.Captured += uint64(len(s.run.Frames[i].Data))
		}
	}
	return capture.Stats{
		Inputs:     []capture.Input{in},
		Interfaces: []capture.Interface{{Name: Client, Description: description, Link: capture.LinkEthernet, Resolution: 1}},
	}
}

// A NameError is the error for a lab that there is none of.
type NameError struct{ Name string }

func (e *NameError) Error() string { return fmt.Sprintf("no lab %q", e.Name) }

// quoted is data as strace shows it: the beginning of what is long.
func quoted(data []byte) string {
	const most = 12 // bytes
	if len(data) <= most {
		return fmt.Sprintf("%q", data)
	}
	return fmt.Sprintf("%q...", data[:most])
}

// settled is how long frames that a call has caused may take to be seen, before the next
// call is made: otherwise one would not see which call they belong to.
const settled = 5 * time.Millisecond
