package explain

import (
	"net/netip"

	"sockscope/decode/flow"
	"sockscope/report/service"
)

// introduce says who is who and how that is known, and what the ports are.
func (c *Conversation) introduce() {
	r := &c.Connection
	say := func(key, rfc string, args ...any) { c.Header = append(c.Header, Note{key, args, rfc}) }
	client, server := r.Client.Addr().String(), r.Server.Addr().String()
	switch {
	case r.Protocol == protoICMP || r.Protocol == protoICMPv6:
		switch {
		case r.Role != flow.RolePayload:
			say("explain.role-first", "", client, server)
		case r.Outcome == flow.ReplyOnly:
			say("explain.role-told", "", client, server)
		default:
			say("explain.role-asks", "", client, server)
		}
		rfc := "RFC 792"
		if r.Protocol == protoICMPv6 {
			rfc = "RFC 4443"
		}
		say("explain.icmp-no-ports", rfc)
	case !r.HasPorts:
		say("explain.role-"+r.Role.String(), "", client, server)
		say("explain.no-ports", "RFC 791 §3.1", int(r.Protocol))
	default:
		say("explain.role-"+r.Role.String(), "", client, server)
		c.clientPort(say)
		c.serverPort(say)
	}
	switch {
	case r.Protocol == protoUDP || r.Protocol == protoUDPLite:
		say("explain.no-stream", "RFC 768")
	case r.Protocol == protoSCTP:
		say("explain.sctp-stream", "RFC 9260 §1.5")
	case r.Protocol == protoICMP || r.Protocol == protoICMPv6 || !r.HasPorts:
		say("explain.raw-socket", "")
	case r.SYNFrame == 0 && r.SYNACKFrame == 0:
		say("explain.guessed-numbers", "")
	}
	for i := range r.Tunnels {
		t := &r.Tunnels[i]
		if t.Version != 0 {
			say("explain.tunnel", "", t.Kind.String(), t.Src.Netip(t.Version).String(), t.Dst.Netip(t.Version).String())
		} else {
			say("explain.tunnel-link", "", t.Kind.String())
		}
	}
	if r.HasVLAN {
		say("explain.vlan", "", Number(r.VLAN))
	}
}

// The ports that Linux lends to clients unless it is told otherwise: they begin in the range
// of registered ones.
const linuxLow, linuxHigh = 32768, 60999

// clientPort says where the client's port comes from.
func (c *Conversation) clientPort(say func(key, rfc string, args ...any)) {
	port := c.Connection.Client.Port()
	switch {
	case port == c.Connection.Server.Port():
		say("explain.client-port-same", "", Number(port))
	case service.RangeOf(port) == service.WellKnown:
		say("explain.client-port-well-known", "RFC 6335 §6", Number(port))
	case service.RangeOf(port) == service.Dynamic:
		say("explain.client-port-dynamic", "RFC 6335 §6", Number(port))
	case port >= linuxLow && port <= linuxHigh:
		say("explain.client-port-linux", "RFC 6335 §6", Number(port), Number(linuxLow), Number(linuxHigh))
	default:
		say("explain.client-port-registered", "RFC 6335 §6", Number(port))
	}
}

// serverPort says which door the server's port is.
func (c *Conversation) serverPort(say func(key, rfc string, args ...any)) {
	r := &c.Connection
	port := r.Server.Port()
	key := "explain.server-port-" + service.RangeOf(port).String()
	if name := c.service(); name != "" {
		say(key+"-service", "RFC 6335 §6", Number(port), name)
		return
	}
	say(key, "RFC 6335 §6", Number(port))
}

// service is the registry's name for the server's port, or "".
func (c *Conversation) service() string {
	name, _ := service.Lookup(c.Connection.Protocol, c.Connection.Server.Port())
	return name
}

// Endpoint is what stands for a side: its address, and its port where it has one.
func (c *Conversation) Endpoint(side flow.Side) string {
	end := c.Connection.Client
	if side == flow.ServerSide {
		end = c.Connection.Server
	}
	return c.endpoint(end)
}

func (c *Conversation) endpoint(end netip.AddrPort) string {
	if !c.Connection.HasPorts {
		return end.Addr().String()
	}
	return end.String()
}
