package bits

var icmpTypes = named(decimal, map[uint64]string{0: "Echo Reply", 3: "Unreachable", 4: "Quench", 5: "Redirect", 8: "Echo", 9: "Router Adv", 10: "Router Sol", 11: "Exceeded", 12: "Problem", 13: "Timestamp", 14: "TS Reply"})
var icmp6Types = named(decimal, map[uint64]string{1: "Unreach", 2: "Too Big", 3: "Exceeded", 4: "Problem", 128: "Echo", 129: "Reply", 130: "Query", 131: "Report", 132: "Done", 133: "RS", 134: "RA", 135: "NS", 136: "NA", 137: "Redirect", 143: "Report 2"})

// icmpHead is how ICMP messages begin.
func icmpHead(name, rfc string, types format) *table {
	return define(name, rfc,
		field{0, 8, "icmp.type", "Type", types, ""},
		field{8, 8, "icmp.code", "Code", decimal, ""},
		field{16, 16, "icmp.checksum", "Checksum", hex16, ""})
}

var (
	icmpTable  = icmpHead("ICMP", "RFC 792", icmpTypes)
	icmp6Table = icmpHead("ICMPv6", "RFC 4443 §2.1", icmp6Types)
)

// What follows, by the type.
var (
	icmpEcho = define("ICMP", "RFC 792",
		field{0, 16, "icmp.id", "Identifier", decimal, ""},
		field{16, 16, "icmp.sequence", "Sequence Number", decimal, ""})
	icmpUnreachable = define("ICMP", "RFC 792",
		field{0, 8, "reserved", "unused", decimal, ""},
		field{8, 8, "icmp.quote-length", "Length", units(4), "RFC 4884 §4.1"},
		field{16, 16, "icmp.mtu", "Next-Hop MTU", decimal, "RFC 1191 §4"})
	icmpExceeded = define("ICMP", "RFC 792",
		field{0, 8, "reserved", "unused", decimal, ""},
		field{8, 8, "icmp.quote-length", "Length", units(4), "RFC 4884 §4.2"},
		field{16, 16, "reserved", "unused", hex16, ""})
	icmpProblem = define("ICMP", "RFC 792",
		field{0, 8, "icmp.pointer", "Pointer", decimal, ""},
		field{8, 24, "reserved", "unused", hex24, ""})
	icmpRedirect = define("ICMP", "RFC 792", field{0, 32, "icmp.gateway", "Gateway Address", ipv4, ""})
	icmpUnused   = define("ICMP", "RFC 792", field{0, 32, "reserved", "unused", hex32, ""})
	icmpTimes    = define("ICMP", "RFC 792",
		field{0, 32, "icmp.originate", "Originate Timestamp", decimal, ""},
		field{32, 32, "icmp.receive", "Receive Timestamp", decimal, ""},
		field{64, 32, "icmp.transmit", "Transmit Timestamp", decimal, ""})

	icmp6Echo = define("ICMPv6", "RFC 4443 §4.1",
		field{0, 16, "icmp.id", "Identifier", decimal, ""},
		field{16, 16, "icmp.sequence", "Sequence Number", decimal, ""})
	icmp6Unused  = define("ICMPv6", "RFC 4443 §3", field{0, 32, "reserved", "Unused", hex32, ""})
	icmp6MTU     = define("ICMPv6", "RFC 4443 §3.2", field{0, 32, "icmp.mtu", "MTU", decimal, ""})
	icmp6Pointer = define("ICMPv6", "RFC 4443 §3.4", field{0, 32, "icmp.pointer", "Pointer", decimal, ""})
	ndReserved   = define("ICMPv6", "RFC 4861 §4", field{0, 32, "reserved", "Reserved", hex32, ""})
	ndRouter     = define("ICMPv6", "RFC 4861 §4.2",
		field{0, 8, "nd.hops", "Cur Hop Limit", decimal, ""},
		field{8, 1, "nd.managed", "M", bit, ""},
		field{9, 1, "nd.other", "O", bit, ""},
		field{10, 6, "nd.flags", "Reserved", decimal, "RFC 5175 §3"},
		field{16, 16, "nd.lifetime", "Router Lifetime", decimal, ""},
		field{32, 32, "nd.reachable", "Reachable Time", decimal, ""},
		field{64, 32, "nd.retrans", "Retrans Timer", decimal, ""})
	ndAdvertisement = define("ICMPv6", "RFC 4861 §4.4",
		field{0, 1, "nd.router", "R", bit, ""},
		field{1, 1, "nd.solicited", "S", bit, ""},
		field{2, 1, "nd.override", "O", bit, ""},
		field{3, 29, "reserved", "Reserved", decimal, ""})
	ndTarget      = define("ICMPv6", "RFC 4861 §4.3", field{0, 128, "nd.target", "Target Address", ipv6, ""})
	ndDestination = define("ICMPv6", "RFC 4861 §4.5", field{0, 128, "nd.destination", "Destination Address", ipv6, ""})
	mldTable      = define("ICMPv6", "RFC 2710 §3",
		field{0, 16, "mld.delay", "Maximum Response Delay", decimal, ""},
		field{16, 16, "reserved", "Reserved", hex16, ""},
		field{32, 128, "mld.group", "Multicast Address", ipv6, ""})
)

var ndKinds = named(decimal, map[uint64]string{1: "source", 2: "target", 3: "prefix", 4: "packet", 5: "MTU", 14: "nonce", 25: "RDNSS", 31: "DNSSL"})

var (
	ndOther   = optionHead("ND option", "RFC 4861 §4.6", "nd.option", ndKinds, units(8))
	ndAddress = optionHead("ND option", "RFC 4861 §4.6.1", "nd.link-address", ndKinds, units(8))
	ndPrefix  = optionHead("ND option", "RFC 4861 §4.6.2", "nd.prefix", ndKinds, units(8),
		field{16, 8, "nd.prefix-length", "Prefix Length", decimal, ""},
		field{24, 1, "nd.on-link", "L", bit, ""},
		field{25, 1, "nd.autonomous", "A", bit, ""},
		field{26, 6, "reserved", "Reserved1", decimal, ""},
		field{32, 32, "nd.valid", "Valid Lifetime", decimal, ""},
		field{64, 32, "nd.preferred", "Preferred Lifetime", decimal, ""},
		field{96, 32, "reserved", "Reserved2", hex32, ""},
		field{128, 128, "nd.prefix-value", "Prefix", ipv6, ""})
	ndMTU = optionHead("ND option", "RFC 4861 §4.6.4", "nd.mtu", ndKinds, units(8),
		field{16, 16, "reserved", "Reserved", hex16, ""},
		field{32, 32, "nd.mtu-value", "MTU", decimal, ""})
	ndServers = optionHead("ND option", "RFC 8106 §5.1", "nd.dns", ndKinds, units(8),
		field{16, 16, "reserved", "Reserved", hex16, ""},
		field{32, 32, "nd.dns-lifetime", "Lifetime", decimal, ""})
	ndServer = define("ND option", "RFC 8106 §5.1", field{0, 128, "nd.dns-address", "DNS Server Address", ipv6, ""})
)

var ndOptions = &optionSet{end: -1, pad: -1, unit: 8, other: ndOther, known: map[byte]option{
	1: {head: ndAddress, data: "nd.link-address-value"}, 2: {head: ndAddress, data: "nd.link-address-value"},
	3: {head: ndPrefix}, 5: {head: ndMTU}, 25: {head: ndServers, each: ndServer},
}}

func icmp(w *walk) step {
	w.begin(icmpTable)
	start := w.pos
	b, ok := w.add(icmpTable)
	if !ok {
		w.want(start, 8)
		return nil
	}
	var parts []*table
	switch b[0] {
	case 0, 8:
		parts = []*table{icmpEcho}
	case 3:
		parts = []*table{icmpUnreachable}
	case 4:
		parts = []*table{icmpUnused}
	case 5:
		parts = []*table{icmpRedirect}
	case 11:
		parts = []*table{icmpExceeded}
	case 12:
		parts = []*table{icmpProblem}
	case 13, 14:
		parts = []*table{icmpEcho, icmpTimes}
	}
	if !w.addAll(parts) {
		return nil
	}
	w.checkMessage(start, "ICMP")
	switch b[0] {
	case 3, 4, 5, 11, 12:
		return w.quote(ip4)
	}
	return nil
}

func icmp6(w *walk) step {
	w.begin(icmp6Table)
	start := w.pos
	b, ok := w.add(icmp6Table)
	if !ok {
		w.want(start, 8)
		return nil
	}
	var parts []*table
	options := false
	switch b[0] {
	case 1, 3:
		parts = []*table{icmp6Unused}
	case 2:
		parts = []*table{icmp6MTU}
	case 4:
		parts = []*table{icmp6Pointer}
	case 128, 129:
		parts = []*table{icmp6Echo}
	case 130, 131, 132:
		parts = []*table{mldTable}
	case 133:
		parts, options = []*table{ndReserved}, true
	case 134:
		parts, options = []*table{ndRouter}, true
	case 135:
		parts, options = []*table{ndReserved, ndTarget}, true
	case 136:
		parts, options = []*table{ndAdvertisement, ndTarget}, true
	case 137:
		parts, options = []*table{ndReserved, ndTarget, ndDestination}, true
	}
	if !w.addAll(parts) {
		return nil
	}
	if options && !w.options(w.end+w.missing, ndOptions) {
		return nil
	}
	w.checkTransport(start, w.end, 58, 2, "ICMPv6")
	if b[0] >= 1 && b[0] <= 4 {
		return w.quote(ip6)
	}
	return nil
}

// quote is the step for a packet that an error message quotes: its end is no cut, and its
// checksums need not be right.
func (w *walk) quote(next step) step {
	if len(w.rest()) == 0 {
		return nil
	}
	w.quoted = true
	return next
}
