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

	pathOwners  ownership[pathKey] // the sources' processes
	sweepOwners ownership[sweepKey]

	pathWatch, sweepWatch watch

	pathTouched, sweepTouched uint64 // what was read only to have it in the cache; it means nothing
}

// enterPaths enters the failed attempts of b by path.
func (s *scans) enterPaths(b *batch) {
	var hashes [stretch]uint64
	var guesses [stretch]guess
	var touched uint64
	for all := b.attempts; len(all) > 0; {
		attempts := all[:min(stretch, len(all))]
		all = all[len(attempts):]
		s.paths.settle()
		for i := range attempts {
			v := &b.visits[attempts[i].visit]
			hashes[i] = pathHash(v.client.end(v.clientVersion), v.server.end(v.serverVersion), v.protocol)
			touched += s.paths.touch(hashes[i])
		}
		for i := range attempts {
			guesses[i] = s.paths.guess(hashes[i])
		}
		for _, guess := range guesses[:len(attempts)] {
			touched += s.paths.read(guess)
		}
		for i := range attempts {
			a := &attempts[i]
			v := &b.visits[a.visit]
			path := s.paths.at(&pathKey{v.client, v.server, v.protocol, v.serverVersion}, hashes[i], guesses[i])
			path.value.add(v.port, a.attempt)
			if a.aside != nil && a.aside.owners[clientEnd].Known() {
				s.pathOwners.add(path.key, a.aside.owners[clientEnd])
			}
			if s.pathWatch.due(1) {
				s.paths.relieve(&s.pathWatch, (*hostProbe).bytes)
			}
		}
	}
	s.pathTouched += touched
}

// enterSweeps enters the failed attempts of b by sweep.
func (s *scans) enterSweeps(b *batch) {
	var hashes [stretch]uint64
	var guesses [stretch]guess
	var touched uint64
	for all := b.attempts; len(all) > 0; {
		attempts := all[:min(stretch, len(all))]
		all = all[len(attempts):]
		s.sweeps.settle()
		for i := range attempts {
			v := &b.visits[attempts[i].visit]
			client := v.client.end(v.clientVersion)
			hashes[i] = sweepOf(client, v.port, v.protocol).hashAt(client)
			touched += s.sweeps.touch(hashes[i])
		}
		for i := range attempts {
			guesses[i] = s.sweeps.guess(hashes[i])
		}
		for _, guess := range guesses[:len(attempts)] {
			touched += s.sweeps.read(guess)
		}
		for i := range attempts {
			a := &attempts[i]
			v := &b.visits[a.visit]
			sweep := s.sweeps.at(&sweepKey{v.client, v.port, v.protocol, v.clientVersion}, hashes[i], guesses[i])
			sweep.value.add(a.attempt)
			sweep.value.hosts.add(v.server.end(v.serverVersion), exactOfOne)
			if a.aside != nil && a.aside.owners[clientEnd].Known() {
				s.sweepOwners.add(sweep.key, a.aside.owners[clientEnd])
			}
			if s.sweepWatch.due(1) {
				s.sweeps.relieve(&s.sweepWatch, (*portProbe).bytes)
			}
		}
	}
	s.sweepTouched += touched
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
