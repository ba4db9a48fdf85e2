package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// hostileTexts are what a capture may hold where a name is expected.
var hostileTexts = []string{
	"\x1b[31mred\x1b]0;title\x07", "a\nb\tc\r\n", "nul\x00del\x7f", "\u0080\u009b31m\u0085", "\x80\x9b\xff raw",
	"\u202eevil\u202a\u202d\u2066\u2069\u200e\u200f\u061c", "zero\u200b\u200c\u200d\u2060\ufeffwidth", "line\u2028par\u2029",
	"\ue000private\U000f0000", "\u00ad\u034f\u115f\u3164\u2800\U000e0041tags", "\u0301combining first",
	"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1", `quote"and,comma;semicolon`, "\"", ",", " ", "",
	`<script>alert(1)</script><img src=x onerror=1>`, "`code` | pipe | ~~x~~ **b** [l](http://e.example) www.e.example a@b.c", "\\", `\x1b`, `\\`,
	"-", "(empty)", "#fields", "정상.example", "日本語", "🙂", strings.Repeat("x", 5000), strings.Repeat("\x1b", 3000),
}

// sound fails when out has a byte or a rune that a terminal or an editor would act on.
func sound(t *testing.T, out []byte, except string) {
	t.Helper()
	if !utf8.Valid(out) {
		t.Fatal("not UTF-8")
	}
	for i, r := range string(out) {
		if strings.ContainsRune(except, r) {
			continue
		}
		if !unicode.IsPrint(r) && r != ' ' || unicode.In(r, unicode.Cf, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Co, unicode.Other_Default_Ignorable_Code_Point) {
			t.Fatalf("%U is printed: %.60q", r, out[max(0, i-20):])
		}
	}
}

// hostileRow has s wherever a row holds text from outside.
func hostileRow(s string) Row {
	r := sampleRows()[0]
	r.Service, r.Evidence = s, flow.Evidence{Service: s, ServerName: s, ALPN: s}
	r.ConnState, r.History = s, s
	p := &capture.Process{PID: 1, Name: s, Command: s, User: s, Unit: s, Container: s}
	r.Owners = [2]capture.Owner{{Process: p, Basis: capture.BasisExact}, {Process: p, Basis: capture.BasisListener}}
	r.Client = netip.AddrPortFrom(netip.IPv6Unspecified().WithZone(s), 1)
	return r
}

func TestNoConnectionFormatLetsTextAct(t *testing.T) {
	for _, format := range ConnectionFormats() {
		for _, s := range hostileTexts {
			rows := []Row{hostileRow(s), hostileRow(s)}
			rows[0].ServiceBasis, rows[1].ServiceBasis = "payload", "port"
			for _, o := range []ConnectionOptions{
				{Interfaces: []capture.Interface{{Name: s}}},
				{Interfaces: []capture.Interface{{Name: s}}, ASCII: true, Width: 40},
				{Interfaces: []capture.Interface{{Name: s}}, ASCII: true, Processes: true},
				{Interfaces: []capture.Interface{{Name: s}}, Width: 120, Processes: true},
				{Interfaces: []capture.Interface{{Name: s}}, Columns: []string{"server_name", "interface", "service", "history", "process", "cmdline", "user", "unit", "container", "peer_process"}},
			} {
				if format == "zeek" && o.Columns != nil {
					continue
				}
				out := writeRows(t, format, o, rows)
				except := "\n"
				if format == "zeek" {
					except = "\n\t"
				}
				sound(t, out, except)
				if format == "text" && o.ASCII && !isPlainASCII(out) {
					t.Errorf("not ASCII: %.80q", out)
				}
				lines := bytes.Count(out, []byte("\n"))
				if header := map[string]int{"text": 1, "csv": 1, "zeek": 9}[format]; lines != len(rows)+header {
					t.Errorf("%s: %d lines for %.40q", format, lines, s)
				}
			}
		}
	}
}

func isPlainASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func TestNDJSONHoldsTheEscapedText(t *testing.T) {
	for _, s := range hostileTexts {
		out := writeRows(t, "ndjson", ConnectionOptions{}, []Row{hostileRow(s)})
		var got map[string]any
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v: %.80q", err, out)
		}
		for _, name := range []string{"server_name", "alpn", "service", "history", "process", "cmdline", "user", "unit", "container", "peer_process"} {
			value, ok := got[name]
			if ok != (s != "") || ok && value != EscapeText(s) {
				t.Errorf("%s of %.40q is %.40q", name, s, value)
			}
		}
	}
}

func TestCSVHoldsTheEscapedCell(t *testing.T) {
	for _, s := range hostileTexts {
		out := writeRows(t, "csv", ConnectionOptions{}, []Row{hostileRow(s)})
		rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(vocabulary) {
			t.Fatalf("%v: %.80q", err, out)
		}
		for i, name := range rows[0] {
			if name == "server_name" && rows[1][i] != escapeCell(s) {
				t.Errorf("%.40q is %.40q", s, rows[1][i])
			}
			if cell := rows[1][i]; cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("%s starts a formula: %.40q", name, cell)
			}
		}
	}
}

// A filling is what fill puts into every field of a value, by its type.
type filling struct {
	text     string
	number   uint64
	float    float64
	time     capture.Timestamp
	duration time.Duration
}

// fill sets every exported field below v; lists get two elements. Enumerations keep
// their zero: they are ours, not the input's.
func (f filling) fill(v reflect.Value) {
	switch v.Interface().(type) {
	case capture.Timestamp:
		v.SetInt(int64(f.time))
		return
	case time.Duration:
		v.SetInt(int64(f.duration))
		return
	case decode.TunnelKind, decode.Addr:
		return
	case capture.Process:
		v.FieldByName("PID").SetInt(int64(f.number >> 1))
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.IPv6Unspecified().WithZone(f.text)))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.AddrPortFrom(netip.IPv6Unspecified().WithZone(f.text), uint16(f.number))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(f.text)
	case reflect.Uint64, reflect.Uint32, reflect.Uint16:
		v.SetUint(f.number & (1<<v.Type().Bits() - 1))
	case reflect.Float64:
		v.SetFloat(f.float)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			f.fill(v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				f.fill(v.Field(i))
			}
		}
	}
}

// summary is a Summary full of f.
func (f filling) summary() *Summary {
	var s Summary
	f.fill(reflect.ValueOf(&s).Elem())
	return &s
}

// summaryWriters are the formats of this file's tests.
var summaryWriters = map[string]func(io.Writer, *Summary) error{
	"json": WriteJSON, "csv": WriteCSV, "markdown": WriteMarkdown,
}

func writeSummary(t testing.TB, format string, s *Summary) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := summaryWriters[format](&out, s); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readable fails when a reader of the format cannot read out.
func readable(t *testing.T, format string, out []byte) {
	t.Helper()
	switch format {
	case "json":
		if !json.Valid(out) || !bytes.HasSuffix(out, []byte("}\n")) {
			t.Fatalf("not JSON: %.200q", out)
		}
	case "csv":
		rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if len(row) != 4 {
				t.Fatalf("row %q", row)
			}
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+@\t\r", rune(cell[0])) {
					t.Fatalf("a cell starts a formula: %.60q", row)
				}
			}
		}
	case "markdown":
		// Our own text has none of these, so every one would be the input's.
		if i := bytes.IndexAny(out, "<>&`"); i >= 0 && !bytes.HasPrefix(out[i:], []byte("&lt;")) && !bytes.HasPrefix(out[i:], []byte("&gt;")) &&
			!bytes.HasPrefix(out[i:], []byte("&amp;")) && !bytes.HasPrefix(out[i:], []byte("&#")) && out[i-1] != '\\' {
			t.Fatalf("raw markup: %.60q", out[i:])
		}
		if bytes.ContainsAny(out, "<>") {
			t.Fatal("a raw < or >")
		}
	}
}

func TestNoSummaryFormatLetsTextAct(t *testing.T) {
	for format := range summaryWriters {
		for _, text := range hostileTexts {
			out := writeSummary(t, format, filling{text: text, number: 1, duration: 1, time: 1}.summary())
			sound(t, out, "\n")
			readable(t, format, out)
		}
	}
}

func TestSummaryFormatsTakeAnyNumber(t *testing.T) {
	for _, f := range []filling{
		{},
		{number: math.MaxUint64, float: math.NaN(), time: math.MaxInt64, duration: math.MaxInt64},
		{number: 1 << 63, float: math.Inf(1), time: capture.Unknown, duration: flow.NoDuration},
		{number: 1<<53 + 1, float: math.Inf(-1), time: math.MinInt64 + 1, duration: math.MinInt64 + 1},
		{number: 1, float: math.SmallestNonzeroFloat64, time: 0, duration: 0},
		{number: 7, float: math.MaxFloat64, time: (1<<32 - 1) * 1e9, duration: -1},
		{number: 7, float: -1, time: -1, duration: -1e18},
	} {
		for format := range summaryWriters {
			out := writeSummary(t, format, f.summary())
			sound(t, out, "\n")
			readable(t, format, out)
		}
		for _, format := range ConnectionFormats() {
			sound(t, writeRows(t, format, ConnectionOptions{}, f.summary().Connections), "\n\t")
		}
	}
	for format := range summaryWriters {
		readable(t, format, writeSummary(t, format, &Summary{}))
	}
}

func TestCountersAreExactBeyondDoubles(t *testing.T) {
	const n = "18446744073709551615"
	s := filling{number: math.MaxUint64}.summary()
	for format := range summaryWriters {
		out := strings.ReplaceAll(string(writeSummary(t, format, s)), ",", "") // markdown separates thousands
		if strings.Count(out, n) < 20 {
			t.Errorf("%s does not have all digits", format)
		}
	}
}
