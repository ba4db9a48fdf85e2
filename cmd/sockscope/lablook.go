package main

import (
	"net/netip"
	"time"

	"sockscope/capture/lab"
	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/service"
)

// A labDocument is a lab with what came of its connections.
type labDocument struct {
	*lab.Record
	conversations []explain.Conversation
	steps         []labStep // of each frame
	brief         bool      // without sentences
	written       string    // name of the file with its packets; "": none
}

// A labStep is what a frame is in its conversation; nil when it is in none.
type labStep struct {
	*explain.Step
	of *explain.Conversation
}

// newLabDocument looks at the frames of r as explain does.
func newLabDocument(r *lab.Record) *labDocument {
	d := &labDocument{Record: r, steps: make([]labStep, len(r.Frames))}
	t := explain.NewTracer(explain.Config{Flow: flow.Config{Classify: classify, Registered: service.Registered}, Full: true}, nil)
	for i := range r.Frames {
		t.Frame(uint64(i+1), &r.Frames[i])
	}
	for _, c := range t.Conversations() {
		if c.Connection.IsICMP && c.Connection.Type == icmpUnreachable {
			continue // it is told with the connection that it is about
		}
		d.conversations = append(d.conversations, c)
	}
	for i := range d.conversations {
		c := &d.conversations[i]
		for j := range c.Steps {
			if s := &c.Steps[j]; s.Frame >= 1 && s.Frame <= uint64(len(d.steps)) {
				d.steps[s.Frame-1] = labStep{s, c}
			}
		}
	}
	return d
}

// icmpUnreachable is the type of ICMP errors that say so (RFC 792).
const icmpUnreachable = 3

// connectTook is how long the connect() of c's client took, which sent the SYN: only who saw
// the call can tell. false where the packets are made, and so are the times.
func (d *labDocument) connectTook(c *flow.Connection) (took time.Duration, ok bool) {
	if d.Made || c.SYNFrame == 0 || c.SYNFrame > uint64(len(d.Frames)) {
		return 0, false
	}
	end, sent := lab.Client, d.Frames[c.SYNFrame-1].Time
	if c.Client.Addr().String() == lab.ServerAddress {
		end = lab.Server
	}
	for i := range d.Calls {
		call := &d.Calls[i]
		if call.End == end && call.Name == "connect" && call.Result == "0" && call.Begin <= sent && call.Done.Known() && sent <= call.Done {
			return call.Done.Sub(call.Begin)
		}
	}
	return 0, false
}

// states are those of both ends that the step changes, as "CLOSED → SYN-SENT"; "" where
// it changes nothing, and for an address that neither end has: nobody is there in a state.
func (s labStep) states() (client, server string) {
	change := func(before, after flow.State) string {
		if before == after || after == flow.StateNone {
			return ""
		}
		if before == flow.StateNone {
			return after.String()
		}
		return before.String() + " → " + after.String()
	}
	r := &s.of.Connection
	if isLabEnd(r.Client) {
		client = change(s.Before.Client, s.After.Client)
	}
	if isLabEnd(r.Server) {
		server = change(s.Before.Server, s.After.Server)
	}
	return client, server
}

// isLabEnd reports whether one of the ends has the address. Others are made up, by who writes
// packets through a raw socket or calls a host that does not exist.
func isLabEnd(a netip.AddrPort) bool {
	text := a.Addr().String()
	return text == lab.ClientAddress || text == lab.ServerAddress
}
