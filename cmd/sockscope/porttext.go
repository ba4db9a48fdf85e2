package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"sockscope/decode/flow"
	"sockscope/report/service"
	lang "sockscope/report/words"
)

// writePort writes f for people to read, in lines that fit a width.
func (p *program) writePort(w io.Writer, f *portFacts, say *lang.Printer, width int) error {
	t := portText{p: p, say: say, glyphs: unicodeGlyphs, width: width}
	if p.ascii {
		t.glyphs = asciiGlyphs
	}
	for _, label := range portLabels {
		t.label = max(t.label, lang.Width(say.Say("port.label."+label)))
	}
	t.buf.WriteString(say.Say("port.title", strconv.Itoa(int(f.Port))) + "\n")
	t.line("range", t.rangeRule(f))
	t.registered(f)
	t.bind(f)
	t.ephemeral(f)
	t.listeners(f)
	t.connected(f)
	t.uses(f)
	if len(f.OtherPorts) > 0 {
		var ports []string
		for _, n := range f.OtherPorts {
			ports = append(ports, strconv.Itoa(int(n)))
		}
		t.line("also", say.Say("port.also", strings.Join(ports, ", ")))
	}
	_, err := w.Write(t.buf.Bytes())
	return err
}

// portLabels are in the order of the output.
var portLabels = []string{"range", "registered", "commonly", "bind", "clients", "listens", "connected", "capture", "also"}

// A portText collects lines with a label in front.
type portText struct {
	glyphs
	p     *program
	say   *lang.Printer
	buf   bytes.Buffer
	width int
	label int    // width of the widest label
	last  string // the label of the line before
}

// line writes text, wrapped between words, after a label; after the same label again, without.
func (t *portText) line(label, text string) {
	shown := ""
	if label != t.last {
		shown = t.say.Say("port.label." + label)
	}
	t.last = label
	for _, part := range lang.Wrap(text, t.width-t.label-4) {
		fmt.Fprintf(&t.buf, "  %s  %s\n", lang.Pad(shown, t.label), part)
		shown = ""
	}
}

// rangeRule is what RFC 6335 says of the range.
func (t *portText) rangeRule(f *portFacts) string {
	if f.Port == 0 {
		return t.say.Say("port.range.zero")
	}
	return t.say.Say("port.range." + f.Range)
}

// registered are all entries of IANA's registry, and what else the number is used for.
func (t *portText) registered(f *portFacts) {
	for _, e := range f.Registered {
		parts := []string{t.say.Say("port.no_service")}
		if e.Name != "" {
			parts[0] = t.p.escape(e.Name)
		}
		if len(e.Transports) > 0 {
			parts = append(parts, strings.Join(e.Transports, ", "))
		}
		if e.Ports.Low != e.Ports.High {
			parts = append(parts, t.say.Say("port.ports", bounds(e.Ports.Low, e.Ports.High)))
		}
		if e.Description != "" && e.Description != e.Name {
			parts = append(parts, t.p.escape(e.Description))
		}
		t.line("registered", strings.Join(parts, t.dot))
	}
	if len(f.Registered) == 0 {
		t.line("registered", t.say.Say("port.unregistered"))
	}
	for _, c := range f.Common {
		t.line("commonly", c.Name+t.dot+strings.Join(c.Transports, ", ")+" "+t.say.Say("port.common"))
	}
}

// bind says who may listen on the port here.
func (t *portText) bind(f *portFacts) {
	if f.Privileged == nil || f.Port == 0 {
		return
	}
	start := strconv.Itoa(int(*f.Privileged))
	switch {
	case *f.Privileged == 0:
		t.line("bind", t.say.Say("port.bind.all", start))
	case f.Port < *f.Privileged:
		t.line("bind", t.say.Say("port.bind.privileged", start))
	case f.Range == service.WellKnown.String():
		t.line("bind", t.say.Say("port.bind.lowered", start))
	default:
		t.line("bind", t.say.Say("port.bind.free", start))
	}
}

// ephemeral says whether the kernel here lends the port to clients, and what follows.
func (t *portText) ephemeral(f *portFacts) {
	if f.Ephemeral == nil || f.Port == 0 {
		return
	}
	key := "port.clients.outside"
	switch {
	case f.InEphemeral && f.Reserved:
		key = "port.clients.reserved"
	case f.InEphemeral:
		key = "port.clients.inside"
	}
	t.line("clients", t.say.Say(key, bounds(f.Ephemeral.Low, f.Ephemeral.High)))
}

// who names the processes that have a socket, or says why they are not known.
func (t *portText) who(owners []portOwner, held holding) string {
	if held != byProcess {
		return t.say.Say("port.held." + held.String())
	}
	var names []string
	for _, o := range owners {
		// The name was escaped when it came in; ASCII is the terminal's matter.
		names = append(names, fmt.Sprintf("%s[%d]", asciiOnly(cmp.Or(o.Name, "?"), t.p.ascii), o.PID))
	}
	return strings.Join(names, ", ")
}

// listeners are the sockets at the port that wait for peers.
func (t *portText) listeners(f *portFacts) {
	switch {
	case f.Unavailable != "":
		t.line("listens", t.say.Say("port.unknown", t.p.escape(f.Unavailable)))
	case f.Port == 0:
	case f.Listeners == nil || len(*f.Listeners) == 0:
		t.line("listens", t.say.Say("port.nobody"))
	default:
		for _, l := range *f.Listeners {
			t.line("listens", fmt.Sprintf("%s %s  %s, uid %d", l.Protocol, l.IP, t.who(l.Processes, l.held), l.UID))
		}
	}
	for _, why := range f.Incomplete {
		t.line("listens", t.say.Say("port.incomplete", t.p.escape(why)))
	}
}

// connected are the sockets that have the port at one end, a few of them.
func (t *portText) connected(f *portFacts) {
	if f.Connected == nil {
		return
	}
	for _, side := range []struct{ name, arrow string }{{"local", t.from}, {"remote", t.to}} {
		const most = 8
		n := 0
		for _, s := range *f.Connected {
			if s.Side == side.name {
				n++
			}
		}
		if n == 0 {
			continue
		}
		t.line("connected", t.say.Say("port.connected."+side.name, n))
		shown := 0
		for _, s := range *f.Connected {
			if s.Side != side.name {
				continue
			}
			if shown++; shown > most {
				t.line("connected", t.say.Say("port.connected.more", n-most))
				break
			}
			who := t.who(s.Processes, s.held)
			if s.held == byKernel {
				who = t.say.Say("sockets.note." + keptBecause(s.State, side.name == "local" && len(*f.Listeners) > 0))
			}
			t.line("connected", fmt.Sprintf("%s %s %s %s  %s  %s", s.Protocol, joinHostPort(s.LocalIP, s.LocalPort), side.arrow,
				joinHostPort(s.RemoteIP, s.RemotePort), s.State, who))
		}
	}
}

func joinHostPort(ip string, port uint16) string {
	return net.JoinHostPort(ip, strconv.Itoa(int(port)))
}

// uses are who used the port in a capture.
func (t *portText) uses(f *portFacts) {
	if f.Uses == nil {
		return
	}
	for _, u := range *f.Uses {
		role := t.say.Say("port.use."+u.Side, u.Connections, u.Protocol, outcomesText(u.Outcomes))
		t.line("capture", strings.Join([]string{role, t.say.Say("port.packets", u.Packets) + ", " + bytesText(int64(u.Bytes)),
			t.say.Say("port.use.clients", u.Clients), t.say.Say("port.use.servers", u.Servers)}, "; "))
	}
	if len(*f.Uses) == 0 {
		t.line("capture", t.say.Say("port.use.none"))
	}
}

// outcomesText counts outcomes in the order of their definition.
func outcomesText(outcomes map[string]uint64) string {
	var parts []string
	for o := flow.Outcome(0); o < flow.NumOutcomes; o++ {
		if n := outcomes[o.String()]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(parts, ", ")
}

// asciiOnly writes what is beyond ASCII in s as \u{…}, when only is true.
func asciiOnly(s string, only bool) string {
	if !only {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}

// wrap breaks text between words into lines of at most width bytes, where the
// words allow it.
func wrap(text string, width int) []string {
	var lines []string
	for len(text) > width {
		at := strings.LastIndexByte(text[:width+1], ' ')
		if at <= 0 {
			if at = strings.IndexByte(text, ' '); at < 0 {
				break
			}
		}
		lines = append(lines, strings.TrimRight(text[:at], " "))
		text = strings.TrimLeft(text[at:], " ")
	}
	return slices.Concat(lines, []string{text})
}
