package quiz

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report/explain"
)

// foreign is text of somebody else's, which must be escaped before it is shown.
type foreign string

// sockets asks which process gets data or, where the processes are not known, which socket.
func (e *examiner) sockets(c *explain.Conversation) {
	r := &c.Connection
	if !opened(c) {
		return
	}
	others := map[flow.Side][]explain.Note{}
	for i := range c.Steps {
		if !e.look() || e.full(Socket) && (e.full(Process) || e.cfg.Owners == nil) {
			return
		}
		s := &c.Steps[i]
		if s.Kind != explain.Segment || !s.Has(explain.Delivers) || s.Has(special) {
			continue
		}
		if e.process(c, s) || e.full(Socket) {
			continue
		}
		if _, known := others[s.Receiver()]; !known {
			others[s.Receiver()] = e.otherSockets(r, s.Receiver())
		}
		local, remote := r.Server, r.Client
		if s.Receiver() == flow.ClientSide {
			local, remote = remote, local
		}
		q := Question{
			Topic: Socket, Conversation: c, Ask: note("quiz.socket-ask", "", explain.Number(s.Frame), explain.Size(s.Payload), local.Addr().String()),
			Shown: show(true, s),
			Choices: []explain.Note{
				note("quiz.socket", "", local.String(), remote.String()),
				note("quiz.socket", "", remote.String(), local.String()),
			},
			Why: append([]explain.Note{note("quiz.socket-why", "RFC 9293 §3.3.1", s.Receiver(), local.String(), remote.String())}, meaning(s)...),
		}
		if s.Receiver() == flow.ServerSide {
			q.Choices = append(q.Choices, note("quiz.socket-listens", "", explain.Number(local.Port())))
		}
		q.Choices = append(q.Choices, others[s.Receiver()]...)
		e.add(q)
	}
}

// otherSockets are some that the same host has: a server's on the same port, a client's for
// other connections.
func (e *examiner) otherSockets(r *flow.Connection, side flow.Side) []explain.Note {
	var notes []explain.Note
	for i := range e.conversations {
		if !e.look() {
			break
		}
		o := &e.conversations[i].Connection
		switch {
		case o.Protocol != protoTCP || o.Outcome != flow.Complete || len(notes) == most:
		case side == flow.ServerSide && o.Server == r.Server:
			notes = append(notes, note("quiz.socket", "", o.Server.String(), o.Client.String()))
		case side == flow.ClientSide && o.Client.Addr() == r.Client.Addr():
			notes = append(notes, note("quiz.socket", "", o.Client.String(), o.Server.String()))
		}
	}
	return notes
}

// process asks which process gets the data of a step, and reports whether it is known.
func (e *examiner) process(c *explain.Conversation, s *explain.Step) bool {
	if e.cfg.Owners == nil {
		return false
	}
	r := &c.Connection
	owners := e.cfg.Owners(r)
	receiver, sender := owners[1], owners[0]
	if s.Receiver() == flow.ClientSide {
		receiver, sender = sender, receiver
	}
	if !isProcess(receiver) || isProcess(sender) && sender.PID == receiver.PID {
		return false
	}
	if e.full(Process) {
		return true
	}
	local, remote := r.Server, r.Client
	if s.Receiver() == flow.ClientSide {
		local, remote = remote, local
	}
	holders := []holder{{receiver, local, remote}}
	if isProcess(sender) {
		holders = append(holders, holder{sender, remote, local})
	}
	for j := range e.conversations {
		if !e.look() {
			break
		}
		o := &e.conversations[j].Connection
		owners := e.cfg.Owners(o)
		for _, h := range []holder{{owners[0], o.Client, o.Server}, {owners[1], o.Server, o.Client}} {
			if isProcess(h.Owner) && o.Protocol == protoTCP && len(holders) < most &&
				!slices.ContainsFunc(holders, func(known holder) bool { return known.PID == h.PID || known.name() == h.name() }) {
				holders = append(holders, h)
			}
		}
	}
	q := Question{
		Topic: Process, Conversation: c, Ask: note("quiz.process-ask", "", explain.Number(s.Frame), explain.Size(s.Payload)), Shown: show(true, s),
		Why: append([]explain.Note{note("quiz.process-why", "", holders[0].name(), local.String(), remote.String())}, meaning(s)...),
	}
	for _, h := range holders {
		q.Choices = append(q.Choices, note("quiz.process", "", h.name()))
	}
	if len(q.Choices) < most {
		q.Choices = append(q.Choices, note("quiz.process-all", ""), note("quiz.process-kernel", ""))
	}
	slices.SortFunc(holders, func(a, b holder) int { return cmp.Or(a.local.Compare(b.local), a.remote.Compare(b.remote)) })
	for _, h := range holders {
		q.Given = append(q.Given, note("quiz.process-holds", "", h.name(), h.local.String(), h.remote.String()))
	}
	e.add(q)
	return true
}

// A holder is a process with a socket.
type holder struct {
	capture.Owner
	local, remote netip.AddrPort
}

func (h *holder) name() foreign { return foreign(h.Name + "[" + strconv.Itoa(h.PID) + "]") }

// isProcess reports whether the kernel named the process for the very socket.
func isProcess(o capture.Owner) bool {
	return o.Known() && o.Basis == capture.BasisExact && o.PID > 0 && o.Name != ""
}
