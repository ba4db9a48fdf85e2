package report

import (
	"fmt"
	"net/netip"
	"time"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// A scene collects connections for tests of the Builder.
type scene struct {
	connections []*flow.Connection
	frame       uint64
	now         capture.Timestamp

	owners map[uint64][2]capture.Owner // by connection; nil: no source knows them
	host   *capture.Host               // nil for files
	live   Config                      // its Filtered and AllInterfaces
}

func newScene() *scene { return &scene{now: at(0)} }

// tcp adds a TCP attempt that begins after wait.
func (s *scene) tcp(client, server string, outcome flow.Outcome, wait time.Duration, change ...func(c *flow.Connection)) *flow.Connection {
	s.now += capture.Timestamp(wait)
	c := &flow.Connection{
		ID: uint64(len(s.connections) + 1), Protocol: protoTCP, HasPorts: true,
		Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server),
		Role: flow.RoleSYN, Outcome: outcome, Close: flow.Never,
		First: s.now, Last: s.now,
		SYNRTT: flow.NoDuration, ACKRTT: flow.NoDuration, Setup: flow.NoDuration,
		SYNCount: 1, FirstFrame: s.frame + 1, SYNFrame: s.frame + 1, VerdictFrame: s.frame + 1,
		ToServer: flow.Direction{Packets: 1, Bytes: 74, SYNs: 1},
	}
	switch outcome {
	case flow.Complete:
		c.Close = flow.Fin
		c.SYNACKFrame, c.ACKFrame, c.VerdictFrame = s.frame+2, s.frame+3, s.frame+3
		c.SYNRTT, c.ACKRTT, c.Setup = 12*time.Millisecond, 80*time.Microsecond, 12080*time.Microsecond
		c.ToServer = flow.Direction{Packets: 8, Bytes: 1200, Payload: 600, SYNs: 1, FINs: 1}
		c.ToClient = flow.Direction{Packets: 7, Bytes: 9400, Payload: 8900, SYNACKs: 1, FINs: 1}
		c.Last += capture.Timestamp(250 * time.Millisecond)
	case flow.Refused:
		c.VerdictFrame = s.frame + 2
		c.ToClient = flow.Direction{Packets: 1, Bytes: 60, RSTs: 1}
		c.Last += capture.Timestamp(300 * time.Microsecond)
	case flow.HalfOpen:
		c.SYNACKFrame, c.VerdictFrame = s.frame+2, s.frame+2
		c.ToClient = flow.Direction{Packets: 1, Bytes: 74, SYNACKs: 1}
	}
	for _, f := range change {
		f(c)
	}
	s.frame += c.ToServer.Packets + c.ToClient.Packets
	s.connections = append(s.connections, c)
	return c
}

// later ends the capture that much later, with a connection that worked.
func (s *scene) later(wait time.Duration) {
	s.tcp("10.0.0.250:1000", "192.0.2.250:443", flow.Complete, wait)
}

// udp adds a UDP exchange.
func (s *scene) udp(client, server string, outcome flow.Outcome, wait time.Duration, change ...func(c *flow.Connection)) *flow.Connection {
	return s.tcp(client, server, outcome, wait, append([]func(c *flow.Connection){func(c *flow.Connection) {
		c.Protocol, c.Role, c.Close = protoUDP, flow.RoleRegistry, flow.NoClose
		c.SYNCount, c.SYNFrame, c.VerdictFrame = 0, 0, 0
		c.ToServer = flow.Direction{Packets: 1, Bytes: 80, Payload: 38}
		if outcome == flow.Answered {
			c.ToClient = flow.Direction{Packets: 1, Bytes: 140, Payload: 98}
		}
	}}, change...)...)
}

func proves(service string) func(c *flow.Connection) {
	return func(c *flow.Connection) { c.Evidence = flow.Evidence{Service: service, FromClient: true} }
}

func volume(toServer, toClient uint64) func(c *flow.Connection) {
	return func(c *flow.Connection) {
		c.ToServer.Bytes, c.ToClient.Bytes = toServer, toClient
		c.ToServer.Packets, c.ToClient.Packets = toServer/900+3, toClient/1400+3
	}
}

// totals are what an engine that read exactly these connections would count.
func (s *scene) totals() *flow.Totals {
	t := &flow.Totals{First: capture.Unknown, Last: capture.Unknown, Links: map[capture.LinkType]uint64{}}
	for _, c := range s.connections {
		t.Connections.Frames += c.ToServer.Packets + c.ToClient.Packets
		t.Connections.Bytes += c.ToServer.Bytes + c.ToClient.Bytes
		if c.First.Known() && (!t.First.Known() || c.First < t.First) {
			t.First = c.First
		}
		if c.Last.Known() && (!t.Last.Known() || c.Last > t.Last) {
			t.Last = c.Last
		}
	}
	t.Frames, t.Bytes, t.Captured = t.Connections.Frames, t.Connections.Bytes, t.Connections.Bytes
	t.Links[capture.LinkEthernet] = t.Frames
	return t
}

func (s *scene) stats() capture.Stats {
	t := s.totals()
	return capture.Stats{
		Inputs:     []capture.Input{{Name: "office.pcap", Format: "pcap", Frames: t.Frames, Bytes: t.Bytes, Captured: t.Captured}},
		Interfaces: []capture.Interface{{Link: capture.LinkEthernet, Resolution: time.Microsecond}},
	}
}

func (s *scene) builder(cfg Config) *Builder {
	if s.owners != nil {
		cfg.Owners = func(c *flow.Connection) [2]capture.Owner { return s.owners[c.ID] }
	}
	return s.builderAsking(cfg, len(s.connections)/2)
}

// builderAsking asks the kernel before connection number n is added.
func (s *scene) builderAsking(cfg Config, n int) *Builder {
	cfg.Filtered, cfg.AllInterfaces = s.live.Filtered, s.live.AllInterfaces
	if s.host != nil {
		cfg.Local = &capture.Host{Addresses: s.host.Addresses, EphemeralLow: s.host.EphemeralLow, EphemeralHigh: s.host.EphemeralHigh}
	}
	b := NewBuilder(cfg)
	var c flow.Connection
	for i, x := range s.connections {
		if i == n {
			b.Ask(s.host)
		}
		c = *x // the caller's one is overwritten each time
		b.Add(&c)
	}
	if n >= len(s.connections) {
		b.Ask(s.host)
	}
	return b
}

func (s *scene) summary(cfg Config) *Summary {
	return s.builder(cfg).Summary(s.stats(), s.totals())
}

// officeScene has most outcomes and closes, IPv4 and IPv6, and names in need of room.
func officeScene() *scene {
	s := newScene()
	for i, client := range []string{"10.0.0.5:51234", "10.0.0.5:51235", "10.0.0.6:40000", "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:51000"} {
		server := "192.0.2.10:443"
		if i == 3 {
			server = "[2001:db8:ffff:eeee:dddd:cccc:bbbb:2]:443"
		}
		s.tcp(client, server, flow.Complete, 90*time.Millisecond, proves("tls"), volume(4000, 1_600_000/uint64(i+1)))
	}
	s.tcp("10.0.0.5:51240", "192.0.2.10:80", flow.Complete, time.Second, func(c *flow.Connection) {
		c.Close, c.ClosedBy = flow.Reset, flow.ServerSide
		c.ToClient.Payload = 0
	})
	s.tcp("10.0.0.5:51241", "192.0.2.10:80", flow.Complete, time.Millisecond, proves("http"), func(c *flow.Connection) {
		c.Flags = flow.SYNRetransmitted | flow.ZeroWindow
		c.SYNCount, c.SYNWaits, c.Setup = 3, []time.Duration{time.Second, 2 * time.Second}, 3012*time.Millisecond
		c.ToClient.ZeroWindows = 4
	})
	s.tcp("10.0.0.7:50001", "192.0.2.10:8080", flow.Refused, time.Millisecond)
	s.tcp("10.0.0.7:50002", "192.0.2.10:8080", flow.Refused, time.Millisecond)
	s.tcp("10.0.0.7:50003", "198.51.100.1:5432", flow.Unanswered, time.Millisecond, func(c *flow.Connection) {
		c.SYNCount, c.SYNWaits = 4, []time.Duration{1003 * time.Millisecond, 2 * time.Second, 4 * time.Second}
		c.ToServer.Packets, c.ToServer.Bytes, c.Flags = 4, 296, flow.SYNRetransmitted
	})
	s.tcp("10.0.0.8:50004", "203.0.113.9:443", flow.Unreachable, time.Millisecond, func(c *flow.Connection) {
		c.HasICMP, c.ICMPType, c.ICMPCode, c.ICMPFrom = true, 3, 1, netip.MustParseAddr("10.0.0.1")
	})
	s.tcp("10.0.0.8:50005", "203.0.113.9:22", flow.HalfOpen, time.Millisecond)
	s.tcp("10.0.0.8:50006", "203.0.113.9:22", flow.Aborted, time.Millisecond, func(c *flow.Connection) { c.ClosedBy = flow.ClientSide })
	s.tcp("10.0.0.8:50007", "203.0.113.9:3306", flow.Mismatched, time.Millisecond)
	s.tcp("10.0.0.9:50008", "203.0.113.10:49999", flow.Midstream, time.Millisecond, func(c *flow.Connection) {
		c.Role, c.Close, c.Flags = flow.RoleRange, flow.Open, flow.OneWay
	})
	s.udp("10.0.0.5:53124", "10.0.0.1:53", flow.Answered, time.Millisecond, proves("domain"))
	s.udp("10.0.0.5:53125", "10.0.0.1:53", flow.Unanswered, time.Millisecond, proves("domain"))
	s.udp("10.0.0.5:5353", "224.0.0.251:5353", flow.Unanswered, time.Millisecond)
	s.udp("10.0.0.5:60000", "10.0.0.3:123", flow.Unreachable, time.Millisecond, func(c *flow.Connection) {
		c.HasICMP, c.ICMPType, c.ICMPCode, c.ICMPFrom = true, 3, 3, netip.MustParseAddr("10.0.0.3")
	})
	return s
}

// attackScene has what the many attempts of a few sources look like, beside a
// little honest traffic.
func attackScene() *scene {
	s := newScene()
	s.tcp("10.0.0.5:51234", "192.0.2.10:443", flow.Complete, time.Millisecond, proves("tls"))
	for i := range 600 { // flood from many addresses
		outcome := flow.HalfOpen
		if i > 400 {
			outcome = flow.Unanswered
		}
		s.tcp(fmt.Sprintf("198.51.%d.%d:%d", i/200, i%200+1, 1024+i), "192.0.2.10:80", outcome, 5*time.Millisecond)
	}
	for i := range 40 { // port scan: two ports are open
		outcome := flow.Refused
		if i%20 == 3 {
			outcome = flow.Aborted
		}
		s.tcp(fmt.Sprintf("203.0.113.66:%d", 40000+i), fmt.Sprintf("192.0.2.11:%d", 20+i), outcome, time.Millisecond,
			func(c *flow.Connection) { c.ClosedBy = flow.ClientSide })
	}
	for i := range 30 { // host scan
		s.tcp(fmt.Sprintf("203.0.113.67:%d", 40000+i), fmt.Sprintf("192.0.2.%d:22", 100+i), flow.Unanswered, time.Millisecond)
	}
	for i := range 12 { // a client without a way out
		s.tcp(fmt.Sprintf("10.0.0.9:%d", 40000+i), fmt.Sprintf("198.18.0.%d:443", i), flow.Unanswered, time.Second,
			func(c *flow.Connection) { c.SYNCount, c.SYNWaits = 2, []time.Duration{time.Second} })
	}
	for i := range 25 { // traceroute
		s.udp(fmt.Sprintf("10.0.0.6:%d", 50000+i), fmt.Sprintf("192.0.2.99:%d", 33434+i), flow.Unanswered, time.Millisecond)
	}
	for i := range 7 { // backscatter
		s.tcp(fmt.Sprintf("10.0.0.7:%d", 50000+i), fmt.Sprintf("192.0.2.%d:80", 200+i), flow.ReplyOnly, time.Millisecond)
	}
	s.tcp("10.0.0.5:51235", "192.0.2.11:25", flow.Refused, time.Millisecond) // honest, on a scanned port
	return s
}

// hostileSummary has names from the wire that try to move the cursor, and an input
// with everything that can be wrong.
func hostileSummary() *Summary {
	s := newScene()
	evil := "\x1b[2Jevil\u202e\u200b\x00\x9b31m\u0085\u2028\xff"
	s.tcp("10.0.0.1:1000", "10.0.0.2:2000", flow.Complete, 0, proves("한국어서비스"+evil), volume(1e12, 1e15))
	s.tcp("[fe80::1%\x1b[2J]:1000", "10.0.0.2:2000", flow.Refused, 0, proves(evil))
	totals := s.totals()
	totals.Frames += 15
	totals.Bytes += 1500
	totals.ICMP = flow.Volume{Frames: 3, Bytes: 300}
	totals.OtherIP[89] = flow.Volume{Frames: 2, Bytes: 200}
	totals.NonIP = map[uint16]flow.Volume{0x0806: {Frames: 4, Bytes: 400}, 0x1234: {Frames: 1, Bytes: 100}}
	totals.Undecoded[decode.Truncated] = flow.Volume{Frames: 2, Bytes: 200}
	totals.Fragments = flow.Volume{Frames: 1, Bytes: 100}
	totals.Filtered = flow.Volume{Frames: 2, Bytes: 200}
	vxlan := flow.TunnelKey{Kind: decode.VXLAN, Version: 4, HasID: true, ID: 42, A: decode.Addr{10, 0, 0, 1}, B: decode.Addr{10, 0, 0, 2}}
	totals.Tunnels.Add(vxlan, flow.Volume{Frames: 5, Bytes: 500})
	totals.Tunnels.Add(flow.TunnelKey{Kind: decode.PBB}, flow.Volume{Frames: 5, Bytes: 400})
	stats := s.stats()
	stats.Inputs = []capture.Input{{
		Name: "사무실" + evil + ".pcapng", Format: "pcapng", Compression: "gzip",
		Damage: []capture.Damage{
			{Unit: "record", Record: 2, Offset: 102, What: "data cut short (57 of 62 bytes)" + evil, Kept: 1, Stopped: true},
			{Offset: -1, What: "not a capture" + evil, Unread: true},
		},
		Anomalies: []capture.Count{{Name: "zero-length-record", N: 3}},
		Notes:     []string{"the file holds TLS secrets" + evil},
	}}
	stats.Interfaces = []capture.Interface{{Name: evil, Drops: 1234}}
	return s.builder(Config{}).Summary(stats, totals)
}
