package pcapfile

import "container/list"

// Limits of what a merge holds open.
const (
	maxOpen        = 64      // plain files
	maxDecoders    = 1 << 30 // bytes of all decompressors' memory together, about
	decoderCost    = 128 << 10
	fewDescriptors = 1024 // where the system does not tell
	maxRedone      = 8    // times that what an input gave may be decompressed again
)

// A pool has the open files of a merge, and closes some when there are too many.
//
// Plain files are cheap to open again where they were left: 64 may be open, and
// the least recently read one is closed. A compressed file that is opened again is
// decompressed again from its beginning. So these stay open up to three quarters
// of the process's descriptors, as long as their windows and buffers (about
// 128 KiB for gzip, else what their first headers ask for) come to 1 GiB at most.
//
// Beyond that the one is closed whose frames in memory last the longest: as inputs
// take turns, all but a few stay open. Those few are decompressed again in long
// stretches (256 MiB for all of them together, or 4 KiB each), up to 8 times what
// they gave; an input that needs more is given up, with damage. The work is
// therefore at most 9 times that of reading each input once.
type pool struct {
	plain, packed list.List // of *head; plain has the least recently read first
	limit         int       // of plain
	packedLimit   int
	costLimit     int64
	cost          int64 // of packed
}

// A place is where a head is in the pool.
type place struct {
	in      *list.List // nil when it is not there
	element *list.Element
	cost    int64
}

// newPool makes a pool for a process that may have so many open files.
func newPool(descriptors int) *pool {
	p := &pool{limit: maxOpen, packedLimit: max(descriptors/4*3-maxOpen, descriptors/4, 1), costLimit: maxDecoders}
	p.plain.Init()
	p.packed.Init()
	return p
}

// use notes that h, which is open, is read now, and closes others if need be. A
// stream cannot be opened again: it has no place here.
func (p *pool) use(h *head) {
	p.forget(h)
	switch {
	case h.in.size < 0:
		return
	case h.in.info.Compression == "":
		h.place = place{in: &p.plain, element: p.plain.PushBack(h)}
		for p.plain.Len() > p.limit {
			p.close(p.plain.Front())
		}
		return
	}
	cost := costOf(h.cursor.src)
	h.place = place{in: &p.packed, element: p.packed.PushBack(h), cost: cost}
	p.cost += cost
	for p.packed.Len() > 1 && (p.packed.Len() > p.packedLimit || p.cost > p.costLimit) {
		p.close(p.idlest(h))
	}
}

// forget takes h out of the pool, open or closed as it is.
func (p *pool) forget(h *head) {
	if h.place.in != nil {
		h.place.in.Remove(h.place.element)
		p.cost -= h.place.cost
		h.place = place{}
	}
}

// close closes a file until it is used again.
func (p *pool) close(e *list.Element) {
	h := e.Value.(*head)
	p.forget(h)
	h.cursor.suspend()
}

// idlest is the compressed input, other than h, that will be read last of all as
// far as the frames in memory tell.
func (p *pool) idlest(h *head) *list.Element {
	var last *list.Element
	for e := p.packed.Front(); e != nil; e = e.Next() {
		if other := e.Value.(*head); other != h && (last == nil || other.until() >= last.Value.(*head).until()) {
			last = e
		}
	}
	return last
}

// lower closes a file because the system allows no more, and keeps to that. It
// returns false when there is none.
func (p *pool) lower() bool {
	switch {
	case p.plain.Len() > 0:
		p.close(p.plain.Front())
		p.limit = max(p.plain.Len(), 1)
	case p.packed.Len() > 0:
		p.close(p.idlest(nil))
		p.packedLimit = max(p.packed.Len(), 1)
	default:
		return false
	}
	return true
}

// costOf is the memory of a decompressor, about.
func costOf(src source) int64 {
	switch s := src.(type) {
	case *expander:
		return s.cost
	case *ahead:
		return decoderCost + aheadBuffers*blockSize
	}
	return 0
}
