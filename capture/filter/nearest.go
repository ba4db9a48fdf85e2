package filter

import "strings"

// nearest is the reserved word that takes the fewest edits from word, the first of
// several in the alphabet; "" when all are too far for a slip of the fingers.
func nearest(word string) string {
	if len(word) > 32 {
		return ""
	}
	word = strings.ToLower(word)
	best, bestEdits := "", max(1, len(word)/3)+1
	for _, v := range suggestions {
		if n := edits(word, v); n < bestEdits {
			best, bestEdits = v, n
		}
	}
	return best
}

// edits counts the letters to insert, delete, replace or swap with their neighbour to
// get from a to b.
func edits(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := above[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(above[j]+1, row[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
