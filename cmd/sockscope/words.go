package main

import (
	"strings"
	"unicode/utf8"
)

// tooMany is the failure for the first of rest, words that the view v has no use
// for. It shows the command line with a caret under the word.
func (p *program) tooMany(v *view, args, rest []string) error {
	const maxLine = 100 // bytes shown before the word
	word, short := rest[0], cut(rest[0], maxLine)
	why := "too many words: " + p.quote(short)

	// The same word may be a flag's value, too, mostly before: count from the end.
	again := 0
	for _, r := range rest {
		if r == word {
			again++
		}
	}
	at := len(args) - 1
	for ; at > 0; at-- {
		if args[at] == word {
			if again--; again == 0 {
				break
			}
		}
	}
	line, caret := "sockscope "+v.name, 0
	for i, a := range args {
		line += " "
		if i == at {
			caret = len(line)
		}
		line += p.escape(cut(a, maxLine))
	}
	if caret > maxLine {
		rest := cutFront(line, len(line)-caret+maxLine)
		caret -= len(line) - len(rest)
		line = rest
	}
	line = cut(line, 2*maxLine)
	column := utf8.RuneCountInString(line[:min(caret, len(line))])
	return usage("%s\n  %s\n  %s^", why, line, strings.Repeat(" ", column))
}
