package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

// Each block of the README, and of the walk in each language, that begins with
// "$ sockscope …" shows what the program really prints, 100 columns wide, or 80. A last
// line "…" means that more follows. -update writes the blocks anew.
func TestReadmeShowsRealOutput(t *testing.T) {
	t.Chdir("../..")
	for name, value := range map[string]string{"LC_ALL": "C.UTF-8", "NO_COLOR": "1", "TZ": "UTC"} {
		t.Setenv(name, value)
	}
	for name, columns := range map[string]string{"README.md": "100", "report/explain/walk/en.md": "80", "report/explain/walk/ko.md": "80"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("COLUMNS", columns)
			showsRealOutput(t, name)
		})
	}
}

func showsRealOutput(t *testing.T, name string) {
	readme, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const fence, prompt, more = "```", "$ sockscope ", "…"
	parts := strings.Split(string(readme), fence)
	shown := 0
	for i := 1; i < len(parts); i += 2 {
		lines := strings.Split(strings.TrimSuffix(strings.TrimPrefix(parts[i], "text\n"), "\n"), "\n")
		if !strings.HasPrefix(lines[0], prompt) {
			continue
		}
		shown++
		want := output(t, strings.TrimPrefix(lines[0], prompt))
		if lines[len(lines)-1] == more {
			want = append(want[:min(len(lines)-2, len(want))], more)
		}
		got := strings.Join(lines[1:], "\n")
		now := strings.Join(want, "\n")
		if got == now {
			continue
		}
		if !*update {
			t.Errorf("%s\nthere:\n%s\nnow:\n%s", lines[0], got, now)
		}
		parts[i] = "text\n" + lines[0] + "\n" + now + "\n"
	}
	if shown < 2 {
		t.Errorf("only %d blocks begin with %q", shown, prompt)
	}
	if *update {
		if err := os.WriteFile(name, []byte(strings.Join(parts, fence)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// output is what the program prints for a command line, by lines.
func output(t *testing.T, command string) []string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(context.Background(), strings.Fields(command), strings.NewReader(""), &stdout, &stderr); status != exitDone {
		t.Fatalf("%s: exit status %d: %s", command, status, &stderr)
	}
	lines := strings.Split(strings.TrimRight(stdout.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}
