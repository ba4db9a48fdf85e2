package main

import (
	"fmt"
	"strings"
)

// suggest is the end of a message about a wrong word: the nearest valid one, or,
// when none is near, where to look.
func (p *program) suggest(word string, valid []string, help string) string {
	if near := nearest(word, valid); near != "" {
		return fmt.Sprintf(" (did you mean %s?)", near)
	}
	if help == "" {
		return ""
	}
	return fmt.Sprintf(" (see: %s)", help)
}

// nearest is the valid word that takes the fewest edits from word, the first of
// several; "" when all are too far for a slip of the fingers.
func nearest(word string, valid []string) string {
	if len(word) > 64 {
		return ""
	}
	word = strings.ToLower(word)
	best, bestEdits := "", max(1, len(strings.TrimLeft(word, "-"))/3)+1
	for _, v := range valid {
		if n := edits(word, strings.ToLower(v)); n < bestEdits {
			best, bestEdits = v, n
		}
	}
	if best == "" && len(strings.TrimLeft(word, "-")) >= 3 {
		for _, v := range valid {
			if strings.HasPrefix(strings.ToLower(v), word) {
				return v
			}
		}
	}
	return best
}

// edits counts the letters to insert, delete, replace or swap with their
// neighbour to get from a to b (optimal string alignment).
func edits(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
