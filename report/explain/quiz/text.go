package quiz

import (
	"strconv"
	"strings"

	"sockscope/report"
	"sockscope/report/explain"
	"sockscope/report/words"
)

// TextOptions say how text looks.
type TextOptions struct {
	Words *words.Printer
	Width int  // in columns of a terminal; less than 60 is taken for 60
	Color bool // by escape sequences (ECMA-48 §8.3.117)
	ASCII bool // English only has ASCII then
}

const minWidth, maxWidth = 60, 100

// SGR sequences.
const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	end   = "\x1b[0m"
)

// A Text says the parts of a quiz, in lines.
type Text struct {
	quiz *Quiz
	TextOptions
	out strings.Builder
}

// NewText makes one.
func NewText(q *Quiz, o TextOptions) *Text {
	o.Width = min(max(o.Width, minWidth), maxWidth)
	return &Text{quiz: q, TextOptions: o}
}

// taken gives what was written since the last time.
func (t *Text) taken() string {
	s := t.out.String()
	t.out.Reset()
	return s
}

// Opening says what comes, and how to answer when that is possible.
func (t *Text) Opening(asks bool) string {
	t.paragraph("", t.quiz.opening(t.Words), bold)
	if t.quiz.Fewer && len(t.quiz.Questions) > 0 {
		t.paragraph("", t.Words.Say("quiz.fewer"), "")
	}
	if asks {
		t.paragraph("", t.Words.Say("quiz.how"), "")
	}
	return t.taken()
}

// opening names the quiz.
func (q *Quiz) opening(p *words.Printer) string {
	if len(q.Questions) == 0 {
		return p.Say("quiz.none")
	}
	return p.Say("quiz.opening", len(q.Questions), strconv.FormatUint(q.Seed, 10))
}

// Question is question i, from 0, with its choices.
func (t *Text) Question(i int) string {
	q := &t.quiz.Questions[i]
	t.out.WriteByte('\n')
	t.paragraph("", t.Words.Say("quiz.progress", i+1, len(t.quiz.Questions))+". "+q.about(t.Words), bold)
	for j := range q.Shown {
		t.hanging("  ", "", "  ", q.Shown[j].say(t.Words, q.Conversation), faint)
	}
	for j := range q.Given {
		t.hanging("  ", "", "  ", sentence(t.Words, &q.Given[j]), faint)
	}
	t.out.WriteByte('\n')
	t.paragraph("  ", sentence(t.Words, &q.Ask), "")
	for j := range q.Choices {
		t.item("  ", letter(j)+") ", sentence(t.Words, &q.Choices[j]), "")
	}
	return t.taken()
}

// Unclear says what an answer to question i can be.
func (t *Text) Unclear(i int) string {
	if n := len(t.quiz.Questions[i].Choices); n > 0 {
		t.paragraph("  ", t.Words.Say("quiz.unclear-choice", letter(n-1)), "")
	} else {
		t.paragraph("  ", t.Words.Say("quiz.unclear-number"), "")
	}
	return t.taken()
}

// Judgment is what came of an answer to question i, and why.
func (t *Text) Judgment(i int, r Result) string {
	q := &t.quiz.Questions[i]
	switch r {
	case Right:
		t.paragraph("  ", t.Words.Say("quiz.right"), green)
	case Wrong:
		t.paragraph("  ", t.Words.Say("quiz.wrong", q.answer(t.Words)), red)
	default:
		t.paragraph("  ", t.Words.Say("quiz.skipped", q.answer(t.Words)), "")
	}
	t.why(q)
	return t.taken()
}

func (t *Text) why(q *Question) {
	for i := range q.Why {
		t.item("  ", "- ", withRFC(t.Words, &q.Why[i]), "")
	}
}

// Score is how many answers were right.
func (t *Text) Score(s Score) string {
	t.out.WriteByte('\n')
	t.paragraph("", t.Words.Say("quiz.score", s.Right, s.Right+s.Wrong+s.Skipped, s.Wrong, s.Skipped), bold)
	return t.taken()
}

// A Score counts what came of answers.
type Score struct{ Right, Wrong, Skipped int }

// Add counts a result.
func (s *Score) Add(r Result) {
	switch r {
	case Right:
		s.Right++
	case Wrong:
		s.Wrong++
	default:
		s.Skipped++
	}
}

// Sheet is all of it to be printed: the questions, then the answers.
func (t *Text) Sheet() string {
	sheet := t.Opening(false)
	for i := range t.quiz.Questions {
		sheet += t.Question(i)
		if len(t.quiz.Questions[i].Choices) == 0 {
			t.paragraph("  ", t.Words.Say("quiz.number-here"), "")
			sheet += t.taken()
		}
	}
	if len(t.quiz.Questions) == 0 {
		return sheet
	}
	t.out.WriteString("\n\n")
	t.paragraph("", t.Words.Say("quiz.answers"), bold)
	for i := range t.quiz.Questions {
		q := &t.quiz.Questions[i]
		t.out.WriteByte('\n')
		t.item("", strconv.Itoa(i+1)+". ", q.answer(t.Words), bold)
		t.why(q)
	}
	return sheet + t.taken()
}

// about names the connection that the question is about; where the client is what is asked
// for, without telling it.
func (q *Question) about(p *words.Printer) string {
	c := q.Conversation
	if len(q.Shown) == 0 || !q.Shown[0].ByAddress {
		return c.Title(p)
	}
	a, b := c.Connection.Client, c.Connection.Server
	if b.Compare(a) < 0 {
		a, b = b, a
	}
	return p.Say("quiz.about", strconv.FormatUint(c.Connection.ID, 10), "TCP "+a.String()+", "+b.String())
}

// answer is the right one in words.
func (q *Question) answer(p *words.Printer) string {
	if len(q.Choices) > 0 {
		return letter(q.Right) + ") " + sentence(p, &q.Choices[q.Right])
	}
	absolute := strconv.FormatUint(uint64(q.Numbers[0]), 10)
	if len(q.Numbers) == 1 {
		return absolute
	}
	return p.Say("quiz.absolute-relative", absolute, strconv.FormatUint(uint64(q.Numbers[1]), 10))
}

// sentence is a note in words; what is somebody else's text in it is escaped, and notes
// in it are said.
func sentence(p *words.Printer, n *explain.Note) string {
	said := explain.Note{Key: n.Key, Args: make([]any, len(n.Args))}
	for i, a := range n.Args {
		switch a := a.(type) {
		case foreign:
			said.Args[i] = report.EscapeText(string(a))
		case explain.Note:
			said.Args[i] = sentence(p, &a)
		default:
			said.Args[i] = a
		}
	}
	return said.Say(p)
}

// withRFC is a note in words, with where that is written.
func withRFC(p *words.Printer, n *explain.Note) string {
	s := sentence(p, n)
	if n.RFC != "" {
		s += " (" + strings.ReplaceAll(n.RFC, " ", unbroken) + ")"
	}
	return s
}

// unbroken is a space at which no line is broken, until wrap makes a space of it.
const unbroken = "\ue000"

func (t *Text) wrap(s string, width int) []string {
	lines := words.Wrap(t.plain(s), width)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], unbroken, " ")
	}
	return lines
}

func (t *Text) paragraph(indent, s, color string) { t.item(indent, "", s, color) }

// item writes a paragraph with a mark in front of its first line.
func (t *Text) item(indent, mark, s, color string) {
	t.hanging(indent, mark, strings.Repeat(" ", len(mark)), s, color)
}

// hanging writes a paragraph with something in front of its first line, and of the others.
func (t *Text) hanging(indent, mark, rest, s, color string) {
	for i, line := range t.wrap(s, t.Width-len(indent)-len(rest)) {
		if i > 0 {
			mark = rest
		}
		if line = mark + line; t.Color && color != "" {
			line = color + line + end
		}
		t.out.WriteString(indent + line + "\n")
	}
}

// asASCII writes the characters of our own texts that are none of ASCII's.
var asASCII = strings.NewReplacer("§", "section ", "→", "->", "…", "...", "µ", "u", "×", "x")

// plain is s as it may be written.
func (t *Text) plain(s string) string {
	if !t.ASCII {
		return s
	}
	s = asASCII.Replace(s)
	var b strings.Builder
	for _, r := range s { // a name that has been escaped, but for a terminal that shows more
		if r < 0x80 || string(r) == unbroken {
			b.WriteRune(r)
		} else {
			b.WriteString(report.EscapeASCII(string(r)))
		}
	}
	return b.String()
}
