package page

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"sockscope/report"
)

// Charts are drawn in percent of their width and pixels of their height, so that
// one drawing serves every screen and its text keeps its size.

// Heights of a bar chart, in pixels.
const (
	barPitch  = 38 // from one bar to the next
	barText   = 13 // from a bar's top edge of space to its label's baseline
	barTop    = 19 // to the bar itself
	barHeight = 11
	axisSpace = 26 // below the last bar
)

// topServices is the number of services that have a bar.
const topServices = 12

// A bars is a chart of horizontal bars, its labels above the bars.
type bars struct {
	Name     string // of its place on the page
	Heading  string
	Label    string // what the chart shows, for those who do not see it
	Axis     string // what the numbers count
	failures bool   // the values tell how many failed
	Height   int
	AxisY    int // of the axis line
	TextY    int // of the axis labels' baseline
	Bars     []bar
	Ticks    []tick
	Rest     string // what has no bar
}

// A bar is one line of a bar chart, cut into parts.
type bar struct {
	Label, Value string
	TextY, Y, H  int
	Parts        []part
}

// A part is a stretch of a bar.
type part struct {
	Class, Title string
	X, W         string // in percent
}

// A tick is a mark on an axis.
type tick struct {
	At, Anchor, Text string
	Y, TextY         int // of a vertical axis
}

// at is a position in percent of a chart's width.
func at(part, whole float64) string {
	if whole <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(math.Round(part/whole*1e5)/1e3, 'f', -1, 64) + "%"
}

// barItem is what a bar shows.
type barItem struct {
	label string
	parts []outcomeCount // by group, or one outcome
}

func (b *barItem) total() (n uint64) {
	for _, p := range b.parts {
		n += p.N
	}
	return n
}

// draw places the items of a chart.
func (c *bars) draw(items []barItem) {
	var top uint64
	for i := range items {
		top = max(top, items[i].total())
	}
	for i := range items {
		item := &items[i]
		b := bar{Label: item.label, Y: i*barPitch + barTop, TextY: i*barPitch + barText, H: barHeight}
		var before, failed uint64
		for _, p := range item.parts {
			if p.N == 0 {
				continue
			}
			b.Parts = append(b.Parts, part{
				Class: p.Group.Class(),
				Title: item.label + ": " + count(p.N) + " " + p.Name,
				X:     at(float64(before), float64(top)),
				W:     at(float64(p.N), float64(top)),
			})
			before += p.N
			if p.Group.Failed() {
				failed += p.N
			}
		}
		b.Value = count(before)
		switch {
		case !c.failures:
		case failed == before && failed > 0:
			b.Value += " · all failed"
		case failed > 0:
			b.Value += " · " + count(failed) + " failed"
		}
		c.Bars = append(c.Bars, b)
		c.Label += "; " + item.label + " " + b.Value
	}
	c.AxisY = len(items)*barPitch + 2
	c.TextY = c.AxisY + 16
	c.Height = c.AxisY + axisSpace
	for _, n := range ticks(top, 4) {
		c.Ticks = append(c.Ticks, tick{At: at(float64(n), float64(top)), Anchor: anchor(n, top), Text: count(n)})
	}
}

// anchor keeps a label at an edge inside its chart.
func anchor(n, top uint64) string {
	switch f := float64(n) / float64(top); {
	case f < 0.04:
		return "start"
	case f > 0.96:
		return "end"
	}
	return "middle"
}

// ticks are at most n+1 round numbers from 0 to top.
func ticks(top uint64, n uint64) []uint64 {
	step := uint64(1)
	for i := 0; top/step > n; i++ {
		if i%3 == 1 { // 1, 2, 5, 10, 20, 50 …
			step = step / 2 * 5
		} else {
			step *= 2
		}
	}
	list := []uint64{0}
	for v := step; v <= top && v >= step; v += step {
		list = append(list, v)
	}
	return list
}

// groupParts cuts a tally into its groups.
func groupParts(t *report.Tally) []outcomeCount {
	var parts []outcomeCount
	for g, n := range groupCounts(t) {
		parts = append(parts, outcomeCount{group(g).Name(), group(g), n})
	}
	return parts
}

func rangeBars(s *report.Summary) bars {
	c := bars{Name: "by-range", Heading: "By port range of the server", Axis: "connections", failures: true,
		Label: "Connections by port range of the server"}
	var items []barItem
	for i := range s.Ranges {
		r := &s.Ranges[i]
		items = append(items, barItem{rangeLabel(r), groupParts(&r.Tally)})
	}
	c.draw(items)
	return c
}

func serviceBars(s *report.Summary) bars {
	c := bars{Name: "by-service", Heading: "By service", Axis: "connections", failures: true,
		Label: "Connections by service"}
	shown := s.Services[:min(len(s.Services), topServices)]
	var items []barItem
	rest := s.Total.Connections
	for i := range shown {
		items = append(items, barItem{serviceLabel(&shown[i]), groupParts(&shown[i].Tally)})
		rest -= min(rest, shown[i].Tally.Connections)
	}
	c.draw(items)
	if n := len(s.Services) - len(shown); n > 0 {
		c.Rest = counted(uint64(n), "more service") + " with " + counted(rest, "connection") + " in the table below."
	}
	return c
}

func outcomeBars(s *report.Summary) bars {
	c := bars{Name: "by-outcome", Heading: "By outcome", Axis: "connections", Label: "Connections by outcome"}
	var items []barItem
	for g := range numGroups {
		for _, o := range outcomeCounts(&s.Total) {
			if o.Group == g && o.N > 0 {
				items = append(items, barItem{label: o.Name})
			}
		}
	}
	for _, o := range splitOutcomes(&s.Total) {
		i := slices.IndexFunc(items, func(item barItem) bool { return item.label == o.Name })
		if o.Group == other && outcomeGroups[o.Name] != other {
			o.Name = "that asked for no answer"
		}
		items[i].parts = append(items[i].parts, o)
	}
	c.draw(items)
	for i := range c.Bars {
		c.Bars[i].Value += " · " + percent(items[i].total(), s.Total.Connections)
	}
	return c
}

// Heights of the time line, in pixels.
const (
	timelineTop    = 14 // above the highest column: a label
	timelinePlot   = 150
	timelineBottom = 24
	maxColumns     = 120
)

// A timeline is the chart of connections started in each interval.
type timeline struct {
	Label   string
	Axis    string
	Height  int
	BaseY   int
	TextY   int
	Columns []column
	Rows    []tick // of the vertical axis
	Ticks   []tick // of the time axis
}

// A column is one interval: the failed connections stand at its foot.
type column struct {
	Title           string
	X, W            string // in percent
	Y, H            string // of all, in pixels
	FailedY, Failed string // of those that failed
	HasFailed       bool
}

// newTimeline draws t; nil when there is nothing to draw.
func newTimeline(t *report.Timeline) *timeline {
	buckets, step := t.Buckets, t.Step
	if len(buckets) == 0 || step <= 0 {
		return nil
	}
	if n := (len(buckets) + maxColumns - 1) / maxColumns; n > 1 {
		buckets = merge(buckets, n)
		step *= time.Duration(n)
	}
	var top, total, failed uint64
	for _, b := range buckets {
		top = max(top, b.Connections)
		total += b.Connections
		failed += b.Failed
	}
	if top == 0 {
		return nil
	}
	c := &timeline{
		Label: "Connections started over time: " + count(total) + ", of which " + count(failed) +
			" failed, in intervals of " + mark(step) + "; at most " + count(top) + " in one",
		Axis:   "one column is " + mark(step),
		BaseY:  timelineTop + timelinePlot,
		Height: timelineTop + timelinePlot + timelineBottom,
		TextY:  timelineTop + timelinePlot + 17,
	}
	if t.Start.Known() {
		c.Axis = "time since " + instant(t.Start.Time()) + " UTC; " + c.Axis
	}
	n := float64(len(buckets))
	high := func(v uint64) float64 { return float64(v) / float64(top) * timelinePlot }
	for i, b := range buckets {
		if b.Connections == 0 {
			continue
		}
		all, bad := high(b.Connections), high(min(b.Failed, b.Connections))
		title := "after " + mark(time.Duration(i)*step) + ": " + counted(b.Connections, "connection")
		if b.Failed > 0 {
			title += ", " + count(b.Failed) + " failed"
		}
		c.Columns = append(c.Columns, column{
			Title: title,
			X:     at(float64(i)+0.1, n), W: at(0.8, n),
			Y: pixels(float64(c.BaseY) - all), H: pixels(all - bad),
			FailedY: pixels(float64(c.BaseY) - bad), Failed: pixels(bad), HasFailed: b.Failed > 0,
		})
	}
	for _, v := range ticks(top, 3) {
		y := c.BaseY - int(math.Round(high(v)))
		c.Rows = append(c.Rows, tick{Y: y, TextY: y + 4, Text: count(v)})
	}
	for _, i := range timeTicks(len(buckets), step) {
		c.Ticks = append(c.Ticks, tick{At: at(i, n), Text: mark(time.Duration(math.Round(i * float64(step)))), Anchor: "middle"})
	}
	c.Ticks[0].Anchor = "start"
	if last := &c.Ticks[len(c.Ticks)-1]; len(c.Ticks) > 1 && timeTickFraction(last.At) > 92 {
		last.Anchor = "end"
	}
	return c
}

// mark is duration without the zeros behind its point: for round numbers.
func mark(d time.Duration) string {
	number, unit, _ := strings.Cut(duration(d).Text, " ")
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return number + " " + unit
}

func pixels(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }

func timeTickFraction(at string) float64 {
	f, err := strconv.ParseFloat(at[:len(at)-1], 64)
	if err != nil {
		return 0
	}
	return f
}

// merge adds up n buckets each.
func merge(buckets []report.Bucket, n int) []report.Bucket {
	var merged []report.Bucket
	for i, b := range buckets {
		if i%n == 0 {
			merged = append(merged, report.Bucket{})
		}
		last := &merged[len(merged)-1]
		last.Connections += b.Connections
		last.Failed += b.Failed
	}
	return merged
}

// niceSteps are the distances between marks that a clock's reader likes.
var niceSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// timeTicks are at most five marks of the time axis, the first at 0, in intervals
// of length step from its start.
func timeTicks(intervals int, step time.Duration) []float64 {
	span := float64(intervals) * float64(step)
	wide := span / 4
	nice := math.Pow(10, math.Floor(math.Log10(wide)))
	switch { // decimal below a second and beyond days
	case nice >= wide:
	case nice*2 >= wide:
		nice *= 2
	case nice*5 >= wide:
		nice *= 5
	default:
		nice *= 10
	}
	if wide > float64(time.Second) {
		for _, d := range niceSteps {
			if float64(d) >= wide {
				nice = float64(d)
				break
			}
		}
		if day := float64(24 * time.Hour); wide > day {
			nice = math.Ceil(wide/day) * day
		}
	}
	var list []float64
	for v := 0.0; v <= span*1.0001; v += nice {
		list = append(list, v/float64(step))
	}
	return list
}
