package explain

import (
	"slices"
	"strconv"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// begin fills in what must have been before the first step.
func (c *Conversation) begin() {
	r := &c.Connection
	call := func(side flow.Side, texts ...string) {
		for _, text := range texts {
			c.Before = append(c.Before, Call{Side: side, Text: text, Time: capture.Unknown})
		}
	}
	switch {
	case r.Protocol == protoTCP && r.SYNFrame != 0:
		c.ClientStart = flow.Closed
		call(flow.ClientSide, "socket()")
		switch {
		case r.Flags&flow.Simultaneous != 0:
			c.ServerStart = flow.Closed
			call(flow.ServerSide, "socket()", "bind()")
		case r.SYNACKFrame != 0:
			c.ServerStart = flow.Listen
			call(flow.ServerSide, "socket()", "bind()", "listen()", "accept()")
		case r.Outcome == flow.Refused:
			c.ServerStart = flow.Closed
		}
		for i := range c.Steps {
			for _, e := range []*Ends{&c.Steps[i].Before, &c.Steps[i].After} {
				if e.Client == flow.StateNone {
					e.Client = c.ClientStart
				}
				if e.Server == flow.StateNone {
					e.Server = c.ServerStart
				}
			}
		}
	case r.Protocol == protoSCTP && r.SYNFrame != 0:
		call(flow.ClientSide, "socket()")
		if r.SYNACKFrame != 0 {
			call(flow.ServerSide, "socket()", "bind()", "listen()", "accept()")
		}
	case r.HasPorts && r.Protocol != protoTCP && r.Protocol != protoSCTP:
		call(flow.ClientSide, "socket()")
		if c.isTold() {
			call(flow.ClientSide, "connect()")
		}
		if r.ToClient.Packets > 0 {
			call(flow.ServerSide, "socket()", "bind()")
		}
	}
}

// IP protocol numbers.
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// A commentator says what each step is for. What is said for the first time is said at
// length.
type commentator struct {
	*Conversation
	said      map[string]bool
	closed    [2]bool   // a side has sent its FIN
	closing   [2]string // by which call
	opening   [2]string // the call that sent a side's SYN
	talker    flow.Side // who sent data first
	sending   flow.Side // who sent data last: what it sends more may be of the same send()
	dups      [2]int    // duplicate ACKs in a row
	connected bool      // the client's datagram socket
	accepted  bool      // the server's program has the connection before the handshake is over
}

// comment fills in calls and notes.
func (c *Conversation) comment() {
	k := &commentator{Conversation: c, said: map[string]bool{}, closing: c.closingCalls(), connected: c.isTold()}
	for i := range c.Steps {
		s := &c.Steps[i]
		switch s.Kind {
		case Segment:
			k.segment(s)
		case Datagram:
			k.datagram(s)
		case Packet:
			k.packet(s)
		case ICMP:
			k.message(s)
		case ICMPError:
			k.error(s)
		case Fragment:
			k.note(s, "explain.fragment", "RFC 791 §3.2")
		case Cut:
			k.note(s, "explain.cut", "")
		}
	}
	c.unread()
	c.introduce()
	c.judge()
}

// unread takes back what was inferred of a program, that it had read what came, where its
// kernel's next announcement shows that it had not: the room shrank by all that it
// acknowledges.
func (c *Conversation) unread() {
	for i := range c.Steps {
		s := &c.Steps[i]
		who := s.Receiver()
		recv := slices.IndexFunc(s.Calls, func(c Call) bool {
			return c.Side == who && c.At == Returns && c.Text == "recv()" && s.Has(Delivers) && c.Result != "0"
		})
		if recv >= 0 && c.shrank(i) {
			s.Calls = slices.Delete(s.Calls, recv, recv+1)
		}
	}
}

// shrank reports whether the receiver of step i had less room afterwards by all that it had
// acknowledged meanwhile. Where the SYNs are missing a window may be in any unit, and only 0
// says so.
func (c *Conversation) shrank(i int) bool {
	s := &c.Steps[i]
	who := s.Receiver()
	tells := func(o *Step) bool {
		return o.Kind == Segment && o.Sender() == who && o.HasFlags(decode.ACK) && !o.HasFlags(decode.RST)
	}
	var then *Step
	for j := i + 1; j < min(len(c.Steps), i+recentSegments) && then == nil; j++ {
		switch o := &c.Steps[j]; {
		case o.Kind == Folded:
			return false
		case tells(o) && o.Has(ZeroWindow):
			return true
		case tells(o) && !after(s.end(), o.Ack):
			then = o
		}
	}
	if then == nil || c.Connection.SYNFrame == 0 || c.Connection.SYNACKFrame == 0 {
		return false
	}
	for j := i - 1; j >= max(0, i-recentSegments) && c.Steps[j].Kind != Folded; j-- {
		if o := &c.Steps[j]; tells(o) {
			acked := then.Ack - o.Ack
			return o.room() >= then.room() && o.room()-then.room() >= acked
		}
	}
	return false
}

// note adds a note whose first two arguments are who sent the step and whom it is for.
func (k *commentator) note(s *Step, key, rfc string, args ...any) {
	k.said[key] = true
	s.Notes = append(s.Notes, Note{key, append([]any{s.Sender(), s.Receiver()}, args...), rfc})
}

// once adds such a note the first time at length, and then a shorter one.
func (k *commentator) once(s *Step, key, rfc string, args ...any) {
	if k.said[key] {
		key, rfc = key+"-more", ""
	}
	k.note(s, key, rfc, args...)
}

func (s *Step) call(side flow.Side, at Edge, text, result string) {
	s.Calls = append(s.Calls, Call{Side: side, Text: text, Result: result, Time: capture.Unknown, At: at})
}

// segment says what a TCP segment is for: what it is first, and then what is special.
func (k *commentator) segment(s *Step) {
	switch s.Flags & (decode.SYN | decode.ACK | decode.RST) {
	case decode.SYN:
		k.syn(s)
	case decode.SYN | decode.ACK:
		k.synack(s)
	case decode.RST, decode.RST | decode.ACK, decode.SYN | decode.RST, decode.SYN | decode.RST | decode.ACK:
		k.rst(s)
	default:
		k.later(s)
	}
	k.opened(s)
	if s.Has(Gap) {
		k.once(s, "explain.gap", "RFC 9293 §3.10.7.4")
	}
	k.room(s)
	k.duplicates(s)
}

// opened says which calls return because the connection is open for an end now.
func (k *commentator) opened(s *Step) {
	opens := func(before, after flow.State) bool {
		return (before == flow.SYNSent || before == flow.SYNReceived) && after == flow.Established
	}
	if opens(s.Before.Client, s.After.Client) {
		k.openingReturns(s, flow.ClientSide, "0")
	}
	switch {
	case !opens(s.Before.Server, s.After.Server) || k.accepted:
	case k.ServerStart == flow.Listen:
		s.call(flow.ServerSide, Returns, "accept()", "")
	case k.ServerStart == flow.Closed:
		k.openingReturns(s, flow.ServerSide, "0")
	}
}

// The calls that open a connection.
const (
	callConnect  = "connect()"
	callFastOpen = "sendto(MSG_FASTOPEN)"
)

// openingReturns says that the call returns that had sent a side's SYN. For sendto() success
// is the number of bytes, which may be more than went with the SYN.
func (k *commentator) openingReturns(s *Step, side flow.Side, result string) {
	call := k.opening[sideOf(side)]
	switch {
	case call == "":
		call = callConnect // its SYN is not in the capture
	case call == callFastOpen && result == "0":
		result = ""
	}
	s.call(side, Returns, call, result)
}

func (k *commentator) syn(s *Step) {
	switch {
	case s.Has(Retransmitted):
		k.once(s, "explain.syn-again", "RFC 6298 §5")
		return
	case s.Has(Simultaneous):
		k.note(s, "explain.syn-simultaneous", "RFC 9293 §3.5")
	default:
		k.note(s, "explain.syn", "RFC 9293 §3.5")
	}
	if s.Has(EarlyData) {
		k.note(s, "explain.syn-data", "RFC 7413 §2", Size(s.Payload))
		k.opening[sideOf(s.Sender())] = callFastOpen
	} else {
		k.opening[sideOf(s.Sender())] = callConnect
	}
	s.call(s.Sender(), Starts, k.opening[sideOf(s.Sender())], "")
}

func (k *commentator) synack(s *Step) {
	switch {
	case s.Has(Mismatch):
		k.note(s, "explain.synack-mismatch", "RFC 9293 §3.10.7.3")
		return
	case s.Has(Retransmitted):
		k.once(s, "explain.synack-again", "RFC 6298 §5")
		return
	case s.Has(Simultaneous):
		k.note(s, "explain.synack-simultaneous", "RFC 9293 §3.5")
		return
	case s.Has(EarlyDataTaken):
		k.note(s, "explain.synack-early", "RFC 9293 §3.5")
	default:
		k.note(s, "explain.synack", "RFC 9293 §3.5")
	}
	switch {
	case s.Has(EarlyDataTaken):
		k.note(s, "explain.early-taken", "RFC 7413 §4.2")
		k.accepted = true
		s.call(s.Sender(), Returns, "accept()", "")
		s.call(s.Sender(), Returns, "recv()", "")
	case s.Has(EarlyDataLeft):
		k.note(s, "explain.early-left", "RFC 7413 §4.2")
	}
}

func (k *commentator) rst(s *Step) {
	waits := !s.FromClient && s.Before.Client == flow.SYNSent
	answered := k.Connection.SYNACKFrame != 0 && k.Connection.SYNACKFrame < s.Frame
	switch {
	case s.Has(Refuses) && s.Acks == nil && !(s.HasRelAck && s.RelAck == 1): // of a SYN with data maybe only the SYN
		k.note(s, "explain.rst-refuses-bare", "RFC 9293 §3.10.7.3")
	case s.Has(Refuses):
		k.note(s, "explain.rst-refuses", "RFC 9293 §3.5.2")
		k.openingReturns(s, s.Receiver(), "ECONNREFUSED")
	case k.said["explain.rst"]:
		k.note(s, "explain.rst-more", "")
	case s.FromClient && s.Before.Client == flow.SYNSent:
		k.note(s, "explain.rst-aborts", "RFC 9293 §3.5.2")
	case k.closed[sideOf(s.Sender())] || s.Before.Client == flow.Closed || s.Before.Server == flow.Closed:
		k.note(s, "explain.rst-late", "RFC 9293 §3.5.2")
	case waits && !answered:
		k.once(s, "explain.rst-ignored", "RFC 9293 §3.10.7.3")
	case waits: // connect() may have returned already, or fails now: that is not to be seen
		k.note(s, "explain.rst", "RFC 9293 §3.5.3")
	default:
		k.note(s, "explain.rst", "RFC 9293 §3.5.3")
		s.call(s.Receiver(), Returns, "recv()", "ECONNRESET")
	}
}

func sideOf(s flow.Side) int {
	if s == flow.ServerSide {
		return 1
	}
	return 0
}

// later says what a segment without SYN and RST is for.
func (k *commentator) later(s *Step) {
	switch {
	case s.Has(KeepAlive):
		k.once(s, "explain.keep-alive", "RFC 9293 §3.8.4")
		return
	case s.Has(Probe):
		key := "explain.probe"
		if s.Payload == 0 {
			key = "explain.probe-old"
		}
		k.once(s, key, "RFC 9293 §3.8.6.1")
		return
	case s.Has(Retransmitted):
		k.once(s, "explain.again", "RFC 9293 §3.8.1", Size(s.Payload))
	case s.Has(OutOfOrder):
		k.once(s, "explain.overtaken", "RFC 9293 §3.10.7.4")
	case s.Has(Handshake):
		k.note(s, "explain.ack-open", "RFC 9293 §3.5")
	}
	switch {
	case s.HasFlags(decode.FIN):
		k.fin(s)
	case s.Payload > 0 && !s.Has(Retransmitted|OutOfOrder): // else it is said already
		key := "explain.data"
		if k.talker == flow.Neither {
			k.talker = s.Sender()
		}
		if s.Sender() != k.talker && !k.said["explain.data-back"] {
			key = "explain.data-back"
		}
		k.once(s, key, "RFC 9293 §3.4", Size(s.Payload))
		if k.sending != s.Sender() {
			s.call(s.Sender(), Starts, "send()", "")
		}
		k.sending = s.Sender()
	}
	if s.Has(Delivers) && k.reads(s.Receiver()) {
		result := ""
		if !s.Has(Retransmitted | OutOfOrder) { // else together with what was there already
			result = strconv.FormatUint(uint64(s.Payload), 10)
		}
		s.call(s.Receiver(), Returns, "recv()", result)
	}
	switch {
	case s.Has(AcksFIN):
		k.acksFIN(s)
	case s.Has(KeepAliveACK):
		k.once(s, "explain.keep-alive-ack", "RFC 9293 §3.8.4")
	case s.Flags&decode.ACK == 0:
		k.once(s, "explain.no-ack", "RFC 9293 §3.1")
	case len(s.Notes) == 0 && !s.Has(ZeroWindow|WindowOpens|WindowUpdate|DuplicateACK):
		k.once(s, "explain.ack", "RFC 9293 §3.4")
	}
}

func (k *commentator) fin(s *Step) {
	me, peer := sideOf(s.Sender()), sideOf(s.Receiver())
	switch {
	case k.closed[me]:
		if !s.Has(Retransmitted) {
			k.once(s, "explain.fin-again", "RFC 9293 §3.8.1")
		}
		return
	case k.closed[peer]:
		k.note(s, "explain.fin-second", "RFC 9293 §3.6")
	default:
		k.note(s, "explain.fin", "RFC 9293 §3.6")
	}
	k.closed[me] = true
	if s.Payload > 0 {
		k.note(s, "explain.fin-data", "", Size(s.Payload))
	}
	s.call(s.Sender(), Starts, k.closing[me], "")
	if k.reads(s.Receiver()) {
		s.call(s.Receiver(), Returns, "recv()", "0")
	}
}

// What an end may have called to send its FIN. Who called close() cannot receive any more.
const (
	callClose    = "close()"
	callShutdown = "shutdown()"
	callEither   = "close() or shutdown()"
)

// reads reports whether a side's program can still be there to receive: it has not sent its
// FIN, or did that with shutdown().
func (k *commentator) reads(side flow.Side) bool {
	return !k.closed[sideOf(side)] || k.closing[sideOf(side)] == callShutdown
}

// closingCalls are the calls behind both ends' FINs. What comes afterwards tells them apart: a
// kernel acknowledges data for a socket that was shut down with SHUT_WR, and answers them with
// RST when the socket is closed (RFC 9293 §3.6, RFC 1122 §4.2.2.13). Where no data come nobody
// can tell.
func (c *Conversation) closingCalls() [2]string {
	calls := [2]string{callEither, callEither}
	var closed, hasData [2]bool
	var data [2]uint32 // behind what came for a side after its FIN
	for i := range c.Steps {
		s := &c.Steps[i]
		if r := s.Run; r != nil {
			amounts := [2]Amount{r.ToServer, r.ToClient} // by who sent them
			for side := range closed {
				if closed[side] && amounts[side^1].WithData > 0 && amounts[side].Segments > 0 {
					calls[side] = callShutdown
				}
			}
			continue
		}
		if s.Kind != Segment {
			continue
		}
		me, peer := sideOf(s.Sender()), sideOf(s.Receiver())
		switch {
		case s.HasFlags(decode.RST):
			if closed[me] && hasData[me] {
				calls[me] = callClose
			}
			return calls
		case hasData[me] && s.HasFlags(decode.ACK) && !after(data[me], s.Ack):
			calls[me] = callShutdown
		}
		if closed[peer] && s.Payload > 0 && !s.Has(Retransmitted|KeepAlive|Probe) {
			data[peer], hasData[peer] = s.Seq+s.Payload, true
		}
		closed[me] = closed[me] || s.HasFlags(decode.FIN)
	}
	return calls
}

// acksFIN says what it means that the other end's FIN is acknowledged.
func (k *commentator) acksFIN(s *Step) {
	after := s.After.Client
	if !s.FromClient {
		after = s.After.Server
	}
	if after == flow.TimeWait {
		k.note(s, "explain.ack-fin-wait", "RFC 9293 §3.6.1")
		return
	}
	k.note(s, "explain.ack-fin", "RFC 9293 §3.6")
}

// room says what the step tells of the room that there is.
func (k *commentator) room(s *Step) {
	switch {
	case s.Has(ZeroWindow):
		k.once(s, "explain.zero-window", "RFC 9293 §3.8.6")
	case s.Has(WindowOpens):
		k.once(s, "explain.window-opens", "RFC 9293 §3.8.6", Size(s.room()))
		s.call(s.Sender(), Starts, "recv()", "")
	case s.Has(WindowUpdate):
		k.once(s, "explain.window-update", "RFC 9293 §3.8.6", Size(s.room()))
		s.call(s.Sender(), Starts, "recv()", "")
	}
}

// duplicates says what it means that an acknowledgment comes once more.
func (k *commentator) duplicates(s *Step) {
	me := sideOf(s.Sender())
	if !s.Has(DuplicateACK) {
		k.dups[me] = 0
		return
	}
	switch k.dups[me]++; k.dups[me] {
	case 3:
		k.once(s, "explain.dup-ack-third", "RFC 5681 §3.2")
	default:
		k.once(s, "explain.dup-ack", "RFC 5681 §2")
	}
}

// datagram says what a datagram is for.
func (k *commentator) datagram(s *Step) {
	switch {
	case !k.Connection.HasPorts:
		k.once(s, "explain.raw", "RFC 791 §1.4", int(k.Connection.Protocol), Size(s.Payload))
		return
	case k.said["explain.datagram"] && !k.said["explain.datagram-back"] && s.Sender() == flow.ServerSide:
		k.note(s, "explain.datagram-back", "RFC 768", Size(s.Payload))
	default:
		k.once(s, "explain.datagram", "RFC 768", Size(s.Payload))
	}
	send, receive := "sendto()", "recvfrom()"
	switch {
	case !k.connected:
	case s.Sender() == flow.ClientSide:
		send = "send()"
	default:
		receive = "recv()"
	}
	s.call(s.Sender(), Starts, send, "")
	// Nobody may be there, and only a whole datagram is received.
	if (s.Sender() == flow.ServerSide || k.Connection.ToClient.Packets > 0) && !s.More {
		s.call(s.Receiver(), Returns, receive, strconv.FormatUint(uint64(s.Payload), 10))
	}
}

// packet says what an SCTP packet is for, by the chunk that says most.
func (k *commentator) packet(s *Step) {
	for _, c := range chunkKeys {
		if s.SCTP.Bits&c.bit != 0 {
			if s.Has(Retransmitted) {
				k.once(s, "explain.sctp-again", "RFC 9260 §6.3.3")
			} else {
				k.once(s, c.key, c.rfc)
			}
			break
		}
	}
	if len(s.Notes) == 0 {
		k.once(s, "explain.sctp-other", "RFC 9260 §3")
	}
	switch {
	case s.SCTP.Bits&chunkInit != 0:
		s.call(s.Sender(), Starts, "connect()", "")
	case s.SCTP.Bits&chunkCookieAck != 0:
		s.call(s.Receiver(), Returns, "connect()", "0")
		s.call(s.Sender(), Returns, "accept()", "")
	case s.SCTP.Bits&chunkShutdown != 0:
		s.call(s.Sender(), Starts, "close()", "")
	case s.SCTP.Bits&chunkAbort != 0 && k.Connection.Outcome == flow.Refused:
		s.call(s.Receiver(), Returns, "connect()", "ECONNREFUSED")
	}
}
