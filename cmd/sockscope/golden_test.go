package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// What the program prints for the README's capture, in every format.
func TestGolden(t *testing.T) {
	const capture = "testdata/handshakes.pcap"
	for _, test := range []struct {
		file    string
		columns string // width of the text
		args    string
	}{
		{"report-80.txt", "80", "report --utc -r " + capture},
		{"report-120.txt", "120", "report --utc -r " + capture},
		{"report-all.txt", "120", "report --utc --all --sort setup -r " + capture},
		{"report.json", "", "report --format json -r " + capture},
		{"report.csv", "", "report --format csv -r " + capture},
		{"report.md", "", "report --format markdown -r " + capture},
		{"report.html", "", "report --format html -r " + capture},
		{"connections-80.txt", "80", "connections --utc -r " + capture},
		{"connections-120.txt", "120", "connections --utc -r " + capture},
		{"connections.ndjson", "", "connections --format ndjson -r " + capture},
		{"connections.csv", "", "connections --format csv -r " + capture},
		{"connections.log", "", "connections --format zeek -r " + capture},
	} {
		t.Run(test.file, func(t *testing.T) {
			path, err := filepath.Abs(filepath.Join(testdata, "golden", test.file))
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir("../..") // as in the README, so that the output names the same file
			for name, value := range map[string]string{"COLUMNS": test.columns, "LC_ALL": "C.UTF-8", "NO_COLOR": "", "TZ": "UTC"} {
				t.Setenv(name, value)
			}
			var stdout, stderr bytes.Buffer
			if status := run(context.Background(), strings.Fields(test.args), strings.NewReader(""), &stdout, &stderr); status != exitDone {
				t.Fatalf("exit status %d: %s", status, &stderr)
			}
			if stderr.Len() > 0 {
				t.Errorf("standard error: %s", &stderr)
			}
			golden(t, path, stdout.Bytes())
		})
	}
}
