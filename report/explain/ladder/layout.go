package ladder

import (
	"fmt"
	"slices"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/explain"
	"sockscope/report/words"
)

// A form is where things are across the drawing.
type form struct {
	width          int
	axis           int // of the axis of time; times and frames stand to the left of it
	client, server int // of the lifelines
	inside         bool
}

// wide has system calls at the outer sides of the lifelines. narrow is for telephones: there
// they stand between the lifelines, and so do times and frames.
var (
	wide   = form{width: 860, axis: 84, client: 250, server: 690}
	narrow = form{width: 380, axis: 7, client: 26, server: 366, inside: true}
)

const (
	labelSize = 12 // of what stands on an arrow
	smallSize = 11 // of all else
	labelLine = 15 // from baseline to baseline
	smallLine = 14

	fall      = 12 // of an arrow, from tail to head
	barWidth  = 10
	margin    = 8 // between a lifeline and a text beside it
	rowMargin = 9 // above what a row has

	silenceHeight = 40
)

// A layout makes a drawing. It is a pure function of the conversation, the language and the
// form.
type layout struct {
	*explain.Conversation
	words *words.Printer
	form  form
	real  bool // the calls were seen
	rows  []*plan
	now   explain.Ends // the states where the layout is
	drawn drawing
}

// A plan is a row before it has a place: what stands above its moment and what below. Its
// shapes have y counted from the moment.
type plan struct {
	row
	time         capture.Timestamp
	until        capture.Timestamp // of a folded phase: its last frame
	above, below int
	before       explain.Ends
	after        explain.Ends
	moves        [2]int // where the client's and the server's state change
}

// lay lays a conversation's ladder out. At most maxSteps of its steps are drawn.
func lay(c *explain.Conversation, p *words.Printer, form form, maxSteps int) *drawing {
	l := &layout{Conversation: c, words: p, form: form, real: len(c.Calls) > 0}
	l.now = explain.Ends{Client: c.ClientStart, Server: c.ServerStart}
	steps := c.Steps[:min(len(c.Steps), maxSteps)]
	l.widen(steps)
	l.heads()
	l.start()
	for _, m := range moments(c, maxSteps) {
		if m.call != nil {
			l.call(m.call)
		} else {
			l.step(m.step, &c.Steps[m.step])
		}
	}
	l.end()
	l.place()
	l.legend()
	l.drawn.Width, l.drawn.Lifelines = l.form.width, [2]int{l.form.client, l.form.server}
	return &l.drawn
}

// widen makes room for the times and frames to the left of the axis.
func (l *layout) widen(steps []explain.Step) {
	if l.form.inside {
		return
	}
	need := 0
	for i := range steps {
		need = max(need, widthOf(l.since(steps[i].Time), smallSize), widthOf(frameName(steps[i].Frame), smallSize))
		if r := steps[i].Run; r != nil {
			need = max(need, widthOf(l.since(r.LastTime), smallSize))
		}
	}
	for i := range l.Calls {
		need = max(need, widthOf(l.since(l.Calls[i].Time), smallSize))
	}
	more := max(0, need+margin+4-l.form.axis)
	l.form.axis += more
	l.form.client += more
	l.form.server += more
	l.form.width += more
}

// A moment is a step, by its index, or a call that was seen.
type moment struct {
	step int
	call *explain.Call
}

// moments are the conversation's steps, at most so many, and its calls, by their times. What
// has the same time is cause or effect, as the call says.
func moments(c *explain.Conversation, maxSteps int) []moment {
	var list []moment
	calls := c.Calls
	for i := range c.Steps[:min(len(c.Steps), maxSteps)] {
		when := c.Steps[i].Time
		for len(calls) > 0 && when.Known() && (calls[0].Time < when || calls[0].Time == when && calls[0].At == explain.Starts) {
			list, calls = append(list, moment{-1, &calls[0]}), calls[1:]
		}
		list = append(list, moment{i, nil})
	}
	if len(c.Steps) <= maxSteps {
		for i := range calls {
			list = append(list, moment{-1, &calls[i]})
		}
	}
	return list
}

func (l *layout) add(p plan) *plan {
	l.rows = append(l.rows, &p)
	return l.rows[len(l.rows)-1]
}

// middle is where the texts between the lifelines are centred, and room how wide they may be.
func (l *layout) middle() int { return (l.form.client + l.form.server) / 2 }
func (l *layout) room() int   { return l.form.server - l.form.client - barWidth - 2*margin }

// lifeline is where a side's lifeline is, and inner a text's place beside it, towards the
// other one.
func (l *layout) lifeline(side flow.Side) int {
	if side == flow.ServerSide {
		return l.form.server
	}
	return l.form.client
}

func (l *layout) inner(side flow.Side) (x int, anchor string) {
	if side == flow.ServerSide {
		return l.form.server - barWidth/2 - margin, "end"
	}
	return l.form.client + barWidth/2 + margin, "start"
}

// outer is a text's place at the other side of a lifeline.
func (l *layout) outer(side flow.Side) (x int, anchor string) {
	if side == flow.ServerSide {
		return l.form.server + barWidth/2 + margin, "start"
	}
	return l.form.client - barWidth/2 - margin, "end"
}

// callPlace is where a side's calls stand, and how wide they may be.
func (l *layout) callPlace(side flow.Side) (x int, anchor string, room int) {
	if l.form.inside {
		x, anchor = l.inner(side)
		return x, anchor, l.room() - 20
	}
	x, anchor = l.outer(side)
	if side == flow.ServerSide {
		return x, anchor, l.form.width - x - 4
	}
	return x, anchor, x - l.form.axis - margin
}

// join puts what belongs together into lines of a width.
func join(parts []string, room, size int) []string {
	const gap = "  "
	var lines []string
	for _, part := range parts {
		if last := len(lines) - 1; last >= 0 && widthOf(lines[last]+gap+part, size) <= room {
			lines[last] += gap + part
			continue
		}
		lines = append(lines, wrap(part, room, size)...)
	}
	return lines
}

// wrap breaks text into lines of a size for a width.
func wrap(s string, room, size int) []string { return words.Wrap(s, columns(room, size)) }

// heads says whose the lifelines are.
func (l *layout) heads() {
	p := plan{row: row{Kind: rowHeads, Step: -1}}
	for _, side := range []flow.Side{flow.ClientSide, flow.ServerSide} {
		x, anchor, room := l.lifeline(side), "middle", 2*(l.form.client-l.form.axis)-20
		if l.form.inside {
			room = l.form.width/2 - 12
			if x, anchor = 4, "start"; side == flow.ServerSide {
				x, anchor = l.form.width-4, "end"
			}
		}
		y := labelLine
		p.Texts = append(p.Texts, textLine{x, y, anchor, "name", labelSize + 1, explain.SayName(l.words, side)})
		end := l.Connection.Client
		if side == flow.ServerSide {
			end = l.Connection.Server
		}
		lines := wrap(report.EscapeText(end.Addr().String()), room, smallSize)
		if l.Connection.HasPorts {
			lines = append(lines, l.words.Say("ladder.port", fmt.Sprint(end.Port())))
		}
		for _, line := range lines {
			y += labelLine
			p.Texts = append(p.Texts, textLine{x, y, anchor, "end", smallSize, line})
		}
		p.below = max(p.below, y+rowMargin)
	}
	l.add(p)
}

// start says what must have been before the first step: calls and states.
func (l *layout) start() {
	p := plan{row: row{Kind: rowBefore, Step: -1}, before: l.now, after: l.now}
	if !l.real {
		p.below = l.stack(&p.row, l.Before, smallLine, false)
	}
	var at [2]int
	if l.form.inside {
		at = [2]int{p.below, p.below}
	}
	p.below = l.states(&p.row, explain.Ends{}, l.now, at, p.below) + 4
	l.add(p)
}

// stack puts calls beside the lifelines, the first one at y, and says where they end. Wide
// forms have a stack for each side, narrow ones one for both.
func (l *layout) stack(r *row, calls []explain.Call, y int, seen bool) int {
	class := "call inferred"
	if seen {
		class = "call"
	}
	var next [2]int
	for i := range calls {
		c := &calls[i]
		x, anchor, room := l.callPlace(c.Side)
		n := &next[side(c.Side)]
		if l.form.inside {
			n = &next[0]
		}
		text := c.Text
		if !seen {
			text = c.Say(l.words)
		}
		for _, line := range wrap(report.EscapeText(text), room, smallSize) {
			r.Texts = append(r.Texts, textLine{x, y + *n, anchor, class, smallSize, line})
			*n += smallLine
		}
	}
	if end := max(next[0], next[1]); end > 0 {
		return y + end - smallLine + smallSize/4 + 1
	}
	return 0
}

// side is a side's index.
func side(s flow.Side) int {
	if s == flow.ServerSide {
		return 1
	}
	return 0
}

// states writes the states that change beside the lifelines, each below where it changes,
// and says where they end: at least at floor.
func (l *layout) states(r *row, before, after explain.Ends, moves [2]int, floor int) int {
	for _, s := range []struct {
		side        flow.Side
		was, is     flow.State
		changesFrom int
	}{
		{flow.ClientSide, before.Client, after.Client, moves[0]},
		{flow.ServerSide, before.Server, after.Server, moves[1]},
	} {
		if s.was == s.is {
			continue
		}
		x, anchor := l.inner(s.side)
		y := s.changesFrom + 6 + ascent(smallSize) // below the arrow's head
		r.Texts = append(r.Texts, textLine{x, y, anchor, "state " + stateClass(s.is), smallSize, s.is.String()})
		floor = max(floor, y+smallSize/4+1)
	}
	return floor
}

// stateClasses are what kinds of states there are: each has its colour.
var stateClasses = map[flow.State]string{
	flow.StateNone: "unseen", flow.Closed: "closed", flow.Listen: "listen",
	flow.SYNSent: "opening", flow.SYNReceived: "opening", flow.Established: "open",
	flow.FINWait1: "closing", flow.FINWait2: "closing", flow.Closing: "closing", flow.CloseWait: "closing", flow.LastACK: "closing",
	flow.TimeWait: "time-wait",
}

func stateClass(s flow.State) string { return stateClasses[s] }

// step draws a step.
func (l *layout) step(i int, s *explain.Step) {
	p := l.add(plan{row: row{Kind: rowStep, Step: i}, time: s.Time, until: s.Time, before: l.now, after: l.now})
	if l.hasStates() {
		p.before, p.after = s.Before, s.After
		l.now = s.After
	}
	if s.Kind == explain.Folded {
		l.folded(p, s)
		return
	}
	p.moves[side(s.Receiver())] = fall
	l.arrow(p, s)

	// Above the moment, from below: the label, the gap, the calls that start.
	y, x, room := -4, l.middle(), l.room()
	if p.Arrow.Router {
		x, room = (p.Arrow.X1+p.Arrow.X2)/2, room/2-margin
	}
	for _, t := range slices.Backward(l.label(s, room)) {
		p.Texts = append(p.Texts, textLine{x, y - t.Size/4 + 1, "middle", t.Class, t.Size, t.Text})
		y -= labelLine
	}
	if s.Has(explain.Gap) {
		y = l.gap(p, y-3)
	}
	var starts, returns []explain.Call
	if !l.real {
		for _, c := range s.Calls {
			if c.At == explain.Starts {
				starts = append(starts, c)
			} else {
				returns = append(returns, c)
			}
		}
	}
	p.above = -y
	if len(starts) > 0 {
		height := l.stack(&row{}, starts, 0, false) + smallLine
		bottom := -4
		if l.form.inside {
			bottom = y
		}
		l.stack(&p.row, starts, smallLine+bottom-height, false)
		p.above = max(p.above, height-bottom)
	}
	p.above += rowMargin

	// Below it: the states that change, the calls that return.
	p.below = l.states(&p.row, p.before, p.after, p.moves, fall+6)
	if len(returns) > 0 {
		from := fall + 4
		if l.form.inside {
			from = p.below
		}
		p.below = max(p.below, l.stack(&p.row, returns, from+smallLine-3, false))
	}
	l.when(p, s.Time, 0)
	if !l.form.inside {
		p.Texts = append(p.Texts, textLine{l.form.axis - margin, 4 + smallLine, "end", "frame", smallSize, frameName(s.Frame)})
		p.below = max(p.below, smallLine+8)
	}
}

// hasStates reports whether the ends have states.
func (l *layout) hasStates() bool { return l.Connection.Protocol == protoTCP }

// frameName is a frame's number as the drawing has it.
func frameName(n uint64) string { return fmt.Sprintf("#%d", n) }

// when writes the time at y beside the axis, where there is room for it.
func (l *layout) when(p *plan, at capture.Timestamp, y int) {
	text := l.since(at)
	if text == "" || l.form.inside {
		return
	}
	p.Texts = append(p.Texts, textLine{l.form.axis - margin, y + 4, "end", "time", smallSize, text})
	p.Lines = append(p.Lines, stroke{l.form.axis - 4, y, l.form.axis + 4, y, "tick"})
}

// since is the time after the first frame, in seconds; "" when that is not known.
func (l *layout) since(at capture.Timestamp) string {
	d, ok := at.Sub(l.Began())
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.6f", d.Seconds())
}

// arrow draws the step's arrow.
func (l *layout) arrow(p *plan, s *explain.Step) {
	a := &arrow{Y2: fall, Class: look(s)}
	end := barWidth / 2
	a.X1, a.X2 = l.form.client+end, l.form.server-end
	if !s.FromClient {
		a.X1, a.X2 = a.X2, a.X1
	}
	if l.throughRouter(s) {
		a.X1, a.Router = l.middle(), true
	}
	a.Cross = s.Kind == explain.Segment && s.HasFlags(rst)
	p.Arrow = a
}

// throughRouter reports whether an ICMP error comes from neither end: a router on the way
// sent it.
func (l *layout) throughRouter(s *explain.Step) bool {
	if s.Kind != explain.ICMPError || s.ICMP == nil {
		return false
	}
	end := l.Connection.Server
	if s.FromClient {
		end = l.Connection.Client
	}
	return s.ICMP.From != end.Addr().String()
}

// gap draws that something is missing above a step, and says where that ends.
func (l *layout) gap(p *plan, y int) int {
	t := textLine{l.middle(), y - smallSize/4, "middle", "gap", smallSize, l.words.Say("ladder.gap")}
	box := t.Box()
	mid := (box.Top + box.Bottom) / 2
	from, to := l.form.client+barWidth/2+margin, l.form.server-barWidth/2-margin
	if box.Left-4 > from {
		p.Lines = append(p.Lines, stroke{from, mid, box.Left - 4, mid, "gap"}, stroke{box.Right + 4, mid, to, mid, "gap"})
	}
	p.Texts = append(p.Texts, t)
	return y - labelLine
}

// summary says what a phase has, in a few parts.
func (l *layout) summary(s *explain.Step) []string {
	unit := "explain.folded-segments"
	if l.Connection.Protocol != protoTCP {
		unit = "explain.folded-packets"
	}
	parts := s.Run.Summary(l.words, unit)
	parts[0] = "… " + parts[0]
	parts = append(parts, l.words.Say("explain.frames", fmt.Sprint(s.Frame), fmt.Sprint(s.Run.LastFrame)))
	if took, ok := s.Run.Took(s.Time); ok {
		parts[len(parts)-1] += ", " + span(took)
	}
	return parts
}

// folded draws a phase as a band, which reaches from its first frame's moment to its last
// one's.
func (l *layout) folded(p *plan, s *explain.Step) {
	parts := l.summary(s)
	if first, last := l.since(s.Time), l.since(s.Run.LastTime); l.form.inside && first != "" && last != "" {
		parts = append(parts, first+" – "+last+" s")
	}
	y := 7 + labelLine
	for i, part := range parts {
		class, size := "label", labelSize
		if i > 0 {
			class, size = "mark", smallSize
		}
		for _, line := range wrap(part, l.room()-30, size) {
			p.Texts = append(p.Texts, textLine{l.middle(), y, "middle", class, size, line})
			y += labelLine
		}
	}
	height := y - labelLine + 12
	p.Band = &rectangle{l.form.client + barWidth/2 + 2, 0, l.form.server - barWidth/2 - 2, height}
	p.above, p.below, p.until = rowMargin, height+6, s.Run.LastTime
	p.moves = [2]int{height, height}
	p.below = l.states(&p.row, p.before, p.after, p.moves, p.below)
	l.when(p, s.Time, 0)
	l.when(p, s.Run.LastTime, height)
	if !l.form.inside {
		p.Texts = append(p.Texts, textLine{l.form.axis - margin, 4 + smallLine, "end", "frame", smallSize, frameName(s.Frame)})
		p.below = max(p.below, height+8)
	}
}

// call draws a call that was seen, at its time.
func (l *layout) call(c *explain.Call) {
	p := l.add(plan{row: row{Kind: rowCall, Step: -1}, time: c.Time, until: c.Time, before: l.now, after: l.now})
	p.below = l.stack(&p.row, []explain.Call{*c}, 4, true)
	p.above = 6 + rowMargin/2
	l.when(p, c.Time, 0)
	x := l.lifeline(c.Side)
	class := "call starts"
	if c.At == explain.Returns {
		class = "call returns"
	}
	p.Lines = append(p.Lines, stroke{x - barWidth/2 - 4, 0, x + barWidth/2 + 4, 0, class})
}

// end lets the lifelines run out.
func (l *layout) end() {
	l.add(plan{row: row{Kind: rowAfter, Step: -1}, below: 14, before: l.now, after: l.now})
}
