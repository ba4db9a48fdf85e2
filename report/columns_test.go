package report

import (
	"testing"

	"sockscope/decode/flow"
)

// What is not among options that the snap length cut off may have been offered.
func TestOffered(t *testing.T) {
	for _, tt := range []struct {
		options           flow.Options
		has, value, known bool
	}{
		{flow.Options{}, false, false, false},
		{flow.Options{Known: true}, false, false, true},
		{flow.Options{Known: true}, true, true, true},
		{flow.Options{Known: true, Cut: true}, false, false, false},
		{flow.Options{Known: true, Cut: true}, true, true, true},
	} {
		if value, known := offered(&tt.options, tt.has); value != tt.value || known != tt.known {
			t.Errorf("%+v, %v: %v, known %v", tt.options, tt.has, value, known)
		}
	}
}

// Every column is explained, and nothing else is.
func TestColumnMeanings(t *testing.T) {
	explained := map[string]bool{}
	for _, line := range ColumnMeanings() {
		if line.Meaning == "" {
			t.Errorf("%v: not explained", line.Names)
		}
		for _, name := range line.Names {
			explained[name] = true
		}
	}
	for _, name := range ColumnNames() {
		if !explained[name] {
			t.Errorf("%s: not explained", name)
		}
	}
	used := map[string]bool{}
	for _, line := range ColumnMeanings() {
		used[line.Meaning] = true
	}
	for name, meaning := range meanings {
		if !used[meaning] {
			t.Errorf("%s: there is no such column", name)
		}
	}
}
