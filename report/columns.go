package report

import (
	"maps"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sockscope/decode/flow"
	"sockscope/report/service"
)

// eventColumn is not of the record but of what is told of it: it is there only where rows
// are events.
var eventColumn = wordColumn("event", func(r *Row) string { return r.Event.String() })

// vocabulary is the connection record, in the order in which formats print it. Adding a
// figure to the record is adding its line here.
var vocabulary = append([]recordColumn{
	countColumn("id", func(r *Row) (uint64, bool) { return r.ID, true }),
	newColumn("community_id", kindWord, func(b []byte, r *Row, _ *context) ([]byte, bool) {
		return appendCommunityID(b, &r.Connection)
	}),
	wordColumn("proto", func(r *Row) string { return protocolName(r.Protocol) }),
	newColumn("tunnel", kindWord, func(b []byte, r *Row, _ *context) ([]byte, bool) {
		return appendTunnels(b, r.Tunnels), len(r.Tunnels) > 0
	}),
	countColumn("vlan", func(r *Row) (uint64, bool) { return uint64(r.VLAN), r.HasVLAN }),
	newColumn("interface", kindText, appendInterface),
	countColumn("part_of", func(r *Row) (uint64, bool) { return r.PartOf, r.PartOf > 0 }),

	newColumn("client_ip", kindWord, func(b []byte, r *Row, _ *context) ([]byte, bool) { return appendAddr(b, r.Client) }),
	countColumn("client_port", func(r *Row) (uint64, bool) { return uint64(r.Client.Port()), r.HasPorts }),
	wordColumn("client_range", func(r *Row) string { return r.rangeName(r.Client) }),
	newColumn("server_ip", kindWord, func(b []byte, r *Row, _ *context) ([]byte, bool) { return appendAddr(b, r.Server) }),
	countColumn("server_port", func(r *Row) (uint64, bool) { return uint64(r.Server.Port()), r.HasPorts }),
	wordColumn("server_range", func(r *Row) string { return r.rangeName(r.Server) }),
	wordColumn("role_basis", func(r *Row) string { return r.Role.String() }),

	textColumn("service", func(r *Row) string { return r.Service }),
	textColumn("service_basis", func(r *Row) string { return r.ServiceBasis }),
	textColumn("server_name", func(r *Row) string { return r.Evidence.ServerName }),
	textColumn("alpn", func(r *Row) string { return r.Evidence.ALPN }),

	wordColumn("outcome", (*Row).outcome),
	flagColumn("failed", func(r *Row) (bool, bool) { return r.Failed(), r.Event != flow.Opened }),
	newColumn("flags", kindWords, appendFlags),
	wordColumn("close", (*Row).close),
	wordColumn("closed_by", func(r *Row) string { return r.ClosedBy.String() }),
	textColumn("conn_state", func(r *Row) string { return r.ConnState }),
	textColumn("history", func(r *Row) string { return r.History }),
	countColumn("completeness", func(r *Row) (uint64, bool) { return uint64(r.Completeness), r.Completeness != 0 }),

	countColumn("first_frame", func(r *Row) (uint64, bool) { return r.FirstFrame, r.FirstFrame > 0 }),
	countColumn("syn_frame", func(r *Row) (uint64, bool) { return r.SYNFrame, r.SYNFrame > 0 }),
	countColumn("synack_frame", func(r *Row) (uint64, bool) { return r.SYNACKFrame, r.SYNACKFrame > 0 }),
	countColumn("ack_frame", func(r *Row) (uint64, bool) { return r.ACKFrame, r.ACKFrame > 0 }),
	countColumn("verdict_frame", func(r *Row) (uint64, bool) { return r.VerdictFrame, r.VerdictFrame > 0 }),
	countColumn("syn_count", func(r *Row) (uint64, bool) { return uint64(r.SYNCount), r.hasHandshake() }),
	countColumn("synack_count", func(r *Row) (uint64, bool) { return uint64(r.SYNACKCount), r.hasHandshake() }),
	newColumn("syn_waits_ns", kindNumbers, appendWaits),
	countColumn("icmp_type", func(r *Row) (uint64, bool) { t, _, ok := icmpOf(r); return uint64(t), ok }),
	countColumn("icmp_code", func(r *Row) (uint64, bool) { _, c, ok := icmpOf(r); return uint64(c), ok }),
	newColumn("icmp_from", kindWord, func(b []byte, r *Row, _ *context) ([]byte, bool) {
		return r.ICMPFrom.WithZone("").AppendTo(b), r.HasICMP && r.ICMPFrom.IsValid()
	}),

	newColumn("start", kindWord, appendStart),
	durationColumn("duration_ns", (*Row).duration),
	durationColumn("syn_rtt_ns", func(r *Row) time.Duration { return r.SYNRTT }),
	durationColumn("ack_rtt_ns", func(r *Row) time.Duration { return r.ACKRTT }),
	durationColumn("setup_ns", func(r *Row) time.Duration { return r.Setup }),
	flagColumn("ambiguous", func(r *Row) (bool, bool) {
		return r.Ambiguous, r.SYNRTT != flow.NoDuration || r.ACKRTT != flow.NoDuration
	}),

	countColumn("packets_c2s", func(r *Row) (uint64, bool) { return r.ToServer.Packets, true }),
	countColumn("packets_s2c", func(r *Row) (uint64, bool) { return r.ToClient.Packets, true }),
	countColumn("bytes_c2s", func(r *Row) (uint64, bool) { return r.ToServer.Bytes, true }),
	countColumn("bytes_s2c", func(r *Row) (uint64, bool) { return r.ToClient.Bytes, true }),
	countColumn("ip_bytes_c2s", func(r *Row) (uint64, bool) { return r.ToServer.IPBytes, true }),
	countColumn("ip_bytes_s2c", func(r *Row) (uint64, bool) { return r.ToClient.IPBytes, true }),
	countColumn("payload_bytes_c2s", func(r *Row) (uint64, bool) { return r.ToServer.Payload, true }),
	countColumn("payload_bytes_s2c", func(r *Row) (uint64, bool) { return r.ToClient.Payload, true }),

	countColumn("syn_c2s", func(r *Row) (uint64, bool) { return uint64(r.ToServer.SYNs), r.isTCP() }),
	countColumn("syn_s2c", func(r *Row) (uint64, bool) { return uint64(r.ToClient.SYNs), r.isTCP() }),
	countColumn("synack_c2s", func(r *Row) (uint64, bool) { return uint64(r.ToServer.SYNACKs), r.isTCP() }),
	countColumn("synack_s2c", func(r *Row) (uint64, bool) { return uint64(r.ToClient.SYNACKs), r.isTCP() }),
	countColumn("fin_c2s", func(r *Row) (uint64, bool) { return uint64(r.ToServer.FINs), r.isTCP() }),
	countColumn("fin_s2c", func(r *Row) (uint64, bool) { return uint64(r.ToClient.FINs), r.isTCP() }),
	countColumn("rst_c2s", func(r *Row) (uint64, bool) { return uint64(r.ToServer.RSTs), r.isTCP() }),
	countColumn("rst_s2c", func(r *Row) (uint64, bool) { return uint64(r.ToClient.RSTs), r.isTCP() }),
	countColumn("retransmissions_c2s", func(r *Row) (uint64, bool) { return r.ToServer.Retransmissions, r.isTCP() }),
	countColumn("retransmissions_s2c", func(r *Row) (uint64, bool) { return r.ToClient.Retransmissions, r.isTCP() }),
	countColumn("out_of_order_c2s", func(r *Row) (uint64, bool) { return r.ToServer.OutOfOrder, r.isTCP() }),
	countColumn("out_of_order_s2c", func(r *Row) (uint64, bool) { return r.ToClient.OutOfOrder, r.isTCP() }),
	countColumn("dup_acks_c2s", func(r *Row) (uint64, bool) { return r.ToServer.DupACKs, r.isTCP() }),
	countColumn("dup_acks_s2c", func(r *Row) (uint64, bool) { return r.ToClient.DupACKs, r.isTCP() }),
	countColumn("zero_windows_c2s", func(r *Row) (uint64, bool) { return r.ToServer.ZeroWindows, r.isTCP() }),
	countColumn("zero_windows_s2c", func(r *Row) (uint64, bool) { return r.ToClient.ZeroWindows, r.isTCP() }),
	countColumn("keep_alives_c2s", func(r *Row) (uint64, bool) { return r.ToServer.KeepAlives, r.isTCP() }),
	countColumn("keep_alives_s2c", func(r *Row) (uint64, bool) { return r.ToClient.KeepAlives, r.isTCP() }),
	countColumn("missing_bytes_c2s", func(r *Row) (uint64, bool) { return r.ToServer.Missing, r.isTCP() }),
	countColumn("missing_bytes_s2c", func(r *Row) (uint64, bool) { return r.ToClient.Missing, r.isTCP() }),
	roundTripColumn("rtt_min_ns_c2s", toServer, func(s *flow.RoundTrips) time.Duration { return s.Min }),
	roundTripColumn("rtt_min_ns_s2c", toClient, func(s *flow.RoundTrips) time.Duration { return s.Min }),
	roundTripColumn("rtt_p50_ns_c2s", toServer, func(s *flow.RoundTrips) time.Duration { return s.P50 }),
	roundTripColumn("rtt_p50_ns_s2c", toClient, func(s *flow.RoundTrips) time.Duration { return s.P50 }),
	roundTripColumn("rtt_p95_ns_c2s", toServer, func(s *flow.RoundTrips) time.Duration { return s.P95 }),
	roundTripColumn("rtt_p95_ns_s2c", toClient, func(s *flow.RoundTrips) time.Duration { return s.P95 }),
	roundTripColumn("rtt_max_ns_c2s", toServer, func(s *flow.RoundTrips) time.Duration { return s.Max }),
	roundTripColumn("rtt_max_ns_s2c", toClient, func(s *flow.RoundTrips) time.Duration { return s.Max }),
	countColumn("rtt_samples_c2s", func(r *Row) (uint64, bool) { n := r.ToServer.RoundTrips.Samples; return n, n > 0 }),
	countColumn("rtt_samples_s2c", func(r *Row) (uint64, bool) { n := r.ToClient.RoundTrips.Samples; return n, n > 0 }),

	countColumn("mss_client", func(r *Row) (uint64, bool) { return uint64(r.ToServer.Options.MSS), r.ToServer.Options.HasMSS }),
	countColumn("mss_server", func(r *Row) (uint64, bool) { return uint64(r.ToClient.Options.MSS), r.ToClient.Options.HasMSS }),
	countColumn("window_scale_client", func(r *Row) (uint64, bool) {
		return uint64(r.ToServer.Options.WindowScale), r.ToServer.Options.HasScale
	}),
	countColumn("window_scale_server", func(r *Row) (uint64, bool) {
		return uint64(r.ToClient.Options.WindowScale), r.ToClient.Options.HasScale
	}),
	flagColumn("sack_permitted_client", func(r *Row) (bool, bool) { return offered(&r.ToServer.Options, r.ToServer.Options.SACKPermitted) }),
	flagColumn("sack_permitted_server", func(r *Row) (bool, bool) { return offered(&r.ToClient.Options, r.ToClient.Options.SACKPermitted) }),
	flagColumn("timestamps_client", func(r *Row) (bool, bool) { return offered(&r.ToServer.Options, r.ToServer.Options.Timestamps) }),
	flagColumn("timestamps_server", func(r *Row) (bool, bool) { return offered(&r.ToClient.Options, r.ToClient.Options.Timestamps) }),
	countColumn("isn_client", func(r *Row) (uint64, bool) { return uint64(r.ToServer.Options.ISN), r.ToServer.Options.Known }),
	countColumn("isn_server", func(r *Row) (uint64, bool) { return uint64(r.ToClient.Options.ISN), r.ToClient.Options.Known }),
}, processColumns...)

// offered is whether an option was offered, and whether that is known: what is not among
// options that were cut off may have been.
func offered(o *flow.Options, has bool) (value, known bool) { return has, o.Known && (has || !o.Cut) }

// ColumnNames are the names of the connection record that --columns takes, in the
// order of the vocabulary. A name whose figure does not exist yet is not among them.
func ColumnNames() []string {
	names := make([]string, len(vocabulary))
	for i := range vocabulary {
		names[i] = vocabulary[i].name
	}
	return names
}

// columnAliases are short names that --columns takes too, for one column or for both
// directions of a figure.
var columnAliases = map[string][]string{
	"bytes":    {"bytes_c2s", "bytes_s2c"},
	"packets":  {"packets_c2s", "packets_s2c"},
	"duration": {"duration_ns"},
	"syn_rtt":  {"syn_rtt_ns"},
	"ack_rtt":  {"ack_rtt_ns"},
	"setup":    {"setup_ns"},
}

// ColumnAliases are the short names that --columns takes beside ColumnNames, in
// alphabetic order.
func ColumnAliases() []string { return slices.Sorted(maps.Keys(columnAliases)) }

// unalias puts the columns' own names in the place of aliases.
func unalias(names []string) []string {
	all := make([]string, 0, len(names))
	for _, name := range names {
		if columns := columnAliases[name]; columns != nil {
			all = append(all, columns...)
		} else {
			all = append(all, name)
		}
	}
	return all
}

// outcome is absent where a row says that a connection opens: nothing has come of it yet.
func (r *Row) outcome() string {
	if r.Event == flow.Opened {
		return ""
	}
	return r.Outcome.String()
}

func (r *Row) close() string {
	if r.Event == flow.Opened {
		return ""
	}
	return r.Close.String()
}

func toServer(r *Row) *flow.Direction { return &r.ToServer }
func toClient(r *Row) *flow.Direction { return &r.ToClient }

// roundTripColumn makes a column of what the samples of a direction's round trips are.
func roundTripColumn(name string, direction func(*Row) *flow.Direction, figure func(*flow.RoundTrips) time.Duration) recordColumn {
	return durationColumn(name, func(r *Row) time.Duration {
		if s := &direction(r).RoundTrips; s.Samples > 0 {
			return figure(s)
		}
		return flow.NoDuration
	})
}

// NeedsRoundTrips reports whether one of the columns tells round trips of data, which the
// connection table measures when asked to.
func NeedsRoundTrips(columns []string) bool {
	return slices.ContainsFunc(columns, func(name string) bool { return strings.HasPrefix(name, "rtt_") })
}

// isTCP reports whether the TCP figures exist.
func (r *Row) isTCP() bool { return r.Protocol == protoTCP }

// hasHandshake reports whether the protocol has one: SCTP's four chunks map onto
// TCP's three segments.
func (r *Row) hasHandshake() bool { return r.Protocol == protoTCP || r.Protocol == protoSCTP }

// rangeName is the range of an end's port, "" without ports.
func (r *Row) rangeName(end netip.AddrPort) string {
	if !r.HasPorts {
		return ""
	}
	return service.RangeOf(end.Port()).String()
}

// appendAddr appends an end's address. A zone is no part of an address on the wire.
func appendAddr(b []byte, end netip.AddrPort) ([]byte, bool) {
	a := end.Addr()
	if a.Is4() {
		return appendIPv4(b, a.As4()), true
	}
	return a.WithZone("").AppendTo(b), a.IsValid()
}

func appendInterface(b []byte, r *Row, x *context) ([]byte, bool) {
	i := x.iface(r.Interface)
	if i == nil {
		return b, false
	}
	return append(b, i.Name...), i.Name != ""
}

func appendStart(b []byte, r *Row, x *context) ([]byte, bool) {
	if !r.First.Known() {
		return b, false
	}
	return x.clock.append(b, r.First, digitsOf(r.First, x.resolution(r))), true
}

// resolution is that of the timestamps of r's interface, 0 when not known.
func (x *context) resolution(r *Row) time.Duration {
	if i := x.iface(r.Interface); i != nil {
		return i.Resolution
	}
	return 0
}

func appendWaits(b []byte, r *Row, _ *context) ([]byte, bool) {
	for i, d := range r.SYNWaits {
		if i > 0 {
			b = append(b, listSeparator)
		}
		b = strconv.AppendInt(b, int64(d), 10)
	}
	return b, len(r.SYNWaits) > 0
}

func appendFlags(b []byte, r *Row, _ *context) ([]byte, bool) {
	set := r.Flags & (1<<flow.NumFlags - 1)
	if set == 0 {
		return b, false
	}
	for ; set != 0; set &= set - 1 {
		b = append(append(b, flagWords[bits.TrailingZeros32(uint32(set))]...), listSeparator)
	}
	return b[:len(b)-1], true
}

// flagWords are the words of FlagSet by bit: Names would allocate for every row.
var flagWords = flow.FlagSet(1<<flow.NumFlags - 1).Names()

// icmpOf is the type and code that a row tells: those of the ICMP error that quotes
// the connection, or an ICMP conversation's own.
func icmpOf(r *Row) (typ, code uint8, ok bool) {
	if r.HasICMP {
		return r.ICMPType, r.ICMPCode, true
	}
	return r.Type, r.Code, r.IsICMP
}
