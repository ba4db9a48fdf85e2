package bits

// A field is one field of a header as its specification has it.
type field struct {
	at, bits int    // from the table's first bit; the leftmost bit of a byte is the most significant
	key      string // of its sentence in the catalogue, behind "bits."
	label    string // as in the specification's drawing
	format   format
	rfc      string // where it is defined; "" where the table is
}

// A table is a header, or a part of one that is always there as a whole, as data: its
// fields follow each other without a gap.
type table struct {
	name   string
	rfc    string // RFC and section, or what stands for it
	fields []field
}

// tables are all that there are.
var tables []*table

// define makes a table and lists it.
func define(name, rfc string, fields ...field) *table {
	t := &table{name, rfc, fields}
	tables = append(tables, t)
	return t
}

// size is t's length in bytes.
func (t *table) size() int {
	last := t.fields[len(t.fields)-1]
	return (last.at + last.bits) / 8
}
