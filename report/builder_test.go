package report

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// compareNetip lets cmp look at addresses.
var compareNetip = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})

func TestSummaryDoesNotDependOnTheOrderOfAdding(t *testing.T) {
	s := officeScene()
	want := s.summary(Config{All: true})
	r := rand.New(rand.NewPCG(4, 4))
	for range 20 {
		r.Shuffle(len(s.connections), func(i, j int) { s.connections[i], s.connections[j] = s.connections[j], s.connections[i] })
		if diff := cmp.Diff(want, s.summary(Config{All: true}), compareNetip); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestSummaryIsTheSameEachTime(t *testing.T) {
	for name, s := range map[string]*scene{"office": officeScene(), "attacks": attackScene()} {
		want := s.summary(Config{})
		for range 20 {
			if diff := cmp.Diff(want, s.summary(Config{}), compareNetip); diff != "" {
				t.Fatal(name, diff)
			}
		}
	}
}

func TestSummaryIsASnapshot(t *testing.T) {
	s := officeScene()
	b := s.builder(Config{})
	got := b.Summary(s.stats(), s.totals())
	want := s.summary(Config{})
	for range 3 {
		for _, c := range s.connections {
			b.Add(c)
		}
	}
	if diff := cmp.Diff(want, got, compareNetip); diff != "" {
		t.Error(diff)
	}
}

func TestTopIsTheHeadOfAFullSort(t *testing.T) {
	s := newScene()
	r := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		c := s.tcp(fmt.Sprintf("10.0.0.%d:%d", r.IntN(4), r.IntN(9)), fmt.Sprintf("192.0.2.%d:%d", r.IntN(4), r.IntN(9)),
			[]flow.Outcome{flow.Complete, flow.Refused, flow.Midstream}[r.IntN(3)], time.Duration(r.IntN(2)))
		c.ToServer.Bytes, c.Last = uint64(r.IntN(50)), c.First+capture.Timestamp(r.IntN(20))
		if r.IntN(20) == 0 {
			c.First = capture.Unknown
		}
	}
	for _, sort := range Sorts() {
		all := s.summary(Config{Sort: sort, All: true})
		top := s.summary(Config{Sort: sort + "_ns", Top: 17})
		if len(all.Connections) != 300 || len(top.Connections) != 17 || top.Sort != sort || all.Top != 0 || top.Top != 17 {
			t.Fatalf("%s: %d of all, %d at the top by %s", sort, len(all.Connections), len(top.Connections), top.Sort)
		}
		if diff := cmp.Diff(all.Connections[:17], top.Connections, compareNetip); diff != "" {
			t.Errorf("%s: %s", sort, diff)
		}
	}
	bytes := s.summary(Config{All: true}).Connections
	if !slices.IsSortedFunc(bytes, func(a, b Row) int {
		return int(b.ToServer.Bytes+b.ToClient.Bytes) - int(a.ToServer.Bytes+a.ToClient.Bytes)
	}) {
		t.Error("not sorted by bytes when nothing was asked for")
	}
}

func TestServices(t *testing.T) {
	s := newScene()
	s.tcp("10.0.0.1:1000", "192.0.2.1:80", flow.Complete, 0)
	s.tcp("10.0.0.1:1001", "192.0.2.1:80", flow.Complete, 0, proves("http"))
	s.tcp("10.0.0.2:1001", "192.0.2.2:8888", flow.Complete, 0, proves("http"))
	s.tcp("10.0.0.2:1002", "192.0.2.2:8888", flow.Refused, 0, proves("http"))
	s.tcp("10.0.0.1:1002", "192.0.2.1:49999", flow.Complete, 0)
	s.udp("10.0.0.1:1002", "192.0.2.1:49999", flow.Answered, 0)
	type line struct {
		Name             string
		Proven           bool
		Protocol         string
		Port             uint16
		Ports            uint64
		Clients, Servers uint64
		Conns, Failed    uint64
	}
	var got []line
	for _, v := range s.summary(Config{}).Services {
		got = append(got, line{v.Name, v.Proven, v.Protocol, v.Port, v.Ports, v.Clients, v.Servers, v.Tally.Connections, v.Tally.Failed})
	}
	want := []line{
		{"http", true, "tcp", 8888, 2, 2, 2, 3, 1},
		{"http", false, "tcp", 80, 1, 1, 1, 1, 0},
		{"", false, "tcp", 49999, 1, 1, 1, 1, 0},
		{"", false, "udp", 49999, 1, 1, 1, 1, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestServicesAreFolded(t *testing.T) {
	s := newScene()
	for i := range 16_000 {
		s.tcp("10.0.0.1:1000", fmt.Sprintf("192.0.2.%d:%d", i%200, 49152+i), flow.Refused, 0)
	}
	services := s.summary(Config{}).Services
	var n uint64
	for _, v := range services {
		n += v.Tally.Connections
	}
	last := services[len(services)-1]
	if len(services) != maxServices+1 || n != 16_000 || last.HasPort || last.Servers != 200 {
		t.Errorf("%d services with %d connections, the last %+v", len(services), n, last)
	}
}

func TestFailedIsWhatAskedForAnAnswer(t *testing.T) {
	tests := []struct {
		name   string
		server string
		change func(c *flow.Connection)
		want   bool
	}{
		{"a DNS query without an answer has failed", "192.0.2.1:53", nil, true},
		{"a request the payload proves has failed", "192.0.2.1:9999", proves("domain"), true},
		{"a syslog message has not", "192.0.2.1:514", nil, false},
		{"a datagram to a group has not", "224.0.0.251:53", nil, false},
		{"a datagram to all hosts has not", "192.0.2.255:53", proves("domain"), false},
		{"a group of IPv6 has not", "[ff02::fb]:53", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			c := s.udp("10.0.0.1:1000", tt.server, flow.Unanswered, 0)
			if tt.change != nil {
				tt.change(c)
			}
			row := NewRow(c)
			if sum := s.summary(Config{}); row.Failed() != tt.want || (sum.Total.Failed == 1) != tt.want || (sum.Total.Other() == 0) != tt.want {
				t.Errorf("failed = %v, in the summary %d", row.Failed(), sum.Total.Failed)
			}
		})
	}
}

func TestLedger(t *testing.T) {
	tests := []struct {
		name     string
		change   func(t *flow.Totals)
		balanced bool
	}{
		{"every frame in a connection", func(t *flow.Totals) {}, true},
		{"every frame in some class", func(t *flow.Totals) {
			t.Frames, t.Bytes = t.Frames+6, t.Bytes+600
			t.ICMP = flow.Volume{Frames: 1, Bytes: 100}
			t.OtherIP[2] = flow.Volume{Frames: 1, Bytes: 100}
			t.NonIP = map[uint16]flow.Volume{0x0806: {Frames: 1, Bytes: 100}}
			t.Undecoded[decode.Short] = flow.Volume{Frames: 1, Bytes: 100}
			t.UnknownLink = map[capture.LinkType]flow.Volume{189: {Frames: 1, Bytes: 100}}
			t.Fragments = flow.Volume{Frames: 1, Bytes: 100}
		}, true},
		{"a frame counted nowhere", func(t *flow.Totals) { t.Frames++ }, false},
		{"bytes counted nowhere", func(t *flow.Totals) { t.Bytes++ }, false},
		{"a frame counted twice", func(t *flow.Totals) { t.Filtered.Frames++ }, false},
		{"a connection that was not reported", func(t *flow.Totals) { t.Frames++; t.Connections.Frames++ }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := officeScene()
			totals := s.totals()
			tt.change(totals)
			sum := s.builder(Config{}).Summary(s.stats(), totals)
			if sum.Ledger.Balanced != tt.balanced {
				t.Errorf("%+v", sum.Ledger)
			}
			text := textOf(t, sum, TextOptions{})
			if strings.Contains(text, "NOT BALANCED") == tt.balanced {
				t.Error(text)
			}
		})
	}
}
