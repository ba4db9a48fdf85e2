package report

import (
	"net/netip"
	"slices"

	"sockscope/decode/flow"
)

// Thresholds above which failed attempts of one source are called a scan. A client
// that merely has a wrong address does not come near them.
const (
	scanPorts    = 10 // of one host
	scanUDPPorts = 20
	scanHosts    = 10 // at one port
	scanUDPHosts = 50 // peer-to-peer programs try many
)

// Destination ports that traceroute over UDP counts up from.
const tracerouteLow, tracerouteHigh = 33434, 33700

// A pathKey is one source and one host it tried.
type pathKey struct {
	source   netip.Addr
	host     netip.Addr
	protocol uint8
}

// A sweepKey is one source and one port it tried.
type sweepKey struct {
	source   netip.Addr
	port     uint16
	protocol uint8
}

// A probe counts the failed attempts of a path or sweep; its slot's weight is
// their number.
type probe struct {
	span
	frames  evidence
	refused uint64
	silent  uint64   // unanswered
	open    uint64   // the port answered and the source went away: a SYN scan's find
	retried uint64   // attempts with more than one SYN
	ports   portSet  // of a path
	hosts   distinct // of a sweep
}

func (p *probe) add(c *flow.Connection, first bool) {
	if first {
		p.span = noSpan
	}
	p.include(c)
	p.frames.add(frameOf(c, unanswered))
	switch c.Outcome {
	case flow.Refused:
		p.refused++
	case flow.Unreachable:
		if isPortUnreachable(c) {
			p.refused++
		}
	case flow.Unanswered:
		p.silent++
	case flow.Aborted, flow.HalfOpen:
		p.open++
	}
	if c.SYNCount > 1 {
		p.retried++
	}
}

func (p *probe) merge(o *probe) {
	p.span.merge(o.span)
	p.frames.merge(&o.frames)
	p.refused += o.refused
	p.silent += o.silent
	p.open += o.open
	p.retried += o.retried
}

// scans keeps failed attempts by path and by sweep.
type scans struct {
	paths  heavy[pathKey, probe]
	sweeps heavy[sweepKey, probe]
}

// add enters a failed attempt.
func (s *scans) add(c *flow.Connection) {
	if !c.HasPorts || isGroup(c.Server.Addr()) {
		return
	}
	source, host, port := c.Client.Addr(), c.Server.Addr(), c.Server.Port()
	path := s.paths.at(pathKey{source, host, c.Protocol})
	path.weight++
	path.value.add(c, path.weight == 1)
	path.value.ports.add(port)
	sweep := s.sweeps.at(sweepKey{source, port, c.Protocol})
	sweep.weight++
	sweep.value.add(c, sweep.weight == 1)
	sweep.value.hosts.add(host)
}

// isPortScan reports whether a path's attempts went to many ports.
func (k pathKey) isPortScan(p *probe) bool {
	if k.protocol == protoUDP || k.protocol == udpLite {
		return p.ports.n >= scanUDPPorts
	}
	return p.ports.n >= scanPorts
}

// isHostScan reports whether a sweep's attempts went to many hosts.
func (k sweepKey) isHostScan(p *probe) bool {
	if k.protocol == protoUDP || k.protocol == udpLite {
		return p.hosts.count() >= scanUDPHosts
	}
	return p.hosts.count() >= scanHosts
}

// A portSet is a set of ports: one port, a sorted list while it is small, a bitmap.
type portSet struct {
	one  uint16 // when n is 1
	n    int
	few  []uint16
	bits *[1 << 16 / 64]uint64
}

const fewPorts = 256

func (s *portSet) add(port uint16) {
	if s.bits != nil {
		if word, bit := &s.bits[port/64], uint64(1)<<(port%64); *word&bit == 0 {
			*word |= bit
			s.n++
		}
		return
	}
	if s.n == 0 || s.n == 1 && port == s.one {
		s.one, s.n = port, 1
		return
	}
	if s.few == nil {
		s.few = append(s.few, s.one)
	}
	i, found := slices.BinarySearch(s.few, port)
	if found {
		return
	}
	if s.n < fewPorts {
		s.few = slices.Insert(s.few, i, port)
		s.n++
		return
	}
	s.bits, s.n = new([1 << 16 / 64]uint64), 0
	for _, p := range s.few {
		s.add(p)
	}
	s.few = nil
	s.add(port)
}

// within reports whether all ports lie in low to high.
func (s *portSet) within(low, high uint16) bool {
	if s.few != nil {
		return s.few[0] >= low && s.few[s.n-1] <= high
	}
	return false // one port, or more than traceroute ever uses
}
