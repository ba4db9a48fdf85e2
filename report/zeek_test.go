package report

import (
	"strings"
	"testing"

	"sockscope/capture"
)

// readZeek reads rows as zeek-cut does: by the header's names.
func readZeek(t *testing.T, log string) []map[string]string {
	t.Helper()
	var fields []string
	var rows []map[string]string
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if names, ok := strings.CutPrefix(line, "#fields\t"); ok {
			fields = strings.Split(names, "\t")
		}
		if types, ok := strings.CutPrefix(line, "#types\t"); ok && len(strings.Split(types, "\t")) != len(fields) {
			t.Errorf("%d fields, types %s", len(fields), types)
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != len(fields) {
			t.Fatalf("%d cells for %d fields: %q", len(cells), len(fields), line)
		}
		row := map[string]string{}
		for i, name := range fields {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestZeekRows(t *testing.T) {
	rows := readZeek(t, string(writeRows(t, "zeek", ConnectionOptions{}, sampleRows())))
	if len(rows) != len(sampleRows()) {
		t.Fatalf("%d rows", len(rows))
	}
	uids := map[string]bool{}
	for _, row := range rows {
		uids[row["uid"]] = true
		if len(row["uid"]) != 18 || row["uid"][0] != 'C' {
			t.Errorf("uid %s", row["uid"])
		}
	}
	if len(uids) != len(rows) {
		t.Errorf("%d uids of %d rows", len(uids), len(rows))
	}
	for name, want := range map[string]string{"ts": "1709251198.123456", "service": "ssl", "duration": "5.000000", "history": "ShADadFf",
		"orig_ip_bytes": "3288", "local_orig": "-", "ip_proto": "6", "id.orig_p": "49152"} {
		if rows[0][name] != want {
			t.Errorf("%s is %s, want %s", name, rows[0][name], want)
		}
	}
	if rows[1]["service"] != "-" {
		t.Errorf("a service that only the port suggests is %s", rows[1]["service"])
	}
	if midstream := rows[9]; midstream["ts"] != "-" || midstream["duration"] != "-" {
		t.Errorf("unknown times are %s and %s", midstream["ts"], midstream["duration"])
	}
}

func TestZeekText(t *testing.T) {
	w := newZeekWriter(output{}, ConnectionOptions{NoHeader: true})
	for in, want := range map[string]string{
		"": "-", "-": `\x2d`, "(empty)": `\x28empty)`, "a\tb\nc": `a\x09b\x0ac`, `a\b`: `a\\b`, "정상": "정상",
		"\u202e": `\xe2\x80\xae`, "\xff": `\xff`, "\u009b": `\xc2\x9b`, "\ufffd": "\ufffd", "DNS": "DNS",
	} {
		if got := string(w.appendText(nil, in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestZeekTimes(t *testing.T) {
	for in, want := range map[int64]string{
		0: "0.000000", 999: "0.000000", 1000: "0.000001", 1e9: "1.000000", -1500: "-0.000001", (1<<32 - 1) * 1e9: "4294967295.000000",
		-1 << 62: "-4611686018.427387",
	} {
		if got := string(appendMicroseconds(nil, in)); got != want {
			t.Errorf("%d: %s, want %s", in, got, want)
		}
	}
	if got := string(appendZeekTime(nil, capture.Unknown)); got != "-" {
		t.Errorf("unknown: %s", got)
	}
}

func TestZeekWithoutRowsIsALog(t *testing.T) {
	if rows := readZeek(t, string(writeRows(t, "zeek", ConnectionOptions{}, nil))); rows != nil {
		t.Errorf("%v", rows)
	}
}
