package report

import (
	"time"

	"sockscope/decode/flow"
)

// A visit is what the doors, and the clients and servers of services, are told of a
// connection.
type visit struct {
	client, server               ip
	group                        *serviceGroup // filled in by services
	port                         uint16        // of the server
	protocol                     uint8
	clientVersion, serverVersion uint8 // of the addresses
	facts                        visitFacts
}

type visitFacts uint8

const (
	withPorts visitFacts = 1 << iota
	answered             // anything at all
	opened               // with a SYN-ACK, at least
	worked
)

// has reports whether a fact is true.
func (v *visit) has(f visitFacts) bool { return v.facts&f != 0 }

// key is the endpoint that was visited.
func (v *visit) key() doorKey { return doorKey{v.server, v.port, v.protocol, v.serverVersion} }

// isAgain reports whether v is to the same endpoint as another one.
func (v *visit) isAgain(last *visit) bool {
	return v.server == last.server && v.port == last.port && v.protocol == last.protocol && v.serverVersion == last.serverVersion
}

// visit adds c. What it gives is valid until the batch is entered.
func (b *batch) visit(c *flow.Connection) *visit {
	b.visits = b.visits[:len(b.visits)+1]
	v := &b.visits[len(b.visits)-1]
	v.client, v.clientVersion = ipOf(c.Client.Addr())
	v.server, v.serverVersion = ipOf(c.Server.Addr())
	v.group, v.port, v.protocol = nil, c.Server.Port(), c.Protocol
	v.facts = 0
	if c.HasPorts {
		v.facts |= withPorts
	}
	if c.ToClient.Packets > 0 || c.HasICMP && c.ICMPFrom == c.Server.Addr() {
		v.facts |= answered
	}
	if c.ToClient.SYNACKs > 0 {
		v.facts |= opened
	}
	switch c.Outcome {
	case flow.Complete, flow.Implied, flow.Answered:
		v.facts |= worked
	}
	return v
}

// A serving is what the sums of a connection's service are told of it, beside its visit.
type serving struct {
	counts
	evidence string // of the service
	setup    time.Duration
}

// question is what the service depends on, of a connection whose visit is v.
func (s *serving) question(v *visit) serviceQuestion {
	q := serviceQuestion{evidence: s.evidence, protocol: v.protocol, hasPorts: v.has(withPorts)}
	if q.hasPorts && q.evidence == "" {
		q.port = v.port
	}
	return q
}

// enterVisits counts visits at the doors, and their addresses at the services.
func (t *tables) enterVisits(all []visit) {
	d := &t.doors
	var touched uint64
	var clients, servers [stretch]end
	var hashes [stretch]uint64 // of the doors
	var guesses [stretch]guess
	var again [stretch]bool // it is to the endpoint of the one before
	for len(all) > 0 {
		visits := all[:min(stretch, len(all))]
		all = all[len(visits):]
		d.heavy.settle()
		for i := range visits {
			v := &visits[i]
			clients[i] = v.client.end(v.clientVersion)
			if again[i] = i > 0 && v.isAgain(&visits[i-1]); again[i] {
				servers[i] = servers[i-1]
				continue
			}
			servers[i] = v.server.end(v.serverVersion)
			hashes[i] = v.key().hashAt(servers[i])
			touched += d.heavy.touch(hashes[i])
		}
		for i := range visits {
			if !again[i] {
				guesses[i] = d.heavy.guess(hashes[i])
			}
		}
		for i := range visits {
			if !again[i] {
				touched += d.heavy.read(guesses[i])
			}
		}
		for i := range visits {
			touched += visits[i].group.clients.more.touch(&clients[i])
		}
		var s *slot[doorKey, door]
		for i := range visits {
			v := &visits[i]
			v.group.clients.add(clients[i], exactAddrs)
			if !again[i] {
				s = nil
			}
			var known bool
			if s, known = d.add(v, hashes[i], guesses[i], s); !known { // else the service has this server already
				v.group.servers.add(servers[i], exactAddrs)
				if !v.group.entered { // it never was where it is entered for the first time
					v.group.entered = true
					t.sums = append(t.sums, v.group.serviceSums)
				}
			}
		}
		if d.watch.due(len(visits)) { // stretches are the same for batches of any size
			d.relieve()
		}
		if t.watch.due(len(visits)) {
			t.relieve()
		}
	}
	d.touched += touched
}

// leastRegisters is what a sketch has at least: its standard error is 9 %.
const leastRegisters = 128

// relieve makes what is known of the clients and servers of services less exact when it
// takes too much.
func (t *tables) relieve() {
	used := t.addressBytes()
	if used > t.watch.most {
		for most := 1 << sketchBits; most >= leastRegisters && used > t.watch.enough(); most /= 2 {
			for _, s := range t.sums {
				s.clients.more.lessen(most)
				s.servers.more.lessen(most)
			}
			used = t.addressBytes()
		}
	}
	t.watch.looked(used)
}

// addressBytes is what the addresses of clients and servers take.
func (t *tables) addressBytes() int64 {
	var used int64
	for _, s := range t.sums {
		used += s.clients.bytes() + s.servers.bytes()
	}
	return used
}
