package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares got with a file in testdata, or rewrites that.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// writeRows writes rows in a format.
func writeRows(t testing.TB, format string, o ConnectionOptions, rows []Row) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewConnectionWriter(&out, format, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestConnectionsGolden(t *testing.T) {
	seoul := time.FixedZone("KST", 9*3600)
	some := []string{"id", "proto", "client_ip", "server_name", "outcome", "flags", "syn_waits_ns", "syn_rtt_ns", "interface"}
	for _, c := range []struct {
		file, format string
		options      ConnectionOptions
	}{
		{"connections.txt", "text", ConnectionOptions{Location: time.UTC}},
		{"connections-80.txt", "text", ConnectionOptions{Location: time.UTC, Width: 80}},
		{"connections-100-color.txt", "text", ConnectionOptions{Location: seoul, Width: 100, Color: true}},
		{"connections-ascii.txt", "text", ConnectionOptions{Location: time.UTC, Width: 132, ASCII: true, NoHeader: true}},
		{"connections-columns.txt", "text", ConnectionOptions{Columns: some}},
		{"connections-columns-ascii.txt", "text", ConnectionOptions{Columns: some, ASCII: true, Color: true}},
		{"connections.ndjson", "ndjson", ConnectionOptions{}},
		{"connections-columns.ndjson", "ndjson", ConnectionOptions{Columns: some}},
		{"connections.csv", "csv", ConnectionOptions{}},
		{"connections-columns.csv", "csv", ConnectionOptions{Columns: some, NoHeader: true}},
		{"connections.zeek", "zeek", ConnectionOptions{}},
	} {
		t.Run(c.file, func(t *testing.T) {
			c.options.Interfaces = sampleInterfaces
			golden(t, c.file, writeRows(t, c.format, c.options, sampleRows()))
		})
	}
}

func TestNewConnectionWriterRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		format  string
		columns []string
		want    string
	}{
		"a format that does not exist":     {"xml\x1b", nil, `no format "xml\x1b" for connections (have: text, ndjson, csv, zeek)`},
		"a column that does not exist":     {"csv", []string{"id", "rtt\n"}, `no column "rtt\x0a"`},
		"a column that has no figures yet": {"csv", []string{"eve_type"}, `no column "eve_type"`},
		"a column given twice":             {"csv", []string{"id", "id"}, `column "id" is given twice`},
		"columns for zeek":                 {"zeek", []string{"id"}, `the format zeek has columns of its own`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewConnectionWriter(nil, c.format, ConnectionOptions{Columns: c.columns})
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestConnectionsOfProcessesGolden(t *testing.T) {
	columns := []string{"id", "pid", "process", "process_side", "process_basis", "peer_pid", "peer_process", "unit"}
	for _, c := range []struct {
		file, format string
		options      ConnectionOptions
	}{
		{"processes-80.txt", "text", ConnectionOptions{Width: 80, Processes: true}},
		{"processes-100.txt", "text", ConnectionOptions{Width: 100, Processes: true}},
		{"processes-160.txt", "text", ConnectionOptions{Width: 160, Processes: true}},
		{"processes-ascii.txt", "text", ConnectionOptions{ASCII: true, Processes: true}},
		{"processes-columns.txt", "text", ConnectionOptions{Columns: columns}},
		{"processes.ndjson", "ndjson", ConnectionOptions{}},
		{"processes.csv", "csv", ConnectionOptions{Columns: columns}},
	} {
		t.Run(c.file, func(t *testing.T) {
			c.options.Location = time.UTC
			golden(t, c.file, writeRows(t, c.format, c.options, processRows()))
		})
	}
}

// A failingWriter takes n writes and then no more.
type failingWriter struct {
	n   int
	err error
}

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.n--; w.n < 0 {
		return 0, w.err
	}
	return len(b), nil
}

func TestConnectionWriterKeepsItsFirstError(t *testing.T) {
	full := errors.New("disk full")
	rows := sampleRows()
	for _, format := range ConnectionFormats() {
		t.Run(format, func(t *testing.T) {
			w, err := NewConnectionWriter(&failingWriter{1, full}, format, ConnectionOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for range 2000 {
				if err = w.Write(&rows[0]); err != nil {
					break
				}
			}
			if !errors.Is(err, full) {
				t.Errorf("Write: %v", err)
			}
			if err := w.Close(); !errors.Is(err, full) {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func TestFlushHandsOnEveryRow(t *testing.T) {
	rows := sampleRows()
	for _, format := range ConnectionFormats() {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			w, err := NewConnectionWriter(&out, format, ConnectionOptions{NoHeader: true})
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				if err := w.Write(&rows[i]); err != nil {
					t.Fatal(err)
				}
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				if n := strings.Count(out.String(), "\n"); n != i+1 {
					t.Fatalf("%d lines after %d rows", n, i+1)
				}
			}
		})
	}
}

func TestWritersDoNotAllocate(t *testing.T) {
	rows := sampleRows()
	for _, format := range ConnectionFormats() {
		t.Run(format, func(t *testing.T) {
			w, err := NewConnectionWriter(&failingWriter{n: 1 << 62}, format, ConnectionOptions{Interfaces: sampleInterfaces})
			if err != nil {
				t.Fatal(err)
			}
			round := func() {
				for i := range rows {
					if err := w.Write(&rows[i]); err != nil {
						t.Fatal(err)
					}
				}
			}
			for range 20 {
				round() // the buffers find their size
			}
			if n := testing.AllocsPerRun(100, round); n != 0 && format != "text" || n > 2 { // text: the header of a new day
				t.Errorf("%v allocations for %d rows", n, len(rows))
			}
		})
	}
}

func BenchmarkConnections(b *testing.B) {
	row := sampleRows()[0] // a complete handshake, FINs, options, a server name
	row.Evidence.ServerName, row.Flags, row.SYNWaits, row.HasVLAN = "static.cdn.example.com", 0, nil, false
	for _, format := range ConnectionFormats() {
		b.Run(format, func(b *testing.B) {
			w, err := NewConnectionWriter(&failingWriter{n: 1 << 62}, format, ConnectionOptions{Interfaces: sampleInterfaces})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				row.First += 1000
				if err := w.Write(&row); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
