package page

import (
	"fmt"
	"net/netip"
	"time"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report"
)

// began is when the samples' captures begin.
var began = capture.Timestamp(time.Date(2026, 2, 13, 9, 30, 0, 250_000_000, time.UTC).UnixNano())

func after(d time.Duration) capture.Timestamp { return began + capture.Timestamp(d) }

// tally counts n connections of each outcome given, with made-up volumes.
func tally(outcomes map[flow.Outcome]uint64) report.Tally {
	var t report.Tally
	for o, n := range outcomes {
		t.Outcomes[o] = n
		t.Connections += n
		if o.Failed() {
			t.Failed += n
		}
		t.Packets += n * 11
		t.Bytes += n * 8_431
		t.Payload += n * 7_705
	}
	return t
}

func quantiles(p50, p95, p99 time.Duration) report.Quantiles {
	return report.Quantiles{N: 100, P50: p50, P95: p95, P99: p99}
}

// sampleRow is the i-th connection of a busy morning: most of them work.
func sampleRow(i int) report.Row {
	services := []struct {
		port    uint16
		name    string
		basis   string
		server  string
		sni     string
		alpn    string
		address string
	}{
		{443, "tls", "payload", "192.0.2.10", "shop.example.com", "h2", "10.1.0.%d"},
		{443, "tls", "payload", "2001:db8::10", "시장.example.kr", "http/1.1", "2001:db8:1::%x"},
		{5432, "postgresql", "port", "192.0.2.20", "", "", "10.1.0.%d"},
		{22, "ssh", "payload", "192.0.2.30", "", "", "10.1.0.%d"},
		{8080, "http-alt", "port", "192.0.2.40", "api.internal.example", "", "10.1.0.%d"},
	}
	v := services[i%len(services)]
	r := report.Row{Service: v.name, ServiceBasis: v.basis}
	r.ID = uint64(i + 1)
	r.Protocol = 6
	r.HasPorts = true
	r.Client = netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf(v.address, 10+i%9)), uint16(40000+i%20000))
	r.Server = netip.AddrPortFrom(netip.MustParseAddr(v.server), v.port)
	r.Evidence = flow.Evidence{Service: v.name, ServerName: v.sni, ALPN: v.alpn}
	r.First = after(time.Duration(i) * 1_234_567 * time.Nanosecond)
	r.Last = r.First + capture.Timestamp(time.Duration(1+i%97)*31*time.Millisecond)
	r.SYNFrame, r.SYNACKFrame, r.ACKFrame = uint64(i*11+1), uint64(i*11+2), uint64(i*11+3)
	r.SYNRTT = time.Duration(200+i*37%9000) * time.Microsecond
	r.Setup = r.SYNRTT + 41*time.Microsecond
	r.ACKRTT = 41 * time.Microsecond
	r.Close, r.ClosedBy = flow.Fin, flow.ClientSide
	r.ToServer = flow.Direction{Packets: uint64(5 + i%7), Bytes: uint64(700 + i*13)}
	r.ToClient = flow.Direction{Packets: uint64(6 + i%5), Bytes: uint64(5_000 + i*1_013)}
	unanswered := func() {
		r.SYNACKFrame, r.ACKFrame = 0, 0
		r.Setup, r.SYNRTT, r.ACKRTT = flow.NoDuration, flow.NoDuration, flow.NoDuration
		r.Close, r.ClosedBy = flow.Never, flow.Neither
		r.ToClient = flow.Direction{}
	}
	switch {
	case i%17 == 4:
		unanswered()
		r.Outcome, r.VerdictFrame = flow.Refused, r.SYNFrame+1
		r.ToClient = flow.Direction{Packets: 1, Bytes: 60}
	case i%23 == 6:
		unanswered()
		r.Outcome, r.Flags = flow.Unanswered, flow.SYNRetransmitted
	case i%29 == 7:
		unanswered()
		r.Outcome, r.VerdictFrame = flow.Unreachable, r.SYNFrame+1
		r.HasICMP, r.ICMPType, r.ICMPCode, r.ICMPFrom = true, 3, 1, netip.MustParseAddr("10.1.0.1")
	case i%31 == 8:
		r.Outcome, r.Close, r.ClosedBy = flow.Midstream, flow.Open, flow.Neither
		r.SYNFrame, r.SYNACKFrame, r.ACKFrame = 0, 0, 0
		r.Setup, r.SYNRTT = flow.NoDuration, flow.NoDuration
		r.Role = flow.RoleRegistry
		r.HasVLAN, r.VLAN = true, 100
	}
	return r
}

// sample is a Summary in which every part of the page has something to show, n
// connections listed.
func sample(n int) *report.Summary {
	s := &report.Summary{
		Inputs: []capture.Input{
			{Name: "morning.pcapng", Format: "pcapng", Compression: "zstd", Frames: 11_904, Bytes: 9_121_904, Captured: 9_121_904,
				Anomalies: []capture.Count{{Name: "captured-exceeds-original", N: 3}},
				Notes:     []string{"the file holds TLS secrets"}},
			{Name: "점심 시간.pcap", Format: "pcap", Frames: 1_321, Bytes: 1_023_456, Captured: 1_000_000,
				Damage: []capture.Damage{{Code: "data-cut-short", Unit: "record", Record: 1322, Offset: 1_044_616,
					What: "data cut short (57 of 62 bytes)", Kept: 1_321, Stopped: true}}},
		},
		Links:    []report.LinkCount{{Link: capture.LinkEthernet, Frames: 11_904}, {Link: capture.LinkSLL2, Frames: 1_321}},
		First:    began,
		Last:     after(83*time.Second + 120*time.Millisecond),
		Frames:   13_225,
		Bytes:    10_145_360,
		Captured: 10_121_904,
		Drops:    12,
		Total: tally(map[flow.Outcome]uint64{flow.Complete: 812, flow.Answered: 260, flow.Implied: 4, flow.Refused: 64,
			flow.Unanswered: 31, flow.HalfOpen: 12, flow.Unreachable: 5, flow.Aborted: 2, flow.Midstream: 14}),
		Ranges: []report.Range{
			{Name: "well-known", Low: 0, High: 1023, Share: 0.7123, Busiest: []string{"tls", "domain", "ssh"},
				Tally: tally(map[flow.Outcome]uint64{flow.Complete: 700, flow.Answered: 236, flow.Implied: 4, flow.Unanswered: 31,
					flow.Midstream: 9}),
				SYNRTT: quantiles(1_840*time.Microsecond, 22*time.Millisecond, 80*time.Millisecond)},
			{Name: "registered", Low: 1024, High: 49151, Share: 0.2861, Busiest: []string{"~postgresql", "~http-alt"},
				Tally: tally(map[flow.Outcome]uint64{flow.Complete: 112, flow.Refused: 64, flow.HalfOpen: 12,
					flow.Unreachable: 5, flow.Aborted: 2, flow.Midstream: 5}),
				SYNRTT: quantiles(310*time.Microsecond, 2*time.Millisecond, 9*time.Millisecond)},
			{Name: "dynamic", Low: 49152, High: 65535, Share: 0.0001, Busiest: []string{"unknown"},
				Tally: tally(map[flow.Outcome]uint64{flow.Answered: 16})},
			{Name: "none", Share: 0.0015, Busiest: []string{"icmp"},
				Tally: tally(map[flow.Outcome]uint64{flow.Answered: 8})},
		},
		Clients: []report.RangeCount{{Name: "registered", Connections: 1_010}, {Name: "dynamic", Connections: 186}, {Name: "none", Connections: 8}},
		Roles: []report.RoleCount{{Basis: flow.RoleSYN, Connections: 926}, {Basis: flow.RolePayload, Connections: 236},
			{Basis: flow.RoleRegistry, Connections: 22}, {Basis: flow.RoleFirst, Connections: 20}},
		Trouble: []report.Trouble{
			{Kind: "refused", Severity: report.Problem, Subject: "tcp 192.0.2.20:5432 (~postgresql)",
				Text:  "refused 64 of 186 connections from 7 clients: the host answers, but nothing listens on this port",
				Count: 64, Since: after(12 * time.Second), Until: after(71 * time.Second), Frames: []uint64{56, 243, 430, 617, 804}},
			{Kind: "unanswered", Severity: report.Problem, Subject: "tcp 192.0.2.30:22 (ssh)",
				Text:  "left 31 of 91 connections unanswered from 6 clients, SYNs again after 1 s, 2.01 s and 4.02 s: the host is down, or a filter drops the packets",
				Count: 31, Since: after(3 * time.Second), Until: after(80 * time.Second), Frames: []uint64{78, 1012}},
			{Kind: "half-open", Severity: report.Warning, Subject: "tcp 192.0.2.40:8080 (~http-alt)",
				Text:  "answered 12 of 55 SYNs from 9 clients, but the client's ACK never came",
				Count: 12, Since: after(40 * time.Second), Until: after(41 * time.Second), Frames: []uint64{7_801}},
			{Kind: "reset", Severity: report.Note, Subject: "tcp [2001:db8::10]:443 (tls)",
				Text: "the client reset 2 of 91 connections after the handshake", Count: 2, Since: after(50 * time.Second),
				Until: after(50 * time.Second), Frames: []uint64{9_001, 9_002}},
		},
		Worse: 3,
		Doors: report.Doors{Endpoints: 23, Entered: 17, Open: 19, Busiest: netip.MustParseAddrPort("192.0.2.10:443"), Protocol: "tcp", Service: "tls",
			Connections: 551, Clients: 9},
		Interfaces: []capture.Interface{{Name: "eth0"}, {Name: "무선랜"}, {}},
		Tunnels: []report.TunnelCount{
			{Kind: "vxlan", A: netip.MustParseAddr("10.0.0.1"), B: netip.MustParseAddr("10.0.0.2"), HasID: true, ID: 42, Frames: 1_200, Bytes: 1_204_000},
			{Kind: "pbb", Frames: 3, Bytes: 300},
		},
		Timeline: report.Timeline{Start: began, Step: 2 * time.Second},
		Sort:     "bytes",
		Top:      n,
		Ledger: report.Ledger{
			Frames: 13_225,
			Lines: []report.LedgerLine{
				{Group: "tcp", Frames: 10_870, Bytes: 9_900_000}, {Group: "udp", Frames: 2_100, Bytes: 230_000},
				{Group: "icmp", Frames: 21, Bytes: 2_058}, {Group: "non-ip", Name: "arp", Frames: 230, Bytes: 13_800},
				{Group: "undecodable", Name: "tcp-header", Frames: 4, Bytes: 240},
			},
			Balanced: true,
		},
	}
	s.Total.Failed -= 9 // datagrams that asked for no answer
	s.Ranges[0].Tally.Failed -= 9
	s.Ledger.Connections, s.Ledger.Outcomes = s.Total.Connections, s.Total.Outcomes
	for i := range 42 {
		b := report.Bucket{Connections: uint64(18 + i*7%23)}
		switch {
		case i%6 == 0:
			b.Failed = uint64(3 + i%5)
		case i == 20:
			b.Connections, b.Failed = 61, 38
		case i == 33:
			b.Connections = 0
		}
		s.Timeline.Buckets = append(s.Timeline.Buckets, b)
	}
	for i, v := range []struct {
		name     string
		proven   bool
		protocol string
		port     uint16
	}{
		{"tls", true, "tcp", 443}, {"domain", true, "udp", 53}, {"postgresql", false, "tcp", 5432}, {"ssh", true, "tcp", 22},
		{"http-alt", false, "tcp", 8080}, {"http", true, "tcp", 80}, {"ntp", false, "udp", 123}, {"", false, "udp", 51820},
		{"mqtt", false, "tcp", 1883}, {"redis", false, "tcp", 6379}, {"imaps", false, "tcp", 993}, {"ldap", false, "tcp", 389},
		{"syslog", false, "udp", 514}, {"icmp", true, "icmp", 0},
	} {
		outcomes := map[flow.Outcome]uint64{flow.Complete: uint64(600 / (i*i + 1)), flow.Midstream: uint64(i % 3)}
		switch {
		case v.protocol != "tcp":
			outcomes = map[flow.Outcome]uint64{flow.Answered: uint64(480 / (i*i + 1))}
		case v.port == 5432:
			outcomes[flow.Refused] = 64
		case v.port == 22:
			outcomes[flow.Unanswered] = 31
		case v.port == 8080:
			outcomes[flow.HalfOpen], outcomes[flow.Unreachable], outcomes[flow.Aborted] = 12, 5, 2
		}
		line := report.Service{Name: v.name, Proven: v.proven, Protocol: v.protocol, Port: v.port, HasPort: v.protocol != "icmp",
			Clients: uint64(9 - i%4), Servers: uint64(1 + i%3), Tally: tally(outcomes)}
		if v.protocol == "tcp" {
			line.Setup = quantiles(time.Duration(900+i*311)*time.Microsecond, time.Duration(7+i)*time.Millisecond, time.Duration(31+i*9)*time.Millisecond)
		}
		line.Tally.Retransmissions = uint64(i) * line.Tally.Packets / 500
		s.Services = append(s.Services, line)
	}
	rest := s.Total.Connections
	for _, v := range s.Services[1:] {
		rest -= v.Tally.Connections
	}
	s.Services[0].Tally = tally(map[flow.Outcome]uint64{flow.Complete: rest - 4, flow.Implied: 4})
	for i := range n {
		s.Connections = append(s.Connections, sampleRow(i))
	}
	if n > 2 {
		r := &s.Connections[2] // one without ports
		*r = report.Row{Connection: flow.Connection{ID: 3, Protocol: 1, Client: netip.AddrPortFrom(netip.MustParseAddr("10.1.0.12"), 0),
			Server: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), 0), Role: flow.RoleFirst, Outcome: flow.Answered,
			First: after(5 * time.Millisecond), Last: after(9 * time.Millisecond), Setup: flow.NoDuration, SYNRTT: flow.NoDuration,
			ToServer: flow.Direction{Packets: 4, Bytes: 392}, ToClient: flow.Direction{Packets: 4, Bytes: 392},
			Tunnels: []decode.Tunnel{{Kind: decode.GRE, Version: 4}}}}
	}
	return s
}

// live is a sample of a live capture: with processes, and with what the kernel said.
func live(n int) *report.Summary {
	s := sample(n)
	named := func(pid int, name, unit string) capture.Owner {
		return capture.Owner{Process: &capture.Process{PID: pid, Name: name, Unit: unit}, Basis: capture.BasisExact}
	}
	nginx, shop, pg, node := named(812, "nginx", "nginx.service"), named(4711, "결제서버", "shop.service"), named(500, "postgres", ""), named(501, "node_exporter", "")
	nginx.Basis = capture.BasisListener
	worker := func(i int) capture.Owner { return named(900+i, "worker", "") }
	for i := range s.Connections {
		switch s.Connections[i].Server.Port() {
		case 443:
			s.Connections[i].Owners = [2]capture.Owner{{}, nginx}
		case 5432:
			s.Connections[i].Owners = [2]capture.Owner{shop, pg}
		case 8080:
			s.Connections[i].Owners = [2]capture.Owner{worker(i % 3), {}}
		}
	}
	s.Services[0].ServerProcesses = report.Processes{List: []report.ProcessUse{{Owner: nginx, Connections: 551}}}
	s.Services[2].ServerProcesses = report.Processes{List: []report.ProcessUse{{Owner: pg, Connections: 120}}}
	s.Services[4].ClientProcesses = report.Processes{
		List: []report.ProcessUse{{Owner: worker(0), Connections: 20}, {Owner: worker(1), Connections: 18}, {Owner: shop, Connections: 2}},
	}
	s.Trouble = append([]report.Trouble{
		{Kind: "reply-dropped", Severity: report.Problem, Subject: "tcp 192.0.2.40:8080 (~http-alt)", Count: 3, Frames: []uint64{78, 81, 99},
			Text: "answered 3 connections by worker[900], worker[901], but the kernel stays in SYN-SENT and sends its SYN again, up to 4 times: " +
				"the answers are dropped on this host, by a firewall or by the reverse path filter",
			Since: after(4 * time.Second), Until: after(30 * time.Second)},
		{Kind: "listen-overflow", Severity: report.Problem, Subject: "this host", Count: 12, Since: capture.Unknown, Until: capture.Unknown,
			Text: "dropped 12 connection attempts since the capture began because an accept queue was full: a process accepts too slowly; " +
				"full now: tcp 0.0.0.0:443 of nginx[812] (129 waiting, 128 may)"},
	}, s.Trouble...)
	s.Host = &report.Host{
		EphemeralLow: 32768, EphemeralHigh: 60999, AllInterfaces: true, Clients: 1_010, Ephemeral: 1_004, Listening: 7,
		Unvisited: []report.Listener{
			{Protocol: "tcp", Address: netip.MustParseAddrPort("[2001:db8::1]:179"), Service: "~bgp", Unavailable: "no permission"},
			{Protocol: "tcp", Address: netip.MustParseAddrPort("127.0.0.1:6379"), Service: "~redis", LoopbackOnly: true, Owners: []capture.Owner{shop}},
			{Protocol: "tcp", Address: netip.MustParseAddrPort("[::]:9100"), Owners: []capture.Owner{node}},
			{Protocol: "udp", Address: netip.MustParseAddrPort("0.0.0.0:123"), Service: "~ntp", Owners: []capture.Owner{worker(0), worker(1)}},
		},
		LeftOut: 2,
	}
	return s
}
