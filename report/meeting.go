package report

import (
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A meeting is what the wire showed of a TCP socket that the kernel still has: its last
// connection, since ports are used again.
type meeting struct {
	side     flow.Side // of this host; Neither: the wire showed nothing
	group    *serviceGroup
	owner    capture.Owner // of the socket, where the capture knows it
	first    capture.Timestamp
	last     capture.Timestamp
	frame    uint64
	outcome  flow.Outcome
	close    flow.Close
	closedBy flow.Side
	syns     uint32 // of this host, when it is the client
	answers  uint32 // SYN-ACKs and RSTs of the server
	payload  bool   // of the client
	isPart   bool   // it goes on from what was evicted: what came before is not in it
}

// newMeeting is a connection of which this host is one side.
func newMeeting(c *flow.Connection, g *serviceGroup, side flow.Side, owners *[2]capture.Owner) meeting {
	return meeting{
		side: side, group: g, owner: owners[ownerEnd(side)],
		first: c.First, last: c.Last, frame: verdictOf(c),
		outcome: c.Outcome, close: c.Close, closedBy: c.ClosedBy,
		syns: c.SYNCount, answers: c.ToClient.SYNACKs + c.ToClient.RSTs, payload: c.ToServer.Payload > 0, isPart: c.PartOf != 0,
	}
}

// A contradiction is where the kernel's state of a socket does not fit what the wire
// showed, or where it lasts longer than it should.
type contradiction uint8

const (
	noContradiction contradiction = iota
	replyDropped
	synNotSent
	ackNotSent
	ackDropped
	resetIgnored
	resetForged
	finIgnored
	notClosed
	finUnanswered
)

// lastResends is from how many retransmissions on a closing socket is told: one or two
// are made up for.
const lastResends = 3

// A span of the capture within which a contradiction is looked for.
type coverage struct {
	first, last capture.Timestamp // of all frames
	lossless    bool              // the capturing side lost none
}

// contradicts compares a socket with what the wire showed of it. The kernel was asked
// after the last frame, so what it has not taken by then, it will not take.
func (k *kernel) contradicts(s *capture.Socket, m *meeting, t *coverage) contradiction {
	switch s.State {
	case "SYN-SENT":
		switch {
		case s.Retransmits == 0:
		case m.side == flow.ClientSide && m.answers > 0:
			if m.outcome != flow.Mismatched {
				return replyDropped
			}
		case k.lacksSYNs(s, m, t):
			return synNotSent
		}
	case "SYN-RECEIVED":
		if m.side == flow.ServerSide && m.outcome == flow.Complete {
			return ackDropped
		}
	case "ESTABLISHED":
		if m.side == flow.ClientSide && m.outcome == flow.HalfOpen && m.answers > 1 && k.holdsAll() && t.lossless {
			return ackNotSent
		}
		return m.endsUnnoticed()
	case "CLOSE-WAIT":
		if s.Inode != 0 && k.since(m, t) >= answerTime {
			return notClosed
		}
	case "FIN-WAIT-1", "CLOSING", "LAST-ACK":
		if s.Retransmits >= lastResends {
			return finUnanswered
		}
	}
	return noContradiction
}

// endsUnnoticed tells how the wire ended a connection that the kernel still has.
func (m *meeting) endsUnnoticed() contradiction {
	byPeer := m.closedBy != m.side
	switch {
	case m.side == flow.Neither || m.closedBy == flow.Neither:
	case m.close == flow.Reset && !byPeer:
		return resetForged
	case (m.close == flow.Reset || m.close == flow.ResetAfterFin) && byPeer:
		return resetIgnored
	case m.close == flow.Fin, m.close == flow.HalfClose && byPeer:
		return finIgnored
	}
	return noContradiction
}

// lacksSYNs reports whether the wire shows fewer SYNs than the kernel has sent, although
// the capture held all: it began before the first of them, even if each was sent twice as
// long after the one before (RFC 6298 §5.5), and nothing was lost or left out.
func (k *kernel) lacksSYNs(s *capture.Socket, m *meeting, t *coverage) bool {
	const doublings = 30 // longer than any kernel tries
	length, known := t.last.Sub(t.first)
	if !known || !t.lossless || k.filtered || m.isPart || m.side == flow.Neither && !k.holdsAll() || s.Retransmits > doublings {
		return false
	}
	return length >= answerTime<<(s.Retransmits+1) && m.syns < uint32(s.Retransmits)+1
}

// since is how long nothing was heard of a socket, at least.
func (k *kernel) since(m *meeting, t *coverage) time.Duration {
	from := m.last
	if m.side == flow.Neither {
		if !k.holdsAll() {
			return 0
		}
		from = t.first
	}
	d, _ := t.last.Sub(from)
	return d
}
