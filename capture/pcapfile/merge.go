package pcapfile

import (
	"cmp"
	"container/heap"
	"errors"
	"io"
	"slices"
	"syscall"

	"sockscope/capture"
)

// Limits of a merge, whatever the number of inputs.
const (
	maxOpen       = 64       // files open at once
	mergeBuffers  = 32 << 20 // bytes of all inputs' buffers together, about
	minBuffer     = 4 << 10
	mergedMemory  = 2 * blockSize // of a merged block: the longest frame fits
	mergedFrames  = 8192
	maxSpare      = 16              // buffers kept for inputs to come
	earliestFirst = capture.Unknown // below every known time
)

// A merge is the feed of several inputs: their frames by time, those of the same
// time by the order of the inputs. Within an input the order stays, also when its
// clock went back. The frames are copied into the merged block.
//
// An input is read when its first time comes, so that a day's files which follow
// each other are open one at a time; of those whose times overlap, the least
// recently read ones are closed and opened again when there are too many.
type merge struct {
	reader *Reader
	heads  headHeap
	begun  bool
	opened []*head // least recently read first
	limit  int     // of opened
	buffer int     // bytes for each input
	spare  []*head // that came to their ends: their memory can be used again
}

// A head is where an input stands in the merge.
type head struct {
	in     *input
	time   capture.Timestamp // of the next frame; an unknown one goes with the one before
	cursor *cursor           // nil before its time has come
	memory []byte
	frames []capture.Frame
	next   int // of frames
}

func newMerge(r *Reader) *merge {
	return &merge{reader: r, limit: maxOpen,
		buffer: min(max(mergeBuffers/len(r.inputs), minBuffer), blockSize)}
}

// fill implements feed.
func (m *merge) fill(b *capture.Block) error {
	if !m.begun {
		m.begin()
	}
	b.Memory = grow(b.Memory, 0, mergedMemory)
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
		n, fits := m.run(h, b, used)
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

// run copies the frames of h that come before those of all other heads. It
// returns the bytes copied, and whether all of these frames had room.
func (m *merge) run(h *head, b *capture.Block, used int) (copied int, fits bool) {
	begin, first := used, len(b.Frames)
	defer func() { h.in.given(b.Frames[first:]) }()
	for h.next < len(h.frames) {
		f := h.frames[h.next]
		if f.Time.Known() {
			h.time = f.Time
		}
		if m.heads.behind(h) {
			heap.Fix(&m.heads, 0)
			return used - begin, true
		}
		if used+len(f.Data) > len(b.Memory) || len(b.Frames) == mergedFrames {
			return used - begin, false
		}
		end := used + copy(b.Memory[used:], f.Data)
		f.Data = b.Memory[used:end:end]
		b.Frames = append(b.Frames, f)
		used = end
		h.next++
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
		h.cursor = newCursor(h.in, m.buffer)
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
		m.forget(h)
		heap.Pop(&m.heads)
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

// use opens h's file if need be, closing others when there are too many.
func (m *merge) use(h *head) {
	m.forget(h)
	if h.cursor.src == nil {
		for len(m.opened) >= m.limit && m.closeOne() {
		}
		for h.cursor.openFailed(syscall.EMFILE, syscall.ENFILE) && m.closeOne() {
			m.limit = max(len(m.opened), 1)
		}
	}
	m.opened = append(m.opened, h)
}

// closeOne closes the file that was not read for the longest time; a stream
// cannot be opened again.
func (m *merge) closeOne() bool {
	for i, h := range m.opened {
		if h.in.size >= 0 {
			h.cursor.suspend()
			m.opened = slices.Delete(m.opened, i, i+1)
			return true
		}
	}
	return false
}

func (m *merge) forget(h *head) {
	if i := slices.Index(m.opened, h); i >= 0 {
		m.opened = slices.Delete(m.opened, i, i+1)
	}
}

func (m *merge) close() {
	for _, h := range m.opened {
		h.cursor.suspend()
	}
	m.opened, m.heads, m.spare, m.begun = nil, nil, nil, true
}

// openFailed tries to open the file and reports whether that failed for one of
// the reasons.
func (c *cursor) openFailed(reasons ...error) bool {
	err := c.open()
	return slices.ContainsFunc(reasons, func(reason error) bool { return errors.Is(err, reason) })
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

// behind reports whether h, the first head, is no longer the earliest.
func (q headHeap) behind(h *head) bool {
	return len(q) > 1 && q[1].before(h) || len(q) > 2 && q[2].before(h)
}

func (h *head) before(other *head) bool {
	if c := cmp.Compare(h.time, other.time); c != 0 {
		return c < 0
	}
	return h.in.index < other.in.index
}
