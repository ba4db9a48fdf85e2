package filter

import (
	"strconv"
	"strings"
)

// value is the number a numberToken stands for, as C writes them.
func (p *parser) value(t token) uint32 {
	base, digits := 10, t.text
	switch {
	case len(digits) > 2 && digits[1]|0x20 == 'x':
		base, digits = 16, digits[2:]
	case len(digits) > 1 && digits[0] == '0':
		base = 8
		if i := strings.IndexAny(digits, "89"); i >= 0 {
			p.fail(t, "a number that begins with 0 is octal and has no digit "+digits[i:i+1])
			return 0
		}
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		p.fail(t, "the number does not fit 32 bits")
	}
	return uint32(n)
}

// ipv4 reads two to four numbers below 256; missing ones are 0 and the mask has no
// bits there. Unlike numberToken's they are always decimal.
func ipv4(text string) (address, mask uint32, ok bool) {
	parts := strings.Split(text, ".")
	for i := range 4 {
		address, mask = address<<8, mask<<8
		if i >= len(parts) {
			continue
		}
		n, err := strconv.ParseUint(parts[i], 10, 8)
		if err != nil {
			return 0, 0, false
		}
		address, mask = address|uint32(n), mask|0xff
	}
	return address, mask, len(parts) <= 4
}

// shortNet is a network number given as a single number: 10 is 10.0.0.0/8.
func shortNet(n uint32) (address, mask uint32) {
	mask = 0xffffffff
	for n != 0 && n>>24 == 0 {
		n, mask = n<<8, mask<<8
	}
	return n, mask
}

// ether reads an etherToken.
func ether(text string) [6]byte {
	var mac [6]byte
	groups := strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == '-' || r == '.' })
	if len(groups) == 6 {
		for i, g := range groups {
			n, _ := strconv.ParseUint(g, 16, 8)
			mac[i] = byte(n)
		}
		return mac
	}
	n, _ := strconv.ParseUint(strings.Join(groups, ""), 16, 48)
	for i := range mac {
		mac[i] = byte(n >> (40 - 8*i))
	}
	return mac
}

// hexByte is the value of one or two hexadecimal digits.
func hexByte(s string) uint32 {
	n, _ := strconv.ParseUint(s, 16, 8)
	return uint32(n)
}
