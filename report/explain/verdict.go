package explain

import (
	"slices"

	"sockscope/decode"
	"sockscope/decode/flow"
)

// judge says how the conversation came out, how it ended and why, with the frames that show
// it.
func (c *Conversation) judge() {
	c.outcome()
	if c.Connection.Close != flow.NoClose && c.Connection.Close != flow.Never {
		c.closing()
	}
	c.oddities()
	if c.Left > 0 {
		c.conclude("explain.left", "", int(c.Left))
	}
}

// SetupKey is the key of the note that says how long the handshake took. That is not how long
// connect() took: who has seen the call can say that instead.
const SetupKey = "explain.setup-frames"

func (c *Conversation) conclude(key, rfc string, args ...any) {
	c.Verdict = append(c.Verdict, Note{key, args, rfc})
}

// outcome says how the attempt came out. TCP, SCTP and the rest have sentences of their own.
func (c *Conversation) outcome() {
	r := &c.Connection
	key := "explain.outcome-" + r.Outcome.String()
	if r.Outcome == flow.Unanswered && r.ToClient.Packets > 0 && (r.Protocol == protoTCP || r.Protocol == protoSCTP) {
		key += "-other" // something came back
	}
	switch {
	case r.Protocol == protoSCTP:
		c.conclude(key+"-sctp", "RFC 9260 §5.1")
	case r.Protocol != protoTCP:
		c.conclude(key+"-datagram", "", int(r.ToServer.Packets), int(r.ToClient.Packets))
	case r.Outcome == flow.Complete:
		if r.Flags&flow.Simultaneous != 0 {
			key += "-simultaneous"
		}
		c.conclude(key, "RFC 9293 §3.5", Number(r.SYNFrame), Number(r.SYNACKFrame), Number(r.ACKFrame))
		if r.Setup != flow.NoDuration {
			c.conclude(SetupKey, "", r.Setup)
		}
	case r.Outcome == flow.Refused:
		c.conclude(key, "RFC 9293 §3.5.2", Number(r.SYNFrame), Number(r.VerdictFrame), Number(r.Server.Port()))
	case r.Outcome == flow.Unreachable:
		from := ""
		if r.HasICMP {
			from = r.ICMPFrom.String()
		}
		c.conclude(key, "RFC 9293 §3.9.2.2", Number(r.SYNFrame), Number(r.VerdictFrame), from)
	case r.Outcome == flow.Unanswered:
		c.conclude(key, "RFC 9293 §3.8.3", int(r.SYNCount))
	case r.Outcome == flow.HalfOpen:
		c.conclude(key, "RFC 9293 §3.5", Number(r.SYNFrame), Number(r.SYNACKFrame))
	case r.Outcome == flow.Aborted:
		c.conclude(key, "RFC 9293 §3.5.2", Number(r.SYNACKFrame), r.ClosedBy)
	default: // mismatched, reply-only, implied, midstream
		c.conclude(key, "RFC 9293 §3.5")
	}
}

// closing says how it ended.
func (c *Conversation) closing() {
	r := &c.Connection
	key := "explain.close-" + r.Close.String()
	switch {
	case r.Protocol == protoSCTP:
		c.conclude(key+"-sctp", "RFC 9260 §9")
	case r.Close == flow.Open || r.Close == flow.Idle || r.Close == flow.Evicted || r.ClosedBy == flow.Neither:
		if r.ClosedBy == flow.Neither && (r.Close == flow.Fin || r.Close == flow.HalfClose || r.Close == flow.Reset || r.Close == flow.ResetAfterFin) {
			return // who began it is not in the capture
		}
		c.conclude(key, "")
	case r.Close == flow.Fin && c.closedAtOnce():
		c.conclude("explain.close-fin-both"+c.losses(), "RFC 9293 §3.6")
		c.conclude("explain.time-wait-both", "RFC 9293 §3.6.1")
	default:
		if r.Close == flow.Fin {
			key += c.losses()
		}
		c.conclude(key, "RFC 9293 §3.6", r.ClosedBy, other(r.ClosedBy))
		first := r.ClientState
		if r.ClosedBy == flow.ServerSide {
			first = r.ServerState
		}
		if r.Close == flow.Fin && first == flow.TimeWait {
			c.conclude("explain.time-wait", "RFC 9293 §3.6.1", r.ClosedBy)
		}
	}
}

// closedAtOnce reports whether both ends sent their FIN before they had the other's: then both
// come to TIME-WAIT, one or both by CLOSING (RFC 9293 §3.6).
func (c *Conversation) closedAtOnce() bool {
	waits := func(s flow.State) bool { return s == flow.TimeWait || s == flow.Closing }
	return waits(c.Connection.ClientState) && waits(c.Connection.ServerState)
}

// losses is what the key of an end in order has behind it where something may have got lost
// on the way: it was sent again, or is not in the capture, so that nobody can tell.
func (c *Conversation) losses() string {
	r := &c.Connection
	toServer, _ := c.resent(flow.ClientSide, &r.ToServer)
	toClient, _ := c.resent(flow.ServerSide, &r.ToClient)
	if toServer+toClient > 0 || r.ToServer.Missing+r.ToClient.Missing > 0 {
		return "-in-the-end"
	}
	return ""
}

func other(s flow.Side) flow.Side {
	if s == flow.ClientSide {
		return flow.ServerSide
	}
	return flow.ClientSide
}

// flagKeys are the flags that change how the outcome is to be read.
var flagKeys = []struct {
	flag     flow.FlagSet
	key, rfc string
}{
	{flow.Simultaneous, "explain.flag-simultaneous", "RFC 9293 §3.5"},
	{flow.FastOpen, "explain.flag-fast-open", "RFC 7413 §2"},
	{flow.FastOpenIgnored, "explain.flag-fast-open-ignored", "RFC 7413 §4.2"},
	{flow.SYNACKMismatch, "explain.flag-synack-mismatch", "RFC 9293 §3.10.7.3"},
	{flow.Reordered, "explain.flag-reordered", ""},
	{flow.ReusedOpen, "explain.flag-reused-open", "RFC 9293 §3.6.1"},
	{flow.OneWay, "explain.flag-one-way", ""},
	{flow.RSTInjected, "explain.flag-rst-injected", "RFC 5961 §3"},
	{flow.MPTCP, "explain.flag-mptcp", "RFC 8684 §2"},
	{flow.ECN, "explain.flag-ecn", "RFC 3168 §6.1"},
	{flow.Wrapped, "explain.flag-wrapped", "RFC 9293 §3.4"},
}

// oddities says what else there was to see.
func (c *Conversation) oddities() {
	r := &c.Connection
	for _, f := range flagKeys {
		if r.Flags&f.flag != 0 {
			c.conclude(f.key, f.rfc)
		}
	}
	for _, d := range []struct {
		from flow.Side
		sent *flow.Direction
	}{{flow.ClientSide, &r.ToServer}, {flow.ServerSide, &r.ToClient}} {
		if n, first := c.resent(d.from, d.sent); n > 0 {
			c.conclude("explain.resent", "RFC 6298", int(n), d.from, Number(first))
		}
		if n := d.sent.ZeroWindows; n > 0 {
			c.conclude("explain.full", "RFC 9293 §3.8.6", int(n), d.from, Number(d.sent.ZeroWindowFrame))
		}
		if n := d.sent.Missing; n > 0 {
			c.conclude("explain.missing", "", Size(n), d.from)
		}
	}
}

// resent is how many segments a side sent again, and the first one's frame. That counts the
// SYN-ACK of a simultaneous open, too, which has the number of the SYN before it; but it is
// prescribed (RFC 9293 §3.5), and no timer was behind it.
func (c *Conversation) resent(from flow.Side, sent *flow.Direction) (n, first uint64) {
	n, first = sent.Retransmissions, sent.RetransmissionFrame
	if n == 0 || c.Connection.Flags&flow.Simultaneous == 0 {
		return n, first
	}
	prescribed := func(s *Step) bool {
		return s.Sender() == from && s.Has(Simultaneous) && s.HasFlags(decode.SYN|decode.ACK) && !s.Has(Retransmitted|OutOfOrder)
	}
	i := slices.IndexFunc(c.Steps, func(s Step) bool { return prescribed(&s) })
	if i < 0 {
		return n, first
	}
	if first == c.Steps[i].Frame {
		if j := slices.IndexFunc(c.Steps, func(s Step) bool { return s.Sender() == from && s.Has(Retransmitted) }); j >= 0 {
			first = c.Steps[j].Frame
		}
	}
	return n - 1, first
}
