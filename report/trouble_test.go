package report

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// told is the trouble of a Summary, one line each.
func told(s *Summary) []string {
	var lines []string
	for _, t := range s.Trouble {
		lines = append(lines, fmt.Sprintf("%v %s %d %v: %s: %s", t.Severity, t.Kind, t.Count, t.Frames, t.Subject, t.Text))
	}
	return lines
}

func icmp(from string, icmpType, code uint8) func(c *flow.Connection) {
	return func(c *flow.Connection) {
		c.HasICMP, c.ICMPFrom, c.ICMPType, c.ICMPCode = true, netip.MustParseAddr(from), icmpType, code
	}
}

func TestTrouble(t *testing.T) {
	const client, server = "10.0.0.1:50000", "192.0.2.1:443"
	tests := []struct {
		name  string
		build func(s *scene)
		want  []string
	}{
		{"connections that worked are none", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0)
			s.udp(client, "192.0.2.1:53", flow.Answered, 0)
			s.tcp(client, server, flow.Midstream, 0)
			s.tcp(client, server, flow.Complete, 0, func(c *flow.Connection) { c.Close = flow.ResetAfterFin })
		}, nil},
		{"a service that refuses everybody is a problem", func(s *scene) {
			s.tcp(client, server, flow.Refused, 0)
			s.tcp("10.0.0.2:1", server, flow.Refused, 0)
			s.tcp("10.0.0.3:1", server, flow.Refused, 0)
		}, []string{"problem refused 3 [2 4 6]: tcp 192.0.2.1:443 (~https): refused all 3 connections from 3 clients: nothing listens on this port"}},
		{"a service that refuses some is a warning", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0)
			s.tcp(client, server, flow.Refused, 0)
		}, []string{"warning refused 1 [17]: tcp 192.0.2.1:443 (~https): refused 1 of 2 connections from 10.0.0.1: nothing listens on this port"}},
		{"an unanswered port shows the back-off", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0, func(c *flow.Connection) {
				c.SYNCount, c.SYNWaits = 3, []time.Duration{1024 * time.Millisecond, 2 * time.Second}
			})
		}, []string{"problem unanswered 1 [1]: tcp 192.0.2.1:443 (~https): left the only connection from 10.0.0.1 unanswered (3 SYNs, waits 1.02 s, 2 s): host down or filtered"}},
		{"what a router reports is one line for all it reports", func(s *scene) {
			s.tcp(client, "198.51.100.1:443", flow.Unreachable, 0, icmp("10.0.0.254", 3, 0))
			s.tcp(client, "198.51.100.2:22", flow.Unreachable, 0, icmp("10.0.0.254", 3, 0))
			s.tcp(client, "[2001:db8::1]:22", flow.Unreachable, 0, icmp("fe80::1", 1, 3))
		}, []string{
			"problem unreachable 2 [1 2]: 10.0.0.254: says network unreachable (ICMP type 3, code 0) about 2 connections from 10.0.0.1 to 2 servers, first tcp 198.51.100.1:443 (~https)",
			"problem unreachable 1 [3]: fe80::1: says address unreachable (ICMPv6 type 1, code 3) about 1 connection from 10.0.0.1 to tcp [2001:db8::1]:22 (~ssh)",
		}},
		{"a closed UDP port is told by its own host", func(s *scene) {
			s.udp(client, "192.0.2.1:53", flow.Unreachable, 0, icmp("192.0.2.1", 3, 3))
		}, []string{"problem unreachable 1 [1]: udp 192.0.2.1:53 (~domain): answered the only attempt from 10.0.0.1 with port unreachable (ICMP type 3, code 3): nothing listens on this port"}},
		{"a reset says who and whether data came before", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0, func(c *flow.Connection) { c.Close, c.ClosedBy, c.ToClient.Payload = flow.Reset, flow.ServerSide, 0 })
			s.tcp(client, server, flow.Complete, 0, func(c *flow.Connection) { c.Close, c.ClosedBy = flow.Reset, flow.ClientSide })
		}, []string{
			"warning reset 1 [3]: tcp 192.0.2.1:443 (~https): the server reset 1 of 2 connections after the handshake, 1 before it sent any data",
			"note reset 1 [18]: tcp 192.0.2.1:443 (~https): the client 10.0.0.1 reset 1 of 2 connections after the handshake",
		}},
		{"flags are trouble of connections that worked", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0, func(c *flow.Connection) {
				c.Flags, c.ToServer.ZeroWindows = flow.RSTInjected|flow.ZeroWindow|flow.ReusedOpen, 2
			})
		}, []string{
			"warning injected-reset 1 [3]: tcp 192.0.2.1:443 (~https): an RST does not fit its sender's other packets (hop limit or timing) in the only connection from 10.0.0.1: perhaps injected on the way",
			"warning zero-window 1 [3]: tcp 192.0.2.1:443 (~https): the client 10.0.0.1 announced a full receive buffer (zero window) 2 times in the only connection: its application reads too slowly",
			"note reused-open 1 [1]: tcp 192.0.2.1:443 (~https): the only connection from 10.0.0.1 began anew while the earlier one on the same ports was still open",
		}},
		{"a full receive buffer is shown where it was announced first", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0, func(c *flow.Connection) {
				c.Flags = flow.ZeroWindow
				c.ToServer.ZeroWindows, c.ToServer.ZeroWindowFrame = 1, 9
				c.ToClient.ZeroWindows, c.ToClient.ZeroWindowFrame = 3, 7
			})
		}, []string{
			"warning zero-window 1 [9]: tcp 192.0.2.1:443 (~https): the client 10.0.0.1 announced a full receive buffer (zero window) 1 time in the only connection: its application reads too slowly",
			"warning zero-window 1 [7]: tcp 192.0.2.1:443 (~https): the server announced a full receive buffer (zero window) 3 times in the only connection: its application reads too slowly",
		}},
		{"a query over UDP that nobody answered is shown by its first frame", func(s *scene) {
			s.udp(client, "192.0.2.1:53", flow.Unanswered, 0, proves("domain"))
			s.later(time.Second)
		}, []string{"problem unanswered 1 [1]: udp 192.0.2.1:53 (domain): left the only request from 10.0.0.1 unanswered"}},
		{"a query sent again and again", func(s *scene) {
			s.udp(client, "192.0.2.1:53", flow.Unanswered, 0, proves("domain"), func(c *flow.Connection) { c.ToServer.Packets = 3 })
		}, []string{"problem unanswered 1 [1]: udp 192.0.2.1:53 (domain): 10.0.0.1 asked 3 times without an answer"}},
		{"several queries sent again and again", func(s *scene) {
			for range 2 {
				s.udp(client, "192.0.2.1:53", flow.Unanswered, 0, proves("domain"), func(c *flow.Connection) { c.ToServer.Packets = 3 })
			}
		}, []string{"problem unanswered 2 [1 4]: udp 192.0.2.1:53 (domain): left both conversations from 10.0.0.1 unanswered (6 packets)"}},
		{"a TFTP server answers from another port", func(s *scene) {
			s.udp(client, "192.0.2.1:69", flow.Unanswered, 0, proves("tftp"), func(c *flow.Connection) { c.ToServer.Packets = 3 })
		}, nil},
		{"a SYN at the end of the capture says nothing about the server", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0)
			s.tcp(client, "192.0.2.2:443", flow.Complete, answerTime/2-250*time.Millisecond)
		}, []string{"note unanswered 1 [1]: tcp 192.0.2.1:443 (~https): left the only connection from 10.0.0.1 unanswered: the capture ends 500 ms after the SYN"}},
		{"the first of several SYNs had the least bad chance", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0)
			s.tcp(client, server, flow.Unanswered, answerTime/2)
		}, []string{"note unanswered 2 [1 2]: tcp 192.0.2.1:443 (~https): left both connections from 10.0.0.1 unanswered: the capture ends 500 ms after the first SYN"}},
		{"a second is time enough to answer", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0)
			s.later(answerTime)
		}, []string{"problem unanswered 1 [1]: tcp 192.0.2.1:443 (~https): left the only connection from 10.0.0.1 unanswered: host down or filtered"}},
		{"a query at the end of the capture likewise", func(s *scene) {
			s.udp(client, "192.0.2.1:53", flow.Unanswered, 0, proves("domain"))
		}, []string{"note unanswered 1 [1]: udp 192.0.2.1:53 (domain): left the only request from 10.0.0.1 unanswered: the capture ends 0 s after the request"}},
		{"a client that resets at once gave nobody the time to answer", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0, gaveUp(309*time.Microsecond))
			s.later(time.Minute)
		}, []string{"note unanswered 1 [1]: tcp 192.0.2.1:443 (~https): left the only connection from 10.0.0.1 unanswered: the client gave up after 309 µs"}},
		{"one that waits for a second before does", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0, gaveUp(time.Millisecond))
			s.tcp(client, server, flow.Unanswered, 0, gaveUp(answerTime))
			s.later(time.Minute)
		}, []string{"problem unanswered 2 [1 3]: tcp 192.0.2.1:443 (~https): left both connections from 10.0.0.1 unanswered: host down or filtered"}},
		{"a host that answered anything is not down", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0)
			s.tcp(client, "192.0.2.1:80", flow.Complete, time.Minute)
		}, []string{"problem unanswered 1 [1]: tcp 192.0.2.1:443 (~https): left the only connection from 10.0.0.1 unanswered: filtered, or the port drops it"}},
		{"nor is one that answers a ping", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0)
			s.tcp(client, "192.0.2.1:0", flow.Answered, time.Minute, func(c *flow.Connection) {
				c.Protocol, c.HasPorts, c.ToClient.Packets = protoICMP, false, 1
			})
		}, []string{"problem unanswered 1 [1]: tcp 192.0.2.1:443 (~https): left the only connection from 10.0.0.1 unanswered: filtered, or the port drops it"}},
		{"short silences at very many ports are one note", func(s *scene) {
			for i := range scatterLines + 1 {
				s.tcp(fmt.Sprintf("10.0.0.%d:1000", i/5), fmt.Sprintf("192.0.2.%d:60000", i), flow.Unanswered, 0)
			}
		}, []string{"note unanswered 21 [1 2 3 4 5]: tcp: 21 connections from 5 clients left unanswered by 21 server ports in all, a few each, first tcp 192.0.2.0:60000: the clients gave up, or the capture ends, in less than 1 s"}},
		{"a scan counts ports by their best result", func(s *scene) {
			for i := range scanPorts {
				s.tcp(client, fmt.Sprintf("192.0.2.1:%d", 60000+i), flow.Unanswered, time.Second)
				switch i {
				case 1:
					s.tcp(client, "192.0.2.1:60001", flow.Refused, 0)
				case 2:
					s.tcp(client, "192.0.2.1:60002", flow.Aborted, 0)
					s.tcp(client, "192.0.2.1:60002", flow.Refused, 0)
				case 3:
					s.tcp(client, "192.0.2.1:60003", flow.Mismatched, 0)
				}
			}
		}, []string{"warning port-scan 14 [1 2 4 5 6]: 10.0.0.1: tried 10 tcp ports of 192.0.2.1 (7 unanswered, 1 other, 1 refused, 1 open) in 14 attempts within 9 s: a port scan"}},
		{"an echo request that nobody answered", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0, func(c *flow.Connection) {
				c.Protocol, c.HasPorts, c.Role = protoICMP, false, flow.RolePayload
				c.Client, c.Server = netip.MustParseAddrPort("10.0.0.1:0"), netip.MustParseAddrPort("192.0.2.1:0")
			})
			s.later(time.Second)
		}, []string{"warning unanswered 1 [1]: icmp 192.0.2.1: left 1 request from 10.0.0.1 unanswered"}},
		{"smaller packets asked for", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0, icmp("10.0.0.254", 3, 4))
		}, []string{"warning packet-too-big 1 [3]: 10.0.0.254: says packet too big (ICMP type 3, code 4) about 1 connection from 10.0.0.1 to tcp 192.0.2.1:443 (~https): a sender that does not hear it hangs on large transfers"}},
		{"nine closed ports are no scan", func(s *scene) {
			for i := range scanPorts - 1 {
				s.tcp(client, fmt.Sprintf("192.0.2.1:%d", 60000+i), flow.Refused, 0)
			}
		}, repeated(9, func(i int) string {
			return fmt.Sprintf("problem refused 1 [%d]: tcp 192.0.2.1:%d: refused the only connection from 10.0.0.1: nothing listens on this port", 2*i+2, 60000+i)
		})},
		{"ten closed ports are a scan, and one line", func(s *scene) {
			for i := range scanPorts {
				s.tcp(client, fmt.Sprintf("192.0.2.1:%d", 60000+i), flow.Refused, time.Second)
			}
		}, []string{"warning port-scan 10 [2 4 6 8 10]: 10.0.0.1: tried 10 tcp ports of 192.0.2.1 (10 refused) in 9 s: a port scan"}},
		{"a scan over ports and hosts is one line of its source", func(s *scene) {
			for host := range 12 {
				for port := range 12 - host%2 {
					s.tcp(client, fmt.Sprintf("192.0.2.%d:%d", 1+host, 60000+port), flow.Refused, 0)
				}
			}
		}, []string{"warning port-scan 138 [2 4 6 8 10]: 10.0.0.1: tried 138 tcp ports of 12 hosts, up to 12 of each, first 192.0.2.1 (138 refused): a port scan"}},
		{"a port that others were refused at is still told", func(s *scene) {
			for i := range scanPorts {
				s.tcp(client, fmt.Sprintf("192.0.2.1:%d", 60000+i), flow.Refused, 0)
			}
			s.tcp("10.0.0.2:1", "192.0.2.1:60003", flow.Refused, 0)
		}, []string{
			"problem refused 2 [8 22]: tcp 192.0.2.1:60003: refused both connections from 2 clients: nothing listens on this port",
			"warning port-scan 10 [2 4 6 8 10]: 10.0.0.1: tried 10 tcp ports of 192.0.2.1 (10 refused): a port scan",
		}},
		{"a failure or two at very many ports are one line", func(s *scene) {
			for i := range scatterLines + 1 {
				s.tcp(fmt.Sprintf("10.0.0.%d:1000", i/5), fmt.Sprintf("192.0.2.%d:60000", i), flow.Refused, 0)
			}
			for range scatterEach + 1 {
				s.tcp(client, server, flow.Refused, 0)
			}
		}, []string{
			"problem refused 4 [44 46 48 50]: tcp 192.0.2.1:443 (~https): refused all 4 connections from 10.0.0.1: nothing listens on this port",
			"warning refused 21 [2 4 6 8 10]: tcp: 21 connections from 5 clients refused by 21 server ports in all, a few each, first tcp 192.0.2.0:60000",
		}},
		{"slow connections to many servers are one line", func(s *scene) {
			for i := range scatterSlow + 1 {
				s.tcp(client, fmt.Sprintf("192.0.2.%d:443", i), flow.Complete, 0, func(c *flow.Connection) {
					c.Flags, c.SYNCount = flow.SYNRetransmitted, 2
					c.Close, c.ClosedBy = flow.Reset, flow.ServerSide
				})
			}
		}, []string{
			"warning reset 6 [3 18 33 48 63]: tcp: 6 connections from one client reset by the server after the handshake at 6 server ports in all, a few each, first tcp 192.0.2.0:443 (~https)",
			"warning syn-retransmitted 6 [1 16 31 46 61]: tcp: 6 connections from one client needed more than one SYN at 6 server ports in all, a few each, first tcp 192.0.2.0:443 (~https)",
		}},
		{"segments sent again are trouble when they are many", func(s *scene) {
			again := func(n, packets uint64) func(c *flow.Connection) {
				return func(c *flow.Connection) {
					c.ToClient.Packets, c.ToClient.Retransmissions, c.ToClient.RetransmissionFrame = packets, n, 7
				}
			}
			s.tcp(client, server, flow.Complete, 0, again(5, 250))
			s.tcp(client, server, flow.Complete, 0, again(5, 251)) // below one of fifty
			s.tcp(client, server, flow.Complete, 0, again(4, 10))
			s.tcp(client, server, flow.Complete, 0, again(20, 100))
		}, []string{
			"warning loss 2 [7]: tcp 192.0.2.1:443 (~https): the server sent 25 segments again in 2 of 4 connections: packets get lost on the way, or the capture holds them twice",
		}},
		{"an ICMP reply without its request is no trouble", func(s *scene) {
			s.tcp(client, server, flow.ReplyOnly, 0, func(c *flow.Connection) { c.Protocol, c.HasPorts = protoICMP, false })
		}, nil},
		{"clients that retry are an outage, not a flood", func(s *scene) {
			for i := range 60 {
				s.tcp(fmt.Sprintf("10.0.0.%d:1000", i), server, flow.Unanswered, 0, func(c *flow.Connection) { c.SYNCount = 5 })
			}
		}, []string{"problem unanswered 60 [1 2 3 4 5]: tcp 192.0.2.1:443 (~https): left all 60 connections from 60 clients unanswered (up to 5 SYNs): host down or filtered"}},
		{"the same many SYNs sent once are a flood", func(s *scene) {
			for i := range 60 {
				s.tcp(fmt.Sprintf("10.0.0.%d:1000", i), server, flow.Unanswered, 0)
			}
		}, []string{"problem syn-flood 60 [1 2 3 4 5]: tcp 192.0.2.1:443 (~https): got 60 SYNs whose handshake was never finished from 60 addresses within 0 s: a SYN flood"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			tt.build(s)
			if diff := cmp.Diff(tt.want, told(s.summary(Config{}))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// gaveUp is a client that resets its own attempt.
func gaveUp(after time.Duration) func(c *flow.Connection) {
	return func(c *flow.Connection) {
		c.ClosedBy, c.Last = flow.ClientSide, c.First+capture.Timestamp(after)
		c.ToServer.Packets, c.ToServer.RSTs = 2, 1
	}
}

func TestTroubleLastsUntilItsVerdict(t *testing.T) {
	for outcome, want := range map[flow.Outcome]capture.Timestamp{
		flow.Refused: at(3e9), flow.Aborted: at(3e9), flow.Unanswered: at(0), flow.HalfOpen: at(0),
	} {
		s := newScene()
		s.tcp("10.0.0.1:1", "192.0.2.1:443", outcome, 0, func(c *flow.Connection) { c.Last = at(3e9) })
		if got := s.summary(Config{}).Trouble[0]; got.Since != at(0) || got.Until != want {
			t.Errorf("%v: %v to %v", outcome, got.Since, got.Until)
		}
	}
}

func TestDoorsThatWereOpened(t *testing.T) {
	s := newScene()
	s.tcp("10.0.0.1:1", "192.0.2.1:443", flow.Complete, 0)
	s.tcp("10.0.0.1:1", "192.0.2.1:80", flow.HalfOpen, 0)
	s.tcp("10.0.0.1:1", "192.0.2.1:81", flow.Refused, 0)
	if d := s.summary(Config{}).Doors; d.Endpoints != 3 || d.Open != 2 || d.Entered != 1 {
		t.Errorf("%+v", d)
	}
	s.connections = s.connections[1:]
	if text := textOf(t, s.summary(Config{}), TextOptions{}); strings.Contains(text, "none of the doors") {
		t.Error("a port that sent a SYN-ACK is no closed door")
	}
}

func TestServicesListTheirBusiestPorts(t *testing.T) {
	g := newGroup(serviceKey{})
	for port, n := range map[uint16]uint64{443: 5, 8443: 7, 9443: 5, 10443: 1} {
		g.countPort(port, n)
	}
	for limit, want := range map[int][]uint16{1: {8443}, 3: {8443, 443, 9443}, 9: {8443, 443, 9443, 10443}} {
		if diff := cmp.Diff(want, g.busiestPorts(limit)); diff != "" {
			t.Errorf("%d: %s", limit, diff)
		}
	}
	for want, v := range map[string]Service{
		"443/tcp":                {Protocol: "tcp", HasPort: true, Port: 443, Ports: 1},
		"443, 8443/tcp":          {Protocol: "tcp", HasPort: true, Port: 443, Others: []uint16{8443}, Ports: 2},
		"443, 8443, 9443, …/tcp": {Protocol: "tcp", HasPort: true, Port: 443, Others: []uint16{8443, 9443}, Ports: 4},
	} {
		if got := servicePort(&v); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func repeated(n int, f func(i int) string) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = f(i)
	}
	return lines
}

func TestInputTrouble(t *testing.T) {
	s := officeScene()
	s.connections = s.connections[:1]
	stats, totals := s.stats(), s.totals()
	stats.Inputs[0].Damage = []capture.Damage{
		{Unit: "record", Record: 2, Offset: 102, What: "data cut short (57 of 62 bytes)", Kept: 1},
		{Offset: -1, What: "not a capture", Unread: true},
	}
	stats.Interfaces[0].Drops = 50
	totals.Frames += 3
	totals.Undecoded[decode.Short] = flow.Volume{Frames: 1}
	totals.UnknownLink = map[capture.LinkType]flow.Volume{capture.LinkUSBPcap: {Frames: 2}}
	sum := s.builder(Config{}).Summary(stats, totals)
	want := []string{
		"problem damage 1 []: office.pcap: not a capture",
		"warning drops 50 []: capture: the capturing side lost 50 frames (4.1 % of what passed): verdicts can be wrong",
		"warning damage 1 []: office.pcap: record 2, offset 102: data cut short (57 of 62 bytes); 1 record kept",
		"note undecodable 3 []: capture: 3 frames could not be decoded (2 link type USBPCAP has no decoder, 1 short)",
	}
	if diff := cmp.Diff(want, told(sum)); diff != "" {
		t.Error(diff)
	}
}

func TestTroubleIsBoundedWorstFirst(t *testing.T) {
	s := newScene()
	for i := range MaxTrouble + 100 {
		for range scatterEach + 1 {
			s.tcp(fmt.Sprintf("10.0.%d.%d:1000", i/200, i%200), fmt.Sprintf("192.0.%d.%d:60000", i/200, i%200), flow.Refused, 0)
		}
	}
	s.tcp("10.0.0.1:1", "192.0.2.1:443", flow.Complete, 0, func(c *flow.Connection) { c.Flags = flow.ReusedOpen })
	sum := s.summary(Config{})
	if len(sum.Trouble) != MaxTrouble || sum.Worse != 101 {
		t.Errorf("%d lines, %d more", len(sum.Trouble), sum.Worse)
	}
	if !slices.IsSortedFunc(sum.Trouble, compareTrouble) {
		t.Error("not in order")
	}
	if !strings.Contains(textOf(t, sum, TextOptions{}), "and 595 more") {
		t.Error("the text does not say how many more")
	}
}

func TestEvidenceIsTheLowestFrames(t *testing.T) {
	var e evidence
	for _, f := range []uint64{9, 0, 3, 7, 3, 20, 1, 8, 2} {
		e.add(f)
	}
	if diff := cmp.Diff([]uint64{1, 2, 3, 7, 8}, e.list()); diff != "" {
		t.Error(diff)
	}
}

func TestTroubleAmongMoreTargetsThanAreKept(t *testing.T) {
	b := NewBuilder(Config{})
	s := newScene()
	c := s.tcp("10.0.0.1:1000", "192.0.2.1:443", flow.Refused, 0)
	totals := s.totals()
	for i := range 3 * maxHeavy {
		c.ID, c.VerdictFrame = uint64(i+1), uint64(i+1)
		c.Client, c.Server = netip.AddrPortFrom(address(i), 1000), netip.AddrPortFrom(address(i*7919), 60000)
		if i%100 == 0 {
			c.Server = netip.MustParseAddrPort("192.0.2.1:443")
		}
		b.Add(c)
	}
	got := b.Summary(s.stats(), totals)
	want := (3*maxHeavy + 99) / 100
	if len(got.Trouble) != 2 || got.Trouble[0].Subject != "tcp 192.0.2.1:443 (~https)" || got.Trouble[0].Count != uint64(want) || got.Trouble[0].AtLeast {
		t.Errorf("the heavy target is not told exactly: %q", told(got))
	}
	if last := got.Trouble[len(got.Trouble)-1]; !last.AtLeast || !strings.Contains(last.Text, "at least") {
		t.Errorf("the others are not a lower bound: %q", told(got))
	}
	if !got.Doors.Approximate || got.Total.Connections != 3*maxHeavy {
		t.Errorf("%+v", got.Doors)
	}
}
