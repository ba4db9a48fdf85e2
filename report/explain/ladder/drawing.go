package ladder

import (
	"fmt"
	"math"

	"sockscope/report/words"
)

// A drawing is a conversation's ladder as shapes: rows from the top to the bottom, each with
// all that belongs to one step. Units are those of the svg's viewBox: a pixel on a screen
// that shows it at its own size. What a row has lies within it, so a page may end between any
// two rows.
type drawing struct {
	Width, Height int
	Lifelines     [2]int // where the client's and the server's are
	Rows          []row
	Scale         scale
}

// A row is a slice of the ladder.
type row struct {
	Kind        rowKind
	Step        int // index into the Conversation's Steps; -1 in rows of other kinds
	Top, Bottom int
	Y           int       // of the row's moment on the axis of time: rowCall and rowStep
	Hit         rectangle // where a pointer means the step
	Spacing     spacing   // how the distance from the moment before it is to be read

	Texts []textLine
	Arrow *arrow
	Band  *rectangle // of a folded phase
	Lines []stroke
	Bars  []stretch
}

// timed reports whether the row has a moment.
func (r *row) timed() bool { return r.Kind == rowStep || r.Kind == rowCall }

// A rowKind is what a row shows.
type rowKind uint8

const (
	rowHeads   rowKind = iota // who the lifelines are
	rowBefore                 // what was before the first step
	rowStep                   // a step
	rowCall                   // a system call that was seen
	rowSilence                // time that is left out
	rowAfter                  // where the lifelines end
	rowLegend                 // how the axis of time is to be read
)

// A spacing is how a distance on the axis of time is to be read.
type spacing uint8

const (
	untimed spacing = iota // there is no moment before it, or one of the two is not known
	toScale
	spread // less time than the distance says: what stands there needs the room
	broken // more time: a rowSilence is between them
)

// String is the axis' class.
func (s spacing) String() string { return [...]string{"untimed", "to-scale", "spread", "broken"}[s] }

// A textLine is one line of text.
type textLine struct {
	X, Y   int    // of its anchor, on the baseline
	Anchor string // start, middle or end
	Class  string
	Size   int // of the font
	Text   string
}

// A rectangle has its sides parallel to the axes.
type rectangle struct{ Left, Top, Right, Bottom int }

// Width and Height are its size.
func (b rectangle) Width() int  { return b.Right - b.Left }
func (b rectangle) Height() int { return b.Bottom - b.Top }

// Overlaps reports whether both have a point in common that is on no edge.
func (b rectangle) Overlaps(c rectangle) bool {
	return b.Left < c.Right && c.Left < b.Right && b.Top < c.Bottom && c.Top < b.Bottom
}

// advance is how wide a column of text is, in font sizes: no font that the style sheet
// names has wider ones.
const advance = 0.605

// widthOf is how wide a text of a size is at most.
func widthOf(s string, size int) int {
	return int(math.Ceil(float64(words.Width(s)) * float64(size) * advance))
}

// columns is how many columns of a size there are in a width.
func columns(width, size int) int { return int(float64(width) / (float64(size) * advance)) }

// Box is what the text takes.
func (t *textLine) Box() rectangle {
	w := widthOf(t.Text, t.Size)
	left := t.X
	switch t.Anchor {
	case "middle":
		left -= w / 2
	case "end":
		left -= w
	}
	return rectangle{left, t.Y - ascent(t.Size), left + w, t.Y + t.Size - ascent(t.Size)}
}

// ascent is how far a text of a size goes above its baseline; the rest of its size is below.
func ascent(size int) int { return size - size/4 }

// A stroke is a straight line.
type stroke struct {
	X1, Y1, X2, Y2 int
	Class          string
}

// A stretch is a stretch of a lifeline in one state.
type stretch struct {
	X, Top, Bottom int // X is its middle
	State          string
	Class          string
}

// Left is where it begins. Reach is how long it is drawn: a little longer than it is, so that
// between two strips of a page no light falls through.
func (b *stretch) Left() int  { return b.X - barWidth/2 }
func (b *stretch) Reach() int { return b.Bottom - b.Top + 1 }

// An arrow goes from one lifeline to the other, or from a router between them to one. It
// falls a little, so that sending and receiving have each a place for what they change. That
// is no measure of time: a capture knows one time of each frame.
type arrow struct {
	X1, Y1, X2, Y2 int
	Class          string
	Router         bool // it starts at a router
	Cross          bool // it ends the connection
}

// Head is the corners of its head, as svg has them.
func (a *arrow) Head() [3][2]int {
	const length, half = 11, 5
	dx, dy := float64(a.X2-a.X1), float64(a.Y2-a.Y1)
	n := math.Hypot(dx, dy)
	dx, dy = dx/n, dy/n
	at := func(back, side float64) [2]int {
		return [2]int{a.X2 + int(math.Round(-back*dx-side*dy)), a.Y2 + int(math.Round(-back*dy+side*dx))}
	}
	return [3][2]int{{a.X2, a.Y2}, at(length, half), at(length, -half)}
}

// CrossPath is a cross where it ends, as svg has paths.
func (a *arrow) CrossPath() string {
	x, y, r := a.X2, a.Y2, 7
	if a.X1 < a.X2 {
		x += barWidth / 2
	} else {
		x -= barWidth / 2
	}
	return fmt.Sprintf("M%d %dL%d %dM%d %dL%d %d", x-r, y-r, x+r, y+r, x+r, y-r, x-r, y+r)
}
