package report

import (
	"net/netip"
	"time"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// sampleInterfaces are the interfaces of sampleRows.
var sampleInterfaces = []capture.Interface{
	{Name: "eth0", Link: capture.LinkEthernet, Resolution: time.Microsecond},
	{Name: "이더넷 1", Link: capture.LinkEthernet, Resolution: time.Nanosecond},
	{Link: capture.LinkRaw, Resolution: time.Second},
}

// at is a time of the samples: nanoseconds after 2024-02-29 23:59:58 UTC.
func at(ns int64) capture.Timestamp { return capture.Timestamp(1709251198e9 + ns) }

// tcpRow is a TCP connection without a handshake to speak of.
func tcpRow(id uint64, client, server string) Row {
	return Row{Connection: flow.Connection{
		ID: id, Protocol: protoTCP, HasPorts: true,
		Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server),
		SYNRTT: flow.NoDuration, ACKRTT: flow.NoDuration, Setup: flow.NoDuration,
		First: at(0), Last: at(0), Close: flow.Never,
	}}
}

// sampleRows has every outcome, both IP versions, protocols with and without
// ports, and every column at least once.
func sampleRows() []Row {
	complete := tcpRow(1, "192.0.2.10:49152", "198.51.100.7:443")
	complete.Service, complete.ServiceBasis = "tls", "payload"
	complete.Evidence = flow.Evidence{Service: "tls", FromClient: true, ServerName: "예시.example", ALPN: "h2"}
	complete.Outcome, complete.Close, complete.ClosedBy = flow.Complete, flow.Fin, flow.ClientSide
	complete.Flags = flow.ECN | flow.SYNRetransmitted | flow.RSTInjected
	complete.ConnState, complete.History, complete.Completeness = "SF", "ShADadFf", 31
	complete.SYNFrame, complete.SYNACKFrame, complete.ACKFrame, complete.VerdictFrame = 1, 3, 4, 4
	complete.SYNCount, complete.SYNACKCount = 2, 1
	complete.SYNWaits = []time.Duration{time.Second, 2 * time.Second}
	complete.First, complete.Last = at(123456000), at(5_123456000)
	complete.SYNRTT, complete.ACKRTT, complete.Setup = 231*time.Microsecond, 1234*time.Nanosecond, 1012345678
	complete.Ambiguous = true
	complete.HasVLAN, complete.VLAN = true, 100
	complete.ToServer = flow.Direction{Packets: 12, Bytes: 3456, IPBytes: 3288, Payload: 2800, ZeroWindows: 1, KeepAlives: 2,
		RoundTrips: flow.RoundTrips{Samples: 3, Min: 230_000, P50: 260_000, P95: 1_200_000, Max: 1_200_000},
		SYNs:       2, FINs: 1, Options: flow.Options{Known: true, ISN: 4294967295, HasMSS: true, MSS: 1460, HasScale: true, WindowScale: 7, SACKPermitted: true, Timestamps: true}}
	complete.ToClient = flow.Direction{
		RoundTrips: flow.RoundTrips{Samples: 12345, Min: 900, P50: 1500, P95: 4_000_000_000, Max: 5_000_000_000},
		Packets:    1234567, Bytes: 1870000000, IPBytes: 1850000000, Payload: 1790000000,
		SYNACKs: 1, FINs: 1, Options: flow.Options{Known: true, ISN: 7}}

	refused := tcpRow(2, "[2001:db8::1]:50000", "[2001:db8:0:1:2:3:4:5]:8080")
	refused.Service, refused.ServiceBasis = "http-alt", "port"
	refused.Outcome, refused.ConnState, refused.History, refused.Completeness = flow.Refused, "REJ", "Sr", 33
	refused.Interface, refused.First, refused.Last = 1, at(1_000000001), at(1_000500001)
	refused.SYNFrame, refused.VerdictFrame, refused.SYNCount = 5, 6, 1
	refused.ToServer = flow.Direction{Packets: 1, Bytes: 94, IPBytes: 80, SYNs: 1}
	refused.ToClient = flow.Direction{Packets: 1, Bytes: 74, IPBytes: 60, RSTs: 1}

	unreachable := tcpRow(3, "10.0.0.1:40000", "10.9.9.9:22")
	unreachable.Service, unreachable.ServiceBasis = "ssh", "port"
	unreachable.Outcome, unreachable.ConnState, unreachable.History = flow.Unreachable, "S0", "S"
	unreachable.HasICMP, unreachable.ICMPType, unreachable.ICMPCode, unreachable.ICMPFrom = true, 3, 1, netip.MustParseAddr("10.0.0.254")
	unreachable.First, unreachable.Last = at(2_000000000), at(2_000000000) // the next day
	unreachable.SYNFrame, unreachable.VerdictFrame, unreachable.SYNCount = 7, 8, 1

	unanswered := tcpRow(4, "10.0.0.1:40001", "10.9.9.9:23")
	unanswered.Outcome, unanswered.ConnState, unanswered.History = flow.Unanswered, "S0", "S"
	unanswered.First, unanswered.Last = at(3e9), at(18e9)
	unanswered.SYNCount, unanswered.SYNFrame, unanswered.Flags = 4, 9, flow.SYNRetransmitted|flow.OneWay

	halfOpen := tcpRow(5, "10.0.0.1:40002", "10.9.9.9:80")
	halfOpen.Outcome, halfOpen.ConnState, halfOpen.History = flow.HalfOpen, "S1", "Sh"
	halfOpen.SYNRTT = 15 * time.Millisecond

	aborted := tcpRow(6, "10.0.0.1:40003", "10.9.9.9:80")
	aborted.Outcome = flow.Aborted
	mismatched := tcpRow(7, "10.0.0.1:40004", "10.9.9.9:80")
	mismatched.Outcome, mismatched.Flags = flow.Mismatched, flow.SYNACKMismatch
	replyOnly := tcpRow(8, "10.0.0.1:40005", "10.9.9.9:80")
	replyOnly.Outcome, replyOnly.Role = flow.ReplyOnly, flow.RoleSYNACK
	implied := tcpRow(9, "10.0.0.1:40006", "10.9.9.9:80")
	implied.Outcome, implied.Close, implied.Interface = flow.Implied, flow.Evicted, 2
	midstream := tcpRow(10, "10.0.0.1:40007", "10.9.9.9:80")
	midstream.Outcome, midstream.Close, midstream.ClosedBy = flow.Midstream, flow.ResetAfterFin, flow.ServerSide
	midstream.PartOf = 9
	midstream.First, midstream.Last, midstream.Role = capture.Unknown, capture.Unknown, flow.RoleFirst

	answered := tcpRow(11, "192.168.1.52:54585", "8.8.8.8:53")
	answered.Protocol, answered.Outcome, answered.Close = protoUDP, flow.Answered, flow.NoClose
	answered.Service, answered.ServiceBasis = "domain", "payload"
	answered.Evidence = flow.Evidence{Service: "domain", ServerName: "=cmd|' /C calc'!A0\x1b[31m,\"\u202e"}
	answered.ConnState, answered.History = "SF", "Dd"
	answered.Tunnels = []decode.Tunnel{
		{Kind: decode.VXLAN, Version: 4, HasID: true, ID: 42, Src: decode.Addr{10, 0, 0, 1}, Dst: decode.Addr{10, 0, 0, 2}},
		{Kind: decode.PBB, HasID: true, ID: 7},
	}
	answered.ToServer = flow.Direction{Packets: 1, Bytes: 74, IPBytes: 60, Payload: 32}
	answered.ToClient = flow.Direction{Packets: 1, Bytes: 90, IPBytes: 76, Payload: 48}
	answered.Last = at(12_345678000)

	answered.FirstFrame = 42

	ping := Row{Connection: flow.Connection{
		ID: 12, Protocol: protoICMPv6, Client: netip.MustParseAddrPort("[fe80::1]:0"), Server: netip.MustParseAddrPort("[fe80::2]:0"),
		Outcome: flow.Answered, Role: flow.RoleFirst, First: at(0), Last: at(3600e9),
		SYNRTT: flow.NoDuration, ACKRTT: flow.NoDuration, Setup: flow.NoDuration,
	}}
	gre := ping
	gre.ID, gre.Protocol, gre.Outcome = 13, 47, flow.Unanswered
	gre.Client, gre.Server = netip.MustParseAddrPort("10.0.0.1:0"), netip.MustParseAddrPort("10.0.0.2:0")
	sctp := tcpRow(14, "192.168.170.8:7", "192.168.170.56:7")
	sctp.Protocol, sctp.Outcome, sctp.Close = protoSCTP, flow.Complete, flow.HalfClose

	return []Row{complete, refused, unreachable, unanswered, halfOpen, aborted, mismatched, replyOnly, implied,
		midstream, answered, ping, gre, sctp}
}

// sampleSummary has every part of a Summary, with figures that need not agree.
func sampleSummary() *Summary {
	outcomes := [flow.NumOutcomes]uint64{flow.Complete: 2, flow.Refused: 1, flow.Answered: 1}
	tally := Tally{Connections: 4, Outcomes: outcomes, Failed: 1, Packets: 1234571, Bytes: 1 << 62, Payload: 1790002848}
	quantiles := Quantiles{N: 3, P50: 12 * time.Millisecond, P95: 20 * time.Millisecond, P99: 21 * time.Millisecond, Approximate: true}
	return &Summary{
		Inputs: []capture.Input{
			{Name: "office\x1b.pcapng", Format: "pcapng", Compression: "zstd", Frames: 20, Bytes: 2000, Captured: 1900,
				Damage: []capture.Damage{{Code: "data-cut-short", Unit: "record", Record: 2, Offset: 102,
					What: "data cut short (57 of 62 bytes)", Kept: 1, Stopped: true}},
				Anomalies: []capture.Count{{Name: "capture-longer-than-wire", N: 3}, {Name: "statistics-block", N: 1}},
				Notes:     []string{"holds TLS secrets", "=1+1"}},
			{Name: "-", Damage: []capture.Damage{{Code: "not-a-capture", Offset: -1, What: "empty file, not a capture", Unread: true}}},
		},
		Interfaces: append(sampleInterfaces[:2:2], capture.Interface{Name: "lo", Description: "a|b <c>", SnapLength: 262144, Input: 1, Drops: 7}),
		Links:      []LinkCount{{capture.LinkEthernet, 19}, {65000, 1}},
		First:      at(0), Last: at(3600e9), Frames: 20, Bytes: 2000, Captured: 1900, Drops: 7,
		Total: tally,
		Ranges: []Range{
			{Name: "well-known", High: 1023, Tally: tally, Share: 0.75, Busiest: []string{"tls", "~ssh"}, SYNRTT: quantiles},
			{Name: "none"},
		},
		Clients: []RangeCount{{"dynamic", 4}},
		Roles:   []RoleCount{{flow.RoleSYN, 3}, {flow.RolePayload, 1}},
		Services: []Service{
			{Name: "tls", Proven: true, Protocol: "tcp", Port: 443, HasPort: true, Ports: 2, Clients: 3, Servers: 1, Tally: tally, Setup: quantiles},
			{Name: "ssh", Protocol: "tcp", Port: 22, HasPort: true, Ports: 1, Clients: 70000, Servers: 1, ClientsApproximate: true, ServersApproximate: true},
			{Protocol: "icmpv6", Clients: 1, Servers: 1},
		},
		Doors: Doors{Endpoints: 3, Busiest: netip.MustParseAddrPort("198.51.100.7:443"), Protocol: "tcp", Service: "tls", Connections: 2,
			Clients: 2, ClientsApproximate: true},
		Trouble: []Trouble{
			{Kind: "refused", Severity: Problem, Subject: "tcp [2001:db8::5]:8080 (~http-alt)", Text: "refused 1 of 1 connections", Count: 1,
				AtLeast: true, Since: at(0), Until: at(1), Frames: []uint64{5, 6}},
			{Kind: "damage", Severity: Warning, Text: "an input is damaged", Count: 1, Since: capture.Unknown, Until: capture.Unknown},
		},
		Worse: 2,
		Tunnels: []TunnelCount{
			{Kind: "vxlan", A: netip.MustParseAddr("10.0.0.1"), B: netip.MustParseAddr("10.0.0.2"), ID: 42, HasID: true, Frames: 2, Bytes: 164},
			{Kind: "macsec", Frames: 1, Bytes: 60},
		},
		Timeline:    Timeline{Start: at(0), Step: time.Second, Buckets: []Bucket{{3, 1}, {1, 0}}},
		Connections: sampleRows(), Sort: "bytes", Top: 14,
		Ledger: Ledger{Frames: 20, Lines: []LedgerLine{{"tcp", "", 17, 1800}, {"non-ip", "0x88cc", 2, 120}, {"undecodable", "truncated", 1, 80}},
			Connections: 4, Outcomes: outcomes, Balanced: true},
	}
}
