package filter

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"sockscope/capture"
)

// join concatenates byte slices and hex strings, in which spaces separate fields.
func join(parts ...any) []byte {
	var out []byte
	for _, part := range parts {
		switch part := part.(type) {
		case []byte:
			out = append(out, part...)
		case string:
			b, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
			if err != nil {
				panic(err)
			}
			out = append(out, b...)
		default:
			panic("join: neither bytes nor a string")
		}
	}
	return out
}

func u16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }

func eth(etherType int, content []byte) []byte {
	return join("001122334455 020000000001", u16(etherType), content)
}

// eth3 is an IEEE 802.3 frame: its length, and no type.
func eth3(content []byte) []byte { return eth(len(content), content) }

func ip4(protocol, flagsAndOffset int, content []byte) []byte {
	return join("45 00", u16(20+len(content)), "0007", u16(flagsAndOffset), "40", u16(protocol)[1:], "0000",
		"c0000201 0a000002", content)
}

// ip4Options is an IPv4 packet with four bytes of options.
func ip4Options(protocol int, content []byte) []byte {
	return join("46 00", u16(24+len(content)), "0007 0000 40", u16(protocol)[1:], "0000 0a000002 c0a80101 01010101", content)
}

func ip6(next int, content []byte) []byte {
	return join("60000000", u16(len(content)), u16(next)[1:], "40",
		"20010db8000000000000000000000001 fe800000000000000000000000000002", content)
}

func tcp(src, dst, flags int) []byte {
	return join(u16(src), u16(dst), "00000001 00000002", u16(0x5000|flags), "03e8 0000 0000")
}

func tcpData(src, dst int, payload string) []byte {
	return join(tcp(src, dst, 0x18), []byte(payload))
}

func udp(src, dst int, payload []byte) []byte {
	return join(u16(src), u16(dst), u16(8+len(payload)), "0000", payload)
}

func arp(operation int, sender, target string) []byte {
	return join("0001 0800 06 04", u16(operation), "020000000001", sender, "000000000000", target)
}

func snap(organization string, typ int, content []byte) []byte {
	return join("aa aa 03", organization, u16(typ), content)
}

// network are packets that most link layers can carry, by EtherType.
func network() []struct {
	typ     int
	content []byte
} {
	type packet = struct {
		typ     int
		content []byte
	}
	var all []packet
	for _, b := range [][]byte{
		ip4(6, 0, tcp(40000, 80, 2)), ip4(6, 0x4000, tcp(80, 40000, 0x12)), ip4(6, 0, tcp(443, 40001, 4)),
		ip4(6, 0, tcp(22, 1023, 1)), ip4(6, 0, tcpData(40000, 80, "GET / HTTP/1.1\r\n")), ip4Options(6, tcp(8080, 443, 0xd2)),
		ip4(6, 0x2000, tcp(25, 25, 2)), ip4(6, 0x00b9, tcp(80, 443, 2)), ip4(17, 0, udp(53, 53, join("1234 0100"))),
		ip4(17, 0, udp(40000, 69, nil)), ip4Options(17, udp(5353, 53, nil)), ip4(132, 0, join("0050 0b59 00000009 00000000")),
		ip4(1, 0, join("08 00 0000 0001 0001")), ip4(1, 0, join("00 00 0000 0001 0001")), ip4(1, 0, join("03 01 0000 00000000", ip4(6, 0, tcp(1, 2, 2)))),
		ip4(2, 0, join("16 00 0000 e0000001")), ip4(47, 0, join("0000 0800", ip4(6, 0, tcp(80, 80, 2)))),
		ip4(51, 0, join("06 04 0000 00000001 00000001 000000000000000000000000", tcp(80, 1, 2))), ip4(50, 0, join("00000001 00000001 0000")),
		ip4(103, 0, join("20 00 0000")), ip4(112, 0, join("21 01 64 01")), ip4(9, 0, join("11 00 0000")),
		ip4(4, 0, ip4(6, 0, tcp(80, 80, 2))),
		join("45 00 001c 0000 0000 40 11 0000 00000000 ffffffff", udp(68, 67, nil)),
		join("45 00 001c 0000 0000 40 11 0000 7f000001 e0000001", udp(5353, 5353, nil)),
	} {
		all = append(all, packet{0x0800, b})
	}
	for _, b := range [][]byte{
		ip6(6, tcp(40000, 80, 2)), ip6(6, tcp(443, 40000, 0x12)), ip6(17, udp(53, 40000, nil)), ip6(58, join("80 00 0000 0001 0001")),
		ip6(58, join("87 00 0000 00000000 20010db8000000000000000000000002")), ip6(132, join("0b59 0b59 00000009 00000000")),
		ip6(0, join("06 00 0502 0000 0100", tcp(40000, 80, 2))), ip6(44, join("06 00 0001 00000007", tcp(40000, 443, 2))),
		ip6(44, join("11 00 00b9 00000007", udp(53, 53, nil))), ip6(60, join("2b 00 0104 00000000 06 00 0000 00000000", tcp(22, 22, 2))),
		ip6(51, join("11 04 0000 00000001 00000001 000000000000000000000000", udp(53, 53, nil))), ip6(59, nil),
		join("60000000 0008 11 ff 00000000000000000000000000000001 ff020000000000000000000000000001", udp(546, 547, nil)),
	} {
		all = append(all, packet{0x86dd, b})
	}
	return append(all,
		packet{0x0806, arp(1, "c0000201", "0a000002")}, packet{0x0806, arp(2, "0a000002", "c0000201")},
		packet{0x8035, arp(3, "00000000", "0a000001")})
}

// builtFrames are frames for what the captures of testdata have none of, by link type.
func builtFrames() map[capture.LinkType][]capture.Frame {
	frames := make(map[capture.LinkType][]capture.Frame)
	add := func(l capture.LinkType, b []byte) {
		frames[l] = append(frames[l], capture.Frame{Data: b, Length: uint32(len(b)), Link: l})
	}
	prefix := map[capture.LinkType]func(typ int) string{
		capture.LinkSLL:         func(t int) string { return "0000 0001 0006 020000000001 0000" + hex.EncodeToString(u16(t)) },
		capture.LinkSLL2:        func(t int) string { return hex.EncodeToString(u16(t)) + "0000 00000002 0001 04 06 0200000000010000" },
		capture.LinkCHDLC:       func(t int) string { return "0f 00" + hex.EncodeToString(u16(t)) },
		capture.LinkFDDI:        func(t int) string { return "50 001122334455 020000000001 aaaa03000000" + hex.EncodeToString(u16(t)) },
		capture.LinkTokenRing:   func(t int) string { return "10 40 001122334455 020000000001 aaaa03000000" + hex.EncodeToString(u16(t)) },
		capture.LinkATM:         func(t int) string { return "aaaa03000000" + hex.EncodeToString(u16(t)) },
		linkIEEE1394:            func(t int) string { return "ffffffffffffffff 0000000000000001" + hex.EncodeToString(u16(t)) },
		linkNetAnalyzer:         func(t int) string { return "00000000" + hex.EncodeToString(eth(t, nil)) },
		capture.LinkRaw:         ipOnly("", ""),
		capture.LinkIPv4:        only(0x0800, ""),
		capture.LinkIPv6:        only(0x86dd, ""),
		capture.LinkNull:        ipOnly("02000000", "0a000000"),
		capture.LinkLoop:        ipOnly("00000002", "00000018"),
		linkENC:                 ipOnly("02000000 00000001 00000000", "0a000000 00000001 00000000"),
		linkIPNET:               ipOnly("01 02 0002 00000000 00000000 00000000 00000000 00000000", "01 1a 0001 00000000 00000000 00000000 00000000 00000000"),
		capture.LinkPPP:         ipOnly("ff03 0021", "ff03 0057"),
		capture.LinkPPPHDLC:     ipOnly("ff03 0021", "ff03 0057"),
		capture.LinkPPPPPPD:     ipOnly("01 03 0021", "00 03 0057"),
		capture.LinkPPPEthernet: ipOnly("11 00 0001 0030 0021", "11 00 0001 0030 0057"),
		capture.LinkFrameRelay:  ipOnly("1841 03cc", "1841 038e"),
		capture.LinkARCNET:      ipOnly("05 00 d4 000001", "05 06 c4 000001"),
		capture.LinkARCNETLinux: ipOnly("05 00 0000 d4 000001", "05 06 0000 c4 000001"),
		capture.LinkSLIP:        ipOnly("00 45 000000000000000000000000 0000", "01 60 000000000000000000000000 0000"),
		capture.LinkPFLog:       ipOnly(pflogHeader("02", "01"), pflogHeader("0a", "02")),
	}
	for link, header := range prefix {
		for _, p := range network() {
			if h := header(p.typ); h != "-" {
				add(link, join(h, p.content))
			}
		}
	}
	for _, b := range ethernetFrames() {
		add(capture.LinkEthernet, b)
	}
	for _, b := range wifiFrames() {
		add(capture.LinkWiFi, b)
		add(capture.LinkRadiotap, join("0000 0d00 04000000 00 00 00 00 00", b))
		add(capture.LinkRadiotap, join("0000 1800 03000000 0000000000000000 20 00 000000000000", patchPadding(b)))
		add(capture.LinkAVS, join("80211001 00000040", strings.Repeat("00", 56), b))
		add(capture.LinkPrism, join("44000000 90000000", strings.Repeat("00", 136), b))
		add(capture.LinkPPI, join("00 00 0800 69000000", b))
	}
	add(capture.LinkPPI, join("00 00 0800 01000000", eth(0x0800, ip4(6, 0, tcp(80, 80, 2)))))
	add(capture.LinkSLL, join("0004 0001 0006 020000000001 0000 0800", ip4(6, 0, tcp(80, 80, 2))))
	add(capture.LinkSLL, join("0000 0001 0006 020000000001 0000 0004 42 42 03 0000"))
	add(capture.LinkSLL, join("0000 0001 0006 020000000001 0000 0004 fe fe 03 83 1b 01 00 12"))
	add(capture.LinkSLL, join("0000 0001 0006 020000000001 0000 0001 ffff 0022"))
	add(capture.LinkSLL, join("0000 0001 0006 020000000001 0000 0004", snap("080007", 0x809b, nil)))
	add(capture.LinkSLL2, join("0800 0000 00000001 0001 00 06 0200000000010000", ip4(6, 0, tcp(80, 80, 2))))
	add(capture.LinkPPP, join("ff03 0281 00064140", ip4(6, 0, tcp(80, 80, 2))))
	add(capture.LinkPPP, join("ff03 0031 0000"))
	add(capture.LinkCHDLC, join("0f 00 fefe 03 83 1b01"))
	add(capture.LinkCHDLC, join("0f 00 8847 00064140", ip4(6, 0, tcp(80, 80, 2))))
	add(capture.LinkFrameRelay, join("1841 0383 1b01"))
	add(capture.LinkFDDI, join("50 001122334455 020000000001 fefe03 83 1b 01 00 12"))
	add(capture.LinkNFLog, join("02 00 0000 0800 0100 00000000"))
	for i, f := range frames[capture.LinkEthernet] { // as a short snap length has them
		if cut := 34 + i%40; i%3 == 0 && len(f.Data) > cut {
			frames[capture.LinkEthernet] = append(frames[capture.LinkEthernet],
				capture.Frame{Data: f.Data[:cut], Length: f.Length, Link: f.Link})
		}
	}
	return frames
}

// ipOnly is the header of a link layer that carries IP alone; "-" is none.
func ipOnly(v4, v6 string) func(int) string {
	return func(typ int) string {
		switch typ {
		case 0x0800:
			return v4
		case 0x86dd:
			return v6
		}
		return "-"
	}
}

func only(typ int, header string) func(int) string {
	return func(t int) string {
		if t == typ {
			return header
		}
		return "-"
	}
}

func pflogHeader(family, direction string) string {
	return "3d" + family + "01 00" + hex.EncodeToString([]byte("eth0")) + strings.Repeat("00", 12) +
		hex.EncodeToString([]byte("abc")) + strings.Repeat("00", 13) + "00000005 00000003" + strings.Repeat("00", 16) + direction + "000000"
}

func ethernetFrames() [][]byte {
	syn, syn6 := ip4(6, 0, tcp(40000, 80, 2)), ip6(6, tcp(40000, 443, 2))
	all := [][]byte{
		eth(0x8100, join("0064 0800", syn)), eth(0x8100, join("6005 86dd", syn6)), eth(0x88a8, join("0064 8100 00c8 0800", syn)),
		eth(0x9100, join("012c 0800", ip4(17, 0, udp(53, 53, nil)))), eth(0x8100, join("0064 8847 00010140", syn)),
		eth(0x8100, join("0007 8864 1100 0005 0002 0021", syn)), eth(0x8100, join("0064 0026 42 42 03", strings.Repeat("00", 35))),
		eth(0x8847, join("00064140", syn)), eth(0x8847, join("00064040 00065140", syn6)), eth(0x8847, join("00010040 00400140", ip4(17, 0, udp(1, 53, nil)))),
		eth(0x8848, join("00064140", syn)),
		eth(0x8863, join("11 09 0000 0000")), eth(0x8864, join("11 00 0005 0016 0021", syn)), eth(0x8864, join("11 00 0027 0016 0057", syn6)),
		eth(0x8864, join("11 00 0005 0016 0281 00064140", syn)), eth(0x8864, join("11 00 0005 0006 c021 0101 0004")),
		eth(0x0800, ip4(17, 0, udp(5000, 6081, join("00 00 6558 000005 00", eth(0x0800, syn))))),
		eth(0x0800, ip4(17, 0, udp(5000, 6081, join("02 00 6558 00000b 00 0102030405060708", eth(0x8100, join("0064 0800", syn)))))),
		eth(0x0800, ip4Options(17, udp(5000, 6081, join("00 00 0800 000005 00", syn)))),
		eth(0x86dd, ip6(17, udp(5000, 6081, join("01 00 86dd 000005 00 01020304", syn6)))),
		eth(0x0800, ip4(17, 0, udp(5000, 6081, join("40 00 0800 000005 00", syn)))),
		eth3(join("42 42 03", strings.Repeat("00", 35))), eth3(join("f0 f0 03 0000")), eth3(join("e0 e0 03 ffff")), eth3(join("ff ff 0022 0000")),
		eth3(snap("080007", 0x809b, join("0000"))), eth3(snap("000000", 0x80f3, join("0000"))), eth3(snap("000000", 0x8137, join("0000"))),
		eth3(snap("000000", 0x0800, syn)), eth3(join("aa aa 00 0000")), eth3(join("04 04 01 0b")), eth3(join("04 04 05 00")), eth3(join("04 04 7f")),
		eth(0x809b, join("0000")), eth(0x80f3, join("0000")), eth(0x8137, join("ffff")), eth(0x6004, join("00")), eth(0x6007, join("00")),
		eth(0x6001, join("00")), eth(0x6002, join("00")), eth(0x9000, join("0000")), eth(0x0600, join("0000")), eth(0x88cc, join("0207")),
		eth(0x6003, join("0a00 02 0000 0204 0104 00")), eth(0x6003, join("0a00 8102 0204 0104 00")),
		eth(0x6003, join("2000 06 0000 aa000400 0104 0000 aa000400 0204 00000000")), eth(0x6003, join("2000 81 06 0000 aa000400 0204 0000 aa000400 0104 00000000")),
		join("ffffffffffff 020000000001 0806", arp(1, "0a000001", "0a000002")), join("01005e000001 020000000001 0800", syn),
		join("333300000001 001122334455 86dd", syn6), join("020000000001 001122334455 0800", syn),
	}
	for _, pdu := range []int{15, 16, 17, 18, 20, 24, 25, 26, 27, 5} {
		all = append(all, eth3(join("fe fe 03 83 1b 01 00", u16(pdu)[1:], "01 00 00")))
	}
	all = append(all, eth3(join("fe fe 03 81 00")), eth3(join("fe fe 03 82 00")))
	for _, p := range network() {
		all = append(all, eth(p.typ, p.content))
	}
	for _, p := range network()[:3] {
		all = append(all, eth(p.typ, p.content)[:20], eth(p.typ, p.content)[:13])
	}
	return all
}

// wifiFrames are IEEE 802.11 frames.
func wifiFrames() [][]byte {
	const a, b, c, all = "001122334455", "020000000001", "010203040506", "ffffffffffff"
	data := snap("000000", 0x0800, ip4(6, 0, tcp(40000, 80, 2)))
	data6 := snap("000000", 0x86dd, ip6(17, udp(53, 40000, nil)))
	return [][]byte{
		join("80 00 0000", all, b, b, "0000 0000000000000000 6400"), join("40 00 0000", all, a, all, "0000 0000"),
		join("b0 00 0000", a, b, b, "0000 0000"), join("00 00 0000", a, b, b, "0000 0000"),
		join("d4 00 0000", a), join("c4 00 0000", a), join("b4 00 0000", a, b), join("a4 00 01c0", b, a),
		join("08 00 0000", a, b, c, "0000", data), join("08 01 0000", c, a, b, "0000", data), join("08 02 0000", all, c, a, "0000", data6),
		join("08 03 0000", a, b, c, "0000", "0a0b0c0d0e0f", data), join("48 01 0000", c, a, b, "0000"),
		join("88 01 0000", c, a, b, "0000 0000", data), join("88 02 0000", a, c, b, "0000 0000", data6),
		join("08 02 0000", all, c, a, "0000", snap("000000", 0x0806, arp(1, "0a000001", "0a000002"))),
		join("08 02 0000", "01005e000001", c, a, "0000 42 42 03 0000"), join("08 02 0000", a, c, b, "0000 fe fe 03 83 1b 01 00 12"),
		join("08 02 0000", a, c, b, "0000", snap("000000", 0x8100, join("0064 aaaa03000000 0800", ip4(6, 0, tcp(80, 80, 2))))),
	}
}

// patchPadding pads the header of a QoS data frame to a multiple of four bytes, as
// radiotap's flags can say.
func patchPadding(b []byte) []byte {
	if b[0] == 0x88 {
		return join(b[:26], "0000", b[26:])
	}
	return b
}
