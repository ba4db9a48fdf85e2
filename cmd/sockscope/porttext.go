package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"sockscope/decode/flow"
)

// writePort writes f for people to read, in lines that fit the output.
func (p *program) writePort(w io.Writer, f *portFacts) error {
	t := portText{p: p, width: min(outputWidth(p.stdout, os.Getenv), 100)}
	t.line("", fmt.Sprintf("port %d", f.Port))
	t.line("range", f.Rule)
	t.registered(f)
	if f.InEphemeral {
		t.line("ephemeral", fmt.Sprintf("in this host's range for outgoing connections, %d-%d: its clients may have this port too",
			f.Ephemeral.Low, f.Ephemeral.High))
	}
	t.listeners(f)
	t.uses(f)
	if len(f.OtherPorts) > 0 {
		var ports []string
		for _, n := range f.OtherPorts {
			ports = append(ports, fmt.Sprint(n))
		}
		t.line("also", "the service has other ports: "+strings.Join(ports, ", "))
	}
	_, err := w.Write(t.buf.Bytes())
	return err
}

// A portText collects lines with a label in front.
type portText struct {
	p     *program
	buf   bytes.Buffer
	width int
}

const labelWidth = 12

// line writes text after a label, wrapped between words.
func (t *portText) line(label, text string) {
	if label == "" && t.buf.Len() == 0 {
		t.buf.WriteString(text + "\n")
		return
	}
	for _, part := range wrap(text, t.width-labelWidth-2) {
		fmt.Fprintf(&t.buf, "  %-*s%s\n", labelWidth, label, part)
		label = ""
	}
}

func (t *portText) registered(f *portFacts) {
	label := "registered"
	for _, e := range f.Registered {
		words := []string{t.p.escape(cmp.Or(e.Name, "(no service)"))}
		if len(e.Transports) > 0 {
			words = append(words, strings.Join(e.Transports, ", "))
		}
		if e.Ports.Low != e.Ports.High {
			words = append(words, fmt.Sprintf("ports %d-%d", e.Ports.Low, e.Ports.High))
		}
		if e.Description != "" && e.Description != e.Name {
			words = append(words, t.p.escape(e.Description))
		}
		t.line(label, strings.Join(words, "  "))
		label = ""
	}
	if len(f.Registered) == 0 {
		t.line(label, "nothing (IANA's registry)")
	}
	label = "commonly"
	for _, c := range f.Common {
		t.line(label, fmt.Sprintf("%s  %s (not registered)", c.Name, strings.Join(c.Transports, ", ")))
		label = ""
	}
}

func (t *portText) listeners(f *portFacts) {
	label := "listens"
	switch {
	case f.Unavailable != "":
		t.line(label, "unavailable: "+t.p.escape(f.Unavailable))
	case f.Listeners == nil || len(*f.Listeners) == 0:
		t.line(label, "nobody here")
	default:
		for _, l := range *f.Listeners {
			var owners []string
			for _, o := range l.Processes {
				// The name was escaped when it came in; ASCII is the terminal's matter.
				owners = append(owners, fmt.Sprintf("%s[%d]", asciiOnly(cmp.Or(o.Name, "?"), t.p.ascii), o.PID))
			}
			who := strings.Join(owners, ", ")
			if len(owners) == 0 {
				who = "process unavailable: " + t.p.escape(l.Unavailable)
			}
			t.line(label, fmt.Sprintf("%s %s  %s, uid %d", l.Protocol, l.IP, who, l.UID))
			label = ""
		}
	}
	for _, why := range f.Incomplete {
		t.line(label, "incomplete: "+t.p.escape(why))
		label = ""
	}
}

func (t *portText) uses(f *portFacts) {
	if f.Uses == nil {
		return
	}
	label := "capture"
	for _, u := range *f.Uses {
		role := "the server's port"
		if u.Side == "client" {
			role = "a client's port"
		}
		t.line(label, fmt.Sprintf("%s, %s of %s (%s), %s, %s; %s, %s", role,
			plural(u.Connections, "connection"), u.Protocol, outcomesText(u.Outcomes),
			plural(u.Packets, "packet"), bytesText(int64(u.Bytes)),
			plural(uint64(u.Clients), "client address"), plural(uint64(u.Servers), "server address")))
		label = ""
	}
	if len(*f.Uses) == 0 {
		t.line(label, "no connection has this port")
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

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
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
