package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// Lines of the text report's sections; the machine formats have all.
const (
	textInputs   = 5
	textDamage   = 3 // of an input
	textTrouble  = 6
	textServices = 12
	textTunnels  = 5

	textListeners = 12
)

// inputs tells what was read, and what was wrong with it.
func (p *printer) inputs(s *Summary) {
	for _, in := range s.Inputs[:min(textInputs, len(s.Inputs))] {
		p.input(&in)
	}
	if n := len(s.Inputs) - textInputs; n > 0 {
		p.prose(plain, "and "+plural(uint64(n), "more input"), 2)
	}
	var links []string
	for _, l := range s.Links {
		links = append(links, l.Link.String())
	}
	text := plural(s.Frames, "frame")
	if len(links) > 0 {
		text += " (" + strings.Join(links, ", ") + ")"
	}
	text += ", " + humanBytes(s.Bytes)
	if s.Captured < s.Bytes {
		text += " on the wire, " + humanBytes(s.Captured) + " of them captured"
	}
	if d, ok := s.Last.Sub(s.First); ok {
		text += " · " + p.period(s.First, s.Last)
		if d > 0 {
			text += " (" + humanDuration(d) + ")"
		}
	}
	p.prose(plain, p.text(text), 2)
	if s.Drops > 0 {
		p.prose(yellow, p.text(plural(s.Drops, "frame")+" lost by the capturing side"), 2)
	}
}

func (p *printer) input(in *capture.Input) {
	var about []string
	for _, word := range [...]string{in.Format, in.Compression} {
		if word != "" {
			about = append(about, word)
		}
	}
	name := in.Name
	if name == "-" {
		name = "standard input"
	}
	if len(about) > 0 {
		name += " (" + strings.Join(about, ", ") + ")"
	}
	p.prose(bold, p.text(name), 2)
	for _, d := range in.Damage[:min(textDamage, len(in.Damage))] {
		p.paragraph(yellow, "damaged: "+d.String())
	}
	if n := len(in.Damage) - textDamage; n > 0 {
		p.paragraph(yellow, "and "+plural(uint64(n), "more damaged place"))
	}
	for _, note := range in.Notes {
		p.paragraph(plain, "note: "+note)
	}
	var odd []string
	for _, a := range Oddities(in) {
		odd = append(odd, a.Name+" ×"+humanCount(a.N))
	}
	if len(odd) > 0 {
		p.paragraph(faint, "oddities, accepted: "+strings.Join(odd, ", "))
	}
}

// Oddities are in's anomalies but for the statistics that programs write at the end of
// every pcapng capture: these are counted, but nothing to tell people about.
func Oddities(in *capture.Input) []capture.Count {
	return slices.DeleteFunc(slices.Clone(in.Anomalies), func(c capture.Count) bool { return c.Name == "statistics-block" })
}

// period is "2024-02-29 23:59:58.000001 → 23:59:59.2 UTC": the second date only
// when it is another.
func (p *printer) period(first, last capture.Timestamp) string {
	a, b := first.Time().In(p.location), last.Time().In(p.location)
	end := b.Format(time.DateTime)
	if a.Format(time.DateOnly) == b.Format(time.DateOnly) {
		end = b.Format(time.TimeOnly)
	}
	zone := b.Format("MST")
	if _, offset := b.Zone(); offset == 0 {
		zone = "UTC"
	}
	return a.Format(time.DateTime) + fraction(a) + " → " + end + fraction(b) + " " + zone
}

// fraction is the part of a second in three, six or nine digits, "" for none.
func fraction(t time.Time) string {
	digits := fmt.Sprintf(".%09d", t.Nanosecond())
	for strings.HasSuffix(digits, "000") {
		digits = digits[:len(digits)-3]
	}
	return strings.TrimSuffix(digits, ".")
}

// verdict is the report in one sentence.
func (p *printer) verdict(s *Summary) {
	t := &s.Total
	p.line("")
	switch {
	case t.Connections == 0:
		p.prose(bold, p.text("No connections in "+plural(s.Frames, "frame")+"."), 0)
	case t.Failed > 0:
		failed := humanCount(t.Failed)
		early := t.UndecidedUnanswered + t.UndecidedHalfOpen
		if early > 0 {
			failed = "At least " + failed
		}
		text := fmt.Sprintf("%s of %s failed: %s", failed, plural(t.Connections, "connection"), outcomeWords(failedOutcomes(t)))
		if early > 0 {
			text += "; " + humanCount(early) + " more were evicted too early to tell"
		}
		p.prose(boldRed, p.text(text+"."), 0)
	case t.OK() == t.Connections:
		p.prose(bold, p.text("Nothing failed: "+plural(t.Connections, "connection")+", "+outcomeWords(t.Outcomes)+"."), 0)
	default:
		p.prose(bold, p.text("No connection is known to have failed: "+plural(t.Connections, "connection")+", "+outcomeWords(t.Outcomes)+"."), 0)
	}
}

// failedOutcomes are the outcomes of attempts that failed: datagrams that asked for
// no answer are not among the unanswered ones, nor is what was evicted too early to tell.
func failedOutcomes(t *Tally) [flow.NumOutcomes]uint64 {
	var failed [flow.NumOutcomes]uint64
	rest := t.Failed
	for o, n := range t.Outcomes {
		if o := flow.Outcome(o); o.Failed() && o != flow.Unanswered {
			failed[o] = n
			if o == flow.HalfOpen {
				failed[o] -= t.UndecidedHalfOpen
			}
			rest -= failed[o]
		}
	}
	failed[flow.Unanswered] = rest
	return failed
}

// outcomeWords is "5 refused, 1 unanswered".
func outcomeWords(outcomes [flow.NumOutcomes]uint64) string {
	var words []string
	for o, n := range outcomes {
		if n > 0 {
			words = append(words, humanCount(n)+" "+flow.Outcome(o).String())
		}
	}
	return strings.Join(words, ", ")
}

// minBars is from how many intervals on a drawing tells something.
const minBars = 8

// bars show a number by height.
var (
	bars      = []rune("▁▂▃▄▅▆▇█")
	asciiBars = []rune(".:-=+*#@")
)

// timeline draws when connections began, in red where some failed: from the first
// one to the last one.
func (p *printer) timeline(t *Timeline) {
	buckets := t.Buckets
	for len(buckets) > 0 && buckets[0].Connections == 0 {
		buckets = buckets[1:]
	}
	for len(buckets) > 0 && buckets[len(buckets)-1].Connections == 0 {
		buckets = buckets[:len(buckets)-1]
	}
	if len(buckets) < minBars {
		return
	}
	const label = "Started, "
	room := p.width - len(label) - len("99999d 00h a bar: ")
	each := (len(buckets) + room - 1) / room // of them in one bar
	var merged []Bucket
	var most uint64
	for i, b := range buckets {
		if i%each == 0 {
			merged = append(merged, Bucket{})
		}
		last := &merged[len(merged)-1]
		last.Connections += b.Connections
		last.Failed += b.Failed
		most = max(most, last.Connections)
	}
	heights := bars
	if p.ascii {
		heights = asciiBars
	}
	var line strings.Builder
	for _, b := range merged {
		bar := " "
		if b.Connections > 0 {
			bar = string(heights[int(float64(b.Connections)/float64(most)*float64(len(heights)-1))])
		}
		if b.Failed > 0 {
			bar = p.paint(red, bar)
		}
		line.WriteString(bar)
	}
	step := p.text(wait(t.Step * time.Duration(each)))
	p.line(label + step + " a bar: " + strings.TrimRight(line.String(), " "))
}

// trouble lists what is wrong.
func (p *printer) trouble(s *Summary) {
	var lines []*Trouble
	for i := range s.Trouble {
		if s.Trouble[i].Kind != "damage" { // told with its input
			lines = append(lines, &s.Trouble[i])
		}
	}
	if len(lines) == 0 {
		if s.Total.Connections > 0 {
			p.prose(plain, "No trouble found in "+plural(s.Total.Connections, "connection")+".", 0)
		}
		return
	}
	p.heading("Trouble", "worst first")
	for _, t := range lines[:min(p.troubleLines(), len(lines))] {
		p.troubleLine(t, s.First)
	}
	if n := uint64(max(0, len(lines)-p.troubleLines())) + s.Worse; n > 0 {
		p.paragraph(plain, "and "+humanCount(n)+" more")
	}
}

// troubleLines is how many lines of trouble are shown: the tables after them should
// begin on the first screen.
func (p *printer) troubleLines() int {
	if p.width < 100 {
		return textTrouble
	}
	return 2 * textTrouble
}

// when is "09:00:03" or "09:00:03–09:00:25": between which times something was, with the
// date where that is not the day of first, the capture's first frame; "" when that
// is not known.
func (p *printer) when(from, to, first capture.Timestamp) string {
	if !from.Known() {
		return ""
	}
	day := ""
	if first.Known() {
		day = first.Time().In(p.location).Format(time.DateOnly)
	}
	stamp := func(t capture.Timestamp) string {
		at := t.Time().In(p.location)
		if d := at.Format(time.DateOnly); d != day {
			day = d
			return d + " " + at.Format(time.TimeOnly)
		}
		return at.Format(time.TimeOnly)
	}
	since := stamp(from)
	if !to.Known() {
		return since
	}
	if until := stamp(to); !strings.HasSuffix(since, until) {
		return since + "–" + until
	}
	return since
}

// frameList is ", frames 50, 58, …": a trouble's evidence, after its time.
func frameList(t *Trouble) string {
	n := len(t.Frames)
	if n == 0 {
		return ""
	}
	list := ", frame "
	if n > 1 {
		list = ", frames "
	}
	for i, f := range t.Frames {
		if i > 0 {
			list += ", "
		}
		list += strconv.FormatUint(f, 10)
	}
	if t.Count > uint64(n) {
		list += ", …"
	}
	return list
}

// troubleLine is one line, wrapped beside its severity. first is when the capture begins.
func (p *printer) troubleLine(t *Trouble, first capture.Timestamp) {
	const indent = len("  problem  ")
	text := t.Subject + ": " + t.Text
	if evidence := strings.TrimPrefix(p.when(t.Since, t.Until, first)+frameList(t), ", "); evidence != "" {
		text += " [" + evidence + "]"
	}
	for i, line := range wrap(p.text(text), p.width-indent, 0) {
		margin := strings.Repeat(" ", indent)
		if i == 0 {
			word := t.Severity.String()
			margin = "  " + p.paint(severityColours[t.Severity], word) + strings.Repeat(" ", indent-2-len(word))
		}
		p.line(margin + line)
	}
}
