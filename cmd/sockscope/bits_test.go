package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sockscope/report/explain/bits"
	language "sockscope/report/words"
)

// bitsOf runs bits on a source given as flags and filter words.
func bitsOf(t *testing.T, frame uint64, format string, o bits.Options, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	fs := newFlagSet("explain")
	source := addSourceFlags(fs)
	source.addLiveFlags(fs)
	source.addFilterFlags(fs)
	source.addReadingFlags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	source.words = fs.Args()
	var out, err bytes.Buffer
	p := newProgram(strings.NewReader(""), &out, &err)
	status = p.finish(p.bits(context.Background(), source, frame, format, o))
	return out.String(), err.String(), status
}

// Which frame is drawn, and what is said when there is none.
func TestBitsFindsTheFrame(t *testing.T) {
	const handshakes = "../../testdata/handshakes.pcap"
	damaged := filepath.Join(t.TempDir(), "damaged.pcap")
	content, err := os.ReadFile(handshakes)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(damaged, content[:24+16+130+16+10], 0o644); err != nil { // the second record is cut
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		frame  uint64
		args   []string
		begin  string // of standard output
		said   string // on standard error
		status int
	}{
		{"the first", 1, []string{"-r", handshakes}, "Frame 1 (EN10MB), 130 bytes.\n", "", exitDone},
		{"numbers go on in the next file", 2, []string{"-r", damaged, "-r", damaged}, "Frame 2 (", "data cut short", exitDamaged},
		{"the filter does not count", 1, []string{"-r", handshakes, "port", "22"}, "Frame 1 (", "", exitDone},
		{"it does not pass", 1, []string{"-r", handshakes, "port", "99"}, "", "sockscope: frame 1 does not pass the filter\n", exitNotStarted},
		{"beyond the end", 9_999_999, []string{"-r", handshakes, "-c", "7"}, "", "sockscope: no frame 9999999: the input has 7\n", exitNotStarted},
		{"frame 0", 0, []string{"-r", handshakes, "-c", "7"}, "", "sockscope: no frame 0: the input has 7\n", exitNotStarted},
		{"damage is told", 3, []string{"-r", damaged}, "", "data cut short", exitNotStarted},
		{"no such file", 1, []string{"-r", "no such file"}, "", "no such file", exitNotStarted},
		{"no source", 1, nil, "", "nothing to read", exitUsage},
		{"a filter that is none", 1, []string{"-r", handshakes, "prot"}, "", "filter: ", exitUsage},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := bitsOf(t, test.frame, "text", bits.Options{}, test.args...)
			if status != test.status || !strings.HasPrefix(stdout, test.begin) || (test.begin == "") != (stdout == "") ||
				!strings.Contains(stderr, test.said) || (test.said == "") != (stderr == "") {
				t.Errorf("status %d, %.60q, %q", status, stdout, stderr)
			}
		})
	}
}

func TestBitsFormats(t *testing.T) {
	begin := map[string]string{"text": "프레임 1(EN10MB)", "markdown": "# 프레임 1(EN10MB)", "html": "<!doctype html>\n<html lang=\"ko\">"}
	for _, format := range bitsFormats {
		stdout, stderr, status := bitsOf(t, 1, format, bits.Options{Language: language.Korean}, "-r", "../../testdata/handshakes.pcap")
		if begin[format] == "" || !strings.HasPrefix(stdout, begin[format]) || stderr != "" || status != exitDone {
			t.Errorf("%s: status %d, %.60q, %q", format, status, stdout, stderr)
		}
	}
}

// An interrupted search gives no results.
func TestBitsIsInterrupted(t *testing.T) {
	fs := newFlagSet("explain")
	source := addSourceFlags(fs)
	source.addLiveFlags(fs)
	source.addFilterFlags(fs)
	source.addReadingFlags(fs)
	if err := fs.Parse([]string{"-r", "../../testdata/handshakes.pcap"}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var f *failure
	err := newProgram(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}).bits(ctx, source, 9_999_999, "text", bits.Options{})
	if !errors.As(err, &f) || f.status != exitInterrupted {
		t.Errorf("%v", err)
	}
}

// The view draws a frame, and nothing else beside it.
func TestExplainBits(t *testing.T) {
	const handshakes = "../../testdata/handshakes.pcap"
	for _, test := range []struct {
		args   string
		begin  string // of standard output
		said   string
		status int
	}{
		{"--bits 112 --lang ko", "프레임 112(EN10MB), 74바이트입니다.\n", "", exitDone},
		{"--bits 112 --lang en --format markdown", "# Frame 112", "", exitDone},
		{"--bits 112 --lang en --format html", "<!doctype html>", "", exitDone},
		{"--bits 112 --format svg", "", "sockscope: --bits draws as text, markdown, html", exitUsage},
		{"--bits 112 --connection 3", "", "sockscope: --bits draws one frame: ", exitUsage},
		{"--bits 112 --top 3", "", "sockscope: --bits draws one frame: ", exitUsage},
		{"--bits 9999", "", "sockscope: no frame 9999: the input has 259", exitNotStarted},
	} {
		var out, err bytes.Buffer
		status := run(t.Context(), append(strings.Fields("explain "+test.args), "-r", handshakes), nil, &out, &err)
		if status != test.status || !strings.HasPrefix(out.String(), test.begin) || test.begin == "" && out.Len() > 0 || !strings.HasPrefix(err.String(), test.said) {
			t.Errorf("%s: status %d, want %d\n%.200s\n%.200s", test.args, status, test.status, &out, &err)
		}
	}
}
