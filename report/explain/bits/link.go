package bits

import "sockscope/capture"

// maxLength is the highest value of an EtherType field that is a length (IEEE 802.3
// section 3.2.6).
const maxLength = 1500

var ethernetTable = define("Ethernet", "IEEE 802.3 §3.1.1",
	field{0, 48, "ethernet.destination", "Destination Address", hardware, ""},
	field{48, 48, "ethernet.source", "Source Address", hardware, ""},
	field{96, 16, "ethernet.type", "EtherType", etherType, ""})

var vlanTable = define("802.1Q", "IEEE 802.1Q §9.6",
	field{0, 3, "vlan.priority", "PCP", decimal, ""},
	field{3, 1, "vlan.drop", "DEI", bit, ""},
	field{4, 12, "vlan.id", "VLAN Identifier", decimal, ""},
	field{16, 16, "ethernet.type", "EtherType", etherType, "IEEE 802.3 §3.1.1"})

var saps = map[uint64]string{0x42: "STP", 0x06: "IP", 0xaa: "SNAP", 0xe0: "IPX", 0xf0: "NetBIOS", 0xfe: "OSI"}

var llcTable = define("LLC", "IEEE 802.2 §3.2",
	field{0, 8, "llc.dsap", "DSAP", named(hex8, saps), ""},
	field{8, 8, "llc.ssap", "SSAP", named(hex8, saps), ""},
	field{16, 8, "llc.control", "Control", hex8, ""})

var snapTable = define("SNAP", "RFC 1042",
	field{0, 24, "snap.oui", "Organization Code", hex24, ""},
	field{24, 16, "ethernet.type", "EtherType", etherType, ""})

var pbbTable = define("PBB", "IEEE 802.1Q §9.7",
	field{0, 3, "vlan.priority", "PCP", decimal, ""},
	field{3, 1, "vlan.drop", "DEI", bit, ""},
	field{4, 1, "pbb.customer", "UCA", bit, ""},
	field{5, 3, "reserved", "Res", decimal, ""},
	field{8, 24, "pbb.service", "Service Instance Identifier (I-SID)", decimal, ""})

var mplsTable = define("MPLS", "RFC 3032 §2.1",
	field{0, 20, "mpls.label", "Label", decimal, ""},
	field{20, 3, "mpls.class", "TC", decimal, "RFC 5462 §3"},
	field{23, 1, "mpls.bottom", "S", bit, ""},
	field{24, 8, "mpls.ttl", "TTL", decimal, ""})

var pppoeTable = define("PPPoE", "RFC 2516 §4",
	field{0, 4, "pppoe.version", "VER", decimal, ""},
	field{4, 4, "pppoe.type", "TYPE", decimal, ""},
	field{8, 8, "pppoe.code", "CODE", named(hex8, map[uint64]string{0: "session", 9: "PADI", 7: "PADO", 0x19: "PADR", 0x65: "PADS", 0xa7: "PADT"}), ""},
	field{16, 16, "pppoe.session", "SESSION_ID", hex16, ""},
	field{32, 16, "pppoe.length", "LENGTH", decimal, ""})

var pppProtocols = named(hex16, map[uint64]string{0x21: "IPv4", 0x57: "IPv6", 0x281: "MPLS", 0xc021: "LCP", 0xc023: "PAP", 0xc223: "CHAP", 0x8021: "IPCP", 0x8057: "IPV6CP"})

var pppTable = define("PPP", "RFC 1661 §2",
	field{0, 16, "ppp.protocol", "Protocol", pppProtocols, ""})

var pppFramingTable = define("PPP", "RFC 1662 §3.1",
	field{0, 8, "ppp.address", "Address", hex8, ""},
	field{8, 8, "ppp.control", "Control", hex8, ""},
	field{16, 16, "ppp.protocol", "Protocol", pppProtocols, "RFC 1661 §2"})

var cookedTypes = named(decimal, map[uint64]string{0: "to us", 1: "broadcast", 2: "multicast", 3: "to another host", 4: "from us"})
var hardwareTypes = named(decimal, map[uint64]string{1: "Ethernet", 6: "IEEE 802", 512: "PPP", 772: "loopback", 801: "IEEE 802.11", 65534: "none"})

var sllTable = define("Linux cooked", "LINKTYPE_LINUX_SLL",
	field{0, 16, "cooked.type", "Packet Type", cookedTypes, ""},
	field{16, 16, "cooked.hardware", "ARPHRD_ Type", hardwareTypes, ""},
	field{32, 16, "cooked.length", "Address Length", decimal, ""},
	field{48, 64, "cooked.address", "Link-Layer Address", octets, ""},
	field{112, 16, "cooked.protocol", "Protocol Type", etherType, ""})

var sll2Table = define("Linux cooked v2", "LINKTYPE_LINUX_SLL2",
	field{0, 16, "cooked.protocol", "Protocol Type", etherType, ""},
	field{16, 16, "reserved", "Reserved", hex16, ""},
	field{32, 32, "cooked.interface", "Interface Index", decimal, ""},
	field{64, 16, "cooked.hardware", "ARPHRD_ Type", hardwareTypes, ""},
	field{80, 8, "cooked.type", "Packet Type", cookedTypes, ""},
	field{88, 8, "cooked.length", "Address Length", decimal, ""},
	field{96, 64, "cooked.address", "Link-Layer Address", octets, ""})

var nullTable = define("Loopback", "LINKTYPE_NULL",
	field{0, 32, "null.family", "Address Family", hex32, ""})

// linkStep is what a frame of a link type begins with; nil when there is no table for it.
func linkStep(l capture.LinkType) step {
	switch l {
	case capture.LinkEthernet:
		return ethernet
	case capture.LinkSLL:
		return sll
	case capture.LinkSLL2:
		return sll2
	case capture.LinkNull, capture.LinkLoop:
		return null
	case capture.LinkRaw, capture.LinkIPv4, capture.LinkIPv6, 12, 14: // raw IP of BSD and OpenBSD
		return ip
	case capture.LinkPPP, capture.LinkPPPHDLC:
		return pppFraming
	case capture.LinkPPPEthernet:
		return pppoe
	}
	return nil
}

func ethernet(w *walk) step {
	w.begin(ethernetTable)
	b, ok := w.add(ethernetTable)
	if !ok {
		return nil
	}
	return w.etherType(be16(b[12:]))
}

// etherType is the step for the content that an EtherType tells, or a length.
func (w *walk) etherType(t uint16) step {
	switch t {
	case 0x0800:
		return ip4
	case 0x86dd:
		return ip6
	case 0x0806, 0x8035:
		return arp
	case 0x8100, 0x88a8, 0x9100, 0x9200:
		return vlan
	case 0x8847, 0x8848:
		return mpls
	case 0x8863, 0x8864:
		return pppoe
	case 0x6558:
		return ethernet
	case 0x880b:
		return ppp
	case 0x88e7:
		return pbb
	}
	if t <= maxLength {
		w.enclose(int(t), "bits.lie.frame-length")
		return llc
	}
	return deepEtherType(t)
}

func vlan(w *walk) step {
	w.begin(vlanTable)
	b, ok := w.add(vlanTable)
	if !ok {
		return nil
	}
	return w.etherType(be16(b[2:]))
}

// pbb is a provider's backbone: the customer's frame is behind it.
func pbb(w *walk) step {
	w.begin(pbbTable)
	if _, ok := w.add(pbbTable); !ok {
		return nil
	}
	return ethernet
}

func llc(w *walk) step {
	if b := w.rest(); len(b) >= 2 && b[0] == 0xff && b[1] == 0xff {
		return nil // Novell's IPX without LLC
	}
	w.begin(llcTable)
	b, ok := w.add(llcTable)
	switch {
	case !ok:
		return nil
	case b[0] == 0xaa && b[1] == 0xaa && b[2] == 3:
		return snap
	case b[0] == 0x06 && b[2] == 3:
		return ip4
	}
	return deepLLC(b[0])
}

func snap(w *walk) step {
	w.begin(snapTable)
	b, ok := w.add(snapTable)
	if !ok || b[0] != 0 || b[1] != 0 || b[2] != 0 || be16(b[3:]) <= maxLength {
		return nil
	}
	return w.etherType(be16(b[3:]))
}

func mpls(w *walk) step {
	w.begin(mplsTable)
	b, ok := w.add(mplsTable)
	switch {
	case !ok:
		return nil
	case b[2]&1 == 0:
		return mpls
	}
	if rest := w.rest(); len(rest) > 0 && (rest[0]>>4 == 4 || rest[0]>>4 == 6) { // RFC 4928 section 2
		return ip
	}
	return nil
}

func pppoe(w *walk) step {
	w.begin(pppoeTable)
	b, ok := w.add(pppoeTable)
	if !ok {
		return nil
	}
	w.enclose(int(be16(b[4:])), "bits.lie.pppoe-length")
	if b[1] != 0 {
		return nil // discovery: tags
	}
	return ppp
}

func ppp(w *walk) step {
	w.begin(pppTable)
	b, ok := w.add(pppTable)
	if !ok {
		return nil
	}
	return pppContent(be16(b))
}

// pppFraming is PPP behind HDLC's address and control.
func pppFraming(w *walk) step {
	if b := w.rest(); len(b) > 0 && b[0] != 0xff {
		return ppp
	}
	w.begin(pppFramingTable)
	b, ok := w.add(pppFramingTable)
	if !ok {
		return nil
	}
	return pppContent(be16(b[2:]))
}

func pppContent(protocol uint16) step {
	switch protocol {
	case 0x21:
		return ip4
	case 0x57:
		return ip6
	case 0x281:
		return mpls
	}
	return nil
}

func sll(w *walk) step {
	w.begin(sllTable)
	b, ok := w.add(sllTable)
	if !ok {
		return nil
	}
	return w.cooked(be16(b[2:]), be16(b[14:]))
}

func sll2(w *walk) step {
	w.begin(sll2Table)
	b, ok := w.add(sll2Table)
	if !ok {
		return nil
	}
	return w.cooked(be16(b[8:]), be16(b))
}

// cooked is the step for what a cooked header says. Numbers up to 1500 are no lengths there.
func (w *walk) cooked(hardware, protocol uint16) step {
	const netlink, ipgre = 824, 778
	switch {
	case hardware == netlink:
		return nil
	case hardware == ipgre && protocol == 0x6558:
		return ethernet
	case protocol == 4: // LINUX_SLL_P_802_2
		return llc
	case protocol <= maxLength:
		return nil
	}
	return w.etherType(protocol)
}

// null is BSD's loopback header: a number in the capturing host's byte order.
func null(w *walk) step {
	w.begin(nullTable)
	b, ok := w.add(nullTable)
	if !ok {
		return nil
	}
	switch family := be32(b); {
	case family == 2 || family == 2<<24:
		return ip4
	default: // IPv6's number differs between the systems
		return ip
	}
}
