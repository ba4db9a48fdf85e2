package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"path/filepath"
	"strings"
	"testing"

	say "sockscope/report/words"
)

// What explain writes as a page and as a picture.
func TestExplainDraws(t *testing.T) {
	many := filepath.Join(testdata, "handshakes.pcap")
	for _, test := range []struct {
		rule, args string
		sections   int
		want       string
	}{
		{"the first connections, and how many there are besides", many + " --top 2 --lang en", 2, `<p class="remark">`},
		{"one, in the language that was asked for", many + " --connection 1 --lang ko", 1, `<html lang="ko">`},
		{"the title is the file's name", many + " --connection 1", 1, "<h1><bdi>handshakes.pcap</bdi></h1>"},
		{"several are in a list of contents", many + " --top 3", 3, `<li><a href="#c3">`},
		{"none at all", filepath.Join(testdata, "zoo", "icmp-of-nothing.pcap") + " --lang en tcp", 0, `<p class="remark">`},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := explained(t, append([]string{"--format", "html", "-r"}, strings.Fields(test.args)...)...)
			if n := strings.Count(got, `<section class="conversation"`); n != test.sections {
				t.Errorf("%d conversations, want %d", n, test.sections)
			}
			if !strings.Contains(got, test.want) || !strings.HasSuffix(got, "</body>\n</html>\n") {
				t.Errorf("%q is missing, or the end, in:\n%s", test.want, got)
			}
		})
	}

	picture := explained(t, "--format", "svg", "-r", many, "--top", "1")
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(picture, "<svg ") || !strings.HasSuffix(picture, "</svg>\n") {
		t.Errorf("no picture:\n%s", picture)
	}

	for args, want := range map[string]string{
		many + " --top 2": "--format svg draws one connection (here are 2): choose it with --connection N",
		filepath.Join(testdata, "zoo", "icmp-of-nothing.pcap") + " tcp": "--format svg draws one connection (here are 0)",
	} {
		var stdout, stderr bytes.Buffer
		status := run(context.Background(), append([]string{"explain", "--format", "svg", "-r"}, strings.Fields(args)...), strings.NewReader(""), &stdout, &stderr)
		if status != exitUsage || !strings.Contains(stderr.String(), want) || stdout.Len() > 0 {
			t.Errorf("%s: exit status %d: %s, want %s; %d bytes of output", args, status, &stderr, want, stdout.Len())
		}
	}
}

func TestPageTitle(t *testing.T) {
	for inputs, want := range map[string]string{
		"": "", "-": "standard input", "dir/a.pcap": "a.pcap", "eth0": "eth0", "dir/a.pcap b.pcap c.pcap": "a.pcap and 2 more",
	} {
		if got := pageTitle(say.New(say.English), strings.Fields(inputs)); got != want {
			t.Errorf("%q: %s, want %s", inputs, got, want)
		}
	}
}
