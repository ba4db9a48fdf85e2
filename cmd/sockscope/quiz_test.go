package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/explain/quiz"
	say "sockscope/report/words"
)

const quizCapture = testdata + "/handshakes.pcap"

// quizzed is what the program prints for the flags of quiz and lines of answers.
func quizzed(t *testing.T, answers string, args ...string) string {
	t.Helper()
	for name, value := range map[string]string{"LC_ALL": "C.UTF-8", "NO_COLOR": "", "TZ": "UTC"} {
		t.Setenv(name, value)
	}
	var stdout, stderr bytes.Buffer
	if status := run(context.Background(), append([]string{"quiz"}, args...), strings.NewReader(answers), &stdout, &stderr); status != exitDone {
		t.Fatalf("exit status %d: %s", status, &stderr)
	}
	return stdout.String()
}

// The sheets for the README's capture, in both languages and formats.
func TestQuizGolden(t *testing.T) {
	for _, lang := range say.Codes() {
		for format, ext := range map[string]string{"text": "txt", "markdown": "md"} {
			file := "quiz." + lang + "." + ext
			t.Run(file, func(t *testing.T) {
				t.Setenv("COLUMNS", "80")
				got := quizzed(t, "", "-r", quizCapture, "--answers", "--questions", "24", "--lang", lang, "--format", format)
				golden(t, filepath.Join(testdata, "golden", "quiz", file), []byte(got))
			})
		}
	}
}

// The same seed asks the same, with any number of workers; another one asks something else.
func TestQuizSeed(t *testing.T) {
	ask := func(args ...string) string {
		return quizzed(t, "", append([]string{"-r", quizCapture, "-r", testdata + "/corpus/mercury-office.pcap", "--answers", "--lang", "en"}, args...)...)
	}
	def := ask("--workers", "1")
	for _, workers := range []string{"2", "5", "8"} {
		if diff := cmp.Diff(def, ask("--workers", workers)); diff != "" {
			t.Errorf("%s workers:\n%s", workers, diff)
		}
	}
	_, seed, _ := strings.Cut(strings.SplitN(def, "\n", 2)[0], "--seed ")
	seed, _, _ = strings.Cut(seed, " ")
	if got := ask("--seed", seed); got != def {
		t.Errorf("--seed %s asks something else than the default, which names it", seed)
	}
	if got := ask("--seed", "1"); got == def {
		t.Error("--seed 1 asks the same")
	}
}

// A dialogue: lines are answers, each is judged at once, and the score is told at the end.
func TestQuizAsks(t *testing.T) {
	made := quizOf(t, quizCapture, quiz.Config{Questions: 5})
	var right, wrong []string
	for i := range made.Questions {
		q := &made.Questions[i]
		if len(q.Choices) == 0 {
			right, wrong = append(right, strconv.FormatUint(uint64(q.Numbers[0]), 10)), append(wrong, "1")
			continue
		}
		right = append(right, string(rune('a'+q.Right)))
		wrong = append(wrong, strconv.Itoa((q.Right+1)%len(q.Choices)+1))
	}
	lines := func(answers ...string) string { return strings.Join(answers, "\n") + "\n" }
	for _, test := range []struct {
		rule, answers string
		want          string
		says          string
	}{
		{"all right", lines(right...), "5 of 5 right, 0 wrong, 0 skipped.", "Right."},
		{"the last line has no end", strings.TrimSuffix(lines(right...), "\n"), "5 of 5 right, 0 wrong, 0 skipped.", "Right."},
		{"all wrong", lines(wrong...), "0 of 5 right, 5 wrong, 0 skipped.", "No. The answer is: "},
		{"empty lines skip", "\n\n\n\n\n", "0 of 5 right, 0 wrong, 5 skipped.", "Skipped. The answer is: "},
		{"what is no answer counts as none", lines("what?", right[1], right[2], right[3], right[4]), "4 of 5 right, 0 wrong, 1 skipped.", "That is no answer here"},
		{"q ends", lines(right[0], "Q", right[1]), "1 of 1 right, 0 wrong, 0 skipped.", ""},
		{"the end of the input ends", lines(right[:2]...), "2 of 2 right, 0 wrong, 0 skipped.", ""},
		{"nothing answered", "", "0 of 0 right, 0 wrong, 0 skipped.", ""},
		{"an endless line is one answer", strings.Repeat("x", 1<<20) + "\n" + lines(right[1:]...), "4 of 5 right, 0 wrong, 1 skipped.", ""},
		{"what is typed is escaped", "\x1b[31m\n", "0 of 1 right, 0 wrong, 1 skipped.", `> \x1b[31m`},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := quizzed(t, test.answers, "-r", quizCapture, "--questions", "5", "--seed", "0", "--lang", "en")
			if !strings.HasSuffix(got, "\n"+test.want+"\n") {
				t.Errorf("%q is not the end of:\n%s", test.want, got)
			}
			if !strings.Contains(got, test.says) || strings.Contains(got, "\x1b") {
				t.Errorf("%q is missing, or a control character is there:\n%.2000s", test.says, got)
			}
		})
	}
}

// Ctrl-C ends a quiz that waits for an answer, with its score.
func TestQuizInterrupted(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	stdin, _ := io.Pipe()
	asked := &waiting{seen: make(chan struct{}), for_: "> "}
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"quiz", "-r", quizCapture}, stdin, asked, io.Discard)
	}()
	for _, c := range []<-chan struct{}{asked.seen} {
		select {
		case <-c:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing is asked")
		}
	}
	cancel(errInterrupted)
	select {
	case status := <-done:
		if status != exitDone || !strings.HasSuffix(asked.String(), "> \n\n0 of 0 right, 0 wrong, 0 skipped.\n") {
			t.Errorf("exit status %d:\n%s", status, asked.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("does not end")
	}
}

// Who ended a capture with Ctrl-C is asked about it, and ends the quiz with another one.
func TestQuizInterruptedAgain(t *testing.T) {
	stdin, typed := io.Pipe()
	asked := &waiting{seen: make(chan struct{}), for_: "\n> "}
	again := make(chan struct{})
	p := newProgram(stdin, asked, io.Discard)
	p.interruptAgain = func() <-chan struct{} { return again }
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	made := quizOf(t, quizCapture, quiz.Config{Questions: 3})
	text := quiz.NewText(made, quiz.TextOptions{Words: say.New(say.English), Width: 80})
	done := make(chan error, 1)
	go func() { done <- newAsking(ctx, p, made, text).run() }()
	<-asked.seen
	io.WriteString(typed, "\n") // is skipped
	close(again)
	select {
	case err := <-done:
		if text := asked.String(); err != nil || !strings.HasSuffix(text, " right, 0 wrong, 1 skipped.\n") && !strings.HasSuffix(text, " right, 0 wrong, 0 skipped.\n") {
			t.Errorf("%v:\n%s", err, text)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("does not end")
	}
}

// waiting tells when something was written to it.
type waiting struct {
	bytes.Buffer
	for_ string
	seen chan struct{}
	told bool
}

func (w *waiting) Write(b []byte) (int, error) {
	n, err := w.Buffer.Write(b)
	if !w.told && strings.HasSuffix(w.String(), w.for_) {
		w.told = true
		close(w.seen)
	}
	return n, err
}

// A source without anything certain gives one line.
func TestQuizNothingToAsk(t *testing.T) {
	const want = "Nothing to ask: this capture has no connection whose course is certain.\n"
	empty := filepath.Join(t.TempDir(), "empty.pcap")
	if err := os.WriteFile(empty, pcapFile(), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COLUMNS", "80")
	for _, args := range [][]string{{"-r", empty}, {"-r", empty, "--answers"}, {"-r", quizCapture, "port 9"}} {
		if got := quizzed(t, "a\nb\n", append(args, "--lang", "en")...); got != want {
			t.Errorf("%v: %q", args, got)
		}
	}
	if got := quizzed(t, "", "-r", empty, "--answers", "--format", "markdown", "--lang", "en"); !strings.HasSuffix(got, "\n"+want) {
		t.Errorf("%q", got)
	}
}

// What contradicts itself is refused before anything is read.
func TestQuizUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-r x --format markdown": "--format markdown needs --answers",
		"-r -":                   "-r - leaves no standard input for answers: take --answers",
		"-r x --questions 0":     "must be a number from 1 to 1000",
		"-r x --seed -1":         "must be a number from 0 to 18446744073709551615",
		"--answers":              "nothing to read",
	} {
		var stdout, stderr bytes.Buffer
		status := run(context.Background(), append([]string{"quiz"}, strings.Fields(args)...), strings.NewReader(""), &stdout, &stderr)
		if status != exitUsage || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit status %d: %s, want %s", args, status, &stderr, want)
		}
	}
}

// Standard input can be the capture when nobody is asked.
func TestQuizStandardInput(t *testing.T) {
	file, err := os.ReadFile(quizCapture)
	if err != nil {
		t.Fatal(err)
	}
	want := quizzed(t, "", "-r", quizCapture, "--answers", "--lang", "en")
	if diff := cmp.Diff(want, quizzed(t, string(file), "-r", "-", "--answers", "--lang", "en")); diff != "" {
		t.Errorf("-file +standard input:\n%s", diff)
	}
}

// quizOf makes a quiz of a capture.
func quizOf(t *testing.T, path string, cfg quiz.Config) *quiz.Quiz {
	t.Helper()
	pool, conversations := quizMaterial(t, path)
	return newQuiz(t, cfg, pool, conversations)
}

// newQuiz makes a quiz that nothing interrupts.
func newQuiz(t *testing.T, cfg quiz.Config, pool *quiz.Pool, conversations []explain.Conversation) *quiz.Quiz {
	t.Helper()
	made, err := quiz.New(t.Context(), cfg, pool, conversations)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// quizMaterial is what a quiz about a capture is made of.
func quizMaterial(t *testing.T, path string) (*quiz.Pool, []explain.Conversation) {
	t.Helper()
	res, _ := analyse(t, path, flowConfig())
	var pool quiz.Pool
	for c := range res.Connections() {
		pool.Add(c)
	}
	return &pool, follow(t, path, explain.Config{Flow: flowConfig()}, pool.Connections())
}

// The names of processes come from others: they reach no output as they are.
func TestQuizEscapesNames(t *testing.T) {
	hostile := func(pid int, name string) capture.Owner {
		return capture.Owner{Process: &capture.Process{PID: pid, Name: name}, Basis: capture.BasisExact}
	}
	cfg := quiz.Config{Questions: 200, Owners: func(*flow.Connection) [2]capture.Owner {
		return [2]capture.Owner{hostile(1, "\x1b[31mred\n"), hostile(2, "é`|<b>*_\u202e")}
	}}
	made := quizOf(t, quizCapture, cfg)
	asked := 0
	for i := range made.Questions {
		q := &made.Questions[i]
		if q.Topic != quiz.Process {
			continue
		}
		asked++
		pid := "[1]"
		if q.Shown[0].Receiver() == flow.ServerSide {
			pid = "[2]"
		}
		if right := q.Choices[q.Right].Say(say.New(say.English)); !strings.HasSuffix(right, pid) {
			t.Errorf("frame %d is said to be for %q, want %s", q.Shown[0].Frame, right, pid)
		}
	}
	if asked == 0 {
		t.Fatalf("no question about processes, %d questions", len(made.Questions))
	}
	for _, ascii := range []bool{false, true} {
		sheet := quiz.NewText(made, quiz.TextOptions{Words: say.New(say.English), Width: 80, ASCII: ascii}).Sheet()
		name := "é`|<b>*_" + `\u{202e}[2]`
		if ascii {
			name = `\u{e9}` + name[len("é"):]
			if i := strings.IndexFunc(sheet, func(r rune) bool { return r >= 0x80 }); i >= 0 {
				t.Errorf("not ASCII: %.20q", sheet[i:])
			}
		}
		for _, want := range []string{`\x1b[31mred\x0a[1]`, name} {
			if !strings.Contains(sheet, want) {
				t.Errorf("%s is missing", want)
			}
		}
		if strings.ContainsAny(sheet, "\x1b\u202e") {
			t.Error("a name was not escaped")
		}
	}
	var b strings.Builder
	if err := quiz.WriteMarkdown(&b, made, say.New(say.English)); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "<b>") || !strings.Contains(text, "é\\`\\|&lt;b&gt;\\*\\_") {
		t.Error("a name is markup")
	}
}
