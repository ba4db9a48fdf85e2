package main

import (
	"cmp"
	"encoding/json"
	"io"
	"net/netip"
	"slices"
	"strings"

	"sockscope/capture"
	"sockscope/capture/process"
	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/service"
)

// portFacts is what is known of one port. The tags are the names of the JSON
// document; what is unknown is left out.
type portFacts struct {
	Port       uint16       `json:"port"`
	OtherPorts []uint16     `json:"other_ports,omitzero"` // of the service asked for
	Range      string       `json:"range"`
	Rule       string       `json:"rule"`
	Registered []portEntry  `json:"registered"`
	Common     []portCommon `json:"common,omitzero"`

	Ephemeral   *portBounds `json:"ephemeral_range,omitzero"` // of this host
	InEphemeral bool        `json:"in_ephemeral_range,omitzero"`
	Reserved    bool        `json:"reserved,omitzero"`                // taken out of that range by the administrator
	Privileged  *uint16     `json:"unprivileged_port_start,omitzero"` // of this host: lower ones need a privilege

	Listeners   *[]portListener `json:"listeners,omitzero"`
	Unavailable string          `json:"listeners_unavailable,omitzero"` // why Listeners is unknown
	Incomplete  []string        `json:"listeners_incomplete,omitzero"`

	Connected *[]portSocket `json:"connected,omitzero"` // sockets of this host that have the port at one end and a peer

	Uses *[]portUse `json:"uses,omitzero"` // in the capture read
}

type portEntry struct {
	Name        string     `json:"name,omitzero"`
	Transports  []string   `json:"transports,omitzero"`
	Ports       portBounds `json:"ports"`
	Description string     `json:"description,omitzero"`
}

type portCommon struct {
	Name       string   `json:"name"`
	Transports []string `json:"transports"`
}

type portBounds struct {
	Low  uint16 `json:"low"`
	High uint16 `json:"high"`
}

type portListener struct {
	Protocol    string      `json:"proto"`
	IP          string      `json:"ip"`
	UID         uint32      `json:"uid"`
	Processes   []portOwner `json:"processes,omitzero"`
	Unavailable string      `json:"processes_unavailable,omitzero"`

	held holding
}

type portSocket struct {
	Protocol    string      `json:"proto"`
	Side        string      `json:"side"` // the one that has the port: "local" or "remote"
	State       string      `json:"state"`
	LocalIP     string      `json:"local_ip"`
	LocalPort   uint16      `json:"local_port"`
	RemoteIP    string      `json:"remote_ip"`
	RemotePort  uint16      `json:"remote_port"`
	Processes   []portOwner `json:"processes,omitzero"`
	Unavailable string      `json:"processes_unavailable,omitzero"`

	held holding
}

type portOwner struct {
	PID  int    `json:"pid"`
	Name string `json:"process,omitzero"`
}

// portUse counts the connections of one protocol that had the port on one side.
type portUse struct {
	Protocol    string            `json:"proto"`
	Side        string            `json:"side"` // the one that had the port: "server" or "client"
	Connections uint64            `json:"connections"`
	Outcomes    map[string]uint64 `json:"outcomes"`
	Packets     uint64            `json:"packets"`
	Bytes       uint64            `json:"bytes"`
	Clients     int               `json:"clients"` // distinct addresses
	Servers     int               `json:"servers"`
}

// newPortFacts is what the registry says of a port.
func newPortFacts(port uint16) *portFacts {
	r := service.RangeOf(port)
	f := &portFacts{Port: port, Range: r.String(), Rule: r.Rule(), Registered: []portEntry{}}
	for _, e := range service.Entries(port) {
		entry := portEntry{e.Name, nil, portBounds{e.Low, e.High}, e.Description}
		n := slices.IndexFunc(f.Registered, func(o portEntry) bool {
			return o.Name == entry.Name && o.Ports == entry.Ports && o.Description == entry.Description
		})
		if n < 0 {
			n = len(f.Registered)
			f.Registered = append(f.Registered, entry)
		}
		if e.Transport != "" {
			f.Registered[n].Transports = append(f.Registered[n].Transports, e.Transport)
		}
	}
	for _, t := range portTransports {
		name, ok := service.Common(t.protocol, port)
		if !ok {
			continue
		}
		if n := len(f.Common) - 1; n >= 0 && f.Common[n].Name == name {
			f.Common[n].Transports = append(f.Common[n].Transports, t.name)
		} else {
			f.Common = append(f.Common, portCommon{name, []string{t.name}})
		}
	}
	return f
}

var portTransports = [...]struct {
	protocol uint8
	name     string
}{{6, "tcp"}, {17, "udp"}, {132, "sctp"}}

// transportOf is the name of an IP protocol number with ports.
func transportOf(protocol uint8) string {
	for _, t := range portTransports {
		if t.protocol == protocol {
			return t.name
		}
	}
	if protocol == 136 {
		return "udplite"
	}
	return "other"
}

// lookHere adds what this host says of the port.
func (f *portFacts) lookHere() {
	if low, high, err := process.EphemeralRange(""); err == nil {
		f.Ephemeral = &portBounds{low, high}
		f.InEphemeral = low <= f.Port && f.Port <= high
	}
	if start, err := process.UnprivilegedStart(""); err == nil {
		f.Privileged = &start
	}
	f.Reserved, _ = process.Reserved("", f.Port)
	list, connected := []portListener{}, []portSocket{}
	if f.Port != 0 { // no socket has it, and in a Survey it means all
		host, err := process.Sockets(process.Survey{Port: f.Port})
		if err != nil {
			f.Unavailable = strings.TrimPrefix(err.Error(), "process: ")
			return
		}
		f.Incomplete = host.Incomplete
		for i := range host.Sockets {
			switch s := &host.Sockets[i]; {
			case s.Remote.IsValid():
				connected = append(connected, f.connectedOf(host, s))
			case s.Listens() && s.Local.Port() == f.Port:
				list = append(list, listenerOf(host, s))
			}
		}
	}
	f.Listeners, f.Connected = &list, &connected
}

// listenerOf is a socket that waits for peers.
func listenerOf(host *capture.Host, s *capture.Socket) portListener {
	addr := s.Local.Addr()
	if s.IPv6 { // as the socket has it, also when it is bound to an IPv4 address
		addr = netip.AddrFrom16(addr.As16())
	}
	return portListener{transportOf(s.Protocol), addr.String(), s.UID, ownersOf(s), report.EscapeText(s.Unavailable), holdingOf(host, s)}
}

// connectedOf is a socket that has a peer.
func (f *portFacts) connectedOf(host *capture.Host, s *capture.Socket) portSocket {
	c := portSocket{transportOf(s.Protocol), "remote", stateOf(s), s.Local.Addr().String(), s.Local.Port(),
		s.Remote.Addr().String(), s.Remote.Port(), ownersOf(s), report.EscapeText(s.Unavailable), holdingOf(host, s)}
	if s.Local.Port() == f.Port {
		c.Side = "local"
	}
	return c
}

// ownersOf are the processes that have s.
func ownersOf(s *capture.Socket) (owners []portOwner) {
	for _, o := range s.Owners {
		owners = append(owners, portOwner{o.PID, report.EscapeText(o.Name)})
	}
	return owners
}

// portUses are who used a port in a capture, as far as it was read.
type portUses struct {
	port   uint16
	groups map[useKey]*useGroup
}

type useKey struct {
	protocol uint8
	server   bool
}

type useGroup struct {
	portUse
	clients, servers map[netip.Addr]struct{}
}

func newPortUses(port uint16) *portUses {
	return &portUses{port: port, groups: make(map[useKey]*useGroup)}
}

// add adds a connection.
func (u *portUses) add(c *flow.Connection) {
	if !c.HasPorts {
		return
	}
	for _, k := range []useKey{{c.Protocol, true}, {c.Protocol, false}} {
		end := c.Client
		if k.server {
			end = c.Server
		}
		if end.Port() != u.port {
			continue
		}
		g := u.groups[k]
		if g == nil {
			g = &useGroup{clients: make(map[netip.Addr]struct{}), servers: make(map[netip.Addr]struct{})}
			g.Protocol, g.Side, g.Outcomes = transportOf(c.Protocol), "client", make(map[string]uint64)
			if k.server {
				g.Side = "server"
			}
			u.groups[k] = g
		}
		g.Connections++
		g.Outcomes[c.Outcome.String()]++
		g.Packets += c.ToServer.Packets + c.ToClient.Packets
		g.Bytes += c.ToServer.Bytes + c.ToClient.Bytes
		g.clients[c.Client.Addr()] = struct{}{}
		g.servers[c.Server.Addr()] = struct{}{}
	}
}

// use tells who used the port in a capture.
func (f *portFacts) use(u *portUses) {
	uses := []portUse{}
	for _, g := range u.groups {
		g.Clients, g.Servers = len(g.clients), len(g.servers)
		uses = append(uses, g.portUse)
	}
	slices.SortFunc(uses, func(a, b portUse) int {
		return cmp.Or(cmp.Compare(b.Side, a.Side), cmp.Compare(a.Protocol, b.Protocol)) // servers first
	})
	f.Uses = &uses
}

// writePortJSON writes f as one JSON document.
func writePortJSON(w io.Writer, f *portFacts) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(f)
}
