package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report"
)

// The processes that a source knows get into the lines of connections, in whatever
// order, and into the report, once for each connection.
func TestOwnersGetIntoEveryView(t *testing.T) {
	source := sourceFlags{files: []string{filepath.Join("..", "..", "testdata", "handshakes.pcap")},
		maxInput: &size{value: 1 << 40}, udpIdle: &span{}, memory: &memory{}, workers: &number{value: 1}, progress: &choice{value: "never"}}
	p := newProgram(strings.NewReader(""), io.Discard, io.Discard)
	r, err := source.read(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	curl := capture.Owner{Process: &capture.Process{PID: 4711, Name: "curl"}, Basis: capture.BasisExact}
	asked := 0
	r.owners = func(*flow.Connection) [2]capture.Owner {
		asked++
		return [2]capture.Owner{curl}
	}
	r.host = &capture.Host{EphemeralLow: 32768, EphemeralHigh: 60999}
	r.everywhere = true

	connections := 0
	count := func(row *report.Row) error {
		connections++
		if row.Owners[0] != curl {
			t.Errorf("connection %d has the owner %v", row.ID, row.Owners[0])
		}
		return nil
	}
	if err := writeInOrder(r, count); err != nil {
		t.Fatal(err)
	}
	all := connections
	sorted := r.builder(report.Config{All: true})
	r.add(sorted)
	if err := writeSorted(r, sorted, count); err != nil {
		t.Fatal(err)
	}
	if all == 0 || connections != 2*all || asked != connections {
		t.Errorf("%d connections, %d with the sorted ones, owners asked for %d times", all, connections, asked)
	}

	b := r.builder(report.Config{})
	r.add(b)
	s := b.Summary(r.stats, &r.result.Totals)
	if s.Host == nil || !s.Host.AllInterfaces {
		t.Errorf("host %+v", s.Host)
	}
	var out bytes.Buffer
	if err := writeSummary(&out, s, "text", display{}); err != nil || !strings.Contains(out.String(), "by curl[4711]") {
		t.Errorf("%v, no process in\n%s", err, &out)
	}
}

// The first connection that memory is short for may come before the file that names
// processes.
func TestOwnersOfEarlyRows(t *testing.T) {
	var stats capture.Stats
	soFar := func() capture.Stats { return stats }
	rows := &fileRows{format: "ndjson", options: func() report.ConnectionOptions { return report.ConnectionOptions{} }}
	var out bytes.Buffer
	if err := rows.early(&out, soFar, &flow.Connection{ID: 1}); err != nil {
		t.Fatal(err)
	}
	stats.Owners = []capture.Owner{{Process: &capture.Process{PID: 4711, Name: "curl"}, Basis: capture.BasisExact}}
	if err := rows.early(&out, soFar, &flow.Connection{ID: 2, Owners: [2]uint32{1, 0}}); err != nil {
		t.Fatal(err)
	}
	if err := rows.end(nil); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(out.String(), "\n"); len(lines) != 3 || strings.Contains(lines[0], "curl") || !strings.Contains(lines[1], "curl") {
		t.Errorf("one process, of the second connection, in\n%s", &out)
	}
}
