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
	"sockscope/decode/flow"
)

func synACKs(n uint32) func(c *flow.Connection) {
	return func(c *flow.Connection) { c.ToClient.SYNACKs = n }
}

func syns(n uint32) func(c *flow.Connection) {
	return func(c *flow.Connection) { c.SYNCount = n }
}

func ends(how flow.Close, by flow.Side) func(c *flow.Connection) {
	return func(c *flow.Connection) { c.Close, c.ClosedBy = how, by }
}

// Kinds of trouble that say what the kernel knows.
func kernelLines(s *Summary) []string {
	var lines []string
	for i, line := range told(s) {
		switch s.Trouble[i].Kind {
		case "reply-dropped", "syn-not-sent", "ack-not-sent", "ack-dropped", "reset-ignored", "reset-forged", "fin-ignored", "not-closed",
			"fin-unanswered", "listen-overflow", "listen-drop", "kernel-incomplete":
			lines = append(lines, line)
		}
	}
	return lines
}

func TestWireAgainstKernel(t *testing.T) {
	const self, client, server = "10.0.0.1", "10.0.0.1:50000", "192.0.2.1:443"
	const peer, door = "192.0.2.9:50000", "10.0.0.1:80"
	tests := []struct {
		name  string
		build func(s *scene)
		want  []string
	}{
		{"a kernel that agrees", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0, ends(flow.Open, flow.Neither))
			s.socket("ESTABLISHED", client, server, exactly(curl))
			s.tcp(peer, door, flow.Complete, 0, ends(flow.HalfClose, flow.ServerSide))
			s.socket("FIN-WAIT-2", door, peer, exactly(nginx))
			s.tcp("10.0.0.1:50001", server, flow.Unanswered, 0)
			s.socket("SYN-SENT", "10.0.0.1:50001", server, exactly(curl), resends(0))
			s.later(time.Minute)
		}, nil},
		{"an answer that the host did not take", func(s *scene) {
			s.tcp(client, server, flow.HalfOpen, 0, syns(3), synACKs(3))
			s.socket("SYN-SENT", client, server, exactly(curl), resends(2))
		}, []string{"problem reply-dropped 1 [2]: tcp 192.0.2.1:443 (~https): answered 1 connection by curl[4711], but the kernel stays in SYN-SENT " +
			"and sends its SYN again, up to 2 times: the answers are dropped on this host, by a firewall or by the reverse path filter"}},
		{"a refusal that the host did not take", func(s *scene) {
			s.tcp(client, server, flow.Refused, 0)
			s.socket("SYN-SENT", client, server, exactly(curl), resends(1))
		}, []string{"problem reply-dropped 1 [2]: tcp 192.0.2.1:443 (~https): answered 1 connection by curl[4711], but the kernel stays in SYN-SENT " +
			"and sends its SYN again, up to 1 time: the answers are dropped on this host, by a firewall or by the reverse path filter"}},
		{"a wrong answer is nothing to take", func(s *scene) {
			s.tcp(client, server, flow.Mismatched, 0, synACKs(1))
			s.socket("SYN-SENT", client, server, exactly(curl), resends(1))
		}, nil},
		{"SYNs that did not leave", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0)
			s.socket("SYN-SENT", client, server, exactly(curl), resends(2))
			s.later(8 * time.Second)
		}, []string{"problem syn-not-sent 1 [1]: tcp 192.0.2.1:443 (~https): got 1 of 3 SYNs that the kernel sent for 1 connection by curl[4711]: " +
			"the others were dropped on this host before they left, by a firewall or because no neighbour has the next hop's address"}},
		{"no SYN left at all", func(s *scene) {
			s.socket("SYN-SENT", client, server, exactly(curl), resends(2))
			s.tcp(peer, door, flow.Complete, 0)
			s.later(8 * time.Second)
		}, []string{"problem syn-not-sent 1 []: tcp 192.0.2.1:443 (~https): got 0 of 3 SYNs that the kernel sent for 1 connection by curl[4711]: " +
			"the others were dropped on this host before they left, by a firewall or because no neighbour has the next hop's address"}},
		{"a capture that began later saw fewer SYNs", func(s *scene) {
			s.tcp(client, server, flow.Unanswered, 0)
			s.socket("SYN-SENT", client, server, exactly(curl), resends(2))
			s.later(7 * time.Second)
		}, nil},
		{"another interface may have the SYNs", func(s *scene) {
			s.live.AllInterfaces = false
			s.socket("SYN-SENT", client, server, exactly(curl), resends(2))
			s.tcp(peer, door, flow.Complete, 0)
			s.later(time.Minute)
		}, nil},
		{"a filter may have left the SYNs out", func(s *scene) {
			s.live.Filtered = true
			s.tcp(client, server, flow.Unanswered, 0)
			s.socket("SYN-SENT", client, server, exactly(curl), resends(2))
			s.later(time.Minute)
		}, nil},
		{"an ACK that did not leave", func(s *scene) {
			s.tcp(client, server, flow.HalfOpen, 0, synACKs(3))
			s.socket("ESTABLISHED", client, server, exactly(curl))
		}, []string{"problem ack-not-sent 1 [2]: tcp 192.0.2.1:443 (~https): sends its SYN-ACK again in 1 connection by curl[4711], but the kernel has it " +
			"ESTABLISHED: its ACKs were dropped on this host before they left, by a firewall for instance"}},
		{"an ACK may still come", func(s *scene) {
			s.tcp(client, server, flow.HalfOpen, 0, synACKs(1))
			s.socket("ESTABLISHED", client, server, exactly(curl))
		}, nil},
		{"an ACK may leave by another interface", func(s *scene) {
			s.live.AllInterfaces = false
			s.tcp(client, server, flow.HalfOpen, 0, synACKs(3))
			s.socket("ESTABLISHED", client, server, exactly(curl))
		}, nil},
		{"a handshake whose ACK was not taken", func(s *scene) {
			s.tcp(peer, door, flow.Complete, 0, ends(flow.Open, flow.Neither))
			s.socket("SYN-RECEIVED", door, peer, capture.Owner{}, resends(1))
		}, []string{"warning ack-dropped 1 [3]: tcp 10.0.0.1:80 (~http): holds 1 connection in SYN-RECEIVED whose handshake is complete on the wire: " +
			"the client's ACK was not taken, perhaps for a full accept queue or a firewall"}},
		{"a full accept queue takes no ACK", func(s *scene) {
			s.tcp(peer, door, flow.Complete, 0, ends(flow.Open, flow.Neither))
			s.socket("SYN-RECEIVED", door, peer, capture.Owner{})
			s.socket("LISTEN", "[::]:80", "", exactly(nginx), queued(129, 128))
		}, []string{
			"warning ack-dropped 1 [3]: tcp 10.0.0.1:80 (~http): holds 1 connection in SYN-RECEIVED whose handshake is complete on the wire: " +
				"the client's ACK was not taken, since the accept queue of nginx[80] is full (129 waiting, 128 may)",
			"warning listen-overflow 1 []: this host: has a full accept queue, what comes next is dropped: tcp [::]:80 of nginx[80] (129 waiting, 128 may)",
		}},
		{"a listener that waits for data", func(s *scene) {
			s.tcp(peer, door, flow.Complete, 0, ends(flow.Open, flow.Neither), func(c *flow.Connection) { c.ToServer.Payload = 0 })
			s.socket("SYN-RECEIVED", door, peer, capture.Owner{})
		}, []string{"warning ack-dropped 1 [3]: tcp 10.0.0.1:80 (~http): holds 1 connection in SYN-RECEIVED whose handshake is complete on the wire: " +
			"the client's ACK was not taken, or the listener waits for the client's first data (TCP_DEFER_ACCEPT)"}},
		{"a reset that the kernel did not take", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0, ends(flow.Reset, flow.ServerSide))
			s.socket("ESTABLISHED", client, server, exactly(curl))
		}, []string{"warning reset-ignored 1 [3]: tcp 192.0.2.1:443 (~https): 1 connection by curl[4711] ended with an RST on the wire, but the kernel has it " +
			"ESTABLISHED: it takes no RST outside of its window (RFC 5961), such as an injected one, and none that a firewall drops"}},
		{"a reset that the kernel did not send", func(s *scene) {
			s.tcp(peer, door, flow.Complete, 0, ends(flow.Reset, flow.ServerSide))
			s.socket("ESTABLISHED", door, peer, exactly(nginx))
		}, []string{"warning reset-forged 1 [3]: tcp 10.0.0.1:80 (~http): an RST in this host's name ended 1 connection by nginx[80] that its kernel has " +
			"ESTABLISHED: a firewall or a device on the way sent it"}},
		{"a FIN that the kernel did not take", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0, ends(flow.HalfClose, flow.ServerSide))
			s.socket("ESTABLISHED", client, server, exactly(curl))
		}, []string{"warning fin-ignored 1 [3]: tcp 192.0.2.1:443 (~https): the peer closed 1 connection by curl[4711] that the kernel has ESTABLISHED: " +
			"data before the FIN is missing, or a firewall drops it"}},
		{"ports that are used again have a new connection", func(s *scene) {
			s.tcp(client, server, flow.Complete, 0, ends(flow.Reset, flow.ServerSide))
			s.tcp(client, server, flow.Complete, time.Second, ends(flow.Open, flow.Neither))
			s.socket("ESTABLISHED", client, server, exactly(curl))
		}, nil},
		{"a mapped address is IPv4 on the wire", func(s *scene) {
			s.tcp(peer, door, flow.Complete, 0, ends(flow.Reset, flow.ClientSide))
			s.socket("ESTABLISHED", "[::ffff:10.0.0.1]:80", "[::ffff:192.0.2.9]:50000", exactly(nginx))
		}, []string{"warning reset-ignored 1 [3]: tcp 10.0.0.1:80 (~http): 1 connection by nginx[80] ended with an RST on the wire, but the kernel has it " +
			"ESTABLISHED: it takes no RST outside of its window (RFC 5961), such as an injected one, and none that a firewall drops"}},
		{"a process that does not close", func(s *scene) {
			for i := range 3 {
				at := fmt.Sprintf("192.0.2.9:%d", 50000+i)
				s.tcp(at, door, flow.Complete, 0, ends(flow.HalfClose, flow.ClientSide))
				s.socket("CLOSE-WAIT", door, at, exactly(worker), queued(1000, 0))
			}
			s.later(time.Minute)
		}, []string{"warning not-closed 3 [3 18 33]: process worker[77]: keeps 3 connections in CLOSE-WAIT with 3.00 kB unread, for 60 s or longer: " +
			"the peer closed, the process does not"}},
		{"a moment in CLOSE-WAIT is none", func(s *scene) {
			s.tcp(peer, door, flow.Complete, 0, ends(flow.HalfClose, flow.ClientSide))
			s.socket("CLOSE-WAIT", door, peer, exactly(worker))
		}, nil},
		{"CLOSE-WAIT since before the capture", func(s *scene) {
			s.socket("CLOSE-WAIT", door, peer, capture.Owner{})
			s.tcp(client, server, flow.Complete, 0)
			s.later(time.Minute)
		}, []string{"warning not-closed 1 []: this host: keeps 1 connection in CLOSE-WAIT, for 60.3 s or longer: the peer closed, the process does not"}},
		{"peers that are gone", func(s *scene) {
			s.socket("FIN-WAIT-1", door, peer, capture.Owner{}, resends(9))
			s.socket("LAST-ACK", door, "192.0.2.10:1", capture.Owner{}, resends(3))
			s.socket("LAST-ACK", door, "192.0.2.11:1", capture.Owner{}, resends(2))
			s.later(0)
		}, []string{"note fin-unanswered 2 []: this host: sends the last segment of 2 connections again and again, up to 9 times " +
			"(FIN-WAIT-1, CLOSING, LAST-ACK): the peers are gone, or a firewall has forgotten the connections"}},
		{"accept queues that overflowed", func(s *scene) {
			s.host.ListenOverflows, s.host.ListenDrops = 12, 15
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx), queued(129, 128))
			s.socket("LISTEN", "0.0.0.0:81", "", exactly(nginx), queued(0, 0))
			s.socket("LISTEN", "0.0.0.0:82", "", exactly(nginx), queued(5, 5)) // one more may come
			s.later(0)
		}, []string{
			"problem listen-overflow 12 []: this host: dropped 12 segments of handshakes (SYNs, ACKs) since the capture began because an accept queue was full: " +
				"a process accepts too slowly; full now: tcp 0.0.0.0:80 of nginx[80] (129 waiting, 128 may)",
			"warning listen-drop 3 []: this host: dropped 3 segments of handshakes at its listeners since the capture began for other reasons than a full accept queue: " +
				"a full SYN queue or no memory",
		}},
		{"a kernel that does not tell all", func(s *scene) {
			s.host.Incomplete = []string{"no permission", "sockets changed while they were listed"}
			s.later(0)
		}, []string{"note kernel-incomplete 2 []: this host: its kernel did not tell all of its sockets and processes: no permission; sockets changed while they were listed"}},
		{"more endpoints than are told one by one", func(s *scene) {
			for i := range scatterLines + 5 {
				local, remote := fmt.Sprintf("10.0.0.1:%d", 50000+i), fmt.Sprintf("192.0.2.%d:443", i+1)
				s.tcp(local, remote, flow.HalfOpen, 0, synACKs(1))
				s.socket("SYN-SENT", local, remote, exactly(curl), resends(uint8(1+i%3)))
			}
		}, []string{"problem reply-dropped 25 [2 4 6 8 10]: this host: answered 25 connections by curl[4711], but the kernel stays in SYN-SENT " +
			"and sends its SYN again, up to 3 times: the answers are dropped on this host, by a firewall or by the reverse path filter"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			s.on(self)
			tt.build(s)
			if diff := cmp.Diff(tt.want, kernelLines(s.summary(Config{}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Where the capture lost frames, a SYN may be among them.
// A socket that nobody has accepted is not one that a process does not close.
func TestNobodyCloses(t *testing.T) {
	s := newScene()
	s.on("10.0.0.1")
	s.tcp("192.0.2.9:50000", "10.0.0.1:80", flow.Complete, 0, ends(flow.HalfClose, flow.ClientSide))
	s.later(time.Minute)
	s.socket("CLOSE-WAIT", "10.0.0.1:80", "192.0.2.9:50000", capture.Owner{}, func(k *capture.Socket) { k.Inode = 0 })
	if lines := kernelLines(s.summary(Config{})); len(lines) > 0 {
		t.Error(lines)
	}
}

func TestALossyCaptureLacksNoSYNs(t *testing.T) {
	s := newScene()
	s.on("10.0.0.1")
	s.tcp("10.0.0.1:50000", "192.0.2.1:443", flow.Unanswered, 0)
	s.socket("SYN-SENT", "10.0.0.1:50000", "192.0.2.1:443", exactly(curl), resends(2))
	s.later(time.Minute)
	for drops, want := range map[uint64]int{0: 1, 1: 0} {
		stats := s.stats()
		stats.Interfaces[0].Drops = drops
		if lines := kernelLines(s.builder(Config{}).Summary(stats, s.totals())); len(lines) != want {
			t.Errorf("%d frames lost: %q", drops, lines)
		}
	}
	s.connections[0].PartOf = 1
	if lines := kernelLines(s.summary(Config{})); len(lines) != 0 {
		t.Errorf("SYNs before were evicted: %q", lines)
	}
}

// A port of this host that left SYNs without an answer, or refused them: the kernel
// knows more than the wire.
func TestTheKernelKnowsWhy(t *testing.T) {
	const peer, door = "192.0.2.9:50000", "10.0.0.1:80"
	const silent, refusal = "left the only connection from 192.0.2.9 unanswered: ", "refused the only connection from 192.0.2.9: "
	tests := []struct {
		name    string
		outcome flow.Outcome
		build   func(s *scene)
		want    string
	}{
		{"nothing listens, and no reset went out", flow.Unanswered, func(*scene) {},
			silent + "nothing listens there on this host, and no reset went out: a firewall here drops the SYN, or NAT sends it elsewhere"},
		{"what listens is not known for certain", flow.Unanswered, func(s *scene) { s.host.Incomplete = []string{"no permission"} },
			silent + "host down or filtered"},
		{"somebody listens", flow.Unanswered, func(s *scene) { s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx)) },
			silent + "nginx[80] listens there: a firewall here or the reverse path filter drops the SYN"},
		{"the accept queue is full", flow.Unanswered, func(s *scene) { s.socket("LISTEN", "[::]:80", "", exactly(nginx), queued(6, 5)) },
			silent + "the accept queue of nginx[80] is full (6 waiting, 5 may)"},
		{"accept queues overflowed", flow.Unanswered, func(s *scene) {
			s.socket("LISTEN", "10.0.0.1:80", "", capture.Owner{})
			s.host.ListenOverflows = 1
		}, silent + "a socket listens there, and accept queues overflowed: it accepts too slowly, or a firewall here drops the SYN"},
		{"another listener's queue is full, this one's is not", flow.Unanswered, func(s *scene) {
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx), queued(0, 5))
			s.socket("LISTEN", "0.0.0.0:81", "", exactly(curl), queued(6, 5))
			s.host.ListenOverflows = 1
		}, silent + "nginx[80] listens there: a firewall here or the reverse path filter drops the SYN"},
		{"the kernel answered", flow.Unanswered, func(s *scene) {
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx))
			s.socket("SYN-RECEIVED", door, peer, capture.Owner{})
		}, silent + "nginx[80] listens there and its kernel answers, but no SYN-ACK went out: a firewall here drops it"},
		{"processes are hidden, listeners are not", flow.Unanswered, func(s *scene) { s.host.Hidden = "no permission" },
			silent + "nothing listens there on this host, and no reset went out: a firewall here drops the SYN, or NAT sends it elsewhere"},
		{"nothing listens", flow.Refused, func(*scene) {}, refusal + "nothing listens on this port"},
		{"somebody listens on another address", flow.Refused, func(s *scene) { s.socket("LISTEN", "127.0.0.1:80", "", exactly(nginx)) },
			refusal + "nginx[80] listens on 127.0.0.1:80 only"},
		{"somebody listens by now", flow.Refused, func(s *scene) { s.socket("LISTEN", "10.0.0.1:80", "", exactly(nginx)) },
			refusal + "nginx[80] listens there now: it began later, or a firewall here refuses"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			s.on("10.0.0.1")
			s.tcp(peer, door, tt.outcome, 0)
			s.later(time.Minute)
			tt.build(s)
			trouble := s.summary(Config{}).Trouble
			i := slices.IndexFunc(trouble, func(t Trouble) bool { return t.Kind == tt.outcome.String() })
			if i < 0 || trouble[i].Text != tt.want {
				t.Errorf("%+v,\nwant %s", trouble, tt.want)
			}
		})
	}
}

func TestUnvisitedListeners(t *testing.T) {
	tests := []struct {
		name  string
		build func(s *scene)
		want  []string
	}{
		{"nobody came", func(s *scene) {
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx))
			s.socket("", "[::1]:631", "", capture.Owner{}, overUDP)
			s.socket("LISTEN", "127.0.0.1:22", "", capture.Owner{})
		}, []string{"tcp 127.0.0.1:22 ~ssh  loopback only", "tcp 0.0.0.0:80 ~http nginx[80] ", "udp [::1]:631 ~ipp  loopback only"}},
		{"an attempt that failed is a visit", func(s *scene) {
			s.socket("LISTEN", "10.0.0.1:80", "", exactly(nginx))
			s.tcp("192.0.2.9:1", "10.0.0.1:80", flow.Unanswered, 0)
		}, nil},
		{"every address of IPv4", func(s *scene) {
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx))
			s.tcp("192.0.2.9:1", "10.0.0.1:80", flow.Complete, 0)
		}, nil},
		{"dual stack: :: gets IPv4, too", func(s *scene) {
			s.socket("LISTEN", "[::]:80", "", exactly(nginx))
			s.tcp("192.0.2.9:1", "10.0.0.1:80", flow.Complete, 0)
		}, nil},
		{"but not where IPv4 has a listener of its own", func(s *scene) {
			s.socket("LISTEN", "[::]:80", "", exactly(nginx))
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx))
			s.tcp("192.0.2.9:1", "10.0.0.1:80", flow.Complete, 0)
		}, []string{"tcp [::]:80 ~http nginx[80] "}},
		{"0.0.0.0 gets no IPv6", func(s *scene) {
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx))
			s.tcp("[2001:db8::9]:1", "[2001:db8::1]:80", flow.Complete, 0)
		}, []string{"tcp 0.0.0.0:80 ~http nginx[80] "}},
		{"a zone is the host's own", func(s *scene) {
			s.socket("LISTEN", "[fe80::1%eth0]:80", "", exactly(nginx))
			s.tcp("[fe80::9]:1", "[fe80::1]:80", flow.Complete, 0)
		}, nil},
		{"another host's port is not this one's", func(s *scene) {
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx))
			s.tcp("10.0.0.1:1", "192.0.2.9:80", flow.Complete, 0)
		}, []string{"tcp 0.0.0.0:80 ~http nginx[80] "}},
		{"another protocol is another port", func(s *scene) {
			s.socket("", "0.0.0.0:53", "", exactly(nginx), overUDP)
			s.tcp("192.0.2.9:1", "10.0.0.1:53", flow.Complete, 0)
		}, []string{"udp 0.0.0.0:53 ~domain nginx[80] "}},
		{"a bound socket that talks first is none", func(s *scene) {
			s.socket("", "0.0.0.0:68", "", exactly(nginx), overUDP)
			s.udp("10.0.0.1:68", "10.0.0.254:67", flow.Answered, 0)
		}, nil},
		{"a group's datagrams are for whoever listens", func(s *scene) {
			s.socket("", "0.0.0.0:5353", "", exactly(nginx), overUDP)
			s.udp("192.0.2.9:5353", "224.0.0.251:5353", flow.Unanswered, 0)
		}, nil},
		{"sockets that share a port are one", func(s *scene) {
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx))
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(&capture.Process{PID: 81, Name: "nginx"}))
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx))
		}, []string{"tcp 0.0.0.0:80 ~http nginx ×2 "}},
		{"a filter may have left the visits out", func(s *scene) {
			s.live.Filtered = true
			s.socket("LISTEN", "0.0.0.0:80", "", exactly(nginx))
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			s.on("10.0.0.1", "2001:db8::1", "fe80::1%eth0")
			tt.build(s)
			var got []string
			h := s.summary(Config{}).Host
			for i := range h.Unvisited {
				l := &h.Unvisited[i]
				got = append(got, fmt.Sprintf("%s %v %s %s %s", l.Protocol, l.Address, l.Service, l.Processes(), l.scope()))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestListenersAreBounded(t *testing.T) {
	s := newScene()
	s.on("10.0.0.1")
	for i := range maxListeners + 7 {
		s.socket("LISTEN", fmt.Sprintf("10.0.0.1:%d", 1+i), "", capture.Owner{})
	}
	h := s.summary(Config{}).Host
	if len(h.Unvisited) != maxListeners || h.LeftOut != 7 || h.Listening != maxListeners+7 {
		t.Errorf("%d listed, %d left out, of %d", len(h.Unvisited), h.LeftOut, h.Listening)
	}
}

func TestClientPortsOfThisHost(t *testing.T) {
	s := newScene()
	h := s.on("10.0.0.1", "::ffff:10.0.0.2")
	for _, client := range []string{"10.0.0.1:32767", "10.0.0.1:32768", "10.0.0.2:60999", "10.0.0.1:61000", "192.0.2.1:40000"} {
		s.tcp(client, "192.0.2.9:443", flow.Complete, 0)
	}
	s.tcp("127.0.0.1:40000", "127.0.0.1:443", flow.Complete, 0)
	s.tcp("127.9.9.9:40000", "10.0.0.1:443", flow.Unanswered, 0) // forged
	s.udp("10.0.0.1:0", "192.0.2.9:0", flow.Answered, 0, func(c *flow.Connection) { c.HasPorts, c.Protocol = false, protoICMP })
	got := s.summary(Config{}).Host
	if got.Clients != 5 || got.Ephemeral != 3 {
		t.Errorf("%d clients here, %d of them in the range", got.Clients, got.Ephemeral)
	}
	if want := "Of 5 connections from this host 3 have a client port in its own ephemeral range, 32768–60999. "; got.ClientPorts() != want {
		t.Errorf("%q", got.ClientPorts())
	}
	h.EphemeralLow, h.EphemeralHigh = 0, 0
	if text := s.summary(Config{}).Host.ClientPorts(); text != "" {
		t.Errorf("an unknown range is told: %q", text)
	}
}

// Files know no host.
func TestFilesHaveNoHost(t *testing.T) {
	if h := officeScene().summary(Config{}).Host; h != nil {
		t.Errorf("%+v", h)
	}
}

// The same sockets give the same lines, however maps are ordered.
func TestKernelLinesHaveAnOrder(t *testing.T) {
	s := newScene()
	s.on("10.0.0.1")
	for i := range 60 {
		local, remote := fmt.Sprintf("10.0.0.1:%d", 50000+i), netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 443).String()
		s.tcp(local, remote, flow.HalfOpen, 0, synACKs(1))
		s.socket("SYN-SENT", local, remote, exactly(&capture.Process{PID: i + 1, Name: "p"}), resends(1))
	}
	want := kernelLines(s.summary(Config{}))
	for range 20 {
		if diff := cmp.Diff(want, kernelLines(s.summary(Config{}))); diff != "" {
			t.Fatal(diff)
		}
	}
}

// The kernel is asked when the capture has ended, or in its midst: connections added before
// are remembered.
func TestTheKernelMayBeAskedAnyTime(t *testing.T) {
	s := liveScene()
	document := func(n int) string {
		var out strings.Builder
		if err := WriteJSON(&out, s.builderAsking(Config{All: true}, n).Summary(s.stats(), s.totals())); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	want := document(0)
	for n := range len(s.connections) + 1 {
		if diff := cmp.Diff(want, document(n)); diff != "" {
			t.Fatalf("asked behind %d connections +:\n%s", n, diff)
		}
	}
}

// What a kernel remembers is bounded, and what it forgot it does not judge.
func TestTheKernelForgets(t *testing.T) {
	host := &capture.Host{Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	b := NewBuilder(Config{Local: host, AllInterfaces: true})
	c := varied(1)[0]
	c.Protocol, c.HasPorts, c.Outcome, c.Close, c.ClosedBy = protoTCP, true, flow.Complete, flow.Open, flow.Neither
	client := func(i int) netip.AddrPort { return netip.AddrPortFrom(address(1000+i>>8), uint16(40000+i&0xff)) }
	for i := range maxRecent + 10 {
		c.Client, c.Server = client(i), netip.MustParseAddrPort("10.0.0.1:443")
		b.Add(&c)
	}
	k := b.kernel
	if len(k.recent) != maxRecent || !k.forgot || k.holdsAll() {
		t.Errorf("%d connections are remembered, of %d", len(k.recent), maxRecent)
	}
	other := k.clone(newCloned())
	asked := *host
	for _, i := range []int{9, 10, maxRecent + 9} {
		asked.Sockets = append(asked.Sockets, capture.Socket{Protocol: protoTCP, State: "ESTABLISHED", Local: c.Server, Remote: client(i)})
	}
	b.Ask(&asked)
	if k.met[0].side != flow.Neither || k.met[1].side != flow.ServerSide || k.met[2].side != flow.ServerSide {
		t.Errorf("the oldest, the next, the latest: %v, %v, %v", k.met[0].side, k.met[1].side, k.met[2].side)
	}
	if len(other.recent) != maxRecent || other.host != nil {
		t.Error("a clone was changed")
	}
	for i := range maxVisits {
		k.visit(listenKey{protoUDP, netip.AddrPortFrom(address(i), 53)})
	}
	if len(k.visits) != maxVisits {
		t.Errorf("%d visits are remembered", len(k.visits))
	}
	asked.Sockets = append(asked.Sockets, capture.Socket{Protocol: protoTCP, State: "LISTEN", Local: netip.MustParseAddrPort("10.0.0.1:22")})
	b.Ask(&asked)
	if h := k.summary(); h.Listening != 1 || len(h.Unvisited) != 0 {
		t.Errorf("%d of %d listeners are said to be unvisited", len(h.Unvisited), h.Listening)
	}
}
