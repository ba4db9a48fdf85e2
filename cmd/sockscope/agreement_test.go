package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A comparison is a table of the corpus, where we differ from it, and how many of its
// columns, without the file, tell the connection.
type comparison struct {
	table, differences string
	key                int
}

var comparisons = []comparison{
	{"truth.tsv", "differences.tsv", 3},
	{"streams.tsv", "stream-differences.tsv", 2},
	{"zeek.tsv", "zeek-differences.tsv", 3},
}

// agreement.tsv tells how often we agree with others, kind by kind: it is what is lost or
// won by a change. What differs is held to the lists of differences by the tests that
// run the captures; here it is only counted.
func TestCorpusAgreement(t *testing.T) {
	var b strings.Builder
	b.WriteString("# How often our connections agree with those of others, by what is compared; what differs has a reason: see README.md.\n")
	b.WriteString("table\tkind\tcompared\tagreed\tdiffer\treasons\n")
	for _, c := range comparisons {
		for _, row := range c.rows(t) {
			fmt.Fprintf(&b, "%s\t%s\t%d\t%d\t%d\t%s\n", c.table, row.kind, row.agreed+row.differ, row.agreed, row.differ, row.reasonWords())
		}
	}
	golden(t, filepath.Join(corpus, "agreement.tsv"), []byte(b.String()))
}

// An agreementRow counts one kind of value.
type agreementRow struct {
	kind           string
	agreed, differ int
	reasons        map[string]int
}

func (r *agreementRow) differs(reason string) {
	r.differ++
	r.reasons[reason]++
}

// reasonWords is what differs by reason.
func (r *agreementRow) reasonWords() string {
	var words []string
	for _, reason := range slices.Sorted(maps.Keys(r.reasons)) {
		words = append(words, fmt.Sprintf("%s %d", reason, r.reasons[reason]))
	}
	return strings.Join(words, ", ")
}

// rows counts by column. The first row counts the connections themselves.
func (c comparison) rows(t *testing.T) []agreementRow {
	t.Helper()
	columns, lines := readTable(t, c.table)
	kinds := columns[1+c.key:] // behind the file and the connection
	rows := []agreementRow{{kind: "connection", reasons: map[string]int{}}}
	for _, kind := range kinds {
		rows = append(rows, agreementRow{kind: kind, reasons: map[string]int{}})
	}
	total := 0
	for _, line := range lines {
		if !strings.Contains(line, "\tframes\t") {
			total++
		}
	}
	theirs, ours := map[string][]listed{}, map[string][]listed{}
	for file, lines := range readDifferences(t, c.differences) {
		for _, line := range slices.Sorted(maps.Keys(lines)) {
			d := newListed(line, lines[line], c.key)
			of := theirs
			if d.side == "+" {
				of = ours
			}
			of[file+"\t"+d.connection] = append(of[file+"\t"+d.connection], d)
		}
	}
	for connection, lines := range theirs {
		for i, their := range lines {
			total--
			if i >= len(ours[connection]) {
				rows[0].differs(their.reason)
				continue
			}
			rows[0].agreed++
			for k, value := range ours[connection][i].values {
				if value == their.values[k] {
					rows[1+k].agreed++
				} else {
					rows[1+k].differs(their.reason)
				}
			}
		}
	}
	for i := range rows {
		rows[i].agreed += total // the lines that do not differ at all
	}
	for connection, lines := range ours {
		for _, our := range lines[min(len(lines), len(theirs[connection])):] {
			rows[0].differs(our.reason) // only we have it
		}
	}
	return rows
}

// A listed line is one of a list of differences.
type listed struct {
	side, connection, reason string
	values                   []string
}

func newListed(line, reason string, key int) listed {
	words := strings.Split(line, "\t")
	return listed{words[0], strings.Join(words[1:1+key], "\t"), reason, words[1+key:]}
}
