package words

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// particle is a place for a Korean particle, written with both of its forms: the one behind
// a syllable that ends with a consonant, and the one behind a vowel.
var particle = regexp.MustCompile(`\{(은/는|이/가|을/를|과/와|으로/로|이라/라|이며/며|이고/고|이면/면|이다/다|입니다/입니다)\}`)

// withParticles chooses the form of each particle in s.
func withParticles(s string) string {
	at := particle.FindAllStringSubmatchIndex(s, -1)
	if at == nil {
		return s
	}
	var b strings.Builder
	from := 0
	for _, m := range at {
		b.WriteString(s[from:m[0]])
		consonant, vowel, _ := strings.Cut(s[m[2]:m[3]], "/")
		switch ending := endingOf(b.String()); {
		case ending == withVowel, ending == withL && consonant == "으로":
			b.WriteString(vowel)
		default:
			b.WriteString(consonant)
		}
		from = m[1]
	}
	b.WriteString(s[from:])
	return b.String()
}

// An ending is how the last syllable of a word ends when it is read out in Korean.
type ending uint8

const (
	withVowel ending = iota
	withL            // ㄹ, behind which 으로 is 로
	withConsonant
)

// endingOf is how the word that s ends with is read. What stands in parentheses behind a
// word, and quotation marks, are not read.
func endingOf(s string) ending {
	for {
		s = strings.TrimRight(s, " \"'”’`」』]")
		if !strings.HasSuffix(s, ")") {
			break
		}
		open := strings.LastIndexByte(s, '(')
		if open <= 0 {
			break
		}
		s = s[:open]
	}
	last, n := utf8.DecodeLastRuneInString(s)
	switch {
	case last >= '가' && last <= '힣':
		switch (last - '가') % 28 { // 0: no final consonant
		case 0:
			return withVowel
		case 8:
			return withL
		}
		return withConsonant
	case last >= '0' && last <= '9':
		return [...]ending{withConsonant, withL, withVowel, withConsonant, withVowel, withVowel, withConsonant, withL, withL, withVowel}[last-'0']
	case last < utf8.RuneSelf && unicode.IsLetter(last):
		return latinEnding(s[:len(s)-n], last)
	}
	return withVowel
}

// latinEnding is how a word of Latin letters is read, of which the last one is given and
// the others end before: names in capitals letter by letter, others as they sound.
func latinEnding(before string, last rune) ending {
	word := before[strings.LastIndexFunc(before, func(r rune) bool { return r >= utf8.RuneSelf || !unicode.IsLetter(r) })+1:]
	if strings.EqualFold(word+string(last), "socket") { // 소켓
		return withConsonant
	}
	switch last {
	case 'L', 'R', 'l':
		return withL
	case 'M', 'N', 'm', 'n':
		return withConsonant
	case 'g':
		if strings.HasSuffix(word, "n") { // -ng
			return withConsonant
		}
	}
	return withVowel
}
