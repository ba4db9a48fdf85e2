package decode

import "testing"

func TestTCP(t *testing.T) { runTests(t, tcpTests()) }

func tcpTests() []decodeTest {
	frame := func(b []byte) []byte { return eth(0x0800, ip4(6, b)) }
	segment := hello.bytes()
	sized := func(n int) func(*Packet) { return func(p *Packet) { p.IPLength = 20 + n } }
	ports := func(p *Packet) { p.TCPHeader, p.Seq, p.Ack, p.Flags, p.Window = false, 0, 0, 0, 0 }
	payload := func(s string, n int) func(*Packet) {
		return func(p *Packet) {
			p.Payload, p.PayloadLength = []byte(s), n
			if s == "" {
				p.Payload = nil
			}
		}
	}
	option := func(o TCPOptions) func(*Packet) { return func(p *Packet) { p.Options = o } }
	withOptions := hello
	withOptions.options = join("02 04 05b4 01 03 03 07")
	long := withOptions.bytes()
	bothOptions := option(TCPOptions{Has: OptMSS | OptWindowScale, MSS: 1460, WindowScale: 7})

	return []decodeTest{
		{name: "all nine flags, not the reserved bits", frame: frame(patch(segment, 12, "5fff")), want: tcp4(func(p *Packet) { p.Flags = 0x1ff })},
		{name: "options", frame: frame(long), want: tcp4(sized(len(long)), bothOptions)},
		{name: "data offset 4", frame: frame(patch(segment, 12, "40")), want: tcp4(failed(TCPHeader), ports, payload("", 0), option(TCPOptions{Has: OptBroken}))},
		{name: "data offset beyond the packet", frame: frame(patch(segment, 12, "f0")),
			want: tcp4(failed(TCPHeader), ports, payload("", 0), option(TCPOptions{Has: OptBroken}))},
		{name: "options cut by the snap length: those that are there", frame: frame(long), cut: 5 + 2,
			want: tcp4(sized(len(long)), failed(Truncated), payload("", 5), option(TCPOptions{Has: OptMSS | OptCut, MSS: 1460}))},
		{name: "all options cut", frame: frame(long), cut: 5 + 8,
			want: tcp4(sized(len(long)), failed(Truncated), payload("", 5), option(TCPOptions{Has: OptCut}))},
		{name: "checksum cut: all that matters is there", frame: frame(long), cut: 5 + 8 + 4,
			want: tcp4(sized(len(long)), failed(Truncated), payload("", 5), option(TCPOptions{Has: OptCut}))},
		{name: "checksum cut, no options", frame: frame(segment), cut: 5 + 4, want: tcp4(failed(Truncated), payload("", 5))},
		{name: "window cut: only the ports count", frame: frame(segment), cut: 5 + 5, want: tcp4(failed(Truncated), ports, payload("", 5))},
		{name: "only the ports", frame: frame(segment), cut: 5 + 16, want: tcp4(failed(Truncated), ports, payload("", 5))},
		{name: "ports cut", frame: frame(segment), cut: 5 + 17, want: Packet{Class: IP, Err: Truncated, EtherType: 0x0800, Version: 4, Protocol: 6, TTL: 64,
			IPID: 7, IPLength: 45, Src: addr(client4), Dst: addr(server4), Payload: segment[:3], PayloadLength: 25}},
		{name: "the packet ends in the header", frame: frame(segment[:19]), want: tcp4(sized(19), failed(Short), payload("", 0))},
		{name: "options go on in the next fragment", frame: eth(0x0800, ip4Fragment(6, 0x2000, long[:24])),
			want: tcp4(sized(24), failed(Short), payload("", 0), option(TCPOptions{Has: OptMSS | OptCut, MSS: 1460}), func(p *Packet) { p.MoreFrags = true })},
		{name: "a broken option", frame: frame(patch(long, 24, "03 00")),
			want: tcp4(sized(len(long)), failed(TCPOption), option(TCPOptions{Has: OptMSS | OptBroken, MSS: 1460}))},
	}
}

func TestTCPOptions(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		want          TCPOptions
	}{
		{"none", "", TCPOptions{}},
		{"a Linux SYN", "0204 05b4 0402 080a 00000001 00000000 01 0303 07", TCPOptions{
			Has: OptMSS | OptSACKPermitted | OptTimestamps | OptWindowScale, MSS: 1460, TSVal: 1, WindowScale: 7}},
		{"padded timestamps", "0101 080a 00000001 00000002", TCPOptions{Has: OptTimestamps, TSVal: 1, TSEcr: 2}},
		{"timestamps padded otherwise", "080a 00000001 00000002 0101", TCPOptions{Has: OptTimestamps, TSVal: 1, TSEcr: 2}},
		{"padding, then something else", "0101 0512 00000001 00000002 00000005 00000006", TCPOptions{
			Has: OptSACK, SACKBlocks: 2, SACKLeft: 1, SACKRight: 2}},
		{"nothing counts after the end", "00 0204 05b4 000000", TCPOptions{}},
		{"the first of a kind counts", "0204 05b4 0204 0200 0303 01 0303 02 0101", TCPOptions{
			Has: OptMSS | OptWindowScale, MSS: 1460, WindowScale: 1}},
		{"Fast Open request", "2202 0101", TCPOptions{Has: OptFastOpen}},
		{"Fast Open cookie", "220a 0102030405060708 0000", TCPOptions{Has: OptFastOpen, CookieLen: 8}},
		{"Fast Open cookie, experimental", "fe0c f989 0102030405060708", TCPOptions{Has: OptFastOpen, CookieLen: 8}},
		{"another experiment", "fe04 1234", TCPOptions{Has: OptUnknown}},
		{"MPTCP join", "1e0c 1001 01020304 05060708", TCPOptions{Has: OptMPTCP, MPTCP: 1}},
		{"MD5", "1312 00000000 00000000 00000000 00000000 0000", TCPOptions{Has: OptMD5}},
		{"AO and user timeout", "1d04 0101 1c04 0010", TCPOptions{Has: OptAO | OptUserTimeout}},
		{"unknown", "0f03 00 00", TCPOptions{Has: OptUnknown}},
		{"lengths that are not the kind's", "0203 00 0302 0403 00 0803 00 0503 00 1e02 1303 00 1c02 1d02", TCPOptions{Has: OptUnknown}},
		{"length 0", "0101 0200", TCPOptions{Has: OptBroken}},
		{"length 1", "0201 0000", TCPOptions{Has: OptBroken}},
		{"length beyond the header", "0204 05b4 0303 07 0510", TCPOptions{Has: OptMSS | OptWindowScale | OptBroken, MSS: 1460, WindowScale: 7}},
		{"no length", "010101 02", TCPOptions{Has: OptBroken}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := hello
			s.options = join(tt.options)
			for len(s.options)%4 != 0 {
				s.options = append(s.options, kindEnd)
			}
			want := tcp4(func(p *Packet) {
				p.IPLength += len(s.options)
				p.Options = tt.want
				if tt.want.Has&OptBroken != 0 {
					p.Err = TCPOption
				}
			})
			decodeTest{name: "segment", frame: eth(0x0800, ip4(6, s.bytes())), want: want}.run(t)
		})
	}
}

func TestUDP(t *testing.T) { runTests(t, udpTests()) }

func udpTests() []decodeTest {
	data := []byte("datagram")
	datagram := udpBytes(50000, 53, data)
	frame := func(b []byte) []byte { return eth(0x0800, ip4(17, b)) }
	return []decodeTest{
		{name: "UDP", frame: frame(datagram), want: udp4(50000, 53, data)},
		{name: "no payload", frame: frame(udpBytes(50000, 53, nil)), want: udp4(50000, 53, nil)},
		{name: "UDP-Lite: the length field is the checksum's", frame: eth(0x0800, ip4(136, patch(datagram, 4, "0008"))),
			want: udp4(50000, 53, data, func(p *Packet) { p.Protocol = 136 })},
		{name: "length below the packet's: the rest is no payload", frame: frame(patch(datagram, 4, "000a")),
			want: udp4(50000, 53, data[:2], func(p *Packet) { p.IPLength = 36 })},
		{name: "length beyond the packet", frame: frame(patch(datagram, 4, "00ff")), want: udp4(50000, 53, data, failed(UDPLength))},
		{name: "length below the header's: no datagram", frame: frame(patch(datagram, 4, "0007")), want: noDatagram(patch(datagram, 4, "0007"))},
		{name: "length 0", frame: frame(patch(datagram, 4, "0000")), want: noDatagram(patch(datagram, 4, "0000"))},
		{name: "first fragment: what is in it", frame: eth(0x0800, ip4Fragment(17, 0x2000, patch(datagram, 4, "0fff"))),
			want: udp4(50000, 53, data, func(p *Packet) { p.MoreFrags = true })},
		{name: "payload cut by the snap length", frame: frame(datagram), cut: 6,
			want: udp4(50000, 53, data, func(p *Packet) { p.Payload = data[:2] })},
		{name: "length and checksum cut", frame: frame(datagram), cut: 12,
			want: udp4(50000, 53, data, failed(Truncated), func(p *Packet) { p.Payload = nil })},
		{name: "ports cut", frame: frame(datagram), cut: 13, want: Packet{Class: IP, Err: Truncated, EtherType: 0x0800, Version: 4, Protocol: 17,
			TTL: 64, IPID: 7, IPLength: 36, Src: addr(client4), Dst: addr(server4), Payload: datagram[:3], PayloadLength: 16}},
	}
}

// noDatagram is an IPv4 packet whose UDP header cannot be one.
func noDatagram(b []byte) Packet {
	return Packet{Class: IP, Err: UDPLength, EtherType: 0x0800, Version: 4, Protocol: 17,
		TTL: 64, IPID: 7, IPLength: 20 + len(b), Src: addr(client4), Dst: addr(server4), Payload: b, PayloadLength: len(b)}
}

func TestSCTP(t *testing.T) { runTests(t, sctpTests()) }

func sctpTests() []decodeTest {
	common := "c350 0b59 00000009 00000000"
	frame := func(parts ...any) []byte { return eth(0x0800, ip4(132, join(parts...))) }
	sctp := func(content []byte, chunk uint8, bits uint16, edits ...func(*Packet)) Packet {
		p := Packet{Class: SCTP, EtherType: 0x0800, Version: 4, Protocol: 132, TTL: 64, IPID: 7, IPLength: 32 + len(content),
			Src: addr(client4), Dst: addr(server4), SrcPort: 50000, DstPort: 2905, SCTPTag: 9, SCTPChunk: chunk, SCTPChunkBits: bits,
			Payload: content, PayloadLength: len(content)}
		return with(p, edits...)
	}
	initiation := join("01 00 0014 0000002a 00010000 000a 000a 00000001")
	bundle := join("0a 00 0007 010203 00", "00 03 0011 00000001 0000 0000 00000000 78 000000")
	return []decodeTest{
		{name: "INIT", frame: frame(common, initiation), want: sctp(initiation, 1, 1<<1, func(p *Packet) { p.SCTPInitTag = 42 })},
		{name: "COOKIE ECHO and DATA, padded", frame: frame(common, bundle), want: sctp(bundle, 10, 1<<10|1)},
		{name: "a chunk type beyond 14", frame: frame(common, "c0 00 0004"), want: sctp(join("c0 00 0004"), 192, 0)},
		{name: "no chunk", frame: frame(common), want: sctp(nil, 255, 0)},
		{name: "a chunk of length 0", frame: frame(common, "00 00 0000"), want: sctp(join("00 00 0000"), 0, 1, failed(SCTPChunk))},
		{name: "chunks cut by the snap length", frame: frame(common, bundle), cut: 20,
			want: sctp(bundle[:8], 10, 1<<10, func(p *Packet) { p.IPLength, p.PayloadLength = 60, 28 })},
		{name: "checksum cut", frame: frame(common, bundle), cut: 32,
			want: sctp(nil, 255, 0, failed(Truncated), func(p *Packet) { p.IPLength, p.PayloadLength = 60, 28 })},
		{name: "only the ports", frame: frame(common, bundle), cut: 36,
			want: sctp(nil, 255, 0, failed(Truncated), func(p *Packet) { p.IPLength, p.PayloadLength, p.SCTPTag = 60, 28, 0 })},
	}
}

func TestICMP(t *testing.T) { runTests(t, icmpTests()) }

func icmpTests() []decodeTest {
	segment := hello.bytes()
	v4 := func(parts ...any) []byte { return eth(0x0800, ip4(1, join(parts...))) }
	v6 := func(parts ...any) []byte { return eth(0x86dd, ip6(58, join(parts...))) }
	icmp4 := func(icmpType, code uint8, q Quoted, parts ...any) Packet {
		content := join(parts...)
		return Packet{Class: ICMP, EtherType: 0x0800, Version: 4, Protocol: 1, TTL: 64, IPID: 7, IPLength: 28 + len(content),
			Src: addr(client4), Dst: addr(server4), ICMPType: icmpType, ICMPCode: code, Quoted: q, Payload: content, PayloadLength: len(content)}
	}
	icmp6 := func(icmpType, code uint8, q Quoted, parts ...any) Packet {
		p := icmp4(icmpType, code, q, parts...)
		p.EtherType, p.Version, p.Protocol, p.IPID, p.Src, p.Dst = 0x86dd, 6, 58, 0, addr(client6), addr(server6)
		p.IPLength += 20
		return p
	}
	tcp := Quoted{Valid: true, Version: 4, Protocol: 6, HasSeq: true, HasFlags: true, SrcPort: 40000, DstPort: 443,
		Flags: PSH | ACK, Seq: 0x01020304, Src: addr(client4), Dst: addr(server4)}
	eight := tcp // what RFC 792 asks for: 8 bytes behind the IP header
	eight.HasFlags, eight.Flags = false, 0
	portsOnly := eight
	portsOnly.HasSeq, portsOnly.Seq = false, 0
	udp := Quoted{Valid: true, Version: 4, Protocol: 17, SrcPort: 50000, DstPort: 53, Src: addr(client4), Dst: addr(server4)}
	esp := Quoted{Valid: true, Version: 4, Protocol: 50, Src: addr(client4), Dst: addr(server4)}
	tcp6 := tcp
	tcp6.Version, tcp6.Src, tcp6.Dst = 6, addr(client6), addr(server6)
	udpQuote := ip4(17, udpBytes(50000, 53, nil))

	return []decodeTest{
		{name: "echo request", frame: v4("0800 0000 0001 0001", "abcd"), want: icmp4(8, 0, Quoted{}, "abcd")},
		{name: "port unreachable", frame: v4("0303 0000 00000000", udpQuote), want: icmp4(3, 3, udp, udpQuote)},
		{name: "time exceeded, whole TCP header", frame: v4("0b00 0000 00000000", ip4(6, segment)), want: icmp4(11, 0, tcp, ip4(6, segment))},
		{name: "host unreachable, 8 bytes of TCP", frame: v4("0301 0000 00000000", ip4(6, segment)[:28]), want: icmp4(3, 1, eight, ip4(6, segment)[:28])},
		{name: "quote cut behind the ports", frame: v4("0301 0000 00000000", ip4(6, segment)[:24]), want: icmp4(3, 1, portsOnly, ip4(6, segment)[:24])},
		{name: "quote cut in the ports", frame: v4("0301 0000 00000000", ip4(6, segment)[:23]), want: icmp4(3, 1, Quoted{}, ip4(6, segment)[:23])},
		{name: "quote of a protocol without ports", frame: v4("0302 0000 00000000", ip4(50, nil)), want: icmp4(3, 2, esp, ip4(50, nil))},
		{name: "quote of a later fragment has no ports", frame: v4("0b01 0000 00000000", ip4Fragment(6, 3, segment)),
			want: icmp4(11, 1, Quoted{}, ip4Fragment(6, 3, segment))},
		{name: "quote with a broken header", frame: v4("0301 0000 00000000", patch(ip4(6, segment), 0, "44")), want: icmp4(3, 1, Quoted{}, patch(ip4(6, segment), 0, "44"))},
		{name: "nothing quoted", frame: v4("0301 0000 00000000"), want: icmp4(3, 1, Quoted{})},
		{name: "only type and code", frame: v4("0301"), want: with(icmp4(3, 1, Quoted{}), failed(Short), func(p *Packet) { p.IPLength = 22 })},
		{name: "ICMPv6 echo reply", frame: v6("8100 0000 0001 0001", "abcd"), want: icmp6(129, 0, Quoted{}, "abcd")},
		{name: "ICMPv6 unreachable", frame: v6("0104 0000 00000000", ip6(6, segment)), want: icmp6(1, 4, tcp6, ip6(6, segment))},
		{name: "ICMPv6 too big, the quote behind extension headers", frame: v6("0200 0000 00000500", ip6(60, join("2c 00 0104 00000000 06 00 0001 00000001", segment))),
			want: icmp6(2, 0, tcp6, ip6(60, join("2c 00 0104 00000000 06 00 0001 00000001", segment)))},
		{name: "ICMPv6, quote of a later fragment", frame: v6("0300 0000 00000000", ip6(44, join("06 00 0018 00000001", segment))),
			want: icmp6(3, 0, Quoted{}, ip6(44, join("06 00 0018 00000001", segment)))},
		{name: "ICMPv6, only extension headers quoted", frame: v6("0300 0000 00000000", ip6(60, repeat("3c 00 0104 00000000", 20))),
			want: icmp6(3, 0, Quoted{}, ip6(60, repeat("3c 00 0104 00000000", 20)))},
	}
}
