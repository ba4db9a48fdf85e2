package engine

import (
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"

	"sockscope/decode/flow"
)

// Connections gives all connections in the order of their first packets, but for those
// that ended during the run. The value it yields is overwritten by the next one; what it
// points to is not.
func (r *Result) Connections() iter.Seq[*flow.Connection] {
	return func(yield func(*flow.Connection) bool) {
		const most = 256
		order := r.Order()
		for part := order.Next(most); part != nil; part = order.Next(most) {
			for c := range part {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// An Order gives the same connections in the same order, a part at a time, so that several
// goroutines can share them.
type Order struct {
	sequences []flow.Sequence
	queues    []queue // those that are not at their end
	id        uint64  // of the next connection
	ending    bool    // see Result

	spares sync.Mutex
	spare  []*part
}

// A part is connections that come one behind the other.
type part struct {
	first     uint64 // the ID of the first one
	places    []place
	sequences []flow.Sequence // the Order's

	connection flow.Connection
	histories  flow.Histories
	read       []uint32 // before which connection all of a sequence are in the cache
	touched    uint64   // what was read only to have it in the cache; it means nothing
}

// A place is where a connection is: in which sequence, and there.
type place struct{ sequence, i uint32 }

// many connections take so much memory that it pays to look for what is free.
const many = 1 << 16

// Order begins with the first connection.
func (r *Result) Order() *Order {
	o := &Order{sequences: r.sequences(), id: 1, ending: r.ending}
	if r.Len() > many {
		runtime.GC() // who reports them can have the memory of blocks and sorting
	}
	for i, s := range o.sequences {
		q := queue{Sequence: s, sequence: uint32(i)}
		q.look()
		o.queues = append(o.queues, q)
	}
	return o
}

// Next gives the connections that come next, at most so many; nil when there are no more.
// They can be gone through once, by any goroutine. The value it yields is overwritten by the
// next one; what it points to is not.
func (o *Order) Next(most int) iter.Seq[*flow.Connection] {
	p := o.part()
	p.first, p.places = o.id, p.places[:0]
	for len(p.places) < most && len(o.queues) > 0 {
		first, until := nextQueue(o.queues)
		q := &o.queues[first]
		for q.frame < until && len(p.places) < most {
			p.places = append(p.places, place{q.sequence, uint32(q.next)})
			q.next++
			q.look()
		}
		if q.frame == noFrame {
			o.queues = slices.Delete(o.queues, first, first+1)
		}
	}
	o.id += uint64(len(p.places))
	if len(p.places) == 0 {
		return nil
	}
	return func(yield func(*flow.Connection) bool) {
		if p.each(o.ending, yield) {
			o.took(p)
		}
	}
}

// part is a part that nobody uses.
func (o *Order) part() *part {
	o.spares.Lock()
	defer o.spares.Unlock()
	if last := len(o.spare) - 1; last >= 0 {
		p := o.spare[last]
		o.spare = o.spare[:last]
		return p
	}
	return &part{sequences: o.sequences, read: make([]uint32, len(o.sequences))}
}

// took notes that nobody uses p any more.
func (o *Order) took(p *part) {
	o.spares.Lock()
	defer o.spares.Unlock()
	o.spare = append(o.spare, p)
}

// ahead is how many connections are read from memory together.
const ahead = 16

// each yields the connections of p, until it is told to stop.
func (p *part) each(ending bool, yield func(*flow.Connection) bool) (all bool) {
	clear(p.read)
	c, last := &p.connection, (*flow.Sequence)(nil)
	for i, at := range p.places {
		s := &p.sequences[at.sequence]
		if at.i >= p.read[at.sequence] {
			end := min(int(at.i)+ahead, s.Len())
			p.touched += s.Touch(int(at.i), end)
			p.read[at.sequence] = uint32(end)
		}
		s.Another(int(at.i), c, last, &p.histories)
		last = s
		c.ID = p.first + uint64(i)
		if ending {
			c.ID = c.FirstFrame
		}
		if !yield(c) {
			return false
		}
	}
	return true
}

// nextQueue is the queue with the lowest frame, and the lowest of the others.
func nextQueue(queues []queue) (first int, until uint64) {
	until = noFrame
	for i := 1; i < len(queues); i++ {
		switch frame := queues[i].frame; {
		case frame < queues[first].frame:
			first, until = i, queues[first].frame
		case frame < until:
			until = frame
		}
	}
	return first, until
}

// sequences are all connections, in parts that are in order each. Every table is put in order
// on its own.
func (r *Result) sequences() []flow.Sequence {
	if len(r.tables) == 1 {
		return r.tables[0].Sequences()
	}
	parts := make([][]flow.Sequence, len(r.tables))
	var sorting sync.WaitGroup
	for i, t := range r.tables {
		sorting.Go(func() { parts[i] = t.Sequences() })
	}
	sorting.Wait()
	return slices.Concat(parts...)
}

// A queue is a sequence of connections, of which those before next were given.
type queue struct {
	flow.Sequence
	sequence uint32 // which one
	next     int
	frame    uint64        // the first of connection next, or noFrame
	frames   [ahead]uint64 // the first ones of those that were read together with it
}

// noFrame is behind all frames: a queue that is empty has it.
const noFrame = math.MaxUint64

// look looks at connection next.
func (q *queue) look() {
	i := q.next % ahead
	if i == 0 {
		q.Frames(q.next, q.frames[:])
	}
	q.frame = q.frames[i]
	if q.next == q.Len() {
		q.frame = noFrame
	}
}
