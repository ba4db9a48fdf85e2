package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report/explain/quiz"
)

func quizView() *view {
	return &view{
		name:     "quiz",
		synopsis: "-r FILE | -i IFACE [flags] [capture filter]",
		summary:  "study: questions about a capture, checked at once",
		examples: []example{
			{"sockscope quiz -r capture.pcapng --questions 5", "asks; Ctrl-D ends"},
			{"sockscope quiz -r capture.pcapng --answers --format markdown --lang ko", "a sheet in Korean"},
		},
		maxArgs: anyWords,
		define:  defineQuiz,
	}
}

func defineQuiz(fs *pflag.FlagSet) action {
	source := addSourceFlags(fs)
	source.addLiveFlags(fs)
	source.addFilterFlags(fs)
	questions := numberFlag(fs, "questions", 10, 1, 1000, "ask `N` questions")
	var seed number64
	fs.Var(&seed, "seed", "`N` chooses the questions; by default the capture does")
	answers := fs.Bool("answers", false, "print the questions, then the answers")
	format := choiceFlag(fs, "format", []string{"text", "markdown"}, "with --answers: text, markdown")
	language := addLanguageFlag(fs)
	show := addDisplayFlags(fs)
	source.addReadingFlags(fs)
	show.addMessageFlags(fs)
	hide(fs, append(seldom, "udp-idle", "utc", "memory", "autostop")...)

	return func(ctx context.Context, p *program, args []string) error {
		show.apply(p)
		source.words = args
		switch {
		case format.value == "markdown" && !*answers:
			return usage("--format markdown needs --answers: who is asked sees text")
		case !*answers && readsStdin(source.files):
			return usage("-r - leaves no standard input for answers: take --answers")
		}
		q := &quizzing{explaining: explaining{source: source, words: p.printerFor(language)}, questions: questions.value}
		if fs.Changed("seed") {
			q.seed = &seed.value
		}
		made, r, err := q.make(ctx, p)
		if err != nil {
			return err
		}
		d := show.display(p)
		text := quiz.NewText(made, quiz.TextOptions{Words: q.words, Width: d.width, Color: d.color, ASCII: d.ascii})
		switch {
		case format.value == "markdown":
			return r.present(p, func(w io.Writer) error { return quiz.WriteMarkdown(w, made, q.words) })
		case *answers || len(made.Questions) == 0:
			return r.present(p, func(w io.Writer) error { _, err := io.WriteString(w, text.Sheet()); return err })
		case r.interrupted: // a file: who does not wait for its end does not want to be asked
			return r.verdict(p)
		}
		if err := newAsking(ctx, p, made, text).run(); err != nil {
			return err
		}
		return r.verdict(p)
	}
}

// A number64 is a flag value of any size that is not negative.
type number64 struct{ value uint64 }

func (n *number64) Type() string   { return "N" }
func (n *number64) String() string { return "" }

func (n *number64) Set(s string) (err error) {
	if n.value, err = strconv.ParseUint(s, 10, 64); err != nil {
		return errors.New("must be a number from 0 to 18446744073709551615")
	}
	return nil
}

// readsStdin reports whether one of the inputs is standard input.
func readsStdin(files []string) bool {
	for _, name := range files {
		if name == "-" {
			return true
		}
	}
	return false
}

// A quizzing finds what can be asked about a source: it is read once to find connections,
// and once more to follow some of them.
type quizzing struct {
	explaining
	questions int
	seed      *uint64 // nil: the capture's
}

// make makes the quiz.
func (q *quizzing) make(ctx context.Context, p *program) (*quiz.Quiz, *reading, error) {
	if q.source.isLive() || readableOnce(q.source.files) {
		q.source.keep = &kept{}
	}
	var pool quiz.Pool
	q.source.early = func(_ func() capture.Stats, c *flow.Connection) { pool.Add(c) }
	r, err := q.source.read(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	for c := range r.result.Connections() {
		pool.Add(c)
	}
	if k := q.source.keep; k != nil && k.left > 0 {
		p.remark("", fmt.Sprintf("%d frames are not asked about: there was room for the first %d (%s)", k.left, len(k.frames), bytesText(k.most)))
	}
	follows := ctx
	if ctx.Err() != nil { // who ends a capture wants to be asked about what there was until then
		follows = context.WithoutCancel(ctx)
	}
	conversations, err := q.follow(follows, p, r, pool.Connections())
	if err != nil {
		return nil, nil, err
	}
	cfg := quiz.Config{Questions: q.questions, Seed: pool.Seed(), Owners: r.owners}
	if q.seed != nil {
		cfg.Seed = *q.seed
	}
	made, err := quiz.New(follows, cfg, &pool, conversations)
	if err != nil {
		return nil, nil, &failure{exitInterrupted, errors.New("interrupted before the first question")}
	}
	return made, r, nil
}

// An asking is a dialogue on the standard streams.
type asking struct {
	p        *program
	quiz     *quiz.Quiz
	text     *quiz.Text
	lines    <-chan string // answers; closed at the end of standard input
	ended    <-chan struct{}
	terminal bool // somebody types: what is no answer can be put right
}

func newAsking(ctx context.Context, p *program, q *quiz.Quiz, text *quiz.Text) *asking {
	a := &asking{p: p, quiz: q, text: text, terminal: isTerminal(p.stdin)}
	a.lines = answersOf(p.stdin)
	a.ended = ctx.Done()
	if ctx.Err() != nil { // the first Ctrl-C ended the capture: another one ends the quiz
		a.ended = nil
		if p.interruptAgain != nil {
			a.ended = p.interruptAgain()
		}
	}
	return a
}

// longestAnswer is how much of a line is looked at, in bytes.
const longestAnswer = 256

// answersOf gives the lines of r, which may wait for somebody who types.
func answersOf(r io.Reader) <-chan string {
	lines := make(chan string)
	go func() { // lives as long as the process when nobody types any more
		defer close(lines)
		b := bufio.NewReaderSize(r, longestAnswer)
		for {
			line, more, err := b.ReadLine()
			answer := string(line)
			for err == nil && more { // no answer is that long
				_, more, err = b.ReadLine()
			}
			if err != nil && answer == "" {
				return
			}
			lines <- answer
		}
	}()
	return lines
}

// run asks all questions, and tells the score.
func (a *asking) run() error {
	if err := a.write(a.text.Opening(true)); err != nil {
		return err
	}
	var score quiz.Score
	for i := range a.quiz.Questions {
		result, ok, err := a.ask(i)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		score.Add(result)
	}
	return a.write(a.text.Score(score))
}

// ask asks a question; false when there are to be no more.
func (a *asking) ask(i int) (quiz.Result, bool, error) {
	if err := a.write(a.text.Question(i)); err != nil {
		return 0, false, err
	}
	for {
		answer, ok, err := a.answer()
		if err != nil || !ok || strings.EqualFold(strings.TrimSpace(answer), "q") {
			return 0, false, err
		}
		result := a.quiz.Questions[i].Check(answer)
		if result == quiz.Unclear {
			if err := a.write(a.text.Unclear(i)); err != nil {
				return 0, false, err
			}
			if a.terminal {
				continue
			}
		}
		return result, true, a.write(a.text.Judgment(i, result))
	}
}

// answer is the next line; false at the end. Where nobody types, it is shown.
func (a *asking) answer() (string, bool, error) {
	if err := a.write("> "); err != nil {
		return "", false, err
	}
	select {
	case line, ok := <-a.lines:
		if !a.terminal || !ok {
			return line, ok, a.write(a.p.escape(line) + "\n")
		}
		return line, true, nil
	case <-a.ended:
		return "", false, a.write("\n")
	}
}

func (a *asking) write(s string) error {
	return a.p.write(func(w io.Writer) error { _, err := io.WriteString(w, s); return err })
}
