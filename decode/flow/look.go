package flow

// A Look shows a table's connections as they are when it begins, a part at a time while the
// table goes on: what is about to change and was not shown yet is shown before. It takes a
// bit of memory for each connection, where a copy of them takes up to 400 bytes and the time
// to make it. A table has one Look at a time, which belongs to the table's goroutine.
type Look struct {
	table   *Table
	show    func(*Connection)
	shown   [][chunkLen / 64]uint64 // by number: connections that were shown, or that are newer
	chunk   int                     // to be shown next
	word    int                     // likewise, of the chunk's
	totals  *Totals
	told    Connection
	touched uint64 // what was read only to have it in the cache; it means nothing
}

// Look begins a Look. It adds to totals what t would have after Finish: at once, but for the
// tunnels and the tuples, which are complete when all is shown. The Connection that show is
// given is valid during the call; what it points to stays so. Its ID is its FirstFrame.
func (t *Table) Look(totals *Totals, show func(*Connection)) *Look {
	totals.Add(&t.Totals)
	for _, e := range t.fragments.entries {
		totals.Fragments.add(Volume{e.waiting.packets, e.waiting.bytes})
	}
	if t.ending != nil {
		totals.ClockJumps = max(totals.ClockJumps, t.ending.jumps)
	}
	t.looking = &Look{
		table: t, show: show, totals: totals,
		shown: make([][chunkLen / 64]uint64, len(t.cells)), chunk: 1, // 0 has none that count
	}
	return t.looking
}

// Show shows about n connections, and reports whether there are more.
func (l *Look) Show(n int) bool {
	const perWord = 64
	for ; l.chunk < len(l.shown); l.chunk, l.word = l.chunk+1, 0 {
		if l.table.cells[l.chunk] == nil {
			continue // given back
		}
		for ; l.word < len(l.shown[l.chunk]); l.word++ {
			if n <= 0 {
				return true
			}
			n -= 4 // to find none takes time, too
			if ^l.shown[l.chunk][l.word] == 0 {
				continue
			}
			first := l.word * perWord
			l.prepare(first, perWord)
			for i := range perWord {
				if l.table.cells[l.chunk][first+i].key != (key{}) && l.before(uint32(l.chunk)<<chunkBits|uint32(first+i)) {
					n--
				}
			}
		}
	}
	l.Stop()
	return false
}

// finish shows all that was not shown: numbers are about to change. l may be nil.
func (l *Look) finish() {
	for l != nil && l.Show(chunkLen) {
	}
}

// Stop ends l, whether all was shown or not.
func (l *Look) Stop() { l.table.looking = nil }

// prepare reads what n connections of the chunk are made of, one behind the other, so that
// nobody waits for each.
func (l *Look) prepare(first, n int) {
	t := l.table
	for i := first; i < first+n; i++ {
		switch {
		case t.cells[l.chunk][i].key == (key{}):
		case t.streams[l.chunk] != nil:
			h := &t.streams[l.chunk][i] // two cache lines
			l.touched += h.firstFrame + uint64(h.letters)
		case t.others[l.chunk] != nil:
			l.touched += t.others[l.chunk][i].firstFrame
		}
	}
}

// before shows connection n, which is about to change, unless that was done. It reports
// whether it did.
func (l *Look) before(n uint32) bool {
	if !l.pass(n) {
		return false
	}
	l.table.connection(n, &l.told)
	l.told.ID = l.told.FirstFrame
	l.table.sumTunnels(n, &l.totals.Tunnels)
	l.table.countTuple(l.totals.Tuples, n)
	l.show(&l.told)
	return true
}

// pass notes that connection n is not to be shown any more. It reports whether it was to be.
func (l *Look) pass(n uint32) bool {
	if int(n>>chunkBits) >= len(l.shown) {
		return false // it is newer
	}
	word, bit := &l.shown[n>>chunkBits][n%chunkLen/64], uint64(1)<<(n%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// isNew notes that connection n begins, which needs not be shown. l may be nil.
func (l *Look) isNew(n uint32) {
	if l != nil {
		l.pass(n)
	}
}

// beforeRecords shows the connections that records of b are about to change.
func (l *Look) beforeRecords(b *Batch, records []record) {
	t := l.table
	for i := range records {
		r := &records[i]
		if n, c := t.find(b, r); c != nil {
			l.before(n)
		}
		if r.kind() != fragment {
			continue
		}
		if e := t.fragments.entries[fragmentOf(b, r)]; e != nil && t.isThere(e) {
			l.before(e.connection)
		}
	}
}
