package report

import "sockscope/decode/flow"

// An ndjsonWriter writes one JSON object (RFC 8259) for each row and line. What is
// not known is left out. Integers have all their digits, also beyond 2^53, where
// readers that know only doubles (jq 1.6, JavaScript) round them. Text is escaped
// as in all formats, so that a value printed raw is safe.
type ndjsonWriter struct {
	output
	object objectEncoder
}

func newNDJSONWriter(out output, x context, chosen []recordColumn) *ndjsonWriter {
	return &ndjsonWriter{output: out, object: newObjectEncoder(x, chosen)}
}

// Write writes r.
func (w *ndjsonWriter) Write(r *Row) error {
	w.buf = append(w.object.append(w.buf, r), '\n')
	return w.row()
}

// Close flushes.
func (w *ndjsonWriter) Close() error { return w.Flush() }

// An objectEncoder writes rows as JSON objects.
type objectEncoder struct {
	columns []recordColumn
	unowned int      // how many of them a row without processes has at most
	keys    []string // of each column: `,"name":` and the quotes or brackets that open its values
	context context
	scratch []byte
}

func newObjectEncoder(x context, chosen []recordColumn) objectEncoder {
	e := objectEncoder{columns: chosen, unowned: unowned(chosen), keys: make([]string, len(chosen)), context: x}
	for i, c := range chosen {
		opening := ""
		switch c.kind {
		case kindWord, kindText:
			opening = `"`
		case kindWords:
			opening = `["`
		case kindNumbers:
			opening = `[`
		}
		e.keys[i] = `,"` + c.name + `":` + opening
	}
	return e
}

// append appends r as an object.
func (e *objectEncoder) append(b []byte, r *Row) []byte {
	start, columns := len(b), e.columns
	if !r.hasOwner() {
		columns = columns[:e.unowned]
	}
	for i := range columns {
		c, key := &columns[i], e.keys[i]
		switch {
		case c.count != nil:
			if n, ok := c.count(r); ok {
				b = appendUint(append(b, key...), n)
			}
		case c.span != nil:
			if d := c.span(r); d != flow.NoDuration {
				b = appendInt(append(b, key...), int64(d))
			}
		case c.string != nil:
			if s := c.string(r); s != "" {
				b = append(b, key...)
				if c.kind == kindText && !isPlainJSON(s) {
					b = appendJSONText(b, s)
				} else {
					b = append(b, s...)
				}
				b = append(b, '"')
			}
		default:
			b = e.appendOther(b, key, c, r)
		}
	}
	if len(b) == start {
		return append(b, "{}"...)
	}
	b[start] = '{' // instead of the first key's comma
	return append(b, '}')
}

// appendOther appends key and value of a column with a way of its own, and
// nothing when the value is not known.
func (e *objectEncoder) appendOther(b []byte, key string, c *recordColumn, r *Row) []byte {
	before := len(b)
	b = append(b, key...)
	value := len(b)
	b, ok := c.other(b, r, &e.context)
	if !ok {
		return b[:before]
	}
	switch c.kind {
	case kindWord:
		b = append(b, '"')
	case kindText:
		if !isPlainJSON(b[value:]) {
			e.scratch = append(e.scratch[:0], b[value:]...)
			b = appendJSONText(b[:value], e.scratch)
		}
		b = append(b, '"')
	case kindWords:
		e.scratch = append(e.scratch[:0], b[value:]...)
		b = b[:value]
		for _, c := range e.scratch {
			if c == listSeparator {
				b = append(b, `","`...)
			} else {
				b = append(b, c)
			}
		}
		b = append(b, `"]`...)
	case kindNumbers:
		for j := value; j < len(b); j++ {
			if b[j] == listSeparator {
				b[j] = ','
			}
		}
		b = append(b, ']')
	}
	return b
}

// isPlainJSON reports whether s needs no escaping inside a JSON string.
func isPlainJSON[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '\\' || c == '"' {
			return false
		}
	}
	return true
}

// appendJSONText appends EscapeText(s) as the inside of a JSON string: after that
// rule only the quote and the backslash are left to escape, and all is UTF-8.
func appendJSONText[T string | []byte](b []byte, s T) []byte {
	start := len(b)
	b = appendEscaped(b, s)
	special := 0
	for _, c := range b[start:] {
		if c == '"' || c == '\\' {
			special++
		}
	}
	if special == 0 {
		return b
	}
	from := len(b) - 1
	for range special {
		b = append(b, 0)
	}
	for to := len(b) - 1; to > from; from-- { // backwards, in place
		c := b[from]
		b[to] = c
		to--
		if c == '"' || c == '\\' {
			b[to] = '\\'
			to--
		}
	}
	return b
}
