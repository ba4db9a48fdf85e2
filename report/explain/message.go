package explain

import (
	"slices"

	"sockscope/decode/flow"
)

// A reason is what an ICMP error is about: its name, its sentence, and what a system call of
// Linux gives for it. One that is not fatal may pass, as when there is no route: Linux keeps
// it from datagram sockets that did not ask for errors, connected or not.
type reason struct {
	name, key, errno string
	fatal            bool
}

// reason is what an error says (RFC 792, RFC 1812 §5.2.7, RFC 4443 §3).
func (m *Message) reason() reason {
	known := reasons4
	if m.Version == 6 {
		known = reasons6
	}
	if r, ok := known[[2]uint8{m.Type, m.Code}]; ok {
		return r
	}
	return reason{"error", "explain.icmp-error", "EHOSTUNREACH", false}
}

var (
	noNetwork    = reason{"network unreachable", "explain.icmp-network", "ENETUNREACH", false}
	noHost       = reason{"host unreachable", "explain.icmp-host", "EHOSTUNREACH", false}
	noPort       = reason{"port unreachable", "explain.icmp-port", "ECONNREFUSED", true}
	noProtocol   = reason{"protocol unreachable", "explain.icmp-protocol", "ENOPROTOOPT", true}
	prohibited   = reason{"prohibited", "explain.icmp-prohibited", "EHOSTUNREACH", true}
	prohibited6  = reason{"prohibited", "explain.icmp-prohibited", "EACCES", true}
	tooFar       = reason{"time exceeded", "explain.icmp-hops", "EHOSTUNREACH", false}
	tooSlow      = reason{"reassembly time exceeded", "explain.icmp-reassembly", "EHOSTUNREACH", false}
	badHeader    = reason{"parameter problem", "explain.icmp-header", "EPROTO", true}
	noSuchNet    = reason{noNetwork.name, noNetwork.key, "ENETUNREACH", true}
	noSuchHost   = reason{noHost.name, noHost.key, "EHOSTDOWN", true}
	isolatedHost = reason{"error", "explain.icmp-error", "ENONET", true}
	precedence   = reason{"error", "explain.icmp-error", "EHOSTUNREACH", true}
	closedNet    = reason{prohibited.name, prohibited.key, "ENETUNREACH", true}
)

var reasons4 = map[[2]uint8]reason{
	{3, 0}: noNetwork, {3, 6}: noSuchNet, {3, 11}: noNetwork,
	{3, 1}: noHost, {3, 7}: noSuchHost, {3, 8}: isolatedHost, {3, 12}: noHost,
	{3, 2}: noProtocol, {3, 3}: noPort,
	{3, 9}: closedNet, {3, 10}: prohibited, {3, 13}: prohibited, {3, 14}: precedence, {3, 15}: precedence,
	{11, 0}: tooFar, {11, 1}: tooSlow, {12, 0}: badHeader,
}

var reasons6 = map[[2]uint8]reason{
	{1, 0}: noNetwork, {1, 1}: prohibited6, {1, 3}: noHost, {1, 4}: noPort, {1, 5}: prohibited6, {1, 6}: prohibited6,
	{3, 0}: tooFar, {3, 1}: tooSlow, {4, 0}: badHeader, {4, 1}: badHeader, {4, 2}: badHeader,
}

func (m *Message) rfc() string {
	if m.Version == 6 {
		return "RFC 4443 §3"
	}
	return "RFC 792"
}

// messages are sentences of messages that are no errors.
var messages = map[[2]uint8]struct{ key, rfc string }{
	{4, 8}: {"explain.echo", "RFC 792"}, {4, 0}: {"explain.echo-reply", "RFC 792"},
	{6, 128}: {"explain.echo", "RFC 4443 §4.1"}, {6, 129}: {"explain.echo-reply", "RFC 4443 §4.2"},
	{6, 133}: {"explain.router-solicitation", "RFC 4861 §4.1"}, {6, 134}: {"explain.router-advertisement", "RFC 4861 §4.2"},
	{6, 135}: {"explain.neighbor-solicitation", "RFC 4861 §4.3"}, {6, 136}: {"explain.neighbor-advertisement", "RFC 4861 §4.4"},
	{4, 5}: {"explain.redirect", "RFC 792"}, {6, 137}: {"explain.redirect", "RFC 4861 §4.5"},
	{6, 2}: {"explain.too-big", "RFC 4443 §3.2"},
}

// message says what a message of an ICMP conversation is for.
func (k *commentator) message(s *Step) {
	m := s.ICMP
	switch known, ok := messages[[2]uint8{m.Version, m.Type}]; {
	case ok:
		k.once(s, known.key, known.rfc)
	case m.Version == 4 && m.Type == 3 && m.Code == 4:
		k.once(s, "explain.too-big", "RFC 1191 §4")
	case m.isError():
		k.once(s, m.reason().key, m.rfc(), m.From)
	default:
		k.once(s, "explain.icmp", m.rfc(), int(m.Type), int(m.Code))
	}
	if m.Version == 4 && m.Type == 8 || m.Version == 6 && m.Type == 128 {
		s.call(s.Sender(), Starts, "sendto()", "")
	}
	if m.Version == 4 && m.Type == 0 || m.Version == 6 && m.Type == 129 {
		s.call(s.Receiver(), Returns, "recvfrom()", "")
	}
}

// isError reports whether the message says that a packet did not arrive.
func (m *Message) isError() bool {
	if m.Version == 6 {
		return m.Type < 128
	}
	return m.Type == 3 || m.Type == 11 || m.Type == 12
}

// error says what an error about the conversation means for it.
func (k *commentator) error(s *Step) {
	why := s.ICMP.reason()
	k.once(s, why.key, s.ICMP.rfc(), s.ICMP.From)
	switch {
	case k.Connection.Protocol != protoTCP:
		switch {
		case !k.Connection.HasPorts:
		case !why.fatal:
			k.once(s, "explain.icmp-datagram-passing", "RFC 1122 §4.1.3.3")
		default:
			k.once(s, "explain.icmp-datagram", "RFC 1122 §4.1.3.3")
			if s.tellsClient() {
				s.call(flow.ClientSide, Returns, "recv()", why.errno)
			}
		}
	case s.Has(Decides):
		k.once(s, "explain.icmp-decides", "RFC 9293 §3.9.2.2")
		k.openingReturns(s, flow.ClientSide, why.errno)
	default:
		k.once(s, "explain.icmp-soft", "RFC 9293 §3.9.2.2")
	}
}

// isTold reports whether a client learns from a call that its datagrams did not arrive: then
// it has connected its socket, for others are not told (RFC 1122 §4.1.3.3, udp(7) of Linux).
func (c *Conversation) isTold() bool {
	r := &c.Connection
	return r.HasPorts && r.Protocol != protoTCP && r.Protocol != protoSCTP && slices.ContainsFunc(c.Steps, func(s Step) bool { return s.tellsClient() })
}

// tellsClient reports whether the step is an error for which a call of the client fails: a
// fatal one. A server's socket is mostly not connected.
func (s *Step) tellsClient() bool {
	return s.Kind == ICMPError && s.Receiver() == flow.ClientSide && s.ICMP.reason().fatal
}

// IsError reports whether c has nothing but ICMP errors: nobody asked for these. Each quotes a
// packet of another connection and is about that one.
func IsError(c *flow.Connection) bool {
	m := Message{Version: 4, Type: c.Type}
	if c.Protocol == protoICMPv6 {
		m.Version = 6
	}
	return c.IsICMP && c.Outcome == flow.ReplyOnly && m.isError()
}

// Refer tells the reader of a conversation of ICMP errors with which connections they are
// told: how many these are, and which is the first.
func (c *Conversation) Refer(connection uint64, count int) {
	for i := range c.Verdict {
		if c.Verdict[i].Key == aboutNothing {
			c.Verdict[i] = Note{"explain.about", []any{Number(connection)}, c.messageRFC()}
			if count > 1 {
				c.Verdict[i] = Note{"explain.about-several", []any{count, Number(connection)}, c.messageRFC()}
			}
		}
	}
}

// aboutNothing is the key of what is said of an answer to what is not in the capture.
const aboutNothing = "explain.outcome-reply-only-datagram"

// messageRFC is where the conversation's ICMP errors are written down.
func (c *Conversation) messageRFC() string {
	m := Message{Version: 4}
	if c.Connection.Protocol == protoICMPv6 {
		m.Version = 6
	}
	return m.rfc()
}
