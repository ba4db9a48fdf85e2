package report

import (
	"fmt"
	"io"
	"strconv"
)

// WriteJSON writes the whole of s as one JSON document (RFC 8259): an object with a
// member for each part, every part and every line of a list on a line of its own.
//
// What is not known is left out. Integers have all their digits, also beyond 2^53.
// The connections are objects as in NDJSON. Text is escaped as in all formats
// (EscapeText), so the document is valid UTF-8 whatever the capture holds.
func WriteJSON(w io.Writer, s *Summary) error {
	out := output{w: w}
	out.buf = append(out.buf, '{', '\n')
	for _, sec := range newDocument(s) {
		out.buf = append(appendJSONString(out.buf, sec.name), ':')
		if !sec.list {
			out.buf = appendJSONObject(out.buf, sec.records[0].members)
		} else {
			out.buf = append(out.buf, '[')
			for i, r := range sec.records {
				out.buf = append(out.buf, listStart(i)...)
				out.buf = appendJSONObject(out.buf, r.members)
				if err := out.row(); err != nil {
					return err
				}
			}
			out.buf = append(out.buf, ']')
		}
		out.buf = append(out.buf, ',', '\n')
	}
	out.buf = append(out.buf, `"connections":[`...)
	object := newObjectEncoder(context{interfaces: s.Interfaces}, vocabulary)
	for i := range s.Connections {
		out.buf = append(out.buf, listStart(i)...)
		out.buf = object.append(out.buf, &s.Connections[i])
		if err := out.row(); err != nil {
			return err
		}
	}
	out.buf = append(out.buf, "]\n}\n"...)
	return out.Flush()
}

// listStart stands before element i of a list.
func listStart(i int) string {
	if i == 0 {
		return "\n"
	}
	return ",\n"
}

// appendJSONString appends s as a JSON string.
func appendJSONString(b []byte, s string) []byte {
	return append(appendJSONText(append(b, '"'), s), '"')
}

// appendJSONObject appends members as a JSON object.
func appendJSONObject(b []byte, members []member) []byte {
	b = append(b, '{')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, m.name), ':')
		b = appendJSONValue(b, m.value)
	}
	return append(b, '}')
}

// appendJSONValue appends a member's value.
func appendJSONValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case []member:
		return appendJSONObject(b, v)
	case []record:
		return appendJSONList(b, v, func(b []byte, r record) []byte { return appendJSONObject(b, r.members) })
	case []string:
		return appendJSONList(b, v, appendJSONString)
	case []uint64:
		return appendJSONList(b, v, appendUint)
	case string:
		return appendJSONString(b, v)
	}
	return appendScalar(b, value)
}

// appendJSONList appends values as a JSON array.
func appendJSONList[T any](b []byte, values []T, value func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = value(b, v)
	}
	return append(b, ']')
}

// appendScalar appends a number or a boolean of a document.
func appendScalar(b []byte, value any) []byte {
	switch v := value.(type) {
	case uint64:
		return appendUint(b, v)
	case int64:
		return appendInt(b, v)
	case float64:
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	case bool:
		return strconv.AppendBool(b, v)
	}
	return appendJSONString(b, fmt.Sprint(value)) // no document has other values
}
