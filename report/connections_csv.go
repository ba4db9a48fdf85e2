package report

import "sockscope/decode/flow"

// A csvWriter writes rows as CSV (RFC 4180, but lines end in a newline alone): a
// header line with the columns' names, then one line for each row. What is not
// known is empty, lists have semicolons between their elements. Text from the
// wire is escaped as in all formats; where a spreadsheet would take it for a formula,
// an apostrophe stands before it, as also before text that starts with one.
type csvWriter struct {
	output
	columns []recordColumn
	unowned int // how many of them a row without processes has at most
	room    int // that a row takes apart from its text
	context context
	scratch []byte
}

func newCSVWriter(out output, x context, chosen []recordColumn, noHeader bool) *csvWriter {
	w := &csvWriter{output: out, columns: chosen, unowned: unowned(chosen), room: roomFor(len(chosen)), context: x}
	if !noHeader {
		for i, c := range chosen {
			if i > 0 {
				w.buf = append(w.buf, ',')
			}
			w.buf = append(w.buf, c.name...)
		}
		w.buf = append(w.buf, '\n')
	}
	return w
}

// Write writes r.
func (w *csvWriter) Write(r *Row) error {
	n := len(w.buf)
	b := withRoom(w.buf, w.room)
	columns := w.columns
	if !r.hasOwner() {
		columns = columns[:w.unowned]
	}
	for i := range columns {
		c := &columns[i]
		switch {
		case c.count != nil:
			if v, ok := c.count(r); ok {
				n = putUint(b, n, v)
			}
		case c.span != nil:
			if d := c.span(r); d != flow.NoDuration {
				n = putInt(b, n, int64(d))
			}
		case c.flag != nil:
			if v, ok := c.flag(r); ok {
				n = putBool(b, n, v)
			}
		case c.string != nil:
			s := c.string(r)
			if c.kind != kindText || isPlainCSV(s) {
				b = withRoom(b[:n], len(s)+w.room)
				n += copy(b[n:], s)
			} else {
				text := appendCSVText(b[:n], s)
				b, n = withRoom(text, w.room), len(text)
			}
		default:
			other := w.appendOther(b[:n], c, r)
			b, n = withRoom(other, w.room), len(other)
		}
		b[n] = ','
		n++
	}
	for range len(w.columns) - len(columns) {
		b[n] = ','
		n++
	}
	b[n-1] = '\n' // instead of the last comma
	w.buf = b[:n]
	return w.row()
}

// appendOther appends the value of a column with a way of its own, and nothing when
// it is not known.
func (w *csvWriter) appendOther(b []byte, c *recordColumn, r *Row) []byte {
	value, ok := c.other(b, r, &w.context)
	if !ok {
		return b
	}
	if c.kind == kindText && !isPlainCSV(value[len(b):]) {
		w.scratch = append(w.scratch[:0], value[len(b):]...)
		return appendCSVText(b, w.scratch)
	}
	return value
}

// Close flushes.
func (w *csvWriter) Close() error { return w.Flush() }

// isPlainCSV reports whether appendCSVText leaves s as it is.
func isPlainCSV[T string | []byte](s T) bool {
	return classesOf(s)&(classEscaped|classCSV) == 0 && !startsFormula(s)
}

// appendCSVText appends escapeCell(s), quoted where CSV asks for it.
func appendCSVText[T string | []byte](b []byte, s T) []byte {
	start := len(b)
	if startsFormula(s) {
		b = append(b, '\'')
	}
	b = appendEscaped(b, s)
	quotes, quoted := 0, false
	for _, c := range b[start:] {
		switch c {
		case '"':
			quotes++
			quoted = true
		case ',', ' ':
			quoted = true // blanks: readers that trim cells leave quoted ones alone
		}
	}
	if !quoted {
		return b
	}
	from := len(b) - 1
	for range quotes + 2 {
		b = append(b, 0)
	}
	b[len(b)-1] = '"'
	for to := len(b) - 2; to > start; from-- { // backwards, in place
		c := b[from]
		b[to] = c
		to--
		if c == '"' {
			b[to] = '"'
			to--
		}
	}
	b[start] = '"'
	return b
}
