package bits

var ip4Table = define("IPv4", "RFC 791 §3.1",
	field{0, 4, "ip.version", "Version", decimal, ""},
	field{4, 4, "ip4.length", "IHL", units(4), ""},
	field{8, 6, "ip.dscp", "DSCP", decimal, "RFC 2474 §3"},
	field{14, 2, "ip.ecn", "ECN", decimal, "RFC 3168 §5"},
	field{16, 16, "ip4.total", "Total Length", decimal, ""},
	field{32, 16, "ip4.id", "Identification", decimal, "RFC 6864 §4"},
	field{48, 1, "ip4.reserved", "R", bit, ""},
	field{49, 1, "ip4.df", "DF", bit, ""},
	field{50, 1, "ip4.mf", "MF", bit, ""},
	field{51, 13, "ip4.offset", "Fragment Offset", units(8), ""},
	field{64, 8, "ip4.ttl", "Time to Live", decimal, ""},
	field{72, 8, "ip.protocol", "Protocol", protocol, ""},
	field{80, 16, "ip4.checksum", "Header Checksum", hex16, ""},
	field{96, 32, "ip.source", "Source Address", ipv4, ""},
	field{128, 32, "ip.destination", "Destination Address", ipv4, ""})

var ip4Kinds = named(decimal, map[uint64]string{0: "End", 1: "NOP", 7: "Route", 68: "Timestamp", 130: "Security", 131: "LSRR", 136: "Stream ID", 137: "SSRR", 148: "RtrAlert"})

var (
	ip4Single = define("IPv4 option", "RFC 791 §3.1", field{0, 8, "option.single", "Kind", ip4Kinds, ""})
	ip4Other  = optionHead("IPv4 option", "RFC 791 §3.1", "option.kind", ip4Kinds, decimal)
	ip4Route  = optionHead("IPv4 option", "RFC 791 §3.1", "ip4.route", ip4Kinds, decimal,
		field{16, 8, "ip4.pointer", "Pointer", decimal, ""})
	ip4Hop   = define("IPv4 option", "RFC 791 §3.1", field{0, 32, "ip4.hop", "Route Data", ipv4, ""})
	ip4Alert = optionHead("IPv4 option", "RFC 2113 §2.1", "ip.alert", ip4Kinds, decimal,
		field{16, 16, "ip.alert-value", "Value", decimal, ""})
	ip4Times = optionHead("IPv4 option", "RFC 791 §3.1", "ip4.times", ip4Kinds, decimal,
		field{16, 8, "ip4.pointer", "Pointer", decimal, ""},
		field{24, 4, "ip4.overflow", "Oflw", decimal, ""},
		field{28, 4, "ip4.times-flag", "Flag", decimal, ""})
	ip4Time = define("IPv4 option", "RFC 791 §3.1", field{0, 32, "ip4.time", "Timestamp", decimal, ""})
)

var ip4Options = &optionSet{end: 0, pad: 1, unit: 1, single: ip4Single, other: ip4Other, known: map[byte]option{
	7: {head: ip4Route, each: ip4Hop}, 131: {head: ip4Route, each: ip4Hop}, 137: {head: ip4Route, each: ip4Hop},
	68: {head: ip4Times, each: ip4Time}, 148: {head: ip4Alert},
}}

// ip is version 4 or 6, as the first four bits say.
func ip(w *walk) step {
	if b := w.rest(); len(b) > 0 {
		switch b[0] >> 4 {
		case 4:
			return ip4
		case 6:
			return ip6
		}
	}
	return nil
}

func ip4(w *walk) step {
	w.begin(ip4Table)
	start := w.pos
	if b := w.rest(); len(b) > 0 && b[0]>>4 != 4 {
		w.note("bits.lie.version", int(b[0]>>4), 4)
	}
	b, ok := w.add(ip4Table)
	if !ok {
		if len(b) > 0 {
			w.want(start, int(b[0]&15)*4)
		}
		return nil
	}
	hlen, total := int(b[0]&15)*4, int(be16(b[2:]))
	if hlen < 20 {
		w.note("bits.lie.ihl", hlen)
		return nil
	}
	sized := false
	switch {
	case total == 0:
		w.note("bits.total-zero")
	case total < hlen:
		w.note("bits.lie.total-short", total, hlen)
	default:
		sized = w.encloseFrom(start, total, "bits.lie.total-long")
	}
	if !w.options(start+hlen, ip4Options) && w.pos < start+hlen {
		w.want(start, hlen)
		return nil
	}
	w.checkIP4(w.data[start : start+hlen])
	fragment := be16(b[6:])
	w.carrier = carrier{addresses: b[12:20], whole: fragment&0x3fff == 0, known: sized}
	if fragment&0x1fff != 0 {
		w.note("bits.fragment")
		return nil
	}
	return ipContent(b[9])
}

// ipContent is the step for what an IP protocol number names.
func ipContent(protocol byte) step {
	switch protocol {
	case 0:
		return hopByHop
	case 1:
		return icmp
	case 4:
		return ip4
	case 6:
		return tcp
	case 17:
		return udp
	case 41:
		return ip6
	case 43:
		return routing
	case 44:
		return fragment
	case 47:
		return gre
	case 50:
		return esp
	case 51:
		return ah
	case 58:
		return icmp6
	case 59:
		return nil
	case 60:
		return destinationOptions
	case 132:
		return sctp
	case 136:
		return udpLite
	case 137:
		return mpls
	}
	return deepProtocol(protocol)
}
