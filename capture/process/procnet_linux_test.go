package process

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseProcNet(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Log("the lines are of a host with the other byte order")
		return
	}
	const four = "   0: 0100007F:1F90 00000000:0000 0A 00000002:00000001 00:00000000 00000000  1000        0 12345 1 0000 100 0"
	tests := []struct {
		name, line string
		want       procSocket
		ok         bool
	}{
		{"a listener", four, procSocket{state: stateListen, local: netip.MustParseAddrPort("127.0.0.1:8080"), receive: 1, send: 2, uid: 1000, inode: 12345}, true},
		{"IPv6", "1: 00000000000000000000000001000000:0035 00000000000000000000000002000000:0016 01 00000000:00000000 00:00000000 00000000 0 0 7 1",
			procSocket{state: 1, local: netip.MustParseAddrPort("[::1]:53"), remote: netip.MustParseAddrPort("[::2]:22"), inode: 7}, true},
		{"headings", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", procSocket{}, false},
		{"cut short", four[:60], procSocket{}, false},
		{"an address of a strange length", "0: 01007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 1 1", procSocket{}, false},
		{"no hexadecimal address", "0: 0100007X:1F90 00000000:0000 0A 0:0 0:0 0 0 0 1 1", procSocket{}, false},
		{"a port too large", "0: 0100007F:1F900 00000000:0000 0A 0:0 0:0 0 0 0 1 1", procSocket{}, false},
		{"empty", "", procSocket{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parseProcNet([]byte(tt.line))
			if ok != tt.ok {
				t.Fatalf("ok %v", ok)
			}
			if !ok {
				got = procSocket{}
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(procSocket{}), compareAddrs); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

var compareAddrs = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })
