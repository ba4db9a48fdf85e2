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
	fields  []field
	unowned int // how many of them a row without processes has at most
	room    int // that a row takes apart from its text
	context context
	scratch []byte
}

// A field is a column and what stands before its values.
type field struct {
	recordColumn
	key    [keySize]byte // `,"name":` and the quote or bracket that opens the value
	keyLen int
}

// keySize is what copies in a few instructions, without asking for the length.
const keySize = 32

// putKey writes the field's key at b[at:], and returns where it ends. There must be
// room for keySize.
func (f *field) putKey(b []byte, at int) int {
	*(*[keySize]byte)(b[at:]) = f.key
	return at + f.keyLen
}

func newObjectEncoder(x context, chosen []recordColumn) objectEncoder {
	e := objectEncoder{fields: make([]field, len(chosen)), unowned: unowned(chosen), room: roomFor(len(chosen)), context: x}
	for i, c := range chosen {
		key := `,"` + c.name + `":`
		switch c.kind {
		case kindWord, kindText:
			key += `"`
		case kindWords:
			key += `["`
		case kindNumbers:
			key += `[`
		}
		e.fields[i] = field{recordColumn: c, keyLen: len(key)}
		copy(e.fields[i].key[:], key)
	}
	return e
}

// append appends r as an object.
func (e *objectEncoder) append(b []byte, r *Row) []byte {
	start := len(b)
	b, n := withRoom(b, e.room), start
	fields := e.fields
	if !r.hasOwner() {
		fields = fields[:e.unowned]
	}
	for i := range fields {
		f := &fields[i]
		switch {
		case f.count != nil:
			if v, ok := f.count(r); ok {
				n = putUint(b, f.putKey(b, n), v)
			}
		case f.span != nil:
			if d := f.span(r); d != flow.NoDuration {
				n = putInt(b, f.putKey(b, n), int64(d))
			}
		case f.flag != nil:
			if v, ok := f.flag(r); ok {
				n = putBool(b, f.putKey(b, n), v)
			}
		case f.string != nil:
			s := f.string(r)
			if s == "" {
				continue
			}
			n = f.putKey(b, n)
			if f.kind != kindText || isPlainJSON(s) {
				b = withRoom(b[:n], len(s)+e.room)
				n += copy(b[n:], s)
			} else {
				text := appendJSONText(b[:n], s)
				b, n = withRoom(text, e.room), len(text)
			}
			b[n] = '"'
			n++
		default:
			other := e.appendOther(b, n, f, r)
			b, n = withRoom(other, e.room), len(other)
		}
	}
	if n == start {
		n++ // nothing is known
	}
	b[start] = '{' // instead of the first key's comma
	b[n] = '}'
	return b[:n+1]
}

// appendOther appends key and value of a column with a way of its own to b[:at], and
// nothing when the value is not known. Behind at b has room for a key.
func (e *objectEncoder) appendOther(b []byte, at int, f *field, r *Row) []byte {
	value := f.putKey(b, at)
	b, ok := f.other(b[:value], r, &e.context)
	if !ok {
		return b[:at]
	}
	switch f.kind {
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
func isPlainJSON[T string | []byte](s T) bool { return classesOf(s)&(classEscaped|classJSON) == 0 }

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
