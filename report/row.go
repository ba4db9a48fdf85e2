package report

import (
	"sockscope/decode/flow"
	"sockscope/report/service"
)

// IP protocol numbers with rules of their own here.
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// NewRow looks the connection's service up: what its payload proves, else what
// the registry has for the server's port.
func NewRow(c *flow.Connection) Row {
	r := Row{Connection: *c}
	if c.Evidence.Service != "" {
		r.Service, r.ServiceBasis = c.Evidence.Service, "payload"
		return r
	}
	if !c.HasPorts {
		return r
	}
	if name, ok := service.Lookup(c.Protocol, c.Server.Port()); ok {
		r.Service, r.ServiceBasis = name, "port"
	}
	return r
}
