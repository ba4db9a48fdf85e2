package explain

import (
	"fmt"
	"strings"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/words"
)

// A ladder draws a conversation: the client's lifeline at the left, the server's at the
// right, time and frame in front.
//
//	0.000000      │ CLOSED                                  LISTEN │
//	              │── SYN ────────────────────────────────────────▶│
//	frame 1       │   seq 0 (1000)   win 64240   MSS 1460          │
type ladder struct {
	*text
	c     *Conversation
	left  int // columns in front of the client's lifeline
	inner int // columns between the lifelines
	next  int // of c.Calls, the next one to be drawn
}

func newLadder(t *text, c *Conversation) *ladder {
	l := &ladder{text: t, c: c, left: 11}
	for i := range c.Steps {
		s := &c.Steps[i]
		l.left = max(l.left, len(c.since(s))+1, words.Width(l.frame(s))+1)
	}
	for i := range c.Calls {
		l.left = max(l.left, len(c.after(c.Calls[i].Time))+1)
	}
	l.inner = t.Width - l.left - 2
	return l
}

func (l *ladder) frame(s *Step) string {
	return l.Words.Say("explain.frame", fmt.Sprint(s.Frame))
}

// draw draws all of it.
func (l *ladder) draw() {
	if len(l.c.Calls) > 0 {
		l.paragraph("  ", l.Words.Say("explain.real"), faint)
	} else if l.infers() {
		l.paragraph("  ", l.Words.Say("explain.inferred"), faint)
	}
	l.out.WriteByte('\n')
	l.heads(l.name(flow.ClientSide), l.name(flow.ServerSide), bold)
	l.heads(l.c.Endpoint(flow.ClientSide), l.c.Endpoint(flow.ServerSide), plain)
	if len(l.c.Calls) == 0 {
		l.before()
	}
	l.sides("", l.c.ClientStart.String(), l.c.ServerStart.String(), bold)
	for i := range l.c.Steps {
		s := &l.c.Steps[i]
		l.callsUntil(s.Time)
		l.step(s)
	}
	for l.next < len(l.c.Calls) {
		l.call()
	}
	l.row("", "", plain)
}

// infers reports whether calls are inferred.
func (l *ladder) infers() bool {
	if len(l.c.Before) > 0 {
		return true
	}
	for i := range l.c.Steps {
		if len(l.c.Steps[i].Calls) > 0 {
			return true
		}
	}
	return false
}

func (l *ladder) name(side flow.Side) string { return SayName(l.Words, side) }

// heads writes what stands above the two lifelines.
func (l *ladder) heads(client, server string, c colour) {
	client, server = l.plain(client), l.plain(server)
	room := l.inner + 2 - words.Width(client) - words.Width(server)
	margin := strings.Repeat(" ", l.left)
	if room >= 2 {
		l.out.WriteString(margin + l.paint(client, c) + strings.Repeat(" ", room) + l.paint(server, c) + "\n")
		return
	}
	l.out.WriteString(margin + l.paint(client, c) + "\n")
	l.out.WriteString(strings.Repeat(" ", max(0, l.Width-words.Width(server))) + l.paint(server, c) + "\n")
}

// row writes a line between the lifelines.
func (l *ladder) row(gutter, content string, c colour) {
	bar := l.plain("│")
	if strings.TrimSpace(content) == "" {
		c = plain
	}
	l.out.WriteString(l.paint(words.Pad(gutter, l.left)+bar, faint) + l.paint(words.Pad(content, l.inner), c) + l.paint(bar, faint) + "\n")
}

// sides writes something beside each lifeline, in one line when there is room; nothing where
// there is nothing.
func (l *ladder) sides(gutter, client, server string, c colour) {
	client, server = l.plain(client), l.plain(server)
	room := l.inner - 2 - words.Width(client) - words.Width(server)
	switch {
	case client == "" && server == "":
	case room >= 2 || client == "" || server == "":
		l.right(gutter, client, server, c)
	default:
		l.right(gutter, client, "", c)
		l.right("", "", server, c)
	}
}

// right writes one line of them, or several where one is too long for a line.
func (l *ladder) right(gutter, client, server string, c colour) {
	if server == "" {
		for _, line := range words.Wrap(client, l.inner-2) {
			l.row(gutter, " "+line, c)
			gutter = ""
		}
		return
	}
	for _, line := range words.Wrap(server, l.inner-2) {
		room := l.inner - 2 - words.Width(client) - words.Width(line)
		l.row(gutter, " "+client+strings.Repeat(" ", max(0, room))+line+" ", c)
		gutter, client = "", ""
	}
}

// before writes the calls that must have been made.
func (l *ladder) before() {
	var client, server []string
	for i := range l.c.Before {
		call := &l.c.Before[i]
		if call.Side == flow.ClientSide {
			client = append(client, call.Say(l.Words))
		} else {
			server = append(server, call.Say(l.Words))
		}
	}
	l.sides("", strings.Join(client, " "), strings.Join(server, " "), plain)
}

// callsUntil draws the calls that were made before a time.
func (l *ladder) callsUntil(when capture.Timestamp) {
	for l.next < len(l.c.Calls) && when.Known() && l.c.Calls[l.next].Time <= when {
		l.call()
	}
}

// call draws the next call.
func (l *ladder) call() {
	call := &l.c.Calls[l.next]
	l.next++
	l.beside(l.c.after(call.Time), call.Side, l.escape(call.Text))
}

// escape makes a text of somebody else's harmless.
func (l *ladder) escape(s string) string {
	if l.ASCII {
		return report.EscapeASCII(s)
	}
	return report.EscapeText(s)
}

func (l *ladder) beside(gutter string, side flow.Side, s string) {
	if side == flow.ServerSide {
		l.sides(gutter, "", s, plain)
	} else {
		l.sides(gutter, s, "", plain)
	}
}

// step draws a step: the call behind it, the arrow, its numbers, what it is for, the states
// that change, and the call that it releases.
func (l *ladder) step(s *Step) {
	l.row("", "", plain)
	if s.Kind == Folded {
		l.folded(s)
		return
	}
	l.inferred(s, Starts)
	l.arrow(s)
	gutter := l.frame(s)
	for _, line := range l.pack(s.Details(l.Words)) {
		l.row(gutter, "   "+line, faint)
		gutter = ""
	}
	for i := range s.Notes {
		for _, line := range l.wrap(l.sentence(&s.Notes[i]), l.inner-5) {
			l.row(gutter, "   "+line, plain)
			gutter = ""
		}
	}
	l.states(s)
	l.inferred(s, Returns)
}

// inferred writes the calls that stand above or below a step.
func (l *ladder) inferred(s *Step, at Edge) {
	if len(l.c.Calls) > 0 {
		return
	}
	var sides [2]string
	for i := range s.Calls {
		if call := &s.Calls[i]; call.At == at {
			side := &sides[sideOf(call.Side)]
			if *side != "" {
				*side += ", "
			}
			*side += call.Say(l.Words)
		}
	}
	l.sides("", sides[0], sides[1], plain)
}

// arrow draws the arrow of a step, with its label near the sender.
func (l *ladder) arrow(s *Step) {
	label := l.plain(s.Label(l.Words))
	line, c := "─", plain
	switch {
	case s.Kind == ICMPError:
		line, c = "╌", red
	case s.HasFlags(decode.RST) && s.Kind == Segment:
		c = red
	case s.Has(Retransmitted | OutOfOrder | ZeroWindow | DuplicateACK | Gap | Probe | Mismatch):
		c = yellow
	}
	line = l.plain(line)
	label = words.Cut(label, l.inner-6)
	rest := strings.Repeat(line, l.inner-5-words.Width(label))
	drawing := line + line + " " + label + " " + rest + l.plain("▶")
	if !s.FromClient {
		drawing = l.plain("◀") + rest + " " + label + " " + line + line
	}
	l.row(l.c.since(s), drawing, c)
}

// pack puts items into lines, as many as there is room for.
func (l *ladder) pack(items []string) []string {
	const gap = "   "
	room := l.inner - 4
	var lines []string
	for _, item := range items {
		item = l.plain(item)
		last := len(lines) - 1
		if last >= 0 && words.Width(lines[last])+len(gap)+words.Width(item) <= room {
			lines[last] += gap + item
			continue
		}
		if words.Width(item) > room { // two equations: the second one on a line of its own
			if first, second, ok := strings.Cut(item, " ("); ok {
				lines = append(lines, first, "("+second)
				continue
			}
		}
		lines = append(lines, words.Wrap(item, room)...)
	}
	return lines
}

// states writes the states that the step changes, each beside its lifeline.
func (l *ladder) states(s *Step) {
	l.sides("", change(s.Before.Client, s.After.Client), change(s.Before.Server, s.After.Server), bold)
}

func change(before, after flow.State) string {
	switch {
	case before == after:
		return ""
	case before == flow.StateNone:
		return "→ " + after.String()
	}
	return before.String() + " → " + after.String()
}

// folded draws a phase in one line, or a few.
func (l *ladder) folded(s *Step) {
	gutter := l.c.since(s)
	lines := s.Run.Summary(l.Words, l.c.unit())
	lines[0] = "… " + lines[0] + ", " + l.Words.Say("explain.unfold")
	lines = append(lines, l.Words.Say("explain.frames", fmt.Sprint(s.Frame), fmt.Sprint(s.Run.LastFrame)))
	for i, line := range lines {
		for _, part := range l.wrap(line, l.inner-6) {
			if i > 0 {
				part = "  " + part
			}
			l.row(gutter, "   "+part, bold)
			gutter = ""
		}
	}
}
