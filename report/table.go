package report

import "strings"

// gap is between two columns of a table, in cells.
const gap = 2

// A tableColumn is one column of a text table.
type tableColumn struct {
	title string
	right bool // aligned: numbers

	// rank says how much the column is needed: 0 always, otherwise those with the
	// highest rank go first when the table does not fit.
	rank int

	// narrowest is to how many cells the column's texts may be shortened to keep
	// other columns; 0 means never, as for numbers.
	narrowest int
}

// A cell is a text in a table. Tail is its end that stays when it is shortened: an
// endpoint without its port would be another one.
type cell struct {
	text, tail string
	colour     colour
}

// A table is laid out in a given width: columns that do not fit are shortened, then
// left out. A line is never wrapped and a number never cut.
type table struct {
	columns []tableColumn
	rows    [][]cell
}

// add appends a row.
func (t *table) add(row ...cell) { t.rows = append(t.rows, row) }

// write lays the table out, indented.
func (p *printer) table(t *table, indent int) {
	t = p.clean(t)
	widths := t.fit(p.width - indent)
	p.row(t.titles(), t, widths, indent, true)
	for _, r := range t.rows {
		p.row(r, t, widths, indent, false)
	}
}

// clean makes the table's texts safe to print.
func (p *printer) clean(t *table) *table {
	c := &table{columns: make([]tableColumn, len(t.columns)), rows: make([][]cell, len(t.rows))}
	for i, col := range t.columns {
		col.title = p.text(col.title)
		c.columns[i] = col
	}
	for i, r := range t.rows {
		c.rows[i] = make([]cell, len(r))
		for j, x := range r {
			c.rows[i][j] = cell{text: p.text(x.text), tail: p.text(x.tail), colour: x.colour}
		}
	}
	return c
}

func (t *table) titles() []cell {
	titles := make([]cell, len(t.columns))
	for i, c := range t.columns {
		titles[i].text = c.title
	}
	return titles
}

// fit chooses the columns' widths; 0 leaves a column out. A column without any
// content is left out, too.
func (t *table) fit(width int) []int {
	widths := make([]int, len(t.columns))
	for _, r := range t.rows {
		for i, x := range r {
			widths[i] = max(widths[i], textWidth(x.text)+textWidth(x.tail))
		}
	}
	least := make([]int, len(widths))
	for i, c := range t.columns {
		if widths[i] > 0 || c.rank == 0 {
			widths[i] = max(widths[i], textWidth(c.title))
		}
		least[i] = widths[i]
		if c.narrowest > 0 {
			least[i] = min(widths[i], c.narrowest)
		}
	}
	for total(least) > width {
		last := -1
		for i, c := range t.columns {
			if widths[i] > 0 && c.rank > 0 && (last < 0 || c.rank >= t.columns[last].rank) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		widths[last], least[last] = 0, 0
	}
	t.narrow(widths, least, width)
	return widths
}

// narrow takes cells from the widest shortenable column until the table fits: down
// to what the columns want, and in a very narrow terminal below that.
func (t *table) narrow(widths, least []int, width int) {
	for _, floor := range [...][]int{least, make([]int, len(widths))} {
		for total(widths) > width {
			widest := -1
			for i, c := range t.columns {
				if c.narrowest > 0 && widths[i] > max(1, floor[i]) && (widest < 0 || widths[i] > widths[widest]) {
					widest = i
				}
			}
			if widest < 0 {
				break
			}
			widths[widest]--
		}
	}
}

// total is the width of a table's line.
func total(widths []int) int {
	sum := -gap
	for _, w := range widths {
		if w > 0 {
			sum += w + gap
		}
	}
	return max(0, sum)
}

// row prints one line of the table, without blanks at its end.
func (p *printer) row(r []cell, t *table, widths []int, indent int, title bool) {
	var line strings.Builder
	pending := indent
	for i, x := range r {
		w := widths[i]
		if w == 0 {
			continue
		}
		text := x.text + x.tail
		if textWidth(text) > w {
			text = shorten(x.text, max(0, w-textWidth(x.tail)), p.mark) + x.tail
			if textWidth(text) > w {
				text = shorten(text, w, p.mark)
			}
		}
		blank := w - textWidth(text)
		if t.columns[i].right {
			pending += blank
		}
		line.WriteString(strings.Repeat(" ", pending))
		colour := x.colour
		if title {
			colour = faint
		}
		line.WriteString(p.paint(colour, text))
		pending = gap
		if !t.columns[i].right {
			pending += blank
		}
	}
	p.line(strings.TrimRight(line.String(), " "))
}
