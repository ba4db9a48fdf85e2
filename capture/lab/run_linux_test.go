package lab

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the scripts")

// variable is what differs between kernels and from time to time.
var variable = regexp.MustCompile(`(?m)^wait .*\n| win [1-9]\d*`)

// namespaces are the network namespaces that threads of this process are in.
func namespaces(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range names {
		if space, err := os.Readlink(name); err == nil { // else the thread has ended
			all = append(all, space)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// within reports whether all of some are in others: threads of an earlier test may have
// been about to end when others were listed.
func within(some, others []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(others, s) })
}

// descriptors is how many are open.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// What really happens is what the script says, and nothing is left of it.
func TestLabs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			script := filepath.Join("script", name+".txt")
			want, err := os.ReadFile(script)
			if err != nil && !*update {
				t.Fatal(err)
			}
			// On a busy machine a timer may come before a thread: then it is tried again.
			const attempts = 3
			diff := ""
			for range attempts {
				before, open := namespaces(t), descriptors(t)
				began := time.Now()
				r, err := Run(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("took %v", took)
				}
				waitFor(t, "threads in a namespace of the lab", func() bool { return within(namespaces(t), before) })
				waitFor(t, "open descriptors", func() bool { return descriptors(t) <= open })
				got := shape(r)
				if *update {
					if err := os.WriteFile(script, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				diff = cmp.Diff(variable.ReplaceAllString(string(want), ""), variable.ReplaceAllString(got, ""))
				if diff == "" {
					return
				}
				t.Log(diff)
			}
			t.Error("another shape than the script's (-script, +run):\n", diff)
		})
	}
}

// waitFor waits until what is left is gone.
func waitFor(t *testing.T, what string, gone func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !gone(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s left", what)
		}
	}
}
