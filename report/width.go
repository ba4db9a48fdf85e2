package report

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// textWidth is the number of terminal cells that s takes. Box drawing and dashes count
// one cell in every locale; Hangul and other wide characters two.
func textWidth(s string) int { return displaywidth.String(s) }

// shorten cuts s to width cells, its end replaced by the mark.
func shorten(s string, width int, mark string) string {
	if textWidth(s) <= width {
		return s
	}
	if width <= textWidth(mark) {
		return displaywidth.TruncateString(mark, width, "")
	}
	return displaywidth.TruncateString(s, width, mark)
}

// wrap breaks s at blanks into lines of at most width cells, the later ones hanging
// cells narrower. A word that does not fit into a line of its own is broken.
func wrap(s string, width, hanging int) []string {
	var lines []string
	var line strings.Builder
	used, room := 0, width
	flush := func() {
		lines = append(lines, line.String())
		line.Reset()
		used, room = 0, max(1, width-hanging)
	}
	for _, word := range words(s) {
		n := textWidth(word)
		if line.Len() > 0 && used+1+n > room {
			flush()
		}
		for n > room {
			head := displaywidth.TruncateString(word, room, "")
			if head == "" {
				break // a wide character in one cell: it cannot be shown
			}
			line.WriteString(head)
			flush()
			word = strings.TrimLeft(word[len(head):], " ")
			n = textWidth(word)
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
			used++
		}
		line.WriteString(word)
		used += n
	}
	if line.Len() > 0 {
		flush()
	}
	return lines
}

// words are what a line may be broken between: a bare number stays with the word
// that says what it counts.
func words(s string) []string {
	fields := strings.Fields(s)
	n := 0
	for i := range fields {
		if n > 0 && isNumber(lastWord(fields[n-1])) {
			fields[n-1] += " " + fields[i]
			continue
		}
		fields[n] = fields[i]
		n++
	}
	return fields[:n]
}

// lastWord is what follows the last blank.
func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

// isNumber reports whether s is digits, with commas and points between them.
func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789,.") == "" && strings.ContainsRune("0123456789", rune(s[len(s)-1]))
}
