package filter

import "strconv"

// term reads a condition or number that begins with a reserved word.
func (p *parser) term() item {
	t := p.tok
	switch t.word {
	case protocolWord, directionWord, typeWord, castWord, frameTypeWord, subtypeWord, frameDirWord:
		return p.qualified()
	}
	p.next()
	s := &special{word: t.text, place: place{t.start, t.end}}
	switch t.word {
	case aloneWord:
	case numberWord:
		p.argument(s, "a number", numberToken)
	case optionalWord:
		p.optional(s)
	case byteWord:
		p.argument(s, "a number", numberToken)
		switch p.tok.text {
		case "&", "|", "<", ">", "=":
			p.argument(s, "a sign", signToken)
		default:
			p.unexpected("one of & | < > =")
		}
		p.argument(s, "a number", numberToken)
	case nameWord:
		p.argument(s, "a name", nameToken)
	case reasonWord:
		p.argument(s, "a reason", nameToken, numberToken)
	case llcWord:
		if p.tok.kind == nameToken || p.tok.text == "rnr" && p.tok.kind == wordToken {
			p.tok.kind = nameToken
			p.argument(s, "a type", nameToken)
		}
	case foreignWord:
		p.fail(t, t.text+" is for link types that cannot be decoded here")
	default:
		p.tok = t
		p.unexpected("a condition")
	}
	return item{node: s, place: s.place}
}

// argument reads an argument of s that is one of kinds.
func (p *parser) argument(s *special, want string, kinds ...tokenKind) {
	for _, k := range kinds {
		if p.tok.kind == k {
			s.args = append(s.args, id{token: p.tok, length: -1})
			s.end = p.tok.end
			p.next()
			return
		}
	}
	p.unexpected(want)
}

// optional reads the number that s may have, perhaps in parentheses. "vlan (5)" is
// one; in "vlan and (len > 5)" the word "and" says that it is none.
func (p *parser) optional(s *special) {
	open := 0
	for p.sign("(") {
		if open++; open > maxNesting {
			p.fail(p.tok, "nested too deep")
		}
	}
	if open > 0 || p.tok.kind == numberToken {
		p.argument(s, "a number", numberToken)
	}
	for ; open > 0; open-- {
		if !p.sign(")") {
			p.unexpected("a closing parenthesis")
		}
	}
}

// qualified reads what begins with a protocol, a direction or a type.
func (p *parser) qualified() item {
	start := p.tok
	q := qualifiers{known: true}
	if p.tok.word == protocolWord {
		q.protocol = p.tok.text
		p.next()
		if p.tok.kind == signToken && p.tok.text == "[" {
			return item{kind: computedItem, number: p.field(start)}
		}
	}
	switch p.tok.word {
	case castWord:
		s := &special{word: p.tok.text, protocol: q.protocol, place: place{start.start, p.tok.end}}
		p.next()
		return item{node: s, place: s.place}
	case frameTypeWord, subtypeWord, frameDirWord:
		return p.frameType(start)
	}
	if p.tok.word == directionWord {
		q.direction, q.kind = p.direction(), "host"
	}
	if p.tok.word == typeWord {
		if q.direction != "" && (p.tok.text == "proto" || p.tok.text == "protochain" || p.tok.text == "gateway") {
			p.fail(p.tok, p.tok.text+" has no direction")
		}
		q.kind = p.tok.text
		p.next()
	}
	if q.kind == "" { // the protocol alone
		return item{node: &protocol{q.protocol, place{start.start, start.end}}, place: place{start.start, start.end}}
	}
	return item{node: p.id(q), q: q, place: place{start.start, p.tok.start}}
}

// direction reads src, dst, "src or dst", "src and dst", addr1 …
func (p *parser) direction() string {
	first := p.tok.text
	p.next()
	if p.tok.word != andWord && p.tok.word != orWord {
		return first
	}
	join := p.tok.text
	p.next()
	if other := p.tok.text; p.tok.word != directionWord ||
		!(first == "src" && other == "dst" || first == "dst" && other == "src") {
		p.unexpected("the other of src and dst")
	}
	p.next()
	return "src " + join + " dst"
}

// id reads the id behind qualifiers: one, "not" and one, or several in parentheses.
func (p *parser) id(q qualifiers) node {
	switch t := p.tok; {
	case t.kind == wordToken && t.word == notWord:
		defer p.nest()()
		p.next()
		return &negation{p.id(q)}
	case t.kind == signToken && t.text == "(":
		it := p.condition(p.parentheses(q))
		if it.kind != groupItem && it.kind != idItem {
			p.fail(p.tokenAt(it.place), "only addresses, names or numbers can be in these parentheses")
		}
		return it.node
	case t.kind == ipv4Token:
		p.next()
		i := id{token: t, length: -1}
		if p.tok.word == maskWord {
			p.next()
			if i.mask = p.tok.text; p.tok.kind != ipv4Token {
				p.unexpected("an IPv4 address")
			}
			i.end = p.tok.end
			p.next()
		} else {
			p.prefix(&i)
		}
		return p.primitive(q, i)
	case t.kind == ipv6Token:
		p.next()
		i := id{token: t, length: -1}
		p.prefix(&i)
		return p.primitive(q, i)
	case t.kind == nameToken || t.kind == numberToken || t.kind == etherToken || t.kind == arcnetToken:
		p.next()
		return p.primitive(q, id{token: t, length: -1})
	case t.kind == wordToken:
		p.fail(t, `the reserved word `+strconv.Quote(t.text)+` needs a backslash before it to be a name`)
	default:
		p.unexpected("an address, name or number")
	}
	return nil
}

// prefix reads the "/8" of a network.
func (p *parser) prefix(i *id) {
	if !p.sign("/") {
		return
	}
	if p.tok.kind != numberToken {
		p.unexpected("the number of bits")
		return
	}
	i.length, i.end = int(min(p.tok.number, 1<<16)), p.tok.end
	p.next()
}

func (p *parser) primitive(q qualifiers, i id) node {
	if !q.known {
		p.fail(i.token, "this needs a word like host, net or port before it")
	}
	return &primitive{q, i, place{i.start, i.end}}
}

// frameType reads "type T", "type T subtype S", "subtype S" and "dir D" of 802.11.
// A protocol before them has no meaning.
func (p *parser) frameType(start token) item {
	t := p.tok
	s := &special{word: t.text, place: place{start.start, t.end}}
	p.next()
	if t.word == subtypeWord {
		p.argument(s, "a name", nameToken)
	} else {
		p.argument(s, "a name or number", nameToken, numberToken)
	}
	if t.word == frameTypeWord && p.tok.word == subtypeWord {
		p.next()
		p.argument(s, "a name or number", nameToken, numberToken)
	}
	return item{node: s, place: s.place}
}
