package report

import (
	"sockscope/capture"
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
func NewRow(c *flow.Connection) (r Row) {
	r.Set(c)
	return r
}

// Set makes r what NewRow gives, where r is: a row is large.
func (r *Row) Set(c *flow.Connection) {
	r.Connection = *c
	r.Owners, r.Event = [2]capture.Owner{}, 0
	r.Service, r.ServiceBasis = serviceOf(c.Evidence.Service, c.Protocol, c.HasPorts, c.Server.Port())
}

// serviceOf is the columns service and service_basis.
func serviceOf(proven string, protocol uint8, hasPorts bool, port uint16) (name, basis string) {
	if proven != "" {
		return proven, "payload"
	}
	if hasPorts {
		if name, ok := service.Lookup(protocol, port); ok {
			return name, "port"
		}
	}
	return "", ""
}
