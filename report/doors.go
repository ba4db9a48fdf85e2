package report

import (
	"cmp"
	"maps"
	"math"
	"net/netip"
	"slices"
	"sort"
	"unsafe"
)

// A doorKey is a server's endpoint.
type doorKey struct {
	ip
	port     uint16
	protocol uint8
	version  uint8 // of ip
}

func (k doorKey) addr() netip.Addr { return k.ip.addr(k.version) }

func (k doorKey) hash() uint64 { return k.hashAt(k.ip.end(k.version)) }

// hashAt is the hash where the address's is known.
func (k doorKey) hashAt(addr end) uint64 { return addr.with(uint64(k.port)<<8 | uint64(k.protocol)) }

// A door counts what came to one server endpoint; its slot's weight is the number
// of connections. With its slot it is one cache line: there are many doors.
type door struct {
	worked   uint64
	group    *serviceGroup
	number   uint32 // of its kind, from 1, in the order of arrival; 0: new
	answered bool   // anything at all
	opened   bool   // with a SYN-ACK, at least
}

// doors keeps the server endpoints apart.
type doors struct {
	heavy    heavy[doorKey, door]
	numbered uint32
	callers4 []caller[uint32]
	callers6 []caller[ip]
	clients  map[uint32]*addrSet // of connections that worked, by door, together with the callers
	portless answering

	most  int // callers that wait; 0 means maxCallers
	watch watch

	touched uint64 // what was read only to have it in the cache; it means nothing
}

// A caller is a client of a connection that worked. Of all doors only the busiest one's
// clients are told, and no door is known to be that one before the end. So callers are
// written one behind the other, which is cheap, and counted when they are asked for, or
// when there are too many to keep.
type caller[N addrNumber] struct {
	addr N
	door uint32
}

const maxCallers = 1 << 19 // of a door each, that wait, unless memory is short

// maxPortless is the number of hosts kept that answered without ports.
const maxPortless = 4096

// answering are hosts that answered over protocols without ports.
type answering struct {
	hosts    map[netip.Addr]bool
	most     int  // 0 means maxPortless
	overflow bool // there were more
}

func (a *answering) add(host netip.Addr) {
	switch {
	case a.hosts[host]:
	case len(a.hosts) >= cmp.Or(a.most, maxPortless):
		a.overflow = true
	case a.hosts == nil:
		a.hosts = map[netip.Addr]bool{host: true}
	default:
		a.hosts[host] = true
	}
}

// add counts a visit at its server's endpoint, whose hash is given. It gives the slot, nil
// when there is none, and reports whether the same service was met there before. Last is the
// slot of the last visit when that was to the same endpoint, else nil.
func (d *doors) add(v *visit, hash uint64, guess guess, last *slot[doorKey, door]) (s *slot[doorKey, door], known bool) {
	if !v.has(withPorts) {
		if v.has(answered) {
			d.portless.add(v.server.addr(v.serverVersion))
		}
		return nil, false
	}
	if s = last; s != nil {
		d.heavy.again(s)
	} else {
		key := v.key()
		s = d.heavy.at(&key, hash, guess)
	}
	known = v.group == s.value.group
	if !known && (s.value.group == nil || v.group.key.compare(&s.value.group.key) < 0) {
		s.value.group = v.group
	}
	if v.has(answered) {
		s.value.answered = true
	}
	if v.has(opened) {
		s.value.opened = true
	}
	if s.value.number == 0 {
		d.numbered++
		s.value.number = d.numbered
		if d.numbered == math.MaxUint32 {
			d.renumber()
		}
	}
	if v.has(worked) {
		s.value.worked++
		d.call(&s.value, v)
	}
	return s, known
}

// relieve forgets doors when d takes too much.
func (d *doors) relieve() {
	used := d.bytes()
	if used > d.watch.most {
		d.count()
		d.callers4, d.callers6 = nil, nil
		for used = d.bytes(); used > d.watch.enough() && d.heavy.n > 0; used = d.bytes() {
			d.heavy.forget()
			d.count()
		}
	}
	d.watch.looked(used)
}

// bytes is what d takes.
func (d *doors) bytes() int64 {
	const entry = 64 // of a map, at most
	used := d.heavy.room() + int64(cap(d.callers4))*int64(unsafe.Sizeof(caller[uint32]{})) +
		int64(cap(d.callers6))*int64(unsafe.Sizeof(caller[ip]{})) + entry*int64(len(d.portless.hosts))
	for _, set := range d.clients {
		used += entry + set.bytes()
	}
	return used
}

// renumber begins again from 1, with the doors that are left.
func (d *doors) renumber() {
	d.count()
	clients := make(map[uint32]*addrSet, len(d.clients))
	d.numbered = 0
	for s := range d.heavy.all() {
		d.numbered++
		if met := d.clients[s.value.number]; met != nil {
			clients[d.numbered] = met
		}
		s.value.number = d.numbered
	}
	d.clients = clients
}

// call notes the client of a visit to a door.
func (d *doors) call(to *door, v *visit) {
	if len(d.callers4)+len(d.callers6) == cmp.Or(d.most, maxCallers) {
		d.count()
	}
	switch v.clientVersion {
	case noIP:
	case ip4:
		d.callers4 = append(doubled(d.callers4), caller[uint32]{uint32(v.client.lo), to.number})
	default:
		d.callers6 = append(doubled(d.callers6), caller[ip]{v.client, to.number})
	}
}

// doubled is s with room for one more. A long slice that append makes longer grows by a
// quarter only, and leaves behind several times its size.
func doubled[E any](s []E) []E {
	if len(s) < cap(s) {
		return s
	}
	return slices.Grow(s, max(64, len(s)))
}

// meet counts a client of a door.
func (d *doors) meet(door uint32, client end) {
	met := d.clients[door]
	if met == nil {
		if d.clients == nil {
			d.clients = make(map[uint32]*addrSet)
		}
		met = new(addrSet)
		d.clients[door] = met
	}
	met.add(client, exactOfOne)
}

// count moves all callers into the sets of clients of their doors, and forgets the sets of
// doors that were forgotten.
func (d *doors) count() {
	for _, c := range d.callers4 {
		if d.has(c.door) {
			d.meet(c.door, ip{lo: uint64(c.addr)}.end(ip4))
		}
	}
	for _, c := range d.callers6 {
		if d.has(c.door) {
			d.meet(c.door, c.addr.end(ip6))
		}
	}
	d.callers4, d.callers6 = d.callers4[:0], d.callers6[:0]
	maps.DeleteFunc(d.clients, func(door uint32, _ *addrSet) bool { return !d.has(door) })
}

// clientsOf moves the callers of one door into its set, which it gives. They stay among
// the others, too: a set does not mind.
func (d *doors) clientsOf(door uint32) *addrSet {
	for _, c := range d.callers4 {
		if c.door == door {
			d.meet(door, ip{lo: uint64(c.addr)}.end(ip4))
		}
	}
	for _, c := range d.callers6 {
		if c.door == door {
			d.meet(door, c.addr.end(ip6))
		}
	}
	return d.clients[door]
}

// has reports whether the door with a number was not forgotten. Slots are in the order of
// numbers.
func (d *doors) has(number uint32) bool {
	i := int(number) - 1 // where it is as long as none was forgotten
	if i >= d.heavy.n || d.heavy.slot(i).value.number != number {
		i = sort.Search(d.heavy.n, func(i int) bool { return d.heavy.slot(i).value.number >= number })
	}
	return i < d.heavy.n && d.heavy.slot(i).value.number == number
}

// label is the service's at an endpoint, proven if any connection proves it; other
// when nothing is known of the endpoint.
func (d *doors) label(key doorKey, other string) string {
	if s := d.heavy.find(key); s != nil {
		return s.value.group.label
	}
	return other
}

// connections is how many connections went to an endpoint, at least, and whether
// that is exact.
func (d *doors) connections(key doorKey) (n uint64, exact bool) {
	s := d.heavy.find(key)
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
	sum.Busiest = netip.AddrPortFrom(best.key.addr(), best.key.port)
	sum.Protocol = protocolName(best.key.protocol)
	sum.Service = best.value.group.label
	sum.Connections = best.value.worked
	if clients := d.clientsOf(best.value.number); clients != nil {
		sum.Clients, sum.ClientsApproximate = clients.count(), !clients.exact()
	}
	return sum
}

func busier(a, b *slot[doorKey, door]) int {
	return cmp.Or(
		cmp.Compare(b.value.worked, a.value.worked),
		compareBool(b.key.protocol == protoTCP, a.key.protocol == protoTCP),
		a.key.addr().Compare(b.key.addr()),
		cmp.Compare(a.key.port, b.key.port),
		cmp.Compare(a.key.protocol, b.key.protocol),
	)
}
