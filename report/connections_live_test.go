package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A capture that goes on has its header before there is a row.
func TestConnectionsHeaderAtOnce(t *testing.T) {
	for _, tt := range []struct {
		format string
		o      ConnectionOptions
		want   string
	}{
		{"text", ConnectionOptions{Width: 80, Location: time.UTC}, "01-15"},
		{"text", ConnectionOptions{Columns: []string{"id", "outcome"}}, "id outcome"},
		{"csv", ConnectionOptions{Columns: []string{"id", "outcome"}}, "id,outcome\n"},
		{"csv", ConnectionOptions{Columns: []string{"id", "outcome"}, Events: true}, "event,id,outcome\n"},
		{"zeek", ConnectionOptions{}, "#open\t2026-01-15-09-00-00\n#fields\t"},
		{"ndjson", ConnectionOptions{}, ""},
	} {
		var out bytes.Buffer
		tt.o.Began = 1_768_467_600_000_000_000
		w, err := NewConnectionWriter(&out, tt.format, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
			t.Errorf("%s: %q before the first row, want %q", tt.format, got, tt.want)
		}
		n := strings.Count(out.String(), "\n")
		if err := w.Write(&Row{Connection: flow.Connection{ID: 7, First: tt.o.Began}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil || strings.Count(out.String(), "\n") != n+1 {
			t.Errorf("%s: %v, not one line more for a row: %q", tt.format, err, out.String())
		}
	}
}

func TestConnectionsEvents(t *testing.T) {
	const began, second = 1_768_467_600_000_000_000, 1_000_000_000
	rows := []Row{
		{Event: flow.Opened, Connection: flow.Connection{First: began, Last: began}},
		{Event: flow.HandshakeDone, Connection: flow.Connection{First: began, Last: began + second}},
		{Event: flow.Ended, Connection: flow.Connection{First: began, Last: began + 90*second}},
	}
	for _, tt := range []struct{ format, want string }{
		{"ndjson", `{"event":"open","id":0}{"event":"established","id":0}{"event":"ended","id":0}`},
		{"csv", "event,id;open,0;established,0;ended,0"},
	} {
		got := string(writeRows(t, tt.format, ConnectionOptions{Columns: []string{"id"}, Events: true}, rows))
		if tt.format == "csv" {
			got = strings.TrimSuffix(strings.ReplaceAll(got, "\n", ";"), ";")
		} else {
			got = strings.ReplaceAll(got, "\n", "")
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.format, got, tt.want)
		}
	}
	text := string(writeRows(t, "text", ConnectionOptions{Width: 80, Events: true, Location: time.UTC}, rows))
	lines := strings.Split(text, "\n")
	for i, want := range []string{"01-15 event", "09:00:00 open", "09:00:01 estab", "09:01:30 ended"} {
		if got := strings.Join(strings.Fields(lines[i])[:2], " "); got != want || len(lines[i]) > 80 {
			t.Errorf("line %d is %q, want it to begin with %s", i, lines[i], want)
		}
		if i > 0 && strings.Contains(lines[i], "complete") != !strings.HasSuffix(want, "open") {
			t.Errorf("line %d is %q: what becomes of what opens is not known", i, lines[i])
		}
	}
	if _, err := NewConnectionWriter(nil, "zeek", ConnectionOptions{Events: true}); err == nil {
		t.Error("a conn.log has events")
	}
}

// Names of interfaces that came after the beginning are asked for when one is needed.
func TestConnectionsOfALaterInterface(t *testing.T) {
	asked := 0
	o := ConnectionOptions{Columns: []string{"interface"}, Interfaces: []capture.Interface{{Name: "a"}},
		MoreInterfaces: func() []capture.Interface { asked++; return []capture.Interface{{Name: "a"}, {Name: "b"}} }}
	rows := make([]Row, 4)
	rows[1].Interface, rows[2].Interface, rows[3].Interface = 1, 1, 2
	if got := string(writeRows(t, "csv", o, rows)); got != "interface\na\nb\nb\n\n" || asked != 2 {
		t.Errorf("%q, asked %d times", got, asked)
	}
}
