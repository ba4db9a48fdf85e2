package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"sockscope/capture"
)

func TestSummaryGolden(t *testing.T) {
	for format, extension := range map[string]string{"json": "json", "csv": "csv", "markdown": "md"} {
		golden(t, "summary."+extension, writeSummary(t, format, sampleSummary()))
		golden(t, "summary-live."+extension, writeSummary(t, format, liveScene().summary(Config{Top: 2})))
		golden(t, "summary-empty."+extension, writeSummary(t, format, &Summary{First: capture.Unknown, Last: capture.Unknown}))
	}
}

// flatten gives the numbers and booleans of a decoded JSON document with their paths,
// in the form of the CSV's first three columns.
func flatten(into map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			flatten(into, path+"."+name, value)
		}
	case []any:
		if len(v) > 0 {
			if _, isObject := v[0].(map[string]any); !isObject {
				return
			}
		}
		for i, value := range v {
			key := strconv.Itoa(i + 1)
			if object := value.(map[string]any); strings.HasPrefix(path, ".connections") {
				key = object["id"].(json.Number).String()
			}
			flatten(into, path+"."+key, value)
		}
	case json.Number:
		into[path] = v.String()
	case bool:
		into[path] = fmt.Sprint(v)
	}
}

func TestJSONAndCSVHaveTheSameNumbers(t *testing.T) {
	for name, s := range map[string]*Summary{
		"office":  officeScene().summary(Config{All: true}),
		"attacks": attackScene().summary(Config{}),
		"live":    liveScene().summary(Config{All: true}),
		"largest": filling{number: math.MaxUint64, text: "1", duration: 5}.summary(),
	} {
		if name == "largest" {
			s.Connections[0].ID = 1
		}
		decoder := json.NewDecoder(bytes.NewReader(writeSummary(t, "json", s)))
		decoder.UseNumber()
		var document any
		if err := decoder.Decode(&document); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		flatten(want, "", document)

		rows, err := csv.NewReader(bytes.NewReader(writeSummary(t, "csv", s))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, row := range rows[1:] {
			path := "." + row[0]
			if row[1] != "" {
				path += "." + row[1]
			}
			got[path+"."+row[2]] = row[3]
		}
		if len(want) < 60 {
			t.Errorf("%s: only %d numbers", name, len(want))
		}
		for path, value := range want {
			if got[path] != value {
				t.Errorf("%s: %s is %s in JSON, %q in CSV", name, path, value, got[path])
			}
		}
	}
}

func TestMarkdownHasTheTotals(t *testing.T) {
	s := officeScene().summary(Config{})
	out := string(writeSummary(t, "markdown", s))
	for _, want := range []string{
		plural(s.Total.Connections, "connection"),
		fmt.Sprintf("| frames read |  | %s | %s |", humanCount(s.Ledger.Frames), humanCount(s.Bytes)),
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, r := range s.Ranges {
		if want := "| " + humanCount(r.Tally.Packets) + " | " + humanCount(r.Tally.Bytes) + " |"; !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestSummaryFormatsTellThatWritingFailed(t *testing.T) {
	full := errors.New("disk full")
	for format, write := range summaryWriters {
		if err := write(&failingWriter{0, full}, officeScene().summary(Config{})); !errors.Is(err, full) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestMarkdownText(t *testing.T) {
	for in, want := range map[string]string{
		"plain text":          "plain text",
		"a|b":                 `a\|b`,
		`\`:                   `\\\\`,
		"\x1b":                `\\x1b`,
		"<b>&amp;":            "&lt;b&gt;&amp;amp;",
		"`x`":                 "\\`x\\`",
		"http://e.example":    "http&#58;//e.example",
		"www.e.example":       "www&#46;e.example",
		"_a_ *b* ~c~ [d] #e!": `\_a\_ \*b\* \~c\~ \[d\] \#e\!`,
	} {
		if got := markdownText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
