package report

import (
	"strconv"

	"sockscope/decode"
)

// tunnelIDs are what the identifiers of encapsulations are called; "id" for the
// others.
var tunnelIDs = map[decode.TunnelKind]string{
	decode.GRE: "key", decode.NVGRE: "vsid", decode.ERSPAN: "session", decode.VXLAN: "vni", decode.Geneve: "vni",
	decode.GTPU: "teid", decode.L2TP: "session", decode.PBB: "isid", decode.PPTP: "call", decode.LISP: "instance",
}

// appendTunnels appends the column tunnel, outermost first:
// "vxlan 10.0.0.1>10.0.0.2 vni 42; gre 192.0.2.1>192.0.2.2".
func appendTunnels(b []byte, tunnels []decode.Tunnel) []byte {
	for i := range tunnels {
		t := &tunnels[i]
		if i > 0 {
			b = append(b, "; "...)
		}
		b = append(b, t.Kind.String()...)
		if t.Version != 0 {
			b = append(b, ' ')
			b = t.Src.Netip(t.Version).AppendTo(b)
			b = append(b, '>')
			b = t.Dst.Netip(t.Version).AppendTo(b)
		}
		if t.HasID {
			id, ok := tunnelIDs[t.Kind]
			if !ok {
				id = "id"
			}
			b = append(b, ' ')
			b = append(b, id...)
			b = append(b, ' ')
			b = strconv.AppendUint(b, uint64(t.ID), 10)
		}
	}
	return b
}
