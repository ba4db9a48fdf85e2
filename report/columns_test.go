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
