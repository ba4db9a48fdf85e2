package bits

import (
	"encoding/hex"
	"fmt"
	"iter"
	"strings"
)

// rowBits is how many bits a row of a drawing has, and rowWidth the columns that they take:
// one for each bit, and one for each edge.
const (
	rowBits  = 32
	rowWidth = 2*rowBits + 1
	margin   = 6 // for the offset before each row
)

// A cell is the part of a field that lies in one row.
type cell struct {
	field      *Field
	index      int // of the field in its header
	row        int
	from, bits int  // within the row
	first      bool // the name and value stand here
}

// cells are a header's fields, cut into rows. A field's name and value stand in the first of
// its cells that is the widest.
func cells(h *Header) (rows [][]cell) {
	for i := range h.Fields {
		f := &h.Fields[i]
		named, at, end := (*cell)(nil), f.At, f.At+f.Bits
		for at < end {
			row := at / rowBits
			n := min(end, (row+1)*rowBits) - at
			for len(rows) <= row {
				rows = append(rows, nil)
			}
			rows[row] = append(rows[row], cell{field: f, index: i, row: row, from: at % rowBits, bits: n})
			at += n
		}
		for row := f.At / rowBits; row <= (end-1)/rowBits; row++ {
			for j := range rows[row] {
				if c := &rows[row][j]; c.index == i && (named == nil || c.bits > named.bits) {
					named = c
				}
			}
		}
		if named != nil {
			named.first = true
		}
	}
	return rows
}

// width is how many columns there are between the edges of a cell.
func (c *cell) width() int { return 2*c.bits - 1 }

// draw draws a header: a ruler, then rows with the offset of their first byte before and
// their bytes behind. cut stands for the value of a field that is not whole.
func draw(h *Header, cut string) (lines []string) {
	lines = append(lines, ruler(h)...)
	var above []cell
	for row, skipped := range visible(cells(h)) {
		lines = append(lines, strings.Repeat(" ", margin)+edge(above, row))
		lines = append(lines, drawRow(h, row, cut)...)
		if skipped > 0 {
			lines = append(lines, fmt.Sprintf("%*s%s", margin, "", center(fmt.Sprintf(": %d x 4 :", skipped), rowWidth)))
		}
		above = row
	}
	if above != nil {
		lines = append(lines, strings.Repeat(" ", margin)+edge(above, nil))
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

// visible are the rows that say something, each with the number of those behind it that
// hold nothing but the middle of the same field, and are left out.
func visible(rows [][]cell) iter.Seq2[[]cell, int] {
	const few = 5 // are not left out
	return func(yield func([]cell, int) bool) {
		for i := 0; i < len(rows); i++ {
			n := 0
			if whole(rows, i, rows[i][0].index) {
				for whole(rows, i+n+2, rows[i][0].index) {
					n++
				}
			}
			if n < few {
				n = 0
			}
			if !yield(rows[i], n) {
				return
			}
			i += n
		}
	}
}

// whole reports whether row i is there and one field fills it.
func whole(rows [][]cell, i, field int) bool {
	return i < len(rows) && len(rows[i]) == 1 && rows[i][0].bits == rowBits && rows[i][0].index == field
}

// ruler numbers the bits of a header's rows.
func ruler(h *Header) []string {
	n := min(rowBits, h.Length*8)
	tens, ones := make([]byte, 2*n), make([]byte, 2*n)
	for i := range n {
		tens[2*i], ones[2*i] = ' ', byte('0'+i%10)
		tens[2*i+1], ones[2*i+1] = ' ', ' '
		if i%10 == 0 {
			tens[2*i] = byte('0' + i/10)
		}
	}
	before := strings.Repeat(" ", margin+1)
	return []string{before + string(tens), before + string(ones)}
}

// edge is the line between two rows; nil is above the first or below the last. It is open
// where a field goes on.
func edge(upper, lower []cell) string {
	line := []byte(strings.Repeat(" ", rowWidth))
	rule := func(c *cell) {
		for i := 2 * c.from; i <= 2*(c.from+c.bits); i++ {
			if line[i] = '+'; i%2 == 1 {
				line[i] = '-'
			}
		}
	}
	for _, side := range [][]cell{upper, lower} {
		for i := range side {
			rule(&side[i])
		}
	}
	for i := range upper {
		for j := range lower {
			u, l := &upper[i], &lower[j]
			if u.index != l.index {
				continue
			}
			from, to := max(u.from, l.from), min(u.from+u.bits, l.from+l.bits)
			for k := 2*from + 1; k < 2*to; k++ {
				line[k] = ' '
			}
		}
	}
	return string(line)
}

// drawRow draws the names and values of a row.
func drawRow(h *Header, row []cell, cut string) []string {
	names, height := make([][]string, len(row)), 0
	for i := range row {
		if row[i].first {
			names[i] = label(row[i].field.Label, row[i].width())
		}
		height = max(height, len(names[i]))
	}
	lines := make([][]byte, height+1) // the values are below the names
	if height == 0 {
		lines = make([][]byte, 1)
	}
	for y := range lines {
		lines[y] = []byte(strings.Repeat(" ", rowWidth))
	}
	put := func(y, column int, text string) { copy(lines[y][column:], text) }
	for i := range row {
		c := &row[i]
		for y := range lines {
			put(y, 2*c.from, "|")
			put(y, 2*(c.from+c.bits), "|")
		}
		if !c.first {
			continue
		}
		top := (height - len(names[i])) / 2
		for y, name := range names[i] {
			put(top+y, 2*c.from+1, center(name, c.width()))
		}
		put(height, 2*c.from+1, center(shown(c.field, c.width(), cut), c.width()))
	}
	start := h.Offset + row[0].row*rowBits/8
	end := start + (row[len(row)-1].from+row[len(row)-1].bits+7)/8
	drawn := make([]string, len(lines))
	for y, line := range lines {
		drawn[y] = strings.Repeat(" ", margin) + string(line)
	}
	offset := fmt.Sprintf("%*d ", margin-1, start)
	if len(offset) > margin {
		offset = offset[:margin]
	}
	drawn[0] = offset + string(lines[0]) + " " + hex.EncodeToString(h.data[start-h.Offset:end-h.Offset])
	return drawn
}

// label is a name in lines of a width, letters below each other where there is one column.
func label(name string, width int) []string {
	var lines []string
	if width == 1 {
		return strings.Split(name, "")
	}
	line := ""
	for _, word := range strings.Fields(name) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
		if len(line) > width { // a field that was cut is narrower than its name
			line = line[:width]
		}
	}
	return append(lines, line)
}

// shown is a field's value as it fits into a width.
func shown(f *Field, width int, cut string) string {
	switch {
	case f.Cut && len(cut) <= width:
		return cut
	case f.Cut:
		return strings.Repeat("~", width)
	case len(f.Value) <= width:
		return f.Value
	case len(f.Short) <= width:
		return f.Short
	case width > 8:
		return f.Short[:width-2] + ".."
	}
	return strings.Repeat("*", width)
}

// center puts spaces before and behind text.
func center(text string, width int) string {
	left := max(0, (width-len(text))/2)
	return fmt.Sprintf("%*s%-*s", left, "", width-left, text)
}
