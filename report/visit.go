package report

import "sockscope/decode/flow"

// batchLen is the number of connections that are entered into the tables together. The
// tables are larger than the caches, and each step to an entry needs the one before; so
// a step is made for all connections of the batch before the next one: reads that don't
// wait for each other are fetched from memory at the same time. The entries themselves
// are then made one by one, in order.
const batchLen = 64

// A visit is what is kept of a connection until its batch is complete.
type visit struct {
	group          *serviceGroup
	client, server end
	door           uint64 // the hash of its doorKey
	port           uint16 // of the server
	protocol       uint8
	hasPorts       bool
	answered       bool // anything at all
	opened         bool // with a SYN-ACK, at least
	worked         bool
}

// visits collects connections for the tables of addresses: the doors and the
// services' clients and servers.
type visits struct {
	batch [batchLen]visit
	n     int
}

// add takes c, a connection of group g. What it gives is valid until take.
func (w *visits) add(c *flow.Connection, g *serviceGroup) *visit {
	v := &w.batch[w.n]
	w.n++
	v.group, v.client, v.server = g, endOf(c.Client.Addr()), endOf(c.Server.Addr())
	v.port, v.protocol, v.hasPorts = c.Server.Port(), c.Protocol, c.HasPorts
	v.door = v.key().hashAt(v.server)
	v.answered = c.ToClient.Packets > 0 || c.HasICMP && c.ICMPFrom == c.Server.Addr()
	v.opened = c.ToClient.SYNACKs > 0
	v.worked = c.Outcome == flow.Complete || c.Outcome == flow.Implied || c.Outcome == flow.Answered
	return v
}

// complete reports whether the batch is.
func (w *visits) complete() bool { return w.n == batchLen }

// key is the endpoint that was visited.
func (v *visit) key() doorKey { return doorOf(v.server, v.port, v.protocol) }

// take empties the batch. What it gives is valid until the next add.
func (w *visits) take() []visit {
	taken := w.batch[:w.n]
	w.n = 0
	return taken
}

// enterVisits counts visits at the doors, and their addresses at the services. Its
// result keeps the reads that only fetch something from being optimized away.
func enterVisits(visits []visit, d *doors) (touched uint64) {
	for i := range visits {
		touched += d.heavy.touch(visits[i].door)
	}
	var guesses [batchLen]*slot[doorKey, door]
	for i := range visits {
		guesses[i] = d.heavy.guess(visits[i].door)
	}
	for _, s := range guesses[:len(visits)] {
		if s != nil {
			touched += s.weight
		}
	}
	for i := range visits {
		v := &visits[i]
		touched += v.group.clients.more.touch(&v.client)
	}
	for i := range visits {
		v := &visits[i]
		v.group.clients.add(v.client, exactAddrs)
		if !d.add(v, guesses[i]) { // else the service has this server already
			v.group.servers.add(v.server, exactAddrs)
		}
	}
	return touched
}
