package quiz

import (
	"io"
	"strconv"
	"strings"

	"sockscope/report/words"
)

// WriteMarkdown writes a quiz to be printed: the questions, then the answers.
func WriteMarkdown(w io.Writer, q *Quiz, p *words.Printer) error {
	var b strings.Builder
	line := func(s string) { b.WriteString(s + "\n") }
	line("# " + p.Say("quiz.sheet") + "\n")
	line(markup.Replace(q.opening(p)))
	if q.Fewer && len(q.Questions) > 0 {
		line(markup.Replace(p.Say("quiz.fewer")))
	}
	for i := range q.Questions {
		question := &q.Questions[i]
		line("\n## " + strconv.Itoa(i+1) + ". " + markup.Replace(question.about(p)) + "\n")
		for j := range question.Shown {
			line("- " + markup.Replace(question.Shown[j].say(p, question.Conversation)))
		}
		for j := range question.Given {
			line("- " + markup.Replace(sentence(p, &question.Given[j])))
		}
		if len(question.Shown) > 0 {
			line("")
		}
		line("**" + markup.Replace(sentence(p, &question.Ask)) + "**\n")
		for j := range question.Choices {
			line("- " + letter(j) + ") " + markup.Replace(sentence(p, &question.Choices[j])))
		}
		if len(question.Choices) == 0 {
			line(markup.Replace(p.Say("quiz.number-here")))
		}
	}
	if len(q.Questions) > 0 {
		line("\n# " + p.Say("quiz.answers"))
	}
	for i := range q.Questions {
		question := &q.Questions[i]
		line("\n" + strconv.Itoa(i+1) + ". **" + markup.Replace(question.answer(p)) + "**")
		for j := range question.Why {
			line("   - " + markup.Replace(withRFC(p, &question.Why[j])))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markup is what Markdown would take for its own in our sentences and in names.
var markup = strings.NewReplacer(`\`, `\\`, "|", `\|`, "_", `\_`, "*", `\*`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "\\`", "[", `\[`, "]", `\]`, "#", `\#`, unbroken, " ")
