package report

import (
	"cmp"
	"net/netip"
)

// A doorKey is a server's endpoint.
type doorKey struct {
	addr     netip.Addr
	port     uint16
	protocol uint8
}

func (k doorKey) hash() uint64 { return k.hashAt(endOf(k.addr)) }

// hashAt is the hash where the address's is known.
func (k doorKey) hashAt(addr end) uint64 { return addr.with(uint64(k.port)<<8 | uint64(k.protocol)) }

// A door counts what came to one server endpoint; its slot's weight is the number
// of connections.
type door struct {
	worked   uint64
	clients  distinct // of connections that worked
	group    *serviceGroup
	answered bool // anything at all
	opened   bool // with a SYN-ACK, at least
}

// doors keeps the server endpoints apart.
type doors struct {
	heavy    heavy[doorKey, door]
	portless answering
}

// maxPortless is the number of hosts kept that answered without ports.
const maxPortless = 4096

// answering are hosts that answered over protocols without ports.
type answering struct {
	hosts    map[netip.Addr]bool
	overflow bool // there were more
}

func (a *answering) add(host netip.Addr) {
	switch {
	case a.hosts[host]:
	case len(a.hosts) >= maxPortless:
		a.overflow = true
	case a.hosts == nil:
		a.hosts = map[netip.Addr]bool{host: true}
	default:
		a.hosts[host] = true
	}
}

// add counts a connection at its server's endpoint.
func (d *doors) add(v *visit, guess *slot[doorKey, door]) {
	if !v.hasPorts {
		if v.answered {
			d.portless.add(v.server.Addr)
		}
		return
	}
	s := d.heavy.at(v.key(), v.door, guess)
	if s.value.group == nil || v.group != s.value.group && v.group.key.compare(s.value.group.key) < 0 {
		s.value.group = v.group
	}
	s.value.answered = s.value.answered || v.answered
	s.value.opened = s.value.opened || v.opened
	if v.worked {
		s.value.worked++
		s.value.clients.add(v.client, exactOfOne)
	}
}

// label is the service's at an endpoint, proven if any connection proves it; other
// when nothing is known of the endpoint.
func (d *doors) label(addr netip.Addr, port uint16, protocol uint8, other string) string {
	if s := d.heavy.find(doorKey{addr: addr, port: port, protocol: protocol}); s != nil {
		return s.value.group.label
	}
	return other
}

// connections is how many connections went to an endpoint, at least, and whether
// that is exact.
func (d *doors) connections(addr netip.Addr, port uint16, protocol uint8) (n uint64, exact bool) {
	s := d.heavy.find(doorKey{addr: addr, port: port, protocol: protocol})
	if s == nil {
		return 0, false
	}
	return s.weight, s.missed == 0
}

// summary names the busiest door: most connections that worked, then TCP, then
// the lowest address and port.
func (d *doors) summary() Doors {
	sum := Doors{Endpoints: uint64(d.heavy.n), Approximate: d.heavy.floor > 0}
	var best *slot[doorKey, door]
	for s := range d.heavy.all() {
		if s.value.worked > 0 {
			sum.Entered++
		}
		if s.value.worked > 0 || s.value.opened {
			sum.Open++
		}
		if s.value.worked > 0 && (best == nil || busier(s, best) < 0) {
			best = s
		}
	}
	if best == nil {
		return sum
	}
	sum.Busiest = netip.AddrPortFrom(best.key.addr, best.key.port)
	sum.Protocol = protocolName(best.key.protocol)
	sum.Service = best.value.group.label
	sum.Connections = best.value.worked
	sum.Clients = best.value.clients.count()
	sum.ClientsApproximate = !best.value.clients.exact()
	return sum
}

func busier(a, b *slot[doorKey, door]) int {
	return cmp.Or(
		cmp.Compare(b.value.worked, a.value.worked),
		compareBool(b.key.protocol == protoTCP, a.key.protocol == protoTCP),
		a.key.addr.Compare(b.key.addr),
		cmp.Compare(a.key.port, b.key.port),
		cmp.Compare(a.key.protocol, b.key.protocol),
	)
}
