package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"sockscope/capture"
	"sockscope/report/service"
	lang "sockscope/report/words"
)

// Glyphs of the tree, in a terminal's own characters.
type glyphs struct{ branch, last, through, from, to, dot string }

var (
	unicodeGlyphs = glyphs{"├─ ", "└─ ", "│  ", "←", "→", " · "}
	asciiGlyphs   = glyphs{"|- ", "`- ", "|  ", "<-", "->", " - "}
)

// A socketsText writes a socketTree for people to read.
type socketsText struct {
	glyphs
	p       *program
	say     *lang.Printer
	width   int
	tree    *socketTree
	explain *explainer // nil: only the tree
	buf     bytes.Buffer

	widths   map[alike]int // of the names of ports, of the holder measured
	measured *holder
}

// writeSockets writes t in lines that fit a width.
func (p *program) writeSockets(w io.Writer, t *socketTree, say *lang.Printer, width int, explain bool) error {
	x := &socketsText{glyphs: unicodeGlyphs, p: p, say: say, width: width, tree: t}
	if p.ascii {
		x.glyphs = asciiGlyphs
	}
	if explain {
		x.explain = &explainer{say: say, tree: t, name: x.processName, escape: p.escape}
	}
	x.heading()
	if explain {
		x.paragraph("", x.explain.opening())
	}
	netns := uint32(0)
	for i, h := range t.holders {
		if h.netns != netns && (i == 0 || h.netns != t.holders[i-1].netns) {
			netns = h.netns
			x.buf.WriteByte('\n')
			x.paragraph("", say.Say("sockets.elsewhere", strconv.Itoa(int(netns))))
		}
		x.buf.WriteByte('\n')
		x.holder(h)
	}
	for _, why := range t.host.Incomplete {
		x.buf.WriteByte('\n')
		x.paragraph("", say.Say("sockets.incomplete", p.escape(why)))
	}
	_, err := w.Write(x.buf.Bytes())
	return err
}

// paragraph writes text, wrapped, each line behind a prefix.
func (x *socketsText) paragraph(prefix, text string) {
	for _, line := range lang.Wrap(text, x.width-lang.Width(prefix)) {
		x.line(prefix + line)
	}
}

func (x *socketsText) line(text string) { x.buf.WriteString(strings.TrimRight(text, " ") + "\n") }

// heading counts what follows.
func (x *socketsText) heading() {
	var kinds [4]int
	processes := 0
	for _, h := range x.tree.holders {
		if h.holding == byProcess {
			processes++
		}
		for _, d := range h.doors {
			kinds[d.kind] += len(d.sockets)
		}
	}
	parts := []string{x.say.Say("sockets.count", x.tree.sockets()), x.say.Say("sockets.processes", processes)}
	for kind, n := range kinds {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%v %d", capture.SocketType(kind), n))
		}
	}
	x.paragraph("", strings.Join(parts, x.dot))
}

// processName is "nginx[4711]", escaped.
func (x *socketsText) processName(p *capture.Process) string {
	return fmt.Sprintf("%s[%d]", x.p.escape(cmp.Or(p.Name, "?")), p.PID)
}

// holder writes a process, or who else has sockets, and its ports.
func (x *socketsText) holder(h *holder) {
	if h.holding == byProcess {
		title := x.processName(h.process)
		if u := cmp.Or(h.process.User, strconv.Itoa(int(h.process.UID))); h.process.HasUID {
			title += " (" + x.p.escape(u) + ")"
		}
		if more := len(h.sharing); more > 0 {
			const most = 3
			var names []string
			for _, p := range h.sharing[:min(most, more)] {
				names = append(names, x.processName(p))
			}
			if more > most {
				names = append(names, fmt.Sprintf("+%d", more-most))
			}
			title += ", " + x.say.Say("sockets.shared", strings.Join(names, ", "))
		}
		x.paragraph("", title)
	} else {
		x.paragraph("", x.say.Say("sockets.holder."+h.holding.String()))
	}
	for i, d := range h.doors {
		branch, through := x.branch, x.through
		if i == len(h.doors)-1 {
			branch, through = x.last, "   "
		}
		if len(d.sockets) == 1 {
			x.row(branch, through, d, d.sockets[0], lang.Pad(x.doorName(d), x.headWidth(h, d)))
		} else {
			x.paragraph(branch, x.doorName(d)+": "+x.doorCounts(d))
			for j, s := range d.sockets {
				inner, below := x.branch, x.through
				if j == len(d.sockets)-1 {
					inner, below = x.last, "   "
				}
				x.row(through+inner, through+below, d, s, "")
			}
		}
		if x.explain != nil {
			for _, text := range x.explain.door(d) {
				x.paragraph(through+"   ", text)
			}
		}
	}
}

// headWidth is how wide the names of ports with one socket are, so that what follows them
// is aligned: of those like d.
func (x *socketsText) headWidth(h *holder, d *door) int {
	const most = 28
	if x.widths == nil || x.measured != h {
		x.widths, x.measured = make(map[alike]int), h
		for _, e := range h.doors {
			if a := likeOf(e); len(e.sockets) == 1 {
				x.widths[a] = max(x.widths[a], lang.Width(x.doorName(e)))
			}
		}
	}
	return min(x.widths[likeOf(d)], most)
}

// alike are ports that stand below each other and look the same.
type alike struct {
	kind    capture.SocketType
	waiting bool
}

func likeOf(d *door) alike { return alike{d.kind, d.kind > capture.Datagram || d.waiting > 0} }

// doorName is "tcp 443 ~https", "tcp 41234 (lent)", "raw icmp" or "packet eth0".
func (x *socketsText) doorName(d *door) string {
	switch d.kind {
	case capture.RawSocket:
		return "raw " + protocolName(d.protocol)
	case capture.Packet:
		return "packet " + etherName(d.number)
	}
	name := fmt.Sprintf("%s %d", protocolName(d.protocol), d.number)
	switch found, ok := portName(d.protocol, d.number); {
	case d.lent:
		name += " (" + x.say.Say("sockets.lent") + ")"
	case ok && d.waiting > 0:
		name += " ~" + found
	}
	return name
}

// doorCounts is "1 listening, 12 connected".
func (x *socketsText) doorCounts(d *door) string {
	var parts []string
	if d.waiting > 0 {
		key := "sockets.bound.count"
		if d.kind == capture.Stream {
			key = "sockets.listening.count"
		}
		parts = append(parts, x.say.Say(key, d.waiting))
	}
	if d.connected > 0 {
		parts = append(parts, x.say.Say("sockets.connected.count", d.connected))
	}
	if d.unused > 0 {
		parts = append(parts, x.say.Say("sockets.unused.count", d.unused))
	}
	return strings.Join(parts, ", ")
}

// row writes a socket. What does not fit the line goes on below.
func (x *socketsText) row(prefix, below string, d *door, s *capture.Socket, head string) {
	arrow := x.to
	if d.waiting > 0 {
		arrow = x.from
	}
	var parts []string
	if head != "" {
		parts = append(parts, head)
	}
	const stateWidth, remoteWidth = len("SYN-RECEIVED"), len("< 255.255.255.255:65535")
	if s.Type == capture.Packet {
		if s.Interface != "" {
			parts = append(parts, x.say.Say("sockets.interface", x.p.escape(s.Interface)))
		} else {
			parts = append(parts, x.say.Say("sockets.interfaces"))
		}
	} else {
		parts = append(parts, lang.Pad(stateOf(s), stateWidth), x.end(s, s.Local))
	}
	if s.Remote.IsValid() {
		parts = append(parts, arrow+" "+x.end(s, s.Remote))
		if name, ok := portName(s.Protocol, s.Remote.Port()); ok && d.waiting == 0 && s.Type <= capture.Datagram {
			parts = append(parts, "~"+name)
		}
	}
	if notes := x.notes(d, s); len(notes) > 0 {
		if last := &parts[len(parts)-1]; s.Remote.IsValid() && len(d.sockets) > 1 {
			*last = lang.Pad(*last, remoteWidth) // the notes below each other
		}
		parts = append(parts, notes...)
	}
	line := prefix
	for i, part := range parts {
		gap := "  "
		if i == 0 {
			gap = ""
		} else if strings.HasPrefix(part, arrow+" ") || strings.HasPrefix(part, "~") {
			gap = " "
		}
		if i > 0 && lang.Width(line)+lang.Width(gap)+lang.Width(strings.TrimRight(part, " ")) > x.width {
			x.line(line)
			line, gap = below+"   ", ""
		}
		if room := x.width - lang.Width(line+gap); lang.Width(strings.TrimRight(part, " ")) > room { // a name of many escapes
			broken := lang.Wrap(part, room)
			for _, piece := range broken[:len(broken)-1] {
				x.line(line + gap + piece)
				line, gap = below+"   ", ""
			}
			part = broken[len(broken)-1]
		}
		line += gap + part
	}
	x.line(line)
}

// stateOf is a TCP socket's state in RFC 9293's names (SCTP: RFC 9260's). Others have none:
// they have a peer or not.
func stateOf(s *capture.Socket) string {
	switch {
	case s.Type == capture.Stream:
		return s.State
	case s.Remote.IsValid():
		return "connected"
	}
	return "unconnected"
}

// end is one end of a socket: an address with a port, if there is one.
func (x *socketsText) end(s *capture.Socket, a netip.AddrPort) string {
	zone := ""
	if s.Interface != "" && a == s.Local {
		zone = "%" + x.p.escape(s.Interface)
	}
	if s.Type == capture.RawSocket {
		return a.Addr().String() + zone
	}
	if a.Addr().Is6() {
		return fmt.Sprintf("[%v%s]:%d", a.Addr(), zone, a.Port())
	}
	return fmt.Sprintf("%v%s:%d", a.Addr(), zone, a.Port())
}

// notes say who has s where that is not the holder of its port, and what else there is to say.
func (x *socketsText) notes(d *door, s *capture.Socket) (notes []string) {
	if s.IPv6 && !s.Only6 && s.Netns == 0 && s.Type <= capture.Datagram && s.Protocol != protoICMPv6 && waits(s) &&
		s.Local.Addr() == netip.IPv6Unspecified() {
		notes = append(notes, x.say.Say("sockets.note.both"))
	}
	switch holdingOf(x.tree.host, s) {
	case byProcess:
		if d.holder.process == nil || !hasOwner(s, d.holder.process.PID) {
			for _, o := range s.Owners {
				notes = append(notes, x.processName(o.Process))
			}
		}
	case byKernel:
		notes = append(notes, x.say.Say("sockets.note."+keptBecause(s.State, d.waiting > 0)))
	case byHidden:
		if d.holder.holding != byHidden {
			notes = append(notes, x.say.Say("sockets.note.hidden"))
		}
	}
	return notes
}

// keptBecause is why the kernel has a socket in a state that no process holds, at a port
// where somebody listens or not.
func keptBecause(state string, listens bool) string {
	switch state {
	case "TIME-WAIT":
		return "timewait"
	case "SYN-RECEIVED":
		return "handshake"
	case "ESTABLISHED", "CLOSE-WAIT":
		if listens {
			return "accept"
		}
	}
	return "orphan"
}

// portName is the registry's name of a port, or what it is commonly used for.
func portName(protocol uint8, port uint16) (string, bool) {
	if name, ok := service.Common(protocol, port); ok {
		return name, true
	}
	return service.Lookup(protocol, port)
}

// Protocols that sockets have besides UDP.
const (
	protoICMP   = 1
	protoICMPv6 = 58
)

var socketProtocols = map[uint8]string{protoICMP: "icmp", 2: "igmp", 6: "tcp", protoUDP: "udp", 33: "dccp", 41: "ipv6", 47: "gre",
	50: "esp", 51: "ah", protoICMPv6: "icmp6", 89: "ospf", 103: "pim", 112: "vrrp", 132: "sctp", 136: "udplite", 255: "all"}

// protocolName is a name of an IP protocol, or its number.
func protocolName(protocol uint8) string {
	return cmp.Or(socketProtocols[protocol], strconv.Itoa(int(protocol)))
}

// etherName is what frames a packet socket takes.
func etherName(t uint16) string {
	names := map[uint16]string{0: "none", 3: "all", 0x800: "ipv4", 0x806: "arp", 0x86dd: "ipv6", 0x88cc: "lldp", 0x888e: "eapol"}
	return cmp.Or(names[t], fmt.Sprintf("0x%04x", t))
}
