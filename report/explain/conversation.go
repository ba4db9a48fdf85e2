package explain

import (
	"sockscope/capture"
	"sockscope/decode/flow"
)

// A Conversation is one connection, or what stands in its place where there are none:
// all that its two ends sent, in order.
type Conversation struct {
	Connection flow.Connection // as it was after its last frame

	// Steps are what the ends sent. Long phases in which nothing happens but data and their
	// acknowledgments are one Step, unless Config.Full.
	Steps []Step
	Left  uint64 // segments that came when there was no more room for steps

	// ClientStart and ServerStart are the states before the first step: what it takes for
	// the steps to be possible. StateNone where that is not known; TCP only.
	ClientStart, ServerStart flow.State

	// Calls are system calls that were seen at the ends, by time. Captures have none: then
	// Step.Calls says which calls must have been behind it.
	Calls []Call

	Header  []Note // who is who, and how that is known; what the ports are
	Before  []Call // calls that must have been made before the first step
	Verdict []Note // how it came out, how it ended, and why
}

// Began is when its first frame was captured.
func (c *Conversation) Began() capture.Timestamp { return c.Connection.First }

// A Call is a system call of one end.
type Call struct {
	Side   flow.Side
	Text   string            // "connect(3, 127.0.0.1:80) = 0"; of one that is inferred "connect()"
	Result string            // of one that is inferred, what it gives: "0", "ECONNREFUSED"; "" when that is no matter
	Time   capture.Timestamp // Unknown of one that is inferred
	At     Edge
}

// An Edge is the end of a call that is spoken of.
type Edge uint8

const (
	Starts  Edge = iota // the call is made: what follows is caused by it
	Returns             // the call returns: what came before released it
)
