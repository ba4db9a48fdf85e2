package filter

import "strconv"

// precedence of the operators, from "binds least" on. % and ^ have none: what is to
// the right of them belongs to them, whatever operators it has, and to their left
// they take a single operand. That is how the language's own grammar, which forgot to
// rank the two, has always been read: 7 % 4 + 2 is 7 % 6.
var precedence = map[string]int{"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5}

const tightest = 6

// arithmetic reads on behind a number: operators, and a comparison, which makes a
// condition of it.
func (p *parser) arithmetic(it item, start int) item {
	if n := p.operators(it.number, 0); n != it.number {
		it.kind, it.number = computedItem, n
	}
	if p.tok.kind != signToken {
		return it
	}
	switch op := p.tok.text; op {
	case "=", "!=", "<", "<=", ">", ">=":
		p.next()
		y := p.calculation(0)
		r := &relation{op, it.number, y, place{start, p.tok.start}}
		return item{node: r, place: r.place}
	}
	return it
}

// calculation reads operands and operators that bind at least as tightly as lowest.
func (p *parser) calculation(lowest int) number { return p.operators(p.operand(), lowest) }

// operators reads on behind the operand x.
func (p *parser) operators(x number, lowest int) number {
	for p.tok.kind == signToken {
		t := p.tok
		rank, ranked := precedence[t.text]
		right := rank + 1
		switch {
		case t.text == "%" || t.text == "^":
			right = 0
		case !ranked || rank < lowest:
			return x
		}
		p.next()
		leave := p.nest()
		y := p.calculation(right)
		leave()
		x = &operation{t.text, x, y, place{t.start, t.end}}
	}
	return x
}

// operand reads a number, len, a field, a negative or something in parentheses.
func (p *parser) operand() number {
	switch t := p.tok; {
	case t.kind == numberToken:
		p.next()
		return constant{t.number}
	case t.word == lengthWord:
		p.next()
		return length{}
	case t.word == protocolWord:
		p.next()
		return p.field(t)
	case t.kind == signToken && t.text == "-":
		defer p.nest()()
		p.next()
		return negative{p.calculation(tightest)}
	case t.kind == signToken && t.text == "(":
		defer p.nest()()
		p.next()
		x := p.calculation(0)
		if !p.sign(")") {
			p.unexpected("a closing parenthesis")
		}
		return x
	}
	p.unexpected("a number")
	return constant{}
}

// field reads "[index:size]" behind the protocol t.
func (p *parser) field(t token) number {
	defer p.nest()()
	f := &field{protocol: t.text, size: 1, place: place{t.start, t.end}}
	if !p.sign("[") {
		p.unexpected("a number or an opening bracket")
		return f
	}
	f.index = p.calculation(0)
	if p.sign(":") {
		f.size = p.tok.number
		if p.tok.kind != numberToken || f.size != 1 && f.size != 2 && f.size != 4 {
			p.fail(p.tok, "a field has 1, 2 or 4 bytes, not "+strconv.Quote(p.text[p.tok.start:p.tok.end]))
		}
		p.next()
	}
	f.end = p.tok.end
	if !p.sign("]") {
		p.unexpected("a closing bracket")
	}
	return f
}
