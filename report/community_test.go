package report

import (
	"net/netip"
	"testing"

	"sockscope/decode/flow"
)

// The IDs are those that the specification's baseline gives for its captures.
func TestCommunityID(t *testing.T) {
	for name, c := range map[string]struct {
		protocol       uint8
		client, server string
		want           string
	}{
		"tcp":              {6, "128.232.110.120:34855", "66.35.250.204:80", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		"tcp, other way":   {6, "66.35.250.204:80", "128.232.110.120:34855", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		"udp":              {17, "192.168.1.52:54585", "8.8.8.8:53", "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		"sctp":             {132, "192.168.170.8:7", "192.168.170.56:7", "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
		"icmp has no ID":   {1, "192.168.0.89:0", "192.168.0.1:0", ""},
		"icmpv6 has no ID": {58, "[fe80::1]:0", "[fe80::2]:0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			conn := flow.Connection{Protocol: c.protocol, Client: netip.MustParseAddrPort(c.client), Server: netip.MustParseAddrPort(c.server)}
			got, ok := appendCommunityID(nil, &conn)
			if string(got) != c.want || ok != (c.want != "") {
				t.Errorf("%s %v, want %s", got, ok, c.want)
			}
		})
	}
	if got, ok := appendCommunityID(nil, &flow.Connection{Protocol: 6}); ok {
		t.Errorf("no addresses: %s", got)
	}
}
