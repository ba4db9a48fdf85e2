package report

import (
	"io"
	"slices"
)

// An output collects what a writer appends to buf and hands it on in large
// pieces, so that a row costs no allocation and no call. Its first error stays.
type output struct {
	w   io.Writer
	buf []byte
	err error
}

// pieceSize is from how many bytes on the output is written, between rows.
const pieceSize = 32 << 10

// row ends a row: it writes buf when that is large enough.
func (o *output) row() error {
	if len(o.buf) >= pieceSize {
		return o.Flush()
	}
	return o.err
}

// Flush writes what has been collected.
func (o *output) Flush() error {
	if o.err == nil && len(o.buf) > 0 {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
	return o.err
}

// roomFor is the room that a row of so many columns takes when all of them are
// numbers: for each its key, its digits and a separator, and the end of the row.
func roomFor(columns int) int { return columns*(keySize+1+maxDigits+1) + 2 }

// withRoom is b up to its capacity, with room for n bytes behind what was in it.
// Writing there needs no further look at the capacity.
func withRoom(b []byte, n int) []byte {
	if cap(b)-len(b) < n {
		b = slices.Grow(b, n)
	}
	return b[:cap(b)]
}
