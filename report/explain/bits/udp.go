package bits

var udpTable = define("UDP", "RFC 768",
	field{0, 16, "port.source", "Source Port", decimal, ""},
	field{16, 16, "port.destination", "Destination Port", decimal, ""},
	field{32, 16, "udp.length", "Length", decimal, ""},
	field{48, 16, "udp.checksum", "Checksum", hex16, ""})

var udpLiteTable = define("UDP-Lite", "RFC 3828 §3.1",
	field{0, 16, "port.source", "Source Port", decimal, ""},
	field{16, 16, "port.destination", "Destination Port", decimal, ""},
	field{32, 16, "udp.coverage", "Checksum Coverage", decimal, ""},
	field{48, 16, "udp.checksum", "Checksum", hex16, ""})

// dnsTable is the header of a DNS message over UDP.
var dnsTable = define("DNS", "RFC 1035 §4.1.1",
	field{0, 16, "dns.id", "ID", hex16, ""},
	field{16, 1, "dns.qr", "QR", bit, ""},
	field{17, 4, "dns.opcode", "Opcode", decimal, ""},
	field{21, 1, "dns.aa", "AA", bit, ""},
	field{22, 1, "dns.tc", "TC", bit, ""},
	field{23, 1, "dns.rd", "RD", bit, ""},
	field{24, 1, "dns.ra", "RA", bit, ""},
	field{25, 1, "reserved", "Z", bit, ""},
	field{26, 1, "dns.ad", "AD", bit, "RFC 4035 §3.2.3"},
	field{27, 1, "dns.cd", "CD", bit, "RFC 4035 §3.2.2"},
	field{28, 4, "dns.rcode", "RCODE", named(decimal, map[uint64]string{1: "FormErr", 2: "ServFail", 3: "NXDomain", 4: "NotImp", 5: "Refused"}), ""},
	field{32, 16, "dns.questions", "QDCOUNT", decimal, ""},
	field{48, 16, "dns.answers", "ANCOUNT", decimal, ""},
	field{64, 16, "dns.authority", "NSCOUNT", decimal, ""},
	field{80, 16, "dns.additional", "ARCOUNT", decimal, ""})

func udp(w *walk) step {
	w.begin(udpTable)
	start := w.pos
	b, ok := w.add(udpTable)
	if !ok {
		return nil
	}
	source, destination, length := be16(b), be16(b[2:]), int(be16(b[4:]))
	switch {
	case length == 0:
		w.note("bits.udp-zero") // a jumbogram, or left to the hardware
	case length < udpTable.size():
		w.note("bits.lie.udp-short", length)
		return nil
	default:
		if w.carrier.whole {
			w.encloseFrom(start, length, "bits.lie.udp-length")
		}
	}
	if be16(b[6:]) == 0 {
		w.note("bits.checksum-none", "UDP")
	} else {
		w.checkTransport(start, w.end, 17, 6, "UDP")
	}
	for _, port := range []uint16{destination, source} {
		switch port {
		case 53, 5353, 5355:
			return dns
		case 4789, 8472:
			return vxlan
		case 4790:
			return vxlanGPE
		case 6081:
			return geneve
		case 2152:
			return gtpu
		}
	}
	return deepUDP(source, destination)
}

func udpLite(w *walk) step {
	w.begin(udpLiteTable)
	w.add(udpLiteTable)
	return nil
}

// dns ends the walk: names and records behind the header have no fixed bits.
func dns(w *walk) step {
	if len(w.rest()) == 0 {
		return nil
	}
	w.begin(dnsTable)
	w.add(dnsTable)
	return nil
}
