package ladder

import (
	"fmt"
	"math"

	"sockscope/report/words"
)

// A Drawing is a conversation's ladder as shapes: rows from the top to the bottom, each with
// all that belongs to one step. Units are those of the svg's viewBox: a pixel on a screen
// that shows it at its own size. What a row has lies within it, so a page may end between any
// two rows.
type Drawing struct {
	Width, Height int
	Lifelines     [2]int // where the client's and the server's are
	Rows          []Row
	Scale         Scale
}

// A Row is a slice of the ladder.
type Row struct {
	Kind        RowKind
	Step        int // index into the Conversation's Steps of Steps; else -1
	Top, Bottom int
	Y           int     // of the row's moment on the axis of time: Calls and Steps
	Hit         Box     // where a pointer means the step
	Spacing     Spacing // how the distance from the moment before it is to be read

	Texts []Text
	Arrow *Arrow
	Band  *Box // of a folded phase
	Lines []Line
	Bars  []Bar
}

// A RowKind is what a row shows.
type RowKind uint8

const (
	Heads   RowKind = iota // who the lifelines are
	Before                 // what was before the first step
	Steps                  // a step
	Calls                  // a system call that was seen
	Silence                // time that is left out
	After                  // where the lifelines end
	Legend                 // how the axis of time is to be read
)

// A Spacing is how a distance on the axis of time is to be read.
type Spacing uint8

const (
	Untimed Spacing = iota // there is no moment before it, or one of the two is not known
	ToScale
	Spread // less time than the distance says: what stands there needs the room
	Broken // more time: a Silence is between them
)

// String is the axis' class.
func (s Spacing) String() string { return [...]string{"untimed", "to-scale", "spread", "broken"}[s] }

// A Text is one line of text.
type Text struct {
	X, Y   int    // of its anchor, on the baseline
	Anchor string // start, middle or end
	Class  string
	Size   int // of the font
	Text   string
}

// A Box is a rectangle.
type Box struct{ Left, Top, Right, Bottom int }

// Width and Height are its size.
func (b Box) Width() int  { return b.Right - b.Left }
func (b Box) Height() int { return b.Bottom - b.Top }

// Overlaps reports whether both have a point in common that is on no edge.
func (b Box) Overlaps(c Box) bool {
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
func (t *Text) Box() Box {
	w := widthOf(t.Text, t.Size)
	left := t.X
	switch t.Anchor {
	case "middle":
		left -= w / 2
	case "end":
		left -= w
	}
	return Box{left, t.Y - ascent(t.Size), left + w, t.Y + t.Size - ascent(t.Size)}
}

// ascent is how far a text of a size goes above its baseline; the rest of its size is below.
func ascent(size int) int { return size - size/4 }

// A Line is a straight line.
type Line struct {
	X1, Y1, X2, Y2 int
	Class          string
}

// A Bar is a stretch of a lifeline in one state.
type Bar struct {
	X, Top, Bottom int // X is its middle
	State          string
	Class          string
}

// Left is where it begins. Reach is how long it is drawn: a little longer than it is, so that
// between two strips of a page no light falls through.
func (b *Bar) Left() int  { return b.X - barWidth/2 }
func (b *Bar) Reach() int { return b.Bottom - b.Top + 1 }

// An Arrow goes from one lifeline to the other, or from a router between them to one. It
// falls a little, so that sending and receiving have each a place for what they change. That
// is no measure of time: a capture knows one time of each frame.
type Arrow struct {
	X1, Y1, X2, Y2 int
	Class          string
	Router         bool // it starts at a router
	Cross          bool // it ends the connection
}

// Head is the corners of its head, as svg has them.
func (a *Arrow) Head() [3][2]int {
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
func (a *Arrow) CrossPath() string {
	x, y, r := a.X2, a.Y2, 7
	if a.X1 < a.X2 {
		x += barWidth / 2
	} else {
		x -= barWidth / 2
	}
	return fmt.Sprintf("M%d %dL%d %dM%d %dL%d %d", x-r, y-r, x+r, y+r, x+r, y-r, x-r, y+r)
}
