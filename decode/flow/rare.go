package flow

import "sockscope/capture"

// rare is what few connections need beside their meta, and where the rest of it is.
type rare struct {
	resent [2]uint32 // TCP: payload segments below next, for the history
	waits  uint32    // 1 + index of the waits between SYNs
	spill  uint32    // 1 + index of the history beyond the fixed part
	icmp   uint32    // 1 + index of the ICMP error that quotes it
	big    uint32    // 1 + index of what its counts do not hold
	course uint32    // 1 + index of the course of its handshake, when that is not a usual one
	odd    uint32    // 1 + index of what hardly any connection needs
}

// odd is what hardly any connection needs.
type odd struct {
	first, last capture.Timestamp // when times ran backwards; see Table.times
	iface       uint32            // see otherInterface
	synackSeq   [2]uint32         // TCP: of each side's last SYN-ACK that was not the accepted one
	other       otherSYNACK
	early       earlyACK
	segments    [numTallies]uint32 // what a tally does not hold
}

// earlyACK is the client's first ACK, when it was captured while there was no SYN-ACK.
type earlyACK struct {
	ack   uint32
	frame uint64 // 0: there is none
	time  capture.Timestamp
}

// otherSYNACK is the latest SYN-ACK that fits the SYN but has another ISN than the
// accepted one; the client's ACK tells which of the two it took.
type otherSYNACK struct {
	isn   uint32
	frame uint64 // 0: there is none
	time  capture.Timestamp
}

// rare is what m needs beside it, made when it is not there.
func (t *Table) rare(m *meta) *rare {
	if m.rare == 0 {
		i, _ := t.rares.add()
		m.rare = i + 1
	}
	return t.rares.at(m.rare - 1)
}

// odd is what hardly any connection needs, made when it is not there.
func (t *Table) odd(m *meta) *odd {
	x := t.rare(m)
	if x.odd == 0 {
		i, o := t.odds.add()
		o.first, o.last = m.began, m.began
		x.odd = i + 1
	}
	return t.odds.at(x.odd - 1)
}

// oddOf is the same, or nil when it is not there.
func (t *Table) oddOf(m *meta) *odd {
	if m.rare == 0 {
		return nil
	}
	i := t.rares.at(m.rare - 1).odd
	if i == 0 {
		return nil
	}
	return t.odds.at(i - 1)
}

// dropRare gives up all that m needs beside it.
func (t *Table) dropRare(m *meta) {
	if m.rare == 0 {
		return
	}
	x := t.rares.at(m.rare - 1)
	if x.waits != 0 {
		t.waits[x.waits-1] = nil // whoever was given them keeps them
		t.freeWaits = append(t.freeWaits, x.waits)
	}
	if x.spill != 0 {
		t.spill[x.spill-1] = nil
		t.freeSpill = append(t.freeSpill, x.spill)
	}
	t.icmp.drop(x.icmp)
	t.big.drop(x.big)
	t.courses.drop(x.course)
	t.odds.drop(x.odd)
	t.rares.drop(m.rare)
}
