package report

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/decode/flow"
)

// A kept is what a heavy map keeps of a key, wherever.
type kept struct {
	weight, missed uint64
	first          attempt
	ports          int
	hosts          uint64
}

// pathsAndSweeps are all that s keeps, with what loners are guests of.
func (s *scans) pathsAndSweeps() (paths map[pathKey]kept, sweeps map[sweepKey]kept) {
	s.forgotten()
	paths, sweeps = make(map[pathKey]kept), make(map[sweepKey]kept)
	for p := range s.paths.all() {
		paths[p.key] = kept{p.weight, p.missed, p.value.first, p.value.ports.count(), 0}
	}
	for p := range s.sweeps.all() {
		sweeps[p.key] = kept{p.weight, p.missed, p.value.first, 0, p.value.hosts.count()}
	}
	for i := range s.loners.n {
		l := s.loners.slot(i)
		n, k := &l.value, &l.key
		if i >= s.loners.path && !k.gone {
			paths[pathKey{k.source, n.host, k.protocol, n.hostVersion}] = kept{1, s.paths.floor, n.attempt, 1, 0}
		}
		if i >= s.loners.sweep && !k.gone {
			sweeps[sweepKey{k.source, n.port, k.protocol, k.version}] = kept{1, s.sweeps.floor, n.attempt, 0, 1}
		}
	}
	return paths, sweeps
}

// With loners the paths and sweeps are those that there are without them, whatever comes and
// whenever these forget.
func TestLonersArePathsAndSweeps(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 11))
	for range 40 {
		most, memory := [2]int{1 + r.IntN(200), 1 + r.IntN(200)}, int64(1+r.IntN(1<<17))
		var with, without scans
		for _, s := range []*scans{&with, &without} {
			s.paths.most, s.sweeps.most, s.paths.bare, s.sweeps.bare = most[0], most[1], true, true
			s.pathWatch, s.sweepWatch = newWatch(memory, 8), newWatch(memory, 8)
		}
		with.loners.most, without.loners.most = 1+r.IntN(300), -1
		sources, hosts, ports, flood := 1+r.IntN(300), 1+r.IntN(100), 1+r.IntN(100), r.IntN(100)
		met := 0
		for range 60 {
			b := newBatch(4 * stretch)
			for i := range 1 + r.IntN(4*stretch) {
				source := address(r.IntN(sources))
				if r.IntN(100) < flood {
					source = address(1_000_000 + r.IntN(1<<20))
				}
				c := flow.Connection{
					ID: uint64(i), FirstFrame: r.Uint64N(1000), Protocol: []uint8{protoTCP, protoUDP}[r.IntN(2)], HasPorts: true,
					Client: netip.AddrPortFrom(source, 1), Server: netip.AddrPortFrom(address(r.IntN(hosts)), uint16(r.IntN(ports))),
					Outcome: []flow.Outcome{flow.Refused, flow.HalfOpen}[r.IntN(2)], First: at(r.Int64N(1e9)),
				}
				if r.IntN(8) == 0 {
					c.Client, c.Server = netip.AddrPortFrom(address6(r.IntN(sources)), 1), netip.AddrPortFrom(address6(r.IntN(hosts)), c.Server.Port())
				}
				b.visit(&c)
				b.attempt(&c, nil)
			}
			with.enter(b)
			without.enter(b)
			met += with.loners.n
			paths, sweeps := with.pathsAndSweeps()
			wantPaths, wantSweeps := without.pathsAndSweeps()
			options := cmp.AllowUnexported(kept{}, attempt{}, pathKey{}, sweepKey{}, ip{})
			if diff := cmp.Diff(wantPaths, paths, options); diff != "" {
				t.Fatalf("paths with loners +:\n%.2000s", diff)
			}
			if diff := cmp.Diff(wantSweeps, sweeps, options); diff != "" {
				t.Fatalf("sweeps with loners +:\n%.2000s", diff)
			}
			if with.paths.room() != without.paths.room() || with.sweeps.room() != without.sweeps.room() {
				t.Fatal("they take another room")
			}
		}
		if met == 0 {
			t.Error("there was no loner")
		}
	}
}
