package ladder

import (
	"time"

	"sockscope/decode/flow"
	"sockscope/report/explain"
)

// place gives each row its place, by its time.
func (l *layout) place() {
	var list []distance
	last := -1 // the last row with a moment
	for i, p := range l.rows {
		if !p.timed() {
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
		r := &p.row
		r.Top, r.Y = y, y+p.above
		if p.timed() {
			units, spacing := l.drawn.Scale.place(&list[next])
			if next++; next > 1 {
				r.Y, r.Spacing = moment+units, spacing
			}
			if spacing == broken {
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
	r := row{Kind: rowSilence, Step: -1, Top: y, Y: y + silenceHeight/2, Bottom: y + silenceHeight, Spacing: broken}
	lines := wrap(l.words.Say("ladder.silence", span(took)), l.room(), smallSize)
	for i, line := range lines {
		r.Texts = append(r.Texts, textLine{l.middle(), r.Y + 4 + i*smallLine - (len(lines)-1)*smallLine/2, "middle", "silence", smallSize, line})
	}
	for _, x := range []int{l.form.client, l.form.server} {
		for _, dy := range []int{-4, 4} {
			r.Lines = append(r.Lines, stroke{x - 9, r.Y + dy + 4, x + 9, r.Y + dy - 4, "break"})
		}
	}
	for i, s := range []flow.State{state.Client, state.Server} {
		x := [2]int{l.form.client, l.form.server}[i]
		r.Bars = append(r.Bars, bar(x, r.Top, r.Y-6, s), bar(x, r.Y+6, r.Bottom, s))
	}
	l.drawn.Rows = append(l.drawn.Rows, r)
	return r.Bottom
}

func bar(x, top, bottom int, s flow.State) stretch {
	return stretch{x, top, bottom, s.String(), stateClass(s)}
}

// settle moves a row's shapes to its place and adds the lifelines.
func (l *layout) settle(p *plan) {
	r := p.row
	r.Hit = rectangle{0, r.Y - p.above + rowMargin - 4, l.form.width, r.Bottom - 1}
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
	if r.Kind != rowHeads {
		for i, s := range [2][2]flow.State{{p.before.Client, p.after.Client}, {p.before.Server, p.after.Server}} {
			x, at := [2]int{l.form.client, l.form.server}[i], r.Y+p.moves[i]
			if s[0] == s[1] || r.Kind == rowBefore {
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
		if !r.timed() && r.Kind != rowSilence {
			continue
		}
		above := r.Spacing
		if above == broken {
			above = spread
		}
		from := r.Y
		if r.Kind == rowSilence {
			r.Lines = append(r.Lines, stroke{x, r.Top, x, r.Y - 6, "axis spread"}, stroke{x, r.Y + 6, x, r.Bottom, "axis spread"},
				stroke{x - 5, r.Y - 2, x + 5, r.Y - 8, "break"}, stroke{x - 5, r.Y + 8, x + 5, r.Y + 2, "break"})
			continue
		}
		if !first && above != untimed {
			r.Lines = append(r.Lines, stroke{x, r.Top, x, r.Y, "axis " + above.String()})
		}
		first = false
		if r.Band != nil {
			r.Lines = append(r.Lines, stroke{x, r.Y, x, r.Band.Bottom, "axis spread"})
			from = r.Band.Bottom
		}
		if next := nextMoment(rows[i+1:]); next != nil && next.Spacing != untimed {
			below := next.Spacing
			if below == broken {
				below = spread
			}
			r.Lines = append(r.Lines, stroke{x, from, x, r.Bottom, "axis " + below.String()})
		}
	}
}

func nextMoment(rows []row) *row {
	for i := range rows {
		if rows[i].timed() {
			return &rows[i]
		}
	}
	return nil
}

// legend says how the axis is to be read, as far as the drawing needs it.
func (l *layout) legend() {
	var has [broken + 1]bool
	for i := range l.drawn.Rows {
		r := &l.drawn.Rows[i]
		has[r.Spacing] = true
		has[spread] = has[spread] || r.Band != nil
	}
	r := row{Kind: rowLegend, Step: -1, Top: l.drawn.Height}
	y := r.Top + rowMargin
	left := l.form.axis
	if l.form.inside {
		left = l.form.client - 10
	}
	say := func(class, text string) {
		const sample = 30
		switch class {
		case "break":
			r.Lines = append(r.Lines, stroke{left + 8, y + 11, left + 18, y + 5, class}, stroke{left + 14, y + 11, left + 24, y + 5, class})
		default:
			r.Lines = append(r.Lines, stroke{left, y + 8, left + sample, y + 8, class})
		}
		for _, line := range wrap(text, l.form.width-left-sample-2*margin, smallSize) {
			y += smallLine
			r.Texts = append(r.Texts, textLine{left + sample + margin, y - 2, "start", "legend", smallSize, line})
		}
		y += 3
	}
	if has[toScale] {
		const bar = scaleUnits
		y += smallLine
		r.Lines = append(r.Lines, stroke{left, y - 6, left + bar, y - 6, "axis to-scale"},
			stroke{left, y - 10, left, y - 2, "tick"}, stroke{left + bar, y - 10, left + bar, y - 2, "tick"})
		for i, line := range wrap(l.words.Say("ladder.to-scale", l.drawn.Scale.String()), l.form.width-left-bar-2*margin, smallSize) {
			if i > 0 {
				y += smallLine
			}
			r.Texts = append(r.Texts, textLine{left + bar + margin, y - 2, "start", "legend", smallSize, line})
		}
		y += 3
	}
	if has[spread] {
		say("axis spread", l.words.Say("ladder.spread"))
	}
	if has[broken] {
		say("break", l.words.Say("ladder.broken"))
	}
	say("arrow plain", l.words.Say("ladder.slope"))
	r.Y, r.Bottom = r.Top, y+4
	l.drawn.Rows = append(l.drawn.Rows, r)
	l.drawn.Height = r.Bottom
}
