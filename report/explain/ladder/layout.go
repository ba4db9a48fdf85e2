package ladder

import (
	"fmt"
	"slices"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/explain"
	"sockscope/report/words"
)

// A Form is where things are across the drawing.
type Form struct {
	width          int
	axis           int // of the axis of time; times and frames stand to the left of it
	client, server int // of the lifelines
	inside         bool
}

// Wide has system calls at the outer sides of the lifelines. Narrow is for telephones: there
// they stand between the lifelines, and so do times and frames.
var (
	Wide   = Form{width: 860, axis: 84, client: 250, server: 690}
	Narrow = Form{width: 380, axis: 7, client: 26, server: 366, inside: true}
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

// A layout makes a Drawing. It is a pure function of the conversation, the language and the
// form.
type layout struct {
	*explain.Conversation
	words *words.Printer
	form  Form
	real  bool // the calls were seen
	rows  []*plan
	now   explain.Ends // the states where the layout is
	drawn Drawing
}

// A plan is a row before it has a place: what stands above its moment and what below. Its
// shapes have y counted from the moment.
type plan struct {
	Row
	time         capture.Timestamp
	until        capture.Timestamp // of a folded phase: its last frame
	above, below int
	before       explain.Ends
	after        explain.Ends
	moves        [2]int // where the client's and the server's state change
}

// Layout lays a conversation's ladder out. At most maxSteps of its steps are drawn.
func Layout(c *explain.Conversation, p *words.Printer, form Form, maxSteps int) *Drawing {
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

// wrap breaks text into lines of a size for a width.
func wrap(s string, room, size int) []string { return words.Wrap(s, columns(room, size)) }

// heads says whose the lifelines are.
func (l *layout) heads() {
	p := plan{Row: Row{Kind: Heads, Step: -1}}
	for _, side := range []flow.Side{flow.ClientSide, flow.ServerSide} {
		x, anchor, room := l.lifeline(side), "middle", 2*(l.form.client-l.form.axis)-20
		if l.form.inside {
			room = l.form.width/2 - 12
			if x, anchor = 4, "start"; side == flow.ServerSide {
				x, anchor = l.form.width-4, "end"
			}
		}
		y := labelLine
		p.Texts = append(p.Texts, Text{x, y, anchor, "name", labelSize + 1, explain.SayName(l.words, side)})
		end := l.Connection.Client
		if side == flow.ServerSide {
			end = l.Connection.Server
		}
		lines := wrap(end.Addr().String(), room, smallSize)
		if l.Connection.HasPorts {
			lines = append(lines, l.words.Say("ladder.port", fmt.Sprint(end.Port())))
		}
		for _, line := range lines {
			y += labelLine
			p.Texts = append(p.Texts, Text{x, y, anchor, "end", smallSize, report.EscapeText(line)})
		}
		p.below = max(p.below, y+rowMargin)
	}
	l.add(p)
}

// start says what must have been before the first step: calls and states.
func (l *layout) start() {
	p := plan{Row: Row{Kind: Before, Step: -1}, before: l.now, after: l.now}
	if !l.real {
		p.below = l.stack(&p.Row, l.Before, smallLine, false)
	}
	var at [2]int
	if l.form.inside {
		at = [2]int{p.below, p.below}
	}
	p.below = l.states(&p.Row, explain.Ends{}, l.now, at, p.below) + 4
	l.add(p)
}

// stack puts calls beside the lifelines, the first one at y, and says where they end. Wide
// forms have a stack for each side, narrow ones one for both.
func (l *layout) stack(r *Row, calls []explain.Call, y int, seen bool) int {
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
			r.Texts = append(r.Texts, Text{x, y + *n, anchor, class, smallSize, line})
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
func (l *layout) states(r *Row, before, after explain.Ends, moves [2]int, floor int) int {
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
		r.Texts = append(r.Texts, Text{x, y, anchor, "state " + stateClass(s.is), smallSize, s.is.String()})
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
	p := l.add(plan{Row: Row{Kind: Steps, Step: i}, time: s.Time, until: s.Time, before: l.now, after: l.now})
	if l.hasStates(s) {
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
		p.Texts = append(p.Texts, Text{x, y - t.Size/4 + 1, "middle", t.Class, t.Size, t.Text})
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
		height := l.stack(&Row{}, starts, 0, false) + smallLine
		bottom := -4
		if l.form.inside {
			bottom = y
		}
		l.stack(&p.Row, starts, smallLine+bottom-height, false)
		p.above = max(p.above, height-bottom)
	}
	p.above += rowMargin

	// Below it: the states that change, the calls that return.
	p.below = l.states(&p.Row, p.before, p.after, p.moves, fall+6)
	if len(returns) > 0 {
		from := fall + 4
		if l.form.inside {
			from = p.below
		}
		p.below = max(p.below, l.stack(&p.Row, returns, from+smallLine-3, false))
	}
	l.when(p, s.Time, 0)
	if !l.form.inside {
		p.Texts = append(p.Texts, Text{l.form.axis - margin, 4 + smallLine, "end", "frame", smallSize, frameName(s.Frame)})
		p.below = max(p.below, smallLine+8)
	}
}

// hasStates reports whether a step tells the states of both ends.
func (l *layout) hasStates(*explain.Step) bool { return l.Connection.Protocol == protoTCP }

// frameName is a frame's number as the drawing has it.
func frameName(n uint64) string { return fmt.Sprintf("#%d", n) }

// when writes the time at y beside the axis, where there is room for it.
func (l *layout) when(p *plan, at capture.Timestamp, y int) {
	text := l.since(at)
	if text == "" || l.form.inside {
		return
	}
	p.Texts = append(p.Texts, Text{l.form.axis - margin, y + 4, "end", "time", smallSize, text})
	p.Lines = append(p.Lines, Line{l.form.axis - 4, y, l.form.axis + 4, y, "tick"})
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
	a := &Arrow{Y2: fall, Class: look(s)}
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
	t := Text{l.middle(), y - smallSize/4, "middle", "gap", smallSize, l.words.Say("ladder.gap")}
	box := t.Box()
	mid := (box.Top + box.Bottom) / 2
	from, to := l.form.client+barWidth/2+margin, l.form.server-barWidth/2-margin
	if box.Left-4 > from {
		p.Lines = append(p.Lines, Line{from, mid, box.Left - 4, mid, "gap"}, Line{box.Right + 4, mid, to, mid, "gap"})
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
			p.Texts = append(p.Texts, Text{l.middle(), y, "middle", class, size, line})
			y += labelLine
		}
	}
	height := y - labelLine + 12
	p.Band = &Box{l.form.client + barWidth/2 + 2, 0, l.form.server - barWidth/2 - 2, height}
	p.above, p.below, p.until = rowMargin, height+6, s.Run.LastTime
	p.moves = [2]int{height, height}
	p.below = l.states(&p.Row, p.before, p.after, p.moves, p.below)
	l.when(p, s.Time, 0)
	l.when(p, s.Run.LastTime, height)
	if !l.form.inside {
		p.Texts = append(p.Texts, Text{l.form.axis - margin, 4 + smallLine, "end", "frame", smallSize, frameName(s.Frame)})
		p.below = max(p.below, height+8)
	}
}

// call draws a call that was seen, at its time.
func (l *layout) call(c *explain.Call) {
	p := l.add(plan{Row: Row{Kind: Calls, Step: -1}, time: c.Time, until: c.Time, before: l.now, after: l.now})
	p.below = l.stack(&p.Row, []explain.Call{*c}, 4, true)
	p.above = 6 + rowMargin/2
	l.when(p, c.Time, 0)
	x := l.lifeline(c.Side)
	class := "call starts"
	if c.At == explain.Returns {
		class = "call returns"
	}
	p.Lines = append(p.Lines, Line{x - barWidth/2 - 4, 0, x + barWidth/2 + 4, 0, class})
}

// end lets the lifelines run out.
func (l *layout) end() {
	l.add(plan{Row: Row{Kind: After, Step: -1}, below: 14, before: l.now, after: l.now})
}

// place gives each row its place, by its time.
func (l *layout) place() {
	var list []distance
	last := -1 // the last row with a moment
	for i, p := range l.rows {
		if p.Kind != Steps && p.Kind != Calls {
			continue
		}
		d := distance{room: p.above}
		if last >= 0 {
			d.room += l.rows[last].below
			if l.rows[last].Band != nil { // its moment is its last frame's, at the band's end
				d.room -= l.rows[last].Band.Bottom
			}
			d.took, d.known = p.time.Sub(l.rows[last].until)
		}
		list = append(list, d)
		last = i
	}
	l.drawn.Scale = scaleOf(list)

	y, moment, next := 0, 0, 0 // y: where the last row ends; moment: of the last row that has one
	for _, p := range l.rows {
		r := &p.Row
		r.Top, r.Y = y, y+p.above
		if p.Kind == Steps || p.Kind == Calls {
			units, spacing := l.drawn.Scale.place(&list[next])
			if next++; next > 1 {
				r.Y, r.Spacing = moment+units, spacing
			}
			if spacing == Broken {
				r.Top = l.silence(p.before, list[next-1].took, y)
			}
			moment = r.Y
			if p.Band != nil {
				moment += p.Band.Bottom
			}
		}
		r.Bottom = r.Y + p.below
		l.settle(p)
		y = r.Bottom
	}
	// How a distance is to be read, both rows that it lies in have to know.
	l.axis()
	l.drawn.Height = y
}

// silence puts the row in that says that time is left out, and says where it ends.
func (l *layout) silence(state explain.Ends, took time.Duration, y int) int {
	r := Row{Kind: Silence, Step: -1, Top: y, Y: y + silenceHeight/2, Bottom: y + silenceHeight, Spacing: Broken}
	lines := wrap(l.words.Say("ladder.silence", span(took)), l.room(), smallSize)
	for i, line := range lines {
		r.Texts = append(r.Texts, Text{l.middle(), r.Y + 4 + i*smallLine - (len(lines)-1)*smallLine/2, "middle", "silence", smallSize, line})
	}
	for _, x := range []int{l.form.client, l.form.server} {
		for _, dy := range []int{-4, 4} {
			r.Lines = append(r.Lines, Line{x - 9, r.Y + dy + 4, x + 9, r.Y + dy - 4, "break"})
		}
	}
	for i, s := range []flow.State{state.Client, state.Server} {
		x := [2]int{l.form.client, l.form.server}[i]
		r.Bars = append(r.Bars, bar(x, r.Top, r.Y-6, s), bar(x, r.Y+6, r.Bottom, s))
	}
	l.drawn.Rows = append(l.drawn.Rows, r)
	return r.Bottom
}

func bar(x, top, bottom int, s flow.State) Bar {
	return Bar{x, top, bottom, s.String(), stateClass(s)}
}

// settle moves a row's shapes to its place and adds the lifelines.
func (l *layout) settle(p *plan) {
	r := p.Row
	r.Hit = Box{0, r.Y - p.above + rowMargin - 4, l.form.width, r.Bottom - 1}
	for i := range r.Texts {
		r.Texts[i].Y += r.Y
	}
	for i := range r.Lines {
		r.Lines[i].Y1 += r.Y
		r.Lines[i].Y2 += r.Y
	}
	if r.Arrow != nil {
		r.Arrow.Y1 += r.Y
		r.Arrow.Y2 += r.Y
	}
	if r.Band != nil {
		r.Band.Top += r.Y
		r.Band.Bottom += r.Y
	}
	if r.Kind != Heads {
		for i, s := range [2][2]flow.State{{p.before.Client, p.after.Client}, {p.before.Server, p.after.Server}} {
			x, at := [2]int{l.form.client, l.form.server}[i], r.Y+p.moves[i]
			if s[0] == s[1] || r.Kind == Before {
				r.Bars = append(r.Bars, bar(x, r.Top, r.Bottom, s[1]))
			} else {
				r.Bars = append(r.Bars, bar(x, r.Top, at, s[0]), bar(x, at, r.Bottom, s[1]))
			}
		}
	}
	l.drawn.Rows = append(l.drawn.Rows, r)
}

// axis draws the axis of time: between two moments as their distance is to be read.
func (l *layout) axis() {
	rows := l.drawn.Rows
	x := l.form.axis
	first := true
	for i := range rows {
		r := &rows[i]
		if r.Kind != Steps && r.Kind != Calls && r.Kind != Silence {
			continue
		}
		above := r.Spacing
		if above == Broken {
			above = Spread
		}
		from := r.Y
		if r.Kind == Silence {
			r.Lines = append(r.Lines, Line{x, r.Top, x, r.Y - 6, "axis spread"}, Line{x, r.Y + 6, x, r.Bottom, "axis spread"},
				Line{x - 5, r.Y - 2, x + 5, r.Y - 8, "break"}, Line{x - 5, r.Y + 8, x + 5, r.Y + 2, "break"})
			continue
		}
		if !first && above != Untimed {
			r.Lines = append(r.Lines, Line{x, r.Top, x, r.Y, "axis " + above.String()})
		}
		first = false
		if r.Band != nil {
			r.Lines = append(r.Lines, Line{x, r.Y, x, r.Band.Bottom, "axis spread"})
			from = r.Band.Bottom
		}
		if next := nextMoment(rows[i+1:]); next != nil && next.Spacing != Untimed {
			below := next.Spacing
			if below == Broken {
				below = Spread
			}
			r.Lines = append(r.Lines, Line{x, from, x, r.Bottom, "axis " + below.String()})
		}
	}
}

func nextMoment(rows []Row) *Row {
	for i := range rows {
		if rows[i].Kind == Steps || rows[i].Kind == Calls {
			return &rows[i]
		}
	}
	return nil
}

// legend says how the axis is to be read, as far as the drawing needs it.
func (l *layout) legend() {
	var has [Broken + 1]bool
	for i := range l.drawn.Rows {
		r := &l.drawn.Rows[i]
		has[r.Spacing] = true
		has[Spread] = has[Spread] || r.Band != nil
	}
	r := Row{Kind: Legend, Step: -1, Top: l.drawn.Height}
	y := r.Top + rowMargin
	left := l.form.axis
	if l.form.inside {
		left = l.form.client - 10
	}
	say := func(class, text string) {
		const sample = 30
		switch class {
		case "break":
			r.Lines = append(r.Lines, Line{left + 8, y + 11, left + 18, y + 5, class}, Line{left + 14, y + 11, left + 24, y + 5, class})
		default:
			r.Lines = append(r.Lines, Line{left, y + 8, left + sample, y + 8, class})
		}
		for _, line := range wrap(text, l.form.width-left-sample-2*margin, smallSize) {
			y += smallLine
			r.Texts = append(r.Texts, Text{left + sample + margin, y - 2, "start", "legend", smallSize, line})
		}
		y += 3
	}
	if has[ToScale] {
		const bar = scaleUnits
		y += smallLine
		r.Lines = append(r.Lines, Line{left, y - 6, left + bar, y - 6, "axis to-scale"},
			Line{left, y - 10, left, y - 2, "tick"}, Line{left + bar, y - 10, left + bar, y - 2, "tick"})
		for i, line := range wrap(l.words.Say("ladder.to-scale", l.drawn.Scale.String()), l.form.width-left-bar-2*margin, smallSize) {
			if i > 0 {
				y += smallLine
			}
			r.Texts = append(r.Texts, Text{left + bar + margin, y - 2, "start", "legend", smallSize, line})
		}
		y += 3
	}
	if has[Spread] {
		say("axis spread", l.words.Say("ladder.spread"))
	}
	if has[Broken] {
		say("break", l.words.Say("ladder.broken"))
	}
	say("arrow plain", l.words.Say("ladder.slope"))
	r.Y, r.Bottom = r.Top, y+4
	l.drawn.Rows = append(l.drawn.Rows, r)
	l.drawn.Height = r.Bottom
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
