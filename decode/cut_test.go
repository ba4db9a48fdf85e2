package decode

import (
	"slices"
	"testing"
)

// Whatever the snap length, a frame counts with the connection that it counts with when whole, or with
// what is around that, or says that it was cut; no length changes with what was captured, if the header that says it was.
func TestSnapLengths(t *testing.T) {
	for _, tt := range allTests() {
		if tt.want.Err != None || tt.cut != 0 || len(tt.frame) > 4096 {
			continue
		}
		whole := tt.decode(len(tt.frame), len(tt.frame))
		for n := range len(tt.frame) {
			p := tt.decode(n, len(tt.frame))
			checkBounds(t, &p, tt.frame)
			if p.Err != None && p.Err != Truncated {
				t.Errorf("%s cut to %d bytes: %v", tt.name, n, p.Err)
			}
			if p.Class != whole.Class || p.NumTunnels != whole.NumTunnels || p.Class < IP {
				continue
			}
			if len(p.Payload) == 0 {
				p.PayloadLength = whole.PayloadLength // perhaps the header that says was cut
			}
			if p.Src != whole.Src || p.Dst != whole.Dst || p.SrcPort != whole.SrcPort || p.DstPort != whole.DstPort ||
				p.IPLength != whole.IPLength || p.PayloadLength != whole.PayloadLength || p.Tunnels != whole.Tunnels {
				t.Errorf("%s cut to %d bytes:\n%+v, whole\n%+v", tt.name, n, p, whole)
			}
		}
	}
}

// The same frames ending early on the wire.
func TestShortFrames(t *testing.T) {
	for _, tt := range allTests() {
		for n := range min(len(tt.frame), 4096) {
			p := tt.decode(n, n)
			checkBounds(t, &p, tt.frame)
			if p.Err == Truncated && tt.want.Err != IPv4Length && tt.want.Err != IPv6Length && p.IPLength <= n {
				t.Errorf("%s of %d bytes: %v, but nothing was cut", tt.name, n, p.Err)
			}
		}
	}
}

func allTests() []decodeTest {
	return slices.Concat(linkTests(), tagTests(), tunnelTests(), ipv4Tests(), ipv6Tests(), tcpTests(), udpTests(), sctpTests(), icmpTests())
}
