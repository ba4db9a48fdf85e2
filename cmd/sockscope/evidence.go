package main

import (
	"sockscope/decode/flow"
	"sockscope/report/service"
)

// classify hands what the registry's package can prove from payloads to the
// connection table, which does not import it.
func classify(protocol uint8, payload []byte, f *flow.Finding) {
	e := service.Evidence{Room: f.Room}
	e.Classify(protocol, payload)
	f.Service = e.Service
	f.FromClient, f.FromServer = e.Sender == service.FromClient, e.Sender == service.FromServer
	f.ServerName, f.ALPN = e.ServerName, e.ALPN
}
