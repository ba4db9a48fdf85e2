package process

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"
)

func BenchmarkAppeared(b *testing.B) {
	w := watching(b, Config{})
	for _, tt := range []struct{ name, a, b string }{
		{"foreign", "198.51.100.1:1000", "203.0.113.9:2000"},
		{"ours", "127.0.0.1:1000", "203.0.113.9:2000"},
	} {
		local, remote := netip.MustParseAddrPort(tt.a), netip.MustParseAddrPort(tt.b)
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.Appeared(6, local, remote)
			}
		})
	}
}

func BenchmarkOwner(b *testing.B) {
	w := watching(b, Config{})
	server := serveTCP(b, "127.0.0.1:0")
	c, err := net.Dial("tcp", server.String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	local, at := netip.MustParseAddrPort(c.LocalAddr().String()), now()
	for _, tt := range []struct {
		name          string
		local, remote netip.AddrPort
		known         bool
	}{
		{"client", local, server, true},
		{"server", server, local, true},
		{"unknown", netip.AddrPortFrom(local.Addr(), 1), server, false},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w.Owner(6, tt.local, tt.remote, at, at).Known() != tt.known {
					b.Fatal("known: ", !tt.known)
				}
			}
		})
	}
}

// BenchmarkHost is what the host pays: for a connection over loopback and its end, and
// for a datagram to itself, without a watch and with each kind.
func BenchmarkHost(b *testing.B) {
	server, udp := serveTCP(b, "127.0.0.1:0"), serveUDP(b, "127.0.0.1:0")
	measure := func(name string, cfg *Config) {
		b.Run(name, func(b *testing.B) {
			if cfg != nil {
				w, err := Open(context.Background(), *cfg)
				if err != nil {
					b.Fatal(err)
				}
				defer w.Close()
			}
			b.Run("connection", func(b *testing.B) {
				defer reportCPU(b, cpuTime())
				for b.Loop() {
					c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(server))
					if err != nil {
						b.Fatal(err)
					}
					_ = c.SetLinger(0) // no port waits
					_ = c.Close()
				}
			})
			b.Run("datagram", func(b *testing.B) {
				c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(udp))
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				_ = c.SetReadDeadline(time.Now().Add(10 * time.Minute))
				buf := make([]byte, 8)
				defer reportCPU(b, cpuTime())
				for b.Loop() {
					if _, err := c.Write(buf[:1]); err != nil {
						b.Fatal(err)
					}
					if _, err := c.Read(buf); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
	measure("none", nil)
	for _, way := range ways {
		measure(way.name, &way.cfg)
	}
}

// reportCPU tells what an operation cost this process in all: on a busy machine its
// duration says little.
func reportCPU(b *testing.B, before time.Duration) {
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkRefresh reads all tables and the links of all processes.
func BenchmarkRefresh(b *testing.B) {
	w := watching(b, Config{NoEBPF: true, NoTrace: true})
	defer reportCPU(b, cpuTime())
	for b.Loop() {
		if _, err := w.refresh(); err != nil {
			b.Fatal(err)
		}
	}
}
