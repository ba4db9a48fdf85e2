package decode

import (
	"testing"

	"sockscope/capture"
)

func TestLinkTypes(t *testing.T) { runTests(t, linkTests()) }

func linkTests() []decodeTest {
	packet := ip4(6, hello.bytes())
	packet6 := ip6(6, hello.bytes())
	snap := func(etherType string) string { return "aaaa03 000000" + etherType }
	wifi := func(control string) []byte {
		return join(control, "0000 020000000001 020000000002 020000000003 0000")
	}
	nonIP := func(etherType uint16) Packet { return Packet{Class: NonIP, EtherType: etherType} }
	return []decodeTest{
		{name: "Ethernet", frame: eth(0x0800, packet), want: tcp4()},
		{name: "Ethernet, 802.3 with SNAP; the length cuts the padding off",
			frame: eth(8+len(packet), join(snap("0800"), packet, "0000")), want: tcp4()},
		{name: "Ethernet, spanning tree: the LSAPs", frame: eth(38, join("424203", make([]byte, 35))), want: nonIP(0x4242)},
		{name: "Ethernet, ARP", frame: eth(0x0806, make([]byte, 28)), want: nonIP(0x0806)},
		{name: "Ethernet, raw IPX", frame: eth(30, join("ffff", make([]byte, 28))), want: nonIP(0xffff)},
		{name: "Ethernet, LLDP", frame: eth(0x88cc, make([]byte, 46)), want: nonIP(0x88cc)},
		{name: "Ethernet, SNAP of another organization", frame: eth(20, join("aaaa03 00000c 2000", make([]byte, 12))), want: nonIP(0xaaaa)},
		{name: "Ethernet, LLC's own point for IP", frame: eth(3+len(packet), join("060603", packet)), want: tcp4()},
		{name: "Ethernet, LLC behind the EtherType for jumbo frames", frame: eth(0x8870, join(snap("86dd"), packet6)), want: tcp6()},

		{name: "raw IPv4", link: capture.LinkRaw, frame: packet, want: tcp4()},
		{name: "raw IPv6", link: capture.LinkRaw, frame: packet6, want: tcp6()},
		{name: "raw by its old number 12", link: linkRaw12, frame: packet, want: tcp4()},
		{name: "raw by its old number 14", link: linkRaw14, frame: packet, want: tcp4()},
		{name: "raw of no version", link: capture.LinkRaw, frame: join("00"), want: Packet{Err: IPv4Header}},
		{name: "IPV4", link: capture.LinkIPv4, frame: packet, want: tcp4()},
		{name: "IPV6", link: capture.LinkIPv6, frame: packet6, want: tcp6()},

		{name: "NULL, little-endian", null: true, frame: join("02000000", packet), want: tcp4()},
		{name: "NULL, big-endian", null: true, frame: join("00000002", packet), want: tcp4()},
		{name: "NULL, Darwin's IPv6", null: true, frame: join("1e000000", packet6), want: tcp6()},
		{name: "NULL, FreeBSD's IPv6", null: true, frame: join("1c000000", packet6), want: tcp6()},
		{name: "NULL, NetBSD's IPv6", null: true, frame: join("18000000", packet6), want: tcp6()},
		{name: "NULL, Windows' IPv6", null: true, frame: join("17000000", packet6), want: tcp6()},
		{name: "NULL, AppleTalk", null: true, frame: join("10000000", packet6), want: nonIP(0)},
		{name: "LOOP", link: capture.LinkLoop, frame: join("00000018", packet6), want: tcp6()},
		{name: "PFLOG, header padded from 61 bytes", link: capture.LinkPFLog,
			frame: join("3d 02", make([]byte, 62), packet), want: tcp4()},
		{name: "PFLOG too short", link: capture.LinkPFLog, frame: join("10 02", make([]byte, 62), packet), want: Packet{Err: LinkHeader}},
		{name: "ENC", link: linkENC, frame: join("02000000 00000001 00000000", packet), want: tcp4()},
		{name: "IPNET", link: linkIPNET, frame: join("01 1a", make([]byte, 22), packet6), want: tcp6()},
		{name: "PKTAP, Ethernet within", link: linkPKTAP,
			frame: join("10000000 01000000 01000000 00000000", eth(0x0800, packet)), want: tcp4()},

		{name: "SLL", link: capture.LinkSLL, frame: join("0000 0001 0006 0200000000010000 0800", packet), want: tcp4()},
		{name: "SLL with a VLAN tag", link: capture.LinkSLL,
			frame: join("0000 0001 0006 0200000000010000 8100", vlan(42, 0x86dd, packet6)), want: tcp6(tagged(42))},
		{name: "SLL, LLC", link: capture.LinkSLL, frame: join("0000 0001 0006 0200000000010000 0004", snap("0800"), packet), want: tcp4()},
		{name: "SLL, netlink", link: capture.LinkSLL, frame: join("0000 0338 0000 0000000000000000 0000", packet), want: nonIP(0)},
		{name: "SLL2", link: capture.LinkSLL2, frame: join("0800 0000 00000002 0001 00 06 0200000000010000", packet), want: tcp4()},
		{name: "NFLOG", link: capture.LinkNFLog, frame: join("02 00 0000",
			"0800 0100 0800 0300", "0600 0a00 4f4b 0000", le(4+len(packet)), "0900", packet), want: tcp4()},
		{name: "NFLOG of a bridge", link: capture.LinkNFLog,
			frame: join("07 00 0000", "0800 0100 86dd 0300", le(4+len(packet6)), "0900", packet6), want: tcp6()},
		{name: "NFLOG, big-endian", link: capture.LinkNFLog,
			frame: join("02 00 0000", "0006 000a 4f4b 0000", u16(4+len(packet)), "0009", packet), want: tcp4()},
		{name: "NFLOG without the packet", link: capture.LinkNFLog, frame: join("02 00 0000", "0600 0a00 4f4b 0000"), want: nonIP(0)},
		{name: "NFLOG, attribute of length 0", link: capture.LinkNFLog,
			frame: join("02 00 0000", "0600 0a00 4f4b 0000", "0000 0900", packet), want: Packet{Err: LinkHeader}},
		{name: "netlink holds no packets", link: capture.LinkNetlink, frame: packet, want: nonIP(0)},

		{name: "PPP", link: capture.LinkPPP, frame: join("ff03 0021", packet), want: tcp4()},
		{name: "PPP, compressed protocol, no address", link: capture.LinkPPP, frame: join("57", packet6), want: tcp6()},
		{name: "PPP, link control", link: capture.LinkPPP, frame: join("ff03 c021 01010004"), want: nonIP(0x880b)},
		{name: "PPP, MPLS", link: capture.LinkPPP, frame: join("ff03 0281 00064140", packet), want: tcp4()},
		{name: "PPP, multilink fragment with a whole packet", link: capture.LinkPPP, frame: join("ff03 003d c0000001 21", packet), want: tcp4()},
		{name: "PPP, later multilink fragment", link: capture.LinkPPP, frame: join("ff03 003d 40000001 21", packet), want: nonIP(0x880b)},
		{name: "PPP, bridged Ethernet", link: capture.LinkPPP, frame: join("ff03 0031 00 01", eth(0x0800, packet)), want: tcp4()},
		{name: "PPP_HDLC", link: capture.LinkPPPHDLC, frame: join("ff03 0057", packet6), want: tcp6()},
		{name: "PPP_HDLC with Cisco's framing", link: capture.LinkPPPHDLC, frame: join("0f00 0800", packet), want: tcp4()},
		{name: "PPP_PPPD", link: capture.LinkPPPPPPD, frame: join("01 03 0021", packet), want: tcp4()},
		{name: "PPP_WITH_DIR", link: linkPPPDir, frame: join("00 ff03 0021", packet), want: tcp4()},
		{name: "PPP_ETHER; its length cuts the padding off", link: capture.LinkPPPEthernet,
			frame: join("11 00 0001", u16(2+len(packet)), "0021", packet, "0000"), want: tcp4()},
		{name: "C_HDLC", link: capture.LinkCHDLC, frame: join("0f00 86dd", packet6), want: tcp6()},
		{name: "C_HDLC, discovery", link: capture.LinkCHDLC, frame: join("8f00 2000 00000000"), want: nonIP(0x2000)},
		{name: "C_HDLC_WITH_DIR", link: linkCHDLCDir, frame: join("01 0f00 0800", packet), want: tcp4()},
		{name: "FRELAY, its id for IPv4", link: capture.LinkFrameRelay, frame: join("1841 03 cc", packet), want: tcp4()},
		{name: "FRELAY, SNAP, padded", link: capture.LinkFrameRelay, frame: join("1841 03 00 80 000000 0800", packet), want: tcp4()},
		{name: "FRELAY, four-byte address", link: capture.LinkFrameRelay, frame: join("18400001 03 8e", packet6), want: tcp6()},
		{name: "FRELAY, Cisco's form", link: capture.LinkFrameRelay, frame: join("1841 0800", packet), want: tcp4()},
		{name: "FRELAY_WITH_DIR", link: linkFrameDir, frame: join("00 1841 03 cc", packet), want: tcp4()},
		{name: "SLIP", link: capture.LinkSLIP, frame: join(make([]byte, 16), packet), want: tcp4()},
		{name: "ATM_RFC1483", link: capture.LinkATM, frame: join(snap("0800"), packet), want: tcp4()},
		{name: "ATM_RFC1483, bridged Ethernet", link: capture.LinkATM,
			frame: join("aaaa03 0080c2 0007 0000", eth(0x0800, packet)), want: tcp4()},
		{name: "ATM_RFC1483, PPP", link: capture.LinkATM, frame: join("fefe03 cf 0021", packet), want: tcp4()},
		{name: "SUNATM", link: linkSunATM, frame: join("02 00 0001", snap("0800"), packet), want: tcp4()},
		{name: "MPLS", link: linkMPLS, frame: join("00064140", packet), want: tcp4()},

		{name: "802.11 from an access point", link: capture.LinkWiFi, frame: join(wifi("0802"), snap("0800"), packet), want: tcp4()},
		{name: "802.11 with quality of service", link: capture.LinkWiFi, frame: join(wifi("8801"), "0000", snap("86dd"), packet6), want: tcp6()},
		{name: "802.11, four addresses, HT control", link: capture.LinkWiFi,
			frame: join(wifi("8883"), "020000000004 0000 00000000", snap("0800"), packet), want: tcp4()},
		{name: "802.11, first of an aggregate", link: capture.LinkWiFi, frame: join(wifi("8801"), "8000",
			"020000000001 020000000002", u16(8+len(packet)), snap("0800"), packet, "0000 020000000001"), want: tcp4()},
		{name: "802.11, encrypted", link: capture.LinkWiFi, frame: join(wifi("0842"), snap("0800"), packet), want: nonIP(0)},
		{name: "802.11, no data", link: capture.LinkWiFi, frame: wifi("4801"), want: nonIP(0)},
		{name: "802.11, beacon", link: capture.LinkWiFi, frame: wifi("8000"), want: nonIP(0)},
		{name: "802.11 of another version", link: capture.LinkWiFi, frame: wifi("0900"), want: Packet{Err: LinkHeader}},
		{name: "radiotap", link: capture.LinkRadiotap,
			frame: join("00 00 0800 00000000", wifi("0802"), snap("0800"), packet), want: tcp4()},
		{name: "radiotap, padded MAC header", link: capture.LinkRadiotap, frame: join(
			"00 00 1900 03000080 00000000 00000000 0000000000000000 20", wifi("8802"), "0000 0000", snap("0800"), packet), want: tcp4()},
		{name: "PRISM", link: capture.LinkPrism,
			frame: join("44000000 90000000", make([]byte, 136), wifi("0802"), snap("0800"), packet), want: tcp4()},
		{name: "PRISM with an AVS header", link: capture.LinkPrism,
			frame: join("80211001 00000040", make([]byte, 56), wifi("0802"), snap("0800"), packet), want: tcp4()},
		{name: "AVS", link: capture.LinkAVS,
			frame: join("80211001 00000040", make([]byte, 56), wifi("0802"), snap("0800"), packet), want: tcp4()},
		{name: "PPI", link: capture.LinkPPI, frame: join("00 00 0800 69000000", wifi("0802"), snap("0800"), packet), want: tcp4()},
		{name: "PPI in PPI: the layers end it", link: capture.LinkPPI, frame: repeat("00 00 0800 c0000000", 20), want: Packet{Err: TooManyLayers}},

		{name: "TOKEN_RING", link: capture.LinkTokenRing,
			frame: join("10 40 020000000002 020000000001", snap("0800"), packet), want: tcp4()},
		{name: "TOKEN_RING, source routing", link: capture.LinkTokenRing,
			frame: join("10 40 020000000002 820000000001 0630 0011 0020", snap("0800"), packet), want: tcp4()},
		{name: "FDDI", link: capture.LinkFDDI, frame: join("50 020000000002 020000000001", snap("0800"), packet), want: tcp4()},
		{name: "ARCNET", link: capture.LinkARCNET, frame: join("01 02 d4 00 0001", packet), want: tcp4()},
		{name: "ARCNET, RFC 1051", link: capture.LinkARCNET, frame: join("01 02 f0", packet), want: tcp4()},
		{name: "ARCNET_LINUX", link: capture.LinkARCNETLinux, frame: join("01 02 0000 d4 00 0001", packet), want: tcp4()},
		{name: "ARCNET_LINUX, exception frame", link: capture.LinkARCNETLinux,
			frame: join("01 02 0000 c4 ff000000 00 0001", packet6), want: tcp6()},
		{name: "APPLE_IP_OVER_IEEE1394", link: linkIEEE1394, frame: join(make([]byte, 16), "0800", packet), want: tcp4()},
		{name: "IPOIB", link: linkIPoIB, frame: join(make([]byte, 40), "86dd 0000", packet6), want: tcp6()},
		{name: "NETANALYZER", link: linkNetAnalyzer, frame: join("00000000", eth(0x0800, packet)), want: tcp4()},
		{name: "NETANALYZER_TRANSPARENT", link: linkNetTransp,
			frame: join("00000000 55555555 555555d5", eth(0x0800, packet)), want: tcp4()},
		{name: "ETHERNET_MPACKET", link: linkMPacket, frame: join("55555555 555555d5", eth(0x0800, packet)), want: tcp4()},

		{name: "a link type without a decoder", link: 147, frame: packet, want: Packet{Err: UnknownLinkType}},
		{name: "an empty frame", want: Packet{Err: Short}},
		{name: "a frame of which nothing was captured", frame: eth(0x0800, packet), cut: 14 + len(packet), want: Packet{Err: Truncated}},
	}
}

func TestTags(t *testing.T) { runTests(t, tagTests()) }

func tagTests() []decodeTest {
	packet := ip4(6, hello.bytes())
	return []decodeTest{
		{name: "VLAN", frame: eth(0x8100, vlan(0x2fff, 0x0800, packet)), want: tcp4(tagged(0xfff))},
		{name: "VLAN over VLAN over VLAN: two ids, three tags",
			frame: eth(0x88a8, vlan(1, 0x9100, vlan(2, 0x8100, vlan(3, 0x0800, packet)))), want: tcp4(tagged(1, 2, 3))},
		{name: "VLAN around ARP", frame: eth(0x8100, vlan(7, 0x0806, make([]byte, 28))),
			want: Packet{Class: NonIP, EtherType: 0x0806, NumVLANs: 1, VLANs: [2]uint16{7}}},
		{name: "VLAN cut", frame: eth(0x8100, vlan(7, 0x0800, packet)), cut: 2 + len(packet), want: Packet{Err: Truncated}},
		{name: "MPLS, two labels", frame: eth(0x8847, join("00064040 00065140", packet)), want: tcp4()},
		{name: "MPLS around Ethernet with a control word", frame: eth(0x8847, join("00065140 00000000", eth(0x0800, packet))), want: tcp4()},
		{name: "MPLS around Ethernet without one", frame: eth(0x8847, join("00065140", eth(0x0800, packet))), want: tcp4()},
		{name: "MPLS around something", frame: eth(0x8847, join("00065140 10000021 0000")), want: Packet{Class: NonIP, EtherType: 0x8847}},
		{name: "MPLS of too many labels", frame: eth(0x8847, repeat("00064040", 20)), want: Packet{Err: TooManyLayers}},
		{name: "PPPoE", frame: eth(0x8864, join("11 00 0001", u16(2+len(packet)), "0021", packet)), want: tcp4()},
		{name: "PPPoE discovery", frame: eth(0x8863, make([]byte, 40)), want: Packet{Class: NonIP, EtherType: 0x8863}},
		{name: "PPPoE of another version", frame: eth(0x8864, join("21 00 0001 0002 0021 00")), want: Packet{Err: LinkHeader}},
		{name: "VN-Tag", frame: eth(0x8926, join("00000000 0800", packet)), want: tcp4()},
		{name: "HSR", frame: eth(0x892f, join("0034 0001 0800", packet)), want: tcp4()},
		{name: "802.1CB", frame: eth(0xf1c1, join("0000 0001 0800", packet)), want: tcp4()},
		{name: "Cisco metadata", frame: eth(0x8909, join("01 01 0001 0002 0800", packet)), want: tcp4()},
		{name: "FabricPath", frame: eth(0x8903, join("0060", eth(0x0800, packet))), want: tcp4()},
		{name: "TRILL with an option", frame: eth(0x22f3, join("0040 0001 0002 00000000", eth(0x0800, packet))), want: tcp4()},
		{name: "PBB", frame: eth(0x88e7, join("00001234", eth(0x0800, packet))), want: tcp4(through(Tunnel{Kind: PBB, HasID: true, ID: 0x1234}))},
		{name: "PBB around ARP is no tunnel of anything", frame: eth(0x88e7, join("00001234", eth(0x0806, make([]byte, 28)))),
			want: Packet{Class: NonIP, EtherType: 0x0806}},
		{name: "MACsec without encryption", frame: eth(0x88e5, join("00 00 00000001 0800", packet, make([]byte, 16))),
			want: tcp4(through(Tunnel{Kind: MACsec}))},
		{name: "MACsec with its channel's id", frame: eth(0x88e5, join("20 00 00000001 0200000000010001 0800", packet, make([]byte, 16))),
			want: tcp4(through(Tunnel{Kind: MACsec}))},
		{name: "MACsec with encryption", frame: eth(0x88e5, join("2c 00 00000001 0200000000010001", make([]byte, 60))),
			want: Packet{Class: NonIP, EtherType: 0x88e5}},
		{name: "NSH", frame: eth(0x894f, join("0fc2 01 01 00000105", packet)), want: tcp4(through(Tunnel{Kind: NSH, HasID: true, ID: 1}))},
		{name: "NSH of no length", frame: eth(0x894f, join("0fc1 01 01 00000105", packet)), want: Packet{Err: TunnelHeader}},
	}
}
