package quiz

import (
	"fmt"
	"net/netip"
	"strings"

	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/service"
)

// ports asks what the ports of a connection are.
func (e *examiner) ports(c *explain.Conversation) {
	r := &c.Connection
	if !r.HasPorts || r.Role != flow.RoleSYN && r.Role != flow.RoleSYNACK && r.Role != flow.RolePayload || r.Client.Port() == r.Server.Port() {
		return
	}
	e.rangeOf(c, flow.ServerSide, r.Server.Port())
	if r.Protocol != protoTCP || opened(c) { // a scanner chooses ports that no kernel would lend
		e.rangeOf(c, flow.ClientSide, r.Client.Port())
	}
	e.lent(c)
	e.count(c)
}

// rangeOf asks which range a port is in.
func (e *examiner) rangeOf(c *explain.Conversation, side flow.Side, port uint16) {
	right := service.RangeOf(port)
	q := Question{
		Topic: Range, Conversation: c, Ask: note("quiz.range-ask", "", side, explain.Number(port)),
		Choices: []explain.Note{note("quiz.range-"+right.String(), "")},
		Why:     portNotes(c, side),
	}
	for other := range service.NumRanges {
		q.Choices = append(q.Choices, note("quiz.range-"+other.String(), ""))
	}
	e.add(q)
}

// portNotes are what the header says of a side's port.
func portNotes(c *explain.Conversation, side flow.Side) []explain.Note {
	var notes []explain.Note
	for _, n := range c.Header {
		if strings.HasPrefix(n.Key, "explain."+side.String()+"-port") {
			notes = append(notes, n)
		}
	}
	return notes
}

// linuxLow is where the ports begin that Linux lends unless it is told otherwise.
const linuxLow = 32768

// lent asks which port nobody had to know: the one that the client had from its kernel. It
// must be one that kernels lend, and be used for nothing else, and the other one a service's.
func (e *examiner) lent(c *explain.Conversation) {
	r := &c.Connection
	_, known := service.Lookup(r.Protocol, r.Server.Port())
	_, taken := service.Lookup(r.Protocol, r.Client.Port())
	if !opened(c) || !known || taken || r.Client.Port() < linuxLow || r.Server.Port() >= linuxLow {
		return
	}
	for i := range e.conversations {
		if o := &e.conversations[i].Connection; o.FirstFrame != r.FirstFrame && (o.Client == r.Client || o.Server == r.Client) {
			return // by its program, perhaps
		}
	}
	e.add(Question{
		Topic: Lent, Conversation: c, Ask: note("quiz.lent-ask", ""), Shown: show(true, first(c, 2)...),
		Choices: []explain.Note{
			note("quiz.lent-one", "", explain.Number(r.Client.Port()), r.Client.Addr().String()),
			note("quiz.lent-one", "", explain.Number(r.Server.Port()), r.Server.Addr().String()),
			note("quiz.lent-both", ""), note("quiz.lent-none", ""),
		},
		Why: append(portNotes(c, flow.ClientSide), portNotes(c, flow.ServerSide)...),
	})
}

// count asks how many connected sockets a server's port has, once for each.
func (e *examiner) count(c *explain.Conversation) {
	r := &c.Connection
	s := e.pool.servers[r.Server]
	if !opened(c) || s.complete < 2 || s.unclear > 0 || e.counted[r.Server] {
		return
	}
	if e.counted == nil {
		e.counted = map[netip.AddrPort]bool{}
	}
	e.counted[r.Server] = true
	n := int(s.complete)
	q := Question{
		Topic: Count, Conversation: c, Ask: note("quiz.count-ask", "", explain.Number(r.Server.Port()), r.Server.Addr().String()),
		Choices: []explain.Note{
			note("quiz.count-each", "", n),
			note("quiz.count-one", ""),
			note("quiz.count-none", ""),
			note("quiz.count-twice", "", 2*n),
		},
		Why: []explain.Note{note("quiz.count-why", "RFC 9293 §3.3.1", n, explain.Number(r.Server.Port()))},
	}
	q.Why = append(q.Why, note("quiz.count-filter", "", synFilter(r)))
	if a := int(s.attempts); a > n {
		q.Choices = append(q.Choices, note("quiz.count-attempts", "", a))
	}
	e.add(q)
}

// synFilter is the display filter with which Wireshark shows the SYNs and SYN-ACKs of a server's port.
func synFilter(r *flow.Connection) string {
	version := "ip"
	if r.Server.Addr().Is6() {
		version = "ipv6"
	}
	return fmt.Sprintf("tcp.flags.syn == 1 && tcp.port == %d && %s.addr == %s", r.Server.Port(), version, r.Server.Addr())
}
