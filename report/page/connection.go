package page

import (
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sockscope/report"
)

// connections is the table of connections. Its lines are made while they are
// written.
type connections struct {
	Caption string
	Any     bool
	Owned   bool   // some processes are known
	Start   string // what the column of start times counts from
	Cut     string // what Lines leaves out, and how to have it
	Choices []choice
	Lines   iter.Seq[connection]
}

// A choice is a line of the filter by outcome.
type choice struct {
	Value, Text string
	Any         bool // Lines has some
}

// A connection is a line of the table of connections.
type connection struct {
	ID             string
	Start          quantity // Exact is the time in UTC
	Protocol       string
	Client, Server end
	About          string // the server: port range and how it was known to be the server
	Service        string
	Suggested      bool
	Name           string
	Process        string // at the client → at the server, as far as they are known
	Outcome, Class string
	Reason         string // of the outcome, where an ICMP error decided it
	Close, Flags   string
	Frames         quantity // Exact says which is which
	Setup          quantity // Exact has the SYN RTT too
	Duration       quantity
	Packets        quantity // Exact says which way
	BytesToServer  quantity
	BytesToClient  quantity
}

func newConnections(s *report.Summary) connections {
	c := connections{Any: len(s.Connections) > 0, Start: "s after the first frame"}
	c.Owned = slices.ContainsFunc(s.Connections, func(r report.Row) bool { return r.Processes() != "" })
	if !s.First.Known() {
		c.Start = "unknown"
	}
	shown, all := uint64(len(s.Connections)), s.Total.Connections
	switch {
	case shown == 0:
	case shown < all:
		c.Caption = "The first " + count(shown) + " of " + count(all) + " connections"
		c.Cut = cutConnections(s)
	default:
		c.Caption = counted(shown, "connection")
	}
	if c.Caption != "" && s.Sort != "" {
		c.Caption += ", in the order of " + report.EscapeText(s.Sort)
	}

	c.Choices = choices(s)

	c.Lines = func(yield func(connection) bool) {
		for i := range s.Connections {
			if !yield(newConnection(s, &s.Connections[i])) {
				return
			}
		}
	}
	return c
}

// cutConnections says that not all connections are in the file.
func cutConnections(s *report.Summary) string {
	n := uint64(len(s.Connections))
	text := count(n) + " of " + counted(s.Total.Connections, "connection")
	if n == 1 {
		text += " is"
	} else {
		text += " are"
	}
	text += " in this file"
	if s.Sort != "" {
		text += " (the first by " + report.EscapeText(s.Sort) + ")"
	}
	return text + "; --all puts all in"
}

// choices are the lines of the filter by outcome: the outcomes of all connections,
// each with how many of its connections are listed, so that a cut list does not
// look like a capture without them.
func choices(s *report.Summary) []choice {
	var here report.Tally
	for i := range s.Connections {
		r := &s.Connections[i]
		if int(r.Outcome) < len(here.Outcomes) {
			here.Outcomes[r.Outcome]++
		}
		if r.Failed() {
			here.Failed++
		}
	}
	var list []choice
	add := func(value, text string, here, all uint64) {
		if all = max(all, here); all == 0 {
			return
		}
		n := count(all)
		if here < all {
			n = count(here) + " of " + n + " here"
		}
		list = append(list, choice{Value: value, Text: text + " (" + n + ")", Any: here > 0})
	}
	add("failed", "all that failed", here.Failed, s.Total.Failed)
	all := outcomeCounts(&s.Total)
	for i, o := range outcomeCounts(&here) {
		add(o.Name, o.Name, o.N, all[i].N)
	}
	return list
}

func newConnection(s *report.Summary, r *report.Row) connection {
	outcome := r.Outcome.String()
	c := connection{
		ID:            strconv.FormatUint(r.ID, 10),
		Start:         start(s, r),
		Protocol:      protocolName(r.Protocol),
		Client:        endpoint(r.Client, r.HasPorts),
		Server:        endpoint(r.Server, r.HasPorts),
		Service:       report.EscapeText(r.Service),
		Suggested:     r.Service != "" && r.ServiceBasis != "payload",
		Name:          report.EscapeText(r.Evidence.ServerName),
		Process:       report.EscapeText(r.Processes()),
		Outcome:       outcome,
		Class:         rowGroup(r).Class(),
		Close:         r.Close.String(),
		Frames:        frames(r),
		Setup:         setup(r),
		Packets:       packets(r),
		BytesToServer: byteSize(r.ToServer.Bytes),
		BytesToClient: byteSize(r.ToClient.Bytes),
		About:         "known as the server by: " + r.Role.String(),
	}
	if c.Suggested {
		c.Service = "~" + c.Service
	}
	if r.HasPorts {
		c.About = portRangeName(r.Server.Port()) + " port; " + c.About
	}
	if alpn := r.Evidence.ALPN; alpn != "" {
		c.Name = strings.TrimSpace(c.Name + " (" + report.EscapeText(alpn) + ")")
	}
	if by := r.ClosedBy.String(); by != "" {
		c.Close += " by " + by
	}
	if r.HasICMP {
		c.Reason = "ICMP type " + strconv.Itoa(int(r.ICMPType)) + " code " + strconv.Itoa(int(r.ICMPCode))
		if r.ICMPFrom.IsValid() {
			c.Reason += " from " + r.ICMPFrom.String()
		}
	}
	if d, ok := r.Last.Sub(r.First); ok {
		c.Duration = duration(d)
	}
	flags := r.Flags.Names()
	if r.HasVLAN {
		flags = append(flags, "vlan "+strconv.Itoa(int(r.VLAN)))
	}
	c.Flags = strings.Join(flags, ", ")
	return c
}

// packets are a connection's packets in both directions.
func packets(r *report.Row) quantity {
	toServer, toClient := r.ToServer.Packets, r.ToClient.Packets
	return quantity{count(toServer + toClient), count(toServer) + " from the client, " + count(toClient) + " from the server"}
}

// rowGroup is the group of a connection's outcome.
func rowGroup(r *report.Row) group {
	g := outcomeGroups[r.Outcome.String()]
	if g.Failed() && !r.Failed() {
		return other
	}
	return g
}

// protocolName is the word for an IP protocol number.
func protocolName(protocol uint8) string {
	switch protocol {
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 58:
		return "icmpv6"
	case 132:
		return "sctp"
	case 136:
		return "udplite"
	}
	return strconv.Itoa(int(protocol))
}

// An end is an address and ":" and its port, if it has one: apart, because that is
// where a line should break.
type end struct{ Addr, Port string }

func endpoint(a netip.AddrPort, hasPorts bool) end {
	if !hasPorts || !a.IsValid() {
		return end{Addr: a.Addr().String()}
	}
	text := a.String()
	i := strings.LastIndexByte(text, ':')
	return end{Addr: text[:i], Port: text[i:]}
}

// setup is how long the handshake took, with the server's part of it.
func setup(r *report.Row) quantity {
	q := duration(r.Setup)
	if rtt := duration(r.SYNRTT).Text; q.Exact != "" && rtt != "" {
		q.Exact += ", SYN RTT " + rtt
	}
	return q
}

// start is when a connection began: seconds after the first frame, cut to
// microseconds so that the column's points stand in line, and the exact time.
func start(s *report.Summary, r *report.Row) quantity {
	if !r.First.Known() {
		return quantity{}
	}
	q := quantity{Exact: instant(r.First.Time()) + " UTC"}
	if d, ok := r.First.Sub(s.First); ok && d >= 0 {
		q.Text = strconv.FormatFloat(d.Truncate(time.Microsecond).Seconds(), 'f', 6, 64)
	}
	return q
}

// frames are the frames that show the handshake, or what decided otherwise.
func frames(r *report.Row) (q quantity) {
	var texts, titles []string
	last := uint64(0)
	for _, f := range []struct {
		name  string
		frame uint64
	}{{"SYN", r.SYNFrame}, {"SYN-ACK", r.SYNACKFrame}, {"ACK", r.ACKFrame}, {"verdict", r.VerdictFrame}} {
		if f.frame == 0 {
			continue
		}
		if f.frame == last {
			titles[len(titles)-1] += " and " + f.name
			continue
		}
		last = f.frame
		titles = append(titles, f.name+" "+count(f.frame))
		texts = append(texts, count(f.frame))
	}
	return quantity{strings.Join(texts, " · "), strings.Join(titles, ", ")}
}
