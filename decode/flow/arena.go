package flow

// An arena holds values by number in chunks that never move.
type arena[T any] struct {
	chunks []*[chunkLen]T
	n      int
}

const (
	chunkBits = 11
	chunkLen  = 1 << chunkBits
)

// add appends a zero value.
func (a *arena[T]) add() (uint32, *T) {
	if a.n>>chunkBits == len(a.chunks) {
		a.chunks = append(a.chunks, new([chunkLen]T))
	}
	n := uint32(a.n)
	a.n++
	return n, a.at(n)
}

// at is the value with number n.
func (a *arena[T]) at(n uint32) *T { return &a.chunks[n>>chunkBits][n&(chunkLen-1)] }
