package filter

import (
	"fmt"
	"strings"
	"unicode"
)

// An Error is what is wrong with a filter and where.
type Error struct {
	Text    string // the whole filter; "" when it is too long to look at
	Start   int    // of the wrong place, in bytes from the beginning of Text
	End     int    // behind it
	Message string
	Near    string // the nearest valid word; "" when none is near
}

// Error is the message in one line, without the text.
func (e *Error) Error() string {
	s := e.Message
	if e.Text != "" {
		s = fmt.Sprintf("position %d: %s", e.Start+1, s)
	}
	if e.Near != "" {
		s += fmt.Sprintf(" (did you mean %s?)", e.Near)
	}
	return s
}

// Caret is the text around the wrong place and, in a second line, carets under it.
// It is "" when there is no text. What a terminal could obey is replaced.
func (e *Error) Caret() string {
	const around = 60 // bytes of text on either side
	if e.Text == "" {
		return ""
	}
	from, to := max(0, e.Start-around), min(len(e.Text), max(e.End, e.Start+1)+around)
	before, place, after := plain(e.Text[from:e.Start]), plain(e.Text[e.Start:e.End]), plain(e.Text[e.End:to])
	if from > 0 {
		before = "..." + before
	}
	if to < len(e.Text) {
		after += "..."
	}
	carets := max(1, min(len([]rune(place)), around))
	return before + place + after + "\n" + strings.Repeat(" ", len([]rune(before))) + strings.Repeat("^", carets)
}

// plain replaces each character that does not take one column by a question mark.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) || unicode.Is(unicode.Mn, r) {
			return '?'
		}
		return r
	}, s)
}
