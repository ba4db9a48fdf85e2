package report

import (
	"iter"
	"math"
	"net/netip"
	"slices"
	"strconv"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A document is a Summary as a tree of named values. The machine formats write the
// same document, so that their names and numbers cannot differ.
type document []section

// A section is one part of the Summary: a record, or a list of them.
type section struct {
	name    string
	list    bool
	records []record
}

// A record is a line of a section: its members in a fixed order.
type record struct {
	key     string // tells it from the others of its section, where formats need that
	members []member
}

// A member is a name and one of: uint64, int64, float64, bool, string (unescaped),
// []string, []uint64, []member (a record inside), []record (a list inside). An unknown
// value has no member.
type member struct {
	name  string
	value any
}

// documentVersion changes when a name of the document changes its meaning.
const documentVersion = 1

// newDocument makes the document of s, without the connections: each format writes
// these as it writes connection records.
func newDocument(s *Summary) document {
	d := document{
		{name: "document", records: []record{{members: []member{{"version", uint64(documentVersion)}}}}},
		{name: "input", list: true, records: inputRecords(s.Inputs)},
		{name: "interfaces", list: true, records: interfaceRecords(s.Interfaces)},
		{name: "links", list: true, records: linkRecords(s.Links)},
		{name: "capture", records: []record{{members: captureMembers(s)}}},
		{name: "total", records: []record{{members: tallyMembers(&s.Total)}}},
		{name: "ranges", list: true, records: rangeRecords(s.Ranges)},
		{name: "client_ranges", list: true, records: clientRecords(s.Clients)},
		{name: "roles", list: true, records: roleRecords(s.Roles)},
		{name: "services", list: true, records: serviceRecords(s.Services)},
		{name: "doors", records: []record{{members: doorMembers(&s.Doors)}}},
		{name: "trouble", list: true, records: troubleRecords(s.Trouble)},
		{name: "tunnels", list: true, records: tunnelRecords(s.Tunnels)},
		{name: "timeline", records: []record{{members: timelineMembers(&s.Timeline)}}},
		{name: "ledger", records: []record{{members: ledgerMembers(&s.Ledger)}}},
		{name: "problems", records: []record{{members: countMembers(s.Problems)}}},
		{name: "listing", records: []record{{members: listingMembers(s)}}},
	}
	if s.Host != nil {
		d = append(d,
			section{name: "host", records: []record{{members: hostMembers(s.Host)}}},
			section{name: "unvisited_listeners", list: true, records: listenerRecords(s.Host.Unvisited)},
		)
	}
	return d
}

// maybe gives m when its value is known.
func maybe(known bool, name string, value any) []member {
	if !known {
		return nil
	}
	return []member{{name, value}}
}

// named gives the member of a string, where "" is unknown.
func named(name, value string) []member { return maybe(value != "", name, value) }

// timed gives the member of a time: RFC 3339, UTC, microseconds or, where the time
// has them, nanoseconds.
func timed(name string, t capture.Timestamp) []member {
	if !t.Known() {
		return nil
	}
	var c clock
	return []member{{name, string(c.append(nil, t, digitsOf(t, 0)))}}
}

// ratio gives the member of a number that may be none: JSON has no NaN.
func ratio(name string, f float64) []member {
	return maybe(!math.IsNaN(f) && !math.IsInf(f, 0), name, f)
}

// addressed gives the member of an address.
func addressed(name string, a netip.Addr) []member { return maybe(a.IsValid(), name, a.String()) }

// recordsOf makes a record of each value; its key is the value's place from 1.
func recordsOf[T any](values []T, members func(v *T) []member) []record {
	records := make([]record, len(values))
	for i := range values {
		records[i] = record{strconv.Itoa(i + 1), members(&values[i])}
	}
	return records
}

func inputRecords(inputs []capture.Input) []record {
	return recordsOf(inputs, func(in *capture.Input) []member {
		anomalies := countMembers(in.Anomalies)
		return slices.Concat(
			[]member{{"name", in.Name}},
			named("format", in.Format), named("compression", in.Compression),
			[]member{{"frames", in.Frames}, {"bytes", in.Bytes}, {"captured_bytes", in.Captured}, {"damage", damageRecords(in.Damage)}},
			maybe(len(anomalies) > 0, "anomalies", anomalies),
			maybe(len(in.Notes) > 0, "notes", in.Notes),
		)
	})
}

func damageRecords(damage []capture.Damage) []record {
	return recordsOf(damage, func(d *capture.Damage) []member {
		return slices.Concat(
			[]member{{"code", d.Code}},
			named("unit", d.Unit),
			maybe(d.Record > 0, "record", d.Record),
			maybe(d.Offset >= 0, "offset", d.Offset),
			[]member{{"what", d.What}, {"kept", d.Kept}, {"stopped", d.Stopped}, {"unread", d.Unread}},
		)
	})
}

func interfaceRecords(interfaces []capture.Interface) []record {
	return recordsOf(interfaces, func(i *capture.Interface) []member {
		return slices.Concat(
			named("name", i.Name), named("description", i.Description),
			[]member{{"link", i.Link.String()}},
			maybe(i.SnapLength > 0, "snap_length", uint64(i.SnapLength)),
			maybe(i.Resolution > 0, "resolution_ns", int64(i.Resolution)),
			[]member{{"input", int64(i.Input) + 1}, {"drops", i.Drops}},
		)
	})
}

func linkRecords(links []LinkCount) []record {
	return recordsOf(links, func(l *LinkCount) []member {
		return []member{{"link", l.Link.String()}, {"number", uint64(l.Link)}, {"frames", l.Frames}}
	})
}

func captureMembers(s *Summary) []member {
	duration, known := s.Last.Sub(s.First)
	return slices.Concat(
		timed("first", s.First), timed("last", s.Last), maybe(known, "duration_ns", int64(duration)),
		[]member{{"frames", s.Frames}, {"bytes", s.Bytes}, {"captured_bytes", s.Captured}, {"drops", s.Drops}},
	)
}

func tallyMembers(t *Tally) []member {
	return []member{
		{"connections", t.Connections}, {"failed", t.Failed}, {"outcomes", outcomeMembers(&t.Outcomes)},
		{"packets", t.Packets}, {"bytes", t.Bytes}, {"payload_bytes", t.Payload},
		{"retransmissions", t.Retransmissions},
	}
}

// outcomeMembers has all outcomes; the names are the words of the column outcome.
func outcomeMembers(counts *[flow.NumOutcomes]uint64) []member {
	members := make([]member, len(counts))
	for i, n := range counts {
		members[i] = member{flow.Outcome(i).String(), n}
	}
	return members
}

func quantileMembers(q *Quantiles) []member {
	if q.N == 0 {
		return []member{{"samples", uint64(0)}}
	}
	return []member{
		{"samples", q.N}, {"p50_ns", int64(q.P50)}, {"p95_ns", int64(q.P95)}, {"p99_ns", int64(q.P99)},
		{"approximate", q.Approximate},
	}
}

func rangeRecords(ranges []Range) []record {
	return recordsOf(ranges, func(r *Range) []member {
		return slices.Concat(
			[]member{{"name", r.Name}},
			maybe(r.Name != "none", "low", uint64(r.Low)), maybe(r.Name != "none", "high", uint64(r.High)),
			tallyMembers(&r.Tally),
			ratio("share", r.Share),
			[]member{{"busiest", r.Busiest}, {"syn_rtt", quantileMembers(&r.SYNRTT)}},
		)
	})
}

func clientRecords(clients []RangeCount) []record {
	return recordsOf(clients, func(c *RangeCount) []member {
		return []member{{"name", c.Name}, {"connections", c.Connections}}
	})
}

func roleRecords(roles []RoleCount) []record {
	return recordsOf(roles, func(r *RoleCount) []member {
		return []member{{"role_basis", r.Basis.String()}, {"connections", r.Connections}}
	})
}

func serviceRecords(services []Service) []record {
	return recordsOf(services, func(s *Service) []member {
		basis := "port"
		if s.Proven {
			basis = "payload"
		}
		return slices.Concat(
			named("service", s.Name), maybe(s.Name != "", "service_basis", basis),
			[]member{{"proto", s.Protocol}},
			maybe(s.HasPort, "server_port", uint64(s.Port)), maybe(s.HasPort, "server_ports", s.Ports),
			[]member{{"clients", s.Clients}, {"servers", s.Servers}},
			maybe(s.ClientsApproximate, "clients_approximate", true),
			maybe(s.ServersApproximate, "servers_approximate", true),
			tallyMembers(&s.Tally),
			[]member{{"setup", quantileMembers(&s.Setup)}},
			processMembers("processes", &s.ServerProcesses),
			processMembers("client_processes", &s.ClientProcesses),
		)
	})
}

func doorMembers(d *Doors) []member {
	members := []member{{"endpoints", d.Endpoints}, {"entered", d.Entered}, {"open", d.Open}, {"approximate", d.Approximate}}
	if !d.Busiest.IsValid() {
		return members
	}
	return append(members, member{"busiest", slices.Concat(
		[]member{{"proto", d.Protocol}, {"server_ip", d.Busiest.Addr().String()}, {"server_port", uint64(d.Busiest.Port())}},
		named("service", d.Service),
		[]member{{"connections", d.Connections}, {"clients", d.Clients}},
		maybe(d.ClientsApproximate, "clients_approximate", true),
	)})
}

func troubleRecords(trouble []Trouble) []record {
	return recordsOf(trouble, func(t *Trouble) []member {
		return slices.Concat(
			[]member{{"kind", t.Kind}, {"severity", t.Severity.String()}},
			named("subject", t.Subject),
			[]member{{"text", t.Text}, {"count", t.Count}},
			maybe(t.AtLeast, "at_least", true),
			timed("since", t.Since), timed("until", t.Until),
			[]member{{"frames", t.Frames}},
			processMembers("processes", &t.Processes),
		)
	})
}

func tunnelRecords(tunnels []TunnelCount) []record {
	return recordsOf(tunnels, func(t *TunnelCount) []member {
		return slices.Concat(
			[]member{{"kind", t.Kind}},
			addressed("a", t.A), addressed("b", t.B),
			maybe(t.HasID, "id", uint64(t.ID)),
			[]member{{"frames", t.Frames}, {"bytes", t.Bytes}},
		)
	})
}

func timelineMembers(t *Timeline) []member {
	return slices.Concat(
		timed("start", t.Start),
		[]member{{"step_ns", int64(t.Step)}, {"buckets", recordsOf(t.Buckets, func(b *Bucket) []member {
			return []member{{"connections", b.Connections}, {"failed", b.Failed}}
		})}},
	)
}

// countMembers are named numbers as the members of one record.
func countMembers(counts []capture.Count) []member {
	members := make([]member, len(counts))
	for i, c := range counts {
		members[i] = member{c.Name, c.N}
	}
	return members
}

func ledgerMembers(l *Ledger) []member {
	return slices.Concat([]member{
		{"frames", l.Frames},
		{"lines", recordsOf(l.Lines, func(l *LedgerLine) []member {
			return slices.Concat([]member{{"group", l.Group}}, named("name", l.Name), []member{{"frames", l.Frames}, {"bytes", l.Bytes}})
		})},
		{"connections", l.Connections}, {"outcomes", outcomeMembers(&l.Outcomes)}, {"balanced", l.Balanced},
	}, l.early())
}

// early are the connections that ended before their time; nothing when memory was not short.
func (l *Ledger) early() []member {
	if l.Evicted+l.Outlived == 0 {
		return nil
	}
	early := []member{{"evicted", l.Evicted}, {"over_early", l.Outlived}}
	if l.Evicted == 0 {
		return early
	}
	return slices.Concat(early,
		timed("evicted_since", l.EvictedSince), timed("evicted_until", l.EvictedUntil),
		[]member{{"shortages", l.Shortages}},
		maybe(l.DistinctTuples > 0, "distinct_tuples_estimate", l.DistinctTuples),
	)
}

// listingMembers say which lines the Summary lists, of all there are.
func listingMembers(s *Summary) []member {
	return []member{
		{"sort", s.Sort}, {"top", int64(s.Top)}, {"connections", uint64(len(s.Connections))},
		{"trouble", uint64(len(s.Trouble))}, {"trouble_left_out", s.Worse},
	}
}

// values gives every value of the document with its path.
func (d document) values() iter.Seq2[path, any] {
	return func(yield func(path, any) bool) {
		for _, sec := range d {
			for _, r := range sec.records {
				p := path{section: sec.name}
				if sec.list {
					p.key = r.key
				}
				if !walk(p, r.members, yield) {
					return
				}
			}
		}
	}
}

// A path tells where in a document a value is.
type path struct{ section, key, name string }

// below is the path of a member.
func (p path) below(name string) path {
	if p.name != "" {
		name = p.name + "." + name
	}
	p.name = name
	return p
}

// walk gives the values of members and of the records inside them, depth first.
func walk(p path, members []member, yield func(path, any) bool) bool {
	for _, m := range members {
		at := p.below(m.name)
		switch v := m.value.(type) {
		case []member:
			if !walk(at, v, yield) {
				return false
			}
		case []record:
			for _, r := range v {
				if !walk(at.below(r.key), r.members, yield) {
					return false
				}
			}
		default:
			if !yield(at, v) {
				return false
			}
		}
	}
	return true
}
