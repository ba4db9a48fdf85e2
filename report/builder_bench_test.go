package report

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// varied is a mix as of a busy site: 5,000 clients, 300 services, some trouble.
func varied(n int) []flow.Connection {
	r := rand.New(rand.NewPCG(7, 7))
	outcomes := []flow.Outcome{flow.Complete, flow.Complete, flow.Complete, flow.Complete, flow.Complete, flow.Complete,
		flow.Complete, flow.Midstream, flow.Refused, flow.Unanswered}
	all := make([]flow.Connection, n)
	for i := range all {
		all[i] = flow.Connection{
			ID: uint64(i + 1), Protocol: protoTCP, HasPorts: true,
			Client:  netip.AddrPortFrom(address(r.IntN(5000)), uint16(32768+r.IntN(28000))),
			Server:  netip.AddrPortFrom(address(1<<20+r.IntN(300)), []uint16{443, 443, 443, 80, 22, 5432}[r.IntN(6)]),
			Outcome: outcomes[r.IntN(len(outcomes))],
			First:   at(int64(i) * 100_000), Last: at(int64(i)*100_000 + r.Int64N(1e9)),
			SYNRTT: time.Duration(r.Int64N(1e8)), ACKRTT: time.Duration(r.Int64N(1e6)), Setup: time.Duration(r.Int64N(1e8)),
			SYNCount: 1, SYNFrame: uint64(10 * i), VerdictFrame: uint64(10*i + 2),
			ToServer: flow.Direction{Packets: 5, Bytes: r.Uint64N(1e6)},
			ToClient: flow.Direction{Packets: 5, Bytes: r.Uint64N(1e6)},
		}
	}
	return all
}

func BenchmarkAddVaried(b *testing.B) {
	all := varied(1 << 16)
	builder := NewBuilder(Config{})
	for i := range all {
		builder.Add(&all[i])
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		builder.Add(&all[i&(len(all)-1)])
		i++
	}
}

// onHost is a Config with the owners and the kernel of a busy site: its servers are this
// host, one of four connections is of one of a hundred processes and still has a socket.
func onHost(all []flow.Connection) Config {
	workers := make([]capture.Owner, 100)
	for i := range workers {
		workers[i] = exactly(&capture.Process{PID: i + 1, Name: "worker"})
	}
	host := &capture.Host{EphemeralLow: 32768, EphemeralHigh: 60999}
	for i := range all {
		c := &all[i]
		host.Addresses = append(host.Addresses, c.Server.Addr())
		if i%4 == 0 {
			host.Sockets = append(host.Sockets, capture.Socket{Protocol: protoTCP, State: "ESTABLISHED", Local: c.Server, Remote: c.Client})
		}
	}
	for _, port := range []uint16{22, 80, 443} {
		host.Sockets = append(host.Sockets, capture.Socket{Protocol: protoTCP, State: "LISTEN", Local: netip.AddrPortFrom(netip.IPv6Unspecified(), port)})
	}
	return Config{Local: host, Owners: func(c *flow.Connection) (owners [2]capture.Owner) {
		if c.ID%4 == 0 {
			owners[serverEnd] = workers[c.ID/4%100]
		}
		return owners
	}}
}

func BenchmarkAddLive(b *testing.B) {
	all := varied(1 << 16)
	builder := NewBuilder(onHost(all))
	for i := range all {
		builder.Add(&all[i])
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		builder.Add(&all[i&(len(all)-1)])
		i++
	}
}

// BenchmarkAddFlood adds SYNs of ever new addresses to one port: each map of
// sources overflows again and again.
func BenchmarkAddFlood(b *testing.B) {
	builder := NewBuilder(Config{})
	c := varied(1)[0]
	c.Outcome, c.SYNRTT, c.Setup = flow.HalfOpen, flow.NoDuration, flow.NoDuration
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		c.ID, c.First, c.VerdictFrame = uint64(n), at(int64(n)*1000), uint64(n)
		c.Client = netip.AddrPortFrom(address(n*7919), uint16(n))
		builder.Add(&c)
	}
}

// BenchmarkAddScan adds refused SYNs to ever new hosts and ports.
func BenchmarkAddScan(b *testing.B) {
	builder := NewBuilder(Config{})
	c := varied(1)[0]
	c.Outcome, c.SYNRTT, c.Setup = flow.Refused, flow.NoDuration, flow.NoDuration
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		c.ID, c.First, c.VerdictFrame = uint64(n), at(int64(n)*1000), uint64(n)
		c.Server = netip.AddrPortFrom(address(n*7919), uint16(n*31))
		builder.Add(&c)
	}
}

func BenchmarkSummary(b *testing.B) {
	all := varied(1 << 16)
	builder := NewBuilder(Config{})
	for i := range all {
		builder.Add(&all[i])
	}
	totals := &flow.Totals{First: capture.Unknown, Last: capture.Unknown}
	b.ReportAllocs()
	for b.Loop() {
		builder.Summary(capture.Stats{}, totals)
	}
}

func TestAddAllocatesNothingInSteadyState(t *testing.T) {
	all := varied(1 << 14)
	for name, cfg := range map[string]Config{"file": {}, "live": onHost(all)} {
		b := NewBuilder(cfg)
		for i := range all {
			b.Add(&all[i])
		}
		i := 0
		if n := testing.AllocsPerRun(len(all), func() {
			b.Add(&all[i&(len(all)-1)])
			i++
		}); n != 0 {
			t.Errorf("%s: %v allocations for a connection", name, n)
		}
	}
}
