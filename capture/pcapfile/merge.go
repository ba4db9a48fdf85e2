package pcapfile

import (
	"cmp"
	"container/heap"
	"errors"
	"io"
	"syscall"

	"sockscope/capture"
)

// Limits of a merge, whatever the number of inputs.
const (
	wideInputs    = 64       // with a buffer of blockSize; those that begin while so many are open share
	mergeBuffers  = 16 << 20 // bytes
	minBuffer     = 4 << 10
	stretches     = 256 << 20     // the same of inputs that are decompressed again
	mergedMemory  = 2 * blockSize // of a merged block: the longest frame fits
	mergedFrames  = 8192
	worthGiving   = 64              // frames; fewer are rather copied into a block with others
	maxSpare      = 16              // buffers kept for inputs to come
	earliestFirst = capture.Unknown // below every known time
)

// A merge is the feed of several inputs: their frames by time, those of the same
// time by the order of the inputs. Within an input the order stays, also when its
// clock went back. The frames are copied into the merged block, but for what was read
// from a wide input at once and comes before all others: of files that follow each other
// that is nearly all.
//
// An input is read when its first time comes, so that a day's files which follow
// each other are open one at a time. Of those whose times overlap the pool closes
// some when there are too many, and they are opened again when it is their turn.
type merge struct {
	reader  *Reader
	heads   headHeap
	begun   bool
	pool    *pool
	wide    int     // inputs that are open and have a buffer of block bytes
	block   int     // blockSize
	buffer  int     // bytes for each of the others
	stretch int     // for one that is decompressed again: it shall be worth it
	spare   []*head // that came to their ends: their memory can be used again
}

// A head is where an input stands in the merge.
type head struct {
	in     *input
	time   capture.Timestamp // of the next frame; an unknown one goes with the one before
	cursor *cursor           // nil before its time has come
	memory []byte
	frames []capture.Frame
	next   int // of frames
	wide   bool
	place  place
}

func newMerge(r *Reader) *merge {
	n := len(r.inputs)
	return &merge{reader: r, pool: newPool(descriptors()), block: blockSize,
		buffer:  min(max(mergeBuffers/n, minBuffer), blockSize),
		stretch: min(max(stretches/n, minBuffer), 4*blockSize)}
}

// fill implements feed.
func (m *merge) fill(b *capture.Block) error {
	if !m.begun {
		m.begin()
	}
	used := 0
	for len(m.heads) > 0 && len(b.Frames) < mergedFrames {
		h := m.heads[0]
		if h.next == len(h.frames) {
			if h.cursor != nil && len(b.Frames) > 0 && h.in.size < 0 {
				return nil // a stream may wait: give what there is first
			}
			m.advance()
			continue
		}
		other := m.heads.second()
		if len(b.Frames) == 0 {
			if h.wide && h.next == 0 && len(h.frames) >= worthGiving && h.isBefore(other) {
				m.give(h, b)
				return nil
			}
			b.Memory = grow(b.Memory, 0, mergedMemory)
		}
		n, fits := m.run(h, other, b, used)
		used += n
		if !fits {
			return nil
		}
	}
	if len(b.Frames) == 0 {
		return io.EOF
	}
	return nil
}

// give gives b, which is empty, all that h has read and not yet given, in exchange for b's
// memory, which h keeps as long as it is open: that may be as much as a merged block has, so
// only wide inputs do so.
func (m *merge) give(h *head, b *capture.Block) {
	b.Memory, h.memory = h.memory, b.Memory
	b.Frames, h.frames = h.frames, b.Frames
	h.next = 0
	h.in.given(b.Frames)
}

// run copies the frames of h that come before those of other, which is the next one after
// h. It returns the bytes copied, and whether all of these frames had room.
func (m *merge) run(h, other *head, b *capture.Block, used int) (copied int, fits bool) {
	begin, first := used, len(b.Frames)
	defer func() { h.in.given(b.Frames[first:]) }()
	for ; h.next < len(h.frames); h.next++ {
		f := &h.frames[h.next]
		if f.Time.Known() {
			h.time = f.Time
		}
		if other != nil && other.before(h) {
			heap.Fix(&m.heads, 0)
			return used - begin, true
		}
		if used+len(f.Data) > len(b.Memory) || len(b.Frames) == mergedFrames {
			return used - begin, false
		}
		end := used + copy(b.Memory[used:], f.Data)
		b.Frames = append(b.Frames, *f)
		b.Frames[len(b.Frames)-1].Data = b.Memory[used:end:end]
		used = end
	}
	return used - begin, true
}

// begin finds out when each input begins.
func (m *merge) begin() {
	m.begun = true
	for _, in := range m.reader.inputs {
		h := &head{in: in, time: earliestFirst}
		if in.size >= 0 && in.err == nil {
			h.time = firstTime(in)
		}
		m.heads = append(m.heads, h)
	}
	heap.Init(&m.heads)
}

// firstTime is the time of the first frame of a file, which is read for that and
// closed again. What is wrong with the file is told when it is read in earnest.
func firstTime(in *input) capture.Timestamp {
	aside := &Reader{cfg: in.reader.cfg}
	glance := newCursor(&input{operand: in.operand, ctx: in.ctx, reader: aside}, minBuffer)
	defer glance.suspend()
	_, frames, err := glance.fill(nil, nil)
	if err != nil {
		return earliestFirst
	}
	return frames[0].Time
}

// advance reads the next frames of the first head, or takes it off at its end.
func (m *merge) advance() {
	h := m.heads[0]
	if h.cursor == nil {
		size := m.buffer
		if m.wide < wideInputs {
			size, h.wide = m.block, true
			m.wide++
		}
		h.cursor = newCursor(h.in, size)
		if n := len(m.spare); n > 0 {
			h.memory, h.frames = m.spare[n-1].memory, m.spare[n-1].frames
			m.spare = m.spare[:n-1]
		}
	}
	m.use(h)
	var err error
	h.next = 0
	h.memory, h.frames, err = h.cursor.fill(h.memory, h.frames[:0])
	if err != nil {
		m.pool.forget(h)
		heap.Pop(&m.heads)
		if h.wide {
			m.wide--
		}
		if len(m.spare) < maxSpare {
			m.spare = append(m.spare, h)
		}
		return
	}
	if t := h.frames[0].Time; t.Known() {
		h.time = t
	}
	heap.Fix(&m.heads, 0)
}

// use opens h's file if need be, closing others when there are too many. Why it
// cannot be opened is told when it is read.
func (m *merge) use(h *head) {
	c := h.cursor
	if c.ended {
		return // its last frames were given, and nobody would close it
	}
	again := c.src == nil && c.off > 0
	err := c.open()
	for tooManyFiles(err) && m.pool.lower() {
		err = c.open()
	}
	if err != nil {
		return
	}
	if again && h.in.info.Compression != "" {
		c.size, c.whole = max(c.size, m.stretch), true
	}
	m.pool.use(h)
}

func (m *merge) close() {
	for _, h := range m.heads {
		if h.cursor != nil {
			h.cursor.suspend()
		}
	}
	m.heads, m.spare, m.begun = nil, nil, true
	m.pool = newPool(0)
}

// tooManyFiles reports whether a file could not be opened because of those that
// are open.
func tooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// until is the time at which the frames in memory end.
func (h *head) until() capture.Timestamp {
	if n := len(h.frames); n > 0 {
		return max(h.frames[n-1].Time, h.time)
	}
	return h.time
}

// A headHeap has the head with the earliest frame first.
type headHeap []*head

func (q headHeap) Len() int           { return len(q) }
func (q headHeap) Less(i, j int) bool { return q[i].before(q[j]) }
func (q headHeap) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *headHeap) Push(x any)        { *q = append(*q, x.(*head)) }
func (q *headHeap) Pop() any {
	last := len(*q) - 1
	h := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return h
}

// second is the head that comes next after the first one, or nil.
func (q headHeap) second() *head {
	switch {
	case len(q) == 1:
		return nil
	case len(q) > 2 && q[2].before(q[1]):
		return q[2]
	}
	return q[1]
}

// isBefore reports whether all frames that h has read and not given come before those of
// other, which may be nil. If so, h stands behind them.
func (h *head) isBefore(other *head) bool {
	begin := h.time
	for i := h.next; i < len(h.frames); i++ {
		if t := h.frames[i].Time; t.Known() {
			h.time = t
		}
		if other != nil && other.before(h) {
			h.time = begin
			return false
		}
	}
	return true
}

func (h *head) before(other *head) bool {
	if c := cmp.Compare(h.time, other.time); c != 0 {
		return c < 0
	}
	return h.in.index < other.in.index
}
