package report

import (
	"strconv"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A columnKind says what a column's values are, and with that how a format quotes them.
type columnKind uint8

const (
	kindNumber   columnKind = iota // an integer; formats print all its digits, also beyond 2^53
	kindDuration                   // an integer: nanoseconds
	kindBoolean                    // true or false
	kindWord                       // a word of a fixed list, an address, a time: plain ASCII without quotes and backslashes
	kindText                       // from the wire or from a file: anything, unescaped
	kindWords                      // a list of words, separated by listSeparator
	kindNumbers                    // a list of integers, likewise
)

// listSeparator is between the elements of a list in formats without lists.
const listSeparator = ';'

// A recordColumn is one name of the connection record's vocabulary. Of the functions it
// has the one that fits its kind.
type recordColumn struct {
	name string
	kind columnKind

	process bool // absent where the processes of both ends are unknown

	count  func(r *Row) (n uint64, known bool)
	span   func(r *Row) time.Duration // flow.NoDuration is absent
	flag   func(r *Row) (value, known bool)
	string func(r *Row) string // "" is absent

	// other appends r's value to b, or returns false when it is not known; what it
	// has appended then is void.
	other func(b []byte, r *Row, x *context) ([]byte, bool)
}

// unowned is where the columns begin that are the last and absent where no process is
// known, as in most files: formats need not ask them then.
func unowned(columns []recordColumn) int {
	n := len(columns)
	for n > 0 && columns[n-1].process {
		n--
	}
	return n
}

// A context is what columns need beside the row.
type context struct {
	interfaces []capture.Interface
	more       func() []capture.Interface // nil: these are all
	clock      clock
}

// iface is the interface with a number, or nil when it is not known.
func (x *context) iface(n uint32) *capture.Interface {
	if int64(n) >= int64(len(x.interfaces)) {
		if x.more != nil {
			x.interfaces = x.more()
		}
		if int64(n) >= int64(len(x.interfaces)) {
			return nil
		}
	}
	return &x.interfaces[n]
}

// append appends r's value to b, unescaped. It returns b and false when it is not known.
func (c *recordColumn) append(b []byte, r *Row, x *context) ([]byte, bool) {
	switch {
	case c.count != nil:
		n, ok := c.count(r)
		if !ok {
			return b, false
		}
		return appendUint(b, n), true
	case c.span != nil:
		d := c.span(r)
		if d == flow.NoDuration {
			return b, false
		}
		return appendInt(b, int64(d)), true
	case c.flag != nil:
		v, ok := c.flag(r)
		if !ok {
			return b, false
		}
		return strconv.AppendBool(b, v), true
	case c.string != nil:
		s := c.string(r)
		return append(b, s...), s != ""
	}
	value, ok := c.other(b, r, x)
	if !ok {
		return b, false
	}
	return value, true
}

// newColumn makes a column with a way of its own to append values.
func newColumn(name string, k columnKind, other func([]byte, *Row, *context) ([]byte, bool)) recordColumn {
	return recordColumn{name: name, kind: k, other: other}
}

// countColumn makes a column of numbers.
func countColumn(name string, count func(*Row) (uint64, bool)) recordColumn {
	return recordColumn{name: name, kind: kindNumber, count: count}
}

// durationColumn makes a column of nanoseconds.
func durationColumn(name string, span func(*Row) time.Duration) recordColumn {
	return recordColumn{name: name, kind: kindDuration, span: span}
}

// wordColumn makes a column of words from a fixed list; "" is absent.
func wordColumn(name string, word func(*Row) string) recordColumn {
	return recordColumn{name: name, kind: kindWord, string: word}
}

// textColumn makes a column of text that must be escaped; "" is absent.
func textColumn(name string, text func(*Row) string) recordColumn {
	return recordColumn{name: name, kind: kindText, string: text}
}

// flagColumn makes a column of booleans.
func flagColumn(name string, flag func(*Row) (value, known bool)) recordColumn {
	return recordColumn{name: name, kind: kindBoolean, flag: flag}
}
