package explain

import (
	"cmp"
	"net/netip"
	"slices"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// Config says how a Tracer works; the zero value does.
type Config struct {
	Flow flow.Config // as where the connections were chosen, or they are not found again. Without Ending
	Full bool        // no phase is folded

	// MaxSteps is for how many steps of a conversation there is room; 0: 100,000. What
	// comes then is only counted.
	MaxSteps int
}

// A Tracer follows connections through a capture, frame by frame. It belongs to one
// goroutine.
type Tracer struct {
	cfg    Config
	traces map[uint64]*trace // by first frame
	chosen *choice           // nil: all connections are followed

	recorder *flow.Recorder
	table    *flow.Table
	batches  []flow.Batch
	block    capture.Block
	frame    [1]capture.Frame
	packet   decode.Packet
}

// NewTracer makes a Tracer that follows some connections, which an earlier run over the same
// frames found; nil: all that there are.
func NewTracer(cfg Config, connections []flow.Connection) *Tracer {
	if cfg.MaxSteps == 0 {
		cfg.MaxSteps = 100_000
	}
	seed := flow.NewSeed()
	t := &Tracer{
		cfg: cfg, traces: map[uint64]*trace{},
		recorder: flow.NewRecorder(seed), table: flow.NewTable(cfg.Flow, seed), batches: make([]flow.Batch, 1),
	}
	if connections != nil {
		t.chosen = newChoice(connections)
		for i := range connections {
			t.traces[connections[i].FirstFrame] = &trace{cfg: &t.cfg, id: connections[i].ID}
		}
	}
	return t
}

// Frame takes the next frame of the input, which has a number there, counted from 1. The
// first run's filter must have let it pass.
func (t *Tracer) Frame(number uint64, f *capture.Frame) {
	p := &t.packet
	p.Decode(f.Data, f.Length, f.Link)
	if t.chosen != nil && !t.chosen.mayHave(p) {
		return
	}
	t.frame[0] = *f
	t.block.First, t.block.Frames = number, t.frame[:]
	t.recorder.Record(&t.block, t.batches)
	b := &t.batches[0]
	t.table.Apply(b)
	for s := range t.table.Subjects(b) {
		first := s.FirstFrame()
		tr := t.traces[first]
		if tr == nil {
			if t.chosen != nil || first != number {
				continue
			}
			tr = &trace{cfg: &t.cfg}
			t.traces[first] = tr
		}
		tr.frame(number, f, p, &s)
	}
}

// Conversations are those that were followed and are in the capture, in the order of their
// first frames. The Tracer cannot be used any more.
func (t *Tracer) Conversations() []Conversation {
	// What came of a connection may be known only after its last frame: that another one
	// took its place.
	var c flow.Connection
	for _, s := range t.table.Sequences() {
		for i := range s.Len() {
			s.Connection(i, &c)
			if tr := t.traces[c.FirstFrame]; tr != nil && tr.begun {
				tr.now = c
			}
		}
	}
	var all []Conversation
	for _, tr := range t.traces {
		if tr.begun {
			all = append(all, tr.finish())
		}
	}
	slices.SortFunc(all, func(a, b Conversation) int {
		return cmp.Compare(a.Connection.FirstFrame, b.Connection.FirstFrame)
	})
	for i := range all {
		if all[i].Connection.ID == 0 {
			all[i].Connection.ID = uint64(i + 1)
		}
	}
	return all
}

// A choice tells which frames can be of connections that were chosen, so that the others
// need no memory.
type choice struct {
	hosts map[[2]netip.Addr]bool
	ends  map[[2]netip.AddrPort]bool
}

func newChoice(connections []flow.Connection) *choice {
	c := &choice{map[[2]netip.Addr]bool{}, map[[2]netip.AddrPort]bool{}}
	for i := range connections {
		a, b := connections[i].Client, connections[i].Server
		c.hosts[hostPair(a.Addr(), b.Addr())] = true
		c.ends[endPair(a, b)] = true
	}
	return c
}

// mayHave reports whether p can be of a chosen connection, about it, or part of a datagram of
// it. A fragment with ports counts for its hosts: what follows it must not be taken for
// another one's.
func (c *choice) mayHave(p *decode.Packet) bool {
	if p.Version == 0 {
		return false
	}
	src, dst := p.Src.Netip(p.Version), p.Dst.Netip(p.Version)
	if p.Class == decode.ICMP && p.Quoted.Valid {
		q := &p.Quoted
		if c.hosts[hostPair(q.Src.Netip(q.Version), q.Dst.Netip(q.Version))] {
			return true
		}
	}
	switch p.Class {
	case decode.TCP, decode.UDP, decode.SCTP:
		if !p.MoreFrags {
			return c.ends[endPair(netip.AddrPortFrom(src, p.SrcPort), netip.AddrPortFrom(dst, p.DstPort))]
		}
	}
	return c.hosts[hostPair(src, dst)]
}

func hostPair(a, b netip.Addr) [2]netip.Addr {
	if b.Less(a) {
		a, b = b, a
	}
	return [2]netip.Addr{a, b}
}

func endPair(a, b netip.AddrPort) [2]netip.AddrPort {
	if b.Compare(a) < 0 {
		a, b = b, a
	}
	return [2]netip.AddrPort{a, b}
}
