package service

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest gives at most n names of the registry that differ from name in a few
// letters, the most similar first. Of equally similar ones those with the same first
// letter lead, which is seldom mistyped, then those of the same length, then the lower port.
// It is for messages about a mistyped name, so it looks at every name there is.
func Nearest(name string, n int) []string {
	const longest = 15 // of a service name (RFC 6335 §5.1)
	name = strings.ToLower(name)
	limit := (len(name) + 2) / 3
	if name == "" || n <= 0 || len(name) > longest+limit {
		return nil
	}
	type candidate struct {
		name     string
		distance int
		other    int // 1 when the first letter differs
		length   int // how much longer or shorter than name
		port     uint16
	}
	var found []candidate
	seen := make(map[uint16]bool)
	for i, number := range rowName {
		if number == 0 || seen[number] {
			continue
		}
		seen[number] = true
		other := nameNumber(int(number))
		if d := distance(name, other); d <= limit {
			c := candidate{name: other, distance: d, length: max(len(other)-len(name), len(name)-len(other)), port: rowLow[i]}
			if lower(other[0]) != name[0] {
				c.other = 1
			}
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.other, b.other),
			cmp.Compare(a.length, b.length), cmp.Compare(a.port, b.port))
	})
	var names []string
	for _, c := range found[:min(n, len(found))] {
		names = append(names, c.name)
	}
	return names
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to make b of a, which is lower case (optimal string alignment).
func distance(a, b string) int {
	const size = 24 // longer than both; what is longer is far away
	if len(a) >= size || len(b) >= size {
		return size
	}
	var rows [3][size]int // before the last, the last and the present row of the matrix
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		rows[2][0] = i
		for j := 1; j <= len(b); j++ {
			replaced := rows[1][j-1]
			if a[i-1] != lower(b[j-1]) {
				replaced++
			}
			d := min(replaced, rows[1][j]+1, rows[2][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == lower(b[j-2]) && a[i-2] == lower(b[j-1]) {
				d = min(d, rows[0][j-2]+1)
			}
			rows[2][j] = d
		}
		rows[0], rows[1], rows[2] = rows[1], rows[2], rows[0]
	}
	return rows[1][len(b)]
}
