package report

import "bytes"

// narrowest is the least width of a line that is kept to.
const narrowest = 40

// wholeEndpoints is the width of a line from which on addresses are never cut: both
// ends of the longest IPv6 connection have room in it.
const wholeEndpoints = 100

// A line is the cells of the connection being written.
type line struct {
	grid  grid
	text  []byte // all cells, one after the other
	parts []part // by column
	tight bool   // the places of missing cells are given away
}

// A part is a cell's place in the text, and how many terminal cells it takes: none
// when the line goes without it.
type part struct{ from, to, width int }

func isEndpoint(c *lineCell) bool { return c.name == "client" || c.name == "server" }

func isOutcome(c *lineCell) bool { return c.name == "outcome" }

// fit makes the line fit the width: long texts are cut first, then the columns that
// are needed least are left out. Addresses are cut only on a narrow terminal, and
// then the outcome stays whole; on a wide one it is the other way round.
func (w *lineWriter) fit() {
	width := max(w.width, narrowest)
	w.line.tight = false
	if w.widthOfLine() <= width {
		return
	}
	for i := range w.cells {
		if c := &w.cells[i]; c.name == "service" || c.name == "process" || c.name == "flags" {
			w.cut(i, c.width)
		}
	}
	keep := 0
	if width < wholeEndpoints {
		keep = rankArrow
	}
	for !w.fits(width) {
		last := -1
		for i := range w.cells {
			if rank := w.cells[i].rank; w.line.parts[i].width > 0 && rank > keep && (last < 0 || rank >= w.cells[last].rank) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		w.line.parts[last].width = 0
	}
	yields := isEndpoint
	if width >= wholeEndpoints {
		yields = isOutcome
	}
	for !w.fits(width) {
		longest := -1
		for i := range w.cells {
			if yields(&w.cells[i]) && (longest < 0 || w.line.parts[i].width > w.line.parts[longest].width) {
				longest = i
			}
		}
		if w.line.parts[longest].width == 1 {
			break
		}
		w.line.parts[longest].width--
	}
	for i := range w.cells {
		if yields(&w.cells[i]) {
			w.cut(i, w.line.parts[i].width)
		}
	}
}

// fits reports whether the line has room in width, if need be out of place.
func (w *lineWriter) fits(width int) bool {
	for _, w.line.tight = range [...]bool{false, true} {
		if w.widthOfLine() <= width {
			return true
		}
	}
	return false
}

// widthOfLine is how many cells the line takes, laid out as the grid does it.
func (w *lineWriter) widthOfLine() int {
	width, place := 0, 0
	for i := range w.cells {
		c, p := &w.cells[i], &w.line.parts[i]
		if p.width > 0 {
			if width > 0 {
				width++
			}
			width = max(width, place)
			if c.right {
				width = max(width, place+c.width-p.width)
			}
			width += p.width
		} else if w.line.tight {
			continue
		}
		place += c.width + 1
	}
	return width
}

// cut shortens a cell to width; an endpoint's port stays.
func (w *lineWriter) cut(i, width int) {
	p := &w.line.parts[i]
	text := w.line.text[p.from:p.to]
	if widthOf(text) <= width {
		return
	}
	mark := "…"
	if w.ascii {
		mark = ".."
	}
	tail := ""
	if isEndpoint(&w.cells[i]) {
		if at := bytes.LastIndexByte(text, ']'); at >= 0 {
			tail = string(text[at:])
		} else if at := bytes.IndexByte(text, ':'); at >= 0 && at == bytes.LastIndexByte(text, ':') {
			tail = string(text[at:])
		}
	}
	if len(tail) >= width {
		tail = ""
	}
	short := shorten(string(text[:len(text)-len(tail)]), width-len(tail), mark) + tail
	*p = part{from: len(w.line.text), width: textWidth(short)}
	w.line.text = append(w.line.text, short...)
	p.to = len(w.line.text)
}
