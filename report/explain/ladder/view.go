package ladder

import (
	"fmt"
	"strings"

	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/explain"
	"sockscope/report/words"
)

// A view is a conversation as the templates show it.
type view struct {
	says
	ID                 string
	Title, Word, Class string
	About              []string // what the calls and the lifelines in the ladder are
	Header, Verdict    []note
	Steps              []step
	Left               string // what is left out
	Wide, Narrow       picture
}

// A note is a sentence with where that is written.
type note struct{ Text, RFC string }

// A step is a step in the list, or a call that was seen: that has no ID, Frame and To.
type step struct {
	ID, Time, Frame string
	From, To        string
	Label           string
	Look            string
	Marks           []string
	Notes           []note
	Details         []string
	States, Calls   []string
}

// A picture is a drawing with the texts that go with its steps.
type picture struct {
	*drawing
	rows []pictureRow
}

// A pictureRow is a row with what a reader's tool says of it.
type pictureRow struct {
	row
	Href  string // of its place in the list; "" in an svg file
	Look  string
	Name  string // of its link, in one line
	Title string // all of it, for a pointer that rests there
	Width int
}

// Rows are the picture's rows.
func (p picture) Rows() []pictureRow { return p.rows }

// IsStep reports whether the row is a step.
func (r *pictureRow) IsStep() bool { return r.Kind == rowStep }

// Height is the row's.
func (r *pictureRow) Height() int { return r.Bottom - r.Top }

// BarWidth is how wide a lifeline is.
func (pictureRow) BarWidth() int { return barWidth }

func conversationID(i int) string { return fmt.Sprintf("c%d", i+1) }

func stepID(conversation string, i int) string { return fmt.Sprintf("%ss%d", conversation, i+1) }

// wordClass is the class of how a conversation came out. A datagram without an answer has not
// failed: there are protocols that ask for none.
func wordClass(c *explain.Conversation) string {
	switch o := c.Connection.Outcome; {
	case o == flow.Unanswered && c.Connection.Protocol != protoTCP && c.Connection.Protocol != protoSCTP:
		return "undecided"
	case o.Failed():
		return "failed"
	}
	return "fine"
}

// left says what there was no room for; "" for nothing.
func left(c *explain.Conversation, p *words.Printer) string {
	if n := len(c.Steps) - maxSteps; n > 0 {
		return p.Say("ladder.left", n)
	}
	return ""
}

func newView(i int, c *explain.Conversation, p *words.Printer) *view {
	id := conversationID(i)
	v := &view{
		says: says{nil, p}, ID: id, Title: report.EscapeText(c.Title(p)), Word: c.Word(), Class: wordClass(c),
		Header: notes(c.Header, p), Verdict: notes(c.Verdict, p), Left: left(c, p),
		Wide: newPicture(id, c, p, wide), Narrow: newPicture(id, c, p, narrow),
	}
	l := &layout{Conversation: c, words: p, form: wide}
	switch {
	case len(c.Calls) > 0:
		v.About = append(v.About, p.Say("explain.real"))
	case infers(c):
		v.About = append(v.About, p.Say("explain.inferred"))
	}
	if l.hasStates() {
		v.About = append(v.About, p.Say("ladder.states"))
	}
	for _, m := range moments(c, maxSteps) {
		if m.call != nil {
			v.Steps = append(v.Steps, step{
				Time: l.since(m.call.Time), From: explain.SayName(p, m.call.Side), Label: report.EscapeText(m.call.Text), Look: "call",
			})
		} else {
			v.Steps = append(v.Steps, l.listed(stepID(id, m.step), &c.Steps[m.step], len(c.Calls) == 0))
		}
	}
	return v
}

// infers reports whether calls are inferred.
func infers(c *explain.Conversation) bool {
	for i := range c.Steps {
		if len(c.Steps[i].Calls) > 0 {
			return true
		}
	}
	return len(c.Before) > 0
}

func notes(list []explain.Note, p *words.Printer) []note {
	var all []note
	for i := range list {
		all = append(all, note{report.EscapeText(list[i].Say(p)), list[i].RFC})
	}
	return all
}

// listed is a step as the list has it.
func (l *layout) listed(id string, s *explain.Step, inferred bool) step {
	v := step{
		ID: id, Time: l.since(s.Time), Frame: l.words.Say("explain.frame", fmt.Sprint(s.Frame)),
		From: explain.SayName(l.words, s.Sender()), To: explain.SayName(l.words, s.Receiver()),
		Label: report.EscapeText(s.Label(l.words)), Look: look(s), Marks: l.marks(s), Notes: notes(s.Notes, l.words),
	}
	if s.Kind == explain.Folded {
		parts := l.summary(s)
		v.From, v.To, v.Label, v.Look = "", "", parts[0], "folded"
		v.Details = parts[1:]
	}
	if l.throughRouter(s) {
		v.From = report.EscapeText(s.ICMP.From)
	}
	for _, d := range s.Details(l.words) {
		v.Details = append(v.Details, report.EscapeText(d))
	}
	if l.hasStates() {
		for _, e := range []struct {
			side    flow.Side
			was, is flow.State
		}{{flow.ClientSide, s.Before.Client, s.After.Client}, {flow.ServerSide, s.Before.Server, s.After.Server}} {
			if e.is == flow.StateNone {
				continue
			}
			text := explain.SayName(l.words, e.side) + ": " + e.is.String()
			if e.was != e.is && e.was != flow.StateNone {
				text = explain.SayName(l.words, e.side) + ": " + e.was.String() + " → " + e.is.String()
			}
			v.States = append(v.States, text)
		}
	}
	if inferred {
		for i := range s.Calls {
			c := &s.Calls[i]
			v.Calls = append(v.Calls, explain.SayName(l.words, c.Side)+": "+report.EscapeText(c.Say(l.words)))
		}
	}
	return v
}

// newPicture lays a ladder out and puts the texts to it. id is the conversation's in the
// page, or "" in an svg file.
func newPicture(id string, c *explain.Conversation, p *words.Printer, form form) picture {
	v := picture{drawing: lay(c, p, form, maxSteps)}
	l := &layout{Conversation: c, words: p, form: form}
	for _, r := range v.drawing.Rows {
		row := pictureRow{row: r, Width: v.drawing.Width}
		if r.Kind == rowStep {
			s := l.listed("", &c.Steps[r.Step], len(c.Calls) == 0)
			row.Look, row.Name, row.Title = s.Look, s.name(), s.all()
			if id != "" {
				row.Href = stepID(id, r.Step)
			}
		}
		v.rows = append(v.rows, row)
	}
	return v
}

// name is the step in one line.
func (s *step) name() string {
	parts := []string{s.Frame}
	if s.Time != "" {
		parts = append(parts, s.Time+" s")
	}
	if s.From != "" {
		parts = append(parts, s.From+" → "+s.To)
	}
	return strings.Join(append(append(parts, s.Label), s.Marks...), ", ")
}

// all is all that the list says of the step.
func (s *step) all() string {
	lines := []string{s.name()}
	lines = append(lines, s.Details...)
	for _, n := range s.Notes {
		if n.RFC != "" {
			lines = append(lines, n.Text+" ("+n.RFC+")")
		} else {
			lines = append(lines, n.Text)
		}
	}
	lines = append(lines, s.States...)
	return strings.Join(append(lines, s.Calls...), "\n")
}
