package report

// A loner is a source with one failed attempt, as far as the paths and sweeps know. Floods come
// from millions of these, and each would be a path and a sweep of its own: so its attempt is
// kept here, once, and the two maps only count it, as a guest. It becomes a path and a sweep when
// another attempt comes, unless they have forgotten it by then: each forgets all its guests
// when it forgets any key.
type loner struct {
	host        ip
	attempt     attempt
	port        uint16
	hostVersion uint8
}

// A lonerKey is a source.
type lonerKey struct {
	source   ip
	protocol uint8
	version  uint8 // of source
	gone     bool  // it is none any more
}

func (k lonerKey) hash() uint64 { return k.source.end(k.version).with(uint64(k.protocol)) }

// loners are in the order of arrival.
type loners struct {
	heavy[lonerKey, loner]
	path, sweep   int // from which one on they are guests of the paths, and of the sweeps
	paths, sweeps int // how often these had forgotten when that was looked at
}

// isLoner enters an attempt as that of a loner, if it is one. When another one of the same
// source was, that one is a loner no more.
func (s *scans) isLoner(a *attempted, v *visit, h *attemptHashes) bool {
	l := &s.loners
	s.forgotten()
	key := lonerKey{source: v.client, protocol: v.protocol, version: v.clientVersion}
	p, found := l.place(&key, h.loner, l.home(h.loner))
	if found {
		s.meetAgain(p.slot(), h)
		return false
	}
	if a.aside != nil && a.aside.owners[clientEnd].Known() || l.isFull() || s.isKnown(v, h) {
		return false
	}
	if s.paths.isFull() || s.sweeps.isFull() {
		if s.paths.isFull() {
			s.paths.forget()
		}
		if s.sweeps.isFull() {
			s.sweeps.forget()
		}
		s.forgotten()
		p, _ = l.place(&key, h.loner, l.home(h.loner))
	}
	s.paths.invite()
	s.sweeps.invite()
	n := &l.begin(&key, h.loner, p).value
	n.host, n.hostVersion, n.port, n.attempt = v.server, v.serverVersion, v.port, a.attempt
	return true
}

// isKnown reports whether the path or the sweep of a visit is known already.
func (s *scans) isKnown(v *visit, h *attemptHashes) bool {
	if s.paths.n > 0 {
		if _, found := s.paths.place(&pathKey{v.client, v.server, v.protocol, v.serverVersion}, h.path, s.paths.home(h.path)); found {
			return true
		}
	}
	if s.sweeps.n > 0 {
		if _, found := s.sweeps.place(&sweepKey{v.client, v.port, v.protocol, v.clientVersion}, h.sweep, s.sweeps.home(h.sweep)); found {
			return true
		}
	}
	return false
}

// forgotten notes which loners were forgotten as guests. When all were, there is room for new
// ones.
func (s *scans) forgotten() {
	l := &s.loners
	if l.paths == s.paths.forgets && l.sweeps == s.sweeps.forgets {
		return
	}
	if l.paths != s.paths.forgets {
		l.path, l.paths = l.n, s.paths.forgets
	}
	if l.sweeps != s.sweeps.forgets {
		l.sweep, l.sweeps = l.n, s.sweeps.forgets
	}
	if min(l.path, l.sweep) == l.n {
		clear(l.index)
		l.n, l.path, l.sweep = 0, 0, 0
	}
}

// meetAgain makes a path and a sweep of loner i, as far as it is a guest there.
func (s *scans) meetAgain(i int, h *attemptHashes) {
	l := s.loners.slot(i)
	n, k := &l.value, &l.key
	if i >= s.loners.path {
		key := pathKey{k.source, n.host, k.protocol, n.hostVersion}
		s.paths.adopt(&key, key.hash()).value.add(n.port, n.attempt)
	}
	if i >= s.loners.sweep {
		key := sweepKey{k.source, n.port, k.protocol, k.version}
		sweep := &s.sweeps.adopt(&key, key.hash()).value
		sweep.add(n.attempt)
		sweep.hosts.add(n.host.end(n.hostVersion), exactOfOne)
	}
	k.gone = true
}
