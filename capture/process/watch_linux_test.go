package process

import (
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

func cpuTime() time.Duration {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func score(t *testing.T, w *Watch, protocol uint8, server netip.AddrPort, all []truth) (known, wrong, serverKnown, serverWrong, serverExact int) {
	unknown := 0
	for _, c := range all {
		o := w.Owner(protocol, c.local, server, c.first, c.last)
		switch {
		case !o.Known():
			if unknown++; unknown <= 3 {
				t.Logf("unknown: %+v: %+v", c, w.book.byKey[keyOf(protocol, c.local, server)])
			}
		case o.PID != c.pid:
			if wrong++; wrong <= 3 {
				t.Logf("wrong: %+v: %+v", c, w.book.byKey[keyOf(protocol, c.local, server)])
			}
		default:
			known++
		}
		o = w.Owner(protocol, server, c.local, c.first, c.last)
		switch {
		case !o.Known():
		case o.PID != os.Getpid():
			serverWrong++
		default:
			serverKnown++
			if o.Basis == capture.BasisExact {
				serverExact++
			}
		}
	}
	return
}

func TestShortProcesses(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, tt := range []struct {
		name, part string
		protocol   uint8
		cfg        Config
	}{
		{"TCP", "tcp", 6, Config{}},
		{"UDP connected", "udp", 17, Config{}},
		{"UDP unconnected", "udp-unconnected", 17, Config{}},
		{"TCP without eBPF", "tcp", 6, Config{NoEBPF: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := watching(t, tt.cfg)
			t.Log(w.Sources())
			server := netip.AddrPort{}
			if tt.protocol == 6 {
				server = serveTCP(t, "127.0.0.1:0")
			} else {
				server = serveUDP(t, "127.0.0.1:0")
			}
			begin := time.Now()
			all := runClients(t, 200, 4, tt.part, server.String(), "25")
			took := time.Since(begin)
			t.Logf("%d connections in %v", len(all), took)
			known, wrong, sk, sw, se := score(t, w, tt.protocol, server, all)
			t.Logf("%s: known %d wrong %d; server known %d wrong %d exact %d; %+v", tt.name, known, wrong, sk, sw, se, w.Counters())
		})
	}
}
