package main

import (
	"net/netip"
	"strconv"

	"sockscope/capture"
	lang "sockscope/report/words"
)

// An explainer says in words what the sockets of a tree show. What is true of every port of a
// kind is said at the first one.
type explainer struct {
	say    *lang.Printer
	tree   *socketTree
	name   func(*capture.Process) string
	escape func(string) string
	said   map[string]bool
}

// opening says what a port and a socket are.
func (e *explainer) opening() string { return e.say.Say("sockets.explain.opening") }

// once is the message of a key; nothing when it was said before.
func (e *explainer) once(key string, args ...any) []string {
	if e.said[key] {
		return nil
	}
	if e.said == nil {
		e.said = make(map[string]bool)
	}
	e.said[key] = true
	return []string{e.say.Say(key, args...)}
}

// door explains a port.
func (e *explainer) door(d *door) []string {
	switch {
	case d.kind == capture.RawSocket:
		return e.once("sockets.explain.raw", strconv.Itoa(int(d.protocol)), protocolName(d.protocol))
	case d.kind == capture.Packet:
		return e.once("sockets.explain.packet")
	case d.protocol == protoICMP || d.protocol == protoICMPv6:
		return e.once("sockets.explain.echo", strconv.Itoa(int(d.number)))
	case d.kind == capture.Stream && d.waiting > 0:
		return e.listening(d)
	case d.kind == capture.Stream:
		return e.client(d)
	case d.waiting > 0:
		return e.bound(d)
	}
	return append(e.once("sockets.explain.datagram.connected"), e.lent(d)...)
}

// holder names who has a port.
func (e *explainer) holder(d *door) string {
	if d.holder.process == nil {
		return e.say.Say("sockets.explain.somebody")
	}
	return e.name(d.holder.process)
}

// listening explains a port at which connections come in: the point of the whole page.
func (e *explainer) listening(d *door) (texts []string) {
	port := strconv.Itoa(int(d.number))
	if d.connected == 0 {
		return e.once("sockets.explain.listening", port, e.holder(d))
	}
	texts = append(texts, e.say.Say("sockets.explain.many", d.connected, d.waiting, port, e.holder(d)))
	if d.connected > 1 {
		texts[0] += " " + e.differ(d)
	}
	for _, s := range d.sockets {
		if s.Remote.IsValid() && (s.State == "ESTABLISHED" || s.State == "CLOSE-WAIT") && d.waiting > 0 {
			texts = append(texts, e.once("sockets.explain.segment", s.Remote.String(), s.Local.String())...)
			break
		}
	}
	return append(texts, e.kept(d)...)
}

// differ says in which parts of the 4-tuple the connected sockets of a port differ.
func (e *explainer) differ(d *door) string {
	var local, remote, pairs, ports = map[netip.Addr]bool{}, map[netip.Addr]bool{}, map[netip.AddrPort]bool{}, map[uint16]bool{}
	var last *capture.Socket
	for _, s := range d.sockets {
		if s.Remote.IsValid() {
			local[s.Local.Addr()], remote[s.Remote.Addr()], pairs[s.Remote], ports[s.Remote.Port()] = true, true, true, true
			last = s
		}
	}
	switch {
	case len(local) == 1 && len(remote) == 1:
		return e.say.Say("sockets.explain.differ.port", len(ports), last.Local.Addr().String(), last.Remote.Addr().String())
	case len(local) == 1:
		return e.say.Say("sockets.explain.differ.remote", len(pairs), len(remote), last.Local.Addr().String())
	}
	return e.say.Say("sockets.explain.differ.both", len(pairs), len(local))
}

// kept explains the sockets of a port that no process holds.
func (e *explainer) kept(d *door) (texts []string) {
	count := map[string]int{}
	for _, s := range d.sockets {
		if holdingOf(e.tree.host, s) == byKernel {
			count[keptBecause(s.State, d.waiting > 0)]++
		}
	}
	for _, why := range []string{"accept", "handshake", "timewait", "orphan"} {
		if n := count[why]; n > 0 {
			texts = append(texts, e.once("sockets.explain."+why, n)...)
		}
	}
	return texts
}

// client explains a port from which connections go out.
func (e *explainer) client(d *door) (texts []string) {
	switch {
	case d.unused > 0:
		texts = e.once("sockets.explain.unused", strconv.Itoa(int(d.number)), e.holder(d))
	case d.holder.holding == byProcess:
		texts = e.lent(d)
	}
	if d.connected > 1 {
		texts = append(texts, e.say.Say("sockets.explain.reused", d.connected, strconv.Itoa(int(d.number)))+" "+e.differ(d))
	}
	return append(texts, e.kept(d)...)
}

// lent explains where the number of a client's port is from.
func (e *explainer) lent(d *door) []string {
	h := e.tree.host
	switch {
	case d.lent:
		return e.once("sockets.explain.lent", strconv.Itoa(int(d.number)), e.holder(d), bounds(h.EphemeralLow, h.EphemeralHigh))
	case d.holder.netns == 0 && h.EphemeralHigh > 0:
		return e.once("sockets.explain.chosen", strconv.Itoa(int(d.number)), e.holder(d), bounds(h.EphemeralLow, h.EphemeralHigh))
	}
	return nil
}

// bounds is "32768-60999".
func bounds(low, high uint16) string {
	return strconv.Itoa(int(low)) + "-" + strconv.Itoa(int(high))
}

// bound explains a port at which datagrams come in.
func (e *explainer) bound(d *door) []string {
	port := strconv.Itoa(int(d.number))
	texts := e.once("sockets.explain.datagram", port, e.holder(d))
	if d.connected > 0 {
		texts = append(texts, e.say.Say("sockets.explain.datagram.many", d.connected, d.waiting, port, e.holder(d)))
	}
	return texts
}
