package flow

// An arena holds values by number in chunks that never move.
type arena[T any] struct {
	chunks chunks[T]
	n      int
	free   []uint32 // numbers below n that were given up
}

const (
	chunkBits = 11
	chunkLen  = 1 << chunkBits
)

// add gives a zero value.
func (a *arena[T]) add() (uint32, *T) {
	if len(a.free) > 0 {
		return a.again()
	}
	if a.n>>chunkBits == len(a.chunks) {
		a.chunks.more(true)
	}
	n := uint32(a.n)
	a.n++
	return n, a.at(n)
}

// again gives a value that was given up.
func (a *arena[T]) again() (uint32, *T) {
	last := len(a.free) - 1
	n := a.free[last]
	a.free = a.free[:last]
	return n, a.at(n)
}

// place is 1 + the index of a list that is empty: a free one's, or a new one's.
func place[T any](lists *[][]T, free *[]uint32) uint32 {
	if last := len(*free) - 1; last >= 0 {
		i := (*free)[last]
		*free = (*free)[:last]
		return i
	}
	*lists = append(*lists, nil)
	return uint32(len(*lists))
}

// at is the value with number n.
func (a *arena[T]) at(n uint32) *T { return a.chunks.at(n) }

// drop gives up a value by 1 + its number; 0 is none. Its number will be another's.
func (a *arena[T]) drop(i uint32) {
	if i != 0 {
		var zero T
		*a.at(i - 1) = zero
		a.free = append(a.free, i-1)
	}
}

// chunks are the values that connections have by their own numbers. A chunk is nil when
// connections of its class have no such value.
type chunks[T any] []*[chunkLen]T

// populated is from how many values on those of another chunk are likely to be used all.
const populated = 4 * chunkLen

// newChunk makes the values of a chunk, which are zero. full: all are going to be used.
func newChunk[T any](full bool) *[chunkLen]T {
	chunk := new([chunkLen]T)
	if full {
		populate(chunk)
	}
	return chunk
}

// more appends a chunk, or nil.
func (c *chunks[T]) more(has bool) {
	var chunk *[chunkLen]T
	if has {
		chunk = newChunk[T](len(*c)<<chunkBits >= populated)
	}
	*c = append(*c, chunk)
}

// at is the value of connection n, or nil when its class has none.
func (c chunks[T]) at(n uint32) *T {
	if chunk := c[n>>chunkBits]; chunk != nil {
		return &chunk[n%chunkLen]
	}
	return nil
}
