package main

import (
	"sockscope/decode/flow"
	"sockscope/report/service"
)

// classify hands what the registry's package can prove from payloads to the
// connection table, which does not import it.
func classify(protocol uint8, payload []byte) flow.Evidence {
	e := service.Classify(protocol, payload)
	return flow.Evidence{
		Service:    e.Service,
		FromClient: e.Sender == service.FromClient,
		FromServer: e.Sender == service.FromServer,
		ServerName: e.ServerName,
		ALPN:       e.ALPN,
	}
}
