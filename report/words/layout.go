package words

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// Width is how many columns of a terminal s takes.
func Width(s string) int { return displaywidth.String(s) }

// Pad appends spaces to s up to a width in columns.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-Width(s)))
}

// Wrap breaks text between words into lines of at most width columns. A word that is longer
// is broken where the line ends.
func Wrap(text string, width int) []string {
	width = max(width, 2) // a Korean syllable takes two
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		w := Width(word)
		if used > 0 && used+1+w <= width {
			line, used = line+" "+word, used+1+w
			continue
		}
		if used > 0 {
			lines = append(lines, line)
		}
		for w > width {
			head := Cut(word, width)
			lines = append(lines, head)
			word = word[len(head):]
			w = Width(word)
		}
		line, used = word, w
	}
	if used > 0 || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// Cut is as much of the beginning of s as fits into a width in columns.
func Cut(s string, width int) string {
	used, n := 0, 0
	g := displaywidth.StringGraphemes(s)
	for g.Next() {
		if used += g.Width(); used > width {
			return s[:n]
		}
		n += len(g.Value())
	}
	return s
}
