package page

import (
	"iter"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sockscope/report"
)

// connections is the table of connections. Its lines are made while they are
// written.
type connections struct {
	Caption   string
	Any       bool
	Start     string // what the column of start times counts from
	AnyFailed bool
	Outcomes  []string // that occur in Lines
	Lines     iter.Seq[connection]
}

// A connection is a line of the table of connections.
type connection struct {
	ID              string
	Start           quantity // Exact is the time in UTC
	Protocol        string
	Client, Server  string
	Range           string
	Service         string
	Suggested       bool
	Name            string
	Outcome, Class  string
	Reason          string // of the outcome, where an ICMP error decided it
	Close, Flags    string
	Frames          quantity // Exact says which is which
	Setup, SYNRTT   quantity
	Duration        quantity
	PacketsToServer string
	PacketsToClient string
	BytesToServer   quantity
	BytesToClient   quantity
	Role            string
	VLAN            string
}

func newConnections(s *report.Summary) connections {
	c := connections{Any: len(s.Connections) > 0, Start: "s after the first frame"}
	if !s.First.Known() {
		c.Start = "unknown"
	}
	shown, all := uint64(len(s.Connections)), s.Total.Connections
	switch {
	case shown == 0:
	case shown < all:
		c.Caption = "The first " + count(shown) + " of " + count(all) + " connections"
	default:
		c.Caption = counted(shown, "connection")
	}
	if c.Caption != "" && s.Sort != "" {
		c.Caption += ", in the order of " + report.EscapeText(s.Sort)
	}

	var seen [len(report.Tally{}.Outcomes)]bool
	for i := range s.Connections {
		if o := s.Connections[i].Outcome; int(o) < len(seen) {
			seen[o] = true
		}
		c.AnyFailed = c.AnyFailed || s.Connections[i].Failed()
	}
	for i, o := range outcomeCounts(&report.Tally{}) {
		if seen[i] {
			c.Outcomes = append(c.Outcomes, o.Name)
		}
	}

	c.Lines = func(yield func(connection) bool) {
		for i := range s.Connections {
			if !yield(newConnection(s, &s.Connections[i])) {
				return
			}
		}
	}
	return c
}

func newConnection(s *report.Summary, r *report.Row) connection {
	outcome := r.Outcome.String()
	c := connection{
		ID:              strconv.FormatUint(r.ID, 10),
		Start:           start(s, r),
		Protocol:        protocolName(r.Protocol),
		Client:          endpoint(r.Client, r.HasPorts),
		Server:          endpoint(r.Server, r.HasPorts),
		Service:         report.EscapeText(r.Service),
		Suggested:       r.Service != "" && r.ServiceBasis != "payload",
		Name:            report.EscapeText(r.Evidence.ServerName),
		Outcome:         outcome,
		Class:           rowGroup(r).Class(),
		Close:           r.Close.String(),
		Flags:           strings.Join(r.Flags.Names(), ", "),
		Frames:          frames(r),
		Setup:           duration(r.Setup),
		SYNRTT:          duration(r.SYNRTT),
		PacketsToServer: count(r.ToServer.Packets),
		PacketsToClient: count(r.ToClient.Packets),
		BytesToServer:   byteSize(r.ToServer.Bytes),
		BytesToClient:   byteSize(r.ToClient.Bytes),
		Role:            r.Role.String(),
	}
	if c.Suggested {
		c.Service = "~" + c.Service
	}
	if r.HasPorts {
		c.Range = portRangeName(r.Server.Port())
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
	if r.HasVLAN {
		c.VLAN = strconv.Itoa(int(r.VLAN))
	}
	return c
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

// endpoint is an address with its port, if it has one.
func endpoint(a netip.AddrPort, hasPorts bool) string {
	if !hasPorts {
		return a.Addr().String()
	}
	return a.String()
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
