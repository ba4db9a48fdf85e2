package report

import "io"

// WriteCSV writes the whole of s as one long table in CSV (RFC 4180, but lines end
// in a newline alone): a line for each value, with the columns
//
//	section  the part of the Summary: capture, total, ranges, services, ledger, …
//	key      which line of that part, from 1; of connections their id; else empty
//	metric   the value's name, with those it lies in: outcomes.refused, setup.p50_ns
//	value    the value; lists have semicolons between their elements
//
// Names and values are those of the JSON document. Tables by section are a pivot
// away; no column moves when a figure is added. What is not known has no line. Text
// is escaped as in all formats; before what a spreadsheet would take for a formula,
// and before an apostrophe, stands an apostrophe.
func WriteCSV(w io.Writer, s *Summary) error {
	out := output{w: w}
	out.buf = append(out.buf, "section,key,metric,value\n"...)
	for p, value := range newDocument(s).values() {
		out.buf = appendCSVStart(out.buf, p)
		out.buf = appendCSVValue(out.buf, value)
		out.buf = append(out.buf, '\n')
		if err := out.row(); err != nil {
			return err
		}
	}
	x := context{interfaces: s.Interfaces}
	var scratch []byte
	for i := range s.Connections {
		r := &s.Connections[i]
		id := string(appendUint(nil, r.ID))
		for j := range vocabulary {
			c := &vocabulary[j]
			value, ok := c.append(scratch[:0], r, &x)
			scratch = value
			if !ok {
				continue
			}
			out.buf = appendCSVStart(out.buf, path{"connections", id, c.name})
			if c.kind == kindText {
				out.buf = appendCSVText(out.buf, value)
			} else {
				out.buf = append(out.buf, value...)
			}
			out.buf = append(out.buf, '\n')
		}
		if err := out.row(); err != nil {
			return err
		}
	}
	return out.Flush()
}

// appendCSVStart appends the columns before the value.
func appendCSVStart(b []byte, p path) []byte {
	for _, s := range [...]string{p.section, p.key, p.name} {
		b = append(appendCSVText(b, s), ',')
	}
	return b
}

// appendCSVValue appends a value of a document.
func appendCSVValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendCSVText(b, v)
	case []string:
		return appendCSVText(b, appendList(nil, v, func(b []byte, s string) []byte { return append(b, s...) }))
	case []uint64:
		return appendList(b, v, appendUint)
	}
	return appendScalar(b, value)
}

// appendList appends values with listSeparator between them.
func appendList[T any](b []byte, values []T, value func([]byte, T) []byte) []byte {
	for i, v := range values {
		if i > 0 {
			b = append(b, listSeparator)
		}
		b = value(b, v)
	}
	return b
}
