package report

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// own says whose the sockets of a connection are.
func (s *scene) own(c *flow.Connection, client, server capture.Owner) *flow.Connection {
	if s.owners == nil {
		s.owners = make(map[uint64][2]capture.Owner)
	}
	s.owners[c.ID] = [2]capture.Owner{client, server}
	return c
}

// on makes the scene one of a live capture on this host.
func (s *scene) on(addresses ...string) *capture.Host {
	s.host = &capture.Host{EphemeralLow: 32768, EphemeralHigh: 60999}
	for _, a := range addresses {
		s.host.Addresses = append(s.host.Addresses, netip.MustParseAddr(a))
	}
	s.live.AllInterfaces = true
	return s.host
}

// socket adds a TCP socket of the kernel; remote "" is none.
func (s *scene) socket(state, local, remote string, owner capture.Owner, change ...func(*capture.Socket)) {
	k := capture.Socket{Protocol: protoTCP, Local: netip.MustParseAddrPort(local), State: state, Inode: uint64(1 + len(s.host.Sockets))}
	if remote != "" {
		k.Remote = netip.MustParseAddrPort(remote)
	}
	if owner.Known() {
		k.Owners = []capture.Owner{owner}
	}
	for _, f := range change {
		f(&k)
	}
	s.host.Sockets = append(s.host.Sockets, k)
}

func resends(n uint8) func(*capture.Socket) {
	return func(s *capture.Socket) { s.Retransmits = n }
}

func queued(waiting, room uint32) func(*capture.Socket) {
	return func(s *capture.Socket) { s.ReceiveQueue, s.SendQueue = waiting, room }
}

func overUDP(s *capture.Socket) { s.Protocol, s.State = protoUDP, "CLOSED" }

var worker = &capture.Process{PID: 77, Name: "worker"}

// liveScene is a server in trouble, as seen on all its interfaces with all that its
// kernel knows.
func liveScene() *scene {
	s := newScene()
	h := s.on("10.0.0.1", "2001:db8::1")
	h.ListenOverflows, h.ListenDrops = 3, 3
	mapped := &capture.Process{PID: 900, Name: "결제서버", Command: "/srv/결제 --포트=8443", HasUID: true, UID: 998, User: "결제", Unit: "결제.service"}
	for i := range 4 { // a proxy: nginx serves, and asks the application on loopback
		client, local := fmt.Sprintf("192.0.2.%d:50000", 10+i), fmt.Sprintf("127.0.0.1:%d", 40000+i)
		s.own(s.tcp(client, "10.0.0.1:443", flow.Complete, time.Second, proves("tls"), ends(flow.HalfClose, flow.ClientSide)), capture.Owner{}, listening(nginx))
		s.own(s.tcp(local, "127.0.0.1:8443", flow.Complete, time.Millisecond, ends(flow.HalfClose, flow.ClientSide)), exactly(nginx), exactly(mapped))
		s.socket("CLOSE-WAIT", "127.0.0.1:8443", local, exactly(mapped), queued(700, 0))
	}
	for i := range 3 {
		s.own(s.tcp(fmt.Sprintf("10.0.0.1:%d", 41000+i), "192.0.2.200:5432", flow.Refused, time.Second), exactly(mapped), capture.Owner{})
	}
	s.own(s.tcp("10.0.0.1:41009", "192.0.2.201:443", flow.HalfOpen, time.Second, syns(3), synACKs(3)), exactly(curl), capture.Owner{})
	s.socket("SYN-SENT", "10.0.0.1:41009", "192.0.2.201:443", exactly(curl), resends(2))
	s.own(s.udp("10.0.0.1:61000", "192.0.2.53:53", flow.Answered, time.Second, proves("domain")), capture.Owner{Process: pod, Basis: capture.BasisCgroup}, capture.Owner{})
	s.tcp("192.0.2.66:1", "10.0.0.1:8080", flow.Unanswered, 0)
	s.tcp("192.0.2.66:2", "10.0.0.1:5432", flow.Refused, 0)
	s.later(time.Minute)

	s.socket("LISTEN", "[::]:443", "", exactly(nginx))
	s.socket("LISTEN", "[::]:443", "", exactly(&capture.Process{PID: 81, Name: "nginx"}))
	s.socket("LISTEN", "127.0.0.1:8443", "", exactly(mapped))
	s.socket("LISTEN", "0.0.0.0:8080", "", exactly(crawl), queued(129, 128))
	s.socket("LISTEN", "127.0.0.1:5432", "", exactly(&capture.Process{PID: 500, Name: "postgres"}))
	s.socket("LISTEN", "[::]:9100", "", exactly(&capture.Process{PID: 501, Name: "node_exporter"}))
	s.socket("LISTEN", "[2001:db8::1]:179", "", capture.Owner{}, func(s *capture.Socket) { s.Unavailable = "no permission" })
	s.socket("", "0.0.0.0:123", "", exactly(&capture.Process{PID: 502, Name: "시계데몬"}), overUDP)
	return s
}

func TestTroubleNamesProcesses(t *testing.T) {
	const client, server = "10.0.0.1:50000", "192.0.2.1:443"
	tests := []struct {
		name  string
		build func(s *scene)
		want  []string
	}{
		{"who was refused", func(s *scene) {
			s.own(s.tcp(client, server, flow.Refused, 0), exactly(curl), capture.Owner{})
			s.own(s.tcp(client, server, flow.Refused, 0), exactly(worker), capture.Owner{})
			s.own(s.tcp(client, server, flow.Refused, 0), exactly(worker), capture.Owner{})
			s.own(s.tcp(client, server, flow.Refused, 0), exactly(crawl), capture.Owner{})
		}, []string{"problem refused 4 [2 4 6 8]: tcp 192.0.2.1:443 (~https): refused all 4 connections from 10.0.0.1 by worker[77], curl[4711] +1: nothing listens on this port"}},
		{"who got no answer", func(s *scene) {
			s.own(s.tcp(client, server, flow.Unanswered, 0), exactly(curl), capture.Owner{})
			s.later(time.Minute)
		}, []string{"problem unanswered 1 [1]: tcp 192.0.2.1:443 (~https): left the only connection from 10.0.0.1 by curl[4711] unanswered: host down or filtered"}},
		{"who asked again and again", func(s *scene) {
			s.own(s.udp(client, "192.0.2.1:53", flow.Unanswered, 0, proves("domain"), func(c *flow.Connection) { c.ToServer.Packets = 3 }),
				exactly(curl), capture.Owner{})
		}, []string{"problem unanswered 1 [1]: udp 192.0.2.1:53 (domain): 10.0.0.1 (curl[4711]) asked 3 times without an answer"}},
		{"the server's process where the server did it", func(s *scene) {
			s.own(s.tcp(client, server, flow.Complete, 0, func(c *flow.Connection) { c.Close, c.ClosedBy = flow.Reset, flow.ServerSide }),
				exactly(curl), listening(nginx))
		}, []string{"warning reset 1 [3]: tcp 192.0.2.1:443 (~https): the server (~nginx[80]) reset the only connection after the handshake"}},
		{"the client's where the client did it", func(s *scene) {
			s.own(s.tcp(client, server, flow.Complete, 0, func(c *flow.Connection) { c.Close, c.ClosedBy = flow.Reset, flow.ClientSide }),
				exactly(curl), listening(nginx))
		}, []string{"note reset 1 [3]: tcp 192.0.2.1:443 (~https): the client 10.0.0.1 (curl[4711]) reset the only connection after the handshake"}},
		{"who scans", func(s *scene) {
			for i := range 12 {
				s.own(s.tcp(client, fmt.Sprintf("192.0.2.1:%d", 20+i), flow.Refused, time.Millisecond), exactly(worker), capture.Owner{})
			}
		}, []string{"warning port-scan 12 [2 4 6 8 10]: 10.0.0.1: tried 12 tcp ports of 192.0.2.1 (12 refused) in 11 ms by worker[77]: a port scan"}},
		{"who has no way out", func(s *scene) {
			for i := range 12 {
				s.own(s.tcp(client, fmt.Sprintf("198.18.0.%d:443", i), flow.Unanswered, time.Second, func(c *flow.Connection) { c.SYNCount = 2 }),
					exactly(worker), capture.Owner{})
			}
		}, []string{"problem cut-off 12 [1 2 3 4 5]: 10.0.0.1: got no connection to 12 hosts at tcp port 443 in 11 s (12 unanswered) by worker[77], " +
			"and sent its SYNs again and again: its way out is broken or filtered"}},
		{"many ports in one line", func(s *scene) {
			for i := range 22 {
				s.own(s.tcp(fmt.Sprintf("10.0.0.%d:50000", i+1), fmt.Sprintf("192.0.2.1:%d", 20+i), flow.Refused, time.Millisecond), exactly(worker), capture.Owner{})
			}
		}, []string{"warning refused 22 [2 4 6 8 10]: tcp: 22 connections from 22 clients by worker[77] refused by 22 server ports in all, a few each, first tcp 192.0.2.1:20 (~ftp-data)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			tt.build(s)
			if diff := cmp.Diff(tt.want, told(s.summary(Config{}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestServicesCountProcesses(t *testing.T) {
	s := newScene()
	for i := range 3 {
		s.own(s.tcp("10.0.0.1:50000", "192.0.2.1:443", flow.Complete, 0), exactly(curl), capture.Owner{})
		s.own(s.tcp("10.0.0.9:50000", "10.0.0.1:80", flow.Complete, 0), capture.Owner{}, exactly(&capture.Process{PID: 80 + i, Name: "nginx"}))
		s.own(s.tcp("10.0.0.9:50000", "10.0.0.1:22", flow.Complete, 0), exactly(curl), exactly(nginx))
	}
	got := map[uint16]string{}
	sum := s.summary(Config{})
	for i := range sum.Services {
		got[sum.Services[i].Port] = sum.Services[i].Processes()
	}
	want := map[uint16]string{443: "by curl[4711]", 80: "nginx ×3", 22: "nginx[80]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever the number of processes, a report keeps few of them.
func TestProcessesOfAReportAreBounded(t *testing.T) {
	s := newScene()
	for i := range 5000 {
		c := s.tcp(fmt.Sprintf("10.0.%d.%d:50000", i>>8, i&255), "192.0.2.1:443", flow.Refused, 0)
		s.own(c, exactly(&capture.Process{PID: i + 1, Name: "p"}), exactly(&capture.Process{PID: i + 1, Name: "q"}))
	}
	sum := s.summary(Config{})
	for what, p := range map[string]Processes{
		"clients": sum.Services[0].ClientProcesses, "servers": sum.Services[0].ServerProcesses, "trouble": sum.Trouble[0].Processes,
	} {
		if n := uint64(len(p.List)); n > maxProcesses || n+p.Others != 5000 {
			t.Errorf("%s: %d kept, %d others", what, n, p.Others)
		}
	}
	var m ownership[int]
	for i := range maxOwned + 1000 {
		m.add(i, exactly(curl))
	}
	if len(m.of) > maxOwned {
		t.Errorf("%d keys", len(m.of))
	}
}

// Names of processes are anybody's choice.
func TestTextOfProcessesIsSafe(t *testing.T) {
	for _, text := range hostileTexts {
		if len(text) > 200 {
			continue // long ones are the same again
		}
		s := liveScene()
		evil := &capture.Process{PID: 7, Name: text, Command: text, User: text, Unit: text, Container: text}
		for id := range s.owners {
			s.owners[id] = [2]capture.Owner{exactly(evil), listening(evil)}
		}
		for i := range s.host.Sockets {
			s.host.Sockets[i].Owners = []capture.Owner{exactly(evil)}
			if i%2 == 0 {
				s.host.Sockets[i].Owners, s.host.Sockets[i].Unavailable = nil, text
			}
		}
		s.host.Incomplete = []string{text}
		sum := s.summary(Config{})
		for _, width := range []int{40, 80, 120, 200} {
			for _, ascii := range []bool{false, true} {
				out := textOf(t, sum, TextOptions{Width: width, ASCII: ascii})
				sound(t, []byte(out), "\n")
				if ascii && !isPlainASCII([]byte(out)) {
					t.Errorf("not ASCII with %q", text)
				}
				for line := range strings.Lines(out) {
					if n := textWidth(strings.TrimSuffix(line, "\n")); n > width {
						t.Errorf("%d cells of %d: %q", n, width, line)
					}
				}
			}
		}
		for format := range summaryWriters {
			out := writeSummary(t, format, sum)
			sound(t, out, "\n")
			readable(t, format, out)
		}
	}
}
