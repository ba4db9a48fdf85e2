package filter

import "fmt"

// A parser reads a filter's text, one token ahead. The first error stays in err, and
// from there on every token is the end.
type parser struct {
	text  string
	at    int   // behind tok
	tok   token // the next one
	depth int   // of nesting
	err   *Error
}

// An item is what stands between "and" and "or": a condition, or an id that has
// inherited its qualifiers. Numbers can be either until more is read.
type item struct {
	kind   itemKind
	node   node       // of a condition, id or group
	number number     // of a single or computed number
	tok    token      // of a single number
	q      qualifiers // that the items behind it inherit
	place
}

type itemKind uint8

const (
	conditionItem itemKind = iota
	idItem
	groupItem    // ids in parentheses: "(80 or 443)"
	singleItem   // a number, perhaps in parentheses
	computedItem // an arithmetic expression
)

// filter reads the whole text.
func (p *parser) filter() node {
	p.next()
	if p.tok.kind == endToken && p.err == nil {
		return nil
	}
	it := p.condition(p.chain(p.item(qualifiers{})))
	if it.kind == computedItem {
		p.unexpected("a comparison")
	}
	if p.err == nil && p.tok.kind != endToken {
		p.unexpected("and, or, or the end")
	}
	return it.node
}

// chain reads "and ITEM", "or ITEM" … behind a first item and gives the whole. Ids
// can only be joined with ids when the first item is one.
func (p *parser) chain(it item) item {
	first := it.kind
	if first == singleItem && p.tok.word != andWord && p.tok.word != orWord {
		return it // "(80)", a number still
	}
	if first == computedItem {
		return it
	}
	it = p.condition(it)
	if first == groupItem {
		p.fail(p.tokenAt(it.place), "these parentheses need qualifiers before them, like: port (80 or 443)")
	}
	for p.err == nil && p.tok.kind == wordToken && (p.tok.word == andWord || p.tok.word == orWord) {
		or := p.tok.word == orWord
		p.next()
		y := p.item(it.q)
		if (first == idItem || first == singleItem) && y.kind == conditionItem {
			p.fail(p.tokenAt(y.place), "a condition cannot be among addresses or numbers in parentheses")
		}
		if y.kind == computedItem {
			p.unexpected("a comparison")
		}
		y = p.condition(y)
		it.node = &logic{or, it.node, y.node}
		it.q, it.end = y.q, y.end
	}
	return it
}

// condition makes an id of a single number and leaves all else as it is.
func (p *parser) condition(it item) item {
	if it.kind == singleItem {
		it.node, it.kind = p.primitive(it.q, id{token: it.tok, length: -1}), idItem
	}
	return it
}

// item reads one item; ids in it inherit q.
func (p *parser) item(q qualifiers) item {
	start := p.tok.start
	it := p.bareItem(q)
	if it.kind == singleItem || it.kind == computedItem {
		it = p.arithmetic(it, start)
	}
	it.start = start
	return it
}

func (p *parser) bareItem(q qualifiers) item {
	switch t := p.tok; t.kind {
	case wordToken:
		if t.word == notWord {
			return p.not(q)
		}
		if t.word == lengthWord {
			p.next()
			return item{kind: computedItem, number: length{}}
		}
		return p.term()
	case signToken:
		switch t.text {
		case "(":
			return p.parentheses(q)
		case "-":
			return item{kind: computedItem, number: p.operand()}
		}
	case numberToken:
		p.next()
		return item{kind: singleItem, number: constant{t.number}, tok: t, q: q, place: place{t.start, t.end}}
	case nameToken, ipv4Token, ipv6Token, etherToken, arcnetToken:
		if !q.known {
			p.unqualified(t)
			return item{}
		}
		return item{kind: idItem, node: p.id(q), q: q, place: place{t.start, t.end}}
	}
	p.unexpected("a condition")
	return item{}
}

// not reads "not" and the item it is about.
func (p *parser) not(q qualifiers) item {
	defer p.nest()()
	start := p.tok.start
	p.next()
	it := p.condition(p.item(q))
	if it.kind == computedItem {
		p.unexpected("a comparison")
	}
	if it.kind == groupItem {
		it.kind = idItem
	}
	it.node, it.start = &negation{it.node}, start
	return it
}

// parentheses reads a condition, ids or a number in parentheses. Behind a condition
// the qualifiers from before it go on: in "port 80 or (tcp) or 443" 443 is a port.
func (p *parser) parentheses(q qualifiers) item {
	defer p.nest()()
	start := p.tok.start
	p.next()
	it := p.chain(p.item(q))
	if !p.sign(")") {
		p.unexpected("a closing parenthesis")
	}
	switch it.kind {
	case conditionItem:
		it.q = q
	case idItem:
		it.kind = groupItem
	}
	it.place = place{start, it.end}
	return it
}

// nest counts a level of nesting until the returned function is called.
func (p *parser) nest() func() {
	p.depth++
	if p.depth > maxNesting {
		p.fail(p.tok, fmt.Sprintf("nested more than %d levels deep", maxNesting))
	}
	return func() { p.depth-- }
}

// sign reads the sign s when it is the next token, and reports whether it was.
func (p *parser) sign(s string) bool {
	if p.tok.kind != signToken || p.tok.text != s {
		return false
	}
	p.next()
	return true
}

// fail keeps the first error and ends the text there.
func (p *parser) fail(t token, message string) {
	if p.err == nil {
		p.err = &Error{Text: p.text, Start: t.start, End: t.end, Message: message}
	}
	p.tok = token{start: t.start, end: t.end}
	p.at = len(p.text)
}

func (p *parser) tokenAt(at place) token { return token{start: at.start, end: at.end} }

// unexpected fails because the next token is not what it should be.
func (p *parser) unexpected(want string) {
	t := p.tok
	switch t.kind {
	case endToken:
		p.fail(t, "the filter ends where "+want+" should be")
	case nameToken:
		p.fail(t, fmt.Sprintf("%q is no word of a filter", t.text))
		p.err.Near = nearest(t.text)
	default:
		p.fail(t, fmt.Sprintf("%q cannot be here, %s should be", p.text[t.start:t.end], want))
	}
}

// unqualified fails because the id t has no qualifiers and cannot inherit any.
func (p *parser) unqualified(t token) {
	if t.kind == nameToken {
		p.unexpected("a condition")
		return
	}
	p.fail(t, "this needs a word like host, net or port before it")
}
