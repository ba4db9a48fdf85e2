package bits

var tcpTable = define("TCP", "RFC 9293 §3.1",
	field{0, 16, "port.source", "Source Port", decimal, ""},
	field{16, 16, "port.destination", "Destination Port", decimal, ""},
	field{32, 32, "tcp.seq", "Sequence Number", decimal, ""},
	field{64, 32, "tcp.ack", "Acknowledgment Number", decimal, ""},
	field{96, 4, "tcp.offset", "Data Offset", units(4), ""},
	field{100, 3, "reserved", "Rsrvd", decimal, ""},
	field{103, 1, "tcp.ae", "AE", bit, "RFC 9768 §3.1"},
	field{104, 1, "tcp.cwr", "CWR", bit, "RFC 3168 §6.1"},
	field{105, 1, "tcp.ece", "ECE", bit, "RFC 3168 §6.1"},
	field{106, 1, "tcp.urg", "URG", bit, ""},
	field{107, 1, "tcp.ack-flag", "ACK", bit, ""},
	field{108, 1, "tcp.psh", "PSH", bit, ""},
	field{109, 1, "tcp.rst", "RST", bit, "RFC 9293 §3.5.2"},
	field{110, 1, "tcp.syn", "SYN", bit, "RFC 9293 §3.5"},
	field{111, 1, "tcp.fin", "FIN", bit, "RFC 9293 §3.6"},
	field{112, 16, "tcp.window", "Window", decimal, ""},
	field{128, 16, "tcp.checksum", "Checksum", hex16, ""},
	field{144, 16, "tcp.urgent", "Urgent Pointer", decimal, ""})

var tcpKinds = named(decimal, map[uint64]string{
	0: "End", 1: "NOP", 2: "MSS", 3: "WScale", 4: "SACK ok", 5: "SACK", 8: "Times", 19: "MD5", 28: "Timeout", 29: "AO", 30: "MPTCP", 34: "FastOpen",
	253: "test", 254: "test",
})

var (
	tcpSingle = define("TCP option", "RFC 9293 §3.1", field{0, 8, "option.single", "Kind", tcpKinds, ""})
	tcpOther  = optionHead("TCP option", "RFC 9293 §3.1", "option.kind", tcpKinds, decimal)
	tcpMSS    = optionHead("TCP option", "RFC 9293 §3.7.1", "tcp.mss", tcpKinds, decimal,
		field{16, 16, "tcp.mss-value", "Maximum Segment Size", decimal, ""})
	tcpScale = optionHead("TCP option", "RFC 7323 §2.2", "tcp.scale", tcpKinds, decimal,
		field{16, 8, "tcp.scale-value", "Shift Count", shift, ""})
	tcpSACKPermitted = optionHead("TCP option", "RFC 2018 §2", "tcp.sack-permitted", tcpKinds, decimal)
	tcpSACK          = optionHead("TCP option", "RFC 2018 §3", "tcp.sack", tcpKinds, decimal)
	tcpSACKBlock     = define("TCP option", "RFC 2018 §3",
		field{0, 32, "tcp.sack-left", "Left Edge of Block", decimal, ""},
		field{32, 32, "tcp.sack-right", "Right Edge of Block", decimal, ""})
	tcpTimes = optionHead("TCP option", "RFC 7323 §3.2", "tcp.times", tcpKinds, decimal,
		field{16, 32, "tcp.tsval", "TS Value", decimal, ""},
		field{48, 32, "tcp.tsecr", "TS Echo Reply", decimal, ""})
	tcpMD5     = optionHead("TCP option", "RFC 2385 §3", "tcp.md5", tcpKinds, decimal)
	tcpTimeout = optionHead("TCP option", "RFC 5482 §3", "tcp.timeout", tcpKinds, decimal,
		field{16, 1, "tcp.granularity", "G", bit, ""},
		field{17, 15, "tcp.timeout-value", "User Timeout", decimal, ""})
	tcpAO = optionHead("TCP option", "RFC 5925 §2.2", "tcp.ao", tcpKinds, decimal,
		field{16, 8, "tcp.ao-key", "KeyID", decimal, ""},
		field{24, 8, "tcp.ao-next", "RNextKeyID", decimal, ""})
	tcpMPTCP = optionHead("TCP option", "RFC 8684 §3", "tcp.mptcp", tcpKinds, decimal,
		field{16, 4, "tcp.mptcp-subtype", "Subtype", decimal, ""},
		field{20, 4, "tcp.mptcp-flags", "Flags", decimal, ""})
	tcpFastOpen = optionHead("TCP option", "RFC 7413 §4.1.1", "tcp.fast-open", tcpKinds, decimal)
)

var tcpOptions = &optionSet{end: 0, pad: 1, unit: 1, single: tcpSingle, other: tcpOther, known: map[byte]option{
	2: {head: tcpMSS}, 3: {head: tcpScale}, 4: {head: tcpSACKPermitted}, 5: {head: tcpSACK, each: tcpSACKBlock},
	8: {head: tcpTimes}, 19: {head: tcpMD5, data: "tcp.digest"}, 28: {head: tcpTimeout}, 29: {head: tcpAO, data: "tcp.digest"},
	30: {head: tcpMPTCP}, 34: {head: tcpFastOpen, data: "tcp.cookie"},
}}

func tcp(w *walk) step {
	w.begin(tcpTable)
	start := w.pos
	b, ok := w.add(tcpTable)
	if !ok {
		if len(b) > 12 {
			w.want(start, int(b[12]>>4)*4)
		}
		return nil
	}
	hlen := int(b[12]>>4) * 4 // data offset counts 32-bit words
	if hlen < tcpTable.size() {
		w.note("bits.lie.data-offset", hlen)
		return nil
	}
	if !w.options(start+hlen, tcpOptions) && w.pos < start+hlen {
		w.want(start, hlen)
		return nil
	}
	w.checkTransport(start, w.end, 6, 16, "TCP")
	return deepTCP(be16(b), be16(b[2:]))
}
