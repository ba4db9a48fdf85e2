package report

import "github.com/clipperhouse/displaywidth"

// A grid lays cells out in columns for a stream, where the widest value is not
// known before it comes. Every column has a place in the line; a value too long
// for its column pushes the next ones on only as far as it must, and they are
// back in their places as soon as there is room.
type grid struct {
	buf   []byte
	width int // of the line so far, in terminal cells
	place int // where the next column starts
}

// start begins a line at the end of b.
func (g *grid) start(b []byte) { g.buf, g.width, g.place = b, 0, 0 }

// indent fills the line up to the place of the next column, which is width wide,
// with at least one blank after the one before.
func (g *grid) indent(width int) {
	if g.width > 0 {
		g.space()
	}
	for g.width < g.place {
		g.space()
	}
	g.place += width + 1
}

// skip leaves a column without a cell. Its place is free for the one before it.
func (g *grid) skip(width int) { g.place += width + 1 }

func (g *grid) space() {
	g.buf = append(g.buf, ' ')
	g.width++
}

// left adds a cell that starts at its column's place. s is escaped text; colour is
// an SGR sequence around it, "" for none.
func (g *grid) left(s []byte, width int, colour string) {
	g.indent(width)
	g.add(s, colour)
}

// right adds a cell that ends where its column ends.
func (g *grid) right(s []byte, width int) {
	end := g.place + width
	g.indent(width)
	for w := widthOf(s); g.width+w < end; {
		g.space()
	}
	g.add(s, "")
}

func (g *grid) add(s []byte, colour string) {
	if colour != "" {
		g.buf = append(append(append(g.buf, colour...), s...), colourOff...)
	} else {
		g.buf = append(g.buf, s...)
	}
	g.width += widthOf(s)
}

// widthOf is how many terminal cells escaped text takes.
func widthOf(s []byte) int {
	for _, c := range s {
		if c >= 0x80 {
			return displaywidth.Bytes(s)
		}
	}
	return len(s)
}

// SGR sequences (ECMA-48 §8.3.117).
const (
	colourOff    = "\x1b[0m"
	colourFailed = "\x1b[31m" // red
	colourHeader = "\x1b[1m"  // bold
)
