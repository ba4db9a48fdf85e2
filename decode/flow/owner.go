package flow

import "sockscope/capture"

// own notes whose end of connection n the owner of r's frame is: who receives an
// inbound frame, who sent any other. Each end keeps the first that is known.
func (t *Table) own(b *Batch, r *record, n uint32) {
	f := &b.block.Frames[r.frame]
	side := r.dir & 1
	if f.Direction == capture.Inbound {
		side ^= 1
	}
	o := t.owners[n]
	if o[side] != 0 {
		return
	}
	if t.owners == nil {
		t.owners = make(map[uint32][2]uint32)
	}
	o[side] = f.Owner
	t.owners[n] = o
}
