package report

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sockscope/decode/flow"
)

// failedCell shows failures in red.
func failedCell(n uint64) cell {
	c := number(n)
	if n > 0 {
		c.colour = red
	}
	return c
}

// bytesCell is a cell of a number of bytes.
func bytesCell(n uint64) cell {
	if n == 0 {
		return cell{text: "-"}
	}
	return cell{text: humanBytes(n)}
}

// number is a cell of a count, a dash for 0 so that the others stand out.
func number(n uint64) cell {
	if n == 0 {
		return cell{text: "-"}
	}
	return cell{text: humanCount(n)}
}

// ranges is the table by range of the server's port, and what it shows of ports.
func (p *printer) ranges(s *Summary) {
	if s.Total.Connections == 0 {
		return
	}
	p.heading("Server ports by range", "")
	t := &table{columns: []tableColumn{
		{title: "range"},
		{title: "ports", rank: 3},
		{title: "conns", right: true},
		{title: "ok", right: true, rank: 3},
		{title: "failed", right: true},
		{title: "other", right: true, rank: 5},
		{title: "packets", right: true, rank: 7},
		{title: "bytes", right: true, rank: 1},
		{title: "share", right: true, rank: 6},
		{title: "rtt p50", right: true, rank: 8},
		{title: "p95", right: true, rank: 9},
		{title: "busiest services", rank: 2, narrowest: 14},
	}}
	for i := range s.Ranges {
		r := &s.Ranges[i]
		ports := fmt.Sprintf("%d–%d", r.Low, r.High)
		name := r.Name
		if r.Name == rangeNames[noPort] {
			name, ports = "no port", ""
		}
		t.add(
			cell{text: name}, cell{text: ports},
			number(r.Tally.Connections), number(r.Tally.OK()), failedCell(r.Tally.Failed), number(r.Tally.Other()),
			number(r.Tally.Packets), bytesCell(r.Tally.Bytes), cell{text: humanShare(r.Share)},
			p.quantile(&r.SYNRTT, r.SYNRTT.P50), p.quantile(&r.SYNRTT, r.SYNRTT.P95),
			cell{text: strings.Join(r.Busiest, ", ")},
		)
	}
	p.table(t, 2)
	p.clientsAndRoles(s)
	p.lesson(s)
}

// quantile is a duration, empty when there were no samples.
func (p *printer) quantile(q *Quantiles, d time.Duration) cell {
	if q.N == 0 {
		return cell{text: "-"}
	}
	if q.Approximate {
		return cell{text: "≈" + humanDuration(d)}
	}
	return cell{text: humanDuration(d)}
}

// clientsAndRoles tells where client ports lie and how the roles were decided.
func (p *printer) clientsAndRoles(s *Summary) {
	var clients, roles []string
	for _, c := range s.Clients {
		if c.Connections > 0 {
			clients = append(clients, humanCount(c.Connections)+" "+c.Name)
		}
	}
	for _, r := range s.Roles {
		roles = append(roles, humanCount(r.Connections)+" by "+roleWords[r.Basis])
	}
	var text string
	if len(clients) > 0 {
		text = "Connections by client port: " + strings.Join(clients, ", ") + ". "
	}
	text += s.Host.ClientPorts()
	if len(roles) > 0 {
		text += "Which end is the server: " + strings.Join(roles, ", ") + "."
	}
	p.paragraph(plain, text)
}

var roleWords = [flow.NumRoleBases]string{
	flow.RoleSYN:      "the SYN",
	flow.RoleSYNACK:   "the SYN-ACK",
	flow.RolePayload:  "the payload",
	flow.RoleListener: "the listening process",
	flow.RoleRegistry: "the port registry",
	flow.RoleRange:    "the port range",
	flow.RoleFirst:    "the first packet",
}

// lesson says what a port and a socket are, with this capture's own numbers.
func (p *printer) lesson(s *Summary) {
	d := &s.Doors
	if !d.Busiest.IsValid() {
		if s.Total.Failed == s.Total.Connections && d.Endpoints > 0 && d.Open == 0 {
			p.paragraph(faint, "A port is a door's number: none of the doors that clients knocked at here let one in.")
		}
		return
	}
	name := d.Protocol + " port " + strconv.Itoa(int(d.Busiest.Port()))
	if d.Service != "" {
		name += " (" + d.Service + ")"
	}
	doors := plural(d.Endpoints, "address:port pair")
	switch {
	case d.Approximate:
		doors = "more address:port pairs than can be told apart here, at least " + humanCount(d.Endpoints)
	case d.Endpoints > 1:
		doors += "; " + humanCount(d.Entered) + " of them let somebody in"
	}
	clients := plural(d.Clients, "client address")
	if d.ClientsApproximate {
		clients = "≈" + clients
	}
	text := fmt.Sprintf("A port is a door's number: %s came in by %s of %s, from %s. "+
		"Each end of a connection, address and port, is a socket; both ends together tell connections apart. "+
		"Clients knocked at %s.",
		plural(d.Connections, "connection"), name, d.Busiest.Addr(), clients, doors)
	p.paragraph(faint, text)
}

// services is the table by service.
func (p *printer) services(s *Summary) {
	if len(s.Services) == 0 {
		return
	}
	p.heading("Services", "~ only the port suggests it")
	t := &table{columns: []tableColumn{
		{title: "service", narrowest: 10},
		{title: "port", rank: 1},
		{title: "process", rank: 4, narrowest: 14},
		{title: "clients", right: true, rank: 5},
		{title: "servers", right: true, rank: 6},
		{title: "conns", right: true},
		{title: "ok", right: true, rank: 4},
		{title: "failed", right: true},
		{title: "other", right: true, rank: 8},
		{title: "bytes", right: true, rank: 2},
		{title: "setup p50", right: true, rank: 3},
		{title: "p95", right: true, rank: 7},
		{title: "p99", right: true, rank: 9},
		{title: "resent", right: true, rank: 10},
	}}
	for i := range s.Services[:min(textServices, len(s.Services))] {
		v := &s.Services[i]
		t.add(
			cell{text: serviceName(v)}, cell{text: servicePort(v)}, cell{text: v.Processes()},
			distinctCell(v.Clients, v.ClientsApproximate), distinctCell(v.Servers, v.ServersApproximate),
			number(v.Tally.Connections), number(v.Tally.OK()), failedCell(v.Tally.Failed), number(v.Tally.Other()),
			bytesCell(v.Tally.Bytes),
			p.quantile(&v.Setup, v.Setup.P50), p.quantile(&v.Setup, v.Setup.P95), p.quantile(&v.Setup, v.Setup.P99),
			cell{text: resentShare(v)},
		)
	}
	p.table(t, 2)
	if n := len(s.Services) - textServices; n > 0 {
		p.paragraph(plain, "and "+humanCount(uint64(n))+" more")
	}
	if p.width >= 80 {
		other := "without a handshake in the capture or not asking for an answer"
		if s.Total.UndecidedUnanswered+s.Total.UndecidedHalfOpen > 0 {
			other = "without a handshake in the capture, not asking for an answer, or evicted too early to tell"
		}
		note := "ok: complete or answered; other: " + other + "; " +
			"rtt: SYN to SYN-ACK; setup: first SYN to ACK"
		if p.width >= 120 { // where that column has room
			note += "; resent: of the TCP segments"
		}
		if s.guessesProcesses() {
			note += "; ~ before a process: it listens, another one may have served"
		}
		p.paragraph(faint, note)
	}
}

// Processes names who serves, or where that is not known "by" whom it is used; "" when
// neither is known.
func (v *Service) Processes() string {
	if v.ServerProcesses.known() || !v.ClientProcesses.known() {
		return v.ServerProcesses.names()
	}
	return "by " + v.ClientProcesses.names()
}

// listeners is the table of sockets that nobody talked to.
func (p *printer) listeners(h *Host) {
	if h == nil || len(h.Unvisited) == 0 {
		return
	}
	all := uint64(len(h.Unvisited)) + h.LeftOut
	p.heading("Listening, nobody talked to", h.UnvisitedCount())
	t := &table{columns: []tableColumn{
		{title: "proto"},
		{title: "address", narrowest: wholeIPv4},
		{title: "service", rank: 2, narrowest: 10},
		{title: "process", rank: 1, narrowest: 10},
		{title: "", rank: 3},
	}}
	for i := range h.Unvisited[:min(textListeners, len(h.Unvisited))] {
		l := &h.Unvisited[i]
		t.add(cell{text: l.Protocol}, endpointCell("", l.Address, true), cell{text: l.Service}, cell{text: l.Processes()},
			cell{text: l.scope()})
	}
	p.table(t, 2)
	if n := all - min(all, textListeners); n > 0 {
		p.paragraph(plain, "and "+humanCount(n)+" more")
	}
}

// resentShare is how many of a service's TCP segments were sent again, in percent; "-"
// when none were.
func resentShare(v *Service) string {
	if v.Tally.Retransmissions == 0 {
		return "-"
	}
	return humanShare(float64(v.Tally.Retransmissions) / float64(v.Tally.Packets))
}

func serviceName(v *Service) string {
	switch {
	case v.Name == "" && !v.HasPort && hasPorts[v.Protocol]:
		return "others"
	case v.Name == "" && !v.HasPort:
		return v.Protocol
	case v.Name == "":
		return "unknown"
	case !v.Proven:
		return "~" + v.Name
	}
	return v.Name
}

// hasPorts are the protocols with ports.
var hasPorts = map[string]bool{"tcp": true, "udp": true, "udplite": true, "sctp": true}

// servicePort is "443/tcp", "443, 8443/tcp", or "443, 8443, 9443, …/tcp" when there are more ports.
func servicePort(v *Service) string {
	switch {
	case !v.HasPort && !hasPorts[v.Protocol]:
		return "-"
	case !v.HasPort:
		return v.Protocol
	}
	return v.portList() + "/" + v.Protocol
}

// portList is the busiest ports, and "…" when there are more.
func (v *Service) portList() string {
	list := strconv.Itoa(int(v.Port))
	for _, port := range v.Others {
		list += ", " + strconv.Itoa(int(port))
	}
	if v.Ports > uint64(1+len(v.Others)) {
		list += ", …"
	}
	return list
}

// distinctCell is a number of distinct things.
func distinctCell(n uint64, approximate bool) cell {
	if approximate {
		return cell{text: "≈" + humanCount(n)}
	}
	return cell{text: humanCount(n)}
}

// connections is the table of the top connections.
func (p *printer) connections(s *Summary) {
	if len(s.Connections) == 0 {
		return
	}
	remark := fmt.Sprintf("%s of %s, by %s", humanCount(uint64(len(s.Connections))), humanCount(s.Total.Connections), s.Sort)
	if uint64(len(s.Connections)) == s.Total.Connections {
		remark = "all, by " + s.Sort
	}
	p.heading("Connections", remark)
	t := &table{columns: []tableColumn{
		{title: "", rank: 5},
		{title: "client", right: true, narrowest: wholeIPv4},
		{title: "→ server", narrowest: 2 + wholeIPv4},
		{title: "service", rank: 6, narrowest: 6},
		{title: "outcome"},
		{title: "process", rank: 2, narrowest: 16},
		{title: "close", rank: 4},
		{title: "packets", right: true, rank: 7},
		{title: "bytes", right: true, rank: 1},
		{title: "duration", right: true, rank: 3},
		{title: "frame", right: true, rank: 2},
		{title: "rtt", right: true, rank: 8},
		{title: "flags", rank: 9, narrowest: 12},
	}}
	for i := range s.Connections {
		t.add(connectionCells(&s.Connections[i])...)
	}
	p.table(t, 2)
}

func connectionCells(r *Row) []cell {
	outcome := cell{text: r.Outcome.String()}
	if r.Failed() {
		outcome.colour = red
	}
	service := r.Service
	if service != "" && r.ServiceBasis == "port" {
		service = "~" + service
	}
	end := r.Close.String()
	if by := r.ClosedBy.String(); by != "" && r.Close != flow.Never {
		end += " " + by
	}
	frame := ""
	if f := r.evidenceFrame(); f > 0 {
		frame = strconv.FormatUint(f, 10)
	}
	return []cell{
		{text: protocolName(r.Protocol)},
		endpointCell("", r.Client, r.HasPorts), endpointCell("→ ", r.Server, r.HasPorts),
		{text: service}, outcome, {text: r.Processes()}, {text: end},
		{text: humanCount(r.ToServer.Packets + r.ToClient.Packets)},
		{text: humanBytes(r.ToServer.Bytes + r.ToClient.Bytes)},
		{text: humanDuration(r.duration())},
		{text: frame},
		{text: humanDuration(r.SYNRTT)},
		{text: strings.Join(r.Flags.Names(), " ")},
	}
}

// wholeIPv4 is the width of the longest IPv4 endpoint: 255.255.255.255:65535.
const wholeIPv4 = 21

// endpointCell is an endpoint whose port stays whatever happens to the address.
func endpointCell(prefix string, e netip.AddrPort, hasPort bool) cell {
	if !hasPort {
		return cell{text: prefix + e.Addr().String()}
	}
	port := ":" + strconv.Itoa(int(e.Port()))
	if e.Addr().Is6() {
		return cell{text: prefix + "[" + e.Addr().String(), tail: "]" + port}
	}
	return cell{text: prefix + e.Addr().String(), tail: port}
}

// tunnels is the table of encapsulations.
func (p *printer) tunnels(s *Summary) {
	if len(s.Tunnels) == 0 {
		return
	}
	p.heading("Tunnels", "around the connections; their frames are counted inside")
	t := &table{columns: []tableColumn{
		{title: "tunnel"},
		{title: "between", rank: 2, narrowest: 16},
		{title: "id", right: true, rank: 3},
		{title: "frames", right: true},
		{title: "bytes", right: true, rank: 1},
	}}
	for _, u := range s.Tunnels[:min(textTunnels, len(s.Tunnels))] {
		between, id := "", ""
		if u.A.IsValid() {
			between = u.A.String() + " – " + u.B.String()
		}
		if u.HasID {
			id = strconv.FormatUint(uint64(u.ID), 10)
		}
		t.add(cell{text: u.Kind}, cell{text: between}, cell{text: id}, number(u.Frames), bytesCell(u.Bytes))
	}
	p.table(t, 2)
	if n := len(s.Tunnels) - textTunnels; n > 0 {
		p.paragraph(plain, "and "+humanCount(uint64(n))+" more")
	}
}

// ledger shows that nothing was lost on the way through the program.
func (p *printer) ledger(s *Summary) {
	l := &s.Ledger
	if l.Balanced {
		p.heading("Ledger", "balanced: every frame and every connection is counted once")
	} else {
		p.heading("Ledger", "")
		p.paragraph(boldRed, "NOT BALANCED: the sums below do not agree. This is an error of the program.")
	}
	var parts []string
	for _, line := range l.Lines {
		name := line.Group
		if line.Name != "" {
			name += " (" + line.Name + ")"
		}
		parts = append(parts, humanCount(line.Frames)+" "+name)
	}
	p.paragraph(plain, equation(plural(l.Frames, "frame"), parts))
	parts = parts[:0]
	for o, n := range l.Outcomes {
		if n == 0 {
			continue
		}
		part := humanCount(n) + " " + flow.Outcome(o).String()
		var notes []string
		early := s.Total.undecided(flow.Outcome(o))
		if idle := n - early - failedOutcomes(&s.Total)[flow.Unanswered]; flow.Outcome(o) == flow.Unanswered && idle > 0 {
			notes = append(notes, asksNothing(n, idle))
		}
		if early > 0 {
			notes = append(notes, humanCount(early)+" evicted too early to tell")
		}
		if len(notes) > 0 {
			part += " (" + strings.Join(notes, ", ") + ")"
		}
		parts = append(parts, part)
	}
	p.paragraph(plain, equation(plural(l.Connections, "connection"), parts))
	if text := l.MemoryShort(p.when(l.EvictedSince, l.EvictedUntil, s.First)); text != "" {
		p.paragraph(plain, text)
	}
	if len(s.Problems) > 0 {
		p.paragraph(plain, "Headers that are wrong, cut off or beyond a limit: "+problemList(s.Problems, p.text))
	}
}

// asksNothing tells how many of n unanswered conversations are no failures.
func asksNothing(n, idle uint64) string {
	if idle == n {
		return "not asking for an answer"
	}
	return humanCount(idle) + " of them not asking for an answer"
}

// equation is "120 connections = 118 complete + 2 refused".
func equation(sum string, parts []string) string {
	if len(parts) == 0 {
		return sum
	}
	return sum + " = " + strings.Join(parts, " + ")
}
