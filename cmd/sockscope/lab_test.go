package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture/lab"
	lang "sockscope/report/words"
)

// What is made is always the same, and so is what is shown of it.
func TestLabGolden(t *testing.T) {
	for file, args := range map[string]string{
		"labs.en.txt":            "lab --lang en",
		"labs.ko.txt":            "lab --lang ko",
		"lab-handshake.en.txt":   "lab handshake --made --lang en",
		"lab-handshake.ko.txt":   "lab handshake --made --lang ko",
		"lab-one-port.ko.txt":    "lab one-port-many-sockets --made --lang ko",
		"lab-retransmission.txt": "lab retransmission --made --lang en",
		"lab-time-wait.md":       "lab time-wait --made --lang ko --format markdown",
		"lab-stream.txt":         "lab stream-vs-datagram-vs-raw --made --brief --lang en",
		"lab-udp-refused.json":   "lab udp-refused --made --format json",
	} {
		t.Run(file, func(t *testing.T) {
			status, stdout, stderr := runLab(t, 80, args)
			if status != exitDone || stderr != "" {
				t.Fatalf("exit status %d: %s", status, stderr)
			}
			golden(t, filepath.Join(testdata, "golden", file), []byte(stdout))
		})
	}
}

// runLab runs the program with a width of the text.
func runLab(t *testing.T, columns int, args string) (status int, stdout, stderr string) {
	t.Helper()
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("COLUMNS", fmt.Sprint(columns))
	var out, errs strings.Builder
	status = run(t.Context(), strings.Fields(args), strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

// No line of a lab is wider than what it is written to, in either language, and each lab
// says what its point is.
func TestLabsFit(t *testing.T) {
	for _, name := range lab.Names() {
		for _, columns := range []int{80, 97, 120} {
			for _, code := range lang.Codes() {
				status, stdout, stderr := runLab(t, columns, "lab "+name+" --made --lang "+code)
				if status != exitDone || stderr != "" {
					t.Fatalf("%s: exit status %d: %s", name, status, stderr)
				}
				for _, line := range strings.Split(stdout, "\n") {
					if w := lang.Width(line); w > columns {
						t.Errorf("%s, %s: %d columns, want %d: %s", name, code, w, columns, line)
					}
				}
				if strings.Contains(stdout, "!lab.") {
					t.Errorf("%s, %s: a message is missing:\n%s", name, code, stdout)
				}
			}
		}
	}
}

// On a terminal that shows ASCII only there is nothing else, and all lines fit.
func TestLabsInASCII(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	t.Setenv("COLUMNS", "80")
	for _, name := range lab.Names() {
		var out, errs strings.Builder
		if status := run(t.Context(), []string{"lab", name, "--made"}, strings.NewReader(""), &out, &errs); status != exitDone {
			t.Fatalf("%s: exit status %d: %s", name, status, &errs)
		}
		for _, line := range strings.Split(out.String(), "\n") {
			if strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) || len(line) > 80 {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

func TestLabUsage(t *testing.T) {
	taken := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   string
		status int
		stderr string
	}{
		{"lab handshke", exitUsage, "sockscope: unknown lab \"handshke\" (did you mean handshake?)\n"},
		{"lab nothing-like-it", exitUsage, "sockscope: unknown lab \"nothing-like-it\" (see: sockscope lab)\n"},
		{"lab -w x", exitUsage, "sockscope: -w x: of which lab? name one, as in: sockscope lab handshake -w x\n"},
		{"lab udp -w -", exitUsage, "sockscope: -w \"-\": a lab writes to a file\n"},
		{"lab udp --lang fr", exitUsage, "sockscope: --lang fr: not one of en, ko\n"},
		{"lab udp --made -w " + taken, exitNotStarted, "sockscope: " + taken + ": exists already (--force replaces it)\n"},
		{"lab udp --made -w " + taken + "/x", exitNotStarted, "sockscope: " + taken + "/x: not a directory\n"},
		{"lab udp --made --force -q --format json -w " + taken, exitDone, ""},
	} {
		status, _, stderr := runLab(t, 80, test.args)
		if status != test.status || stderr != test.stderr {
			t.Errorf("%s: exit status %d, %q, want %d, %q", test.args, status, stderr, test.status, test.stderr)
		}
	}
	if now, err := os.ReadFile(taken); err != nil || strings.Contains(string(now), "precious") {
		t.Errorf("--force has not replaced the file: %q, %v", now, err)
	}
}

// An address that neither end has is in no state: a raw socket made up the segment.
func TestLabStatesOfNobody(t *testing.T) {
	r, err := lab.Make("half-open")
	if err != nil {
		t.Fatal(err)
	}
	d := newLabDocument(r)
	var got []string
	for _, step := range d.steps {
		client, server := step.states()
		got = append(got, client+"|"+server)
	}
	if diff := cmp.Diff([]string{"|", "|LISTEN → SYN-RECEIVED", "|"}, got); diff != "" {
		t.Error(diff)
	}
}

// How long connect() took is what the call took, when it was really made: more than from the
// SYN to the ACK.
func TestLabConnectTook(t *testing.T) {
	for _, test := range []struct {
		rule string
		made bool
		want string
	}{
		{"a real call", false, "connect() took 650 µs, of which 100 µs went by from the first SYN to the ACK."},
		{"a made one, whose times mean nothing", true, "From the first SYN to the ACK it took 100 µs."},
	} {
		t.Run(test.rule, func(t *testing.T) {
			r, err := lab.Make("handshake")
			if err != nil {
				t.Fatal(err)
			}
			r.Made = test.made
			for i := range r.Calls {
				if c := &r.Calls[i]; c.Name == "connect" {
					c.Begin, c.Done = r.Frames[0].Time-50_000, r.Frames[0].Time+600_000
				}
			}
			texts := newLabDocument(r).verdicts(lang.New(lang.English))
			if !slices.Contains(texts, test.want) {
				t.Errorf("%q is not among %q", test.want, texts)
			}
		})
	}
}
