package explain

import (
	"net/netip"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// A trace follows one connection. Who is its client may turn out late, so until the end
// sides are counted from who seemed to be the client at first.
type trace struct {
	cfg   *Config
	id    uint64 // 0: not known
	begun bool
	first netip.AddrPort // who seemed to be the client
	was   flow.Connection
	now   flow.Connection // after the last frame
	sides [2]side         // the first one is of who seemed to be the client
	folder
}

// frame takes a frame that is about the connection.
func (t *trace) frame(number uint64, f *capture.Frame, p *decode.Packet, s *flow.Subject) {
	t.was = t.now
	sender := s.Connection(&t.now)
	if !t.begun {
		t.begun, t.first = true, t.now.Client
	}
	step := Step{
		Frame: number, Time: f.Time, Length: f.Length, Payload: uint32(p.PayloadLength), More: p.MoreFrags && p.Class != decode.Fragment,
		FromClient: (sender == flow.ClientSide) != t.turned(&t.now),
	}
	if t.was.FirstFrame != 0 {
		step.Before = t.ends(&t.was)
	}
	step.After = t.ends(&t.now)
	switch {
	case s.Quoted:
		step.Kind, step.Outer = ICMPError, true
		step.FromClient = !step.FromClient // it goes to who sent what could not be delivered
		step.ICMP = newMessage(p)
		if t.now.Outcome == flow.Unreachable && t.was.Outcome != flow.Unreachable {
			step.Marks |= Decides
		}
	case p.Class == decode.Fragment:
		step.Kind, step.Marks = Fragment, Ordinary
	case p.Class == decode.TCP && !p.TCPHeader:
		step.Kind, step.Marks = Cut, Ordinary
	case p.Class == decode.TCP:
		t.segment(&step, p)
	case p.Class == decode.SCTP:
		t.packet(&step, p)
	case p.Class == decode.ICMP:
		step.Kind, step.ICMP, step.Marks = ICMP, newMessage(p), Ordinary
	default:
		step.Kind, step.Marks = Datagram, Ordinary
	}
	t.add(step, t.cfg)
}

// packet takes an SCTP packet. DATA and SACK are its everyday life.
func (t *trace) packet(step *Step, p *decode.Packet) {
	step.Kind = Packet
	step.SCTP = &Chunks{Bits: p.SCTPChunkBits, Tag: p.SCTPTag, Init: p.SCTPInitTag}
	if t.was.FirstFrame != 0 && (t.now.SYNCount > t.was.SYNCount && t.was.SYNCount > 0 || t.now.SYNACKCount > t.was.SYNACKCount && t.was.SYNACKCount > 0) {
		step.Marks |= Retransmitted
	}
	if p.SCTPChunkBits&^(chunkData|chunkSACK) == 0 && step.Marks == 0 {
		step.Marks |= Ordinary
	}
}

func newMessage(p *decode.Packet) *Message {
	return &Message{Version: p.Version, Type: p.ICMPType, Code: p.ICMPCode, From: p.Src.Netip(p.Version).String()}
}

// turned reports whether c's client is not who seemed to be it at first.
func (t *trace) turned(c *flow.Connection) bool { return c.Client != t.first }

// ends are the states of both ends, as sides are counted.
func (t *trace) ends(c *flow.Connection) Ends {
	if t.turned(c) {
		return Ends{c.ServerState, c.ClientState}
	}
	return Ends{c.ClientState, c.ServerState}
}

// sent is what a side sent until c, as sides are counted.
func (t *trace) sent(c *flow.Connection, fromClient bool) *flow.Direction {
	if fromClient != t.turned(c) {
		return &c.ToServer
	}
	return &c.ToClient
}

// finish makes the conversation of what was seen.
func (t *trace) finish() Conversation {
	t.flush(t.cfg)
	c := Conversation{Connection: t.now, Steps: t.steps, Left: t.left}
	c.Connection.ID = t.id
	if t.turned(&t.now) {
		for i := range c.Steps {
			c.Steps[i].turn()
		}
	}
	c.begin()
	c.comment()
	return c
}

// turn takes the step's client for the server, and the other way round.
func (s *Step) turn() {
	s.FromClient = !s.FromClient
	s.Before = Ends{s.Before.Server, s.Before.Client}
	s.After = Ends{s.After.Server, s.After.Client}
	if s.Run != nil {
		s.Run.ToServer, s.Run.ToClient = s.Run.ToClient, s.Run.ToServer
	}
}
