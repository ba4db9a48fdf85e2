package decode

import "testing"

func TestTunnels(t *testing.T) { runTests(t, tunnelTests()) }

func tunnelTests() []decodeTest {
	packet, packet6 := ip4(6, hello.bytes()), ip6(6, hello.bytes())
	frame := eth(0x0800, packet)
	inUDP := func(port int, parts ...any) []byte {
		return eth(0x0800, ip4(17, udpBytes(50000, port, join(parts...))))
	}
	carrier := func(port int, parts ...any) Packet { return udp4(50000, port, join(parts...)) }
	gre := func(parts ...any) []byte { return eth(0x0800, ip4(47, join(parts...))) }
	opaque := func(protocol uint8, parts ...any) Packet {
		payload := join(parts...)
		return Packet{Class: IP, EtherType: 0x0800, Version: 4, Protocol: protocol, TTL: 64, IPID: 7, IPLength: 20 + len(payload),
			Src: addr(client4), Dst: addr(server4), Payload: payload, PayloadLength: len(payload)}
	}
	id := func(kind TunnelKind, n uint32) func(*Packet) { return through(Tunnel{Kind: kind, HasID: true, ID: n}) }
	plain := func(kind TunnelKind) func(*Packet) { return through(Tunnel{Kind: kind}) }
	from6 := func(t Tunnel) func(*Packet) {
		t.Version, t.Src, t.Dst = 6, addr(client6), addr(server6)
		return through(t)
	}
	arp := eth(0x0806, make([]byte, 28))

	return []decodeTest{
		{name: "IPv4 in IPv4", frame: eth(0x0800, ip4(4, packet)), want: tcp4(plain(IPIP))},
		{name: "IPv6 in IPv4", frame: eth(0x0800, ip4(41, packet6)), want: tcp6(plain(IPIP))},
		{name: "IPv4 in IPv6", frame: eth(0x86dd, ip6(4, packet)), want: tcp4(from6(Tunnel{Kind: IPIP}))},
		{name: "IPv6 in IPv6 behind options", frame: eth(0x86dd, ip6(60, join("29 00 01 04 00000000", packet6))),
			want: tcp6(from6(Tunnel{Kind: IPIP}))},
		{name: "IPv4 in IPv4, the inner one broken: the carrier", frame: eth(0x0800, ip4(4, join("15", packet[1:]))),
			want: with(opaque(4, "15", packet[1:]), failed(IPv4Header))},
		{name: "four tunnels", frame: eth(0x0800, ip4(4, ip4(4, ip4(4, ip4(4, packet))))),
			want: tcp4(plain(IPIP), plain(IPIP), plain(IPIP), plain(IPIP))},
		{name: "five tunnels: the fourth's content", frame: eth(0x0800, ip4(4, ip4(4, ip4(4, ip4(4, ip4(4, packet)))))),
			want: with(opaque(4, packet), plain(IPIP), plain(IPIP), plain(IPIP), plain(IPIP), failed(TooManyTunnels))},
		{name: "MPLS in IPv4", frame: eth(0x0800, ip4(137, join("00064140", packet))), want: tcp4()},
		{name: "EtherIP", frame: eth(0x0800, ip4(97, join("3000", frame))), want: tcp4(plain(EtherIP))},
		{name: "EtherIP of another version", frame: eth(0x0800, ip4(97, join("2000", frame))), want: with(opaque(97, "2000", frame), failed(TunnelHeader))},

		{name: "GRE", frame: gre("0000 0800", packet), want: tcp4(plain(GRE))},
		{name: "GRE with checksum, key and sequence number", frame: gre("b000 86dd 00000000 00000009 00000001", packet6), want: tcp6(id(GRE, 9))},
		{name: "GRE with source routes", frame: gre("4000 0800 00000000 0800 00 04 0a000009 0000 00 00", packet), want: tcp4(plain(GRE))},
		{name: "GRE around Ethernet", frame: gre("0000 6558", frame), want: tcp4(plain(GRE))},
		{name: "GRE around MPLS", frame: gre("0000 8847 00064140", packet), want: tcp4(plain(GRE))},
		{name: "GRE around redirected packets", frame: gre("0000 883e 00000000", packet), want: tcp4(plain(GRE))},
		{name: "GRE around nothing: keep-alive", frame: gre("0000 0000"), want: opaque(47, "0000 0000")},
		{name: "GRE around something else", frame: gre("0000 88cc 0102"), want: opaque(47, "0000 88cc 0102")},
		{name: "GRE cut in the key", frame: gre("2000 0800 0000"), want: with(opaque(47, "2000 0800 0000"), failed(Short))},
		{name: "GRE of version 2", frame: gre("0002 0800", packet), want: with(opaque(47, "0002 0800", packet), failed(TunnelHeader))},
		{name: "NVGRE", frame: gre("2000 6558 00123401", frame), want: tcp4(id(NVGRE, 0x1234))},
		{name: "ERSPAN type I", frame: gre("0000 88be", frame), want: tcp4(plain(ERSPAN))},
		{name: "ERSPAN type II", frame: gre("1000 88be 00000001 1001 0064 00000000", frame), want: tcp4(id(ERSPAN, 100))},
		{name: "ERSPAN type III with a platform's header", frame: gre("1000 22eb 00000001 2001 0064 00000000 0000 0001 0000000000000000", frame),
			want: tcp4(id(ERSPAN, 100))},
		{name: "PPTP", frame: gre("3001 880b", u16(4+len(packet)), "0007 00000001 ff030021", packet), want: tcp4(id(PPTP, 7))},
		{name: "PPTP with an acknowledgement", frame: gre("3081 880b", u16(1+len(packet)), "0007 00000001 00000002 21", packet), want: tcp4(id(PPTP, 7))},
		{name: "PPTP, acknowledgement only", frame: gre("2081 880b 0000 0007 00000002"), want: opaque(47, "2081 880b 0000 0007 00000002")},
		{name: "PPTP, compressed", frame: gre("3001 880b 0008 0007 00000001 ff0300fd 01020304"),
			want: opaque(47, "3001 880b 0008 0007 00000001 ff0300fd 01020304")},

		{name: "VXLAN", frame: inUDP(4789, "08000000 00002a00", frame), want: tcp4(id(VXLAN, 42))},
		{name: "VXLAN on Linux' old port", frame: inUDP(8472, "08000000 00002a00", frame), want: tcp4(id(VXLAN, 42))},
		{name: "VXLAN, a VLAN outside and one inside", frame: eth(0x8100, vlan(5, 0x0800, ip4(17, udpBytes(50000, 4789,
			join("08000000 00002a00", eth(0x8100, vlan(6, 0x0800, packet))))))), want: tcp4(tagged(5, 6), id(VXLAN, 42))},
		{name: "VXLAN by its source port", frame: eth(0x0800, ip4(17, udpBytes(4789, 50000, join("08000000 00002a00", frame)))),
			want: tcp4(id(VXLAN, 42))},
		{name: "VXLAN around ARP: the carrier", frame: inUDP(4789, "08000000 00002a00", arp), want: carrier(4789, "08000000 00002a00", arp)},
		{name: "VXLAN around tagged ARP: the carrier and its tags", frame: inUDP(4789, "08000000 00002a00", eth(0x8100, vlan(6, 0x0806, arp[14:]))),
			want: carrier(4789, "08000000 00002a00", eth(0x8100, vlan(6, 0x0806, arp[14:])))},
		{name: "VXLAN without its flag: ordinary UDP", frame: inUDP(4789, "00000000 00002a00", frame), want: carrier(4789, "00000000 00002a00", frame)},
		{name: "VXLAN, the inner IP header cut by the snap length", frame: inUDP(4789, "08000000 00002a00", frame), cut: 30,
			want: carrierCut(carrier(4789, "08000000 00002a00", frame), 30)},
		{name: "VXLAN-GPE around IPv6", frame: inUDP(4790, "0c000002 00002a00", packet6), want: tcp6(id(VXLAN, 42))},
		{name: "VXLAN-GPE around NSH around IPv4", frame: inUDP(4790, "0c000004 00002a00", "0fc2 01 01 00000105", packet),
			want: tcp4(id(VXLAN, 42), id4(NSH, 1))},
		{name: "VXLAN-GPE without a next protocol", frame: inUDP(4790, "08000000 00002a00", frame), want: tcp4(id(VXLAN, 42))},
		{name: "Geneve with options", frame: inUDP(6081, "01 00 6558 00002a00 00000000", frame), want: tcp4(id(Geneve, 42))},
		{name: "Geneve around IPv4", frame: inUDP(6081, "00 00 0800 00002a00", packet), want: tcp4(id(Geneve, 42))},
		{name: "Geneve of another version: ordinary UDP", frame: inUDP(6081, "40 00 0800 00002a00", packet), want: carrier(6081, "40 00 0800 00002a00", packet)},
		{name: "GTP-U", frame: inUDP(2152, "30 ff", u16(len(packet)), "00000009", packet), want: tcp4(id(GTPU, 9))},
		{name: "GTP-U with sequence number and an extension", frame: inUDP(2152, "36 ff", u16(8+len(packet)), "00000009 0001 00 85 01 1000 00", packet),
			want: tcp4(id(GTPU, 9))},
		{name: "GTP-U, extension of length 0: ordinary UDP", frame: inUDP(2152, "34 ff", u16(8+len(packet)), "00000009 0001 00 85 00 1000 00", packet),
			want: carrier(2152, "34 ff", u16(8+len(packet)), "00000009 0001 00 85 00 1000 00", packet)},
		{name: "GTP-U echo: the carrier", frame: inUDP(2152, "32 01 0004 00000000 0001 0000"), want: carrier(2152, "32 01 0004 00000000 0001 0000")},
		{name: "GTP-U, length beyond the datagram: ordinary UDP", frame: inUDP(2152, "30 ff 0fff 00000009", packet), want: carrier(2152, "30 ff 0fff 00000009", packet)},
		{name: "Teredo", frame: inUDP(3544, packet6), want: tcp6(plain(Teredo))},
		{name: "Teredo with authentication and origin", frame: inUDP(3544, "0001 00 00 0000000000000001 00 0000 1234 01020304", packet6), want: tcp6(plain(Teredo))},
		{name: "Teredo around something", frame: inUDP(3544, "0102030405060708"), want: carrier(3544, "0102030405060708")},
		{name: "AYIYA", frame: inUDP(5072, "42 52 11 29 00000000", make([]byte, 16+20), packet6), want: tcp6(plain(AYIYA))},
		{name: "AYIYA, nothing forwarded", frame: inUDP(5072, "42 52 10 3b 00000000", make([]byte, 16+20)),
			want: carrier(5072, "42 52 10 3b 00000000", make([]byte, 16+20))},
		{name: "L2TP", frame: inUDP(1701, "0002 0001 0002 ff03 0021", packet), want: tcp4(id(L2TP, 0x10002))},
		{name: "L2TP with length, sequence numbers and offset", frame: inUDP(1701, "4a02", u16(20+len(packet6)), "0001 0002 0000 0000 0002 0000 ff03 0057", packet6),
			want: tcp6(id(L2TP, 0x10002))},
		{name: "L2TP control: the carrier", frame: inUDP(1701, "c802 000c 0001 0000 0001 0002"), want: carrier(1701, "c802 000c 0001 0000 0001 0002")},
		{name: "L2TP version 3 over IP, Ethernet behind a cookie", frame: eth(0x0800, ip4(115, join("00000009 01020304", frame))), want: tcp4(id(L2TP, 9))},
		{name: "L2TP version 3 over IP, control", frame: eth(0x0800, ip4(115, join("00000000 c803 0014"))), want: opaque(115, "00000000 c803 0014")},
		{name: "LISP", frame: inUDP(4341, "08000000 00002a00", packet), want: tcp4(id(LISP, 42))},
		{name: "LISP around nothing", frame: inUDP(4341, "08000000 00002a00"), want: carrier(4341, "08000000 00002a00")},
		{name: "MPLS in UDP", frame: inUDP(6635, "00064140", packet), want: tcp4()},
		{name: "MPLS in UDP that is none", frame: inUDP(6635, "00000000 00000000 00000000"), want: carrier(6635, "00000000 00000000 00000000")},
		{name: "CAPWAP around Ethernet", frame: inUDP(5247, "00 10 00 00 0000 0000", frame), want: tcp4(plain(CAPWAP))},
		{name: "CAPWAP around 802.11 with its frame control swapped", frame: inUDP(5247, "00 10 03 00 0000 0000",
			"0108 0000 020000000001 020000000002 020000000003 0000 aaaa03 000000 0800", packet), want: tcp4(plain(CAPWAP))},
		{name: "CAPWAP with encryption: the carrier", frame: inUDP(5247, "01 000000 16fe ff00 0000"), want: carrier(5247, "01 000000 16fe ff00 0000")},
	}
}

// id4 is an inner tunnel that has no outer IP header of its own but the one before.
func id4(kind TunnelKind, n uint32) func(*Packet) {
	return through(Tunnel{Kind: kind, HasID: true, ID: n, Version: 4, Src: addr(client4), Dst: addr(server4)})
}

func with(p Packet, edits ...func(*Packet)) Packet {
	for _, edit := range edits {
		edit(&p)
	}
	return p
}

// carrierCut is p with n bytes of its payload not captured, and a header among them.
func carrierCut(p Packet, n int) Packet {
	p.Payload, p.Err = p.Payload[:len(p.Payload)-n], Truncated
	return p
}

// A tunnel's carrier that is a first fragment has less than the inner lengths say, which is no error.
func TestTunnelInFirstFragment(t *testing.T) {
	inner := segment{src: 40000, dst: 443, seq: 0x01020304, ack: 0x05060708, flags: PSH | ACK, payload: make([]byte, 100)}
	whole := join(u16(50000), "12b5", u16(8+8+14+20+20+100), "0000 08000000 00002a00", eth(0x0800, ip4(6, inner.bytes())))
	decodeTest{
		name: "VXLAN", frame: eth(0x0800, ip4Fragment(17, 0x2000, whole[:96])),
		want: tcp4(through(Tunnel{Kind: VXLAN, HasID: true, ID: 42}), func(p *Packet) {
			p.IPLength, p.Payload, p.PayloadLength = 140, make([]byte, 26), 100
		}),
	}.run(t)
	decodeTest{
		name: "later", frame: eth(0x0800, ip4Fragment(17, 12, whole[96:])),
		want: Packet{Class: Fragment, EtherType: 0x0800, Version: 4, Protocol: 17, TTL: 64, IPID: 7, FragOffset: 96, IPLength: 20 + len(whole) - 96,
			Src: addr(client4), Dst: addr(server4), Payload: whole[96:], PayloadLength: len(whole) - 96},
	}.run(t)
}
