package report

import (
	"strconv"

	"sockscope/decode"
)

// tunnelNames are the words for encapsulations, and what their identifier is called.
var tunnelNames = map[decode.TunnelKind]struct{ name, id string }{
	decode.IPIP:   {"ipip", "id"},
	decode.GRE:    {"gre", "key"},
	decode.NVGRE:  {"nvgre", "vsid"},
	decode.ERSPAN: {"erspan", "session"},
	decode.VXLAN:  {"vxlan", "vni"},
	decode.Geneve: {"geneve", "vni"},
	decode.GTPU:   {"gtpu", "teid"},
	decode.Teredo: {"teredo", "id"},
	decode.L2TP:   {"l2tp", "session"},
	decode.PBB:    {"pbb", "isid"},
	decode.MACsec: {"macsec", "id"},
	decode.AYIYA:  {"ayiya", "id"},
	decode.PPTP:   {"pptp", "call"},
}

// tunnelName is the word for an encapsulation.
func tunnelName(k decode.TunnelKind) string {
	if n, ok := tunnelNames[k]; ok {
		return n.name
	}
	return "tunnel-" + strconv.Itoa(int(k))
}

// appendTunnels appends the column tunnel, outermost first:
// "vxlan 10.0.0.1>10.0.0.2 vni 42; gre 192.0.2.1>192.0.2.2".
func appendTunnels(b []byte, tunnels []decode.Tunnel) []byte {
	for i := range tunnels {
		t := &tunnels[i]
		if i > 0 {
			b = append(b, "; "...)
		}
		b = append(b, tunnelName(t.Kind)...)
		if t.Version != 0 {
			b = append(b, ' ')
			b = t.Src.Netip(t.Version).AppendTo(b)
			b = append(b, '>')
			b = t.Dst.Netip(t.Version).AppendTo(b)
		}
		if t.HasID {
			id := "id"
			if n, ok := tunnelNames[t.Kind]; ok {
				id = n.id
			}
			b = append(b, ' ')
			b = append(b, id...)
			b = append(b, ' ')
			b = strconv.AppendUint(b, uint64(t.ID), 10)
		}
	}
	return b
}
