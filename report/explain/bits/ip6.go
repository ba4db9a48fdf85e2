package bits

import "fmt"

var ip6Table = define("IPv6", "RFC 8200 §3",
	field{0, 4, "ip.version", "Version", decimal, ""},
	field{4, 6, "ip.dscp", "DSCP", decimal, "RFC 2474 §3"},
	field{10, 2, "ip.ecn", "ECN", decimal, "RFC 3168 §5"},
	field{12, 20, "ip6.flow", "Flow Label", hexadecimal(5), "RFC 6437 §2"},
	field{32, 16, "ip6.length", "Payload Length", decimal, ""},
	field{48, 8, "ip6.next", "Next Header", protocol, ""},
	field{56, 8, "ip6.hops", "Hop Limit", decimal, ""},
	field{64, 128, "ip.source", "Source Address", ipv6, ""},
	field{192, 128, "ip.destination", "Destination Address", ipv6, ""})

// extension is how the headers begin that have a length.
func extension(name, rfc, key string, fields ...field) *table {
	return define(name, rfc, append([]field{
		{0, 8, "ip6.next", "Next Header", protocol, ""},
		{8, 8, key, "Hdr Ext Len", beyond, ""},
	}, fields...)...)
}

var (
	hopByHopTable    = extension("IPv6 Hop-by-Hop Options", "RFC 8200 §4.3", "ip6.hop-by-hop")
	destinationTable = extension("IPv6 Destination Options", "RFC 8200 §4.6", "ip6.destination-options")
	routingTable     = extension("IPv6 Routing", "RFC 8200 §4.4", "ip6.routing",
		field{16, 8, "ip6.routing-type", "Routing Type", named(decimal, map[uint64]string{0: "source", 2: "mobile", 3: "RPL", 4: "segment"}), ""},
		field{24, 8, "ip6.segments-left", "Segments Left", decimal, ""})
	routingReserved = define("IPv6 Routing", "RFC 8200 §4.4", field{0, 32, "reserved", "Reserved", hex32, ""})
	segmentRouting  = define("IPv6 Routing", "RFC 8754 §2",
		field{0, 8, "ip6.last-entry", "Last Entry", decimal, ""},
		field{8, 8, "ip6.segment-flags", "Flags", hex8, ""},
		field{16, 16, "ip6.segment-tag", "Tag", hex16, ""})
	routingAddress = define("IPv6 Routing", "RFC 8200 §4.4", field{0, 128, "ip6.routing-address", "Address", ipv6, ""})
	fragmentTable  = define("IPv6 Fragment", "RFC 8200 §4.5",
		field{0, 8, "ip6.next", "Next Header", protocol, ""},
		field{8, 8, "reserved", "Reserved", hex8, ""},
		field{16, 13, "ip4.offset", "Fragment Offset", units(8), ""},
		field{29, 2, "reserved", "Res", decimal, ""},
		field{31, 1, "ip4.mf", "M", bit, ""},
		field{32, 32, "ip6.id", "Identification", hex32, ""})
	ahTable = define("AH", "RFC 4302 §2",
		field{0, 8, "ip6.next", "Next Header", protocol, ""},
		field{8, 8, "ah.length", "Payload Len", format{number, func(v value) string { return fmt.Sprintf("x 4 + 8 = %d", v.n*4+8) }}, ""},
		field{16, 16, "reserved", "Reserved", hex16, ""},
		field{32, 32, "esp.spi", "Security Parameters Index", hex32, ""},
		field{64, 32, "esp.sequence", "Sequence Number", decimal, ""})
	espTable = define("ESP", "RFC 4303 §2",
		field{0, 32, "esp.spi", "Security Parameters Index", hex32, ""},
		field{32, 32, "esp.sequence", "Sequence Number", decimal, ""})
)

var ip6Kinds = named(decimal, map[uint64]string{0: "Pad1", 1: "PadN", 4: "Tunnel", 5: "RtrAlert", 0xc2: "Jumbo", 0xc9: "Home"})

var (
	ip6Single = define("IPv6 option", "RFC 8200 §4.2", field{0, 8, "option.single", "Kind", ip6Kinds, ""})
	ip6Other  = optionHead("IPv6 option", "RFC 8200 §4.2", "ip6.option", ip6Kinds, decimal)
	ip6Alert  = optionHead("IPv6 option", "RFC 2711 §2.1", "ip.alert", ip6Kinds, decimal,
		field{16, 16, "ip.alert-value", "Value", decimal, ""})
	ip6Jumbo = optionHead("IPv6 option", "RFC 2675 §2", "ip6.jumbo", ip6Kinds, decimal,
		field{16, 32, "ip6.jumbo-length", "Jumbo Payload Length", decimal, ""})
	ip6Home = optionHead("IPv6 option", "RFC 6275 §6.3", "ip6.home", ip6Kinds, decimal,
		field{16, 128, "ip6.home-address", "Home Address", ipv6, ""})
	ip6Limit = optionHead("IPv6 option", "RFC 2473 §4.1.1", "ip6.tunnel-limit", ip6Kinds, decimal,
		field{16, 8, "ip6.tunnel-limit", "Limit", decimal, ""})
)

var ip6Options = &optionSet{end: -1, pad: 0, unit: 1, uncounted: 2, single: ip6Single, other: ip6Other, known: map[byte]option{
	4: {head: ip6Limit}, 5: {head: ip6Alert}, 0xc2: {head: ip6Jumbo}, 0xc9: {head: ip6Home},
}}

func ip6(w *walk) step {
	w.begin(ip6Table)
	if b := w.rest(); len(b) > 0 && b[0]>>4 != 6 {
		w.note("bits.lie.version", int(b[0]>>4), 6)
	}
	b, ok := w.add(ip6Table)
	if !ok {
		return nil
	}
	next, length := b[6], int(be16(b[4:]))
	if length == 0 && next != 59 {
		w.note("bits.payload-zero") // a jumbogram, or left to the hardware
	}
	sized := length > 0 && w.enclose(length, "bits.lie.payload-length")
	w.carrier = carrier{addresses: b[8:40], whole: true, known: sized}
	return ipContent(next)
}

func hopByHop(w *walk) step           { return w.extension(hopByHopTable) }
func destinationOptions(w *walk) step { return w.extension(destinationTable) }

// extension adds a header of options, and gives the step for what follows.
func (w *walk) extension(t *table) step {
	w.begin(t)
	start := w.pos
	b, ok := w.add(t)
	if !ok {
		w.want(start, 8)
		return nil
	}
	n := (int(b[1]) + 1) * 8
	if !w.options(start+n, ip6Options) && w.pos < start+n {
		w.want(start, n)
		return nil
	}
	return ipContent(b[0])
}

func routing(w *walk) step {
	const source, mobile, segment = 0, 2, 4
	w.begin(routingTable)
	start := w.pos
	b, ok := w.add(routingTable)
	if !ok {
		w.want(start, 8)
		return nil
	}
	n := (int(b[1]) + 1) * 8
	second := routingReserved
	switch b[2] {
	case segment:
		second = segmentRouting
	case source, mobile:
	default:
		second = nil
	}
	if second != nil {
		_, ok = w.add(second)
		for ok && w.pos+16 <= start+n && second != segmentRouting {
			_, ok = w.add(routingAddress)
		}
		for i := 0; ok && second == segmentRouting && i <= int(w.data[start+4]) && w.pos+16 <= start+n; i++ {
			_, ok = w.add(routingAddress)
		}
	}
	if !ok || !w.bytes(start+n-w.pos, "option.data", "Data") {
		w.want(start, n)
		return nil
	}
	if b[3] > 0 {
		w.carrier.known = false // the checksum is made with the last address
	}
	return ipContent(b[0])
}

func fragment(w *walk) step {
	w.begin(fragmentTable)
	b, ok := w.add(fragmentTable)
	if !ok {
		return nil
	}
	w.carrier.whole = be16(b[2:])&^6 == 0
	if be16(b[2:])&^7 != 0 {
		w.note("bits.fragment")
		return nil
	}
	return ipContent(b[0])
}

func ah(w *walk) step {
	w.begin(ahTable)
	start := w.pos
	b, ok := w.add(ahTable)
	if !ok {
		return nil
	}
	n := (int(b[1]) + 2) * 4
	if n < ahTable.size() {
		w.note("bits.lie.header-short", n, ahTable.size())
		return nil
	}
	if !w.bytes(n-ahTable.size(), "ah.icv", "Integrity Check Value") {
		w.want(start, n)
		return nil
	}
	return ipContent(b[0])
}

// esp ends the walk: what follows is encrypted.
func esp(w *walk) step {
	w.begin(espTable)
	w.add(espTable)
	return nil
}
