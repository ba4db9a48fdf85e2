package decode

import (
	"testing"

	"sockscope/capture"
)

// Frames as they are on most links; the names say what is measured.
func benchmarkFrames() map[string][]byte {
	tcp := segment{src: 40000, dst: 443, seq: 1, ack: 2, flags: ACK | PSH, payload: make([]byte, 100)}
	ts := tcp
	ts.options = []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}
	syn := segment{src: 40000, dst: 443, flags: SYN, options: []byte{
		2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7}}
	return map[string][]byte{
		"tcp":            eth(0x0800, ip4(6, tcp.bytes())),
		"tcp timestamps": eth(0x0800, ip4(6, ts.bytes())),
		"tcp syn":        eth(0x0800, ip4(6, syn.bytes())),
		"udp":            eth(0x0800, ip4(17, udpBytes(40000, 53, make([]byte, 40)))),
		"tcp ipv6":       eth(0x86dd, ip6(6, ts.bytes())),
		"tcp vlan":       eth(0x8100, vlan(42, 0x0800, ip4(6, ts.bytes()))),
		"tcp in vxlan": eth(0x0800, ip4(17, udpBytes(50000, 4789,
			join("08000000 00002a00", eth(0x0800, ip4(6, ts.bytes())))))),
		"arp": eth(0x0806, make([]byte, 46)),
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, frame := range benchmarkFrames() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			var p Packet
			for b.Loop() {
				p.Decode(frame, uint32(len(frame)), capture.LinkEthernet)
			}
		})
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	var p Packet
	for name, frame := range benchmarkFrames() {
		for _, n := range []int{len(frame), len(frame) - 1, 60, 40, 20, 10, 0} { // whole and cut
			if n > len(frame) {
				continue
			}
			if got := testing.AllocsPerRun(100, func() {
				p.Decode(frame[:n], uint32(len(frame)), capture.LinkEthernet)
			}); got != 0 {
				t.Errorf("%s cut to %d bytes: %v allocations, want 0", name, n, got)
			}
		}
	}
}
