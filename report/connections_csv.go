package report

// A csvWriter writes rows as CSV (RFC 4180, but lines end in a newline alone): a
// header line with the columns' names, then one line for each row. What is not
// known is empty, lists have semicolons between their elements. Text from the
// wire is escaped as in all formats; where a spreadsheet would take it for a formula,
// an apostrophe stands before it, as also before text that starts with one.
type csvWriter struct {
	output
	columns []recordColumn
	unowned int // how many of them a row without processes has at most
	context context
	scratch []byte
}

func newCSVWriter(out output, x context, chosen []recordColumn, noHeader bool) *csvWriter {
	w := &csvWriter{output: out, columns: chosen, unowned: unowned(chosen), context: x}
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
	b, columns := w.buf, w.columns
	if !r.hasOwner() {
		columns = columns[:w.unowned]
	}
	for i := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		c := &columns[i]
		start := len(b)
		var ok bool
		if b, ok = c.append(b, r, &w.context); ok && c.kind == kindText {
			w.scratch = append(w.scratch[:0], b[start:]...)
			b = appendCSVText(b[:start], w.scratch)
		}
	}
	for i := len(columns); i < len(w.columns); i++ {
		if i > 0 {
			b = append(b, ',')
		}
	}
	w.buf = append(b, '\n')
	return w.row()
}

// Close flushes.
func (w *csvWriter) Close() error { return w.Flush() }

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
