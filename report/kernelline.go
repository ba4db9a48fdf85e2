package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A disputeKey is what contradictions of one line have in common: the server's endpoint,
// or the process that does not close.
type disputeKey struct {
	kind    contradiction
	subject string
}

// A dispute is the sockets of one line.
type dispute struct {
	span
	n       uint64
	frames  evidence
	owners  processes
	resends uint8         // of one socket, the most
	sent    uint64        // SYNs, as the kernel counts them
	seen    uint64        // of them, on the wire
	unread  uint64        // bytes
	lasts   time.Duration // of the one that waits longest, at least
	silent  bool          // no client has sent data yet
	full    *listener     // whose accept queue is full
}

// disputes are the contradictions between wire and kernel. What fills more than a few
// lines of a kind is told in one.
func (k *kernel) disputes(t *coverage) map[disputeKey]*dispute {
	all := make(map[disputeKey]*dispute)
	subjects := make(map[contradiction]int)
	for i := range k.host.Sockets {
		s, m := &k.host.Sockets[i], &k.met[i]
		if s.Protocol != protoTCP || s.State == "LISTEN" {
			continue
		}
		kind := k.contradicts(s, m, t)
		if kind == noContradiction {
			continue
		}
		owner := m.owner
		if len(s.Owners) > 0 {
			owner = s.Owners[0]
		}
		key := disputeKey{kind, k.subject(kind, s, m, owner)}
		d := all[key]
		if d == nil {
			d = &dispute{span: noSpan, silent: true}
			all[key] = d
			subjects[kind]++
		}
		d.add(s, m, owner)
		d.lasts = max(d.lasts, k.since(m, t))
		if l := k.listeners.at(protoTCP, onWire(s.Local)); l != nil && l.isFull() {
			d.full = l
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(all), disputeKey.compare) {
		together := disputeKey{key.kind, thisHost}
		if subjects[key.kind] <= scatterLines || key == together {
			continue
		}
		if all[together] == nil {
			all[together] = &dispute{span: noSpan, silent: true}
		}
		all[together].merge(all[key])
		delete(all, key)
	}
	return all
}

func (k disputeKey) compare(o disputeKey) int {
	return cmp.Or(cmp.Compare(k.kind, o.kind), strings.Compare(k.subject, o.subject))
}

// thisHost is the subject of what is about no single endpoint.
const thisHost = "this host"

// subject is what a contradiction is about.
func (k *kernel) subject(kind contradiction, s *capture.Socket, m *meeting, owner capture.Owner) string {
	switch kind {
	case finUnanswered:
		return thisHost
	case notClosed:
		if !owner.Known() {
			return thisHost
		}
		return "process " + processName(owner)
	}
	server := onWire(s.Remote)
	if m.side == flow.ServerSide {
		server = onWire(s.Local)
	}
	label := ""
	if m.group != nil {
		label = m.group.label
	} else if name, _ := serviceOf("", protoTCP, true, server.Port()); name != "" {
		label = "~" + name
	}
	return endpointName(protoTCP, server.Addr(), server.Port(), label)
}

func (d *dispute) add(s *capture.Socket, m *meeting, owner capture.Owner) {
	d.n++
	if m.side != flow.Neither {
		d.span.merge(span{m.first, m.last})
		d.frames.add(m.frame)
	}
	if owner.Known() {
		d.owners.add(owner, 1, maxTroubleOwners)
	}
	d.resends = max(d.resends, s.Retransmits)
	d.sent += 1 + uint64(s.Retransmits)
	d.seen += uint64(m.syns)
	if n := s.ReceiveQueue; n > 0 && s.State == "CLOSE-WAIT" {
		d.unread += uint64(n - 1) // the FIN has a number, too
	}
	d.silent = d.silent && !m.payload
}

func (d *dispute) merge(o *dispute) {
	d.span.merge(o.span)
	d.n += o.n
	d.frames.merge(&o.frames)
	d.owners.merge(&o.owners, maxTroubleOwners)
	d.resends = max(d.resends, o.resends)
	d.sent += o.sent
	d.seen += o.seen
	d.unread += o.unread
	d.lasts = max(d.lasts, o.lasts)
	d.silent = d.silent && o.silent
	d.full = cmp.Or(d.full, o.full)
}

// lines tell where the kernel contradicts the wire, in no particular order.
func (k *kernel) lines(t *coverage) []Trouble {
	if k == nil {
		return nil
	}
	var lines []Trouble
	for key, d := range k.disputes(t) {
		lines = append(lines, d.line(key))
	}
	missing := k.host.Incomplete
	if k.host.Hidden != "" && k.host.Unowned() {
		missing = append(slices.Clone(missing), k.host.Hidden)
	}
	if len(missing) > 0 {
		lines = append(lines, Trouble{
			Kind: "kernel-incomplete", Subject: thisHost, Count: uint64(len(missing)), Since: capture.Unknown, Until: capture.Unknown,
			Text: "its kernel did not tell all of its sockets and processes: " + strings.Join(missing, "; "),
		})
	}
	return append(lines, k.overflows()...)
}

func (d *dispute) line(key disputeKey) Trouble {
	t := Trouble{
		Severity: Warning, Subject: key.subject, Count: d.n,
		Since: d.since, Until: d.until, Frames: d.frames.list(),
		Processes: d.owners.sorted(),
	}
	connections, by := plural(d.n, "connection"), byProcesses(t.Processes)
	switch key.kind {
	case replyDropped:
		t.Kind, t.Severity = "reply-dropped", Problem
		t.Text = "answered " + connections + by + ", but the kernel stays in SYN-SENT and sends its SYN again" + d.upTo() +
			": the answers are dropped on this host, by a firewall or by the reverse path filter"
	case synNotSent:
		t.Kind, t.Severity = "syn-not-sent", Problem
		t.Text = "got " + humanCount(d.seen) + " of " + plural(d.sent, "SYN") + " that the kernel sent for " + connections + by +
			": the others were dropped on this host before they left, by a firewall or because no neighbour has the next hop's address"
	case ackNotSent:
		t.Kind, t.Severity = "ack-not-sent", Problem
		t.Text = "sends its SYN-ACK again in " + connections + by + ", but the kernel has " + d.them() + " ESTABLISHED: its ACKs were dropped " +
			"on this host before they left, by a firewall for instance"
	case ackDropped:
		t.Kind = "ack-dropped"
		t.Text = "holds " + connections + " in SYN-RECEIVED whose handshake is complete on the wire: the client's ACK was not taken, " + d.ackCause()
	case resetIgnored:
		t.Kind = "reset-ignored"
		t.Text = connections + by + " ended with an RST on the wire, but the kernel has " + d.them() + " ESTABLISHED: it takes no RST outside of its window " +
			"(RFC 5961), such as an injected one, and none that a firewall drops"
	case resetForged:
		t.Kind = "reset-forged"
		t.Text = "an RST in this host's name ended " + connections + by + " that its kernel has ESTABLISHED: a firewall or a device on the way sent it"
	case finIgnored:
		t.Kind = "fin-ignored"
		t.Text = "the peer closed " + connections + by + " that the kernel has ESTABLISHED: data before the FIN is missing, or a firewall drops it"
	case notClosed:
		t.Kind, t.Processes = "not-closed", d.owners.sorted()
		unread := ""
		if d.unread > 0 {
			unread = " with " + humanBytes(d.unread) + " unread"
		}
		t.Text = "keeps " + connections + " in CLOSE-WAIT" + unread + ", for " + wait(d.lasts) + " or longer: the peer closed, the process does not"
	case finUnanswered:
		t.Kind, t.Severity = "fin-unanswered", Note
		if d.n >= scatterLines {
			t.Severity = Warning
		}
		t.Text = "sends the last segment of " + connections + by + " again and again" + d.upTo() +
			" (FIN-WAIT-1, CLOSING, LAST-ACK): the peers are gone, or a firewall has forgotten the connections"
	}
	return t
}

// them is the connections again.
func (d *dispute) them() string {
	if d.n == 1 {
		return "it"
	}
	return "them"
}

// upTo is ", up to 5 times".
func (d *dispute) upTo() string { return ", up to " + plural(uint64(d.resends), "time") }

// ackCause is why a kernel does not take the ACK of a handshake.
func (d *dispute) ackCause() string {
	switch {
	case d.full != nil:
		return "since " + d.full.queue()
	case d.silent:
		return "or the listener waits for the client's first data (TCP_DEFER_ACCEPT)"
	}
	return "perhaps for a full accept queue or a firewall"
}

// queue tells that an accept queue is full.
func (m *listener) queue() string {
	return fmt.Sprintf("the accept queue of %s is full (%s waiting, %s may)", m.name(), humanCount(uint64(m.waiting)), humanCount(uint64(m.room)))
}

// fullQueues is how many full accept queues are named.
const fullQueues = 3

// overflows tell what listeners dropped, and which accept queues are full now.
func (k *kernel) overflows() []Trouble {
	var full []string
	for i := range k.listeners.all {
		if m := &k.listeners.all[i]; m.isFull() {
			full = append(full, fmt.Sprintf("%s of %s (%s waiting, %s may)", endpointName(m.protocol, m.addr.Addr(), m.addr.Port(), ""),
				m.name(), humanCount(uint64(m.waiting)), humanCount(uint64(m.room))))
		}
	}
	slices.Sort(full)
	count := uint64(len(full))
	if n := len(full) - fullQueues; n > 0 {
		full = append(full[:fullQueues], humanCount(uint64(n))+" more")
	}
	queues := strings.Join(full, ", ")
	line := Trouble{Severity: Problem, Subject: thisHost, Since: capture.Unknown, Until: capture.Unknown}
	overflows, drops := k.host.ListenOverflows, k.host.ListenDrops
	switch {
	case overflows > 0:
		line.Kind, line.Count = "listen-overflow", overflows
		line.Text = "dropped " + plural(overflows, "segment") + " of handshakes (SYNs, ACKs) since the capture began because an accept queue was full: a process accepts too slowly"
		if queues != "" {
			line.Text += "; full now: " + queues
		}
	case queues != "":
		line.Kind, line.Severity, line.Count = "listen-overflow", Warning, count
		line.Text = "has a full accept queue, what comes next is dropped: " + queues
	}
	var lines []Trouble
	if line.Kind != "" {
		lines = append(lines, line)
	}
	if others := drops - min(drops, overflows); others > 0 {
		lines = append(lines, Trouble{
			Kind: "listen-drop", Severity: Warning, Subject: thisHost, Count: others, Since: capture.Unknown, Until: capture.Unknown,
			Text: "dropped " + plural(others, "segment") + " of handshakes at its listeners since the capture began for other reasons than a full accept queue: " +
				"a full SYN queue or no memory",
		})
	}
	return lines
}
