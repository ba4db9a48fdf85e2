package filter

import (
	"net/netip"
	"strings"
)

// A tokenKind is what a token is to the grammar.
type tokenKind uint8

const (
	endToken tokenKind = iota
	wordToken
	nameToken // not reserved, or escaped with a backslash
	numberToken
	ipv4Token // 10.1.2.3, or an abbreviation of two or three numbers
	ipv6Token
	etherToken
	arcnetToken // $ and a byte
	signToken
)

// A token is a stretch of the text.
type token struct {
	kind       tokenKind
	word       word   // of a wordToken
	text       string // a word's canonical form; without a name's backslash
	number     uint32
	start, end int // in the text
}

const blanks = " \t\r\n"

// next reads the token at p.at.
func (p *parser) next() {
	for p.at < len(p.text) && strings.IndexByte(blanks, p.text[p.at]) >= 0 {
		p.at++
	}
	p.tok = token{start: p.at, end: p.at}
	rest := p.text[p.at:]
	if rest == "" || p.err != nil {
		return
	}
	if n := signLength(rest); n > 0 && (rest[0] != ':' || ipv6Length(rest) == 0) {
		p.accept(signToken, n)
		if w, ok := signWords[p.tok.text]; ok {
			p.tok.kind, p.tok.word, p.tok.text = wordToken, words[w].word, w
		} else if p.tok.text == "==" {
			p.tok.text = "="
		}
		return
	}
	if n := escapedLength(rest); n > 0 {
		p.accept(nameToken, n)
		p.tok.text = p.tok.text[1:]
		return
	}
	p.literal(rest)
}

// signWords are the signs that words can be written for.
var signWords = map[string]string{"&&": "and", "||": "or", "!": "not"}

// literal reads a word, name, number or address. Of all readings of the text there
// the longest wins, of equally long ones the first here: "10.1" is an address,
// "10.1-x" a name.
func (p *parser) literal(rest string) {
	kind, length := endToken, 0
	longest := func(k tokenKind, n int) {
		if n > length {
			kind, length = k, n
		}
	}
	longest(arcnetToken, arcnetLength(rest))
	longest(etherToken, etherLength(rest))
	longest(numberToken, numberLength(rest))
	longest(ipv4Token, ipv4Length(rest))
	longest(ipv6Token, ipv6Length(rest))
	longest(endToken, octetsLength(rest))
	longest(nameToken, nameLength(rest))
	if length == 0 {
		p.tok.end += len(firstRune(rest))
		p.fail(p.tok, "no filter has the character "+plain(firstRune(rest)))
		return
	}
	p.accept(kind, length)
	switch kind {
	case endToken:
		p.fail(p.tok, "this is neither an Ethernet nor an IPv6 address")
	case numberToken:
		p.tok.number = p.value(p.tok)
	case nameToken:
		if w, ok := words[p.tok.text]; ok {
			p.tok.kind, p.tok.word, p.tok.text = wordToken, w.word, w.canon
		} else if n, ok := constants[p.tok.text]; ok {
			p.tok.kind, p.tok.word, p.tok.number = numberToken, constantWord, n
		}
	}
}

// isName reports whether the whole text is one name.
func (p *parser) isName() bool {
	p.next()
	return p.err == nil && p.tok.kind == nameToken && p.tok.text == p.text
}

func (p *parser) accept(kind tokenKind, length int) {
	p.tok.kind, p.tok.end = kind, p.at+length
	p.tok.text = p.text[p.at:p.tok.end]
	p.at = p.tok.end
}

// signLength is the length of the sign that s starts with, 0 for none.
func signLength(s string) int {
	if len(s) >= 2 {
		switch s[:2] {
		case "&&", "||", ">=", "<=", "!=", "==", "<<", ">>":
			return 2
		}
	}
	if strings.IndexByte("+-*/%&|^:[]<>=!()", s[0]) >= 0 {
		return 1
	}
	return 0
}

// escapedLength is the length of the name with a backslash that s starts with.
func escapedLength(s string) int {
	if s[0] != '\\' {
		return 0
	}
	n := strings.IndexAny(s[1:], " !()\n\t")
	if n < 0 {
		n = len(s) - 1
	}
	return lengthOf(n > 0, 1+n)
}

// arcnetLength is the length of the $ and one or two digits that s starts with.
func arcnetLength(s string) int {
	if s[0] != '$' {
		return 0
	}
	n := hexDigits(s[1:], 2)
	return lengthOf(n > 0, 1+n)
}

func firstRune(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}

// nameLength is the length of the name that s starts with: letters, digits and, but
// not first, - _ and dots; at the end a letter, a digit or a dot.
func nameLength(s string) int {
	length := 0
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c) || isDigit(c) || c == '.' && i > 0:
			length = i + 1
		case c == '-' || c == '_':
			if i == 0 {
				return 0
			}
		default:
			return length
		}
	}
	return length
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// hexDigits counts the hexadecimal digits that s starts with, up to limit.
func hexDigits(s string, limit int) int {
	n := 0
	for n < len(s) && n < limit && isHex(s[n]) {
		n++
	}
	return n
}

// numberLength is the length of the decimal, octal or hexadecimal number that s
// starts with.
func numberLength(s string) int {
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		if n := hexDigits(s[2:], len(s)); n > 0 {
			return 2 + n
		}
	}
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// ipv4Length is the length of the two to four numbers with dots between them that s
// starts with. That none is above 255 is checked later.
func ipv4Length(s string) int {
	length := numberLength(s)
	for parts := 1; parts < 4; parts++ {
		if length == 0 || length >= len(s) || s[length] != '.' {
			return lengthOf(parts >= 2, length)
		}
		n := numberLength(s[length+1:])
		if n == 0 {
			return lengthOf(parts >= 2, length)
		}
		length += 1 + n
	}
	return length
}

// lengthOf is n when what has that length is there at all.
func lengthOf(ok bool, n int) int {
	if ok {
		return n
	}
	return 0
}

// etherLength is the length of the Ethernet address that s starts with: six bytes
// with one of : - . between them, three groups of four digits with dots, or twelve
// digits.
func etherLength(s string) int {
	if hexDigits(s, 12) == 12 {
		return 12
	}
	if len(s) >= 14 && hexDigits(s, 4) == 4 && s[4] == '.' && hexDigits(s[5:], 4) == 4 && s[9] == '.' && hexDigits(s[10:], 4) == 4 {
		return 14
	}
	n := 0
	for part := range 6 {
		if part > 0 {
			if n >= len(s) || strings.IndexByte(":-.", s[n]) < 0 {
				return 0
			}
			n++
		}
		digits := hexDigits(s[n:], 2)
		if digits == 0 {
			return 0
		}
		n += digits
	}
	return n
}

// octetsLength is the length of the one or two digits, colons, digits, colons … that
// s starts with; such a thing is an address that went wrong.
func octetsLength(s string) int {
	n, groups := 0, 0
	for {
		digits := hexDigits(s[n:], 2)
		end := n + digits
		for end < len(s) && s[end] == ':' {
			end++
		}
		if digits == 0 || end == n+digits {
			return lengthOf(groups >= 2, n)
		}
		n = end
		groups++
	}
}

// ipv6Length is the length of the longest IPv6 address that s starts with.
func ipv6Length(s string) int {
	const longest = 45 // with an IPv4 address at the end
	n, colons := 0, 0
	for n < len(s) && n < longest && (isHex(s[n]) || s[n] == ':' || s[n] == '.') {
		if s[n] == ':' {
			colons++
		}
		n++
	}
	for ; n >= 2 && colons >= 2; n-- {
		if a, err := netip.ParseAddr(s[:n]); err == nil && a.Is6() {
			return n
		}
	}
	return 0
}
