package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A sortKey orders connections; ID makes the order total.
type sortKey struct {
	name string
	less func(a, b *ranked) int // negative: a is listed first
}

var sortKeys = []sortKey{
	{"bytes", func(a, b *ranked) int {
		return cmp.Compare(b.ToServer.Bytes+b.ToClient.Bytes, a.ToServer.Bytes+a.ToClient.Bytes)
	}},
	{"packets", func(a, b *ranked) int {
		return cmp.Compare(b.ToServer.Packets+b.ToClient.Packets, a.ToServer.Packets+a.ToClient.Packets)
	}},
	{"payload_bytes", func(a, b *ranked) int {
		return cmp.Compare(b.ToServer.Payload+b.ToClient.Payload, a.ToServer.Payload+a.ToClient.Payload)
	}},
	{"duration", func(a, b *ranked) int { return longer(durationOf(a.Connection), durationOf(b.Connection)) }},
	{"setup", func(a, b *ranked) int { return longer(a.Setup, b.Setup) }},
	{"syn_rtt", func(a, b *ranked) int { return longer(a.SYNRTT, b.SYNRTT) }},
	{"ack_rtt", func(a, b *ranked) int { return longer(a.ACKRTT, b.ACKRTT) }},
	{"start", func(a, b *ranked) int { return earlier(a.First, b.First) }},
	{"failed", func(a, b *ranked) int {
		return cmp.Or(compareBool(b.failed, a.failed), earlier(a.First, b.First))
	}},
	{"client_ip", func(a, b *ranked) int { return cmp.Or(a.Client.Compare(b.Client), earlier(a.First, b.First)) }},
	{"server_ip", func(a, b *ranked) int { return cmp.Or(a.Server.Compare(b.Server), earlier(a.First, b.First)) }},
	{"server_port", func(a, b *ranked) int {
		return cmp.Or(cmp.Compare(a.Server.Port(), b.Server.Port()), a.Server.Compare(b.Server), earlier(a.First, b.First))
	}},
	{"id", func(a, b *ranked) int { return 0 }},
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

// longer orders durations, the longest first and unknown ones last.
func longer(a, b time.Duration) int { return cmp.Compare(b, a) }

// earlier orders times, the earliest first and unknown ones last.
func earlier(a, b capture.Timestamp) int {
	if a.Known() != b.Known() {
		return compareBool(b.Known(), a.Known())
	}
	return cmp.Compare(a, b)
}

// A ranked connection is one that may be listed.
type ranked struct {
	*flow.Connection
	failed bool
	group  *serviceGroup
}

// top keeps the first connections by a key: a heap whose root is the last of them,
// so that a connection that does not get in costs one comparison.
type top struct {
	key   sortKey
	limit int // 0: keep all
	rows  []ranked

	candidate ranked // being added; a field, so that it stays off the heap
}

// compare is the total order.
func (t *top) compare(a, b *ranked) int {
	return cmp.Or(t.key.less(a, b), cmp.Compare(a.ID, b.ID))
}

// add takes r, which it copies if it is kept.
func (t *top) add(r ranked) {
	t.candidate = r
	switch {
	case t.limit == 0:
		t.rows = append(t.rows, r.keep())
	case len(t.rows) < t.limit:
		t.rows = append(t.rows, r.keep())
		t.up(len(t.rows) - 1)
	case t.compare(&t.candidate, &t.rows[0]) < 0:
		t.rows[0] = r.keep()
		t.down(0)
	}
}

// keep copies a connection with all that later changes of it could reach.
func (r ranked) keep() ranked {
	c := *r.Connection
	c.Tunnels = slices.Clone(c.Tunnels)
	c.SYNWaits = slices.Clone(c.SYNWaits)
	r.Connection = &c
	return r
}

// up and down restore the heap's order: a parent is listed after its children.
func (t *top) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if t.compare(&t.rows[i], &t.rows[parent]) <= 0 {
			return
		}
		t.rows[i], t.rows[parent] = t.rows[parent], t.rows[i]
		i = parent
	}
}

func (t *top) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(t.rows) {
			return
		}
		if child+1 < len(t.rows) && t.compare(&t.rows[child+1], &t.rows[child]) > 0 {
			child++
		}
		if t.compare(&t.rows[child], &t.rows[i]) <= 0 {
			return
		}
		t.rows[i], t.rows[child] = t.rows[child], t.rows[i]
		i = child
	}
}

// sorted are the rows in order.
func (t *top) sorted() []Row {
	order := slices.Clone(t.rows)
	slices.SortFunc(order, func(a, b ranked) int { return t.compare(&a, &b) })
	rows := make([]Row, len(order))
	for i, r := range order {
		rows[i] = Row{Connection: *r.Connection, Service: r.group.key.name, ServiceBasis: r.group.basis()}
	}
	return rows
}
