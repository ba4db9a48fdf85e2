package decode

import (
	"testing"

	"sockscope/capture"
)

func TestIPv4(t *testing.T) { runTests(t, ipv4Tests()) }

func ipv4Tests() []decodeTest {
	segment := hello.bytes()
	packet := ip4(6, segment)
	patched := func(at int, value string) []byte { return patch(packet, at, value) }
	bare := func(edits ...func(*Packet)) Packet {
		p := Packet{Class: IP, EtherType: 0x0800, Version: 4, Protocol: 6, TTL: 64, IPID: 7, IPLength: 45, Src: addr(client4), Dst: addr(server4)}
		return with(p, edits...)
	}
	payload := func(b []byte, n int) func(*Packet) {
		return func(p *Packet) { p.Payload, p.PayloadLength = b, n }
	}
	return []decodeTest{
		{name: "padding is no payload", frame: eth(0x0800, join(packet, "000000000000")), want: tcp4()},
		{name: "type of service", frame: eth(0x0800, patched(1, "b8")), want: tcp4(func(p *Packet) { p.TOS = 0xb8 })},
		{name: "don't fragment and the reserved bit mean nothing", frame: eth(0x0800, patched(6, "c000")), want: tcp4()},
		{name: "options", frame: eth(0x0800, join("46 00", u16(24+len(segment)), "0007 0000 40 06 0000", client4, server4, "94040000", segment)),
			want: tcp4(func(p *Packet) { p.IPLength = 49 })},
		{name: "total length 0: the card cuts it into segments", frame: eth(0x0800, patched(2, "0000")), want: tcp4()},
		{name: "total length 0, cut by the snap length", frame: eth(0x0800, patched(2, "0000")), cut: 3,
			want: tcp4(func(p *Packet) { p.Payload = p.Payload[:2] })},
		{name: "total length beyond the frame is believed", frame: eth(0x0800, patched(2, "05dc")),
			want: tcp4(failed(IPv4Length), func(p *Packet) { p.IPLength, p.PayloadLength = 1500, 1460 })},
		{name: "total length below the frame", frame: eth(0x0800, patched(2, "002a")),
			want: tcp4(func(p *Packet) { p.IPLength, p.Payload, p.PayloadLength = 42, p.Payload[:2], 2 })},
		{name: "total length below the header's", frame: eth(0x0800, patched(2, "0013")), want: bare(failed(IPv4Length), func(p *Packet) { p.IPLength = 19 })},
		{name: "payload cut by the snap length is no problem", frame: eth(0x0800, packet), cut: 3,
			want: tcp4(func(p *Packet) { p.Payload = p.Payload[:2] })},
		{name: "header length below 5", frame: eth(0x0800, patched(0, "44")), want: Packet{Err: IPv4Header}},
		{name: "header length beyond the packet", frame: eth(0x0800, patched(0, "4f")), want: bare(failed(IPv4Length))},
		{name: "options cut by the snap length", frame: eth(0x0800, join("46", packet[1:])), cut: 23,
			want: bare(failed(Truncated), payload(nil, 21))},
		{name: "version 5", frame: eth(0x0800, patched(0, "55")), want: Packet{Err: IPv4Header}},
		{name: "header cut by the snap length", frame: eth(0x0800, packet), cut: 26, want: Packet{Err: Truncated}},
		{name: "header not whole", frame: eth(0x0800, packet[:19]), want: Packet{Err: Short}},
		{name: "a protocol of no interest", frame: eth(0x0800, ip4(89, segment)),
			want: bare(payload(segment, 25), func(p *Packet) { p.Protocol = 89 })},
		{name: "encrypted", frame: eth(0x0800, ip4(50, segment)), want: bare(payload(segment, 25), func(p *Packet) { p.Protocol = 50 })},
		{name: "authentication header", frame: eth(0x0800, ip4(51, join("06 04 0000 00000001 00000001", make([]byte, 12), segment))),
			want: tcp4(func(p *Packet) { p.IPLength = 69 })},
		{name: "first fragment: its header and what of the payload is in it", frame: eth(0x0800, ip4Fragment(6, 0x2000, segment)),
			want: tcp4(func(p *Packet) { p.MoreFrags = true })},
		{name: "first fragment that ends in the ports", frame: eth(0x0800, ip4Fragment(6, 0x2000, segment[:2])),
			want: bare(failed(Short), payload(segment[:2], 2), func(p *Packet) { p.MoreFrags, p.IPLength = true, 22 })},
		{name: "middle fragment", frame: eth(0x0800, ip4Fragment(6, 0x2003, segment)),
			want: bare(payload(segment, 25), func(p *Packet) { p.Class, p.MoreFrags, p.FragOffset = Fragment, true, 24 })},
		{name: "last fragment, as far out as can be", frame: eth(0x0800, ip4Fragment(6, 0x1fff, segment)),
			want: bare(payload(segment, 25), func(p *Packet) { p.Class, p.FragOffset = Fragment, 65528 })},
	}
}

func TestIPv6(t *testing.T) { runTests(t, ipv6Tests()) }

func ipv6Tests() []decodeTest {
	segment := hello.bytes()
	packet := ip6(6, segment)
	bare := func(protocol uint8, content []byte, edits ...func(*Packet)) Packet {
		p := Packet{Class: IP, EtherType: 0x86dd, Version: 6, Protocol: protocol, TTL: 64, IPLength: 40 + len(content), Src: addr(client6), Dst: addr(server6)}
		return with(p, edits...)
	}
	payload := func(b []byte) func(*Packet) {
		return func(p *Packet) { p.Payload, p.PayloadLength = b, len(b) }
	}
	longer := func(n int) func(*Packet) { return func(p *Packet) { p.IPLength += n } }
	const dead = 0xbeef
	return []decodeTest{
		{name: "padding is no payload", frame: eth(0x86dd, join(packet, "0000")), want: tcp6()},
		{name: "traffic class", frame: eth(0x86dd, patch(packet, 0, "6b80")), want: tcp6(func(p *Packet) { p.TOS = 0xb8 })},
		{name: "version 4", frame: eth(0x86dd, patch(packet, 0, "40")), want: Packet{Err: IPv6Header}},
		{name: "header cut", frame: eth(0x86dd, packet), cut: 30, want: Packet{Err: Truncated}},
		{name: "payload length beyond the frame is believed", frame: eth(0x86dd, patch(packet, 4, "0100")),
			want: tcp6(failed(IPv6Length), func(p *Packet) { p.IPLength, p.PayloadLength = 296, 236 })},
		{name: "payload length 0 without a jumbo option: from the frame", frame: eth(0x86dd, patch(packet, 4, "0000")), want: tcp6()},
		{name: "no next header, padded", frame: eth(0x86dd, join(ip6(59, nil), "0000")), want: bare(59, nil)},
		{name: "jumbogram", link: capture.LinkIPv6, frame: patch(ip6(0, join("06 00 c2 04 00011170", hello.bytes(), make([]byte, 70000-33))), 4, "0000"), cut: 70000 - 33,
			want: tcp6(func(p *Packet) { p.IPLength, p.PayloadLength = 70040, 70000-28 })},
		{name: "jumbogram longer than the frame", frame: eth(0x86dd, patch(ip6(0, join("06 00 c2 04 00011170", segment)), 4, "0000")),
			want: tcp6(failed(IPv6Length), func(p *Packet) { p.IPLength, p.PayloadLength = 70040, 70000-28 })},
		{name: "jumbo option for what fits without", frame: eth(0x86dd, patch(ip6(0, join("06 00 c2 04 00000021", segment)), 4, "0000")),
			want: tcp6(failed(IPv6Length), longer(8))},
		{name: "jumbo option in a packet with a length", frame: eth(0x86dd, ip6(0, join("06 00 c2 04 00011170", segment))), want: tcp6(longer(8))},
		{name: "padding options before the jumbo option, which is cut", frame: eth(0x86dd, patch(ip6(0, join("06 00 00 01 00 c2 04 00", segment)), 4, "0000")),
			want: tcp6(longer(8))},
		{name: "options, routing, destination options, authentication", frame: eth(0x86dd, ip6(0, join(
			"2b 00 0104 00000000", "3c 02 0400", make([]byte, 20), "33 00 0104 00000000", "06 04 0000 00000001 00000001", make([]byte, 12), segment))),
			want: tcp6(longer(8 + 24 + 8 + 24))},
		{name: "first fragment", frame: eth(0x86dd, ip6(44, join("06 00 0001 0000beef", segment))),
			want: tcp6(longer(8), func(p *Packet) { p.MoreFrags, p.IPID = true, dead })},
		{name: "atomic fragment is a whole packet", frame: eth(0x86dd, ip6(44, join("06 00 0000 0000beef", segment))),
			want: tcp6(longer(8), func(p *Packet) { p.IPID = dead })},
		{name: "later fragment", frame: eth(0x86dd, ip6(44, join("06 00 0018 0000beef", segment))),
			want: bare(6, segment, payload(segment), longer(8), func(p *Packet) { p.Class, p.IPID, p.FragOffset = Fragment, dead, 24 })},
		{name: "fragment header not whole", frame: eth(0x86dd, ip6(44, join("06 00 0018"))),
			want: bare(44, nil, payload(join("06 00 0018")), longer(4), failed(Short))},
		{name: "extension header longer than the packet", frame: eth(0x86dd, ip6(60, join("06 09 0104 00000000", segment))),
			want: bare(60, nil, payload(join("06 09 0104 00000000", segment)), longer(33), failed(Extension))},
		{name: "extension header cut by the snap length", frame: eth(0x86dd, ip6(60, join("06 02 0104", make([]byte, 20), segment))), cut: 30,
			want: bare(60, nil, longer(49), failed(Truncated), func(p *Packet) { p.Payload, p.PayloadLength = join("06 02 0104", make([]byte, 15)), 49 })},
		{name: "sixteen extension headers", frame: eth(0x86dd, ip6(60, join(repeat("3c 00 0104 00000000", 15), "06 00 0104 00000000", segment))),
			want: tcp6(longer(128))},
		{name: "seventeen extension headers", frame: eth(0x86dd, ip6(60, repeat("3c 00 0104 00000000", 17))),
			want: bare(60, nil, longer(17*8), payload(join("3c 00 0104 00000000")), failed(TooManyExtensions))},
	}
}

func TestLimits(t *testing.T) {
	vlans := func(n int) []byte {
		frame := ip4(6, hello.bytes())
		etherType := 0x0800
		for range n {
			frame = vlan(1, etherType, frame)
			etherType = 0x8100
		}
		return eth(etherType, frame)
	}
	nested := func(n int) []byte {
		packet := ip4(6, hello.bytes())
		for range n {
			packet = ip4(4, packet)
		}
		return eth(0x0800, packet)
	}
	var p Packet
	for _, tt := range []struct {
		name  string
		frame []byte
		class Class
		err   Error
	}{
		{"8 VLAN tags", vlans(8), TCP, None},
		{"9 VLAN tags", vlans(9), Undecoded, TooManyVLANs},
		{"15,000 VLAN tags", vlans(15000), Undecoded, TooManyVLANs},
		{"3,000 times IP in IP", nested(3000), IP, TooManyTunnels},
		{"8,000 extension headers", eth(0x86dd, ip6(60, repeat("3c 00 0104 00000000", 8000))), IP, TooManyExtensions},
		{"5,000 tags of other kinds", eth(0xf1c1, repeat("0000 0001 f1c1", 5000)), Undecoded, TooManyLayers},
		{"5,000 bridge headers", eth(0x88e7, repeat("00000001 020000000002 020000000001 88e7", 5000)), Undecoded, TooManyTunnels},
		{"5,000 FabricPath headers", eth(0x8903, repeat("0000 020000000002 020000000001 8903", 5000)), Undecoded, TooManyLayers},
	} {
		p.Decode(tt.frame, uint32(len(tt.frame)), capture.LinkEthernet)
		if p.Class != tt.class || p.Err != tt.err {
			t.Errorf("%s: class %d, error %v; want %d, %v", tt.name, p.Class, p.Err, tt.class, tt.err)
		}
	}
}
