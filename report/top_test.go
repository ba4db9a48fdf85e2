package report

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

func TestStandings(t *testing.T) {
	endpoint := netip.MustParseAddrPort
	tests := []struct {
		name, key     string
		first, second flow.Connection
	}{
		{"more bytes", "bytes", flow.Connection{ToServer: flow.Direction{Bytes: 1}, ToClient: flow.Direction{Bytes: 2}},
			flow.Connection{ToServer: flow.Direction{Bytes: 2}}},
		{"a longer setup", "setup", flow.Connection{Setup: 2}, flow.Connection{Setup: 1}},
		{"a duration before none", "setup", flow.Connection{Setup: math.MinInt64 + 1}, flow.Connection{Setup: flow.NoDuration}},
		{"the earlier time", "start", flow.Connection{First: -1}, flow.Connection{First: 0}},
		{"a time before none", "start", flow.Connection{First: math.MaxInt64}, flow.Connection{First: capture.Unknown}},
		{"IPv4 before IPv6", "client_ip", flow.Connection{Client: endpoint("255.0.0.1:9")}, flow.Connection{Client: endpoint("[::1]:9")}},
		{"the lower address", "client_ip", flow.Connection{Client: endpoint("9.0.0.1:9")}, flow.Connection{Client: endpoint("10.0.0.1:1")}},
		{"the lower port of an address", "server_ip", flow.Connection{Server: endpoint("[2001:db8::1]:80"), First: 2},
			flow.Connection{Server: endpoint("[2001:db8::1]:443"), First: 1}},
		{"the lower port of any address", "server_port", flow.Connection{Server: endpoint("[2001:db8::1]:80")},
			flow.Connection{Server: endpoint("10.0.0.1:443")}},
		{"the earlier one at an endpoint", "server_port", flow.Connection{Server: endpoint("10.0.0.1:443"), First: 1},
			flow.Connection{Server: endpoint("10.0.0.1:443"), First: 2}},
		{"the longer one", "duration", flow.Connection{Last: capture.Timestamp(2 * time.Hour)}, flow.Connection{Last: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sortKeyOf(tt.key)
			a, b := k.of(&tt.first, false), k.of(&tt.second, false)
			if a.compare(&b) >= 0 || b.compare(&a) <= 0 {
				t.Errorf("%v is not before %v", a, b)
			}
		})
	}
}
