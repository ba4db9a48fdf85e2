package report

import (
	"unicode"
	"unicode/utf8"
)

// EscapeText makes text from the wire, from a file or from the user's arguments
// safe to print: what stays is visible text of any script, with a single kind of
// blank, U+0020. All else is written out:
//
//	\\        a backslash
//	\x1b      a C0 control, DEL, or a byte that is not UTF-8
//	\u{202e}  any other rune that does not show: C1 controls, bidirectional and
//	          other format characters (zero-width ones among them), line and
//	          paragraph separators, other blanks, fillers, private use,
//	          unassigned; and a combining mark with nothing before it to combine with
//
// The backslash is doubled so that the rule can be undone: no two strings have the
// same escaped text. All formats print the same text, JSON too: what `jq -r` gives
// is as safe on a terminal as the text report, and joins with the CSV.
func EscapeText(s string) string {
	if isPlain(s) {
		return s
	}
	return string(appendEscaped(nil, s))
}

// EscapeASCII is EscapeText for terminals without UTF-8 (LANG=C): every rune
// beyond ASCII is written as \u{…}.
func EscapeASCII(s string) string {
	if isPlain(s) {
		return s
	}
	return string(appendEscapedASCII(nil, s))
}

// isPlain reports whether all of s is printable ASCII other than the backslash,
// as nearly all names are.
func isPlain[T string | []byte](s T) bool { return classesOf(s)&classEscaped == 0 }

// A byteClass says where a byte of text cannot stand as it is.
type byteClass uint8

const (
	classEscaped byteClass = 1 << iota // in no format: the backslash, and all that is not printable ASCII
	classJSON                          // inside a JSON string
	classCSV                           // in a cell without quotes
)

var byteClasses = func() (classes [256]byteClass) {
	for c := range classes {
		if c < 0x20 || c > 0x7e || c == '\\' {
			classes[c] |= classEscaped
		}
	}
	classes['"'] |= classJSON | classCSV
	classes[','] |= classCSV
	classes[' '] |= classCSV // readers that trim cells leave quoted ones alone
	return
}()

// classesOf are the classes of all bytes of s.
func classesOf[T string | []byte](s T) (found byteClass) {
	for i := range len(s) {
		found |= byteClasses[s[i]]
	}
	return found
}

// appendEscaped appends EscapeText(s) to b. s must not lie in b's memory.
func appendEscaped[T string | []byte](b []byte, s T) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			b = appendEscapedByte(b, c)
			i++
			continue
		}
		r, size := decodeRune(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = appendHexByte(b, c)
		case !visible(r) || i == 0 && unicode.Is(unicode.M, r):
			b = appendHexRune(b, r)
		default:
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return b
}

// appendEscapedASCII appends EscapeASCII(s) to b.
func appendEscapedASCII[T string | []byte](b []byte, s T) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			b = appendEscapedByte(b, c)
			i++
			continue
		}
		r, size := decodeRune(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = appendHexByte(b, c)
		} else {
			b = appendHexRune(b, r)
		}
		i += size
	}
	return b
}

// decodeRune is utf8.DecodeRune for both, without a conversion that allocates.
func decodeRune[T string | []byte](s T) (rune, int) {
	var head [utf8.UTFMax]byte
	return utf8.DecodeRune(head[:copy(head[:], s)])
}

func appendEscapedByte(b []byte, c byte) []byte {
	switch {
	case c == '\\':
		return append(b, '\\', '\\')
	case c < 0x20 || c == 0x7f:
		return appendHexByte(b, c)
	}
	return append(b, c)
}

// visible reports whether a rune beyond ASCII leaves a mark of its own, or
// belongs to the rune before it.
func visible(r rune) bool {
	switch {
	case r >= 0xAC00 && r <= 0xD7A3, r >= 0x4E00 && r <= 0x9FFF:
		return true // Hangul, Han: no need to look further
	case r == 0xFE0E, r == 0xFE0F:
		return true // text or emoji style of the rune before
	}
	return unicode.IsPrint(r) && r != '\u2800' && // Braille without dots
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

const hexDigits = "0123456789abcdef"

// appendHexByte appends c as \xNN.
func appendHexByte(b []byte, c byte) []byte {
	return append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

// appendHexRune appends r as \u{…}, with as many digits as it needs.
func appendHexRune(b []byte, r rune) []byte {
	b = append(b, '\\', 'u', '{')
	shift := 28
	for shift > 0 && r>>shift == 0 {
		shift -= 4
	}
	for ; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[r>>shift&15])
	}
	return append(b, '}')
}

// escapeCell is EscapeText for a cell of a table that a spreadsheet may open: text
// that it would take for a formula gets an apostrophe before it, and so does text
// that starts with an apostrophe, so that the rule can be undone.
func escapeCell(s string) string {
	if startsFormula(s) {
		return "'" + EscapeText(s)
	}
	return EscapeText(s)
}

// startsFormula reports whether escapeCell puts an apostrophe before s: before the
// signs that start a formula, in their full width too. Tab and carriage return,
// which some programs skip before a formula, are escaped to a backslash anyway.
func startsFormula[T string | []byte](s T) bool {
	r, _ := decodeRune(s)
	switch r {
	case '=', '+', '-', '@', '\'', '＝', '＋', '－', '＠', '\t', '\r':
		return true
	}
	return false
}
