package main

import (
	"encoding/json"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
)

// captures are the captures of the repository.
func captures(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.pcap", "*.pcapng", "*/*.pcap", "*/*.pcapng"} {
		found, err := filepath.Glob(filepath.Join("../../testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		t.Fatal("no captures in testdata")
	}
	return names
}

// framesOf is the number of frames that a report in JSON tells.
func framesOf(t *testing.T, document string) int {
	t.Helper()
	var d struct{ Capture struct{ Frames *int } }
	if err := json.Unmarshal([]byte(document), &d); err != nil || d.Capture.Frames == nil {
		t.Fatalf("%v in the report:\n%.300s", err, document)
	}
	return *d.Capture.Frames
}

// TestSameBytesEachTime runs each view over all captures with one, two and eight
// processors and as many workers: the output is always the same.
func TestSameBytesEachTime(t *testing.T) {
	var sources []string
	for _, name := range captures(t) {
		sources = append(sources, "-r", name)
	}
	runs := 20
	if testing.Short() {
		runs = 4
	}
	for _, args := range [][]string{
		{"report"},
		{"report", "--format", "json", "--all"},
		{"report", "--format", "csv", "--all"},
		{"report", "--format", "markdown"},
		{"report", "--format", "html"},
		{"connections"},
		{"connections", "--format", "ndjson"},
		{"connections", "--format", "csv"},
		{"connections", "--format", "zeek"},
	} {
		name := args[0]
		if len(args) > 1 {
			name += " " + args[2]
		}
		t.Run(name, func(t *testing.T) {
			var first string
			for i := range runs {
				procs := []int{1, 2, 8}[i%3]
				before := runtime.GOMAXPROCS(procs)
				status, stdout, stderr := runProgram(t, slices.Concat(args, sources, []string{"--workers", strconv.Itoa(procs)})...)
				runtime.GOMAXPROCS(before)
				if status != exitDone && status != exitDamaged {
					t.Fatalf("exit status %d: %s", status, stderr)
				}
				switch {
				case stdout == "":
					t.Fatal("no output")
				case i == 0:
					first = stdout
				case stdout != first:
					t.Fatalf("run %d, with %d processors, differs at byte %d", i, procs, firstDifference(first, stdout))
				}
			}
		})
	}
}

func firstDifference(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
