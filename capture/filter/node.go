package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// A node is a condition of the syntax tree.
type node interface {
	String() string
}

// A place is where in the text a node comes from.
type place struct{ start, end int }

type (
	// A logic is "and" or "or". The language gives them equal precedence, from left
	// to right.
	logic struct {
		or   bool
		x, y node
	}
	negation struct{ x node }

	// A primitive is an id with its qualifiers, written out or inherited.
	primitive struct {
		qualifiers
		id id
		place
	}
	// A protocol stands alone, like "tcp".
	protocol struct {
		name string
		place
	}
	// A relation compares two numbers. Op is one of = != < <= > >=.
	relation struct {
		op   string
		x, y number
		place
	}
	// A special is a reserved word with a form of its own, like "vlan 5". Protocol is
	// what stands before broadcast and multicast.
	special struct {
		word, protocol string
		args           []id
		place
	}
)

// Qualifiers say what an id is. The zero value has none, and ids cannot inherit it.
type qualifiers struct {
	protocol  string // "" for those that fit the type
	direction string // src, dst, "src or dst", "src and dst", addr1 …; "" is "src or dst"
	kind      string // host, net, port, portrange, proto, protochain, gateway
	known     bool
}

// An id is a name, number or address.
type id struct {
	token
	mask   string // "mask 255.0.0.0" of an IPv4 network
	length int    // "/8" of a network; -1 when it has none
}

// A number is an arithmetic expression.
type number interface {
	String() string
}

type (
	constant  struct{ value uint32 }
	length    struct{}
	negative  struct{ x number }
	operation struct {
		op   string
		x, y number
		place
	}
	// A field is size bytes of a protocol's header, from index on.
	field struct {
		protocol string
		index    number
		size     uint32
		place
	}
)

func (n *logic) String() string {
	op := " and "
	if n.or {
		op = " or "
	}
	// A long chain of conditions leans to the left: no recursion and no copies there.
	var chain []string
	var first node = n
	for {
		l, ok := first.(*logic)
		if !ok || len(chain) > 0 && l.or != n.or {
			break
		}
		y := l.y.String()
		if _, ok := l.y.(*logic); ok {
			y = "(" + y + ")"
		}
		chain = append(chain, y)
		first = l.x
	}
	var b strings.Builder
	b.WriteString(first.String())
	for i := len(chain) - 1; i >= 0; i-- {
		b.WriteString(op)
		b.WriteString(chain[i])
	}
	return b.String()
}

func (n *negation) String() string {
	if _, ok := n.x.(*logic); ok {
		return "not (" + n.x.String() + ")"
	}
	return "not " + n.x.String()
}

func (n *primitive) String() string {
	return n.qualifiers.String() + " " + n.id.String()
}

func (q qualifiers) String() string {
	words := make([]string, 0, 3)
	for _, w := range []string{q.protocol, q.direction, q.kind} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

func (i id) String() string {
	s := i.text
	switch i.kind {
	case numberToken:
		s = strconv.FormatUint(uint64(i.number), 10)
	case nameToken:
		if p := (parser{text: s}); !p.isName() {
			s = `\` + s // it would be read as something else
		}
	}
	if i.mask != "" {
		s += " mask " + i.mask
	}
	if i.length >= 0 {
		s += "/" + strconv.Itoa(i.length)
	}
	return s
}

func (n *protocol) String() string { return n.name }

func (n *relation) String() string { return fmt.Sprintf("%s %s %s", n.x, n.op, n.y) }

func (n *special) String() string {
	s := n.word
	if n.protocol != "" {
		s = n.protocol + " " + s
	}
	for i, a := range n.args {
		if n.word == "type" && i == 1 {
			s += " subtype"
		}
		s += " " + a.String()
	}
	return s
}

func (n constant) String() string { return strconv.FormatUint(uint64(n.value), 10) }

func (length) String() string { return "len" }

func (n negative) String() string { return "-" + operand(n.x) }

func (n *operation) String() string { return fmt.Sprintf("%s %s %s", operand(n.x), n.op, operand(n.y)) }

// operand is a number inside another one: what has an operator gets parentheses.
func operand(n number) string {
	switch n.(type) {
	case *operation, negative:
		return "(" + n.String() + ")"
	}
	return n.String()
}

func (n *field) String() string {
	if n.size == 1 {
		return fmt.Sprintf("%s[%s]", n.protocol, n.index)
	}
	return fmt.Sprintf("%s[%s:%d]", n.protocol, n.index, n.size)
}
