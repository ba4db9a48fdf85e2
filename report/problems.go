package report

import (
	"strings"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// problems are the decoder's counters that are not 0, in their fixed order. A link
// type without a decoder is no problem of a frame: the ledger has it by its name.
func problems(t *flow.Totals) []capture.Count {
	var counts []capture.Count
	for i, n := range t.Problems {
		if err := decode.Error(i); n > 0 && err != decode.UnknownLinkType {
			counts = append(counts, capture.Count{Name: err.String(), N: n})
		}
	}
	return counts
}

// problemList is counts as a list in words, escaped: "4 too-many-tunnels, 1 tcp-option".
func problemList(counts []capture.Count, escape func(string) string) string {
	words := make([]string, len(counts))
	for i, c := range counts {
		words[i] = humanCount(c.N) + " " + escape(c.Name)
	}
	return strings.Join(words, ", ")
}
