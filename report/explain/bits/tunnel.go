package bits

var greTable = define("GRE", "RFC 2784 §2.1",
	field{0, 1, "gre.checksum-present", "C", bit, ""},
	field{1, 1, "gre.routing-present", "R", bit, "RFC 1701"},
	field{2, 1, "gre.key-present", "K", bit, "RFC 2890 §2"},
	field{3, 1, "gre.sequence-present", "S", bit, "RFC 2890 §2"},
	field{4, 9, "reserved", "Reserved0", decimal, ""},
	field{13, 3, "gre.version", "Ver", decimal, ""},
	field{16, 16, "gre.protocol", "Protocol Type", etherType, ""})

var (
	greChecksum = define("GRE", "RFC 2784 §2.1",
		field{0, 16, "gre.checksum", "Checksum", hex16, ""},
		field{16, 16, "reserved", "Reserved1", hex16, ""})
	greKey      = define("GRE", "RFC 2890 §2.1", field{0, 32, "gre.key", "Key", hex32, ""})
	greSequence = define("GRE", "RFC 2890 §2.2", field{0, 32, "gre.sequence", "Sequence Number", decimal, ""})
	grePPTP     = define("GRE", "RFC 2637 §4.1",
		field{0, 16, "gre.payload-length", "Payload Length", decimal, ""},
		field{16, 16, "gre.call", "Call ID", decimal, ""})
	greAck = define("GRE", "RFC 2637 §4.1", field{0, 32, "gre.ack", "Acknowledgment Number", decimal, ""})
)

func gre(w *walk) step {
	const hasChecksum, hasRouting, hasKey, hasSequence, hasAck = 0x8000, 0x4000, 0x2000, 0x1000, 0x80
	w.begin(greTable)
	b, ok := w.add(greTable)
	if !ok {
		return nil
	}
	flags, protocol := be16(b), be16(b[2:])
	version := flags & 7
	var parts []*table
	add := func(bit uint16, t *table) {
		if flags&bit != 0 {
			parts = append(parts, t)
		}
	}
	switch version {
	case 0:
		add(hasChecksum|hasRouting, greChecksum)
		add(hasKey, greKey)
		add(hasSequence, greSequence)
	case 1:
		add(hasKey, grePPTP)
		add(hasSequence, greSequence)
		add(hasAck, greAck)
	}
	switch {
	case !w.addAll(parts) || version > 1 || flags&hasRouting != 0:
		return nil
	case protocol <= maxLength || version == 1 && len(w.rest()) == 0:
		return nil
	case protocol == 0x880b:
		return pppFraming
	}
	return w.etherType(protocol)
}

var vxlanTable = define("VXLAN", "RFC 7348 §5",
	field{0, 4, "reserved", "R", decimal, ""},
	field{4, 1, "vxlan.valid", "I", bit, ""},
	field{5, 3, "reserved", "R", decimal, ""},
	field{8, 24, "reserved", "Reserved", hex24, ""},
	field{32, 24, "vxlan.vni", "VXLAN Network Identifier (VNI)", decimal, ""},
	field{56, 8, "reserved", "Reserved", hex8, ""})

func vxlan(w *walk) step {
	if len(w.rest()) == 0 {
		return nil
	}
	w.begin(vxlanTable)
	if _, ok := w.add(vxlanTable); !ok {
		return nil
	}
	return ethernet
}

var gpeTable = define("VXLAN-GPE", "draft-ietf-nvo3-vxlan-gpe §3",
	field{0, 2, "reserved", "R", decimal, ""},
	field{2, 2, "vxlan.version", "Ver", decimal, ""},
	field{4, 1, "vxlan.valid", "I", bit, ""},
	field{5, 1, "vxlan.next-present", "P", bit, ""},
	field{6, 1, "vxlan.bum", "B", bit, ""},
	field{7, 1, "vxlan.oam", "O", bit, ""},
	field{8, 16, "reserved", "Reserved", hex16, ""},
	field{24, 8, "vxlan.next", "Next Protocol", named(decimal, map[uint64]string{1: "IPv4", 2: "IPv6", 3: "Ethernet", 4: "NSH"}), ""},
	field{32, 24, "vxlan.vni", "VXLAN Network Identifier (VNI)", decimal, ""},
	field{56, 8, "reserved", "Reserved", hex8, ""})

func vxlanGPE(w *walk) step {
	if len(w.rest()) == 0 {
		return nil
	}
	w.begin(gpeTable)
	b, ok := w.add(gpeTable)
	if !ok {
		return nil
	}
	if b[0]&4 == 0 {
		return ethernet
	}
	switch b[3] {
	case 1:
		return ip4
	case 2:
		return ip6
	case 3:
		return ethernet
	}
	return nil
}

var geneveTable = define("Geneve", "RFC 8926 §3.4",
	field{0, 2, "geneve.version", "Ver", decimal, ""},
	field{2, 6, "geneve.options", "Opt Len", units(4), ""},
	field{8, 1, "geneve.control", "O", bit, ""},
	field{9, 1, "geneve.critical", "C", bit, ""},
	field{10, 6, "reserved", "Rsvd.", decimal, ""},
	field{16, 16, "geneve.protocol", "Protocol Type", etherType, ""},
	field{32, 24, "geneve.vni", "Virtual Network Identifier (VNI)", decimal, ""},
	field{56, 8, "reserved", "Reserved", hex8, ""})

func geneve(w *walk) step {
	if len(w.rest()) == 0 {
		return nil
	}
	w.begin(geneveTable)
	start := w.pos
	b, ok := w.add(geneveTable)
	if !ok {
		return nil
	}
	n := geneveTable.size() + int(b[0]&0x3f)*4
	if !w.bytes(n-geneveTable.size(), "geneve.data", "Variable-Length Options") {
		w.want(start, n)
		return nil
	}
	if t := be16(b[2:]); t > maxLength {
		return w.etherType(t)
	}
	return nil
}

var gtpuTable = define("GTP-U", "3GPP TS 29.281 §5.1",
	field{0, 3, "gtp.version", "Ver", decimal, ""},
	field{3, 1, "gtp.type", "PT", bit, ""},
	field{4, 1, "reserved", "*", bit, ""},
	field{5, 1, "gtp.extension-present", "E", bit, ""},
	field{6, 1, "gtp.sequence-present", "S", bit, ""},
	field{7, 1, "gtp.npdu-present", "PN", bit, ""},
	field{8, 8, "gtp.message", "Message Type", named(decimal, map[uint64]string{1: "Echo", 2: "Reply", 26: "Error", 254: "End", 255: "G-PDU"}), ""},
	field{16, 16, "gtp.length", "Length", decimal, ""},
	field{32, 32, "gtp.teid", "Tunnel Endpoint Identifier (TEID)", hex32, ""})

var gtpuMore = define("GTP-U", "3GPP TS 29.281 §5.1",
	field{0, 16, "gtp.sequence", "Sequence Number", decimal, ""},
	field{16, 8, "gtp.npdu", "N-PDU Number", decimal, ""},
	field{24, 8, "gtp.next", "Next Ext. Hdr", hex8, ""})

func gtpu(w *walk) step {
	if b := w.rest(); len(b) == 0 || b[0]>>5 != 1 {
		return nil
	}
	w.begin(gtpuTable)
	b, ok := w.add(gtpuTable)
	if !ok {
		return nil
	}
	w.enclose(int(be16(b[2:])), "bits.lie.gtp-length")
	next := byte(0)
	if b[0]&7 != 0 {
		more, ok := w.add(gtpuMore)
		if !ok {
			return nil
		}
		if b[0]&4 != 0 {
			next = more[3]
		}
	}
	for next != 0 {
		rest := w.rest()
		if len(rest) == 0 {
			w.cut()
			return nil
		}
		n := int(rest[0]) * 4
		if n == 0 {
			w.note("bits.lie.header-short", 0, 4)
			return nil
		}
		if !w.bytes(n, "gtp.extension", "Extension Header") {
			return nil
		}
		next = rest[n-1]
	}
	if b[1] != 255 {
		return nil
	}
	return ip
}
