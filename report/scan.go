package report

import "unsafe"

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
	source, host ip
	protocol     uint8
	version      uint8 // of both addresses
}

func pathOf(source, host end, protocol uint8) pathKey {
	return pathKey{source.ip, host.ip, protocol, host.version}
}

func (k pathKey) hash() uint64 {
	return pathHash(k.source.end(k.version), k.host.end(k.version), k.protocol)
}

func pathHash(source, host end, protocol uint8) uint64 {
	return source.with(mix(host.hash+uint64(protocol), 0xa0761d6478bd642f))
}

// A sweepKey is one source and one port it tried.
type sweepKey struct {
	source   ip
	port     uint16
	protocol uint8
	version  uint8 // of source
}

func sweepOf(source end, port uint16, protocol uint8) sweepKey {
	return sweepKey{source.ip, port, protocol, source.version}
}

func (k sweepKey) hash() uint64 { return k.hashAt(k.source.end(k.version)) }

// hashAt is the hash where the source's is known.
func (k sweepKey) hashAt(source end) uint64 {
	return source.with(uint64(k.port)<<8 | uint64(k.protocol))
}

// A hostProbe is the failed attempts of a source at one host; its slot's weight is their
// number. A port tried again counts with its best result: better[i] are the ports
// with a result above i, each set part of the one before. It is nil while all are
// silent, or while there is one port only, as in most: the probe has its results.
type hostProbe struct {
	probe
	ports  portSet
	better *[numResults - 1]portSet
}

// add enters an attempt at a port.
func (p *hostProbe) add(port uint16, a attempt) {
	if p.ports.count() == 1 && port != p.ports.one {
		p.rate(p.ports.one, p.best())
	}
	p.ports.add(port)
	if p.ports.count() > 1 {
		p.rate(port, a.result)
	}
	p.probe.add(a)
}

// rate enters a result of a port.
func (p *hostProbe) rate(port uint16, r result) {
	if r > 0 && p.better == nil {
		p.better = new([numResults - 1]portSet)
	}
	for i := range r {
		p.better[i].add(port)
	}
}

// addResults adds to sums how many ports have each result as their best one.
func (p *hostProbe) addResults(sums *[numResults]uint64) {
	if p.better == nil {
		sums[0] += uint64(p.ports.count())
		return
	}
	above := p.ports.count()
	for i := range p.better {
		n := p.better[i].count()
		sums[i] += uint64(above - n)
		above = n
	}
	sums[numResults-1] += uint64(above)
}

// bytes is what p takes beside itself.
func (p *hostProbe) bytes() int64 {
	n := p.probe.bytes() + p.ports.bytes()
	if p.better != nil {
		n += int64(unsafe.Sizeof(*p.better))
		for i := range p.better {
			n += p.better[i].bytes()
		}
	}
	return n
}

// A portProbe is the failed attempts of a source at one port.
type portProbe struct {
	probe
	hosts distinct
}

// bytes is what p takes beside itself.
func (p *portProbe) bytes() int64 { return p.probe.bytes() + p.hosts.bytes() }

// scans keeps failed attempts by path and by sweep.
type scans struct {
	paths  heavy[pathKey, hostProbe]
	sweeps heavy[sweepKey, portProbe]
	loners loners

	pathOwners  ownership[pathKey] // the sources' processes
	sweepOwners ownership[sweepKey]

	pathWatch, sweepWatch watch

	touched uint64 // what was read only to have it in the cache; it means nothing
}

// attemptHashes are those of an attempt's keys.
type attemptHashes struct{ loner, path, sweep uint64 }

// enter enters the failed attempts of b.
func (s *scans) enter(b *batch) {
	var hashes [stretch]attemptHashes
	var guesses [stretch]struct{ path, sweep guess }
	for all := b.attempts; len(all) > 0; {
		attempts := all[:min(stretch, len(all))]
		all = all[len(attempts):]
		s.loners.settle()
		s.paths.settle()
		s.sweeps.settle()
		var touched uint64
		for i := range attempts {
			v, h := &b.visits[attempts[i].visit], &hashes[i]
			client, server := v.client.end(v.clientVersion), v.server.end(v.serverVersion)
			h.loner = client.with(uint64(v.protocol))
			h.path = pathHash(client, server, v.protocol)
			h.sweep = sweepOf(client, v.port, v.protocol).hashAt(client)
			touched += s.loners.touch(h.loner) + s.paths.touch(h.path) + s.sweeps.touch(h.sweep)
		}
		for i := range attempts {
			g := &guesses[i]
			g.path, g.sweep = s.paths.guess(hashes[i].path), s.sweeps.guess(hashes[i].sweep)
			touched += s.paths.read(g.path) + s.sweeps.read(g.sweep)
		}
		s.touched += touched
		for i := range attempts {
			a := &attempts[i]
			v := &b.visits[a.visit]
			if !s.isLoner(a, v, &hashes[i]) {
				path := s.paths.at(&pathKey{v.client, v.server, v.protocol, v.serverVersion}, hashes[i].path, guesses[i].path)
				path.value.add(v.port, a.attempt)
				sweep := s.sweeps.at(&sweepKey{v.client, v.port, v.protocol, v.clientVersion}, hashes[i].sweep, guesses[i].sweep)
				sweep.value.add(a.attempt)
				sweep.value.hosts.add(v.server.end(v.serverVersion), exactOfOne)
				if a.aside != nil && a.aside.owners[clientEnd].Known() {
					s.pathOwners.add(path.key, a.aside.owners[clientEnd])
					s.sweepOwners.add(sweep.key, a.aside.owners[clientEnd])
				}
			}
			if s.pathWatch.due(1) {
				s.paths.relieve(&s.pathWatch, (*hostProbe).bytes)
			}
			if s.sweepWatch.due(1) {
				s.sweeps.relieve(&s.sweepWatch, (*portProbe).bytes)
			}
		}
	}
}

// isPortScan reports whether a path's attempts went to many ports.
func (k pathKey) isPortScan(p *hostProbe) bool {
	if k.protocol == protoUDP || k.protocol == udpLite {
		return p.ports.count() >= scanUDPPorts
	}
	return p.ports.count() >= scanPorts
}

// isHostScan reports whether a sweep's attempts went to many hosts.
func (k sweepKey) isHostScan(p *portProbe) bool {
	if k.protocol == protoUDP || k.protocol == udpLite {
		return p.hosts.count() >= scanUDPHosts
	}
	return p.hosts.count() >= scanHosts
}
