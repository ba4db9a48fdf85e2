package explain

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/words"
)

// WriteMarkdown writes a conversation as GitHub's Markdown: a section with a table of its
// steps.
func WriteMarkdown(w io.Writer, c *Conversation, p *words.Printer) error {
	m := &markdown{words: p, c: c}
	m.line("## " + c.Title(p) + "\n")
	m.line("**" + c.Word() + "**\n")
	m.notes("explain.who", c.Header)
	m.line("### " + p.Say("explain.ladder") + "\n")
	m.steps()
	m.notes("explain.verdict", c.Verdict)
	_, err := io.WriteString(w, strings.TrimRight(m.out.String(), "\n")+"\n")
	return err
}

type markdown struct {
	out   strings.Builder
	words *words.Printer
	c     *Conversation
	next  int // of c.Calls
}

func (m *markdown) line(s string) { m.out.WriteString(s + "\n") }

func (m *markdown) notes(key string, notes []Note) {
	m.line("### " + m.words.Say(key) + "\n")
	for i := range notes {
		m.line("- " + m.sentence(&notes[i]))
	}
	m.line("")
}

func (m *markdown) sentence(n *Note) string {
	s := n.Say(m.words)
	if n.RFC != "" {
		s += " (" + n.RFC + ")"
	}
	return cell(s)
}

// cell is text as it may stand in a table.
func cell(s string) string { return markup.Replace(s) }

// markup is what Markdown would take for its own in our sentences.
var markup = strings.NewReplacer("|", `\|`, "_", `\_`, "*", `\*`, "<", "&lt;", "`", "\\`")

// steps writes the table.
func (m *markdown) steps() {
	var heads []string
	for _, key := range []string{"explain.column-frame", "explain.column-time", "explain.column-segment", "explain.column-states", "explain.column-meaning"} {
		heads = append(heads, m.words.Say(key))
	}
	m.line("| " + strings.Join(heads, " | ") + " |")
	m.line("|---:|---:|---|---|---|")
	for i := range m.c.Steps {
		s := &m.c.Steps[i]
		for m.next < len(m.c.Calls) && s.Time.Known() && m.c.Calls[m.next].Time <= s.Time {
			m.call()
		}
		m.step(s)
	}
	for m.next < len(m.c.Calls) {
		m.call()
	}
	m.line("")
}

// call writes a call that was seen, as a line of the table.
func (m *markdown) call() {
	call := &m.c.Calls[m.next]
	m.next++
	m.line(fmt.Sprintf("| | %s | %s: %s | | |", m.c.after(call.Time), SayName(m.words, call.Side), cell(report.EscapeText(call.Text))))
}

func (m *markdown) step(s *Step) {
	if s.Kind == Folded {
		frames := strconv.FormatUint(s.Frame, 10) + "–" + strconv.FormatUint(s.Run.LastFrame, 10)
		parts := strings.Join(s.Run.Summary(m.words, m.c.unit()), "; ")
		m.line(fmt.Sprintf("| %s | %s | … | | %s |", frames, m.c.since(s), cell(parts)))
		return
	}
	arrow := "→"
	if !s.FromClient {
		arrow = "←"
	}
	segment := arrow + " **" + cell(s.Label(m.words)) + "**"
	if details := s.Details(m.words); len(details) > 0 {
		segment += "<br>" + cell(strings.Join(details, ", "))
	}
	var states []string
	for _, side := range []struct {
		side          flow.Side
		before, after flow.State
	}{{flow.ClientSide, s.Before.Client, s.After.Client}, {flow.ServerSide, s.Before.Server, s.After.Server}} {
		if text := change(side.before, side.after); text != "" {
			states = append(states, SayName(m.words, side.side)+": "+text)
		}
	}
	var meaning []string
	for i := range s.Notes {
		meaning = append(meaning, m.sentence(&s.Notes[i]))
	}
	if len(m.c.Calls) == 0 && len(s.Calls) > 0 {
		var calls []string
		for i := range s.Calls {
			calls = append(calls, SayName(m.words, s.Calls[i].Side)+": "+s.Calls[i].Say(m.words))
		}
		meaning = append(meaning, cell(m.words.Say("explain.calls", strings.Join(calls, ", "))))
	}
	m.line(fmt.Sprintf("| %d | %s | %s | %s | %s |", s.Frame, m.c.since(s), segment, strings.Join(states, "<br>"), strings.Join(meaning, " ")))
}
