package report

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A standing is what connections are listed by: the first word in which two differ
// decides, the lower is listed first. The last word is the ID, which makes the order total.
type standing [6]uint64

func (s *standing) compare(o *standing) int {
	for i := range s {
		if s[i] != o[i] {
			return cmp.Compare(s[i], o[i])
		}
	}
	return 0
}

// A sortKey gives standings; the ID is added to them. The first word decides nearly
// always, so it is asked for alone.
type sortKey struct {
	name  string
	first func(c *flow.Connection, failed bool) uint64
	rest  func(c *flow.Connection) standing // all but the first word; nil when there is no more
}

var sortKeys = []sortKey{
	{name: "bytes", first: func(c *flow.Connection, _ bool) uint64 { return ^(c.ToServer.Bytes + c.ToClient.Bytes) }},
	{name: "packets", first: func(c *flow.Connection, _ bool) uint64 { return ^(c.ToServer.Packets + c.ToClient.Packets) }},
	{name: "payload_bytes", first: func(c *flow.Connection, _ bool) uint64 { return ^(c.ToServer.Payload + c.ToClient.Payload) }},
	{name: "duration", first: func(c *flow.Connection, _ bool) uint64 { return longest(durationOf(c)) }},
	{name: "setup", first: func(c *flow.Connection, _ bool) uint64 { return longest(c.Setup) }},
	{name: "syn_rtt", first: func(c *flow.Connection, _ bool) uint64 { return longest(c.SYNRTT) }},
	{name: "ack_rtt", first: func(c *flow.Connection, _ bool) uint64 { return longest(c.ACKRTT) }},
	{name: "start", first: func(c *flow.Connection, _ bool) uint64 { return earliest(c.First) }},
	{
		name: "failed",
		first: func(_ *flow.Connection, failed bool) uint64 {
			if failed {
				return 0
			}
			return 1
		},
		rest: func(c *flow.Connection) standing { return standing{1: earliest(c.First)} },
	},
	{
		name:  "client_ip",
		first: func(c *flow.Connection, _ bool) uint64 { return bitLen(c.Client) },
		rest:  func(c *flow.Connection) standing { return byEndpoint(c.Client, c.First) },
	},
	{
		name:  "server_ip",
		first: func(c *flow.Connection, _ bool) uint64 { return bitLen(c.Server) },
		rest:  func(c *flow.Connection) standing { return byEndpoint(c.Server, c.First) },
	},
	{
		name:  "server_port",
		first: func(c *flow.Connection, _ bool) uint64 { return bitLen(c.Server) | uint64(c.Server.Port())<<32 },
		rest:  func(c *flow.Connection) standing { return byEndpoint(c.Server, c.First) },
	},
	{name: "id", first: func(*flow.Connection, bool) uint64 { return 0 }},
}

// bitLen orders the versions of addresses.
func bitLen(e netip.AddrPort) uint64 { return uint64(e.Addr().BitLen()) }

// of is the standing of c, but for its ID.
func (k *sortKey) of(c *flow.Connection, failed bool) standing {
	var s standing
	if k.rest != nil {
		s = k.rest(c)
	}
	s[0] = k.first(c, failed)
	return s
}

// byEndpoint orders by address, port and time among addresses of one version.
func byEndpoint(e netip.AddrPort, t capture.Timestamp) standing {
	n := number6(e.Addr())
	return standing{1: n.hi, 2: n.lo, 3: uint64(e.Port()), 4: earliest(t)}
}

// longest orders durations, the longest first and unknown ones last.
func longest(d time.Duration) uint64 { return ^(uint64(d) ^ 1<<63) }

// earliest orders times, the earliest first and unknown ones last.
func earliest(t capture.Timestamp) uint64 {
	if !t.Known() {
		return math.MaxUint64
	}
	return uint64(t-capture.Unknown) - 1 // Unknown is below all times
}

// Sorts are the words that Config.Sort may hold. The ending "_ns", which the
// columns of durations have, may be there or not.
func Sorts() []string {
	names := make([]string, len(sortKeys))
	for i, k := range sortKeys {
		names[i] = k.name
	}
	return names
}

// sortKeyOf is the key of that name, or of "bytes" when there is none.
func sortKeyOf(name string) sortKey {
	name = strings.TrimSuffix(name, "_ns")
	for _, k := range sortKeys {
		if k.name == name {
			return k
		}
	}
	return sortKeys[0]
}

// duration is from the first to the last packet, or flow.NoDuration.
func (r *Row) duration() time.Duration { return durationOf(&r.Connection) }

func durationOf(c *flow.Connection) time.Duration {
	if d, ok := c.Last.Sub(c.First); ok && d >= 0 {
		return d
	}
	return flow.NoDuration
}

// top keeps the first connections by a key: a heap whose root is the last of them,
// so that a connection that does not get in costs one comparison.
type top struct {
	key   sortKey
	limit int // 0: keep all
	heap  []ranked
	rows  [][]Row // slabRows each: they grow without being copied
	used  int     // of them
}

const slabRows = 64

// A ranked row has a place in the order. It is small and has no pointer, so that
// sorting does not touch the rows.
type ranked struct {
	standing
	row int
}

// row is the ith row that is kept.
func (t *top) row(i int) *Row { return &t.rows[i/slabRows][i%slabRows] }

// add takes c, which it copies if it is kept.
func (t *top) add(c *flow.Connection, failed bool, owners *[2]capture.Owner) {
	if t.limit > 0 && len(t.heap) == t.limit && t.isBeyond(c, failed) {
		return
	}
	r := ranked{standing: t.key.of(c, failed), row: t.used}
	r.standing[len(r.standing)-1] = c.ID
	switch {
	case t.limit == 0 || len(t.heap) < t.limit:
		if r.row == len(t.rows)*slabRows {
			t.rows = append(t.rows, make([]Row, slabRows))
		}
		t.used++
		t.heap = append(t.heap, r)
		if t.limit > 0 {
			t.up(len(t.heap) - 1)
		}
	case r.compare(&t.heap[0].standing) < 0:
		r.row = t.heap[0].row
		t.heap[0] = r
		t.down(0)
	default:
		return
	}
	// What is kept must not change when the caller's connection does.
	row := t.row(r.row)
	row.Set(c)
	row.Owners = *owners
	row.Tunnels = slices.Clone(c.Tunnels)
	row.SYNWaits = slices.Clone(c.SYNWaits)
}

// merge takes what o kept, which must not be used any more.
func (t *top) merge(o *top) {
	if t.limit > 0 {
		for _, r := range o.heap {
			row := o.row(r.row)
			t.add(&row.Connection, row.Failed(), &row.Owners)
		}
		return
	}
	t.used = len(t.rows) * slabRows // the rest of the last ones stays free
	for _, r := range o.heap {
		r.row += t.used
		t.heap = append(t.heap, r)
	}
	t.rows = append(t.rows, o.rows...)
	t.used += o.used
}

// isBeyond reports whether c does not get in among the connections kept. It is asked of all
// connections, so it looks at little: c may be beyond them where it says no, too.
func (t *top) isBeyond(c *flow.Connection, failed bool) bool {
	last := &t.heap[0].standing
	first := t.key.first(c, failed)
	return first > last[0] || first == last[0] && t.key.rest == nil && c.ID > last[len(last)-1]
}

// up and down restore the heap's order: a parent is listed after its children.
func (t *top) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if t.heap[i].compare(&t.heap[parent].standing) <= 0 {
			return
		}
		t.heap[i], t.heap[parent] = t.heap[parent], t.heap[i]
		i = parent
	}
}

func (t *top) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(t.heap) {
			return
		}
		if child+1 < len(t.heap) && t.heap[child+1].compare(&t.heap[child].standing) > 0 {
			child++
		}
		if t.heap[child].compare(&t.heap[i].standing) <= 0 {
			return
		}
		t.heap[i], t.heap[child] = t.heap[child], t.heap[i]
		i = child
	}
}

// sorted are the rows in order.
func (t *top) sorted() []Row {
	order := slices.Clone(t.heap)
	slices.SortFunc(order, func(a, b ranked) int { return a.compare(&b.standing) })
	rows := make([]Row, len(order))
	for i, r := range order {
		rows[i] = *t.row(r.row)
	}
	return rows
}
